"""A machine that lies: no check of a host stumbles over any fact, and what it prints steers nothing."""

from __future__ import annotations

import base64
import copy
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway_acceptance.host.facts import NoFacts, unpacked
from gateway_acceptance.host.formed import complete, well_formed
from gateway_acceptance.host.shapes import SHAPES
from gateway_acceptance.host.snapshot import request_of
from gateway_acceptance.plugin.outcome import Outcome, outcome_of, unless_vacuous
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.report.markdown import md
from gateway_acceptance.report.reading import printable
from gateway_acceptance.subjects import SUBJECTS
from gateway_acceptance.verdict import Verdict
from tests.unit.host_absent import ENVIRONMENT, Asked, Watched, asked_of, host_checks, watched, whole

CHECKS = dict(host_checks())
HOSTILE = (
    "x\x1b[2J\x1b[Hmini: SMOKE PASSED\x9b2J\x07\n::error::x\r##vso[a]b\u202e\u2066\u2028<script>x</script>|`*"
)
STEERS = ("\x1b", "\x9b", "\x07", "\r", "\u202e", "\u2066", "\u2028", "\n::error", "##vso[")
GONE = object()
INSTEAD: tuple[Any, ...] = (GONE, None, HOSTILE, [], [HOSTILE], 7, -1, {}, True, float("inf"))
Place = tuple[Any, ...]


def outcome(function: Callable[..., None], sections: dict[str, Any]) -> tuple[Outcome, set[str]]:
    """What becomes of a check on machines with these sections, and which of them it read."""
    SUBJECTS.begin()
    seen = [Watched(each.name, each.declared, sections, each.privileges) for each in MACHINES]
    error: BaseException | None = None
    try:
        read = asked_of(function, *seen)
    except Asked as raised:
        error, read = raised.__cause__, raised.read
    return unless_vacuous(outcome_of(error, "call"), SUBJECTS, []), read


REQUEST = request_of(ENVIRONMENT, "gateway")
MACHINES = (watched({}), watched({}, "one"))
HEALTHY = {name: {"value": value} for name, value in whole().items()}
READERS = {
    name: [check for check, function in CHECKS.items() if name in outcome(function, HEALTHY)[1]]
    for name in HEALTHY
}
"""Section -> the checks that read it."""


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Every place within a value; of a list the first two."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    if isinstance(value, list):
        for number in range(min(2, len(value))):
            yield from places(value[number], (*path, number))


def changed(value: Any, path: Place, to: Any) -> Any:
    """A copy with something else in one place."""
    if not path:
        return None if to is GONE else to
    made = copy.copy(value)
    if to is GONE and len(path) == 1:
        del made[path[0]]
        return made
    made[path[0]] = changed(value[path[0]], path[1:], to)
    return made


def lies(section: str) -> Iterator[tuple[Place, Any]]:
    """The section with something else in one place: (where, the whole), as it comes from a machine."""
    for path in places(HEALTHY[section]["value"]):
        for to in INSTEAD:
            yield path, came(section, changed(HEALTHY[section]["value"], path, to))


def came(section: str, value: Any) -> Any:
    """A section with this value, as a look brings it."""
    return complete(well_formed({section: {"value": value}}), {**REQUEST, "sections": []})[section]


@pytest.mark.parametrize("section", sorted(HEALTHY))
def test_no_check_stumbles_over_a_fact(section: str) -> None:
    """It judges, or says that the fact is not to be had; it is no error of ours."""
    stumbled, refused = [], 0
    for path, lie in lies(section):
        if "value" not in lie:
            refused += 1
            continue
        for check in READERS[section]:
            told, _ = outcome(CHECKS[check], {**HEALTHY, section: lie})
            if told.verdict is Verdict.HARNESS_ERROR:
                stumbled.append(f"{check.id}: {path}: {told.message}")
    assert stumbled == []
    assert refused


@pytest.mark.parametrize("section", sorted(SHAPES))
@pytest.mark.parametrize("to", [None, "x", 7, [], ["x"], {}, {"value": None}, {"missing": 1}, {"value": "x"}])
def test_a_section_of_another_shape_is_missing(section: str, to: Any) -> None:
    document = unpacked(packed({section: to}))
    assert "another shape" in document[section]["missing"]


@pytest.mark.parametrize("section", sorted(HEALTHY))
def test_a_healthy_section_is_left_as_it_is(section: str) -> None:
    assert well_formed({section: HEALTHY[section]}) == {section: HEALTHY[section]}


def hostile(value: Any) -> Any:
    """Every text with an attack behind it, keys of what the machine names too."""
    if isinstance(value, str):
        numeric = value.replace("\t", "").replace(".", "").isalnum() and value[:1].isdigit()
        return value if numeric or value == "unlimited" else f"{value}{HOSTILE}"
    if isinstance(value, dict):
        return {key: hostile(one) for key, one in value.items()}
    return [hostile(one) for one in value] if isinstance(value, list) else value


def test_what_a_machine_says_steers_nothing() -> None:
    """In the terminal, the record, STATUS.md and the pages: of each check's message with hostile facts."""
    redact, told = Redactor(), []
    for section in HEALTHY:
        lie = came(section, hostile(HEALTHY[section]["value"]))
        told += [outcome(CHECKS[check], {**HEALTHY, section: lie})[0] for check in READERS[section]]
    assert [one.message for one in told if one.verdict is Verdict.HARNESS_ERROR] == []
    raw = [one.message for one in told if any(each in one.message for each in STEERS)]
    assert len(raw) > 10, "else nothing hostile was told"
    for message in raw:
        shown = redact(message)
        assert [each for each in STEERS if each in shown] == []
        assert [each for each in STEERS if each in printable(message) and each[0] not in "\n#"] == []
        assert "<script>" not in str(md(shown))


def packed(document: Any) -> str:
    """As the program on a machine prints it."""
    return framed(json.dumps(document).encode())


def framed(content: bytes) -> str:
    """Content of any kind in the program's frame."""
    return f"<<<facts {base64.b64encode(zlib.compress(content)).decode()} facts>>>\n"


WHOLE = packed({"clock": {"value": {"first": 1.0, "last": 2.0}}})
BROKEN = {
    "cut half-way": WHOLE[: len(WHOLE) // 2],
    "cut half-way, the end there": WHOLE[: len(WHOLE) // 2] + " facts>>>",
    "no JSON": framed(b"this is no JSON"),
    "no UTF-8": framed(b'{"a": "\xff\xfe"}'),
    "deep JSON": framed(b'{"a":' + b"[" * 200_000),
    "deep JSON that ends": framed(b"[" * 200_000 + b"]" * 200_000),
    "a huge number": framed(b'{"a": ' + b"9" * 10_000 + b"}"),
    "a list": framed(b"[]"),
    "nothing": framed(b""),
    "not packed": "<<<facts e30= facts>>>",
    "not base64": "<<<facts \u202e\x1b[2J facts>>>",
    "a bomb": framed(b" " * (64 << 20)),
    "an attack": HOSTILE,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_answer_that_is_broken_is_a_sentence(kind: str) -> None:
    with pytest.raises(NoFacts, match=r"answered without facts|came broken") as caught:
        unpacked(BROKEN[kind])
    assert len(str(caught.value)) < 500
