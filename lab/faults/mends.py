"""What a proved mend may leave, each looked at: findings that need a decision as well, and traces."""

from __future__ import annotations

from collections.abc import Mapping

DECIDED: Mapping[tuple[str, str], str] = {}
"""(fault, check that is red after the mend) -> what its sentence leaves to decide."""

REMAINS: Mapping[tuple[str, str], str] = {
    ("*", r"^file /run/systemd/system/[^/]+\.service\.d$"): "an empty directory of drop-ins says nothing",
}
"""(fault or ``*``, pattern of a place of the trace) -> why it may differ after the mend."""
