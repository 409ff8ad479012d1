"""A record held against another suite: the files that judged, what they declare, and what the run says."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from gateway_acceptance.check import Check
from gateway_acceptance.claims import load_claims
from gateway_acceptance.claims_here import claims_of
from gateway_acceptance.cli.other_suite import DATA, PACKAGE, OtherSuite
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.deciding import ALONE
from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.record_model import Record
from gateway_acceptance.signoff.commit import of_another_commit, some_of
from gateway_acceptance.signoff.suite import Suite

SHOWN = 3
OWN, CODE = "own/", "2/"
OF_A_BUILD = ("conftest.py", "pyproject.toml")
"""At the root of a checkout, and in no wheel."""


def held_against(record: Record, other: OtherSuite) -> list[str]:
    """Everything in which the suite that judged is not the other one, a sentence each."""
    place, commit = f"--suite {other.place}", record.run.suite.commit
    found = []
    if other.commit != commit:
        found.append(f"{place}: it is of the commit {other.commit or 'nobody knows'}; {commit} judged")
    if other.changed:
        found.append(f"{place}: {other.changed}")
    binding = record.basis.binding
    content = None if binding is None else binding.whole
    if content is None:
        return [*found, f"{place}: the record does not list the files that judged; it is of an earlier suite"]
    found += [f"{place}: {one}" for one in other_files(content.files, other)]
    try:
        environment = Environment.model_validate_json(
            json.dumps({**content.environment, "claims": None, "source": "environment.toml"})
        )
    except ValueError as error:
        return [*found, f"{place}: the environment in the record is none ({str(error).splitlines()[0]})"]
    suite = Suite(
        {**other.checks, **_of_files(record, other.made)},
        load_profiles(other.suites / "profiles.toml"),
        claims_of(load_claims(other.suites / "claims.toml"), environment).claims,
    )
    return [*found, *(f"{place}: {one}" for one in of_another_commit(record, suite))]


def _of_files(record: Record, made: Collection[str]) -> dict[str, Check]:
    """Checks that a function of the suite declares, which nobody runs here: their file stands for them, and
    that is compared."""
    return {
        entry.id: Check(
            entry.id,
            entry.title,
            entry.level,
            entry.effect,
            tuple(entry.claims),
            tuple(entry.profiles),
            entry.spec,
        )
        for entry in record.checks
        if entry.id in made
    }


def other_files(bound: Mapping[str, str], other: OtherSuite) -> list[str]:
    """Files that judged and are otherwise there, are missing, or more. told: by the names of the record."""
    judged: dict[str, str] = {}
    twice = []
    for entry, digest in bound.items():
        if entry.startswith(OWN):
            continue
        number, _, rest = entry.partition("/")
        name = f"{PACKAGE}/{rest}" if number == CODE.rstrip("/") else rest
        if name.startswith(DATA) or (not other.alone and name in OF_A_BUILD):
            continue
        if judged.setdefault(name, digest) != digest:
            twice.append(name)
    wrong = [name for name, digest in judged.items() if other.files.get(name, digest) != digest]
    missing = [name for name in judged if name not in other.files]
    more = [name for name in other.files if name not in judged and (other.alone or name not in ALONE)]
    sentences = [
        (wrong, "files that judged are otherwise there"),
        (missing, "files that judged are not there"),
        (more, "files of it did not judge"),
        (sorted(set(twice)), "the checks are of a project of their own, beside the package's"),
    ]
    return [f"{words}: {some_of(sorted(names))}" for names, words in sentences if names]
