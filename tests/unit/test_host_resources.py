"""The checks of resources, journal and backends' machines, on facts by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from suites.host.backends import rules as backend_rules
from suites.host.backends import test_backend_hosts as backend_checks
from suites.host.resources import test_journal as journal_checks
from suites.host.resources import test_resources as resource_checks
from tests.unit.host_facts_deployment import backend_sections, declared, machine_facts, sections

OF_THE_MACHINE = [
    *(value for name, value in vars(resource_checks).items() if name.startswith("test_")),
    *(value for name, value in vars(journal_checks).items() if name.startswith("test_")),
]
OF_THE_BACKEND = [
    backend_checks.test_version,
    backend_checks.test_models_directory,
    backend_checks.test_origins,
]


def changed(section: str, healthy: Callable[[], dict[str, Any]] = sections, **fields: Any) -> dict[str, Any]:
    found = healthy()
    found[section] = {**found[section], **fields}
    return found


def backend(section: str, **fields: Any) -> dict[str, Any]:
    return changed(section, backend_sections, **fields)


def environment_of_unit(text: str) -> dict[str, Any]:
    return backend("unit", properties={"Environment": text})


@pytest.mark.parametrize("check", OF_THE_MACHINE, ids=lambda check: check.__name__)
def test_healthy_is_green(check: Callable[..., None]) -> None:
    check(machine_facts(declared(), sections()))


@pytest.mark.parametrize("check", OF_THE_BACKEND, ids=lambda check: check.__name__)
def test_a_healthy_backend_is_green(check: Callable[..., None]) -> None:
    check(machine_facts(declared(), backend_sections(), "one"))


def disk(**fields: int) -> dict[str, Any]:
    whole = {"total_mb": 9000, "free_mb": 5000, "inodes": 9999, "free_inodes": 5000}
    return changed("resources", disks={"/var/log": {**whole, **fields}})


@pytest.mark.parametrize(
    ("check", "found", "says"),
    [
        (resource_checks.test_free_disk, disk(free_mb=9), "/var/log: has 9 MiB free, expected 1024 MiB"),
        (resource_checks.test_free_disk, disk(free_inodes=9), "/var/log: has 9 inodes free"),
        (
            resource_checks.test_free_memory,
            changed("resources", memory={"MemAvailable": 3}),
            "has 3 MiB available",
        ),
        (
            resource_checks.test_tree_size,
            changed("tree", bytes=2 << 20),
            "has 2.0 MiB, expected at most 1 MiB.*config.yaml 900",
        ),
        (
            resource_checks.test_environment_size,
            changed("tree", environment={"bytes": 100 << 20}),
            "at most 100 MiB",
        ),
        (
            resource_checks.test_open_files,
            changed("process", descriptors=900),
            "has 900, expected at most 80% of its limit",
        ),
        (
            resource_checks.test_below_the_tree,
            changed("unit", properties={"WorkingDirectory": "/tmp"}),
            "names /tmp",
        ),
        (
            resource_checks.test_below_the_tree,
            changed("unit", properties={"WorkingDirectory": ""}),
            "no working directory",
        ),
        (journal_checks.test_bounded, changed("resources", journald={}), "no bound but 10 %"),
        (
            journal_checks.test_bounded,
            changed("resources", journald={"Storage": "none"}),
            "Storage: has none",
        ),
        (journal_checks.test_growth, changed("journal", bytes=1 << 20), "has 24 MiB a day"),
        (journal_checks.test_growth, changed("journal", bytes=99_999, cut=True), r"\(10 lines in 11 s\)"),
        (
            journal_checks.test_no_secret,
            changed("journal", secrets=["a <secret of 9 characters>"]),
            "journal of hx.service: a",
        ),
    ],
)
def test_a_defect_is_red(check: Callable[..., None], found: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckFailed, match=says):
        check(machine_facts(declared(), found))


@pytest.mark.parametrize(
    ("check", "found", "says"),
    [
        (backend_checks.test_version, backend("ollama", version="0.1.0"), "has 0.1.0, expected 0.12.6"),
        (
            backend_checks.test_models_directory,
            environment_of_unit("OLLAMA_MODELS=/srv/m"),
            "has /srv/m, expected /usr",
        ),
        (
            backend_checks.test_origins,
            environment_of_unit('A=b "OLLAMA_ORIGINS=http://x,*"'),
            "has http://x,",
        ),
    ],
)
def test_a_backends_defect_is_red(check: Callable[..., None], found: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckFailed, match=says):
        check(machine_facts(declared(), found, "one"))


def test_models_on_disk() -> None:
    env = declared()
    with pytest.raises(CheckFailed, match=r"^tiny:latest on one: has no manifest.*ollama pull tiny$"):
        backend_checks.test_models_on_disk(machine_facts(env, backend("ollama", manifests=[]), "one"), env)
    backend_checks.test_models_on_disk(machine_facts(env, backend_sections(), "one"), env)
    assert backend_rules.on_disk(["hf.example/x/y/q4"]) == {"hf.example/x/y:q4"}


def test_a_running_older_ollama() -> None:
    env = declared()
    host = machine_facts(env, sections())
    backend_checks.test_running_version(machine_facts(env, backend_sections(), "one"), host)
    with pytest.raises(CheckFailed, match=r"the running ollama: has 0.12.6, expected 9.9.9, as installed"):
        backend_checks.test_running_version(
            machine_facts(env, backend("ollama", version="9.9.9"), "one"), host
        )


def test_file_systems_without_a_limit_of_inodes() -> None:
    resource_checks.test_free_disk(machine_facts(declared(), disk(inodes=0, free_inodes=0)))


def test_a_quiet_journal_does_not_grow() -> None:
    journal_checks.test_growth(machine_facts(declared(), changed("journal", lines=0, bytes=0, first=None)))


def test_missing_rights_are_named() -> None:
    found = {**sections(), "journal": "journal"}
    with pytest.raises(Untestable, match=r"sudo rule: probe ALL=.root. NOPASSWD: /usr/bin/journalctl"):
        journal_checks.test_no_secret(machine_facts(declared(), found))
    gone = {"missing": {"descriptors": {"why": "refused", "needs": "descriptors"}}}
    found = sections()
    found["process"] = {**found["process"], **gone}
    with pytest.raises(Untestable, match=r"process\.descriptors is not to be had.*/usr/bin/ls"):
        resource_checks.test_open_files(machine_facts(declared(), found))


def test_what_is_not_declared_is_not_judged() -> None:
    env = declared(tree_mb=None, environment_mb=None, log_mb_per_day=None)
    for check in (
        resource_checks.test_tree_size,
        resource_checks.test_environment_size,
        journal_checks.test_growth,
    ):
        with pytest.raises(NotApplicable, match="the environment declares no"):
            check(machine_facts(env, sections()))
