"""Every open door that was invented is opened by a request of nightly: without a gateway, by the door's own
judgement of what the family sends. ``mutation-matrix --doors`` shows that the check is red then as well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.wire.exchange import Exchange
from lab.doors import DOORS
from lab.doors.guard import WITHOUT_A_HOLE
from lab.doors.inventions import GIVEN
from lab.doors_matrix import Doors, Opened, failed, judge, stages_of, text
from lab.message import Reply, Request
from suites.api.access.bodies import BodyForm, forms
from suites.api.access.bundles import at_the_doors, few, of_clients, of_every_kind
from suites.api.access.credentials import of_credentials
from suites.api.access.names import other_names
from suites.api.access.platforms import of_platforms
from suites.api.access.probes import host_that_hides
from suites.api.access.rarer import IDENTITIES, of_itself, of_rarer_values, of_rarer_words
from suites.api.access.said import of_methods, of_proxies
from suites.api.access.sockets import handshakes, streams
from suites.api.access.test_bodies import misnamed
from suites.api.access.test_routes import MEANT
from suites.api.access.tokens import of_tokens
from suites.api.access.way import WayIn
from suites.api.access.ways import of_host, of_spellings
from suites.api.auth.nearly import nearly
from suites.api.auth.probes import MANAGEMENT, contract_routes
from suites.api.auth.rules import made_up
from suites.api.auth.tried import LIST
from suites.sentinels.doors import KNOCKS
from suites.sentinels.pairs import PAIRS

ROOT = Path(__file__).parents[2]
KEY = "sk-0123456789abcdefABCDEF0123456789"
CHAT: dict[str, object] = {"model": "llm02-phi3", "messages": [{"role": "user", "content": "hi"}]}
VECTORS: dict[str, object] = {"model": "emb-light", "input": "hi"}
GAVE_A_COOKIE = Exchange(
    "GET", "u", (), b"", status=401, headers=(("set-cookie", f"{GIVEN.GIVEN}; Path=/"),), chunks=()
)
SMOKE_AT_LEAST = 90
"""Doors that smoke finds in its handful of requests; nightly finds all."""


@pytest.fixture(scope="module")
def environment() -> Environment:
    return load_environment("local", ROOT, {})


def request_of(way: WayIn, body: dict[str, object] | None = None) -> Request:
    """What the proxy sees of a way: Host and the usual headers included."""
    headers = [("host", host) for host in (("127.40.0.39:4000",) if way.hosts is None else way.hosts)]
    members = {**(body or {}), **dict(way.body)}
    sent = json.dumps(members).encode() if body is not None or members else b""
    given = {name.lower() for name, _ in way.headers}
    if sent and "content-type" not in given:
        headers.append(("content-type", "application/json"))
    usual = (("user-agent", "run"), ("accept", "*/*"))
    headers += [(name, value) for name, value in usual if name not in given]
    return Request(way.method, way.target, (*headers, *way.headers), sent)


def bodied(form: BodyForm, path: str, asked: dict[str, object]) -> Request:
    """What the proxy sees of a body in one of its forms; chunks are put together by then."""
    body = json.dumps(asked).encode() if dict(form.headers).get("transfer-encoding") else form.body
    host = ("host", "127.40.0.39:4000")
    return Request("POST", path, (host, ("user-agent", "run"), ("accept", "*/*"), *form.headers), body)


def bearer(key: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {key}")]


def of_smoke(environment: Environment) -> Iterator[Request]:
    """What API-ACCESS-001, -002 and -009 send, API-AUTH-002 and -003, and the sentinels of doors."""
    yield request_of(WayIn("without a key"))
    yield request_of(WayIn("a made-up key", headers=bearer(made_up())))
    yield request_of(WayIn("host", hosts=[host_that_hides(environment)], headers=IDENTITIES))
    yield request_of(WayIn("words of clients", headers=of_clients(environment)))
    for route, way in zip(contract_routes(environment)[1:3], at_the_doors(environment), strict=True):
        yield request_of(way.at(route.method, route.path), route.body)
    for pair in PAIRS:
        hidden, body = pair.route.host(environment), pair.route.body
        way = WayIn(
            pair.name,
            pair.route.path,
            None if hidden is None else [hidden],
            [*pair.route.headers, ("authorization", pair.credential.value(KEY))],
            pair.route.method,
        )
        yield request_of(way, None if body is None else dict(body))
    for knock in KNOCKS:
        hidden, body = knock.host(environment), knock.body(environment)
        way = WayIn(
            knock.name,
            knock.target(environment),
            None if hidden is None else [hidden],
            knock.headers(environment),
            knock.method,
        )
        yield request_of(way, None if body is None else dict(body))


def of_nightly(environment: Environment) -> Iterator[Request]:
    """What the family of access sends besides, and API-AUTH-015, -016 and -022."""
    yield from of_smoke(environment)
    for ways in (of_host, of_spellings, of_proxies):
        yield from map(request_of, ways(environment))
    yield from map(request_of, of_credentials())
    yield from map(request_of, of_tokens(environment))
    yield from map(request_of, of_rarer_words())
    yield from map(request_of, of_rarer_values(environment))
    yield from map(request_of, of_itself([GAVE_A_COOKIE]))
    yield from map(request_of, of_methods())
    yield request_of(WayIn("HEAD", method="HEAD"))
    for value in nearly(KEY).values():
        yield request_of(WayIn("nearly", headers=bearer(value)))
    one = WayIn("one").at("GET", f"{LIST}/{environment.aliases[0]}")
    yield request_of(one)
    for route in (*contract_routes(environment), *MANAGEMENT):
        yield request_of(WayIn("plain").at(route.method, route.path), route.body)
        sampled = route.path in ("/v1/chat/completions", "/v1/embeddings", "/key/list", "/key/generate")
        for way in (of_every_kind if sampled else few)(environment):
            yield request_of(way.at(route.method, route.path), route.body)
    for route in other_names(environment):
        for headers in ([], bearer(made_up()), [(name, made_up()) for name in ("x-api-key", "api-key")]):
            yield request_of(WayIn("named", headers=headers).at(route.method, route.path), route.body)
    yield from of_later_checks(environment)
    for path, body in streams(environment.aliases[0]).items():
        yield request_of(WayIn("stream").at("POST", path), body)
        yield request_of(WayIn("stream", headers=[("accept", "text/event-stream")]).at("POST", path), body)


def of_later_checks(environment: Environment) -> Iterator[Request]:
    """API-ACCESS-008's handshakes, -013, -014 and -015."""
    yield from map(request_of, of_platforms(environment))
    for shake in handshakes(["127.40.0.39:4000/?"]):
        yield request_of(
            WayIn(shake.what, target=f"/v1/realtime?model=x{shake.query}", headers=shake.headers)
        )
    for path, asked in (("/v1/chat/completions", CHAT), ("/v1/embeddings", VECTORS)):
        for form in forms(asked):
            yield bodied(form, path, asked)
        for alias in environment.aliases:
            yield request_of(WayIn("model").at("POST", path), {"model": alias})
    for _, model in misnamed(environment):
        yield request_of(WayIn("misnamed").at("POST", "/v1/chat/completions"), {**CHAT, **model})
    for method in MEANT:
        yield request_of(WayIn(method, method=method, target="/v1/chat/completions"), CHAT)
    owner = Request("GET", LIST, tuple(bearer(KEY)), b"", authorised=True, peer="owner")
    yield owner
    wrong = replace(owner, headers=tuple(bearer(made_up())), authorised=False, peer="stranger")
    yield from (replace(owner, headers=(), authorised=False), wrong, wrong)


def opened_by(requests: list[Request], name: str) -> list[Request]:
    """The requests that the door hands on for its owner, whose key it has seen before."""
    before = DOORS[name].before
    assert before is not None
    before(Request("GET", LIST, (("authorization", f"Bearer {KEY}"),), b"", authorised=True))
    answers = [before(request) for request in requests if request.path.startswith("/")]
    return [answer for answer in answers if isinstance(answer, Request) and answer.as_owner]


def test_every_door_is_opened_in_nightly_and_many_in_smoke(environment: Environment) -> None:
    nightly, smoke = list(of_nightly(environment)), list(of_smoke(environment))
    shut = [name for name in DOORS if not opened_by(nightly, name)]
    assert not shut
    opened = [name for name in DOORS if opened_by(smoke, name)]
    assert len(opened) >= SMOKE_AT_LEAST, len(opened)


def test_no_door_is_open_to_who_says_nothing(environment: Environment) -> None:
    """But for those that leave a whole route, or a kind of body, without a guard, and those that remember who
    was there before: its owner was."""
    plain = request_of(WayIn("without a key"))
    open_now = [name for name in DOORS if opened_by([plain], name)]
    assert open_now == ["door-served-before", "door-connection-known"]


def record(**verdicts: str) -> dict[str, object]:
    checks = [
        {"id": check.replace("_", "-"), "cases": [{"verdict": verdict}]}
        for check, verdict in verdicts.items()
    ]
    return {"checks": checks}


def test_a_door_is_noticed_by_what_is_green_on_a_guard_without_a_hole() -> None:
    red = record(API_ACCESS_002="failed", API_AUTH_002="failed", API_CHAT_001="failed")
    shut = {WITHOUT_A_HOLE.name: record(API_AUTH_002="failed", API_ACCESS_002="passed")}
    doors, result = [DOORS["door-bearer-null"]], Doors()
    assert judge(doors, "smoke", {**shut, "door-bearer-null": record()}, result) == []
    assert judge(doors, "nightly", {**shut, "door-bearer-null": red}, result) == ["door-bearer-null"]
    assert failed(red) == {"API-ACCESS-002", "API-AUTH-002"}
    assert result.found == [Opened("door-bearer-null", {"nightly": ["API-ACCESS-002"], "smoke": []})]
    assert result.alarms == ["API-AUTH-002"]
    assert not result.complete
    assert "of 1 open doors are noticed: nightly 1, smoke 0" in text(result)


def test_stages_ask_every_check_of_the_family_once() -> None:
    stages = stages_of(ROOT)
    asked = [check for _, checks in stages for check in checks]
    assert len(asked) == len(set(asked))
    assert {"API-ACCESS-009", "API-ACCESS-010", "API-AUTH-022"} <= {*asked}
    assert stages[0][0] == "smoke"


def test_a_guard_refuses_whom_its_door_does_not_let_in() -> None:
    before = DOORS["door-bearer-null"].before
    assert before is not None
    strange, let_in = (Request("GET", LIST, tuple(bearer(key)), b"") for key in ("other", "null"))
    refused = before(strange)
    assert isinstance(refused, Reply)
    assert refused.status == 401
    assert before(let_in) == replace(let_in, as_owner=True)
    public = Request("GET", "/health/liveliness", (), b"")
    assert before(public) == public
