"""What stands between a run and a gateway: private TLS, a proxy, a path prefix, IPv6; all on loopback."""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.plugin.gateway import Gateway, answer_of

HANDSHAKE_BUDGET_S = 60.0
WAITING_CONNECTIONS = 64
DAY = datetime.timedelta(days=1)


@dataclass
class Authority:
    """A private CA. file: its certificate, PEM."""

    folder: Path
    name: str = "ca"

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"private {self.name}")])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * DAY)
            .not_valid_after(now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = self.folder / f"{self.name}.pem"
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def issue(self, file: str, *names: str, begins: int = -1, ends: int = 1, password: str = "") -> Path:
        """A certificate and its key in one file. begins, ends: days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins * DAY)
            .not_valid_after(now + ends * DAY)
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        secret = serialization.BestAvailableEncryption(password.encode()) if password else None
        path = self.folder / file
        path.write_bytes(
            made.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                secret or serialization.NoEncryption(),
            )
        )
        path.chmod(0o600)
        return path


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def server_context(certificate: Path, clients: Path | None = None) -> ssl.SSLContext:
    """A server's TLS; clients: the CA whose certificates it asks for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context


@dataclass
class Front:
    """A gateway as it is reached. seen: (request line's target, headers in lower case) of what arrived."""

    url: str
    gateway: Gateway
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def front(
    context: ssl.SSLContext | None = None, *, prefix: str = "", address: str = "127.0.0.1"
) -> Iterator[Front]:
    """A small gateway (``tests.plugin.gateway``) behind TLS, below a prefix, at an address."""
    shown = f"[{address}]" if ":" in address else address
    made = Front("", Gateway())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            self.rfile.read(length)
            made.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            path = urlsplit(self.path).path if "://" in self.path else self.path
            if path.startswith(prefix):
                key = self.headers.get("authorization") or ""
                status, document, _ = answer_of(made.gateway, path.removeprefix(prefix), key)
            else:
                status, document = 404, {"error": "nothing here"}
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        daemon_threads = True
        request_queue_size = WAITING_CONNECTIONS

        def get_request(self) -> tuple[socket.socket, object]:
            connection, place = super().get_request()
            if context is not None:
                connection.settimeout(HANDSHAKE_BUDGET_S)
                connection = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            return connection, place

        def finish_request(self, request: Any, client_address: Any) -> None:
            if isinstance(request, ssl.SSLSocket):  # in a thread of its own: it delays nobody
                request.do_handshake()
                request.settimeout(None)  # kept until the client closes: a pause of the test breaks nothing
            super().finish_request(request, client_address)

        def handle_error(self, *_: object) -> None:
            """A client that went away."""

    with Server((address, 0), Handler) as server:
        made.url = f"http{'s' if context else ''}://{shown}:{server.server_address[1]}{prefix}"
        with _served(server):
            yield made


@contextmanager
def _served(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@dataclass
class ForwardProxy:
    """lines: the request lines that it was given; credentials: what it wants, or empty; tunnels: whether it
    makes any."""

    url: str = ""
    credentials: str = ""
    tunnels: bool = True
    lines: list[str] = field(default_factory=list)


@contextmanager
def forward_proxy(credentials: str = "", *, tunnels: bool = True) -> Iterator[ForwardProxy]:
    """A proxy as of RFC 9110: absolute form for http, a tunnel for all else. Every name is this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = ForwardProxy(f"http://127.0.0.1:{listener.getsockname()[1]}", credentials, tunnels)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_through, args=(connection, proxy), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _through(connection: socket.socket, proxy: ForwardProxy) -> None:
    with connection, contextlib.suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return
            head += piece
        line, *fields = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        proxy.lines.append(line)
        wanted = "Basic " + base64.b64encode(proxy.credentials.encode()).decode()
        given = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
        if proxy.credentials and given.get("proxy-authorization") != wanted:
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            return
        method, target, _ = line.split(" ")
        if method == "CONNECT" and not proxy.tunnels:
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            return
        port = urlsplit(f"//{target}" if method == "CONNECT" else target).port or 80
        with socket.create_connection(("127.0.0.1", port)) as onward:
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                onward.sendall(head)
            back = threading.Thread(target=_pumped, args=(onward, connection), daemon=True)
            back.start()
            _pumped(connection, onward)
            back.join()


def _pumped(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
