"""Requests and replies as the proxy's defects see and change them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

Headers = tuple[tuple[str, str], ...]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. path: with its query; authorised: whether it carries the real gateway's key; peer:
    its connection, by address, port and a number of its own, for ports are used again; as_owner: hand it on
    with the real gateway's key."""

    method: str
    path: str
    headers: Headers
    body: bytes
    authorised: bool = False
    peer: str = ""
    as_owner: bool = False

    @property
    def json(self) -> Json:
        """The body as a JSON object; empty where it is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):  # what is nested too deep is no object here, and no crash
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def streams(self) -> bool:
        """Whether the client asked for a stream."""
        return self.json.get("stream") is True

    def header(self, name: str) -> str:
        """The first header of that name (in lower case); empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def key(self) -> str | None:
        """The bearer key that the client sent, or None."""
        for name, value in self.headers:
            if name.lower() == "authorization":
                return value.removeprefix("Bearer ")
        return None

    def at(self, *suffixes: str) -> bool:
        """Whether the path (without query) ends in one of these."""
        return self.path.split("?", 1)[0].endswith(suffixes)

    def with_json(self, document: Json) -> Request:
        """The same request with another JSON body."""
        return replace(self, body=json.dumps(document).encode())


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. chunks: written one by one; aborted: drop the connection after the last of them;
    hung_up: close it after a whole answer that does not say so; delay_s: seconds before the first byte;
    pause_s: seconds between the first chunk and the second."""

    status: int
    headers: Headers
    chunks: tuple[bytes, ...]
    aborted: bool = False
    hung_up: bool = False
    delay_s: float = 0.0
    pause_s: float = 0.0

    @property
    def body(self) -> bytes:
        """All chunks."""
        return b"".join(self.chunks)

    @property
    def json(self) -> Any:
        """The body as JSON, or None."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def with_json(self, document: Any) -> Reply:
        """The same reply with another JSON body."""
        return replace(self, chunks=(json.dumps(document).encode(),))

    def with_header(self, name: str, value: str | None) -> Reply:
        """The same reply with a header set, or (None) taken away."""
        others = tuple((key, old) for key, old in self.headers if key.lower() != name.lower())
        return replace(self, headers=others if value is None else (*others, (name, value)))


def json_reply(status: int, document: Any) -> Reply:
    """A reply of one JSON document."""
    return Reply(status, (("content-type", "application/json"),), (json.dumps(document).encode(),))


def envelope(status: int, message: str, kind: str) -> Reply:
    """An OpenAI error envelope."""
    error = {"message": message, "type": kind, "param": None, "code": str(status)}
    return json_reply(status, {"error": error})


def events_of(reply: Reply) -> list[str]:
    """The data of each server-sent event, ``[DONE]`` included; the real gateway's framing is regular."""
    frames = reply.body.decode("utf-8").split("\n\n")
    return [frame.removeprefix("data: ") for frame in frames if frame.startswith("data: ")]


def with_events(reply: Reply, events: list[str]) -> Reply:
    """The same reply with other server-sent events, one chunk each."""
    return replace(reply, chunks=tuple(f"data: {event}\n\n".encode() for event in events))


def edit_events(change: Callable[[list[Json]], list[Json]]) -> Callable[[Request, Reply], Reply]:
    """An after-hook that changes the JSON events of a stream and leaves ``[DONE]`` alone."""

    def after(request: Request, reply: Reply) -> Reply:
        if not request.streams or reply.status != 200:
            return reply
        events = events_of(reply)
        changed = change([json.loads(event) for event in events if event != "[DONE]"])
        done = [event for event in events if event == "[DONE]"]
        return with_events(reply, [*(json.dumps(event) for event in changed), *done])

    return after


def edit_json(*suffixes: str, change: Callable[[Json], Json]) -> Callable[[Request, Reply], Reply]:
    """An after-hook that changes the JSON object of successful, whole answers of these routes."""

    def after(request: Request, reply: Reply) -> Reply:
        document = reply.json
        if reply.status != 200 or not request.at(*suffixes) or not isinstance(document, dict):
            return reply
        return reply.with_json(change(document))

    return after
