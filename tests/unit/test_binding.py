"""What judged is bound by content; what makes a run unfit to accept a release by is a sentence each."""

from __future__ import annotations

from pathlib import Path

from gateway_acceptance.environment import resolved
from gateway_acceptance.plugin.loaded import interpreter_problems, module_problems, plugin_problems
from tests.unit.declared import environment


def test_every_table_of_an_environment_is_in_its_number() -> None:
    one = environment()
    assert resolved(one) == resolved(environment())
    others = [
        environment(bounds={"answer_s": 999}),
        environment(balance={"alpha": 0.05}),
        environment(outage={"retries": 3}),
        environment(description="lenient"),
    ]
    assert len({resolved(one), *map(resolved, others)}) == 5
    assert resolved(one.model_copy(update={"source": Path("elsewhere.toml")})) == resolved(one)


def test_assertions_that_are_taken_away() -> None:
    assert interpreter_problems(0, "rewrite") == []
    assert "Python ran with -O" in interpreter_problems(1, "rewrite")[0]
    assert interpreter_problems(0, "plain") == ["pytest ran with --assert=plain: run without it"]


def test_plugins_that_are_none_of_the_suites() -> None:
    assert plugin_problems(["hypothesis 6.1", "pytest-xdist 3.8.0"]) == []
    assert plugin_problems(["pytest-lenient 0.1"]) == [
        "the pytest plugin pytest-lenient 0.1 took part, which is none of the suite's: uninstall it"
    ]


def test_modules_from_elsewhere(tmp_path: Path) -> None:
    inside, outside = tmp_path / "suite", tmp_path / "elsewhere"
    modules = [("checks", inside / "checks.py"), ("sitecustomize", outside / "sitecustomize.py")]
    assert module_problems(modules[:1], [inside]) == []
    assert (
        "from outside the suite and its distributions: sitecustomize;"
        in module_problems(modules, [inside])[0]
    )
    many = [(f"m{number}", outside / f"m{number}.py") for number in range(5)]
    assert "m0, m1, m2 and 2 more" in module_problems(many, [inside])[0]
