"""A second key of a gateway, that may do less than the environment's own (docs/limited-keys.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from gateway_acceptance.environment.table import Table


class LimitedKey(Table):
    """key_variable: the environment variable that holds it; models: the aliases that it may use, all others
    are refused to it."""

    key_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    models: Annotated[tuple[str, ...], Field(min_length=1)]

    def problems(self, aliases: Sequence[str]) -> list[str]:
        """What contradicts the environment. aliases: all that it declares."""
        unknown = [alias for alias in self.models if alias not in aliases]
        if unknown:
            known = ", ".join(aliases)
            return [f"gateway.limited_key.models names {', '.join(unknown)}, declared are: {known}"]
        if set(self.models) >= set(aliases):
            return ["gateway.limited_key.models names every model: a limited key may not use all of them"]
        return []
