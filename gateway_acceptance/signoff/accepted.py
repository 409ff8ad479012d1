"""Waivers as a record repeats them, and as a file of waivers declares them."""

from __future__ import annotations

from gateway_acceptance.record_model import RecordedWaiver
from gateway_acceptance.waivers import Waiver


def declared(entry: RecordedWaiver) -> Waiver:
    """The waiver without what the run says of it. Raises ValueError where no file could declare it."""
    return Waiver.model_validate_json(entry.model_dump_json(include=set(Waiver.model_fields)))
