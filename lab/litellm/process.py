"""The LiteLLM process of a lab, with its configuration file."""

from __future__ import annotations

from collections.abc import Mapping

from lab.gateway_process import Child
from lab.litellm.config import litellm_config, ordinary_logs, own_config
from lab.ports import place
from lab.specification import Specification

LOG = "litellm.log"


def litellm_process(specification: Specification, further: Mapping[str, str] | None = None) -> Child:
    """The proxy at the gateway's address; writes its configuration to the lab's folder. further: variables of
    its environment besides the usual ones."""
    environment, folder = specification.environment, specification.folder
    config = folder / "litellm.yaml"
    config.write_text(
        own_config(environment) or litellm_config(environment, forward_headers=bool(specification.views)),
        encoding="utf-8",
    )
    host, port = place(environment.gateway.url)
    command = [str(specification.installed), "--host", host, "--port", str(port), "--config", str(config)]
    variables = {
        "LITELLM_MASTER_KEY": specification.key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # do not fetch a price list at start
        "LITELLM_MODE": "PRODUCTION",
        "PYTHONUNBUFFERED": "1",
        **(further or {}),
    }
    if not ordinary_logs(environment):
        variables["LITELLM_LOG"] = "ERROR"
    ready = f"http://{host}:{port}/health/readiness"
    return Child("LiteLLM", command, variables, folder / LOG, ready)
