"""What was judged, as it was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from gateway_acceptance.record_model.base import Count, Day, LeftOut, RecordPart

Taken = Mapping[str, str] | None
"""A fingerprint: name to value; null where it was not taken."""


class RecordedFingerprint(RecordPart):
    """What the target was at the start of the run, and at its end."""

    start: Taken
    end: Taken


class AdvisoryBase(RecordPart):
    """The base that published holes were judged by."""

    dated: Day
    count: Count
    origin: str


class RecordedTarget(RecordPart):
    """The gateway. product_version: empty where it is not known; facts: what checks measured."""

    gateway_url: str
    product: str
    product_version: str
    fingerprint: RecordedFingerprint
    facts: Mapping[str, str]
    advisories: Annotated[
        LeftOut[AdvisoryBase],
        Field(
            description="the base that published holes were judged by; absent in records of earlier suites"
        ),
    ] = None
    identity: Annotated[
        LeftOut[Mapping[str, Any]],
        Field(description="by what the gateway is known, as it is declared (gateway.identity)"),
    ] = None
