"""Portkey, as a lab runs it."""

from __future__ import annotations

from lab.lab_gateway import LabGateway
from lab.portkey.install import ensure_portkey, locked_version
from lab.portkey.process import LOG, portkey_process

GATEWAY = LabGateway("Portkey", locked_version, ensure_portkey, portkey_process, LOG)
