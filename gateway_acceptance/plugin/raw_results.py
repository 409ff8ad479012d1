"""allure-pytest's raw results, kept to what is read of them later: times, steps and attachments."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import allure_commons
import pytest

from gateway_acceptance.redaction import Redactor, printable

MODEL = "allure_commons.model2"
"""The module of what a result is made of."""


def outside(config: pytest.Config, folder: Path) -> Path | None:
    """The folder of ``--alluredir``, where it is not the run's own. folder: the run's private one."""
    given = config.option.allure_report_dir
    return Path(given) if given and folder not in Path(given).parents else None


class RawResults:
    """A plugin of allure's own plugin manager. outside: the folder of raw results that somebody asked for
    (``--alluredir``), which is redacted as it is written; those of the run's own are, when they are read."""

    def __init__(self, redact: Redactor, outside: Path | None) -> None:
        self._redact, self._outside = redact, outside

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: object) -> None:
        """The words of a failure come from the record, redacted. As raised, they may hold a secret, or lone
        surrogates of the target's JSON, which no file can hold: allure would end the whole run there."""
        result.statusDetails = None  # type: ignore[attr-defined]
        self.report_container(result)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: object) -> None:
        """Titles, parameters, links and steps of a case or of a fixture."""
        if self._outside is not None:
            self._clean(container)

    @allure_commons.hookimpl(hookwrapper=True)
    def report_attached_data(self, file_name: str) -> Generator[None, None, None]:
        """What a check attached, as it lies on disk."""
        yield
        self._clean_file(file_name)

    @allure_commons.hookimpl(hookwrapper=True)
    def report_attached_file(self, file_name: str) -> Generator[None, None, None]:
        """The same of a copied file."""
        yield
        self._clean_file(file_name)

    def _clean(self, item: object) -> None:
        for name, value in vars(item).items():
            if isinstance(value, str):
                setattr(item, name, self._redact(value))
            for one in value if isinstance(value, list) else (value,):
                if type(one).__module__ == MODEL:
                    self._clean(one)

    def _clean_file(self, name: str) -> None:
        path = self._outside / name if self._outside is not None else None
        if path is None or not path.is_file():
            return
        text = path.read_bytes().decode("utf-8", errors="replace")
        clean = self._redact(text)
        if clean != printable(text):  # an image stays as it is
            path.write_text(clean, encoding="utf-8")
