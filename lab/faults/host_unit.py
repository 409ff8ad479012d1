"""Defects of the service's unit."""

from __future__ import annotations

from lab.deployment import TREE, UNIT
from lab.faults.host_service import ARGV, CONFIGURATION, KEPT, UNIT_FILE, drop_in, kept, no_drop_in, put_back
from lab.faults.model import Fault, host_fault

WINDOW_S = 3600
"""Longer than any run."""

HOST_UNIT_FAULTS: tuple[Fault, ...] = (
    host_fault(
        "host-unit-gone",
        "the unit's file was taken away, and the process goes on until the next boot",
        {"HOST-UNIT-001": r"LoadState not-found, expected loaded"},
        apply=f"mkdir -p {KEPT}\nmv {UNIT_FILE} {KEPT}/\nsystemctl daemon-reload\n",
        revert=f"mv {KEPT}/{UNIT} {UNIT_FILE}\nsystemctl daemon-reload\n",
    ),
    host_fault(
        "host-service-stopped",
        "the service is stopped",
        {
            "HOST-UNIT-002": r"has inactive \(dead",
            "HOST-NET-001": r"has no such socket, expected 0\.0\.0\.0:4000",
        },
        apply=f"systemctl stop {UNIT}\n",
        revert=f"systemctl start {UNIT}\n",
        restarts=True,
        serves=False,
    ),
    host_fault(
        "host-unit-disabled",
        "the service runs and does not come back after a boot",
        {"HOST-UNIT-003": r"has disabled, expected enabled"},
        apply=f"systemctl disable -q {UNIT}\n",
        revert=f"systemctl enable -q {UNIT}\n",
    ),
    host_fault(
        "host-unit-without-install",
        "the unit lost its [Install] section: it runs, is no longer enabled, and is not called disabled either",
        {"HOST-UNIT-003": r"has static, and no unit starts it, expected enabled"},
        apply=(
            f"systemctl disable -q {UNIT}\n{kept(UNIT_FILE)}sed -i '/^.Install/,$d' {UNIT_FILE}\n"
            f"touch -r {KEPT}/{UNIT} {UNIT_FILE}\nsystemctl daemon-reload\n"
        ),
        revert=f"{put_back(UNIT_FILE)}systemctl daemon-reload\nsystemctl enable -q {UNIT}\n",
    ),
    host_fault(
        "host-service-crashes",
        "the process is killed and systemd brings it back: active all the time, and not stable",
        {"HOST-UNIT-004": r"\d+ automatic restarts, the last \d+ s ago"},
        apply=(
            f"export before=$(systemctl show -p NRestarts --value {UNIT})\nsystemctl kill -s KILL {UNIT}\n"
            f'timeout 60 bash -c \'until [ "$(systemctl show -p NRestarts --value {UNIT})" -gt "$before" ] '
            f"&& systemctl -q is-active {UNIT}; do sleep 0.2; done'\n"
        ),
        revert=f"systemctl reset-failed {UNIT}\nsystemctl restart {UNIT}\n",
        declares={"stable_s": WINDOW_S},
        restarts=True,
    ),
    host_fault(
        "host-unit-misspelt",
        "a directive's name has a slip, and systemd passes over it",
        {"HOST-UNIT-005": r"Unknown key( name)? 'ProtectSytem'"},
        apply=drop_in("ProtectSytem=strict"),
        revert=no_drop_in(),
    ),
    host_fault(
        "host-unit-edited",
        "the unit was edited and not reloaded",
        {
            "HOST-UNIT-006": r"edited and not reloaded: has another content",
            "HOST-UNIT-007": r"hx-litellm-gateway\.service, changed and not restarted",
        },
        apply=f"{kept(UNIT_FILE)}echo '# edited' >> {UNIT_FILE}\ntouch -d '10 seconds' {UNIT_FILE}\n",
        revert=put_back(UNIT_FILE),
    ),
    host_fault(
        "host-configuration-edited",
        "the configuration was changed and the process goes on with the old one",
        {"HOST-UNIT-007": r"config\.yaml, changed and not restarted: has a change \d+ s after"},
        apply=f"{kept(CONFIGURATION)}touch -d '10 seconds' {CONFIGURATION}\n",
        revert=put_back(CONFIGURATION),
    ),
    host_fault(
        "host-unit-other-command",
        "a drop-in lets the next restart start another program with another configuration",
        {
            "HOST-UNIT-008": r"ExecStart's program: has /usr/bin/python3[\s\S]*expected the configuration /opt",
            "HOST-UNIT-013": r"90-gateway-acceptance-fault\.conf: ExecStart",
            "HOST-PROC-004": r"expected /usr/bin/python3 -m litellm",
        },
        apply=drop_in("ExecStart=", "ExecStart=/usr/bin/python3 -m litellm --config /etc/litellm.yaml"),
        revert=no_drop_in(),
    ),
    host_fault(
        "host-unit-other-environment",
        "the service runs from another virtual environment than declared",
        {
            "HOST-UNIT-008": rf"expected one of {TREE}/gateway/venv-2/bin/",
            "HOST-PROC-005": rf"expected one of {TREE}/gateway/venv-2/bin/",
        },
        declares={"virtual_environment": "gateway/venv-2"},
    ),
    host_fault(
        "host-unit-no-restart",
        "a process that fails stays down",
        {"HOST-UNIT-011": r"Restart: has no, expected on-failure or always"},
        apply=drop_in("Restart=no"),
        revert=no_drop_in(),
    ),
    host_fault(
        "host-unit-before-the-network",
        "the unit does not wait for the network",
        {"HOST-UNIT-012": r"After: has no network-online\.target[\s\S]*Wants: has no network-online\.target"},
        apply=(
            f"{kept(UNIT_FILE)}sed -i -E '/^(After|Wants)=/d' {UNIT_FILE}\n"
            f"touch -r {KEPT}/{UNIT} {UNIT_FILE}\nsystemctl daemon-reload\n"
        ),
        revert=f"{put_back(UNIT_FILE)}systemctl daemon-reload\n",
    ),
    host_fault(
        "host-unit-drop-in",
        "a drop-in takes the sandbox away with the next restart",
        {
            "HOST-UNIT-013": r"ProtectSystem: has 'no', expected 'strict'",
            "HOST-HARD-001": r"ProtectSystem as loaded: has no, expected strict",
        },
        apply=drop_in("ProtectSystem=no"),
        revert=no_drop_in(),
    ),
    host_fault(
        "host-unit-writable",
        "everybody may write the unit's file",
        {"HOST-UNIT-014": r"has mode 0666, expected 0644"},
        apply=f"{kept(UNIT_FILE)}chmod 666 {UNIT_FILE}\n",
        revert=put_back(UNIT_FILE),
    ),
    host_fault(
        "host-unit-with-secret",
        "the key stands in the unit, where everybody reads it",
        {"HOST-UNIT-015": r"LITELLM_MASTER_KEY=<hidden>"},
        apply=drop_in('Environment="LITELLM_MASTER_KEY=sk-fault-0123456789abcdef" A=1'),
        revert=no_drop_in(),
    ),
    host_fault(
        "host-service-as-root",
        "a drop-in lets the service run as root, with root's capabilities and a key on its command line",
        {
            "HOST-UNIT-010": r"User: has root, expected hx-gateway",
            "HOST-UNIT-013": r"fault\.conf: User: has 'root'",
            "HOST-PROC-001": r"has uids 0 0 0 0 \(root\), expected hx-gateway",
            "HOST-PROC-002": r"has user root, expected hx-gateway",
            "HOST-PROC-009": r"<secret of \d+ characters>, expected no secret",
            "HOST-HARD-004": r"CapEff with .*sys_admin",
            "HOST-NET-002": r"0\.0\.0\.0:4000: has .* as root, expected",
        },
        apply=drop_in(
            "User=root",
            "Group=root",
            "CapabilityBoundingSet=~",
            "ExecStart=",
            f"ExecStart={ARGV} --alias sk-fault-0123456789abcdef",
            restart=True,
        ),
        revert=no_drop_in(restart=True),
        restarts=True,
    ),
)
