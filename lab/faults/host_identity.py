"""Faults of machines: which machine it is, how it is reached, its clock, and the service's account."""

from __future__ import annotations

from lab.deployment import UNIT, USER
from lab.faults.model import host_fault

DROP_IN = f"/run/systemd/system/{UNIT}.d"
SITE = "/etc/python3.11/sitecustomize.py"
AHEAD = "import time; real = time.time; time.time = lambda: real() + 3600"
STAND_IN = (
    "PYTHONPATH=/usr/local/lib/ollama-stand-in exec -a ollama.sk-live-0123456789abcdef /usr/bin/python3"
)

HOST_IDENTITY_FAULTS = (
    host_fault(
        "host-without-ssh",
        "the machine's sshd does not run",
        {"HOST-REACH-001": "ssh://hx-api-gateway-server cannot be reached"},
        apply="systemctl stop ssh",
        revert="systemctl start ssh",
    ),
    host_fault(
        "host-without-python",
        "the machine has no python3: it cannot be looked at",
        {"HOST-REACH-001": "ssh://llm-01 has no python3"},
        machine="llm-01",
        apply="mv /usr/bin/python3 /usr/bin/python3.gone",
        revert="mv /usr/bin/python3.gone /usr/bin/python3",
    ),
    host_fault(
        "host-without-sudo-rules",
        "the suite's account may look at nothing that others may not see",
        {
            "HOST-USER-003": r"the sudo rule: hx-probe ALL=\(root\) NOPASSWD: /usr/bin/getent shadow hx-gateway",
            "HOST-NET-001": r"the sudo rule: hx-probe ALL=\(root\) NOPASSWD: /usr/bin/ss -Hlntup",
            "HOST-ACCESS-003": r"the sudo rule: hx-probe ALL=\(hx-gateway\) NOPASSWD: /usr/bin/find",
        },
        apply="mv /etc/sudoers.d/gateway-acceptance /root/gateway-acceptance",
        revert="mv /root/gateway-acceptance /etc/sudoers.d/gateway-acceptance",
    ),
    host_fault(
        "host-other-address",
        "the name leads to a machine that does not own the gateway's address",
        {"HOST-IDENT-001": r"gateway does not own 198\.51\.100\.99"},
        declares={"address": "198.51.100.99"},
    ),
    host_fault(
        "host-other-name",
        "it is another machine than declared",
        {"HOST-IDENT-002": "gateway calls itself somebody-else, declared is hx-api-gateway-server"},
        apply="hostname somebody-else",
        revert="hostname hx-api-gateway-server",
    ),
    host_fault(
        "host-clock-ahead",
        "the machine's programs see a clock that is an hour ahead",
        {"HOST-IDENT-003": r"the clock of gateway is at least 3\d\d\d\.\d s ahead"},
        apply=f"cp -a {SITE} {SITE}.kept; echo '{AHEAD}' >> {SITE}",
        revert=f"mv {SITE}.kept {SITE}",
    ),
    host_fault(
        "host-user-is-a-person",
        "the service runs as an ordinary account",
        {"HOST-USER-001": r"hx-probe has the uid 1000; a system account"},
        declares={"user": "hx-probe"},
    ),
    host_fault(
        "host-user-missing",
        "there is no such account",
        {"HOST-USER-001": "gateway has no account hx-nobody"},
        declares={"user": "hx-nobody"},
    ),
    host_fault(
        "host-user-with-shell",
        "the service's account has a login shell",
        {"HOST-USER-002": "hx-gateway has the shell /bin/bash"},
        apply=f"sed -i '/^{USER}:/s#/usr/sbin/nologin#/bin/bash#' /etc/passwd",
        revert=f"sed -i '/^{USER}:/s#/bin/bash#/usr/sbin/nologin#' /etc/passwd",
    ),
    host_fault(
        "host-user-with-password",
        "the service's account has a password",
        {"HOST-USER-003": "hx-gateway has a password"},
        apply=f"cp -a /etc/shadow /etc/shadow.kept; usermod -p '$6$salt$hash' {USER}",
        revert="mv /etc/shadow.kept /etc/shadow",
    ),
    host_fault(
        "host-user-with-empty-password",
        "the service's account has an empty password",
        {"HOST-USER-003": "hx-gateway has an empty password"},
        apply=f"cp -a /etc/shadow /etc/shadow.kept; passwd -q -d {USER}",
        revert="mv /etc/shadow.kept /etc/shadow",
    ),
    host_fault(
        "host-user-with-sudo",
        "the service's account may become root",
        {"HOST-USER-004": r"hx-gateway may run by sudo: .*ALL"},
        apply=f"echo '{USER} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/oops; chmod 440 /etc/sudoers.d/oops",
        revert="rm /etc/sudoers.d/oops",
    ),
    host_fault(
        "host-user-with-keys",
        "somebody can log in as the service's account",
        {"HOST-USER-005": "there is /nonexistent/.ssh/authorized_keys"},
        apply="mkdir -p /nonexistent/.ssh; touch /nonexistent/.ssh/authorized_keys; chmod 700 /nonexistent/.ssh",
        revert="rm -r /nonexistent",
    ),
    host_fault(
        "host-user-in-more-groups",
        "the service's account reads every log of the machine",
        {"HOST-USER-006": "hx-gateway is in the group adm"},
        apply=f"usermod -aG adm {USER}",
        revert=f"gpasswd -d {USER} adm",
    ),
    host_fault(
        "host-user-runs-more",
        "a process of the service's account runs outside the hardened unit",
        {"HOST-USER-007": r"sleep \(pid \d+, in hx-stray.service\) runs as hx-gateway outside"},
        apply=f"systemd-run --quiet --unit hx-stray --uid {USER} sleep 600",
        revert="systemctl stop hx-stray",
    ),
    host_fault(
        "host-key-in-the-unit",
        "a drop-in holds the master key, for everybody to read",
        {"HOST-SECRET-006": r"key\.conf holds a secret: Environment=LITELLM_MASTER_KEY=<hidden>"},
        apply=f"mkdir -p {DROP_IN}; printf '[Service]\\nEnvironment=LITELLM_MASTER_KEY=sk-live-0123456789\\n' "
        f"> {DROP_IN}/key.conf; systemctl daemon-reload",
        revert=f"rm -r {DROP_IN}; systemctl daemon-reload",
    ),
    host_fault(
        "host-second-environment-file",
        "a drop-in lets the unit read one more file of variables, which everybody may read",
        {
            "HOST-SECRET-008": r"more\.conf: EnvironmentFile: has /etc/default/gateway-more, expected /etc/hx-gateway/"
        },
        apply=f"mkdir -p {DROP_IN}; printf '[Service]\\nEnvironmentFile=-/etc/default/gateway-more\\n' "
        f"> {DROP_IN}/more.conf; systemctl daemon-reload",
        revert=f"rm -r {DROP_IN}; systemctl daemon-reload",
    ),
    host_fault(
        "host-key-on-the-command-line",
        "a key stands on the service's command line, for everybody to read",
        {"HOST-SECRET-007": "the command line of ollama.service shows a secret: .*<secret of"},
        machine="llm-01",
        apply="mkdir -p /run/systemd/system/ollama.service.d; printf '[Service]\\nExecStart=\\n"
        f'ExecStart=/bin/bash -c "{STAND_IN} -m lab.hosts.stand_in serve"\\n\' '
        "> /run/systemd/system/ollama.service.d/key.conf; systemctl daemon-reload; systemctl restart ollama",
        revert="rm -r /run/systemd/system/ollama.service.d; systemctl daemon-reload; systemctl restart ollama; "
        "for _ in $(seq 100); do curl -sf -o /dev/null http://198.51.100.29:11434/ && break; sleep 0.05; done",
    ),
)
