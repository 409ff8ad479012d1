"""Where the project is: the folder with ``suites/`` and ``environments/``."""

from __future__ import annotations

from pathlib import Path

from gateway_acceptance.usage import UsageProblem


def project_root(start: Path | None = None) -> Path:
    """The nearest project above the current folder, else the one that this package was installed from.

    Raises UsageProblem where there is none.
    """
    begin = start or Path.cwd()
    for folder in (begin, *begin.parents, Path(__file__).resolve().parents[2]):
        if (folder / "suites").is_dir() and (folder / "environments").is_dir():
            return folder
    raise UsageProblem(
        [f"{begin}: no project here or above (suites/ and environments/); change into its folder"]
    )
