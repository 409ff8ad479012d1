"""Whether a run judged what the suite of its commit judges: a record brings lists of its own along. Pure.

Compared are the frozen list, the claims in their words, each check's declaration, the cases that the
environment must give, and the waivers in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway_acceptance.check import RELEASE, Check
from gateway_acceptance.claims import Claim
from gateway_acceptance.record_model import Record, RecordedCheck
from gateway_acceptance.signoff.accepted import declared
from gateway_acceptance.signoff.suite import Suite
from gateway_acceptance.waivers import Waiver

SHOWN = 3
OF_EVERY_EXCHANGE = "every-exchange::"
"""How the names of cases begin that no test function made."""
REDACTED = "[redacted"


def of_another_commit(record: Record, suite: Suite) -> list[str]:
    """Everything in which a record's suite is not the one at hand, a sentence each."""
    name = f"the run {record.run.id}"
    return [
        *unplanted(record, planted=suite.planted),
        *of_another_list(record, suite.frozen, [claim.id for claim in suite.claims]),
        *_other_claims(name, record, suite.claims),
        *_other_checks(name, record, suite.checks),
        *([] if suite.cases is None else _other_cases(name, record, suite)),
        *([] if suite.waivers is None else _other_waivers(name, record, suite.waivers)),
    ]


def of_another_suite(record: Record, here: Mapping[str, object]) -> list[str]:
    """Whether the suite at hand is the one that judged: a clean checkout of the same commit, or the package
    that was built from it. here: ``suite_identity`` of the suite at hand."""
    name, commit = f"the run {record.run.id}", record.run.suite.commit
    if not commit:
        return []  # that is said
    if not here["commit"]:
        return [
            "the suite at hand is neither a git checkout nor a package that was built from one; sign there"
        ]
    found = []
    if here["commit"] != commit:
        found.append(
            f"{name} was judged by the commit {commit}, and the suite at hand is at {here['commit']}; check "
            "that commit out, or run again"
        )
    if here["dirty"] is not False:
        found.append("the suite at hand is changed since its commit; bring it back, and sign then")
    return found


def unplanted(record: Record, *, planted: bool) -> list[str]:
    """Whether the run planted no defects. planted: whether the suite at hand knows some."""
    if not planted or record.basis.planted is not None:
        return []
    return [f"the run {record.run.id} planted no defects, and this suite knows some; run again with it"]


def of_another_list(record: Record, frozen: Mapping[str, Sequence[str]], claims: Sequence[str]) -> list[str]:
    """Whether the run executed what the suite at hand lists, and spoke of the claims that it has. frozen: by
    profile; claims: ids of the suite's templates."""
    name, found = f"the run {record.run.id}", []
    listed = set(record.basis.frozen or ())
    missing = sorted(set(frozen.get(RELEASE, ())) - listed)
    if missing:
        found.append(
            f"{name} was held against a shorter list than this suite's: {some_of(missing)} are not in it; "
            "sign with the suite that judged, or run again"
        )
    recorded = {claim.id for claim in record.claims}
    unspoken = sorted(set(claims) - recorded)
    if unspoken:
        found.append(
            f"{name} says nothing of {len(unspoken)} claims that this suite makes of it "
            f"({', '.join(unspoken[:SHOWN])}); sign with the suite that judged, or run again"
        )
    return found


def _other_claims(name: str, record: Record, claims: Sequence[Claim]) -> list[str]:
    """Claims that the run words otherwise: what it proved is another statement."""
    here = {claim.id: (claim.text, claim.section, claim.about) for claim in claims}
    wrong = [
        claim.id
        for claim in record.claims
        if claim.id in here and here[claim.id] != (claim.text, claim.section, claim.about)
    ]
    if not wrong:
        return []
    return [
        f"{name} words {len(wrong)} claims otherwise than this suite ({some_of(wrong)}); sign with the suite "
        "that judged, or run again"
    ]


def _other_checks(name: str, record: Record, checks: Mapping[str, Check]) -> list[str]:
    """Checks that the suite does not have, or declares otherwise."""
    foreign, wrong = [], []
    for entry in record.checks:
        check = checks.get(entry.id)
        if check is None:
            foreign.append(entry.id)
        elif parts := _other_parts(entry, check):
            wrong.append(f"{entry.id} ({', '.join(parts)})")
    found = []
    if foreign:
        found.append(
            f"{name} has checks that this suite does not have: {some_of(foreign)}; run again with it"
        )
    if wrong:
        found.append(f"{name} declares checks otherwise than this suite: {some_of(wrong)}; run again with it")
    return found


def _other_parts(entry: RecordedCheck, check: Check) -> list[str]:
    """What a check is declared to be otherwise, by the names of the parts."""
    recorded = {
        "title": entry.title == check.title,
        "level": entry.level is check.level,
        "effect": entry.effect is check.effect,
        "spec": entry.spec == check.spec,
        "suite": entry.suite == check.suite,
        "claims": set(check.claims) <= set(entry.claims),
        "profiles": list(check.profiles) == list(entry.profiles),
    }
    return [part for part, same in recorded.items() if not same]


def _other_cases(name: str, record: Record, suite: Suite) -> list[str]:
    """Cases that the environment must give and the run does not have, and others."""
    wanted: Mapping[str, str] = suite.cases or {}
    there = {
        case.nodeid: check.id
        for check, case in record.cases()
        if not case.nodeid.startswith(OF_EVERY_EXCHANGE)
    }
    hidden = sum(REDACTED in nodeid for nodeid in there)  # an id that holds a secret cannot be compared
    missing = [nodeid for nodeid in wanted if nodeid not in there]
    extra = [nodeid for nodeid in there if nodeid not in wanted and REDACTED not in nodeid]
    other = [nodeid for nodeid, check in there.items() if wanted.get(nodeid, check) != check]
    found = []
    if len(missing) > hidden:
        found.append(
            f"{name} lacks {len(missing)} cases that this suite has of the environment, such as "
            f"{missing[0]}; run again with it"
        )
    if extra:
        found.append(
            f"{name} has {len(extra)} cases that this suite does not have of the environment, such as "
            f"{extra[0]}; run again with it"
        )
    if other:
        found.append(f"{name} tells {other[0]} of another check than this suite; run again with it")
    return found


def _other_waivers(name: str, record: Record, waivers: Sequence[Waiver]) -> list[str]:
    """Whether the waivers in force are those that the run was judged by."""
    here = {waiver.id: waiver for waiver in waivers}
    judged = {entry.id: declared(entry) for entry in record.waivers}
    wrong = sorted(one for one in {**here, **judged} if here.get(one) != judged.get(one))
    if not wrong:
        return []
    return [
        f"the waivers {some_of(wrong)} are not those that {name} was judged by: added, taken away or changed "
        "since; run again"
    ]


def some_of(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
