"""The base URL of a gateway or backend, as people write it: with ``/v1`` or without; every request names it
itself."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic.functional_validators import AfterValidator

from gateway_acceptance.environment.table import Url

VERSION = "/v1"
"""The base URL of OpenAI's own clients ends with it; ours does not."""
ENDPOINTS = ("/chat/completions", "/completions", "/embeddings", "/models", "/responses")


def _understood(value: str) -> str:
    if "${" in value:  # a variable that is not set yet
        return value
    parts = urlsplit(value)
    if parts.query or parts.fragment:
        bare = parts._replace(query="", fragment="").geturl().rstrip("/")
        raise ValueError(f"must hold neither query nor fragment; write {bare!r}")
    for endpoint in ENDPOINTS:
        if value.endswith(VERSION + endpoint):
            base = value.removesuffix(VERSION + endpoint).rstrip("/")
            raise ValueError(f"is the URL of one endpoint; write {base!r}, without {VERSION}{endpoint}")
    return value.removesuffix(VERSION).rstrip("/")


BaseUrl = Annotated[Url, AfterValidator(_understood)]
"""A URL without ``/v1`` and without a slash at its end; a sentence with the right one for an endpoint's."""


def as_understood(written: object, understood: str, place: str = "gateway.url") -> list[str]:
    """What a person is told where ``/v1`` was taken off what they wrote; a slash alone is nobody's news.
    place: the key in the file."""
    if not isinstance(written, str) or written.rstrip("/") == understood:
        return []
    return [f"{place} {written!r} is taken as {understood!r}: every request names {VERSION} itself"]
