"""What must hold of the sandbox that a live process runs in: facts in, problems out."""

from __future__ import annotations

from gateway_acceptance.environment.host import Host, Machine
from gateway_acceptance.problem import Problem
from suites.host.unit.live_directives import Live
from suites.host.user.facts import Facts, again, differs

HELD = ("CapInh", "CapPrm", "CapEff", "CapAmb")
"""Capabilities that a process has or hands on; CapBnd is what it could ever have: a directive's matter."""


def held_capabilities(seen: Live, declared: Machine) -> list[Problem]:
    """It has none of root's capabilities, but those that the environment declares as ambient."""
    words = declared.hardening.get("AmbientCapabilities", "").lower().split()
    fix = (
        f"set User={declared.user} and AmbientCapabilities= in {declared.unit}, then: {again(declared.unit)}"
    )
    granted = {word.removeprefix("cap_") for word in words}
    problems = []
    for field in HELD:
        beyond = sorted(seen.capabilities(field) - granted)
        if beyond:
            has = f"{field} with {' '.join(beyond)}"
            problems.append(differs(f"{declared.unit}: process {seen.process['pid']}", has, "none", fix))
    return problems


def writable_tree(seen: Live, host: Host) -> list[Problem]:
    """The process meets the tree read-only, but for what is declared writable."""
    fix = f"set ProtectSystem=strict in {host.unit}, and in ReadWritePaths= only what is declared writable"
    problems = []
    if not seen.read_only(host.tree):
        problems.append(differs(f"{host.unit}: {host.tree}", "mounted writable", "read-only", fix))
    allowed = [f"{host.tree}/{path}" for path in host.writable]
    for mount in seen.mounts:
        point = mount["point"]
        below = point.startswith(f"{host.tree}/") and "ro" not in mount["options"]
        if below and not any(point == path or point.startswith(f"{path}/") for path in allowed):
            problems.append(differs(f"{host.unit}: {point}", "mounted writable", "read-only", fix))
    return problems


def read_only_data(seen: Live, host: Host) -> list[Problem]:
    """What the environment declares writable the process can write, as far as mounts are concerned."""
    return [
        differs(
            f"{host.unit}: {host.tree}/{path}", "mounted read-only", "writable",
            f"add ReadWritePaths={host.tree}/{path} to {host.unit}, daemon-reload, restart",
        )
        for path in host.writable
        if seen.read_only(f"{host.tree}/{path}")
    ]  # fmt: skip


def too_exposed(unit: Facts, most: float, name: str) -> list[Problem]:
    """``systemd-analyze security`` gives no more than the declared exposure; what weighs most is named."""
    has = unit["exposure"]
    if has is None or has <= most:
        return []
    weights = [(float(line["exposure"] or 0), str(line["name"])) for line in unit["directives"]]
    worst = ", ".join(f"{word} {weight}" for weight, word in sorted(weights, reverse=True)[:5])
    return [
        differs(
            f"{name}: exposure",
            f"{has} ({worst})",
            f"at most {most}",
            f"add what weighs most: systemd-analyze security {name}",
        )
    ]
