"""A package index of our own (PEP 503) on loopback, with what is published after a lock was written."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NEWER, POISONED, DEMANDING = "9999.0", "poisoned", "9999.1"


def wheel(name: str, version: str, needs: Sequence[str] = (), content: str = "") -> bytes:
    """A wheel of one empty module; the same arguments give the same bytes."""
    folder, module = f"{name}-{version}.dist-info", f"{name}.py"
    files = {
        module: f"# {content}\n",
        f"{folder}/METADATA": "".join(
            f"{line}\n"
            for line in (
                *("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"),
                *("Provides-Extra: more", *(f"Requires-Dist: {need}" for need in needs)),
            )
        ),
        f"{folder}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        hashed = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={hashed},{len(text.encode())}\n"
    files[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return packed.getvalue()


def digest(packed: bytes) -> str:
    """The SHA-256 that a lock holds."""
    return hashlib.sha256(packed).hexdigest()


@dataclass
class Index:
    """files: name of a distribution -> name of a file -> its bytes; asked: the names of the files that were
    fetched."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def publish(self, name: str, version: str, needs: Sequence[str] = (), *, build: str = "") -> str:
        """Add a release; build: of another file of the same version, another hash. Returns the SHA-256."""
        packed = wheel(name, version, needs, build)
        tag = f"-7{build}" if build else ""  # a build tag: installers prefer it to a file that has none
        self.files.setdefault(name, {})[f"{name}-{version}{tag}-py3-none-any.whl"] = packed
        return digest(packed)

    @property
    def touched(self) -> list[str]:
        """What nobody may fetch who obeys the lock, and was fetched."""
        return [file for file in self.asked if re.search(f"-({NEWER}|{DEMANDING})-|{POISONED}", file)]


def locked(index: Index, names: Sequence[str]) -> str:
    """Publish a release of each, which needs the next one's extra, and its successors. Returns the lock."""
    lock = ""
    for name, following in zip(names, [*names[1:], names[0]], strict=True):
        wanted = index.publish(name, "1.0", [f"{following}[more]"])
        index.publish(name, "1.0", build=POISONED)
        index.publish(name, NEWER, [f"{following}[more]"])
        index.publish(name, DEMANDING, [f"{following}[other]>=9999", "unheard-of"])
        lock += f"{name}==1.0 \\\n    --hash=sha256:{wanted}\n"
    return lock


@contextmanager
def served(index: Index) -> Iterator[Index]:
    """The index at ``index.url``, for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = [part for part in self.path.partition("#")[0].split("/") if part]
            body, kind = b"", "text/html"
            if parts[:1] == ["simple"] and len(parts) == 2 and parts[1] in index.files:
                links = [
                    f'<a href="/files/{parts[1]}/{file}#sha256={digest(packed)}">{file}</a>'
                    for file, packed in index.files[parts[1]].items()
                ]
                body = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
            elif parts[:1] == ["files"] and len(parts) == 3:
                index.asked.append(parts[2])
                body, kind = index.files[parts[1]][parts[2]], "application/zip"
            self.send_response(200 if body else 404)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        index.url = f"http://127.0.0.1:{server.server_port}/simple/"
        try:
            yield index
        finally:
            server.shutdown()
