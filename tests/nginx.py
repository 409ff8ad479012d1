"""nginx of Debian: fetched once, installed nowhere, run on loopback, ended by the pid of its master."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway_acceptance.embedded import NotStarted
from lab.debian import needed
from lab.gateway_process import PR_SET_PDEATHSIG, last_lines
from lab.hosts.tools import command, search_path
from lab.installed import READY, tree_stands
from lab.patience import patient

PROGRAM = "usr/sbin/nginx"
START_BUDGET_S, STOP_BUDGET_S = 20, 10
MAIN = """
daemon off;
worker_processes 1;
error_log stderr warn;
pid {folder}/nginx.pid;
{user}
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  scgi_temp_path {folder}/scgi;
  uwsgi_temp_path {folder}/uwsgi;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
{inside}
}}
"""


@dataclass(frozen=True)
class Program:
    """path: nginx; libraries: for LD_LIBRARY_PATH, or empty."""

    path: Path
    libraries: str


def ensure_nginx(root: Path) -> Program:
    """This machine's nginx, where it has one, else Debian's, with the libraries that this machine lacks,
    unpacked once below ``root/.lab``. Raises NotStarted."""
    found = shutil.which("nginx", path=search_path())
    if found:
        return Program(Path(found), "")
    folder = root / ".lab" / "nginx"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".nginx.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not tree_stands(folder, PROGRAM):
            shutil.rmtree(folder, ignore_errors=True)
            packages = folder / "packages"
            packages.mkdir(parents=True)
            command(["apt-get", "download", *_packages()], cwd=packages)
            for package in sorted(packages.glob("*.deb")):
                command(["dpkg-deb", "-x", str(package), str(folder)])
            shutil.rmtree(packages)
            (folder / READY).touch()
    if not (folder / PROGRAM).exists():
        raise NotStarted(f"Debian's package of nginx holds no {PROGRAM}")
    return Program(folder / PROGRAM, ":".join(sorted({str(one.parent) for one in folder.rglob("*.so*")})))


def _packages() -> list[str]:
    """Debian's package of the server, and those of the libraries that this machine lacks."""
    named, there = needed("nginx")
    if "nginx" not in named:
        raise NotStarted("apt knows no nginx: is this Debian or a relative of it?")
    # before Debian 12 nginx-core holds the program
    servers = {"nginx", "nginx-core"} & named
    return sorted(servers | {name for name in named - there if name.startswith("lib")})


def listening(address: str) -> socket.socket:
    """A socket at a free port, for nginx to take over: nobody else can have the port in between."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, 0), family=family, backlog=128)


def place(listener: socket.socket) -> str:
    """HOST:PORT of a socket, as URLs and nginx write it."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def serving_nginx(
    program: Program, folder: Path, listeners: Mapping[str, socket.socket], inside: str
) -> Iterator[subprocess.Popen[bytes]]:
    """nginx at these sockets: it inherits them, and they are closed here. inside: what stands in ``http``;
    each ``listen`` names the place of one. Raises NotStarted with nginx's reason."""
    folder.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(MAIN.format(folder=folder, user=user, inside=inside), encoding="utf-8")
    variables = {"PATH": search_path()} | (
        {"LD_LIBRARY_PATH": program.libraries} if program.libraries else {}
    )
    called = [str(program.path), "-p", str(folder), "-c", str(file)]
    first = next(iter(listeners.values())).getsockname()[:2]
    with ExitStack() as stack:
        with ExitStack() as ours:
            for one in listeners.values():
                ours.enter_context(one)
            handed = [one.fileno() for one in listeners.values()]
            log = ours.enter_context((folder / "log").open("wb"))
            process = subprocess.Popen(
                called,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**variables, "NGINX": "".join(f"{number};" for number in handed)},
                pass_fds=handed,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
            stack.callback(_end, process)
        if not _answers(first):
            _end(process)
            raise NotStarted("nginx does not answer", last_lines(folder / "log"))
        yield process


def _answers(address: tuple[str, int]) -> bool:
    """Whether it answers nonsense, which goes to nobody behind it. Its socket accepts before nginx does, and
    ends with nginx."""
    try:
        with socket.create_connection(address, timeout=patient(START_BUDGET_S)) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            return bool(connection.recv(1))
    except OSError:
        return False


def _end_with_parent() -> None:
    """In the child, before exec. Not by SIGKILL: a master that is told to end takes its worker along."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the master and its worker: politely, then certainly."""
    process.terminate()
    try:
        process.wait(patient(STOP_BUDGET_S))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
