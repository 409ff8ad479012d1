"""Defects of disk, memory, open files and the journal, and of the backends' machines."""

from __future__ import annotations

from lab.deployment import TREE, UNIT
from lab.faults.host_files import KEPT, away, back, drop_in, no_drop_in
from lab.faults.model import Fault, host_fault

MAIN_PID = f"$(systemctl show -p MainPID --value {UNIT})"
LIMIT = "setpriv --reuid=hx-gateway --regid=hx-gateway --clear-groups prlimit --pid $pid"
"""As the service's own account: root of a host may lack the right to limit others."""
MORE_THAN_ANY_MB = 1 << 30
JOURNALS = "$(ls -d /var/log/journal /run/log/journal 2>/dev/null)"
OLLAMA = "ollama.service"
MANIFESTS = "/usr/share/ollama/.ollama/models/manifests/registry.ollama.ai/library"


def logged(message: str, count: int) -> str:
    """A script that writes a line so many times into the unit's journal, in a journal file of their own. Root may
    write of another process: its unit then counts as the line's."""
    send = f"[s.send(data) for _ in range({count})]"
    lines = (
        "import socket, sys",
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
        's.connect("/run/systemd/journal/socket")',
        f'data = ("MESSAGE={message}\\nPRIORITY=6\\nOBJECT_PID=" + sys.argv[1] + "\\n").encode()',
        send,
    )
    program = "; ".join(lines)
    return (
        f"mkdir -p {KEPT}\njournalctl --rotate\ntouch {KEPT}/before\n"
        f"python3 -c '{program}' {MAIN_PID}\njournalctl --sync\n"
    )


FORGET = (
    f"journalctl --rotate\nfind {JOURNALS} -name 'system@*.journal' -newer {KEPT}/before -delete\n"
    f"rm {KEPT}/before\n"
)
"""Removes the lines again: they stand in the files that were archived since."""

NEWER_OLLAMA = """\
#!/usr/bin/python3
import json, sys, urllib.request

sys.path.insert(0, "/usr/local/lib/ollama-stand-in")
import lab.hosts.stand_in as stand_in


class Newer(stand_in.BackendServer):
    def __init__(self, name, models):
        super().__init__(name, models, version="9.9.9")


stand_in.BackendServer = Newer
if sys.argv[1:] == ["--version"]:
    with urllib.request.urlopen("http://198.51.100.31:11434/api/version", timeout=5) as answer:
        running = json.load(answer)["version"]
    print("ollama version is", running)
    if running != "9.9.9":
        print("Warning: client version is 9.9.9")
else:
    stand_in.main()
"""
"""The stand-in as its next release: it says, as Ollama does, where another one runs."""

HOST_RESOURCE_FAULTS: tuple[Fault, ...] = (
    host_fault(
        "host-disk-full",
        "less disk is free than declared",
        {"HOST-RES-001": r"/: has \d+ MiB free, expected \d+ MiB"},
        declares={"free_disk_mb": MORE_THAN_ANY_MB},
    ),
    host_fault(
        "host-memory-full",
        "less memory is available than declared",
        {"HOST-RES-002": r"memory: has \d+ MiB available, expected \d+ MiB"},
        declares={"free_memory_mb": MORE_THAN_ANY_MB},
    ),
    host_fault(
        "host-logs-in-the-tree",
        "a log in the tree that nothing rotates",
        {"HOST-RES-003": r"has 3\.\d MiB, expected at most 1 MiB; .*logs/services/grown\.log"},
        apply=f"head -c 4000000 /dev/zero > {TREE}/logs/services/grown.log\n",
        revert=f"rm {TREE}/logs/services/grown.log\n",
    ),
    host_fault(
        "host-environment-large",
        "the virtual environment takes more disk than declared",
        {"HOST-RES-004": r"with its virtual environment: has \d{3}\.\d MiB, expected at most 100 MiB"},
        declares={"environment_mb": 100},
    ),
    host_fault(
        "host-few-open-files",
        "the live process may open hardly more files than it has open",
        {"HOST-RES-005": r"open files of .*: has \d+, expected at most 80% of its limit of \d+"},
        apply=f"pid={MAIN_PID}\n{LIMIT} --nofile=$(( $(ls /proc/$pid/fd | wc -l) + 1 )):\n",
        revert=f"pid={MAIN_PID}\n{LIMIT} --nofile=$(awk '/Max open files/ {{print $5}}' /proc/$pid/limits):\n",
    ),
    host_fault(
        "host-works-outside",
        "the service works in a directory that is not the deployment's",
        {"HOST-RES-006": r"the unit names /var/tmp: has a path outside, expected below"},
        apply=drop_in(UNIT, "WorkingDirectory=/var/tmp"),
        revert=no_drop_in(UNIT),
    ),
    host_fault(
        "host-journal-unbounded",
        "nobody decided how much disk the journal may take",
        {"HOST-LOG-001": r"the journal: has no bound but 10 % of the disk"},
        apply=away("/etc/systemd/journald.conf.d/size.conf"),
        revert=back("/etc/systemd/journald.conf.d/size.conf"),
    ),
    host_fault(
        "host-journal-grows",
        "the service writes thousands of long lines",
        {"HOST-LOG-002": r"has \d+ MiB a day \(\d+ lines in \d+ s\), expected at most 50 MiB"},
        apply=logged("x" * 900, 6000),
        revert=FORGET,
        declares={"log_mb_per_day": 50},
    ),
    host_fault(
        "host-journal-tells-a-key",
        "the service wrote a key into its journal",
        {"HOST-LOG-003": r"headers: Bearer <secret of \d+ characters>: has a secret, expected none"},
        apply=logged("headers: Bearer sk-0123456789abcdef0123456789abcdef", 1),
        revert=FORGET,
    ),
    host_fault(
        "host-ollama-other-version",
        "another Ollama is installed than declared",
        {"HOST-BACKEND-001": r"installed ollama: has \d\S+, expected 0\.1\.0"},
        machine="llm-01",
        declares={"version": "0.1.0"},
    ),
    host_fault(
        "host-model-not-on-disk",
        "a model that the gateway needs was removed from a backend's disk",
        {"HOST-BACKEND-002": r"phi3:latest on llm-02: has no manifest, .*ollama pull phi3:latest"},
        machine="llm-02",
        apply=away(f"{MANIFESTS}/phi3"),
        revert=back(f"{MANIFESTS}/phi3"),
    ),
    host_fault(
        "host-models-elsewhere",
        "the service would look for its models in another directory",
        {"HOST-BACKEND-003": r"the models' directory: has /srv/models, expected /usr/share/ollama"},
        machine="orc",
        apply=drop_in(OLLAMA, "Environment=OLLAMA_MODELS=/srv/models"),
        revert=no_drop_in(OLLAMA),
    ),
    host_fault(
        "host-ollama-open-to-browsers",
        "every web page may call a backend",
        {"HOST-BACKEND-004": r"OLLAMA_ORIGINS: has \*, expected no \*"},
        machine="llm-01",
        apply=drop_in(OLLAMA, "Environment=OLLAMA_ORIGINS=*"),
        revert=no_drop_in(OLLAMA),
    ),
    host_fault(
        "host-ollama-not-restarted",
        "a new Ollama was installed, and the old one still runs",
        {"HOST-BACKEND-005": r"the running ollama: has \S+, expected 9\.9\.9, as installed"},
        machine="orc",
        apply=f"{away('/usr/local/bin/ollama')}cat > /usr/local/bin/ollama <<'EOF'\n{NEWER_OLLAMA}EOF\n"
        "chmod 755 /usr/local/bin/ollama\n",
        revert=back("/usr/local/bin/ollama"),
    ),
)
