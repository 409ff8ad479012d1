"""A pytest plugin of the profile matrix: an environment is judged until its fault is told by its own check.

What comes after could not change that it was noticed. Of the checks that sentinels wake, those run that the
fault names, which are the only ones that count.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Iterable, Mapping
from typing import Any

import pytest

from gateway_acceptance.check import Check
from gateway_acceptance.plugin.parametrise import environment_of
from lab.faults.found_as import tells

WANTED_VARIABLE = "PROFILE_MATRIX_WANTED"


def detected(fault: str, cases: Iterable[Mapping[str, Any]], wanted: Mapping[str, str]) -> bool:
    """Whether any of these cases is a detection. wanted: check id -> what its message must match."""
    return any(
        case["check"] in wanted
        and tells(fault, case["check"], case["verdict"])
        and re.search(wanted[case["check"]], case["message"]) is not None
        for case in cases
    )


class UntilDetected:
    """wanted: fault, which is the name of its environment -> its checks."""

    def __init__(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        self._wanted = wanted
        self._done: set[str] = set()

    def pytest_gateway_woken(self, check: Check, environment: str) -> bool | None:
        """Others than its own could not tell a fault; the control is judged by all."""
        return None if environment not in self._wanted else check.id in self._wanted[environment]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Nothing more is asked where the fault was told. What the case before left standing for this one is
        taken down for the next, as after any case."""
        if environment_of(item) not in self._done:
            return None
        item.session._setupstate.teardown_exact(nextitem)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """With the last report of a case come its verdict and what exchanges broke."""
        report = yield
        name = environment_of(item)
        own = getattr(report, "gateway_case", None)
        cases = [*([own] if own else []), *getattr(report, "gateway_breaches", ())]
        if name in self._wanted and detected(name, cases, self._wanted[name]):
            self._done.add(name)
        return report


def pytest_configure(config: pytest.Config) -> None:
    wanted = json.loads(os.environ[WANTED_VARIABLE])
    config.pluginmanager.register(UntilDetected(wanted), "profile-matrix-until-told")
