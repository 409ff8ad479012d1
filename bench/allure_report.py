"""What a large report costs: seconds and bytes for 1,000 results with a full history behind them.

Run ``.venv/bin/python bench/allure_report.py [RESULTS]``; at most 5,000. Nothing is sent and nothing is kept.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from gateway_acceptance.record_model import record_of  # noqa: E402
from gateway_acceptance.report.allure import finish_results  # noqa: E402
from gateway_acceptance.report.allure_history import HISTORY, RUNS_KEPT, remember  # noqa: E402
from gateway_acceptance.report.allure_tool import ensure_allure  # noqa: E402
from gateway_acceptance.report.write_outputs import draw_report  # noqa: E402
from gateway_acceptance.verdict import Verdict  # noqa: E402
from tests.unit.records import case, check, exchange, record  # noqa: E402

AT_MOST = 5_000
CASES_PER_CHECK = 5


def a_run(results: int, day: int) -> dict[str, Any]:
    """A record of that many cases; of each ten one failed, another one from day to day."""
    checks = []
    for first in range(0, results, CASES_PER_CHECK):
        cases = [
            case(
                f"suites/test_it.py::test_it[{number}]",
                Verdict.FAILED if (number + day) % 10 == 0 else Verdict.PASSED,
                "expected 768 components, got 767" if (number + day) % 10 == 0 else "",
                parameters={"number": str(number)},
                evidence=[exchange(response=f'{{"number": {number}}}')],
            )
            for number in range(first, min(first + CASES_PER_CHECK, results))
        ]
        checks.append(check(f"API-X{first // 500}-{first % 1000:03d}", *cases, claims=["FUN-01"]))
    begun = f"2026-03-{day:02d}T10:00"
    return record(*checks, id=f"run-{day}", started=f"{begun}:00Z", ended=f"{begun}:30Z")


def main() -> None:
    """Measure and print."""
    results = min(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000, AT_MOST)
    ensure_allure()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for day in range(1, RUNS_KEPT + 1):
            remember(folder / HISTORY, record_of(a_run(results, day)))
        now = a_run(results, RUNS_KEPT + 1)
        begun = time.monotonic()
        finish_results(folder / "staging", folder / "results", record_of(now), str)
        written_s = time.monotonic() - begun
        outcome = draw_report(folder / "results", folder, record_of(now), folder / HISTORY)
        if outcome.report is None:
            sys.exit(outcome.problem)
        begun = time.monotonic()
        remember(folder / HISTORY, record_of(now))
        kept_s = time.monotonic() - begun
        sizes = [(folder / name).stat().st_size / 1e6 for name in ("report.html", HISTORY)]
    print(f"{results} results, {RUNS_KEPT} runs before: results written in {written_s:.1f} s,")
    print(f"report drawn in {outcome.seconds:.1f} s, history kept in {kept_s:.1f} s;")
    print(f"page {sizes[0]:.1f} MB, history {sizes[1]:.1f} MB")


if __name__ == "__main__":
    main()
