"""What paths that nobody has are answered with, and what is more than that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_acceptance.wire.exchange import Exchange
from suites.api.exposure.lost import AskedPaths, is_lost
from tests.unit.test_exposure_auth import answer

FIRST, SECOND = "no-such-page-01", "no-such-page-02"


def at(path: str, body: object, status: int = 200, kind: str = "application/json") -> Exchange:
    return replace(answer(status, body, kind), url=f"http://h{path}")


def two(body: str, other: str | None = None, kind: str = "application/json") -> tuple[Exchange, Exchange]:
    return at(f"/{FIRST}", body, kind=kind), at(f"/{SECOND}", other or body, kind=kind)


ALIVE = '{"status": "ok"}'
PAGE = "<!doctype html><title>Console</title>"


@pytest.mark.parametrize(
    ("lost", "body", "path"),
    [
        (two(ALIVE), ALIVE, "/docs"),
        (two(PAGE, kind="text/html"), PAGE, "/docs"),
        (two(f'{{"at": "/{FIRST}"}}', f'{{"at": "/{SECOND}"}}'), '{"at": "/api/tags"}', "/api/tags"),
        (two(f'{{"at": "/{FIRST}"}}', f'{{"at": "/{SECOND}"}}'), '{"at": "/"}', "/"),
        (two('{"id": "a1", "ok": true}', '{"id": "b2", "ok": true}'), '{"id": "c3", "ok": true}', "/docs"),
        (two('{"t": 10.25}', '{"t": 10.75}'), '{"t": 10.5}', "/docs"),
        (two("<p nonce='a/1'>x", "<p nonce='b+2'>x", "text/html"), "<p nonce='c=3'>x", "/docs"),
    ],
)
def test_the_same_as_anywhere_is_nothing(lost: tuple[Exchange, Exchange], body: str, path: str) -> None:
    kind = dict(lost[0].headers)["content-type"]
    assert is_lost(at(path, body, kind=kind), lost)


@pytest.mark.parametrize(
    "seen",
    [
        at("/metrics", '{"status": "up"}'),
        at("/metrics", '{"status": "ok", "requests": 7}'),
        at("/metrics", '{"state": "ok"}'),
        at("/metrics", "[]"),
        at("/metrics", ALIVE, kind="text/plain"),
        at("/metrics", ALIVE, status=201),
        at("/metrics", "requests_total 7", kind="text/plain"),
        at("/docs", PAGE, kind="text/html"),
    ],
)
def test_what_is_more_is_found(seen: Exchange) -> None:
    assert not is_lost(seen, two(ALIVE))


def test_only_what_differs_at_lost_paths_may_differ() -> None:
    lost = two('{"id": "a1", "status": "ok"}', '{"id": "b2", "status": "ok"}')
    assert not is_lost(at("/info", '{"id": "a1", "status": "degraded"}'), lost)


def test_a_path_that_is_told_must_be_the_one_that_was_asked() -> None:
    lost = two(f'{{"at": "/{FIRST}"}}', f'{{"at": "/{SECOND}"}}')
    assert not is_lost(at("/docs", '{"at": "/internal"}'), lost)


def test_a_gateway_below_a_prefix() -> None:
    lost = (at(f"/llm/{FIRST}", f'{{"at": "/{FIRST}"}}'), at(f"/llm/{SECOND}", f'{{"at": "/{SECOND}"}}'))
    assert is_lost(at("/llm/docs", '{"at": "/docs"}'), lost)


def test_refusals_hide_nothing() -> None:
    refused = (at(f"/{FIRST}", ALIVE, 404), at(f"/{SECOND}", ALIVE, 404))
    looked = AskedPaths((at("/docs", ALIVE), at("/ui", ALIVE, 404)), refused)
    assert looked.found == list(looked.answers)
