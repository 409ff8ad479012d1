"""Over two workers: a case that takes something down has the environment alone."""

from __future__ import annotations

import pytest

from tests.plugin.gateway import Gateway
from tests.plugin.project import Project, a_check

ORDINARY = 30
PLACE = "import pathlib\nplace = pathlib.Path('present')\nplace.mkdir(exist_ok=True)\n"
PRESENT = (
    PLACE
    + "mine = place / f'{NUMBER}'\nmine.touch()\n"
    + "for _ in range(3):\n    any_gateway.get('/alive', key=None)\n"
    + "assert not (place / 'alone').exists()\nmine.unlink()"
)
ALONE = (
    PLACE
    + "mine = place / 'alone'\nmine.touch()\n"
    + "for _ in range(20):\n    any_gateway.get('/alive', key=None)\n"
    + "    assert [one.name for one in place.iterdir()] == ['alone']\nmine.unlink()"
)


@pytest.fixture
def crowded(project: Project, gateway: Gateway) -> Project:
    """Many ordinary checks, and among them three that disrupt."""
    project.environment(gateway.url, effects=("read", "spend", "disrupt"), requests=1000)
    sources = []
    for number in range(1, ORDINARY + 1):
        disrupts = number % 10 == 5
        body = ALONE if disrupts else PRESENT.replace("NUMBER", str(number))
        sources.append(a_check(number, body, "any_gateway", effect="DISRUPT" if disrupts else "READ"))
    project.checks(*sources)
    return project


def test_nobody_else_is_there_while_something_is_taken_down(crowded: Project) -> None:
    run = crowded.run("-n", "2")
    assert run.code == 0, run.output
    assert run.state == "SMOKE PASSED"


def test_one_process_needs_no_turns(crowded: Project) -> None:
    assert crowded.run().code == 0
    assert not list(crowded.temporary.rglob("room-*"))


def test_what_takes_something_down_is_not_permitted_by_default(project: Project) -> None:
    project.checks(
        a_check(1, "pass", "environment"), a_check(2, "assert False", "disruptor", effect="DISRUPT")
    )
    run = project.run()
    assert run.verdict("API-T-002") == "not permitted"
    assert run.state == "SMOKE PASSED"


def test_permitted_where_nobody_can_do_it_is_untestable(project: Project, gateway: Gateway) -> None:
    project.environment(gateway.url, effects=("read", "spend", "disrupt"))
    project.checks(a_check(1, "assert False", "disruptor", effect="DISRUPT"))
    run = project.run()
    assert run.verdict("API-T-001") == "untestable"
    assert "nobody can take the backends of mini away; take 'disrupt' out of policy.effects" in run.output
