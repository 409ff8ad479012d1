"""Published holes by version: the shipped base, its evaluation, and the words of a finding."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from gateway_acceptance.advisories import NotComparable, clear_from, comparable, concerning, load_base, words
from gateway_acceptance.advisories.base import SHIPPED, Base, base_of
from gateway_acceptance.advisories.evaluate import AdvisoryFinding
from gateway_acceptance.advisories.versions import GO, PYPI, SemVer, order
from gateway_acceptance.check import MUST, SHOULD
from gateway_acceptance.environment.model import Precondition
from gateway_acceptance.usage import UsageProblem
from suites.api.advisories.probes import PROBES

ROOT = Path(__file__).parents[2]
OLLAMA = "github.com/ollama/ollama"
NEWEST = ("1.110.2", "1.109.3", "1.108.7", "1.106.12", "1.106.2")
"""Releases of LiteLLM that resolve or are locked here, and newer ones: none has a judged hole."""
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def base() -> Base:
    return base_of(json.loads(SHIPPED.read_text(encoding="utf-8")), "shipped")


def judged(base: Base, ecosystem: str, package: str, version: str) -> list[AdvisoryFinding]:
    return [one for one in concerning(base, ecosystem, package, version) if one.judged]


def ids(findings: Sequence[AdvisoryFinding]) -> set[str]:
    return {one.advisory.id for one in findings}


def test_enough_is_judged_by_version(base: Base) -> None:
    able = [one for one in base.advisories if not one.informs and one.confidence != "low"]
    assert len(able) >= 25
    assert len({one.ecosystem for one in able}) == 2


def test_every_word_of_the_base_is_one_that_an_environment_can_declare(base: Base) -> None:
    known = set(get_args(Precondition))
    assert {word for one in base.advisories for word in one.preconditions} <= known


def test_every_probe_of_the_base_is_there_and_serves_it(base: Base) -> None:
    named = {one.probe for one in base.advisories if one.probe}
    assert named <= set(PROBES)
    assert len(named) >= 8


def test_every_advisory_says_what_happens_and_where_it_stands(base: Base) -> None:
    assert [one.id for one in base.advisories if not one.summary or not one.links or not one.rating] == []


@pytest.mark.parametrize("version", NEWEST)
def test_the_newest_releases_of_litellm_raise_no_alarm(base: Base, version: str) -> None:
    assert ids(judged(base, PYPI, "litellm", version)) == set()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "lab" / "litellm").glob("*.lock")), ids=lambda path: path.stem
)
def test_what_a_lock_pins_beside_the_gateway(base: Base, path: Path) -> None:
    """Only the deployment as it was has holes; what a newer lock pins has none that is judged."""
    pins = dict(PIN.findall(path.read_text(encoding="utf-8")))
    assert "litellm" in pins
    found = {
        one.advisory.package
        for package, version in pins.items()
        for one in judged(base, PYPI, package, version)
    }
    expected = (
        {"litellm", "starlette", "python-multipart", "cryptography"} if path.stem == "1.74.15" else set()
    )
    assert found == expected


def test_the_deployment_as_it_was(base: Base) -> None:
    found = judged(base, PYPI, "litellm", "1.74.15")
    heavy = [one for one in found if one.advisory.heavy]
    assert heavy[0].advisory.name == "CVE-2026-49468 (GHSA-4xpc-pv4p-pm3w)"
    assert ids(heavy) == {
        "GHSA-4xpc-pv4p-pm3w",
        "GHSA-v4p8-mg3p-g94g",
        "GHSA-jjhc-v7c2-5hh6",
        "CVE-2026-30623",
    }
    told = ids(concerning(base, PYPI, "litellm", "1.74.15")) - ids(found)
    assert "GHSA-6wvf-77m9-58rm" in told, "its route is not in that release"
    assert "GHSA-7488-6r32-c95q" in told, "its fallback is not in that release"
    assert "PYSEC-2026-4072" in told, "of low confidence"


def test_what_is_listed_as_exploited_is_heavy_whatever_its_rating(base: Base) -> None:
    (starlette,) = [one for one in base.of(PYPI, "starlette") if one.exploited]
    assert (starlette.rating, starlette.heavy) == ("MODERATE", True)


@pytest.mark.parametrize("package", ["litellm", "starlette", "python-multipart", "h11", "cryptography"])
def test_the_upgrade_that_a_finding_names_is_enough(base: Base, package: str) -> None:
    clear = clear_from(base, PYPI, package)
    assert clear
    assert judged(base, PYPI, package, clear) == []
    for advisory in base.of(PYPI, package):
        for one in advisory.ranges:
            for end in filter(None, (one.fixed, one.introduced.replace("0", "", one.introduced == "0"))):
                if order(PYPI, end) >= order(PYPI, clear):  # type: ignore[operator]
                    assert judged(base, PYPI, package, end) == []


def test_several_branches_of_one_advisory(base: Base) -> None:
    hole = "GHSA-7hp6-4w63-5g45"
    inside = ("1.91.0", "1.100.3", "1.101.0", "1.101.2", "1.102.1", "1.103.0", "1.104.0rc1")
    outside = ("1.90.9", "1.100.4", "1.101.3", "1.102.2", "1.103.1", "1.104.0rc2", "1.104.0")
    assert [version for version in inside if hole not in ids(judged(base, PYPI, "litellm", version))] == []
    assert [version for version in outside if hole in ids(judged(base, PYPI, "litellm", version))] == []


@pytest.mark.parametrize(
    ("version", "critical"),
    [("0.35.0", False), ("0.34.2", True), ("0.34.1", False), ("v0.17.0", True), ("0.34.2-rc1", False)],
)
def test_ollama(base: Base, version: str, critical: bool) -> None:
    found = judged(base, GO, OLLAMA, version)
    assert any(one.advisory.heavy for one in found) is critical
    assert (version == "0.35.0") is (not found)


def test_a_compromised_release(base: Base) -> None:
    (one,) = [one for one in judged(base, PYPI, "litellm", "1.82.8") if one.advisory.compromised]
    assert words.fix_for(base, one).startswith("take litellm 1.82.8 away, and change every secret")
    assert not [one for one in judged(base, PYPI, "litellm", "1.82.6") if one.advisory.compromised]


@pytest.mark.parametrize(
    ("ecosystem", "version"),
    [
        (PYPI, "new"),
        (PYPI, ""),
        (PYPI, "1" * 65),
        (GO, "main"),
        (GO, "0.0.0"),
        (PYPI, "0.0.0"),
        (GO, "1.2.3.4"),
    ],
)
def test_what_is_no_version(ecosystem: str, version: str) -> None:
    with pytest.raises(NotComparable):
        comparable(ecosystem, version)


@pytest.mark.parametrize("text", ["v1.83.7-stable", "1.83.7-stable.patch.2", "v1.83.7-nightly"])
def test_tags_of_images_are_the_releases_that_they_are_made_of(text: str) -> None:
    assert comparable(PYPI, text) == comparable(PYPI, "1.83.7")


def test_the_order_of_semantic_versions() -> None:
    texts = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
    ]
    ordered = [SemVer(text) for text in [*texts, "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2", "2"]]
    assert all(low < high for low, high in itertools.pairwise(ordered))
    assert SemVer("1.0.0+build") == SemVer("v1.0.0")
    assert order(GO, "0") < SemVer("0.0.1")  # type: ignore[operator]


def test_the_words_of_a_finding(base: Base) -> None:
    found = concerning(base, PYPI, "litellm", "1.74.15", without=["unvalidated-host"])
    must = words.problems(base, "the gateway is", found, MUST, {"host-path": "refused"})
    hole = next(str(problem) for problem in must if "CVE-2026-49468" in str(problem))
    assert hole.startswith(
        "the gateway is litellm 1.74.15: CVE-2026-49468 (GHSA-4xpc-pv4p-pm3w), CVSS 9.5, critical; "
        "fix: upgrade litellm to >= 1.104.0; "
    )
    assert "probe host-path: refused" in hole
    assert f"{words.DECLARED_ABSENT}: unvalidated-host" in hole
    should = words.problems(base, "the gateway is", found, SHOULD)
    assert len(must) + len(should) == len([one for one in found if one.judged])


def test_the_alarm_is_of_what_is_not_declared_absent(base: Base) -> None:
    found = concerning(base, PYPI, "litellm", "1.74.15")
    assert words.alarm(base, "the gateway is", found) == (
        "the gateway is litellm 1.74.15, which has CVE-2026-49468 (GHSA-4xpc-pv4p-pm3w) (CVSS 9.5, critical) "
        "and 3 more: upgrade litellm to >= 1.104.0"
    )
    without = ("unvalidated-host", "mcp", "jwt")
    assert words.alarm(base, "", concerning(base, PYPI, "litellm", "1.74.15", without)) == ""


RECORD: dict[str, Any] = {
    "id": "GHSA-x",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Some_Package"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"last_affected": "1.5"}]}],
            "versions": ["2.0"],
        }
    ],
}


def test_ranges_and_lists_of_a_foreign_record() -> None:
    base = base_of({"dated": "2026-01-01", "advisories": [RECORD]}, "x")
    affected = [
        version
        for version in ("1.0", "1.5", "1.5.1", "2.0")
        if concerning(base, PYPI, "some-package", version)
    ]
    assert affected == ["1.0", "1.5", "2.0"]
    assert clear_from(base, PYPI, "some-package") == "after 1.5"
    (unrated,) = base.advisories
    assert not unrated.heavy, "what nobody rated is judged, as the milder kind"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"dated": "yesterday", "advisories": []},
        {"dated": "2026-01-01", "advisories": [{}]},
        {"dated": "2026-01-01", "advisories": [{"id": "A", "affected": 3}]},
        {"dated": "2026-01-01", "advisories": [{**RECORD, "affected": [{"package": "x"}]}]},
        {"dated": "2026-01-01", "advisories": [{**RECORD, "database_specific": {"path_absent": "old"}}]},
    ],
)
def test_a_file_that_is_no_base_is_one_sentence(tmp_path: Path, document: object) -> None:
    path = tmp_path / "base.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(UsageProblem) as caught:
        load_base(path)
    assert len(caught.value.sentences) == 1
    assert str(path) in caught.value.sentences[0]


def test_the_users_own_base_is_taken_while_it_is_the_newer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "gateway-acceptance"
    folder.mkdir()
    for dated, origin in (("2000-01-01", "shipped with the suite"), ("2999-01-01", "updated by this user")):
        (folder / "advisories.json").write_text(json.dumps({"dated": dated, "advisories": []}))
        assert load_base().origin == origin
