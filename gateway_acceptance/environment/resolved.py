"""One number for the whole of a declared environment, so that two declarations can be told apart."""

from __future__ import annotations

import hashlib
import json

from gateway_acceptance.environment.model import Environment


def resolved(environment: Environment) -> str:
    """SHA-256 (hex) of the environment as it was resolved, every table but the place of its file. It holds no
    secret: keys are named by their variables."""
    document = environment.model_dump(mode="json", exclude={"source"})
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
