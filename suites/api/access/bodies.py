"""The forms that the body of a request can have. A guard that reads it (whose model? whose key?) may pass
what it cannot read, and the route may read it all the same."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass

from gateway_acceptance.wire.exchange import Headers

JSON = ("content-type", "application/json")
BEYOND_A_BUFFER = 1_200_000
"""Bytes of padding: more than the megabyte that proxies hold in memory, and read no further."""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
KINDS = (
    "application/json; charset=utf-8", "text/json", "application/x-ndjson", "application/vnd.api+json",
    "application/xml", "application/octet-stream", "application/grpc", "application/jsonp", "*/*", "",
)  # fmt: skip
"""What a body is called that is JSON all the same."""


@dataclass(frozen=True, slots=True)
class BodyForm:
    """One way to send a body. headers: what is said of it, its media type among that."""

    name: str
    body: bytes
    headers: Headers = (JSON,)


def forms(asked: Mapping[str, object]) -> list[BodyForm]:
    """The same body in other forms; whoever reads one of them as JSON reads what was asked."""
    plain = json.dumps(asked).encode()
    twice = plain[:-1] + b", " + plain[1:]
    padded = json.dumps({**asked, "user": "x" * BEYOND_A_BUFFER}).encode()
    return [
        BodyForm("without a media type", plain, ()),
        *(BodyForm(f"called {kind or 'nothing'}", plain, (("content-type", kind),)) for kind in KINDS),
        BodyForm("packed by gzip", gzip.compress(plain, mtime=0), (JSON, ("content-encoding", "gzip"))),
        BodyForm("called packed, and not", plain, (JSON, ("content-encoding", "identity"))),
        BodyForm("in chunks", chunked(plain), (JSON, ("transfer-encoding", "chunked"))),
        BodyForm("in UTF-16", json.dumps(asked).encode("utf-16"),
             (("content-type", "application/json; charset=utf-16"),)),
        BodyForm("with a mark of its byte order", b"\xef\xbb\xbf" + plain),
        BodyForm("in an array", b"[" + plain + b"]"),
        BodyForm("with every member twice", twice),
        BodyForm("with spaces before it", b" " * 70_000 + plain),
        BodyForm("beyond a buffer", padded),
        BodyForm("with a method of its own", plain, (JSON, ("x-http-method-override", "GET"))),
        *(BodyForm(what, json.dumps({**asked, **more}).encode()) for what, more in of_content(asked).items()),
    ]  # fmt: skip


def of_content(asked: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """What else may be asked, which goes another way through a gateway: what it is -> the members that say
    so. Each costs what the plain body does."""
    if "input" in asked:
        return {"of many inputs": {"input": ["hi", "ho"]}, "of tokens": {"input": [1, 2]}}
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    spoken = {"role": "user", "content": [{"type": "text", "text": "hi"}, picture]}
    function = {
        "type": "function",
        "function": {"name": "hx", "parameters": {"type": "object", "properties": {}}},
    }
    return {
        "with tools": {"tools": [function]},
        "with a picture": {"messages": [spoken]},
        "that asks for JSON": {"response_format": {"type": "json_object"}},
        "without a message": {"messages": []},
        "of a probe": {"messages": [{"role": "user", "content": "ping"}]},
        "that is stored": {"store": True, "metadata": {"user": "admin"}},
    }


def chunked(body: bytes) -> bytes:
    """A body in chunks of at most eight bytes (RFC 9112 section 7.1)."""
    parts = [body[at : at + 8] for at in range(0, len(body), 8)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
