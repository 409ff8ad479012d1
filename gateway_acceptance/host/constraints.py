"""What single facts must be like, beyond their type, so that they can be read."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

NUMBERS = re.compile(r"(?<![0-9])[0-9]+(\s+[0-9]+){3}")
CAPABILITIES = re.compile(r"[0-9a-fA-F]{1,32}")
STATUS = {
    **dict.fromkeys(("Uid", "Gid"), NUMBERS),
    **dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), CAPABILITIES),
}
"""What /proc/PID/status always has."""


def _address(text: str) -> str:
    ipaddress.ip_address(text)
    return text


def _status(status: dict[str, str]) -> dict[str, str]:
    for name, form in STATUS.items():
        if not form.fullmatch(status.get(name, "")):
            raise ValueError(f"{name} is absent or no number")
    return status


def _properties(properties: dict[str, str]) -> dict[str, str]:
    for name in ("MainPID", "NRestarts"):
        if not re.fullmatch("[0-9]{1,18}", properties.get(name, "0")):
            raise ValueError(f"{name} is no number")
    return properties


def _links(links: dict[str, Any]) -> dict[str, Any]:
    if any(isinstance(value, dict) != (name == "init") for name, value in links.items()):
        raise ValueError("init alone holds links of its own")
    return links


Count = Annotated[int, Field(ge=0)]
Limit = Annotated[str, StringConstraints(pattern=r"^([0-9]+|unlimited)$")]
Mode = Annotated[str, StringConstraints(pattern=r"^[0-7]{1,6}$")]
Address = Annotated[str, AfterValidator(_address)]
Status = Annotated[dict[str, str], AfterValidator(_status)]
Properties = Annotated[dict[str, str], AfterValidator(_properties)]
Links = Annotated[dict[str, str | dict[str, str]], AfterValidator(_links)]
