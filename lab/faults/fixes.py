"""What a proved fix may leave, each looked at: findings that need a decision as well, and traces."""

from __future__ import annotations

from collections.abc import Mapping

DECIDED: Mapping[tuple[str, str], str] = {}
"""(fault, check that is red after the fix) -> what its sentence leaves to decide."""

REMAINS: Mapping[tuple[str, str], str] = {
    (
        "host-ollama-not-restarted",
        r"^file /usr/local/bin/ollama$",
    ): "the newer Ollama was installed on purpose",
    (
        "host-program-replaced",
        r"^program python3\.11\.fault-kept$",
    ): "the fault's own copy of the old program, which nothing runs",
    ("host-user-with-keys", r"^file /nonexistent(/\.ssh)?$"): "an empty directory lets nobody in",
    ("host-way-closed", r"^file /opt/HX-Infrastructure-$"): "passing is what was missing: it stays as narrow",
    **{
        (
            fault,
            r"^/etc/(passwd|group|shadow) agent0$",
        ): "an account is no defect: it owns nothing here now"
        for fault in ("host-development-ownership", "host-development-ownership-spreads")
    },
    ("*", r"^file /run/systemd/system/[^/]+\.service\.d$"): "an empty directory of drop-ins says nothing",
}
"""(fault or ``*``, pattern of a place of the trace) -> why it may differ after the fix."""
