"""Backends asked past the gateway in either protocol, on a real wire: the checks that ask them are quiet
about a right one, and red about a defect."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway_acceptance.cli.doctor.line import DoctorLine, DoctorState
from gateway_acceptance.cli.doctor.reach import backend_line
from gateway_acceptance.environment import Environment
from gateway_acceptance.fingerprint import UNKNOWN
from gateway_acceptance.plugin.blame import located
from gateway_acceptance.plugin.identity import identities
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Verdict
from gateway_acceptance.wire.backends import CLIENTS, DirectChat
from gateway_acceptance.wire.exchange import Exchange, Notebook
from lab.backends import BackendServer, ModelSpec, listen
from suites.api.chat.formats import JSON_MODE, SCHEMA
from suites.api.chat.probes import ChatProbe, directly, repeats
from suites.api.embeddings.probes import direct_vectors
from suites.api.sdk.probes import calls_tools, keeps_schemas
from suites.api.streams.probes import calls_itself
from suites.api.tools.probes import ONE, RESULTS, TWO, ToolProbe, shows_directly
from suites.backends.advisories.test_advisories import test_no_hole as no_hole
from suites.backends.inventory.test_inventory import test_capabilities as capabilities
from suites.backends.inventory.test_inventory import test_dimensions as dimensions
from suites.backends.inventory.test_inventory import test_loaded as loaded
from suites.backends.reachability.test_reachability import test_latency as latency
from suites.backends.reachability.test_reachability import test_models_present as models_present
from suites.backends.reachability.test_reachability import test_reachable as reachable
from suites.backends.reachability.test_reachability import test_root as root
from suites.backends.reachability.test_reachability import test_warm_answer as warm_answer
from tests.unit.declared import URL, environment

MODELS = {"tiny": ModelSpec("chat"), "vec": ModelSpec("embedding", dimensions=8)}
Ask = Callable[[Target], object]


def declared(url: str, product: str) -> Environment:
    """One backend, which lists its models under Ollama's full names."""
    served = {"backend": "one", "upstream": "tiny:latest"}
    return environment(
        backends=[{"name": "one", "url": url, "product": product}],
        models=[
            {"alias": "chat-one", "kind": "chat", **served},
            {
                "alias": "emb",
                "kind": "embedding",
                "backend": "one",
                "upstream": "vec:latest",
                "dimensions": 8,
            },
        ],
        groups=[],
        gateway={"url": URL, "key_variable": "MINI_KEY", "connect_deadline_s": 30},
        bounds={"health_s": 30, "first_token_s": 60},
        policy={"effects": ["read", "spend"], "requests": 100, "tokens": 9000, "seconds": 60},
    )


def asked(folder: Path, ask: Ask, scenario: str | None = None, product: str = "openai") -> object:
    """What asking brings while the backend listens, with a defect or without; in a run of its own."""
    run = folder / str(len(list(folder.iterdir())))
    run.mkdir()

    def by(url: str) -> object:
        target = Target(declared(url, product), "sk-123456", run, time.time(), Notebook())
        try:
            return ask(target)
        finally:
            target.close()

    async def listening() -> object:
        async with await listen(BackendServer("one", MODELS), "127.0.0.1", 0, scenario) as listener:
            return await asyncio.to_thread(by, listener.url)

    return asyncio.run(listening())


def no_note(_name: str, _value: object) -> None:
    """What is measured is of no matter here."""


CHECKS: dict[str, Ask] = {
    "BACKEND-REACH-002": lambda to: latency(to.backend("one"), to.environment, no_note),
    "BACKEND-REACH-005": lambda to: warm_answer(to.backend("one"), to.environment, no_note),
    "BACKEND-INV-001": lambda to: models_present(to.backend("one"), to.environment, no_note),
    "BACKEND-INV-003": lambda to: dimensions(to, "emb", to.environment, no_note),
}


@pytest.mark.parametrize("product", CLIENTS)
@pytest.mark.parametrize("check", CHECKS)
def test_a_right_backend_is_never_red(check: str, product: str, tmp_path: Path) -> None:
    asked(tmp_path, CHECKS[check], product=product)


@pytest.mark.parametrize(
    ("check", "scenario", "words"),
    [
        ("BACKEND-REACH-002", "backend-down", "GET http"),
        (
            "BACKEND-REACH-005",
            "model-missing",
            "expected 200 from .*/(v1/chat/completions|api/generate), got 404",
        ),
        (
            "BACKEND-INV-001",
            "model-missing",
            "one lacks tiny:latest; it holds (vec, )?vec:latest; fix: (serve|ollama pull) tiny",
        ),
        ("BACKEND-INV-001", "model-unlisted", "one lacks tiny:latest"),
        ("BACKEND-INV-001", "backend-down", "GET http"),
        ("BACKEND-INV-003", "embedding-dimensions", "vec:latest on one has 7 dimensions, declared are 8"),
        ("BACKEND-INV-003", "embedding-nan", "no JSON|expected"),
    ],
)
@pytest.mark.parametrize("product", CLIENTS)
def test_a_defect_is_red(check: str, scenario: str, words: str, product: str, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match=words) as failed:
        asked(tmp_path, CHECKS[check], scenario, product)
    assert failed.value.blame == "backend"


LACKING: dict[str, Ask] = {
    "BACKEND-REACH-001": lambda to: reachable(to.backend("one"), no_note),
    "BACKEND-REACH-003": lambda to: root(to.backend("one")),
    "BACKEND-INV-004": lambda to: capabilities(to.backend("one"), to.environment),
    "BACKEND-INV-005": lambda to: loaded(to.backend("one"), to.environment, no_note),
    "BACKEND-ADV-002": lambda to: no_hole(to.backend("one"), to.environment),
}


OLLAMAS_OWN = {check: ask for check, ask in LACKING.items() if "ADV" not in check}
"""Without what the advisory base of the day decides."""


@pytest.mark.parametrize("check", LACKING)
def test_what_the_protocol_lacks_is_not_applicable(check: str, tmp_path: Path) -> None:
    with pytest.raises(NotApplicable) as lacking:
        asked(tmp_path, LACKING[check])
    assert lacking.value.declared == "backends.product"


@pytest.mark.parametrize("check", OLLAMAS_OWN)
def test_what_ollama_has_beyond_is_asked(check: str, tmp_path: Path) -> None:
    asked(tmp_path, OLLAMAS_OWN[check], product="ollama")


@pytest.mark.parametrize(
    ("check", "scenario"),
    [
        ("BACKEND-REACH-001", "backend-down"),
        ("BACKEND-REACH-003", "backend-down"),
        ("BACKEND-INV-004", "model-missing"),
        ("BACKEND-INV-005", "backend-down"),
    ],
)
def test_what_ollama_has_beyond_is_red_where_it_is_broken(check: str, scenario: str, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed) as failed:
        asked(tmp_path, OLLAMAS_OWN[check], scenario, "ollama")
    assert failed.value.blame == "backend"


@pytest.mark.parametrize("product", CLIENTS)
@pytest.mark.parametrize("probe", [repeats("a text", "HX-OK"), JSON_MODE, SCHEMA], ids=lambda one: one.name)
def test_a_model_shows_what_it_can(probe: ChatProbe, product: str, tmp_path: Path) -> None:
    said = asked(tmp_path, lambda to: directly(to, to.environment.model("chat-one"), probe), product=product)
    assert probe.able(str(said))


@pytest.mark.parametrize("product", CLIENTS)
@pytest.mark.parametrize("probe", [ONE, TWO, RESULTS], ids=lambda one: one.name)
def test_a_model_calls_tools(probe: ToolProbe, product: str, tmp_path: Path) -> None:
    def shows(to: Target) -> bool:
        return shows_directly(to, to.environment.model("chat-one"), probe)

    assert asked(tmp_path, shows, product=product)
    assert asked(tmp_path, shows, "ignores-tools", product) is (probe is RESULTS)


def test_the_sdks_and_the_streams_own_control_questions(tmp_path: Path) -> None:
    assert asked(tmp_path, calls_tools) == "chat-one"
    assert asked(tmp_path, keeps_schemas) == "chat-one"
    assert asked(tmp_path, lambda to: calls_itself(to, to.environment.model("chat-one"))) == 2


def test_vectors_are_held_against_the_backends_own(tmp_path: Path) -> None:
    vectors = asked(tmp_path, lambda to: direct_vectors(to, "emb", ["a", "b"]))
    assert [len(vector) for vector in vectors] == [8, 8]  # type: ignore[attr-defined]


def test_a_stream_has_its_times(tmp_path: Path) -> None:
    question = DirectChat([{"role": "user", "content": "Count from 1 to 5"}], 32, stream=True)

    def times(to: Target) -> object:
        backend = to.backend("one")
        return backend.times_of_text(backend.converse("tiny:latest", question))

    found = asked(tmp_path, times)
    assert isinstance(found, tuple)
    assert found == tuple(sorted(found))
    assert len(found) >= 5


def test_its_fingerprint_holds_its_models(tmp_path: Path) -> None:
    def taken(to: Target) -> object:
        return {k: v for k, v in identities([(to, False)])["mini"].items() if k.startswith("backend.")}

    assert asked(tmp_path, taken) == {
        "backend.one.model.tiny:latest": "no digest",
        "backend.one.model.vec:latest": "no digest",
    }
    gone = asked(tmp_path, taken, "model-missing")
    assert gone["backend.one.model.tiny:latest"] == "absent"  # type: ignore[index]
    silent = asked(tmp_path, taken, "backend-down")
    assert set(silent.values()) == {UNKNOWN}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("product", "scenario", "state", "words"),
    [
        ("openai", None, DoctorState.OK, "one: OpenAI-compatible server, with all that is declared of it"),
        ("ollama", None, DoctorState.OK, "one: Ollama 0.35.0, with all that is declared of it"),
        ("openai", "model-missing", DoctorState.WRONG, "one has no tiny:latest"),
        ("ollama", "backend-down", DoctorState.WRONG, "one: GET http"),
    ],
)
def test_doctor_tells_of_it(
    product: str, scenario: str | None, state: DoctorState, words: str, tmp_path: Path
) -> None:
    line = asked(tmp_path, lambda to: backend_line(to, to.environment.backend("one")), scenario, product)
    assert isinstance(line, DoctorLine)
    assert line.state is state
    assert line.said.startswith(words)


@pytest.mark.parametrize(
    ("scenario", "blame"),
    [
        (None, "gateway: by body: one itself answers the same question with 'HX-OK'"),
        ("model-missing", "backend: one does not hold tiny:latest"),
        ("echo-disobeyed", "gateway: by body: one itself answers the same question with "),
        ("backend-down", "backend: GET http"),
    ],
)
def test_blame_is_located(scenario: str | None, blame: str, tmp_path: Path) -> None:
    prompt = {"role": "user", "content": "Return exactly the text: HX-OK"}
    body = json.dumps({"model": "chat-one", "messages": [prompt]}).encode()

    def ask(to: Target) -> str:
        state = WorkerState([to.environment], tmp_path, {}, set())
        state.targets["mini"] = to
        state.notebook.exchanges.append(Exchange("POST", URL + "/v1/chat/completions", (), body, 200))
        item = pytest.Function.__new__(pytest.Function)
        params = {"environment": "mini", "chat_model": "chat-one"}
        item.callspec = SimpleNamespace(params=params)  # type: ignore[assignment]
        return located(Outcome(Verdict.FAILED, "the answer is wrong"), item, state).blame

    assert str(asked(tmp_path, ask, scenario)).startswith(blame)
