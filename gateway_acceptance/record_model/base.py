"""What all parts of a record have in common: frozen, strict, without unknown fields.

A field that a record may lack is ``LeftOut`` or has a default; ``document_of`` writes what was given and
nothing else, so that a record that was read is written as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from gateway_acceptance.check import ID_PATTERN

T = TypeVar("T")


class RecordPart(BaseModel):
    """A part of the record with a fixed set of fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Declared(BaseModel):
    """A table of the environment file as the record repeats it: the fields that the views read, and others
    beside them, which docs/environments.md describes."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)


def given(value: object) -> object:
    """The value. Raises ValueError for null: what there is none of is left out."""
    if value is None:
        raise ValueError("is null; it is left out where there is none")
    return value


def a_moment(value: str) -> str:
    """The value. Raises ValueError for what is no time or day of the calendar."""
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value[:40]!r} is no time") from None
    return value


LeftOut = Annotated[T | None, BeforeValidator(given)]
"""Left out where there is none; never null."""
Number = Annotated[int | float, WithJsonSchema({"type": "number"})]
"""Kept as it was written: 24 stays 24, and 0.5 stays 0.5."""
Positive = Annotated[int | float, Field(gt=0), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
Seconds = Annotated[int | float, Field(ge=0), WithJsonSchema({"type": "number", "minimum": 0})]
Count = Annotated[int, Field(ge=0)]
Words = Annotated[str, Field(min_length=1)]
Instant = Annotated[
    str, Field(pattern="Z$", json_schema_extra={"format": "date-time"}), AfterValidator(a_moment)
]
"""UTC, ISO 8601 with Z."""
Day = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d{2}-\d{2}$", json_schema_extra={"format": "date"}),
    AfterValidator(a_moment),
]
CheckId = Annotated[str, Field(pattern=ID_PATTERN.pattern)]
ClaimId = Annotated[str, Field(pattern=r"^[A-Z]{3}-\d{2,3}$")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal digits."""
Texts = Sequence[str]
Documents = Sequence[dict[str, Any]]
