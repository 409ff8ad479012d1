"""The rules of live processes and of sockets, on facts made by hand."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from gateway_acceptance.environment import ServedModel
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from suites.host.network import rules as network_rules
from suites.host.network import test_network as network
from suites.host.process import test_process as checks
from tests.unit.host_facts_service import ALL, TREE, declared, facts, process, sections, socket, unit

CHECKS: dict[str, Callable[[MachineFacts], None]] = {
    name: function
    for module in (checks, network)
    for name, function in vars(module).items()
    if name.startswith("test_") and len(inspect.signature(function).parameters) == 1
}
OF_THE_PROCESS = [name for name in vars(checks) if name.startswith("test_") and name != "test_no_second_copy"]
COPY = {"pid": 77, "user": "root", "unit": "session-1.scope", "comm": "litellm"}


def altered(**keys: Any) -> dict[str, Any]:
    return {**process(), **keys}


def status(**keys: str) -> dict[str, Any]:
    return altered(status={**process()["status"], **keys})


def links(**keys: str) -> dict[str, Any]:
    return altered(links={**process()["links"], **keys})


@pytest.mark.parametrize("name", CHECKS)
def test_a_healthy_process_is_green(name: str) -> None:
    CHECKS[name](facts())


@pytest.mark.parametrize("name", OF_THE_PROCESS)
def test_without_a_process_one_check_says_so(name: str) -> None:
    with pytest.raises(Untestable, match=r"hx\.service has no process \(see HOST-UNIT-002\)"):
        CHECKS[name](facts(process={"pid": 0, "copies": []}))


@pytest.mark.parametrize(
    ("name", "made", "said"),
    [
        ("test_user", status(Uid="0\t0\t0\t0"), r"has uids 0 0 0 0 \(root\), expected hx"),
        ("test_user", status(Uid="999\t0\t999\t999"), r"\(root\)"),
        ("test_user", status(Uid="5\t5\t5\t5"), r"has uids 5 5 5 5, expected 999 \(hx\)"),
        ("test_user", altered(group="root"), "has group root, expected hx"),
        (
            "test_members",
            altered(members=[{"pid": 31, "user": "root", "comm": "sh"}]),
            r"31 \(sh\): has user root",
        ),
        (
            "test_groups",
            altered(groups=["hx", "docker"]),
            "has docker, expected of hx; fix: take it out of SupplementaryGroups= and Group= of hx",
        ),
        (
            "test_same_command",
            altered(cmdline=["/usr/bin/litellm"]),
            "has /usr/bin/litellm, expected /opt/hx",
        ),
        (
            "test_virtual_environment",
            altered(cmdline=["/usr/bin/python3"]),
            "has /usr/bin/python3, expected one of",
        ),
        (
            "test_program_in_place",
            links(exe="/usr/bin/python3.11 (deleted)"),
            r"\(deleted\), expected the file",
        ),
        ("test_directory", links(cwd="/"), f"has /, expected {TREE}/work"),
        ("test_no_second_copy", altered(copies=[COPY]), r"77 \(litellm\): has user root in session-1\.scope"),
        (
            "test_no_secret_revealed",
            altered(cmdline=["x", "<secret of 20 characters>"]),
            "expected no secret",
        ),
    ],
)
def test_what_is_wrong_is_told(name: str, made: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckFailed, match=said):
        CHECKS[name](facts(process=made))


def test_a_group_that_the_account_is_in_is_left() -> None:
    account = {**sections()["account"]["value"], "groups": ["hx", "docker"]}
    with pytest.raises(
        CheckFailed, match="has docker, expected of hx; fix: sudo gpasswd -d hx docker && sudo"
    ):
        CHECKS["test_groups"](facts(process=altered(groups=["hx", "docker"]), account=account))


def test_a_masked_word_is_the_same_word_on_both_sides() -> None:
    made = unit()
    made["properties"]["ExecStart"] = "{ argv[]=/bin/x --key <secret of 20 characters> ; }"
    words = ["/bin/x", "--key", "<secret of 20 characters>"]
    checks.test_same_command(facts(unit=made, process=altered(cmdline=words)))


def test_declared_groups_are_allowed() -> None:
    checks.test_groups(facts(declared(groups=("video",)), process=altered(groups=["hx", "video"])))


def test_a_copy_is_found_without_the_service() -> None:
    with pytest.raises(CheckFailed, match="sudo kill 77"):
        checks.test_no_second_copy(facts(process={"pid": 0, "copies": [COPY]}))


@pytest.mark.parametrize("name", ["test_program_in_place", "test_directory"])
def test_links_that_sudo_refuses_are_untestable(name: str) -> None:
    missing = {"links": {"why": "sudo refuses it", "needs": "links"}}
    with pytest.raises(Untestable, match=r"probe ALL=\(root\) NOPASSWD: /usr/bin/readlink"):
        CHECKS[name](facts(process=altered(missing=missing)))


@pytest.mark.parametrize("name", ["test_virtual_environment", "test_directory"])
def test_what_is_not_declared_is_not_judged(name: str) -> None:
    with pytest.raises(NotApplicable):
        CHECKS[name](facts(declared(virtual_environment=None, working_directory=None)))


@pytest.mark.parametrize(
    ("name", "sockets", "said"),
    [
        ("test_listens", [], r"has no such socket, expected 0\.0\.0\.0:4000"),
        ("test_listens", [socket("127.0.0.1", 4000)], r"has only 127\.0\.0\.1:4000"),
        ("test_listens", [socket(ALL, 4000, proto="udp")], r"has only 0\.0\.0\.0:4000/udp"),
        (
            "test_owner",
            [socket(ALL, 4000, unit="evil.service")],
            r"of evil\.service as hx, expected hx\.service",
        ),
        ("test_owner", [socket(ALL, 4000, user="root")], "as root, expected hx.service as hx"),
        ("test_nowhere_else", [socket("[::]", 4000)], r"\[::\]:4000: has litellm \(30\)"),
        (
            "test_nothing_else",
            [socket("*", 8080, unit="nginx.service")],
            r"disable nginx\.service; sudo systemctl stop nginx\.service",
        ),
        ("test_nothing_else", [socket("*", 2222, unit="ssh.service")], r"fix: look at it.*:2222"),
        ("test_nothing_else", [socket("*", 2222, unit="init.scope")], r"fix: look at it"),
        ("test_nothing_else", [socket("*", 8080, unit=None, process=None, pid=None)], "nobody known"),
    ],
)
def test_wrong_sockets_are_told(name: str, sockets: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(CheckFailed, match=said):
        CHECKS[name](facts(sockets=sockets))


@pytest.mark.parametrize("name", [name for name in vars(network) if name in CHECKS])
def test_sockets_that_sudo_refuses_are_untestable(name: str) -> None:
    with pytest.raises(Untestable, match=r"NOPASSWD: /usr/bin/ss -Hlntup"):
        CHECKS[name](facts(sockets={"missing": "sudo refuses it", "needs": "sockets"}))


@pytest.mark.parametrize("name", [name for name in vars(network) if name in CHECKS])
def test_undeclared_sockets_are_not_judged(name: str) -> None:
    with pytest.raises(NotApplicable, match=r"declares no (also_)?listens of gateway"):
        CHECKS[name](facts(declared(listens=(), also_listens=())))


@pytest.mark.parametrize(
    ("wanted", "address", "proto", "right"),
    [
        ("*:22", ALL, "tcp", True),
        ("*:22", "[::]", "tcp", True),
        ("*:22", ALL, "udp", False),
        ("[::]:22", "[::]", "tcp", True),
        ("127.0.0.1:22/udp", "127.0.0.1", "udp", True),
        ("127.0.0.1:22", ALL, "tcp", False),
        ("0.0.0.0:2", ALL, "tcp", False),
    ],
)
def test_sockets_as_declared(wanted: str, address: str, proto: str, right: bool) -> None:
    assert network_rules.matches(wanted, socket(address, 22, proto=proto)) is right


def test_a_backend_that_the_gateway_does_not_reach() -> None:
    answer = sections()["reach"]["value"]["one"]
    assert network_rules.unreached("one", answer) == []
    refused = {**answer, "reached": False, "version": None, "error": "URLError: refused"}
    assert "has URLError: refused, expected a version" in str(network_rules.unreached("one", refused)[0])
    assert "an answer without a version" in str(
        network_rules.unreached("one", {**answer, "version": None})[0]
    )


def served(upstream: str, digest: str | None = None) -> ServedModel:
    return ServedModel(backend="one", upstream=upstream, digest=digest)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ([], []),
        ([served("phi3"), served("phi3:latest", "a" * 12), served("all-minilm", "b" * 64)], []),
        ([served("phi3:mini")], ["phi3:mini: has no such model, expected it;"]),
        ([served("phi3", "c" * 12)], [f"phi3:latest: has the digest {'a' * 12}, expected the digest cccc"]),
        ([served("phi3", "a" * 11 + "b")], ["phi3:latest: has the digest"]),
    ],
)
def test_the_models_that_the_gateways_machine_finds(wanted: list[ServedModel], said: list[str]) -> None:
    answer = sections()["reach"]["value"]["one"]
    found = [str(problem) for problem in network_rules.other_models("one", answer, wanted)]
    assert len(found) == len(said)
    assert all(words in problem for words, problem in zip(said, found, strict=True)), found


def test_the_dimensions_that_the_gateways_machine_is_told() -> None:
    answer = sections()["reach"]["value"]["one"]
    assert network_rules.other_dimensions("one", answer, {"all-minilm": 384, "not-told": 3}) == []
    (found,) = network_rules.other_dimensions("one", answer, {"all-minilm": 1024})
    assert "all-minilm: has 384 dimensions, expected 1024" in str(found)
    assert (
        network_rules.other_dimensions(
            "one", {**answer, "dimensions": {"all-minilm": None}}, {"all-minilm": 1}
        )
        == []
    )


def test_a_backend_that_is_late_for_the_gateways_machine() -> None:
    answer = sections()["reach"]["value"]["one"]
    assert network_rules.slow("one", answer, 0.01) == []
    (found,) = network_rules.slow("one", {**answer, "elapsed_s": 2.5}, 2)
    assert "has its fastest answer after 2.50 s, expected one within 2 s" in str(found)
