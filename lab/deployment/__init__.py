"""The reference deployment: its files, and the names by which the lab and its faults know it.

``api-gateway/`` is what its operators install, with the deployment script. Its environments stand with the
others (``environments/production.toml``, ``staging.toml``); what its tracker claims are the suite's templates
over them.
"""

from __future__ import annotations

from pathlib import Path

FILES = Path(__file__).parent
REPOSITORY = "/opt/HX-Infrastructure-"
REMOTE = "https://git.example/hx/HX-Infrastructure-.git"
PROJECT = "api-gateway"
"""Below the repository; the tree that ``host.tree`` declares."""
TREE = f"{REPOSITORY}/{PROJECT}"

SCRIPT = "scripts/deployment/deploy-litellm-gateway.sh"
CONFIGURATION = "config/api-gateway/config.yaml"
VIRTUAL_ENVIRONMENT = "gateway/venv"
"""These below the tree."""

UNIT = "hx-litellm-gateway.service"
UNIT_SOURCE = f"config/api-gateway/{UNIT}"
USER = "hx-gateway"
SECRETS_FOLDER = "/etc/hx-gateway"
SECRETS = f"{SECRETS_FOLDER}/hx-litellm-gateway.env"
HOST_NAME = "hx-api-gateway-server"
PROBE_ACCOUNT = "hx-probe"
"""The account that the suite logs in with."""

OWN_ADDRESS = "HX_GATEWAY_ADDRESS"
"""Tells the script which address its host must own."""


def backend_variable(backend: str) -> str:
    """The variable with a backend's URL: ``HX_LLM_01_URL`` of ``llm-01``."""
    return f"HX_{backend.upper().replace('-', '_')}_URL"
