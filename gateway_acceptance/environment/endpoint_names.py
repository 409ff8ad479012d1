"""The endpoints that an environment may promise: those that have a folder of their own in the suites,
``suites/api/<endpoint>/endpoint.toml``."""

from __future__ import annotations

import difflib
from typing import Annotated

from pydantic.functional_validators import AfterValidator

from gateway_acceptance.places import data_root

ENDPOINT_NAMES = tuple(
    sorted(path.parent.name for path in (data_root() / "suites" / "api").glob("*/endpoint.toml"))
)


def _known(value: str) -> str:
    if value in ENDPOINT_NAMES:
        return value
    close = difflib.get_close_matches(value, ENDPOINT_NAMES, n=1, cutoff=0.5)
    hint = f", did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"is the unknown endpoint {value!r}{hint}; known are: {', '.join(ENDPOINT_NAMES)}")


EndpointName = Annotated[str, AfterValidator(_known)]
"""An endpoint beyond models, chat and embeddings that checks know."""
