"""The failing request after which a deployment may have been cooling down: whoever tells of it is heard, and
where nobody does it is said whom was asked."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway_acceptance.balance.dependence import Dependence
from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.second_look import spread_of
from gateway_acceptance.balance.sequential import Design, Trial
from gateway_acceptance.environment import product_of
from gateway_acceptance.host.collect.access_log import failure_in
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.verdict import Inconclusive, NoAnswer
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.failures import CALL_ID, Failures
from gateway_acceptance.wire.meter import Meter
from suites.backends.balance import sample, test_shares, trace
from suites.backends.balance.cooldown import Second
from suites.backends.balance.evaluation import Evaluation
from suites.backends.balance.sample import Draw, Sample, let_own_failures_pass, paced
from suites.backends.balance.trace import cooldowns, suspected, traced
from tests.unit.declared import environment

NOW = 1_800_000_000.0
COUNTED = """# HELP litellm_deployment_cooled_down_total how often
# TYPE litellm_deployment_cooled_down_total counter
litellm_deployment_cooled_down_total{api_base="http://127.0.0.1:11434",exception_status="429",id="a"} 2.0
litellm_deployment_cooled_down_total{api_base="http://127.0.0.1:11434",exception_status="429",id="b"} 1.0
litellm_deployment_cooled_down_total{api_base="http://127.0.0.2:11434",exception_status="500",id="c"} 0.0
litellm_deployment_cooled_down_created{api_base="http://127.0.0.1:11434",exception_status="429"} 1.8e+09
"""


def test_a_line_of_one_long_word_is_read_once() -> None:
    """Once for each of its letters would be hours."""
    assert failure_in("x" * 1_000_000) is None


def exchange(status: int | None, alias: object = "both", *, body: bytes | None = None) -> Exchange:
    asked = json.dumps({"model": alias}).encode() if body is None else body
    return Exchange(
        "POST",
        "http://127.0.0.1:4000/v1/chat/completions",
        (),
        asked,
        status,
        headers=((CALL_ID, "c-1"),),
        elapsed_s=0.5,
        served_by="one",
        sent_at=NOW,
    )


class Gateway:
    """Answers its metrics; whatever it is asked is kept."""

    def __init__(self, answer: Exchange | NoAnswer, product: str = "litellm") -> None:
        self._answer, self.asked = answer, list[str]()
        gateway = {"url": "http://127.0.0.1:4000", "key_variable": "K", "product": product}
        self.product = product_of(environment(gateway=gateway).gateway)

    def get(self, path: str) -> Exchange:
        self.asked.append(path)
        if isinstance(self._answer, NoAnswer):
            raise self._answer
        return self._answer


class Machines:
    """Has looked at these machines: sections by name, or why not."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    def refresh(self, name: str, sections: tuple[str, ...]) -> dict[str, Any]:
        assert sections == ("journal",)
        found = self.found[name]
        if isinstance(found, str):
            raise NoFacts(found, "look there")
        return dict(found)


def answer(status: int, text: str = "") -> Exchange:
    return exchange(status).answered(chunks=((0.0, text.encode()),))


def target(
    tmp_path: Path, gateway: Gateway, machines: dict[str, Any] | None = None, cooldown_s: float = 5.0
) -> Any:
    declared = environment(outage={"cooldown_s": cooldown_s})
    names = machines or {}
    return SimpleNamespace(
        gateway=gateway,
        failures=Failures(tmp_path / "failures.jsonl", ["both"]),
        machines=Machines(names),
        notebook=SimpleNamespace(meter=Meter()),
        environment=SimpleNamespace(
            machines=dict.fromkeys(names),
            backends=declared.backends,
            group=declared.group,
            outage=declared.outage,
        ),
    )


def journal(*failures: dict[str, Any], clock: float = 0.0) -> dict[str, Any]:
    return {
        "clock": {"value": {"first": time.time() + clock, "last": time.time() + clock}},
        "journal": {"value": {"lines": 5, "failures": list(failures)}},
    }


def test_failures_of_the_run_itself_are_noted_for_all_its_workers(tmp_path: Path) -> None:
    path = tmp_path / "failures.jsonl"
    ours, others = Failures(path, ["both"]), Failures(path, ["both"])
    assert ours.of("both") == []
    for status in (200, 400, 401, 404, 408, 429, 500, 503, None):
        ours.after(exchange(status))
    ours.after(exchange(500, "chat-one"))  # a deployment of its own
    for body in (b"", b"[" * 100_000, b"[1]", b'{"model": 7}', b'{"model": ["both"]}'):
        ours.after(exchange(500, body=body))
    assert [one.status for one in others.of("both")] == [408, 429, 500, 503]
    assert others.of("chat-one") == []
    assert others.of("both")[1].words == (
        "a request of this run itself got 429 by one at 08:00:00Z, x-litellm-call-id c-1"
    )


def test_no_more_are_noted_than_a_file_shall_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_acceptance.wire.failures.MOST", 3)
    found = Failures(tmp_path / "failures.jsonl", ["both"])
    for _ in range(5):
        found.after(exchange(500))
    assert len(found.of("both")) == 3


@pytest.mark.parametrize(("ago", "waited"), [(2.0, 4.0), (7.0, 0.0)])
def test_a_sample_begins_once_who_failed_the_run_itself_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ago: float, waited: float
) -> None:
    """A cooldown of five seconds with its slack is six."""
    waits = list[float]()
    monkeypatch.setattr(sample, "pause", waits.append)
    monkeypatch.setattr(sample, "time", SimpleNamespace(time=lambda: NOW + 0.5 + ago))
    here = target(tmp_path, Gateway(answer(404)))
    let_own_failures_pass(here, "both")
    assert waits == []
    here.failures.after(exchange(429))
    let_own_failures_pass(here, "both")
    assert [max(0.0, one) for one in waits] == pytest.approx([waited])
    let_own_failures_pass(
        target(tmp_path, Gateway(answer(404)), cooldown_s=600), "both"
    )  # nobody waits so long
    assert len(waits) == 1


def test_a_sample_is_spread_over_more_than_two_cooldowns_where_the_time_allows() -> None:
    assert spread_of(5.0, 1800, 1) == 12.0
    assert spread_of(1.0, 900, 1) == pytest.approx(2.4)
    assert spread_of(5.0, 900, 28) == pytest.approx(
        45 / 28
    )  # a twentieth of the run's seconds, for all groups
    assert spread_of(600.0, 1800, 0) == 90.0
    assert spread_of(0.0, 1800, 1) == 0.0


def test_draws_begin_evenly_and_those_after_them_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds for four draws; each batch takes one second."""
    now, waits = [100.0], list[float]()

    def pause(seconds: float) -> None:
        waits.append(max(0.0, seconds))
        now[0] += waits[-1]

    monkeypatch.setattr(sample, "pause", pause)
    monkeypatch.setattr(sample, "time", SimpleNamespace(monotonic=lambda: now[0]))
    asked: Any = object()
    for batch in paced([[asked], [asked], [asked, asked], [asked], [asked]], 4, 10.0):
        now[0] += 1.0
        assert batch
    assert waits == [0.0, 1.5, 1.5, 4.0, 0.0]


def test_nobody_tells_and_that_is_said(tmp_path: Path) -> None:
    here = target(tmp_path, Gateway(answer(404)))
    assert traced(here, "both", NOW).words == (
        "nobody tells of a failing request: this run had none, /metrics/ answers 404, "
        "no machine is declared whose journal could be read"
    )
    assert here.gateway.asked == ["/metrics/"]
    lost = target(tmp_path, Gateway(NoAnswer("no answer in 5 s")))
    assert "/metrics/ gave no answer (no answer in 5 s)" in traced(lost, "both", NOW).words
    unknown = target(tmp_path, Gateway(answer(404), "openai-compatible"))
    assert "no route of this gateway is known that counts cooldowns" in traced(unknown, "both", NOW).words
    assert unknown.gateway.asked == []
    none = target(tmp_path, Gateway(answer(200, "litellm_requests_total 7\n")))
    assert "/metrics/ counts no cooldown" in traced(none, "both", NOW).words


def test_a_failure_of_the_run_itself_is_named_where_it_is_recent(tmp_path: Path) -> None:
    here = target(tmp_path, Gateway(answer(404)))
    here.failures.after(exchange(503))
    assert traced(here, "both", NOW).words == (
        "the failing request: a request of this run itself got 503 by one at 08:00:00Z, x-litellm-call-id c-1"
    )
    assert traced(here, "both", NOW + 60).known == []


def test_what_the_gateway_counts_is_leaks_of_answer_backend_and_status(tmp_path: Path) -> None:
    here = target(tmp_path, Gateway(answer(200, COUNTED)))
    assert traced(here, "both", NOW).words == (
        "the failing request: /metrics/ counts 3 cooldowns of one (429) since the start"
    )


def test_journals_of_the_gateway_and_of_the_groups_backends_are_read(tmp_path: Path) -> None:
    old = {"at": time.time() - 500, "status": 500, "by": "10.0.0.9", "what": "POST /api/chat"}
    new = {"at": time.time() - 1, "status": 429, "by": "10.0.0.5:512", "what": "POST /v1/chat/completions"}
    looks = {"gateway": journal(old, new), "one": journal(old), "two": "it cannot be reached"}
    found = traced(target(tmp_path, Gateway(answer(404)), looks), "both", time.time() - 10)
    (told,) = found.known
    assert told.startswith("the journal of gateway at ")
    assert told.endswith("Z: 10.0.0.5:512 got 429 to POST /v1/chat/completions")
    assert "the journal of one tells of none" in found.silent
    assert "two cannot be looked at (it cannot be reached)" in found.silent


def test_a_machines_clock_may_be_off_and_an_old_look_tells_nothing(tmp_path: Path) -> None:
    new = {"at": time.time() + 29, "status": 429, "by": "10.0.0.5", "what": "POST /v1/completions"}
    ahead = target(tmp_path, Gateway(answer(404)), {"gateway": journal(new, clock=30)})
    assert len(traced(ahead, "both", time.time() - 10).known) == 1
    assert traced(ahead, "both", time.time() + 10).known == []
    before = target(tmp_path, Gateway(answer(404)), {"gateway": journal(new, clock=-400)})
    assert "what is known of the journal of gateway is not of this moment" in traced(before, "both", 0).silent
    refused = {"clock": journal()["clock"], "journal": {"missing": "sudo refuses", "needs": "journal"}}
    denied = target(tmp_path, Gateway(answer(404)), {"gateway": refused})
    assert "the journal of gateway is not to be had" in traced(denied, "both", 0).silent


def test_draws_that_were_refused_tell_of_it(tmp_path: Path) -> None:
    refused = ["got 429: No deployments available, cooldown_list=['a']"]
    found = traced(target(tmp_path, Gateway(answer(404))), "both", NOW, refused)
    assert found.words == f"the failing request: a later draw got no answer: {refused[0]}"


def test_the_verdict_tells_reason_trace_and_sample(tmp_path: Path) -> None:
    null = ExpectedShares("both", {"one": 0.5, "two": 0.5}, "halves")
    design = Design((0.5, 0.5), 0.01, 0.9, 0.2, 80, 80)
    first = Evaluation(
        Sample([Draw({}, "one", at=NOW), Draw({}, "two", at=NOW + 9)]),
        Trial(null, design),
        Dependence(null, 0.1),
    )
    here = target(tmp_path, Gateway(answer(404)))
    here.failures.after(exchange(429).answered(sent_at=NOW - 7))  # six and a half before the first draw
    here.failures.after(exchange(429).answered(sent_at=NOW - 2))
    words = str(suspected(here, first, Second(), "it does not show it", "one 64"))
    assert words.startswith(
        "a deployment may have been cooling down: it does not show it; the failing request: "
    )
    assert words.count("a request of this run itself got 429") == 1
    assert words.endswith("; the first sample: one 64")


def test_a_cooldown_that_is_too_long_for_a_second_backend_has_its_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = target(tmp_path, Gateway(answer(404)), cooldown_s=60)
    here.watch = SimpleNamespace(served=lambda _: Counter(one=200))
    null = ExpectedShares("both", {"one": 0.5, "two": 0.5}, "halves")
    monkeypatch.setattr(test_shares, "null_hypothesis", lambda *_: null)
    monkeypatch.setattr(test_shares, "embeds", lambda *_: False)
    monkeypatch.setattr(test_shares, "echoed", lambda *_: None)
    with pytest.raises(Inconclusive, match=r"60 s is declared.*; nobody tells of a failing request"):
        test_shares.test_more_than_one(here, here.gateway, "both")


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        (
            'INFO:     10.0.0.5:51234 - "POST /v1/chat/completions?key=sk-1 HTTP/1.1" 429 Too Many Requests',
            {"status": 429, "by": "10.0.0.5:51234", "what": "POST /v1/chat/completions"},
        ),
        (
            '[GIN] 2026/11/26 - 12:00:00 | 500 |    1.234ms |       10.0.0.39 | POST     "/api/chat"',
            {"status": 500, "by": "10.0.0.39", "what": "POST /api/chat"},
        ),
        ('INFO:     10.0.0.5:51234 - "POST /v1/chat/completions HTTP/1.1" 200 OK', None),
        ('INFO:     10.0.0.5:51234 - "GET /v1/models HTTP/1.1" 401 Unauthorized', None),
        ('[GIN] 2026/11/26 - 12:00:00 | 200 | 1.2ms | 10.0.0.39 | POST     "/api/chat"', None),
        ("litellm.RateLimitError: 429 of 10.0.0.5", None),
        ("", None),
    ],
)
def test_lines_of_an_access_log_that_tell_of_a_failure(line: str, failure: dict[str, Any] | None) -> None:
    assert failure_in(line) == failure


def test_a_secret_in_a_path_leaves_no_machine() -> None:
    found = failure_in('1.2.3.4:5 - "GET /v1/sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD HTTP/1.1" 500 Oops')
    assert found is not None
    assert "abcdefghijkl" not in found["what"]
    assert trace.in_journal("gateway", {"failures": None}, 0.0) == []


@pytest.mark.parametrize("value", ["1e999", "1.2.3", "e", ".", "9" * 400, "-1", "NaN", "+Inf"])
def test_what_is_no_count_is_none(value: str) -> None:
    name = 'litellm_deployment_cooled_down_total{model_id="a"}'
    assert cooldowns(f"{name} {value}\n", []) == {}
    assert cooldowns(f"{name} {value}\n{name} 2.0 1395066363000\n", []) == {"a (no status)": 2}
