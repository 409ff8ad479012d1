"""What every TOML table of an environment file has in common, and the types of its values."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field
from pydantic.functional_validators import AfterValidator

NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]*$"


def _http_url(value: str) -> str:
    if "${" in value:  # a variable that is not set yet: collection needs no address
        return value
    try:
        parts = urlsplit(value)
    except ValueError:
        raise ValueError(
            "holds a bracket that opens no IPv6 address; write http://[2001:db8::1]:4000"
        ) from None
    if "%" in (parts.hostname or ""):
        raise ValueError(
            "holds an IPv6 address with a zone (%), which only this machine understands; leave it out"
        )
    bare = value.partition("://")[2].partition("/")[0]
    if bare.count(":") > 1 and "[" not in bare and "@" not in bare:
        raise ValueError("holds an IPv6 address without brackets; write http://[2001:db8::1]:4000")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http:// or https:// URL with a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password: what stands in a file is shown; remove them")
    try:
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"has no valid port: {error}") from None
    return value.rstrip("/")


Url = Annotated[str, AfterValidator(_http_url)]
Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Table(BaseModel):
    """A TOML table: unknown keys are refused, nothing is coerced, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
