"""One number for the whole of a declared environment, so that two declarations can be told apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from gateway_acceptance.environment.model import Environment


def resolved(environment: Environment) -> str:
    """SHA-256 (hex) of the environment as it was resolved, every table but the place of its file. It holds no
    secret: keys are named by their variables."""
    return digest_of_names(resolved_document(environment))


def resolved_document(environment: Environment) -> dict[str, Any]:
    """What ``resolved`` stands for, as JSON has it."""
    document: dict[str, Any] = environment.model_dump(mode="json", exclude={"source"})
    return document


def digest_of_names(document: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of names and what they stand for, in whatever order they are."""
    return hashlib.sha256(json.dumps(dict(document), sort_keys=True).encode()).hexdigest()
