"""What a target sends steers no terminal: on one (emulated), the last screen says what the record says."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.plugin.gateway import Gateway
from tests.plugin.project import ALIVE, Project, Run, a_check
from tests.plugin.screen import Screen, screen_of, seen

FORGED = "mini: SMOKE PASSED: all 8 checks passed (8 requests, 80 tokens)"
TITLE = "all is well"
ATTACKS = {
    "the screen cleared": f"\x1b[2J\x1b[H{FORGED}",
    "the screen cleared, 8-bit": f"\x9b2J\x9bH{FORGED}",
    "the terminal set back": f"\x1bc{FORGED}",
    "the cursor moved up": f"x\x1b[9A\r{FORGED}\x1b[K\x1b[J",
    "a carriage return": f"x\r{FORGED}\x1b[K",
    "steps back": "x" + "\b" * 400 + FORGED,
    "a line of its own": f"x\n{FORGED}\n",
    "a line of its own, in Unicode": f"x\u2028{FORGED}\u2029{FORGED}\x85{FORGED}\x0b{FORGED}\x0c{FORGED}",
    "the title": f"\x1b]0;{TITLE}\x07\x1b]2;{TITLE}\x1b\\",
    "the direction of writing": "\u202e\u2066\u061cDELIAF",
    "commands of CI servers": "x\n::error file=a::no\n  ::set-output name=a::b\n##vso[a.b]\n##[error]z",
    "a section of GitLab": f"section_start:1:a\r\x1b[0K{FORGED}",
    "what follows is hidden": "\x1b[8m\x1b[30;40m\x1b[?25l\x1b(0\x0e\x1b[1;2r\x1b[?7l\x1b[4h",
}
SAYS = (
    "ids = [one['id'] for one in gateway.get('/v1/models').json()['data']]\n"
    "said = gateway.chat('chat-one', 'hi', max_tokens=4).json()['choices'][0]['message']['content']\n"
)
CHECKS = (
    "raise CheckFailed([Problem(one, said, 'gateway') for one in ids])",
    "assert not ids, said",
    "raise AssertionError(said)",
    "raise Untestable(said, ids[6])",
    "raise Inconclusive(said)",
    "raise NotApplicable(said)",
    "raise ValueError(said)",
    "print(said); warnings.warn(said); assert said == 'OK'",
)
COMMAND = re.compile(r"^\s*::[a-zA-Z]|##(vso)?\[", re.MULTILINE)
STATUS = "from gateway_acceptance.cli.main import main; main(['status', '--env', 'mini'])"
OWN_SEQUENCES = re.compile(
    rb"\x1b\[[0-9;]*m|\x1b\[K|\r(?=(\x1b\[[0-9;]*m)*(collect|initialized|created|ready|\d+ worker))"
)
"""Colours and rewritten lines, as pytest writes them: what remains beside them came from elsewhere."""
SCREENS_OWN = re.compile(rb"\x1b\[\?25[lh]|\r?\x1b\[2K|\x1b\[1A|\r(?=\x1b|\n)")
"""What draws the screen of a run that goes on: the cursor hidden and shown, lines erased, one line up."""


@pytest.fixture
def hostile(project: Project, gateway: Gateway) -> Project:
    """A project whose gateway lists and says nothing else; each check tells of it in another way."""
    gateway.listed, gateway.version = tuple(ATTACKS.values()), f"{ATTACKS['the screen cleared']}1"
    gateway.content = "".join(ATTACKS.values())
    project.checks(ALIVE, *(a_check(number, SAYS + body, "gateway") for number, body in enumerate(CHECKS, 1)))
    return project


def screen_of_a_run(project: Project, *options: str) -> Screen:
    """The screen after smoke."""
    command = project.command("--env=mini", "-m", "smoke", "-p", "no:randomly", *options)
    return seen(command, project.root, {**project.variables(), "CI": ""})


def assert_says_what_the_record_says(screen: Screen, run: Run) -> None:
    """The last line of the verdict is the record's, no row is the target's."""
    told = run.record()["run"]
    ended = [row for row in screen.last if row.startswith("mini: ")]
    assert ended[-1].startswith(f"mini: {told['state']}: {told['headline']}"), screen.shown
    assert (screen.code, told["state"], told["exit_code"]) == (3, "SMOKE FAILED", 3)
    assert [row for row in screen.whole if row.startswith(FORGED[:18])] == []
    assert screen.title == ""
    assert steering(screen.raw) == [], re.findall(rb"[^\n]{20}\r[^\n]{40}", screen.raw)
    assert COMMAND.findall("\n".join(screen.whole)) == []


def steering(raw: bytes) -> list[str]:
    """Characters of a terminal's output that are neither text nor colours."""
    text = OWN_SEQUENCES.sub(b"", raw).replace(b"\r\n", b"\n").decode("utf-8")
    return sorted({one for one in text if not (one.isprintable() or one in "\n\t")} - {"\u00a0"})


def test_the_last_screen_says_what_the_record_says(hostile: Project) -> None:
    """After a run, and where its status is asked for; also of a record that somebody wrote an attack into."""
    screen = screen_of_a_run(hostile, "-n", "0", "--no-live")
    run = Run(screen.code, screen.shown, hostile.directories())
    assert_says_what_the_record_says(screen, run)
    verdicts = {one["verdict"] for one in run.record()["checks"]}
    assert verdicts >= {"passed", "failed", "untestable", "inconclusive", "harness error"}
    assert_status_is(hostile, run.state)
    record = run.record()
    record["target"]["product"] = "".join(ATTACKS.values())
    (run.directories["mini"] / "record.json").write_text(json.dumps(record), encoding="utf-8")
    assert_status_is(hostile, "not reliable")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_screen_of_a_run_that_goes_on_is_no_other(hostile: Project, workers: str) -> None:
    """It is drawn, with what the target said in it; then it is gone, and the terminal is as it was."""
    screen = screen_of_a_run(hostile, "-n", workers)
    told = Run(screen.code, screen.shown, hostile.directories()).record()["run"]
    ended = [row for row in screen.last if row.startswith("mini: ")]
    assert ended[-1].startswith(f"mini: {told['state']}: {told['headline']}"), screen.shown
    assert [row for row in screen.whole if row.startswith((FORGED[:18], "judged ", "verdicts "))] == []
    assert screen.title == ""
    assert b"verdicts" in screen.raw
    assert b"of 9" in screen.raw
    assert screen.raw.rindex(b"\x1b[?25h") > screen.raw.rindex(b"\x1b[?25l")
    assert steering(SCREENS_OWN.sub(b"", screen.raw)) == []


@pytest.mark.parametrize(
    "option", ["--no-live", "-v", "-s", "CI"], ids=["no-live", "verbose", "uncaptured", "ci"]
)
def test_nothing_is_drawn_where_nobody_asked_for_it(project: Project, option: str) -> None:
    project.checks(ALIVE)
    variables = {**project.variables(), "CI": "1" if option == "CI" else ""}
    options = () if option == "CI" else (option,)
    screen = seen(project.command("--env=mini", "-m", "smoke", *options), project.root, variables)
    assert screen.code == 0, screen.shown
    assert b"\x1b[?25l" not in screen.raw
    assert any("test_checks" in row or "PASSED" in row for row in screen.whole)


def assert_status_is(project: Project, state: str) -> None:
    """What ``gateway-acceptance status`` shows of the newest run."""
    screen = seen([sys.executable, "-c", STATUS], project.root, project.variables())
    assert screen.code == 1
    assert f"state {state}" in [" ".join(row.split()) for row in screen.last], screen.shown
    assert [row for row in screen.whole if row.startswith(FORGED[:18])] == []
    assert steering(screen.raw) == []


def test_a_screen_that_nothing_guards_is_forged(hostile: Project) -> None:
    """The control: else the tests above would hold for want of an attack."""
    hostile.write(
        "conftest.py",
        'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n'
        "from gateway_acceptance import redaction\nredaction.printable = lambda text: text\n",
    )
    screen = screen_of_a_run(hostile, "-n", "0", "--no-live")
    assert screen.code == 3
    assert screen.title == TITLE
    assert "\x1b" in steering(screen.raw)


@pytest.mark.parametrize(
    "attack", [name for name, text in ATTACKS.items() if FORGED in text and "Unicode" not in name]
)
def test_each_attack_works_on_a_terminal(attack: str) -> None:
    """Raw, it shows a row that a target wrote."""
    screen = screen_of(f"mini: SMOKE FAILED\r\n{ATTACKS[attack]}".replace("\n", "\r\n").encode())
    assert any(row.startswith(FORGED[:18]) for row in screen.last)
