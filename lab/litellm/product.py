"""LiteLLM, as a lab runs it."""

from __future__ import annotations

from lab.lab_gateway import LabGateway
from lab.litellm.install import ensure_litellm, resolve_version
from lab.litellm.process import LOG, litellm_process

GATEWAY = LabGateway("LiteLLM", resolve_version, ensure_litellm, litellm_process, LOG)
