"""Models of which nobody declares what serves them: what is asked of them, and what is not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.claims import load_claims
from gateway_acceptance.claims_here import claims_of
from gateway_acceptance.deviations import names_of
from gateway_acceptance.environment import Ability, load_environment
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.deployments import Listed
from suites.api.observations import upstreams_of
from suites.backends.routing import rules
from suites.backends.routing.probes import declared_of, require_counts

ROOT = Path(__file__).parents[2]
HEAD = """
name = "mini"
kind = "staging"
[gateway]
url = "http://127.0.0.1:9"
key_variable = "KEY"
[policy]
effects = ["read", "spend"]
requests = 10
tokens = 10
seconds = 10
"""
ONE = '[[models]]\nalias = "one"\nkind = "chat"\nabilities = ["exact"]\n'
TWO = ONE + '[[models]]\nalias = "two"\nkind = "chat"\n'


def declared(folder: Path, text: str) -> Any:
    path = folder / "mini.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_environment(str(path), ROOT, {})


def test_neither_backend_nor_upstream_is_needed(tmp_path: Path) -> None:
    environment = declared(tmp_path, TWO)
    one, two = environment.models
    assert not one.declared
    assert environment.backend(one.backend).direct is False
    assert environment.abilities_of(one) == {Ability.EXACT}
    assert Ability.COUNT in environment.abilities_of(two), "another model, of which nothing is declared"
    assert names_of(environment) == {"one": "<model>", "two": "<model>"}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('backend = "b"', "declare both, or neither"),
        ('upstream = "phi3"', "declare both, or neither"),
        ('digest = "3e102e4eb34d"', "a digest is of an upstream model on a backend"),
    ],
)
def test_half_of_it_is_refused(tmp_path: Path, entry: str, words: str) -> None:
    with pytest.raises(UsageProblem, match=words):
        declared(tmp_path, f'[[models]]\nalias = "one"\nkind = "chat"\n{entry}\n')


def test_a_group_needs_them(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="whose share nobody could tell"):
        declared(tmp_path, '[[groups]]\nalias = "one"\ndeployments = [{}, {}]\n')


def test_what_would_compare_is_not_applicable(tmp_path: Path) -> None:
    environment = declared(tmp_path, TWO)
    for ask in (upstreams_of, declared_of):
        with pytest.raises(NotApplicable, match=r"is not declared \(models\."):
            ask(environment, "one")
    with pytest.raises(NotApplicable, match="no second witness"):
        require_counts(environment)


def test_the_gateways_own_list_is_not_held_against_it(tmp_path: Path) -> None:
    environment = declared(tmp_path, TWO)
    listed = [Listed("one", "http://a", "x", "1"), Listed("three", "http://a", "x", "2")]
    assert rules.missing(environment, listed) == []
    (problem,) = rules.undeclared(environment, listed)
    assert "three → x" in str(problem)
    assert rules.declared_places(environment) == Counter()


def test_what_nobody_judges_may_be_listed(tmp_path: Path) -> None:
    head = HEAD.replace('key_variable = "KEY"', 'key_variable = "KEY"\nunjudged_models = ["two", "x/*"]')
    path = tmp_path / "mini.toml"
    path.write_text(head + ONE, encoding="utf-8")
    environment = load_environment(str(path), ROOT, {})
    listed = [Listed("two", "http://a", "x", "1"), Listed("x/y", "http://a", "x", "2")]
    assert rules.undeclared(environment, listed) == []
    path.write_text(head.replace('"two"', '"one"') + ONE, encoding="utf-8")
    with pytest.raises(UsageProblem, match="take it out of one of them"):
        load_environment(str(path), ROOT, {})


def test_no_claim_speaks_of_backends(tmp_path: Path) -> None:
    here = claims_of(load_claims(ROOT / "suites" / "claims.toml"), declared(tmp_path, TWO))
    assert "STA-03" not in {claim.id for claim in here.claims}
    assert {"MOD-01", "MOD-08"} <= {claim.id for claim in here.claims}
