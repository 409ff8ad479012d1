"""Clients for the servers behind a gateway, one for each protocol that an environment can declare."""

from __future__ import annotations

from collections.abc import Mapping

from gateway_acceptance.environment import Backend
from gateway_acceptance.wire.backends.client import BackendClient, Kept, Offer, full_name
from gateway_acceptance.wire.backends.direct import JSON_MODE, Called, DirectAnswer, DirectChat
from gateway_acceptance.wire.backends.ollama import OllamaClient
from gateway_acceptance.wire.backends.openai import OpenAIClient
from gateway_acceptance.wire.sender import Sender

__all__ = [
    "CLIENTS",
    "JSON_MODE",
    "BackendClient",
    "Called",
    "DirectAnswer",
    "DirectChat",
    "Offer",
    "client_of",
    "full_name",
]

CLIENTS: Mapping[str, type[BackendClient]] = {"ollama": OllamaClient, "openai": OpenAIClient}
"""By ``backends.product``."""


def client_of(backend: Backend, sender: Sender, kept: Kept | None = None, key: str = "") -> BackendClient:
    """The client of a backend by its declared protocol. kept, key: as of ``BackendClient``."""
    return CLIENTS[backend.product](backend, sender, kept, key)
