"""What a READY does not cover: promises without a check, and the suite's known limits."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway_acceptance.coverage import load_coverage
from gateway_acceptance.coverage_entry import is_words
from gateway_acceptance.usage import UsageProblem

COVERAGE = "coverage.toml"
LIMITS = "limits.toml"


def uncovered(suites: Path, checks: Sequence[str]) -> dict[str, Any]:
    """{promises: how many of the contract's have no check, and why; limits: sentences}.

    checks: ids of those that are there. Raises UsageProblem where a file of the suites is wrong.
    """
    return {"promises": _promises(suites / COVERAGE, checks), "limits": read_limits(suites / LIMITS)}


def read_limits(path: Path) -> list[str]:
    """The sentences of ``suites/limits.toml``. Raises UsageProblem."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageProblem([f"{path}: cannot be read: {error}; correct the file"]) from None
    limits = document.get("limits")
    if set(document) != {"limits"} or not isinstance(limits, list) or not all(map(is_words, limits)):
        raise UsageProblem([f"{path}: must be one list of sentences, limits = [...]; correct it"])
    return [str(sentence) for sentence in limits]


def _promises(path: Path, checks: Sequence[str]) -> dict[str, Any]:
    coverage = load_coverage(path, list(checks))
    bare = Counter(each.reason for each in coverage.statements if not each.checks)
    return {
        "all": len(coverage.statements),
        "covered": sum(1 for each in coverage.statements if each.checks),
        "not_covered": [
            {"reason": name, "text": text, "promises": bare[name]}
            for name, text in coverage.reasons.items()
            if bare[name]
        ],
    }
