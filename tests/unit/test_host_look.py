"""The look at a machine: what is asked, what comes back, what is said where nothing does."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import TypeAdapter

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.environment.host import AbsolutePath
from gateway_acceptance.host import snapshot as gather
from gateway_acceptance.host.collect.main import COLLECT_DEADLINE_S
from gateway_acceptance.host.facts import FactsProgramFailed, MachineFacts, NoFacts, unpacked
from gateway_acceptance.host.privileges import Privilege, privileges_of, rule_for, sudoers
from gateway_acceptance.host.program import command, program
from gateway_acceptance.host.snapshot import Snapshot, request_of, take_snapshot
from gateway_acceptance.plugin.machines import Machines
from gateway_acceptance.verdict import Untestable

ROOT = Path(__file__).parents[2]
SOCKETS = Privilege("sockets", "root", ("/usr/bin/ss", "-Hlntup"), "who listens")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    text = (ROOT / "environments" / "local.toml").read_text(encoding="utf-8")
    text = text.replace(
        "[policy]",
        '[host]\nuri = "ssh://gateway"\nunit = "hx.service"\nuser = "hx"\ntree = "/opt/hx/gateway"\n'
        'secrets = ["/etc/hx/env"]\nvirtual_environment = "venv"\n[policy]',
    )
    path = tmp_path / "looked.toml"
    path.write_text(text, encoding="utf-8")
    return load_environment(str(path), ROOT, {})


def packed(document: dict[str, Any]) -> str:
    return f"<<<facts {base64.b64encode(zlib.compress(json.dumps(document).encode())).decode()} facts>>>\n"


def facts(sections: dict[str, Any], environment: Environment) -> MachineFacts:
    return MachineFacts("gateway", environment.machines["gateway"], sections, [SOCKETS], account="probe")


def test_the_program_runs_alone_and_prints_facts() -> None:
    request = {"sections": ["machine", "commands"], "commands": ["python3"], "privileges": {}}
    done = subprocess.run(["sh", "-c", command(request)], capture_output=True, text=True, check=True)
    found = unpacked(f"Welcome!\n{done.stdout}")
    assert found["commands"]["value"]["python3"]
    assert found["machine"]["value"]["uptime_s"] > 0
    assert found["clock"]["value"]["first"] <= found["clock"]["value"]["last"]


def test_the_program_holds_no_import_of_the_project_and_compiles() -> None:
    text = program()
    assert "gateway_acceptance" not in re.sub(r'"""[\s\S]*?"""', "", text)
    compile(text, "program", "exec")


def test_every_module_of_the_program_keeps_its_own_names() -> None:
    names: list[str] = []
    for path in sorted((ROOT / "gateway_acceptance" / "host" / "collect").glob("*.py")):
        names += re.findall(r"^(?:def|class) (\w+)|^([A-Z_]+) = ", path.read_text("utf-8"), re.MULTILINE)
    flat = [name for pair in names for name in pair if name]
    assert len(flat) > 40
    assert sorted({name for name in flat if flat.count(name) > 1}) == []


def test_an_answer_without_facts_is_a_sentence() -> None:
    with pytest.raises(NoFacts, match="answered without facts: Account expired"):
        unpacked("Account\nexpired")


def test_what_is_missing_is_untestable_and_names_the_rule(environment: Environment) -> None:
    seen = facts({"sockets": {"missing": "sudo refuses it", "needs": "sockets"}}, environment)
    rule = re.escape("sudo rule: probe ALL=(root) NOPASSWD: /usr/bin/ss -Hlntup")
    with pytest.raises(Untestable, match=rule):
        _ = seen["sockets"]


def test_a_part_may_be_missing_alone(environment: Environment) -> None:
    missing = {"links": {"why": "sudo refuses it", "needs": "sockets"}}
    seen = facts({"process": {"value": {"pid": 7, "missing": missing}}}, environment)
    assert seen.part("process", "pid") == 7
    with pytest.raises(Untestable, match=r"process\.links is not to be had \(sudo refuses it\)"):
        seen.part("process", "links")


def test_our_own_failure_is_no_verdict_on_the_machine(environment: Environment) -> None:
    seen = facts({"unit": {"missing": "KeyError: 'x'", "needs": "", "ours": True}}, environment)
    with pytest.raises(FactsProgramFailed, match="unit: KeyError"):
        _ = seen["unit"]


def test_the_request_holds_names_and_paths_only(environment: Environment) -> None:
    request = request_of(environment, "gateway")
    assert request["tree"] == "/opt/hx/gateway"
    assert {"settings", "python", "tree"} <= set(request["sections"])
    assert set(request["reach"]) == {"llm-01", "llm-02", "orc"}
    assert {*request["reach"]["orc"]} == {"url", "dimensions"}
    assert request["privileges"]["writable"]["as"] == "hx"


def test_a_backend_of_another_protocol_is_asked_in_that(environment: Environment) -> None:
    others = [one.model_copy(update={"product": "openai"}) for one in environment.backends]
    request = request_of(environment.model_copy(update={"backends": tuple(others)}), "gateway")
    assert {*request["reach"]["orc"]} == {"url", "product"}


@pytest.mark.parametrize(
    ("done", "sentence"),
    [
        (RuntimeError(SimpleNamespace(stderr="Connection\nrefused")), r"reached \(Connection refused\)"),
        (OSError("no route"), r"reached \(no route\); try it by hand: ssh gateway"),
        (SimpleNamespace(rc=142, stdout="", stderr="Alarm clock"), "did not end in time"),
        (SimpleNamespace(rc=127, stdout="", stderr="sh: python3: not found"), "has no python3"),
        (SimpleNamespace(rc=1, stdout="", stderr="SyntaxError"), "ended with exit code 1"),
    ],
)
def test_a_machine_that_cannot_be_looked_at(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, done: Any, sentence: str
) -> None:
    def run(_: str) -> Any:
        if isinstance(done, Exception):
            raise done
        return done

    monkeypatch.setattr(gather, "connection", lambda *_: SimpleNamespace(run=run))
    with pytest.raises(NoFacts, match=sentence):
        take_snapshot(environment, "gateway")


@pytest.mark.parametrize(
    ("took_s", "sentence"), [(2.0, r"reached \(no word\)"), (COLLECT_DEADLINE_S + 1.0, "did not end in time")]
)
def test_an_ssh_that_says_nothing(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, took_s: float, sentence: str
) -> None:
    """Of a program that a signal ended ssh tells by 255 alone, as of its own failures."""
    clock = iter((100.0, 100.0 + took_s))
    monkeypatch.setattr(gather, "time", SimpleNamespace(time=lambda: next(clock)))

    def run(_: str) -> Any:
        raise RuntimeError(SimpleNamespace(stderr=""))

    monkeypatch.setattr(gather, "connection", lambda *_: SimpleNamespace(run=run))
    with pytest.raises(NoFacts, match=sentence):
        take_snapshot(environment, "gateway")


def test_machines_are_looked_at_once_for_all_workers(environment: Environment, tmp_path: Path) -> None:
    asked: list[str] = []

    def collector(_: Environment, name: str) -> Snapshot:
        asked.append(name)
        return Snapshot({"clock": {"value": name}}, 1.0, 2.0)

    workers = [Machines(environment, tmp_path, {}, collector) for _ in range(3)]
    threads = [threading.Thread(target=worker.facts, args=("gateway",)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == ["gateway"]
    assert [worker.facts("gateway")["clock"] for worker in workers] == ["gateway"] * 3


def test_a_failed_look_is_told_to_all_and_not_tried_again(environment: Environment, tmp_path: Path) -> None:
    asked: list[str] = []

    def collector(_: Environment, name: str) -> Snapshot:
        asked.append(name)
        raise NoFacts("no route", "plug it in")

    for _ in range(2):
        with pytest.raises(NoFacts, match="no route; plug it in"):
            Machines(environment, tmp_path, {}, collector).facts("gateway")
    assert asked == ["gateway"]


def test_recorded_looks_are_taken_instead(environment: Environment, tmp_path: Path) -> None:
    path = tmp_path / "gateway.json"
    path.write_text('{"sections": {"clock": {"value": "seen"}}, "asked": 1.0, "answered": 2.0}')
    machines = Machines(environment, tmp_path, {"gateway": str(path)}, lambda *_: pytest.fail("looked"))
    assert machines.facts("gateway")["clock"] == "seen"


def test_sudo_rules_fix_every_word(environment: Environment) -> None:
    privileges = privileges_of(environment.machines["gateway"], ("sk-1234",))
    text = sudoers("probe", privileges)
    rules = [line for line in text.splitlines() if " NOPASSWD: " in line]
    assert len(rules) == len(privileges)
    assert all(re.match(r"probe ALL=\((root|hx)\) NOPASSWD: /usr/bin/\S+ \S", rule) for rule in rules)
    assert rule_for("probe", privileges[1]).endswith(
        "/usr/bin/readlink ^/proc/[0-9]+/(exe|cwd|root|ns/[a-z]+)$"
    )


def test_a_rule_names_every_place_of_its_program(environment: Environment) -> None:
    sockets = privileges_of(environment.machines["gateway"])[0]
    assert rule_for("probe", sockets).endswith("/usr/bin/ss -Hlntup, /usr/sbin/ss -Hlntup")


@pytest.mark.parametrize("path", ["/etc/a b", "/etc/a\nprobe ALL=(ALL) ALL", "/etc/a#b", 'a"b'])
def test_a_path_cannot_add_to_a_rule(path: str) -> None:
    with pytest.raises(ValueError, match=r"must hold no blanks|absolute"):
        TypeAdapter(AbsolutePath).validate_python(path)


def test_no_privilege_writes(environment: Environment) -> None:
    reading = {"ss", "readlink", "cat", "ls", "getent", "sudo", "stat", "journalctl", "find", "grep"}
    for privilege in privileges_of(environment.machines["gateway"], ("sk-1234",)):
        assert privilege.argv[0].removeprefix("/usr/bin/") in reading
        assert not {"-exec", "-delete", "-execdir", "-ok", "-fprint", "--rotate"} & set(privilege.argv)


def test_the_sudoers_file_is_valid(environment: Environment, tmp_path: Path) -> None:
    """Where visudo is there, it reads the file; the rules' words are tested above everywhere."""
    path = tmp_path / "sudoers"
    path.write_text(sudoers("probe", privileges_of(environment.machines["gateway"], ("sk-1234",))))
    path.chmod(0o440)
    visudo = Path("/usr/sbin/visudo")
    command_line = [str(visudo), "-cf", str(path)] if visudo.exists() else [sys.executable, "-c", ""]
    done = subprocess.run(command_line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
