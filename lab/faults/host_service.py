"""The reference deployment's service as host faults meet it, and the scripts that they are made of."""

from __future__ import annotations

from lab import deployment
from lab.deployment import TREE, UNIT

UNIT_FILE = f"/etc/systemd/system/{UNIT}"
CONFIGURATION = f"{TREE}/{deployment.CONFIGURATION}"
KEPT = "/run/gateway-acceptance-fault"
"""Where a fault keeps what it must put back."""
DROP_IN = f"/run/systemd/system/{UNIT}.d/90-gateway-acceptance-fault.conf"
MAIN_PID = f"$(systemctl show -p MainPID --value {UNIT})"
ARGV = f"$(systemctl show -p ExecStart --value {UNIT} | sed 's/.*argv\\[\\]=\\(.*\\) ; ignore_errors.*/\\1/')"
"""The words of ExecStart as loaded."""


def drop_in(*lines: str, restart: bool = False) -> str:
    """A script that adds lines to [Service], loaded; as old as the unit's own file. restart: lived by."""
    text = "\n".join(["[Service]", *lines])
    script = f"mkdir -p {DROP_IN.rpartition('/')[0]}\ncat > {DROP_IN} <<EOF\n{text}\nEOF\n"
    script += f"touch -r {UNIT_FILE} {DROP_IN}\nsystemctl daemon-reload\n"
    return script + (f"systemctl restart {UNIT}\n" if restart else "")


def no_drop_in(*, restart: bool = False) -> str:
    """The script that takes the lines away again."""
    folder = DROP_IN.rpartition("/")[0]
    script = f"rm {DROP_IN}\nrmdir --ignore-fail-on-non-empty {folder}\nsystemctl daemon-reload\n"
    return script + (f"systemctl restart {UNIT}\n" if restart else "")


def kept(path: str) -> str:
    """A script that keeps a file as it is, with mode, owner and time."""
    return f"mkdir -p {KEPT}\ncp -a {path} {KEPT}/\n"


def put_back(path: str) -> str:
    """The script that puts it back."""
    return f"cp -a {KEPT}/{path.rpartition('/')[2]} {path}\nrm {KEPT}/{path.rpartition('/')[2]}\n"
