"""``gateway-acceptance doctor``: one cause in one line, what is missing with its fix."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import tomli_w

from gateway_acceptance.check import Check, Effect, Level
from gateway_acceptance.claims import Absent
from gateway_acceptance.cli.catalogue import Catalogue, collect
from gateway_acceptance.cli.doctor import command as doctor_command
from gateway_acceptance.cli.doctor import rules
from gateway_acceptance.cli.doctor.declared import unasked
from gateway_acceptance.cli.doctor.line import DoctorState
from gateway_acceptance.cli.doctor.reach import CONNECT_S, QUESTION_S, hurried, machine_line
from gateway_acceptance.cli.main import main
from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NotApplicable
from tests.ill_targets import ill
from tests.real_networks import Authority, front, server_context
from tests.unit.host_facts_service import facts
from tests.unit.plain_gateway import KEY, Plain, serving

VARIABLE = "PLAIN_KEY"
ROOT = Path(__file__).parents[2]
WITHIN_S = 5
MODELS = "the 2 declared models are listed, and no other that is to be judged"
TODAY = date(2026, 11, 26)
Doctor = Callable[..., tuple[object, list[str], str]]
WAIVER = {
    "id": "W",
    "check": "API-AUTH-001",
    "scope": {"environments": ["mine"]},
    "observed": "nobody was there to ask",
    "reason": "nobody can look",
    "link": "https://example.org/1",
    "owner": "me",
    "opened": date(2026, 1, 1),
    "expires": date(2026, 3, 1),
    "verdict": "untestable",
}
"""Of what no operator may leave unlooked at."""


@pytest.fixture
def plain() -> Iterator[Plain]:
    with serving() as found:
        yield found


def document(url: str, **tables: Any) -> dict[str, Any]:
    """A file of the plain server's; tables are merged into it."""
    told: dict[str, Any] = {
        "name": "mine",
        "kind": "staging",
        "gateway": {"url": url, "key_variable": VARIABLE},
        "models": [
            {"alias": "chatty", "kind": "chat", "abilities": ["exact"]},
            {"alias": "nomic-embed-text", "kind": "embedding", "dimensions": 4},
        ],
        "policy": {"effects": ["read", "probe", "spend"], "requests": 50, "tokens": 1000, "seconds": 60},
    }
    for name, table in tables.items():
        told[name] = {**told.get(name, {}), **table} if isinstance(table, dict) else table
    return told


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Doctor:
    """The command, with a catalogue of its own: exit code, lines, errors."""
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor_command, "collect", lambda *_: Catalogue())

    def run(url: str, **tables: Any) -> tuple[object, list[str], str]:
        path = tmp_path / "mine.toml"
        path.write_text(tomli_w.dumps(document(url, **tables)), encoding="utf-8")
        with pytest.raises(SystemExit) as ended:
            main(["doctor", f"--env={path}"])
        out, err = capsys.readouterr()
        return ended.value.code, out.splitlines(), err

    return run


def test_nothing_is_wrong(doctor: Doctor, plain: Plain) -> None:
    code, lines, _ = doctor(plain.url)
    assert code == 0, lines
    assert lines[0].split(None, 2)[:2] == ["gateway", "ok"]
    assert lines[1].split(None, 2) == ["models", "ok", MODELS]
    assert lines[-1] == "mine: nothing to fix"
    assert {asked.method for asked in plain.seen} == {"GET"}, "no model is asked anything"


@pytest.mark.parametrize(("public", "told"), [([], True), (["/v1/models"], False), (["/v1/*"], False)])
def test_a_list_that_everybody_gets_is_told(
    doctor: Doctor, plain: Plain, public: list[str], told: bool
) -> None:
    """A gateway without keys was said to take the key, and no more."""
    entries = [{"id": "chatty", "object": "model"}, {"id": "nomic-embed-text", "object": "model"}]
    plain.answers["/v1/models"] = (200, {"object": "list", "data": entries}, {})
    code, lines, _ = doctor(plain.url, gateway={"public_paths": public})
    assert code == 0, lines
    assert any("its list of models is served to who has no key" in line for line in lines) is told


def wrong(doctor: Doctor, url: str, **tables: Any) -> str:
    """The one line that is wrong, which comes first."""
    code, lines, _ = doctor(url, **tables)
    assert code == 1, lines
    told = [line for line in lines if line.split()[1] == DoctorState.WRONG]
    assert told == lines[:1], lines
    return told[0]


def test_causes_are_told_apart(doctor: Doctor, plain: Plain, tmp_path: Path) -> None:
    port = plain.url.rsplit(":", 1)[1]
    assert f"write {plain.url} as gateway.url" in wrong(doctor, f"https://127.0.0.1:{port}"), "scheme"
    assert "correct the port in gateway.url" in wrong(doctor, "http://127.0.0.1:9")
    assert "there is no such name: correct no-such.invalid" in wrong(doctor, "http://no-such.invalid:80")
    assert f"write {plain.url} as gateway.url" in wrong(doctor, f"{plain.url}/console"), "/v1 elsewhere"
    plain.answers["/v1/models"] = (404, {"detail": "Not Found"}, {})
    told = wrong(doctor, plain.url)
    assert (
        "no list of models there (GET /v1/models: 404); fix: if it has none, the checks of the list" in told
    )
    del plain.answers["/v1/models"]
    plain.key = "sk-another-0123456789"
    assert f"correct the key in {VARIABLE}" in wrong(doctor, plain.url)
    authority = Authority(tmp_path)
    with front(server_context(authority.issue("server.pem", "127.0.0.1"))) as served:
        assert "name that CA's file as network.ca_file" in wrong(doctor, served.url)
        assert "write https" in wrong(doctor, served.url.replace("https:", "http:"))
    with front(server_context(authority.issue("other.pem", "gateway.example"))) as served:
        told = wrong(doctor, served.url, network={"ca_file": str(tmp_path / "ca.pem")})
        assert told.endswith("(wrong name); use the name that it holds)"), "and no empty fix behind it"
    other = Authority(tmp_path, "another")
    with front(server_context(other.issue("third.pem", "127.0.0.1"))) as served:
        told = wrong(doctor, served.url, network={"ca_file": str(tmp_path / "ca.pem")})
        assert f"network.ca_file ({tmp_path / 'ca.pem'}) does not hold it: name the file that does" in told
    with ill("silent") as target:
        assert "look whether it hangs or a firewall drops" in wrong(doctor, target.url)


def test_a_cause_is_told_within_five_seconds() -> None:
    """By construction: whatever a file says, two questions and one connection have no more than that."""
    slow = _environment({"gateway": {"connect_deadline_s": 60, "request_deadline_s": 3600}})
    gateway = hurried(slow).gateway
    assert gateway.connect_deadline_s == CONNECT_S
    assert gateway.request_deadline_s == QUESTION_S
    assert 2 * QUESTION_S <= WITHIN_S
    assert hurried(_environment({"gateway": {"connect_deadline_s": 0.5}})).gateway.connect_deadline_s == 0.5


def _environment(tables: dict[str, Any]) -> Environment:
    return Environment.model_validate_json(json.dumps(document("http://127.0.0.1:9", **tables)))


def test_models_and_versions(doctor: Doctor, plain: Plain) -> None:
    plain.models = ["chatty", "another\x1b[2J"]
    code, lines, _ = doctor(plain.url)
    assert code == 1
    assert "declared and not listed: nomic-embed-text; listed and not declared: another" in lines[1]
    assert "\x1b" not in "".join(lines)
    assert lines[-1] == "mine: 1 to fix"


def test_a_hidden_model_that_is_listed(doctor: Doctor, plain: Plain) -> None:
    models = [{"alias": name, "kind": "chat"} for name in plain.models]
    code, lines, _ = doctor(plain.url, models=[models[0], models[1] | {"hidden": True}])
    assert code == 1
    assert "listed, and declared as hidden: nomic-embed-text; fix: declare what the gateway has" in lines[1]


def test_backends(doctor: Doctor, plain: Plain) -> None:
    digest = "a" * 64
    plain.answers["/api/version"] = (200, {"version": "0.35.0"}, {})
    plain.answers["/api/tags"] = (200, {"models": [{"name": "phi3:latest", "digest": digest}]}, {})
    backends = [{"name": "one", "url": plain.url}, {"name": "two", "url": plain.url, "direct": False}]

    def told(**served: str) -> str:
        models = [
            {"alias": "chatty", "kind": "chat", "backend": "one", **served},
            {"alias": "nomic-embed-text", "kind": "embedding", "dimensions": 4},
        ]
        _, lines, _ = doctor(plain.url, backends=backends, models=models)
        assert "two is declared closed" in lines[3]
        return lines[2]

    assert "one: Ollama 0.35.0, with all that is declared of it" in told(upstream="phi3", digest=digest[:12])
    assert "one has no gemma" in told(upstream="gemma")
    assert "with another digest than the declared one" in told(upstream="phi3", digest="b" * 12)
    plain.answers["/api/version"] = (200, b"<html>", {})
    assert "WRONG" in told(upstream="phi3")


@pytest.mark.parametrize(
    ("named", "fix"),
    [
        ({}, "name the variable that holds its key as backends.key_variable"),
        ({"key_variable": "UP"}, "correct its key in UP"),
    ],
)
def test_a_backend_that_demands_a_key(
    doctor: Doctor, plain: Plain, monkeypatch: pytest.MonkeyPatch, named: dict[str, str], fix: str
) -> None:
    """vLLM with a key: "start it" was the advice."""
    monkeypatch.setenv("UP", "sk-upstream-1234567890")
    with serving() as behind:
        behind.answers["/v1/models"] = (401, {"error": {"message": "no"}}, {})
        server = {"name": "one", "url": behind.url, "product": "openai", **named}
        code, lines, _ = doctor(plain.url, backends=[server])
    assert code == 1
    told = next(line for line in lines if line.startswith("backends"))
    assert f"got 401; fix: {fix}; direct = false declares it closed" in told


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"gateway": {"product": "litelm"}}, "did you mean 'litellm'?"),
        ({"gateway": {"key_variable": "NO_SUCH_KEY"}}, "export NO_SUCH_KEY"),
        ({"polcy": {}}, "did you mean 'policy'?"),
        ({"claims": "claims.toml"}, "claims.toml: cannot be read (No such file"),
        ({"waivers": "waivers.toml"}, "'W' accepts that API-AUTH-001 is untestable, a check of what"),
    ],
)
def test_bad_files_send_nothing(
    doctor: Doctor, plain: Plain, tmp_path: Path, tables: dict[str, Any], words: str
) -> None:
    text = tomli_w.dumps({"waiver": [WAIVER]})
    (tmp_path / "waivers.toml").write_text(text, encoding="utf-8")
    code, lines, err = doctor(plain.url, **tables)
    assert (code, lines, plain.seen) == (4, [], [])
    assert words in err


def test_an_own_claim_that_nothing_can_prove_is_wrong(doctor: Doctor, plain: Plain, tmp_path: Path) -> None:
    text = '[[claim]]\nid = "OWN-01"\nsection = "Ours"\ntext = "x"\nchecks = ["API-STREAM-999"]\n'
    (tmp_path / "claims.toml").write_text(text, encoding="utf-8")
    code, lines, _ = doctor(plain.url, claims="claims.toml")
    assert code == 1
    assert any("names the check API-STREAM-999, which does not exist" in line for line in lines), lines


def _check(number: int, effect: Effect) -> Check:
    return Check(f"API-T-{number:03}", "title", Level.MUST, effect, (), ("smoke",), "")


def test_effects_that_are_not_permitted() -> None:
    checks = [_check(1, Effect.PROBE), _check(2, Effect.DISRUPT), _check(3, Effect.READ)]
    read = _environment({"policy": {"effects": ["read"]}})
    states = {line.said.split(":")[0]: line.state for line in rules.policy_lines(read, checks)}
    assert states["1 check of the effect probe"] is DoctorState.WRONG
    assert states["1 check of the effect disrupt"] is DoctorState.NOTE
    disrupts = _environment({"policy": {"effects": ["read", "probe", "disrupt"]}})
    (told,) = [line for line in rules.policy_lines(disrupts, checks) if line.state is DoctorState.WRONG]
    assert "nobody can take the backends of mine away" in told.said


def test_what_can_never_pass() -> None:
    why = "no [host] is declared; no [host] is declared"
    absent = [Absent(f"X-{number}", "s", "t", why) for number in (1, 2)]
    lines = rules.never_lines({"groups": ["A-1", "A-2"], "host": ["A-3"]}, absent)
    assert "2 checks do not apply, by groups (A-1, A-2)" in str(lines[0])
    assert "1 check does not apply, by host (A-3)" in str(lines[1])
    assert "not part of this deployment: 2 claims: no [host] is declared (2)" in str(lines[2])
    told = rules.ability_line(_environment({}))
    assert told is not None
    assert "no model declares count" in told.said


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("1.74.15", "does not keep"),
        ("1.200.0", "no file of litellm 1.200.0: judged by"),
        ("", "the version of litellm is not known"),
    ],
)
def test_deviations_that_apply(version: str, words: str) -> None:
    environment = _environment({"gateway": {"product": "litellm", "variant": ""}})
    assert words in rules.deviation_line(environment, version).said


def test_advisories() -> None:
    environment = _environment({"gateway": {"product": "litellm"}})
    (told,) = rules.advisory_lines(environment, "1.74.15", TODAY)
    assert (told.state, "CVE" in told.said or "GHSA" in told.said) == (DoctorState.WRONG, True)
    assert "--version 1.74.15 lists them" in told.fix
    (none,) = rules.advisory_lines(environment, "1.108.7", TODAY)
    assert none.state is DoctorState.OK
    old, _ = rules.advisory_lines(environment, "1.108.7", date(2028, 1, 1))
    assert old.state is DoctorState.WRONG


def test_what_declares_nothing_is_named(tmp_path: Path) -> None:
    """The real checks: a file without host, groups and backends has nothing for theirs."""
    path = tmp_path / "mine.toml"
    path.write_text(tomli_w.dumps(document("http://127.0.0.1:9")), encoding="utf-8")
    found = collect(ROOT, str(path))
    assert {"host", "groups", "backends", "gateway.known_default_keys"} <= set(found.nothing)
    assert "API-MODELS-001" not in [one for ids in found.nothing.values() for one in ids]
    environment = load_environment(str(path), ROOT, {})
    assert environment.host is None
    by_declaration = unasked(found.items, environment)
    assert "API-LIMIT-001" in by_declaration["gateway.limited_key"]
    assert "API-CHAT-024" in by_declaration["models.abilities"], "what no model is declared able to"
    assert "API-OPS-002" in by_declaration["gateway.readiness_path"]
    asked = {"API-CHAT-001", "API-MODELS-001", "API-OPS-001", "API-AUTH-002", "API-EMB-001"}
    assert not asked & {one for ids in by_declaration.values() for one in ids}


def _item(number: int, function: Callable[..., None], **params: str) -> Any:
    """A case as pytest collects it, as far as it is asked for."""
    told = Check(f"API-X-{number:03}", "t", Level.MUST, Effect.READ, ("X",), ("smoke",))
    item = Mock(pytest.Function, function=function, callspec=SimpleNamespace(params=params))
    item.get_closest_marker.return_value = SimpleNamespace(args=[told])
    return item


def test_who_looks_is_stopped_and_nothing_is_sent(plain: Plain) -> None:
    def sends(target: Target) -> None:
        with contextlib.suppress(Exception):
            target.gateway.models()
        raise NotApplicable("after it was to ask", declared="models")

    def looks(target: Target, host: MachineFacts) -> None:
        host.sections["unit"]
        raise NotApplicable("after it was to look", declared="host.unit")

    def refuses(target: Target, chat_model: str) -> None:
        if chat_model == "chatty":
            raise NotApplicable(f"{chat_model} cannot", declared="models.abilities")
        target.gateway.models()

    environment = _environment({"gateway": {"url": plain.url}})
    items = [
        *(_item(1, sends), _item(2, looks)),
        *(_item(3, refuses, chat_model="chatty"), _item(4, refuses, chat_model="chatty")),
        _item(4, refuses, chat_model="another"),
    ]
    assert unasked(items, environment) == {"host": ["API-X-002"], "models.abilities": ["API-X-003"]}
    assert plain.seen == []


def test_rights_on_a_machine() -> None:
    """What a run would call untestable for want of a sudo rule is told before it."""
    seen = facts(settings={"missing": "sudo refuses it", "needs": "setting_names"})

    class Looked:
        environment = _environment({}).model_copy(update={"source": Path("/etc/mine.toml")})

        def machine(self, _: str) -> MachineFacts:
            return seen

    told = machine_line(Looked(), "gateway")  # type: ignore[arg-type]
    assert told.state is DoctorState.WRONG
    assert "settings (sudo refuses it)" in told.said
    assert "gateway-acceptance sudoers --env /etc/mine.toml --account probe prints the rules" in told.fix
    told = machine_line(Looked(), "orc")  # type: ignore[arg-type]
    assert "--account probe --machine orc prints the rules" in told.fix
    seen = facts()
    assert machine_line(Looked(), "gateway").state is DoctorState.OK  # type: ignore[arg-type]
