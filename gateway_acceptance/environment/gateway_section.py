"""``[gateway]``: the gateway under test, as an environment file declares it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from gateway_acceptance.environment.base_url import BaseUrl
from gateway_acceptance.environment.endpoint_names import EndpointName
from gateway_acceptance.environment.identity import Identity
from gateway_acceptance.environment.limited_key import LimitedKey
from gateway_acceptance.environment.network import VARIABLE_NAME
from gateway_acceptance.environment.product_names import ANY_OTHER, ProductName
from gateway_acceptance.environment.table import Table

KEY_SOURCES: Final = ("key_variable", "key_file", "key_command")
BEARER_HEADER: Final = "authorization"
"""Where a key is a bearer token; in any other header it stands alone."""


class Gateway(Table):
    """The gateway under test.

    variant: how the product was installed, where that matters (``prisma``: LiteLLM with its database
    driver; empty for without); upstreams: what it speaks to its backends besides Ollama's own protocol, by
    which its release does more by itself; key_variable, key_file, key_command: where its key comes from,
    exactly one (an environment variable, a file, the output of a program); key_header: the header that it
    is sent in, as a bearer token in ``authorization``, by itself in any other, and nowhere else; endpoints:
    those beyond models, chat and embeddings that it promises; description_path: where it publishes its
    OpenAPI description, empty for nowhere; public_paths: what may answer without a key; response_headers:
    what every answer must carry; cors_origins: origins that browsers may call from (none by default);
    unjudged_models: ids that the gateway lists beyond the declared ones, and that nobody judges (images, a
    wildcard); one that ends with ``*`` stands for all that begin so; pre_call_checks: LiteLLM's
    ``enable_pre_call_checks``, without which 1.74.15 takes no notice of an ``order``; limited_key: a second
    key that may do less (docs/limited-keys.md); identity: by what it is known on every connection.
    """

    url: BaseUrl
    product: ProductName = ANY_OTHER
    version: str | None = None
    variant: Annotated[str, Field(pattern=r"^[a-z0-9]*$")] | None = None
    upstreams: tuple[Literal["openai"], ...] = ()
    key_variable: Annotated[str, Field(pattern=VARIABLE_NAME)] | None = None
    key_file: Path | None = None
    key_command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    key_header: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = BEARER_HEADER
    known_default_keys: tuple[str, ...] = ()
    liveness_path: str | None = None
    readiness_path: str | None = None
    description_path: str | None = None
    served_by_header: str | None = None
    endpoints: tuple[EndpointName, ...] = ()
    public_paths: tuple[str, ...] = ()
    response_headers: dict[str, str] = Field(default_factory=dict)
    cors_origins: tuple[str, ...] = ()
    unjudged_models: tuple[str, ...] = ()
    pre_call_checks: bool = False
    limited_key: LimitedKey | None = None
    identity: Identity | None = None
    connect_deadline_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    request_deadline_s: Annotated[float, Field(gt=0, le=3600)] = 120.0


def is_declared(path: str, public_paths: Sequence[str]) -> bool:
    """Whether the environment declares the path open. ``/ui/*`` covers all below ``/ui/``; a trailing slash
    makes no other path."""
    return any(
        path.startswith(public[:-1]) if public.endswith("*") else path.rstrip("/") == public.rstrip("/")
        for public in public_paths
    )
