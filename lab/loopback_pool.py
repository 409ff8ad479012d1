"""Loopback networks for labs of which several may run at a time: one each, given back by the kernel."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from gateway_acceptance.embedded import NotStarted

NETS = tuple(f"127.{second}" for second in range(41, 72))
"""127.40 is the environment ``local``."""


@contextmanager
def own_net() -> Iterator[str]:
    """The first two numbers of loopback addresses that no other lab uses, for example ``127.41``.

    Held by an abstract unix socket, which goes with the process however it ends. Raises NotStarted where
    all are taken.
    """
    for net in NETS:
        with socket.socket(socket.AF_UNIX) as held:
            try:
                held.bind(f"\0gateway-acceptance-lab-{net}")
            except OSError:
                continue
            yield net
            return
    raise NotStarted(f"all {len(NETS)} loopback networks of the lab are in use; end a run and try again")
