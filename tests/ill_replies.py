"""More servers that are ill (``tests.ill_targets.ill`` serves them): lies about length and encoding, floods,
and what steers whoever prints it."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from typing import Any

from tests.ill_targets import (
    CHUNKED,
    HEAD,
    LONGEST_S,
    STREAM,
    Ill,
    IllTarget,
    chunk,
    drip,
    endless,
    whole,
)

STEERS = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n::error title=owned::SMOKE PASSED\n"
    "##vso[task.complete result=Succeeded;]\n"
    '\x1b[0Ksection_start:1:owned\r\x1b[0K\n##[error]owned\n=HYPERLINK("http://evil")\n<script>alert(1)</script>'
    "\u202e\u2028\x00\x08\x7f"
)
"""Terminal, CI servers, spread sheets, pages."""
GATEWAY_LIKE: dict[str, Any] = {
    "id": STEERS,
    "object": "chat.completion",
    "created": 1,
    "model": STEERS,
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": STEERS}},
    ],
    "data": [{"id": STEERS, "object": "model", "created": 1, "owned_by": STEERS}],
    "error": {"message": STEERS, "type": STEERS, "param": STEERS, "code": STEERS},
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    "status": STEERS,
    "version": STEERS,
    "litellm_version": STEERS,
    STEERS: STEERS,
}
MILLION = 1_000_000
TEN_MIB = 10 << 20
HALF_FULL = 8_300_000
"""Just below the most that an answer may hold."""


def endless_headers(connection: socket.socket, target: IllTarget) -> None:
    """Short ones, one after the other."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    endless(connection, target, b"x-a: b\r\n" * 512, 1 << 30)


def large_header(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(HEAD + b"x-a: " + b"x" * TEN_MIB + b"\r\ncontent-length: 2\r\n\r\n{}")


def endless_trailers(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(CHUNKED + chunk(b"{}") + b"0\r\n")
    endless(connection, target, b"x-a: b\r\n" * 512, 1 << 30)


def dripped_trailers(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(CHUNKED + chunk(b"{}") + b"0\r\n")
    drip(connection, target, b"x-a: b\r\n")


def chunk_too_long(connection: socket.socket, target: IllTarget) -> None:
    """It says more than comes, and closes."""
    connection.sendall(CHUNKED + b"ffff\r\n{}")


def chunk_too_short(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(CHUNKED + b'1\r\n{"id": 1}\r\n0\r\n\r\n')


def chunk_of_no_size(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(CHUNKED + b"-1\r\n{}\r\n0\r\n\r\n")


def chunk_huge(connection: socket.socket, target: IllTarget) -> None:
    """A size of twenty digits, and an endless extension."""
    connection.sendall(CHUNKED + b"f" * 20 + b";a=")
    endless(connection, target, b"x" * 65536, 1 << 30)


def length_too_long(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(HEAD + b"content-length: 100\r\n\r\n{}")


def length_too_short(connection: socket.socket, target: IllTarget) -> None:
    """What is left over stands where the next answer begins."""
    connection.sendall(HEAD + b'content-length: 2\r\n\r\n{} {"id": "smuggled"}')
    target.pause(1)


def length_negative(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(HEAD + b"content-length: -1\r\n\r\n{}")


def length_huge(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(HEAD + b"content-length: " + b"9" * 30 + b"\r\n\r\n{}")
    target.pause(LONGEST_S)


def lengths_differ(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{} ")


def length_and_chunks(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(CHUNKED[:-2] + b"content-length: 2\r\n\r\n" + chunk(b'{"id": 1}') + b"0\r\n\r\n")


def gzip_in_gzip(connection: socket.socket, target: IllTarget) -> None:
    """A bomb in a bomb."""
    packed = gzip.compress(gzip.compress(b" " * (64 << 20), 9), 9)
    connection.sendall(whole(HEAD + b"content-encoding: gzip, gzip\r\n", packed))


def deflate_bomb(connection: socket.socket, target: IllTarget) -> None:
    packed = zlib.compress(b" " * (64 << 20), 9)
    connection.sendall(whole(HEAD + b"content-encoding: deflate\r\n", packed))


def brotli_bomb(connection: socket.socket, target: IllTarget) -> None:
    """It was not asked for; what it holds does not matter."""
    connection.sendall(whole(HEAD + b"content-encoding: br\r\n", b"\xcf\xff\xff\x7f\xf8\x27" * 64))


def gzip_dripped(connection: socket.socket, target: IllTarget) -> None:
    """A bomb, piece by piece: each is little on the wire."""
    machine = zlib.compressobj(9, zlib.DEFLATED, 31)
    connection.sendall(CHUNKED[:-2] + b"content-encoding: gzip\r\n\r\n")
    while not target.ended.is_set():
        piece = machine.compress(b" " * (1 << 20)) + machine.flush(zlib.Z_SYNC_FLUSH)
        connection.sendall(chunk(piece))


def early_hints_flood(connection: socket.socket, target: IllTarget) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"
    endless(connection, target, hint * 64, 1 << 30)


def stream_of_one_line(connection: socket.socket, target: IllTarget) -> None:
    """An event that never ends."""
    connection.sendall(STREAM + chunk(b"data: "))
    endless(connection, target, chunk(b"x" * 65536), 1 << 30)


def stream_of_comments(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(STREAM)
    endless(connection, target, chunk(b": keep-alive\n\n" * 1024), 1 << 30)


def dripped_comments(connection: socket.socket, target: IllTarget) -> None:
    """As a server keeps a connection open, and nothing else for ever."""
    connection.sendall(STREAM)
    while target.pause(0.1):
        connection.sendall(chunk(b": keep-alive\n\n"))


def redirect_loop(connection: socket.socket, target: IllTarget) -> None:
    place = f"{target.url}/again".encode()
    connection.sendall(
        b"HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\nlocation: " + place + b"\r\n\r\n"
    )


def http2_preface(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")


def http2_settings(connection: socket.socket, target: IllTarget) -> None:
    """As a server speaks that knows HTTP/2 alone."""
    connection.sendall(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00" * 18)


def nul_in_headers(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(HEAD + b"x-a: b\x00c\r\ncontent-length: 2\r\n\r\n{}")


def invalid_utf8_in_headers(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(HEAD + b"x-a: \xff\xfe\xc3\x28\r\nserver: \xe2\x28\xa1\r\ncontent-length: 2\r\n\r\n{}")


def folded_headers(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(HEAD + b"x-a: b\r\n\tc\r\n : d\r\ncontent-length: 2\r\n\r\n{}")


def no_content_with_body(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(b"HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n{}")


def status_of_four_digits(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(b"HTTP/1.1 2000 Fine\r\ncontent-length: 2\r\n\r\n{}")


def status_without_meaning(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(b"HTTP/1.1 799 \r\ncontent-length: 2\r\n\r\n{}")


def million_deep(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD, b"[" * MILLION + b"]" * MILLION))


def million_values(connection: socket.socket, target: IllTarget) -> None:
    """Just small enough to be read, and as large as it gets in memory."""
    connection.sendall(whole(HEAD, b"[" + b"{}," * (HALF_FULL // 3) + b"{}]"))


def million_names(connection: socket.socket, target: IllTarget) -> None:
    body = b"{" + b",".join(b'"%x":[]' % number for number in range(700_000)) + b"}"
    connection.sendall(whole(HEAD, body))


def million_events(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(
        whole(STREAM.replace(b"transfer-encoding: chunked\r\n\r\n", b""), b"data:{}\n\n" * 900_000)
    )


def large_text(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD, b'{"id": "' + b"x" * HALF_FULL + b'"}'))


def doubled_names(connection: socket.socket, target: IllTarget) -> None:
    twice = (
        b'{"object":"list","data":[],"data":[{"id":"a"}],"choices":[],"choices":null,"status":"a","status":1}'
    )
    connection.sendall(whole(HEAD, twice))


def lone_surrogates(connection: socket.socket, target: IllTarget) -> None:
    text = json.dumps({**GATEWAY_LIKE, "id": "\ud800", "model": "\udfff", "status": "\udc80"})
    connection.sendall(whole(HEAD, text.encode()))


def not_a_number(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(
        whole(HEAD, b'{"created": NaN, "usage": {"total_tokens": Infinity}, "data": [-Infinity]}')
    )


def huge_integers(connection: socket.socket, target: IllTarget) -> None:
    digits = b"9" * 4000
    body = b'{"created": %b, "usage": {"total_tokens": %b}, "data": [1e999999]}' % (digits, digits)
    connection.sendall(whole(HEAD, body))


def steering_bodies(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD, json.dumps(GATEWAY_LIKE).encode()))


def steering_refusals(connection: socket.socket, target: IllTarget) -> None:
    head = b"HTTP/1.1 500 \x1b[2JSMOKE PASSED\r\ncontent-type: application/json\r\n"
    connection.sendall(whole(head, json.dumps(GATEWAY_LIKE).encode()))


def steering_headers(connection: socket.socket, target: IllTarget) -> None:
    head = b"HTTP/1.1 302 \x9b2J::error::x\r\nlocation: http://\x1b]0;owned\x07/##vso[task.complete]\r\n"
    connection.sendall(whole(head + b"server: \x1b[2J::error::SMOKE PASSED\r\n", b"\x1b[2J::error::x"))


def steering_encoding(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD + b"content-encoding: \x1b[2J::error::x\r\n", b"{}"))


def steering_no_http(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(
        b"\x1b[2J\x1b]0;owned\x07\r::error::SMOKE PASSED\n##vso[task.complete result=Succeeded;]\n\n"
    )


def switched_protocol(connection: socket.socket, target: IllTarget) -> None:
    """To one that nobody asked for."""
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
    )
    endless(connection, target, b"\x82\x7e\xff\xff" + b"x" * 65535, 1 << 28)


def gzip_endless_name(connection: socket.socket, target: IllTarget) -> None:
    """The name of a file in gzip's head: nothing of it is ever body."""
    connection.sendall(
        CHUNKED[:-2] + b"content-encoding: gzip\r\n\r\n" + chunk(b"\x1f\x8b\x08\x08\0\0\0\0\0\x03")
    )
    endless(connection, target, chunk(b"n" * 65536), 1 << 30)


def http_0_9(connection: socket.socket, target: IllTarget) -> None:
    """A body and no head, without end."""
    endless(connection, target, b"<html>welcome</html>\n" * 1000, 1 << 30)


def chunk_of_zeros(connection: socket.socket, target: IllTarget) -> None:
    """A size that never ends."""
    connection.sendall(CHUNKED)
    endless(connection, target, b"0" * 65536, 1 << 30)


def storm_of_processing(connection: socket.socket, target: IllTarget) -> None:
    endless(connection, target, b"HTTP/1.1 102 Processing\r\n\r\n", 1 << 30)


MORE_ILLS: dict[str, Ill] = {
    one.__name__: one
    for one in (
        *(endless_headers, large_header, endless_trailers, dripped_trailers, chunk_too_long, chunk_too_short),
        *(chunk_of_no_size, chunk_huge, length_too_long, length_too_short, length_negative, length_huge),
        *(lengths_differ, length_and_chunks, gzip_in_gzip, deflate_bomb, brotli_bomb, gzip_dripped),
        *(early_hints_flood, stream_of_one_line, stream_of_comments, dripped_comments, redirect_loop),
        *(http2_preface, http2_settings, nul_in_headers, invalid_utf8_in_headers, folded_headers),
        *(no_content_with_body, status_of_four_digits, status_without_meaning, million_deep, million_values),
        *(million_names, million_events, large_text, doubled_names, lone_surrogates, not_a_number),
        *(huge_integers, switched_protocol, gzip_endless_name, http_0_9, chunk_of_zeros, storm_of_processing),
        *(steering_bodies, steering_refusals, steering_headers, steering_encoding, steering_no_http),
    )
}
