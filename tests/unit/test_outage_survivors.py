"""Who is left when a backend is dead, and in which words; and what a program looks at, in which order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.disruptor import Disruptor, Load, OutageKind
from gateway_acceptance.environment import Environment
from gateway_acceptance.outage.program import Program, RequestKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from gateway_acceptance.wire.backends import BackendClient
from gateway_acceptance.wire.deployments import Listed
from suites.backends.outage import test_outage
from suites.backends.outage.programs import MeasuredOutage, Revival
from suites.backends.outage.stage import OutageStage
from suites.backends.outage.test_outage import identities, named_backend, survivors
from tests.unit.declared import URL, environment
from tests.unit.outage_seen import answered, exchange
from tests.unit.outage_seen import asked as seen_as

TAGGED = [{"backend": "one", "upstream": "tiny"}, {"backend": "two", "upstream": "tiny:latest"}]
NOBODY = cast(Disruptor, None)


def measured(shares: dict[str, float], *revivals: Revival) -> MeasuredOutage:
    program = Program(seen=[answered()])
    return MeasuredOutage(
        program, "both", "one", [answered()], ExpectedShares("both", shares, ""), list(revivals)
    )


def weighted(**weights: float | None) -> Environment:
    """One deployment on each backend, with these weights."""
    members = [
        {"backend": name, "upstream": "tiny"} | ({} if weight is None else {"weight": weight})
        for name, weight in weights.items()
    ]
    backends = [{"name": name, "url": f"http://127.0.0.{place}:1"} for place, name in enumerate(weights, 1)]
    return environment(
        backends=[*backends, {"name": "vec", "url": "http://127.0.0.99:1"}],
        models=[],
        groups=[{"alias": "both", "deployments": members}],
    )


def test_who_is_left_shares_what_the_dead_one_had() -> None:
    shares = {"one": 0.5, "two": 0.3, "three": 0.2}
    left = survivors(measured(shares), weighted(one=5, two=3, three=2), None).shares
    assert left == pytest.approx({"two": 0.6, "three": 0.4})


def test_missing_weights_are_read_anew_among_those_who_are_left() -> None:
    """1.74.15 asks the first deployment alone: without the dead one, which had the weight, all are alike."""
    declared = weighted(one=1, two=None, three=None)
    left = survivors(measured({"one": 1.0, "two": 0.0, "three": 0.0}), declared, "1.74.15")
    assert left.shares == pytest.approx({"two": 0.5, "three": 0.5})


def test_where_nobody_else_is_declared_nobody_is_left() -> None:
    declared = environment(
        groups=[{"alias": "both", "deployments": [{"backend": "one", "upstream": name} for name in "ab"]}]
    )
    assert survivors(measured({"one": 1.0}), declared, None).shares == {}


def test_a_model_with_and_without_its_tag_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Listed("both", "one", "tiny:latest", "id-1"), Listed("both", "two", "tiny", "id-2")]
    monkeypatch.setattr(test_outage, "listed", lambda _: entries)
    declared = environment(groups=[{"alias": "both", "deployments": TAGGED}])
    target = cast(Target, SimpleNamespace(environment=declared))
    named = identities(target, measured({"one/tiny": 0.5, "two/tiny:latest": 0.5}))
    assert (named("id-1", "one"), named("id-2", "two")) == ("one/tiny", "two/tiny:latest")
    with pytest.raises(Untestable, match="names the deployment 'id-3', listed by nobody"):
        named("id-3", "one")


def test_an_answer_without_a_witness_accuses_nobody() -> None:
    assert named_backend("", "two") == "two"
    with pytest.raises(Untestable, match="does not say who served it; see BACKEND-WITNESS-005"):
        named_backend("", "")


@pytest.mark.parametrize(("known", "raised"), [(True, CheckFailed), (False, Untestable)])
def test_who_is_not_back_must_be_known(
    monkeypatch: pytest.MonkeyPatch, known: bool, raised: type[Exception]
) -> None:
    gone = measured({"one": 0.5, "two": 0.5}, Revival(OutageKind.KILL, "one", None, 30, known))
    monkeypatch.setattr(test_outage, "play", lambda *_: gone)
    with pytest.raises(raised, match="kill one; revive one: "):
        test_outage.test_revived(cast(Target, None), NOBODY, environment(), lambda *_: None, waivable=False)


def test_only_the_answer_counts_not_what_the_suite_waited() -> None:
    """Seen from the suite it took 3 s; the gateway took none of them."""
    late = seen_as(exchange(200, {}), way=RequestKind.LIVENESS, alias="/health", begun=0.0, ended=3.0)
    assert (late.took_s, late.answered_s) == (3.0, 0.0)
    assert seen_as(None, begun=0.0, ended=3.0).answered_s == 3.0


def test_connections_are_counted_before_the_suite_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def load(_: str) -> Load:
        order.append("load")
        return Load(0, 0)

    def count(_: OutageStage, client: BackendClient) -> None:
        order.append(f"count {client.backend.name}")

    monkeypatch.setattr(OutageStage, "_count", count)
    counting = [{"name": "one", "url": "http://127.0.0.1:1", "counts": "/c"}, {"name": "two", "url": URL}]
    target = cast(Target, SimpleNamespace(environment=environment(backends=counting), sender=None))
    with OutageStage(target, cast(Disruptor, SimpleNamespace(load=load))) as stage:
        stage.settle()
    assert order == ["load"] * 4 + ["count one"]


def asks_nobody() -> Target:
    """A target whose version nobody knows."""
    return cast(Target, SimpleNamespace(preflight=lambda: SimpleNamespace(version="")))


def test_nobody_left_is_not_applicable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_outage, "play", lambda *_: measured({"one": 1.0, "two": 0.0}))
    ordered = environment(
        groups=[{"alias": "both", "deployments": [{"backend": "one", "upstream": name} for name in "ab"]}]
    )
    with pytest.raises(NotApplicable, match="without one nobody who serves of both is left"):
        test_outage.test_survivors_share(asks_nobody(), NOBODY, ordered, lambda *_: None)
