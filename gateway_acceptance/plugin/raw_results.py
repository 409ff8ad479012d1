"""allure-pytest's raw results, kept to what is read of them later: times, steps and attachments."""

from __future__ import annotations

import allure_commons


class RawResults:
    """A plugin of allure's own plugin manager."""

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: object) -> None:
        """The words of a failure come from the record, redacted. As raised, they may hold a secret, or lone
        surrogates of the target's JSON, which no file can hold: allure would end the whole run there."""
        result.statusDetails = None  # type: ignore[attr-defined]
