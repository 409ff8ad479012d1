"""Which files and functions a run needs: those where ``-m`` may select something (docs/performance.md).

Only ``smoke`` tells files apart: most hold none of its checks. What such a file declares is read from its
text, so that the catalogue is whole; a file that cannot be read so is collected, and so is one that was named
on the command line.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

from gateway_acceptance.check import SMOKE, Check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.declared import NotReadFromText, checks_in
from gateway_acceptance.plugin.options import CHECKS_ROOT, profile_of

MOST_NAMES = 8
"""Of an expression: each may be true or false, and all ways are tried."""
WORD = re.compile(r"[A-Za-z_]\w*")
DECLARES = "@check("
OPERATORS = ("and", "or", "not")


def needs_smoke(expression: str) -> bool:
    """Whether ``-m`` selects nothing that is no check of smoke, whatever other markers it has.

    False as well for what is no expression: pytest says so itself.
    """
    names = dict.fromkeys(name for name in WORD.findall(expression) if name not in OPERATORS)
    if SMOKE not in names or len(names) > MOST_NAMES:
        return False
    try:
        compiled = Expression.compile(expression)
        others = [name for name in names if name != SMOKE]
        for values in itertools.product((False, True), repeat=len(others)):
            truth = dict(zip(others, values, strict=True))
            if compiled.evaluate(lambda name, /, **_: truth.get(name, False)):  # noqa: B023
                return False
    except Exception:  # noqa: BLE001  (whatever pytest makes of it, it will say)
        return False
    return True


class LeftOut:
    """Files that this run does not import, functions that it does not parametrise. found: their checks, by
    ``path::function``; withheld: how many environments each check of the profile does not judge."""

    def __init__(self, config: pytest.Config, environments: Sequence[Environment]) -> None:
        self._hooks, self._environments = config.hook, environments
        self._names = [one.name for one in environments]
        self._profile = profile_of(config)
        self.withheld: dict[str, int] = {}
        self._root = f"{config.rootpath}{os.sep}"
        self._checks = f"{self._root}{CHECKS_ROOT}{os.sep}"
        here = config.invocation_params.dir
        self._named = {str((here / argument.split("::", 1)[0]).resolve()) for argument in config.args}
        self._active = needs_smoke(config.option.markexpr)
        self._needs_catalogue = (
            not config.option.collectonly
        )  # nobody asks a mere collection for its catalogue
        self.found: dict[str, Check] = {}

    def leaves_out(self, path: Path) -> bool:
        """Whether a file holds checks, and none that the run may select."""
        name = str(path)
        if not self._active or not name.startswith(self._checks) or not name.endswith(".py"):
            return False
        if name in self._named or not path.name.startswith("test_"):
            return False
        try:
            text = path.read_text(encoding="utf-8")
            if SMOKE in text.lower() or DECLARES not in text:
                return False
            checks = checks_in(text) if self._needs_catalogue else {}
        except (OSError, UnicodeDecodeError, NotReadFromText):
            return False
        shown = name.removeprefix(self._root).replace(os.sep, "/")
        self.found |= {f"{shown}::{function}": check for function, check in checks.items()}
        return True

    def leaves_out_function(self, collector: pytest.Collector, name: str, function: object) -> bool:
        """Whether a function is a check that the run cannot select, or that judges none of its environments:
        it is not parametrised at all."""
        if not name.startswith("test"):
            return False
        marks = {mark.name: mark for mark in getattr(function, "pytestmark", ())}
        if "check" not in marks:
            return False
        check: Check = marks["check"].args[0]
        smoke = SMOKE in marks or not self._active or str(collector.path) in self._named
        if (smoke or collector.get_closest_marker(SMOKE)) and self.judged_by(check):
            return False
        self.found[f"{collector.nodeid}::{name}"] = check
        return True

    def judged_by(self, check: Check) -> Sequence[Environment]:
        """The environments of the run that a check judges: all, unless another plugin says which."""
        chosen = self._hooks.pytest_gateway_environments(check=check, names=self._names)
        if chosen is None:
            return self._environments
        kept = [one for one in self._environments if one.name in chosen]
        if self._profile in check.profiles:
            self.withheld[check.id] = len(self._environments) - len(kept)
        return kept
