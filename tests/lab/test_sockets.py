"""The lab's unix sockets, wherever the project lies."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lab.sockets import bound, short


@pytest.mark.parametrize("folder", ["short", "long-" * 40])
def test_a_socket_is_bound_and_reached_however_long_its_path_is(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "a.sock"
    path.parent.mkdir()
    path.write_text("left over")
    before = {path.name for path in Path("/proc/self/fd").iterdir()}
    with bound(path) as server, socket.socket(socket.AF_UNIX) as client:
        server.listen()
        with short(path) as at:
            client.connect(at)
        accepted, _ = server.accept()
        with accepted:
            client.sendall(b"x")
            assert accepted.recv(1) == b"x"
    assert path.is_socket()
    assert {path.name for path in Path("/proc/self/fd").iterdir()} == before


def test_without_its_folder_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bound(tmp_path / "gone" / "a.sock")
