"""LiteLLM with PostgreSQL, as a lab runs it; ``installed`` is the file that lab.database.install writes."""

from __future__ import annotations

from lab.database.install import ensure_database
from lab.database.process import database_process
from lab.lab_gateway import LabGateway
from lab.litellm.install import resolve_version
from lab.litellm.process import LOG

GATEWAY = LabGateway("LiteLLM", resolve_version, ensure_database, database_process, LOG)
