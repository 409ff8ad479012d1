"""Defects of the service's process, its sandbox and its sockets."""

from __future__ import annotations

from lab.deployment import SECRETS, TREE, UNIT
from lab.faults.host_service import KEPT, MAIN_PID, drop_in, no_drop_in
from lab.faults.model import Fault, host_fault

COPY = "gateway-acceptance-copy"
COPY_PORT = 4001
LISTENER = f"import socket; s = socket.create_server(('127.0.0.1', {COPY_PORT})); s.accept()"
OPEN = (
    "ProtectSystem=no", "ProtectHome=no", "PrivateTmp=no", "PrivateDevices=no", "NoNewPrivileges=no",
    "CapabilityBoundingSet=~", "SystemCallFilter=", "SystemCallArchitectures=",
    "RestrictAddressFamilies=", "RestrictNamespaces=no", "RestrictRealtime=no", "RestrictSUIDSGID=no",
    "LockPersonality=no", "MemoryDenyWriteExecute=no", "ProtectKernelTunables=no",
    "ProtectKernelModules=no", "ProtectKernelLogs=no", "ProtectControlGroups=no", "ProtectClock=no",
    "ProtectHostname=no", "ProtectProc=default", "UMask=0000", "SupplementaryGroups=shadow",
    "WorkingDirectory=/",
)  # fmt: skip
"""A unit without a sandbox, in a directory and a group that are not its own."""

OTHER_OLLAMA = """\
import http.server, json, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(float(sys.argv[2]))
        names = ("mxbai-embed-large:latest", "nomic-embed-text:latest", "all-minilm:latest")
        models = [{"name": name, "digest": "0" * 64} for name in names]
        self.answer({"models": models} if self.path.endswith("tags") else {"version": "0.35.0"})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"model_info": {"general.architecture": "bert", "bert.embedding_length": 16}})

    def answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer((sys.argv[1], 11434), Handler).serve_forever()
"""
OTHER_UNIT = "fault-ollama.service"


def another_backend(variable: str, late_s: float = 0.0) -> str:
    """A shell text: the address in a variable of the gateway's settings becomes one of the machine's own, and a
    server of its own answers there, so many seconds late."""
    return (
        f"mkdir -p {KEPT}\n"
        f"sed -n 's#^{variable}=http://\\([0-9.]*\\):.*#\\1#p' {SECRETS} > {KEPT}/backend\n"
        f"cat > {KEPT}/ollama.py <<'PROGRAM'\n{OTHER_OLLAMA}PROGRAM\n"
        f'ip address add "$(cat {KEPT}/backend)/32" dev lo\n'
        f'systemd-run --quiet --collect --unit={OTHER_UNIT} python3 {KEPT}/ollama.py "$(cat {KEPT}/backend)" {late_s}\n'
        f'for try in $(seq 50); do ss -Hltn "src $(cat {KEPT}/backend)" | grep -q . && break; sleep 0.1; done\n'
    )


def no_other_backend() -> str:
    """A shell text: the server of ``another_backend`` is gone, and the address is the backend's again."""
    return (
        f'systemctl stop {OTHER_UNIT}\nip address del "$(cat {KEPT}/backend)/32" dev lo\n'
        f"rm {KEPT}/backend {KEPT}/ollama.py\n"
    )


HOST_HARDENING_FAULTS: tuple[Fault, ...] = (
    host_fault(
        "host-service-without-sandbox",
        "the service runs without its sandbox, in another directory, with another group",
        {
            "HOST-HARD-001": r"ProtectSystem as loaded: has no, expected strict",
            "HOST-HARD-002": r"NoNewPrivileges=yes: has NoNewPrivs 0, expected NoNewPrivs 1",
            "HOST-HARD-003": r"exposure: has [6-9]\.\d \(.*, expected at most",
            "HOST-HARD-005": rf"{TREE}: has mounted writable, expected read-only",
            "HOST-PROC-003": r"supplementary groups of process \d+: has shadow, expected of hx-gateway",
            "HOST-PROC-007": r"directory of the process: has /, expected /opt",
            "HOST-UNIT-009": r"WorkingDirectory: has /, expected /opt",
            "HOST-UNIT-013": r"fault\.conf: NoNewPrivileges: has 'no', expected 'yes'",
        },
        apply=drop_in(*OPEN, restart=True),
        revert=no_drop_in(restart=True),
        restarts=True,
    ),
    host_fault(
        "host-sandbox-calls",
        "the filter of system calls allows what it is declared to refuse",
        {"HOST-HARD-001": r"SystemCallFilter as loaded: has allowed: chroot .*mount"},
        apply=drop_in("SystemCallFilter=@mount"),
        revert=no_drop_in(),
    ),
    host_fault(
        "host-sandbox-shuts-data",
        "what is declared writable lies behind a read-only mount",
        {"HOST-HARD-006": rf"{TREE}/x-Docs: has mounted read-only, expected writable"},
        declares={"writable": ["x-Docs"]},
    ),
    host_fault(
        "host-second-copy",
        "root started a second copy by hand, beside the unit, on a port of its own",
        {
            "HOST-PROC-008": rf"has user root in {COPY}\.service, expected the service's program only in",
            "HOST-NET-004": rf"127\.0\.0\.1:{COPY_PORT}: has .* of {COPY}\.service as root",
        },
        apply=(
            f"systemd-run -q --collect --unit={COPY} bash -c "
            f'"exec -a {TREE}/gateway/venv/bin/litellm python3 -c \\"{LISTENER}\\""\n'
            f"timeout 20 bash -c 'until ss -Hlnt | grep -q :{COPY_PORT}; do sleep 0.1; done'\n"
        ),
        revert=f"systemctl stop {COPY}\n",
    ),
    host_fault(
        "host-program-replaced",
        "the interpreter was upgraded, and the process goes on with the old one",
        {"HOST-PROC-006": r"executable: has \S+ \(deleted\), expected the file that is installed now"},
        apply=(
            f'mkdir -p {KEPT}\nprogram="$(readlink /proc/{MAIN_PID}/exe)"\necho "$program" > {KEPT}/program\n'
            'ln "$program" "$program.fault-kept"\ncp -a "$program" "$program.fault-new"\n'
            'mv "$program.fault-new" "$program"\n'
        ),
        revert=(
            f'program="$(cat {KEPT}/program)"\nmv "$program.fault-kept" "$program"\nrm {KEPT}/program\n'
            f"systemctl restart {UNIT}\n"
        ),
        restarts=True,
    ),
    host_fault(
        "host-listens-wider",
        "the service listens on every address where one alone is declared",
        {
            "HOST-NET-001": r"has only 0\.0\.0\.0:4000, expected 127\.0\.0\.1:4000",
            "HOST-NET-003": r"0\.0\.0\.0:4000: has .* expected only 127\.0\.0\.1:4000",
        },
        declares={"listens": ["127.0.0.1:4000"]},
    ),
    host_fault(
        "host-backend-cut-off",
        "the gateway's machine does not reach a backend that others reach",
        {"HOST-NET-005": r"llm-01 at \S+, from the gateway's machine: has URLError"},
        apply=(
            f"mkdir -p {KEPT}\n"
            f"sed -n 's#^HX_LLM_01_URL=http://\\([0-9.]*\\):.*#\\1#p' {SECRETS} > {KEPT}/backend\n"
            f'ip route add prohibit "$(cat {KEPT}/backend)/32"\n'
        ),
        revert=f'ip route del prohibit "$(cat {KEPT}/backend)/32"\nrm {KEPT}/backend\n',
    ),
    host_fault(
        "host-backend-another",
        "the gateway's machine reaches another Ollama at a backend's address, with other models of the same names",
        {
            "HOST-NET-006": r"mxbai-embed-large:latest: has the digest 0000\S*, expected the digest \S+",
            "HOST-NET-007": r"orc at \S+, from the gateway's machine: mxbai-embed-large: has 16 dimensions, expected 1024",
        },
        apply=another_backend("HX_ORC_URL"),
        revert=no_other_backend(),
    ),
    host_fault(
        "host-backend-far",
        "a backend answers the gateway's machine late",
        {"HOST-NET-008": r"orc at \S+, .*: has its fastest answer after 2\.\d+ s, expected one within 2 s"},
        apply=another_backend("HX_ORC_URL", late_s=2.2),
        revert=no_other_backend(),
    ),
)
