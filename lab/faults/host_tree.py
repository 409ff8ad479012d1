"""Faults of machines: the tree, its ownership, what the service can do with it, secrets."""

from __future__ import annotations

from lab.deployment import SECRETS, TREE, UNIT
from lab.faults.model import host_fault

KEPT = "/run/gateway-acceptance-fault"
"""Where a fault keeps what it takes away."""


def keep(path: str) -> str:
    """Copy a file aside, with owner, mode and time."""
    return f"mkdir -p {KEPT}; cp -a {path} {KEPT}/kept; "


def give_back(path: str) -> str:
    """Put it where it was."""
    return f"cp -a --remove-destination {KEPT}/kept {path}; rm -rf {KEPT}"


HOST_TREE_FAULTS = (
    host_fault(
        "host-directory-missing",
        "a directory of the structure is gone",
        {"HOST-TREE-001": "the directory scripts/backup is missing"},
        apply=f"rmdir {TREE}/scripts/backup",
        revert=f"install -d -m 755 -o root -g hx-gateway {TREE}/scripts/backup",
    ),
    host_fault(
        "host-tree-missing",
        "the base directory is gone",
        {"HOST-TREE-003": "there is no directory", "HOST-TREE-001": "there is no directory"},
        apply=f"mv {TREE} {TREE}.gone",
        # on an overlay a move is a copy: the service has the old directory until it is started anew
        revert=f"mv {TREE}.gone {TREE}\nsystemctl restart {UNIT}\n",
        restarts=True,
    ),
    host_fault(
        "host-directory-undeclared",
        "somebody keeps an old configuration beside the new one",
        {"HOST-TREE-002": "the directory config/old is not declared"},
        apply=f"install -d -m 755 -o root -g hx-gateway {TREE}/config/old",
        revert=f"rmdir {TREE}/config/old",
    ),
    host_fault(
        "host-directories-without-search-bit",
        "chmod -R 644 was run on config/, as the tracker says it: nobody can enter it any more",
        {
            "HOST-TREE-003": "config has mode 0644, expected 0755",
            "HOST-ACCESS-002": "hx-gateway cannot enter .*/config",
            "HOST-OWN-001": "cannot be seen",
        },
        apply=f"chmod -R 644 {TREE}/config",
        revert=f"chmod 755 {TREE}/config; find {TREE}/config -type d -exec chmod 755 {{}} +",
    ),
    host_fault(
        "host-link-broken",
        "a link leads nowhere",
        {"HOST-TREE-004": "config/current is a broken link"},
        apply=f"ln -s nowhere {TREE}/config/current; chown -h root:hx-gateway {TREE}/config/current",
        revert=f"rm {TREE}/config/current",
    ),
    host_fault(
        "host-link-escapes",
        "a link leads out of the tree",
        {"HOST-TREE-004": "logs/system leads out of .* to /var/log"},
        apply=f"ln -s /var/log {TREE}/logs/system; chown -h root:hx-gateway {TREE}/logs/system",
        revert=f"rm {TREE}/logs/system",
    ),
    host_fault(
        "host-way-writable",
        "everybody can replace the base directory",
        {"HOST-TREE-005": "/opt/HX-Infrastructure- has mode 0777: others may write it"},
        apply="chmod 777 /opt/HX-Infrastructure-",
        revert="chmod 755 /opt/HX-Infrastructure-",
    ),
    host_fault(
        "host-way-closed",
        "the directory above the tree is closed to others",
        {"HOST-TREE-005": "others cannot pass", "HOST-ACCESS-001": "hx-gateway cannot read"},
        apply="chmod 700 /opt/HX-Infrastructure-",
        revert="chmod 755 /opt/HX-Infrastructure-",
    ),
    host_fault(
        "host-documentation-missing",
        "the documentation has directories and no file",
        {"HOST-TREE-006": "there is no file below x-Docs"},
        apply=f"mkdir -p {KEPT}; mv {TREE}/x-Docs/README.md {KEPT}/kept",
        revert=f"mv {KEPT}/kept {TREE}/x-Docs/README.md; rm -rf {KEPT}",
    ),
    host_fault(
        "host-pipe-in-the-tree",
        "a named pipe lies among the scripts",
        {"HOST-TREE-007": "scripts/validation/pipe is a pipe"},
        apply=f"mkfifo -m 644 {TREE}/scripts/validation/pipe; chown root:hx-gateway {TREE}/scripts/validation/pipe",
        revert=f"rm {TREE}/scripts/validation/pipe",
    ),
    host_fault(
        "host-development-ownership",
        "the ownership of development was never reverted",
        {
            "HOST-OWN-001": "config belongs to agent0:.* expected root:hx-gateway",
            "HOST-OWN-007": "development ownership is left: agent0 owns .*sudo chown -R root:hx-gateway",
        },
        apply="useradd --no-create-home agent0; "
        f"cd {TREE}; chown -R agent0 config scripts x-Docs gateway/README.md",
        revert=f"cd {TREE}; chown -R root:hx-gateway config scripts x-Docs gateway/README.md; userdel agent0",
    ),
    host_fault(
        "host-development-ownership-spreads",
        "development ownership reached further than it was meant to",
        {"HOST-OWN-007": "agent0 owns more than the development paths: logs"},
        apply=f"useradd --no-create-home agent0; chown agent0 {TREE}/logs",
        revert=f"chown root {TREE}/logs; userdel agent0",
    ),
    host_fault(
        "host-file-mode",
        "the configuration can be written by the service's group",
        {
            "HOST-OWN-002": r"config/api-gateway/config\.yaml has mode 0664, expected 0644",
            "HOST-OWN-004": r"config\.yaml has mode 0664: others may write it",
        },
        apply=f"chmod 664 {TREE}/config/api-gateway/config.yaml",
        revert=f"chmod 644 {TREE}/config/api-gateway/config.yaml",
    ),
    host_fault(
        "host-script-not-executable",
        "a service script lost its executable bit",
        {"HOST-OWN-003": r"scripts/service/api-gateway/start\.sh has mode 0644, expected 0755"},
        apply=f"chmod 644 {TREE}/scripts/service/api-gateway/start.sh",
        revert=f"chmod 755 {TREE}/scripts/service/api-gateway/start.sh",
    ),
    host_fault(
        "host-setuid",
        "a script of the tree runs with its owner's rights",
        {
            "HOST-OWN-003": r"api-gateway/stop\.sh has mode 4755, expected 0755",
            "HOST-OWN-005": r"api-gateway/stop\.sh has mode 4755 \(setuid",
        },
        apply=f"chmod 4755 {TREE}/scripts/service/api-gateway/stop.sh",
        revert=f"chmod 0755 {TREE}/scripts/service/api-gateway/stop.sh",
    ),
    host_fault(
        "host-foreign-owner",
        "a file belongs to a uid that no account has",
        {"HOST-OWN-006": "gateway/left belongs to 4242:4242, which no account is"},
        apply=f"touch {TREE}/gateway/left; chown 4242:4242 {TREE}/gateway/left",
        revert=f"rm {TREE}/gateway/left",
    ),
    host_fault(
        "host-library-writable",
        "the service's group can write a library that the service runs",
        {"HOST-OWN-008": r"litellm/main\.py is root:hx-gateway 0664"},
        apply=f"chmod 664 {TREE}/gateway/venv/lib/python3.11/site-packages/litellm/main.py",
        revert=f"chmod 644 {TREE}/gateway/venv/lib/python3.11/site-packages/litellm/main.py",
    ),
    host_fault(
        "host-config-unreadable",
        "the service cannot read its configuration at the next start",
        {"HOST-ACCESS-001": r"hx-gateway cannot read .*config\.yaml"},
        apply=f"chmod 600 {TREE}/config/api-gateway/config.yaml",
        revert=f"chmod 644 {TREE}/config/api-gateway/config.yaml",
    ),
    host_fault(
        "host-scripts-writable-by-the-service",
        "the service owns the scripts that root runs",
        {"HOST-ACCESS-003": "hx-gateway can write .*/scripts/service"},
        apply=f"chown hx-gateway {TREE}/scripts/service",
        revert=f"chown root {TREE}/scripts/service",
    ),
    host_fault(
        "host-secret-readable-by-the-service",
        "the key's file is readable by the service's group",
        {
            "HOST-ACCESS-004": "hx-gateway can read /etc/hx-gateway/hx-litellm-gateway.env",
            "HOST-SECRET-002": "is root:hx-gateway 0640, expected root:root 0600",
        },
        apply=f"chgrp hx-gateway {SECRETS}; chmod 640 {SECRETS}",
        revert=f"chgrp root {SECRETS}; chmod 600 {SECRETS}",
    ),
    host_fault(
        "host-secret-world-readable",
        "everybody can read the key's file",
        {"HOST-SECRET-002": "is root:root 0644, expected root:root 0600"},
        apply=f"chmod 644 {SECRETS}",
        revert=f"chmod 600 {SECRETS}",
    ),
    host_fault(
        "host-secret-writable-by-the-service",
        "the service can choose the next key",
        {"HOST-ACCESS-005": "hx-gateway can write /etc/hx-gateway/hx-litellm-gateway.env"},
        apply=f"chgrp hx-gateway {SECRETS}; chmod 620 {SECRETS}",
        revert=f"chgrp root {SECRETS}; chmod 600 {SECRETS}",
    ),
    host_fault(
        "host-secret-missing",
        "the key's file is gone: the service does not survive its next start",
        {"HOST-SECRET-001": "hx-litellm-gateway.env is missing"},
        apply=f"mkdir -p {KEPT}; mv {SECRETS} {KEPT}/kept",
        revert=f"mv {KEPT}/kept {SECRETS}; rm -rf {KEPT}",
    ),
    host_fault(
        "host-secret-directory-open",
        "everybody can put another key's file in place",
        {"HOST-SECRET-003": "/etc/hx-gateway has mode 0777: others may write it"},
        apply="chmod 777 /etc/hx-gateway",
        revert="chmod 755 /etc/hx-gateway",
    ),
    host_fault(
        "host-default-key",
        "the master key is the one that the tracker publishes",
        {"HOST-SECRET-004": "a key that is known to the world stands in the files"},
        apply=f"{keep(SECRETS)}sed -i 's/^LITELLM_MASTER_KEY=.*/LITELLM_MASTER_KEY=sk-hx-dev-1234/' {SECRETS}",
        revert=give_back(SECRETS),
    ),
    host_fault(
        "host-key-in-the-configuration",
        "the master key stands in the world-readable configuration",
        {"HOST-SECRET-005": r"config\.yaml line \d+ holds a key"},
        apply=f"{keep(f'{TREE}/config/api-gateway/config.yaml')}"
        "sed -i 's#os.environ/LITELLM_MASTER_KEY#sk-live-0123456789abcdef#' "
        f"{TREE}/config/api-gateway/config.yaml",
        revert=give_back(f"{TREE}/config/api-gateway/config.yaml"),
    ),
    host_fault(
        "host-default-key-in-the-configuration",
        "the published default key stands in the configuration",
        {"HOST-SECRET-005": r"config\.yaml line \d+ holds a known default key"},
        apply=f"{keep(f'{TREE}/config/api-gateway/config.yaml')}"
        f"sed -i 's#os.environ/LITELLM_MASTER_KEY#sk-hx-dev-1234#' {TREE}/config/api-gateway/config.yaml",
        revert=give_back(f"{TREE}/config/api-gateway/config.yaml"),
    ),
)
