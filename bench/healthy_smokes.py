"""Smoke again and again on healthy gateways: whether it is ever red without a reason. docs/performance.md.

``python bench/healthy_smokes.py [--runs N] [--busy N] [VERSION ...]`` starts a lab for each version and runs
smoke against it; while the last of the runs go on, four processes for each core keep the machine busy. What
is red, and every run that did not end as it should, is printed; exit code 1 where there is any.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from gateway_acceptance.verdict import Verdict  # noqa: E402
from tests.live.conftest import Lab, judge, running  # noqa: E402
from tests.live.test_smoke import OPEN  # noqa: E402

VERSIONS = ("1.106.2", "1.108.7", "1.74.15")
TIMES_THE_CORES = 4
BUDGET_S = 900
"""What a run may take on a busy machine before it is ended."""
RED = frozenset(str(verdict) for verdict in Verdict if verdict.red)


def _spin() -> None:
    while True:
        pass


@contextlib.contextmanager
def busy(wanted: bool) -> Iterator[None]:
    """A machine that has four times as much to do as it has cores; nothing where it is not wanted."""
    count = TIMES_THE_CORES * (os.cpu_count() or 1) if wanted else 0
    spinning = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(count)]
    for one in spinning:
        one.start()
    try:
        yield
    finally:
        for one in spinning:
            one.kill()
            one.join()


def alarms(lab: Lab, folder: Path) -> list[str]:
    """What a smoke says against a gateway that is as its release is. An old release's own open doors are
    none."""
    run = judge(lab.environment, folder, key=lab.state.key, budget_s=BUDGET_S)
    if run.record is None:
        return [f"no record, exit code {run.code}: {run.output[-2000:]}"]
    known = OPEN.get(lab.state.version, [])
    found = [
        f"{check} {case['verdict']}: {case['message']}"
        for check, case in run.cases()
        if case["verdict"] in RED and check not in known
    ]
    state = "SMOKE FAILED" if known else "SMOKE PASSED"
    if not found and run.record["run"]["state"] != state:
        found.append(f"{run.record['run']['state']}: {'; '.join(run.record['run']['reasons'])}")
    return found


def main() -> int:
    """Run, and print what was seen. The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", nargs="*", default=VERSIONS, metavar="VERSION")
    parser.add_argument("--runs", type=int, default=200, help="over all versions")
    parser.add_argument("--busy", type=int, default=10, help="of them, on a machine that is kept busy")
    given = parser.parse_args()
    done = wrong = 0
    for place, version in enumerate(given.versions):
        share = [count // len(given.versions) + (place < count % len(given.versions))
                 for count in (given.runs, given.busy)]  # fmt: skip
        with tempfile.TemporaryDirectory() as name, running(Path(name), version) as lab:
            for number in range(share[0]):
                late = number >= share[0] - share[1]
                folder, begun = Path(name) / "runs", time.monotonic()
                with busy(late):
                    found = alarms(lab, folder)
                shutil.rmtree(folder, ignore_errors=True)
                done, wrong = done + 1, wrong + bool(found)
                seconds = time.monotonic() - begun
                print(f"{done} {version}{' busy' if late else ''} {seconds:.1f} s {found or 'as it should'}",
                      flush=True)  # fmt: skip
    print(f"{done} healthy runs, {given.busy} of them on a busy machine: {wrong} with a false alarm")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
