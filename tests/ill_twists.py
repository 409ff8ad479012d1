"""In what a gateway that serves is ill (``tests.ill_gateways.serving``)."""

from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import hashlib
import json
import lzma
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.ill_gateways import Pairs, ReceivedRequest, RightAnswer, Twist
from tests.ill_replies import STEERS

CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
ABSURD: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**18, 10**30, 10**400, 1e308, -0.0, "", "nan", "\ud800", STEERS, "x" * 5000),
    *([], {}, [[]], [None], {"": None}, [{}], {"\ud800": "\udfff"}, "http://[::1", "9" * 400),
    *("1970-13-45T99:99:99Z", "\u0000", float("inf"), float("nan")),
)
HEADERS: Pairs = (
    (b"date", b"Wed, 99 Foo 99999 25:61:61 GMT"),
    (b"retry-after", b"99999999999999999999999999"),
    (b"x-litellm-model-api-base", b"http://[::1"),
    (b"x-litellm-model-id", b"\xff\xfe\x80" + STEERS.split("\n")[1].encode()),
    (b"x-litellm-response-cost", b"inf"),
    (b"x-litellm-response-duration-ms", b"1e999"),
    (b"x-litellm-version", b"999999999999999999999.\xd9\xa1.-1"),
    (b"x-litellm-call-id", b"../../../../etc/passwd"),
    (b"x-ratelimit-remaining-requests", b"-9e99"),
    (b"server", b"%n%n%n{0.__class__}{{7*7}}${7*7}"),
    (b"www-authenticate", b'Bearer realm="' + b"\\" * 999),
    (b"set-cookie", b"a=b; Max-Age=-99999999999999999999; Domain=.; Path=\t"),
    (b"link", b"<" + b"<" * 999),
    (b"openai-processing-ms", b"NaN"),
)


def chunked(
    right: RightAnswer, piece: Callable[[bytes], bytes], size: int = 200, tail: bytes = b"\r\n"
) -> RightAnswer:
    """In chunks, each as ``piece`` writes it."""

    def written() -> Iterator[bytes]:
        yield b"HTTP/1.1 %d Said\r\n" % right.status
        yield b"".join(name + b": " + value + b"\r\n" for name, value in right.headers)
        yield b"transfer-encoding: chunked\r\n\r\n"
        for at in range(0, len(right.body), size):
            yield piece(right.body[at : at + size])
        yield b"0\r\n" + tail

    return replace(right, written=written())


def chunk_extensions(_: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """Each chunk brings a kilobyte of them."""
    return chunked(right, lambda data: b'%x;a="%b"\r\n%b\r\n' % (len(data), b"x" * 1000, data))


def steering_trailers(_: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    trailers = b"x-a: \x1b[2J::error::SMOKE PASSED\r\ncontent-length: 0\r\nset-cookie: a=b\r\n\r\n"
    return chunked(right, lambda data: b"%x\r\n%b\r\n" % (len(data), data), tail=trailers)


def hints_before_each(_: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """A hundred early answers before every answer."""

    def written() -> Iterator[bytes]:
        yield b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 100
        yield from replace(right, written=None).bytes()

    return replace(right, written=written())


def many_cookies(_: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    cookies = tuple((b"set-cookie", b"c%d=%b" % (number, b"x" * 900)) for number in range(90))
    return replace(right, headers=(*right.headers, *cookies))


def absurd_headers(_: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    return replace(right, headers=(*right.headers, *HEADERS))


def one_absurd_header(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """Another one on each answer: what one refuses hides no other."""
    return replace(right, headers=(*right.headers, HEADERS[asked.number % len(HEADERS)]))


def latin_type(_: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    kind = b"application/json; charset=utf-7; boundary=\xff\x22\\\x22; q=nan"
    return replace(right, headers=((b"content-type", kind), *right.headers[1:]))


def sometimes_429(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """Every third is too many, and its Retry-After is nonsense."""
    waits = (b"-1", b"nan", b"1e400", b"Thu, 01 Jan 9999 00:00:00 GMT", b"\xff", b"999999999999999999999")
    if asked.number % 3 or asked.method == "GET":
        return right
    header = (b"retry-after", waits[asked.number % len(waits)])
    return replace(right, status=429, headers=(*right.headers, header))


def redirects_of_chat(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    places = (
        b"http://[::1",
        b"//\xff",
        b"/v1/chat/completions",
        b"javascript:alert(1)",
        b"http://a@127.0.0.1:x/",
    )
    if asked.path != CHAT:
        return right
    return replace(right, status=308, headers=(*right.headers, (b"location", places[asked.number % 5])))


def nothing_to_read(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """Statuses that have no body, or that switch to something else."""
    status = (101, 204, 205, 304, 200)[asked.number % 5]
    return right if asked.method == "GET" else replace(right, status=status, body=b"")


def half_of_it(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """What is chatted breaks off half-way; so does the stream."""
    if asked.path != CHAT:
        return right
    sent = b"".join(right.bytes())
    return replace(right, written=iter([sent[: len(sent) * 2 // 3]]))


def stream_without_end(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """RightAnswer events, and then the same for ever."""
    if asked.body.get("stream") is not True or right.status != 200:
        return right
    event = b"data: " + json.dumps(right.events()[1]).encode() + b"\n\n"

    def written() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        while True:
            yield event * 50

    return replace(right, written=written())


def packed(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """Every answer is compressed, though nobody asked: right inside, or twice, or as no one reads it."""
    body, kind = {
        0: (gzip.compress(right.body), b"gzip"),
        1: (gzip.compress(gzip.compress(right.body)), b"gzip, gzip"),
        2: (zlib.compress(right.body), b"deflate"),
        3: (b"\x28\xb5\x2f\xfd" + right.body, b"zstd"),
        4: (right.body, b"br"),
        5: (right.body, b"identity, gzip, " * 40),
    }[asked.number % 6]
    return replace(right, body=body, headers=(*right.headers, (b"content-encoding", kind)))


def bombs_of_chat(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """What is chatted is a bomb, each time in another way."""
    if asked.path != CHAT:
        return right
    blanks = b" " * (48 << 20)
    body, kind = {
        0: (gzip.compress(blanks, 9), b"gzip"),
        1: (zlib.compress(blanks, 9), b"deflate"),
        2: (gzip.compress(gzip.compress(blanks, 9), 9), b"gzip, gzip"),
    }[asked.number % 3]
    return replace(right, body=body, headers=(*right.headers, (b"content-encoding", kind)))


def mutated(seed: int) -> Twist:
    """Everything is right but for one place of each answer, which is absurd, is missing, or is doubled."""

    def twist(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
        draw = random.Random(seed * 100_003 + asked.number)
        if asked.body.get("stream") is True and right.status == 200:
            events = right.events()
            events[draw.randrange(len(events))] = spoilt(draw.choice(events), draw)
            return right.with_events(events)
        return right.with_document(spoilt(right.document, draw))

    return twist


def spoilt(document: Any, draw: random.Random) -> Any:
    """The same but for one place."""
    if not isinstance(document, dict | list) or not document or draw.random() < 0.15:
        return draw.choice(ABSURD)
    if isinstance(document, list):
        at = draw.randrange(len(document))
        rest = [*document[:at], spoilt(document[at], draw), *document[at + 1 :]]
        return [*rest, rest[at]] if draw.random() < 0.1 else rest
    name = draw.choice([*document])
    changed = {**document, name: spoilt(document[name], draw)}
    if draw.random() < 0.1:
        changed.pop(name)
    return changed


def everywhere(value: Any) -> Twist:
    """Every leaf of what is chatted, listed and embedded is this."""

    def leaves(document: Any) -> Any:
        if isinstance(document, dict):
            return {name: leaves(one) for name, one in document.items()}
        return [leaves(one) for one in document] if isinstance(document, list) else value

    def twist(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
        if asked.path.startswith("/v1/") and right.document is not None and asked.method == "POST":
            return right.with_document(leaves(right.document))
        return right

    return twist


def steering_names(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """What it lists, refuses and says names itself by what steers; it serves as it ought to."""
    text = json.dumps(STEERS)[1:-1].encode()
    body = right.body.replace(b'"vec:latest"', b'"vec:latest' + text + b'"')
    body = body.replace(b'"owned_by": "o"', b'"owned_by": "' + text + b'"').replace(
        b'"no"', b'"' + text + b'"'
    )
    if asked.path == "/v1/models":
        body = body.replace(b'"balanced"', b'"balanced' + text + b'"')
    return replace(right, body=body)


def doubled(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """Every name of every object stands twice, with another value the second time."""
    if asked.path not in (CHAT, EMBEDDINGS) or right.document is None:
        return right
    return replace(right, body=right.body.replace(b'{"', b'{"id": [], "id": 1, "choices": 3, "'))


def large_numbers(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """Indices and counts as large as they get: nobody makes a list of that length."""
    body = right.body
    for name in (b"index", b"prompt_tokens", b"completion_tokens", b"total_tokens", b"created"):
        for was in (b"0", b"1", b"2", b"3", b"5", b"1795000000"):
            body = body.replace(b'"%b": %b' % (name, was), b'"%b": 9007199254740993000' % name)
    return right if asked.method == "GET" else replace(right, body=body)


def deep_within(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """As deep as is still read, in places that are shown."""
    depth = 900
    if asked.path not in (CHAT, EMBEDDINGS) or asked.body.get("stream") is True:
        return right
    return replace(right, body=right.body[:-1] + b', "x": ' + b'{"a":[' * depth + b"1" + b"]}" * depth + b"}")


def key_writings(key: str) -> dict[str, str]:
    """A key as somebody may write it who means to be read by a person, not by a search."""
    raw = key.encode()
    return {
        "base32": base64.b32encode(b"Bearer " + raw).decode(),
        "base32 in lower case": base64.b32encode(raw).decode().lower(),
        "base85": base64.b85encode(raw).decode(),
        "Ascii85": base64.a85encode(raw).decode(),
        "rot13": codecs.encode(key, "rot13"),
        "reversed": key[::-1],
        "upper case": key.upper(),
        "UTF-16": "\0".join(key),
        "base64 of UTF-16": base64.b64encode(key.encode("utf-16-le")).decode(),
        "hex of UTF-16": key.encode("utf-16-be").hex(),
        "base64 of base64": base64.b64encode(base64.b64encode(raw)).decode(),
        "base64 of hex": base64.b64encode(raw.hex().encode()).decode(),
        "base64 of gzip": base64.b64encode(gzip.compress(raw)).decode(),
        "base64 of zlib": base64.b64encode(zlib.compress(b'{"key": "%b"}' % raw)).decode(),
        "base64 in short lines": "\n".join(_cut(base64.b64encode(raw).decode(), 10)),
        "spaced": " ".join(key),
        "with invisible marks": "\u200b".join(key),
        "hex with colons": raw.hex(":"),
        "bytes": ", ".join(map(str, raw)),
        "hexadecimal bytes": ", ".join(map(hex, raw)),
        "octal": "".join(f"\\{one:03o}" for one in raw),
        "quoted-printable": "".join(f"={one:02X}" for one in raw),
        "percent signs twice": "".join(f"%25{one:02x}" for one in raw),
        "entities twice": "".join(f"&amp;#{one};" for one in raw),
        "escapes of JavaScript": "".join(f"\\u{{{one:x}}}" for one in raw),
        "long escapes": "".join(f"\\U{one:08x}" for one in raw),
        "with colours": "\x1b[31m".join(_cut(key, 4)),
        "with tags": "".join(f"<b>{one}</b>" for one in key),
        "broken lines of a page": "<br>".join(_cut(key, 5)),
        "soft line ends": "=\n".join(_cut("".join(f"={one:02X}" for one in raw), 15)),
        "combining marks": "".join(f"{one}\u0301" for one in key),
        "invisible tags": "".join(chr(0xE0000 + one) for one in raw),
        "invisible selectors": "".join(chr(0xE0100 + one - 16) for one in raw),
        "look-alikes": key.translate(str.maketrans("aeopcyxks", "аеорсухкѕ")),
        "code points": " ".join(f"U+{one:04X}" for one in raw),
        "chr()": "+".join(f"chr({one})" for one in raw),
        "Perl's escapes": "".join(f"\\x{{{one:x}}}" for one in raw),
        "bits": " ".join(f"{one:08b}" for one in raw),
        "octal numbers": " ".join(f"{one:o}" for one in raw),
        "base64 backwards": base64.b64encode(raw).decode()[::-1],
        "hex backwards": raw.hex()[::-1],
        "MD5": hashlib.md5(raw, usedforsecurity=False).hexdigest(),
        "SHA-512": hashlib.sha512(raw).hexdigest(),
        "base64 of bz2": base64.b64encode(bz2.compress(raw)).decode(),
        "base64 of xz": base64.b64encode(lzma.compress(raw)).decode(),
        "rot47": "".join(chr(33 + (one - 33 + 47) % 94) for one in raw),
        "full width": "".join(chr(one + 0xFEE0) for one in raw),
    }


def _cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def echoes(asked: ReceivedRequest, right: RightAnswer) -> RightAnswer:
    """It says the key back in refusals, answers, headers and deltas, each time in another form."""
    forms = list(key_writings(asked.key or "sk-made-up-none-at-all").values())
    said = forms[asked.number % len(forms)]
    text = json.dumps(said)[1:-1].encode()
    shown = text.replace(b"\n", b"")
    headers = (*right.headers, (b"x-echo", shown), (b"x-litellm-model-id", shown))
    if asked.body.get("stream") is True and right.status == 200:
        events = right.events()
        pieces = [
            {**events[1], "choices": [{**events[1]["choices"][0], "delta": {"content": one}}]}
            for one in _cut(asked.key, 3)
        ]
        return replace(right.with_events([events[0], *pieces, *events[-1:]]))
    body = right.body.replace(b'"no"', b'"' + text + b'"').replace(b'"OK"', b'"' + text + b'"')
    return replace(right, body=body, headers=headers)


TWISTS: dict[str, Twist] = {
    **{
        one.__name__: one
        for one in (
            *(chunk_extensions, steering_trailers, hints_before_each, many_cookies, absurd_headers),
            *(one_absurd_header, latin_type, sometimes_429, redirects_of_chat, nothing_to_read, half_of_it),
            *(stream_without_end, packed, bombs_of_chat, steering_names, doubled, large_numbers, deep_within),
            echoes,
        )
    },
    **{f"mutated_{seed}": mutated(seed) for seed in range(1, 5)},
    "everything_null": everywhere(None),
    "everything_text": everywhere("9"),
    "everything_huge": everywhere(10**300),
    "everything_deep": everywhere({"a": [{"b": [{}]}]}),
}
