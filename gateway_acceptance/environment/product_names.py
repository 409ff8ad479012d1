"""The products of gateways that an environment may name: those that have a file of what is known of them,
``products/<product>/product.toml``."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

from pydantic.functional_validators import AfterValidator

ANY_OTHER = "openai-compatible"
PRODUCTS_FOLDER = Path(__file__).parents[1] / "products"
KNOWN = "product.toml"
PRODUCT_NAMES = (*sorted(path.parent.name for path in PRODUCTS_FOLDER.glob(f"*/{KNOWN}")), ANY_OTHER)

MISSPELT = 0.75
"""How alike a name must be to be a known one misspelt: vllm is no litellm (0.55), litelm is (0.92)."""


def _known(value: str) -> str:
    if value in PRODUCT_NAMES or "${" in value:
        return value
    named = [name for name in PRODUCT_NAMES if name in value.lower()]  # litellm-proxy
    close = named or difflib.get_close_matches(value.lower(), PRODUCT_NAMES, n=1, cutoff=MISSPELT)
    hint = f", did you mean {close[0]!r}?" if close else ""
    known = ", ".join(PRODUCT_NAMES[:-1])
    raise ValueError(
        f"is the unknown product {value!r}{hint}; known are: {known}; {ANY_OTHER!r} is any other"
    )


ProductName = Annotated[str, AfterValidator(_known)]
"""A product that we know something of, or ``openai-compatible``."""
