"""Environments as their files would declare them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gateway_acceptance.environment import Environment
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.backends.direct import DirectAnswer

URL = "http://127.0.0.1:4000"


def document(**tables: Any) -> dict[str, Any]:
    """The content of an environment file; tables replace those given here."""
    return {
        "name": "mini",
        "kind": "staging",
        "gateway": {"url": URL, "key_variable": "MINI_KEY"},
        "backends": [
            {"name": "one", "url": "http://127.0.0.1:11434"},
            {"name": "two", "url": "http://127.0.0.2:11434"},
        ],
        "models": [
            {"alias": "chat-one", "kind": "chat", "backend": "one", "upstream": "tiny"},
            {"alias": "emb", "kind": "embedding", "backend": "two", "upstream": "vec", "dimensions": 8},
        ],
        "groups": [
            {
                "alias": "both",
                "deployments": [
                    {"backend": "one", "upstream": "tiny"},
                    {"backend": "two", "upstream": "tiny:2b"},
                ],
            }
        ],
        "policy": {"effects": ["read", "spend"], "requests": 10, "tokens": 1000, "seconds": 60},
        **tables,
    }


def environment(**tables: Any) -> Environment:
    """A validated environment."""
    complete = {**document(**tables), "source": str(Path("environments/mini.toml"))}
    return Environment.model_validate_json(json.dumps(complete))


def beside(declared: Environment, says: str | None = None) -> Any:
    """A target whose backends, asked directly, say this; None: they may not be asked."""

    def backend(_: str) -> Any:
        if says is None:
            raise NotApplicable("closed", declared="backends.direct")
        return SimpleNamespace(chat=lambda *_, **__: None, read=lambda _: DirectAnswer(says))

    return SimpleNamespace(environment=declared, once=lambda _, observe: observe(), backend=backend)
