"""What the controlling process hears of a run: what was selected, each case, and what went wrong beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway_acceptance.check import Check
from gateway_acceptance.plugin.breaches import DECLARED, added
from gateway_acceptance.plugin.collected import check_from
from gateway_acceptance.record import Selected
from gateway_acceptance.redaction import Redactor


@dataclass
class CaseLog:
    """catalogue: all checks by id; selected: cases by node id; breaches: of rules over exchanges, not yet
    cases; broken: errors of the suite, a sentence each; interrupted: why the run ended early, or nothing;
    left_out: cases of the profile that were deselected."""

    catalogue: dict[str, Check] = field(default_factory=dict)
    selected: dict[str, Selected] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    breaches: list[dict[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    interrupted: str = ""
    left_out: int = 0

    def expect(self, selected: Sequence[Selected], catalogue: Sequence[Check], left_out: int) -> None:
        """What one worker collected; left_out: cases of the profile that were deselected, however."""
        self.left_out = max(self.left_out, left_out)
        counted = Counter(case.nodeid for case in selected)
        for name, count in counted.items():
            if count > 1:
                self.break_with(f"{name} was selected {count} times")
        self.selected.update({case.nodeid: case for case in selected})
        self.catalogue.update({check.id: check for check in catalogue})

    def break_with(self, sentence: str) -> None:
        """An error of the suite; said once."""
        if sentence not in self.broken:
            self.broken.append(sentence)

    def add_breaches(self) -> None:
        """What exchanges broke of checks' rules becomes cases of these checks, once."""
        for breach in self.breaches:
            check = check_from(breach.pop(DECLARED))
            self.catalogue.setdefault(check.id, check)
        cases, selected = added(self.cases, self.breaches)
        self.cases += cases
        self.selected.update({case.nodeid: case for case in selected})
        self.breaches = []

    def cases_in(self, environment: str) -> list[dict[str, Any]]:
        """The cases of one environment."""
        return [case for case in self.cases if case["environment"] == environment]

    def selected_in(self, environment: str, redact: Redactor) -> list[Selected]:
        """What was selected in one environment, as its reports name it."""
        return [case for case in self.heard(redact) if case.environment == environment]

    def heard(self, redact: Redactor) -> list[Selected]:
        """All that was selected, as reports name it."""
        return [replace(case, nodeid=redact(case.nodeid)) for case in self.selected.values()]

    def checks(self, ids: Iterable[str] | None = None) -> list[Check]:
        """The checks of these ids in their order; all of them where none are named."""
        wanted: Collection[str] = self.catalogue if ids is None else set(ids)
        return sorted((self.catalogue[one] for one in wanted), key=lambda check: check.id)

    def checks_in(self, environment: str) -> list[Check]:
        """Those alone that judged one environment."""
        return self.checks(case.check for case in self.selected.values() if case.environment == environment)

    def machines_in(self) -> set[str]:
        """The environments whose machines are looked at by a selected check."""
        return {
            case.environment for case in self.selected.values() if self.catalogue[case.check].suite == "host"
        }
