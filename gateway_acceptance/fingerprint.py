"""The target did not move: what it was at a run's start and at its end, compared. Pure.

A fingerprint is flat: name (``gateway.version``) to value, both text. How it is taken: plugin/identity.py.
"""

from __future__ import annotations

from collections.abc import Mapping

UNKNOWN = "no answer"
"""The beginning of a value that could not be had; words may follow. It is no change: nothing was seen."""

NOT_ASKED = "not asked again"
"""The value at the end of what a short run looks at once: nothing is concluded from it."""

IDENTITY = "gateway.identity"
"""What of the declared identity of the gateway was looked at: ``as declared: addresses, tls_name``."""
REACHED, LOOPBACK = "gateway.reached", "a loopback address of this machine"
"""Told where an identity is declared and the gateway's name stands for such an address."""
Fingerprint = Mapping[str, str]


def compared(start: Fingerprint | None, end: Fingerprint | None) -> tuple[list[str], list[str]]:
    """(what changed, what cannot be compared) between the start of a run and its end, a sentence each.

    A change voids the run. A value that one end has and the other could not be asked for is only a reason
    against green: a gateway that died of a check has failed, and the run says so. Where neither end has a
    value, it is in the record and nothing is concluded.
    """
    if start is None or end is None:
        which = "start" if start is None else "end"
        return [], [f"the target's fingerprint was not taken at the {which} of the run"]
    changed, unknown = [], []
    for name in sorted({*start, *end}):
        before, after = start.get(name, "absent"), end.get(name, "absent")
        if after == NOT_ASKED or before == after or (_is_unknown(before) and _is_unknown(after)):
            continue
        if _is_unknown(before) or _is_unknown(after):
            unknown.append(f"the target's fingerprint cannot be compared: {name} was {before}, is {after}")
        else:
            changed.append(f"{name} was {before}, is {after}")
    return changed, unknown


def _is_unknown(value: str) -> bool:
    return value.startswith(UNKNOWN)
