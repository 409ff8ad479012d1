"""A record without secrets: every text of it redacted, the record's own vocabulary left as it is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from gateway_acceptance.record_model.record import Record, document_of


def redacted(record: Record, redact: Callable[[object], object]) -> Record:
    """The record with all its strings redacted. redact: of a JSON-like value, as ``Redactor.tree``.

    Where a secret is a word that the record is made of (``production``), that word stays: the scan of what
    was written finds it and voids the run. The record itself where even so none is left.
    """
    original = document_of(record)
    shown: Any = redact(original)
    for _ in range(2):
        try:
            return Record.model_validate(shown)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_context=False, include_input=False):
                _restore(shown, original, one["loc"])
    return record


def _restore(shown: Any, original: Any, place: Sequence[int | str]) -> None:
    """Put one value back as it was; steps that are no place in a document (a union's branch) end the way."""
    for step in place:
        known = original[step] if _leads(original, step) else None
        if known is None or not _leads(shown, step):
            return
        if isinstance(known, dict | list):
            shown, original = shown[step], known
        else:
            shown[step] = copy.copy(known)
            return


def _leads(value: Any, step: int | str) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)
