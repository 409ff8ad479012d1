"""What a refused request leaves on its connection, before servers that read its body and that do not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.exchange import Exchange, Notebook
from suites.api.operations import leftovers
from tests.json_server import serving_by


@contextmanager
def serving(reads: bool) -> Iterator[str]:
    """A server that lives at / and refuses each POST. reads: whether it reads the body first."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say(200)

        def do_POST(self) -> None:
            if reads:
                self.rfile.read(int(self.headers["content-length"]))
            self._say(401)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: ARG002
            return

        def _say(self, status: int) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

    with serving_by(Handler) as url:
        yield url


class Client:
    """Of one connection, as ``GatewayClient`` is of its sender's."""

    def __init__(self, url: str, _: object, sender: httpx.Client) -> None:
        self._url, self._sender = url, sender

    def request(self, method: str, path: str, *, json_body: object = None, **_: object) -> Exchange:
        answer = self._sender.request(method, self._url + path, json=json_body)
        return Exchange(
            method,
            path,
            (),
            b"",
            status=answer.status_code,
            chunks=((0.0, answer.content),),
            connection=1,
            sent_at=time.time(),
        )

    def get(self, path: str) -> Exchange:
        return self.request("GET", path)


@pytest.mark.parametrize("reads", [True, False])
def test_what_is_left_of_a_refused_request(monkeypatch: pytest.MonkeyPatch, reads: bool) -> None:
    """Python's own http.server, where a handler refuses without reading, as hubrelay does."""
    monkeypatch.setattr(leftovers, "GatewayClient", Client)

    def another(*, behind_refusals: bool = False) -> httpx.Client:
        return httpx.Client()

    with serving(reads) as url:
        notebook = Notebook()
        one = SimpleNamespace(
            environment=url, key="", sender=SimpleNamespace(another=another), notebook=notebook
        )
        problems = leftovers.leftover_problems(cast(Target, one), "/")
    assert [problem.message.partition(",")[0] for problem in problems] == (
        []
        if reads
        else [
            "after a wrong key (401) the next request on the connection",
            "after an unknown route (401) the next request on the connection",
        ]
    )
    assert len(notebook.exchanges) == len(problems)
