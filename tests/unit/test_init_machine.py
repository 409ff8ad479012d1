"""``init --host``: what is written of a machine, from its facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.cli.init.found import Alias, Found
from gateway_acceptance.cli.init.machine import SeenMachine, examine_machine
from gateway_acceptance.cli.init.write import BUDGET, environment_text, last_tables
from gateway_acceptance.environment import Environment, Model, ModelKind, load_environment
from gateway_acceptance.environment.model import EnvironmentKind, Gateway, Policy
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.host.snapshot import Snapshot
from gateway_acceptance.redaction import Redactor
from tests.unit.host_facts_service import sections

ASKED = Environment(
    name="init",
    kind=EnvironmentKind.STAGING,
    gateway=Gateway(url="http://198.51.100.39:4000", key_variable="KEY"),
    models=(Model(alias="m", kind=ModelKind.CHAT),),
    policy=Policy(effects=(Effect.READ,), requests=1, tokens=1, seconds=1),
)


MACHINE = {"name": "gw-1", "addresses": ["127.0.0.1", "198.51.100.39"], "account": "probe"}
NO_TREE = {"missing": "sudo refuses it", "needs": "tree"}


def seen_of(**replaced: Any) -> tuple[SeenMachine, list[Sequence[str]]]:
    """What is seen of a healthy machine, some sections replaced; and the sections of each look."""
    found: dict[str, Any] = {"machine": {"value": MACHINE}, "tree": NO_TREE, **sections(), **replaced}
    asked: list[Sequence[str]] = []

    def collector(environment: Environment, name: str, wanted: Sequence[str] = ()) -> Snapshot:
        assert (environment.host is not None, name) == (True, "gateway")
        asked.append(wanted)
        return Snapshot({section: found[section] for section in wanted}, 0.0, 0.0)

    return examine_machine(ASKED, "ssh://gateway", collector=collector), asked


def file_of(seen: SeenMachine, folder: Path) -> tuple[str, Environment]:
    """The whole file of it, read again."""
    found = Found(aliases=[Alias("m", ModelKind.CHAT, abilities=set())])
    text = environment_text(found, ASKED, "mine", Redactor())
    last_tables(text, found, seen)
    path = folder / "mine.toml"
    path.write_text(str(text), encoding="utf-8")
    return str(text), load_environment(str(path), folder, {})


def test_a_healthy_service(tmp_path: Path) -> None:
    seen, asked = seen_of()
    assert asked == [("machine", "sockets"), ("unit",), ("tree",)]
    _, environment = file_of(seen, tmp_path)
    host = environment.host
    assert host is not None
    assert (host.unit, host.user, host.group, host.tree) == ("hx.service", "hx", "hx", "/opt/hx/gateway")
    assert (host.configuration, host.virtual_environment) == ("config/config.yaml", "venv")
    assert host.working_directory == "work"
    assert host.listens == ("0.0.0.0:4000",)
    assert host.also_listens == ("0.0.0.0:22",)
    assert host.hardening["ProtectSystem"] == "strict"
    assert (host.name, host.address) == ("gw-1", "198.51.100.39")
    assert host.exposure == pytest.approx(1.5)


def file(path: str, mode: str, kind: str = "f") -> dict[str, str]:
    return {"path": path, "kind": kind, "mode": mode}


def test_scripts_are_declared_and_which_deploys_is_asked(tmp_path: Path) -> None:
    odd = ("a b.sh", "x/../y.sh", 'q".sh', "web/node_modules/z/run.sh")
    entries = [
        *(file("scripts/stop.sh", "0755"), file("deploy.sh", "0750"), file("notes.sh", "0644")),
        *(file("config.sh", "0755", "d"), file("tool.py", "0755"), file("bad.sh", "rwx")),
        *(file(path, "0755") for path in odd),
    ]
    seen, _ = seen_of(tree={"value": {"entries": [*entries, None]}})
    text, environment = file_of(seen, tmp_path)
    assert environment.host is not None
    assert environment.host.service_scripts == ("deploy.sh", "scripts/stop.sh")
    assert environment.host.deployment_script is None
    assert "which script deploys (deploy.sh, scripts/stop.sh)?" in " ".join(text.replace("\n#", " ").split())


def test_a_service_that_is_root(tmp_path: Path) -> None:
    """root owns the tree, and is no account of a service. Who is to run it is a question; the file loads."""
    seen, _ = seen_of(**without("User", ""))
    text, environment = file_of(seen, tmp_path)
    assert environment.host is None
    assert "which account of its own runs hx.service? It has no User=" in " ".join(
        text.replace("\n#", " ").split()
    )


@pytest.mark.parametrize(
    "tree",
    [
        NO_TREE,
        {"value": {"exists": False, "entries": []}},
        {"value": {"entries": "none"}},
        {"value": {"entries": [file(f"package/{number}.sh", "0755") for number in range(21)]}},
    ],
)
def test_a_tree_without_scripts_of_its_own(tmp_path: Path, tree: Mapping[str, Any]) -> None:
    seen, _ = seen_of(tree=tree)
    text, environment = file_of(seen, tmp_path)
    assert environment.host is not None
    assert environment.host.service_scripts == ()
    assert "which script deploys" not in text


def without(name: str, value: str) -> dict[str, Any]:
    unit: dict[str, Any] = sections()["unit"]
    unit["value"]["properties"][name] = value
    return {"unit": unit}


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ({"sockets": {"missing": "sudo refuses it", "needs": "sockets"}}, "with the sudo rule: "),
        ({"sockets": {"value": []}}, "At port 4000 of that machine no service does"),
        ({"unit": {"value": {"exists": False}}}, "Its systemd does not know it"),
        (without("WorkingDirectory", ""), ""),
        (without("User", "we$ird"), "what is host.user? we$ird cannot be declared as it is"),
        (
            {"unit": {"value": {**sections()["unit"]["value"], "properties": {"User": "hx"}}}},
            "which directory is the deployment's own (host.tree)?",
        ),
    ],
)
def test_what_is_not_told_is_a_question(tmp_path: Path, replaced: Mapping[str, Any], words: str) -> None:
    seen, _ = seen_of(**replaced)
    text, environment = file_of(seen, tmp_path)
    assert words in " ".join(text.replace("\n#", " ").split())
    assert (environment.host is None) == bool(words)


def test_a_machine_that_cannot_be_reached(tmp_path: Path) -> None:
    def collector(environment: Environment, name: str, wanted: Sequence[str] = ()) -> Snapshot:
        raise NoFacts("ssh://gateway cannot be reached (no\nroute\x1b[2J)", "try it by hand: ssh gateway")

    text, environment = file_of(examine_machine(ASKED, "ssh://gateway", collector=collector), tmp_path)
    assert environment.host is None
    assert "cannot be reached" in text
    assert "\x1b" not in text


def test_hostile_facts(tmp_path: Path) -> None:
    """A unit's file may hold anything; the file that is written stays TOML."""
    unit: dict[str, Any] = sections()["unit"]
    unit["value"]["properties"] |= {"EnvironmentFiles": '/etc/a"b\n[policy] (ignore_errors=no)'}
    unit["value"]["properties"] |= {"ExecStart": "{ argv[]=/opt/x/bin/y --config '/a ; }", "Group": "hx"}
    unit["value"]["files"][0]["text"] += '\nUMask=00"27\x1b\nSystemCallFilter=\\x'
    seen, _ = seen_of(unit=unit)
    text, environment = file_of(seen, tmp_path)
    assert environment.policy.requests == BUDGET["requests"]
    assert "\x1b" not in text
