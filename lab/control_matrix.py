"""Every right gateway against the checks: none may be red. The counterpart of the mutation matrix.

One real gateway, one address per control, one pytest run over all of them as environments.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.own_load import MOST, lateness
from lab.controls import CONTROLS, Control
from lab.controls.model import CLOSED
from lab.description import have_it_described
from lab.faults import Fault
from lab.faults.limited import made_up_keys
from lab.local import start
from lab.loopback_pool import own_net
from lab.mutation_matrix import CONTROL, GREEN, KEY_VARIABLE, Declarer, run_checks
from lab.specification import LabView
from lab.state import stop

HEALTHY = "API-OPS-001"
"""All that the lab's own gateway is asked here: what else it must be is the mutation matrix' matter."""
OLLAMA = "ollama"
"""The one protocol whose models have digests."""
REFUSES = 9
"""The port, at the backends' addresses, where nothing listens: where the suite is told closed ones are."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A check that is red on a right gateway."""

    control: str
    check: str
    verdict: str
    message: str


@dataclass(frozen=True, slots=True)
class Controls:
    """The result. ran: control -> how many checks judged it, and how many did not apply."""

    alarms: Sequence[Alarm]
    ran: Mapping[str, tuple[int, int]]

    @property
    def complete(self) -> bool:
        """Every control was judged, and nothing was red."""
        return bool(self.ran) and not self.alarms and all(judged for judged, _ in self.ran.values())


def chosen(only: Sequence[str]) -> list[Control]:
    """The controls to run. Raises UsageProblem for an unknown name."""
    unknown = [name for name in only if name not in CONTROLS]
    if unknown:
        known = ", ".join(CONTROLS)
        raise UsageProblem(
            [f"--only {name}: there is no such control; known are: {known}" for name in unknown]
        )
    return [CONTROLS[name] for name in only] if only else list(CONTROLS.values())


CORE = (
    *("API-OPS-001", "API-MODELS-001", "API-CHAT-001", "API-CHAT-002", "API-EMB-001"),
    *("API-STREAM-001", "API-SDK-001"),
)
"""One check of smoke for each thing that is served: whatever a control is right in, these see it."""


def checks_of(control: Control, root: Path, *, nightly: bool = False, brief: bool = False) -> list[str]:
    """The ids that a control is judged by: those of smoke, and those that it names. nightly: all of
    nightly; brief: one for each thing that is served, and those that its difference concerns."""
    lists = load_profiles(root / "suites" / "profiles.toml")
    if nightly:
        return sorted(lists["nightly"])
    if brief:
        return sorted({*CORE, *control.concerns})
    meant = [check for check in lists["nightly"] if check.startswith(control.checks or ("none",))]
    return sorted({*lists["smoke"], *meant, *control.concerns})


def run_controls(
    root: Path,
    only: Sequence[str],
    litellm: str,
    say: Callable[[str], None],
    *,
    nightly: bool = False,
    brief: bool = False,
) -> Controls:
    """Run the controls (all where ``only`` is empty). nightly, brief: as of ``checks_of``. Raises
    UsageProblem, NotStarted."""
    controls = chosen(only)
    with own_net() as net, tempfile.TemporaryDirectory(prefix="control-matrix-") as temporary:
        folder = Path(temporary)
        declare = Declarer(root, folder, net)
        base = declare.base()
        views = [LabView(declare.view(CONTROL, 1, None), None)]
        for number, control in enumerate(controls, start=2):
            plain = declare.view(control.name, number, None)
            views.append(LabView(declared(plain, control, root), control.name))
        state = start(base, litellm, root, say, owner=os.getpid(), views=views)
        try:
            have_it_described(base.gateway.url)
            say(f"running {len(controls)} right gateways ...")
            runs = run_checks(
                root,
                folder,
                [view.environment for view in views],
                [
                    wanted(control, checks_of(control, root, nightly=nightly, brief=brief))
                    for control in controls
                ],
                {KEY_VARIABLE: state.key, **made_up_keys()},
                control=[HEALTHY],
            )
        finally:
            stop(state)
    return evaluate(controls, runs)


def wanted(control: Control, checks: Sequence[str]) -> Fault:
    """The view of a control, named by the checks that judge it."""
    return replace(control.view, detected_by=dict.fromkeys(checks, ""))


def declared(environment: Environment, control: Control, root: Path) -> Environment:
    """The environment of a view, rewritten as the control declares it. Bounds are wide, and on a busy machine
    deadlines are longer: what answers late because the lab gets no processor is right all the same, and no
    control is about speed."""
    document = tomllib.loads(environment.source.read_text(encoding="utf-8"))
    otherwise = control.declares
    late = lateness()
    for deadline in ("connect_deadline_s", "request_deadline_s"):
        document["gateway"][deadline] *= late
    for bound in ("health_s", "first_token_s", "answer_s"):
        document["bounds"][bound] *= MOST
    document["gateway"] |= otherwise.get("gateway", {})
    document["policy"] |= otherwise.get("policy", {})
    document["models"] = [entry for entry in document["models"] if entry["kind"] not in control.without]
    for entry in document["models"]:
        if entry["kind"] == "chat":
            entry |= otherwise.get("chat", {})
    document["models"] = [
        {key: value for key, value in entry.items() if value is not None} for entry in document["models"]
    ]
    if otherwise.get("backends", {}).get("product", OLLAMA) != OLLAMA:
        members = [member for group in document["groups"] for member in group["deployments"]]
        for entry in (*document["models"], *members):
            entry.pop("digest", None)
    for backend in document["backends"]:
        backend |= otherwise.get("backends", {})
        if control.closed:
            backend["gateway_url"] = backend["url"]
            backend["url"] = f"{backend['url'].rsplit(':', 1)[0]}:{REFUSES}"
            if control.forbids:
                backend["url"] = f"{environment.gateway.url}{CLOSED}/{backend['name']}"
            backend.pop("counts", None)
    environment.source.write_text(tomli_w.dumps(document), encoding="utf-8")
    return load_environment(str(environment.source), root, {})


def evaluate(controls: Sequence[Control], runs: Mapping[str, Mapping[str, Any]]) -> Controls:
    """From records by environment to what was red."""
    alarms, ran = [], {}
    for control in controls:
        checks = [check for check in runs.get(control.name, {"checks": []})["checks"] if check["verdict"]]
        absent = sum(check["verdict"] in (Verdict.NOT_APPLICABLE, Verdict.NOT_PERMITTED) for check in checks)
        ran[control.name] = (len(checks) - absent, absent)
        for check in checks:
            if check["verdict"] not in (*GREEN, Verdict.NOT_PERMITTED):  # the matrix of outages plays those
                case = next(case for case in check["cases"] if case["verdict"] == check["verdict"])
                alarms.append(Alarm(control.name, check["id"], check["verdict"], case["message"]))
    return Controls(alarms, ran)


def text(found: Controls) -> str:
    """The result for people."""
    lines = [
        f"{name:<28} {judged:>3} checks, {absent} not applicable, "
        f"{sum(alarm.control == name for alarm in found.alarms) or 'none'} red"
        for name, (judged, absent) in found.ran.items()
    ]
    for alarm in found.alarms:
        first = (alarm.message.splitlines() or [""])[0][:200]
        lines.append(f"FALSE ALARM {alarm.control}: {alarm.check} {alarm.verdict}: {first}")
    quiet = sum(1 for name in found.ran if not any(alarm.control == name for alarm in found.alarms))
    return "\n".join([*lines, f"{quiet} of {len(found.ran)} right gateways are free of red"])
