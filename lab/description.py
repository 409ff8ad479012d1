"""The description that a gateway makes of its routes, made before many environments look at it at once."""

from __future__ import annotations

import contextlib
import urllib.request

from lab.patience import patient

MADE_WITHIN_S = 30


def have_it_described(url: str) -> None:
    """Have a gateway of the lab make its OpenAPI description. LiteLLM makes it when it is first asked for,
    and answers nobody meanwhile, for seconds on busy cores: all who stand before it would be red."""
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"{url}/openapi.json", timeout=patient(MADE_WITHIN_S)) as described,  # noqa: S310  (the lab's own)
    ):
        described.read()
