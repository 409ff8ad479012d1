"""Defects of the backends, as the real gateway passes them on and as they show when asked directly."""

from __future__ import annotations

from lab.faults.model import Fault, backend_fault

BACKEND_FAULTS: tuple[Fault, ...] = (
    backend_fault(
        "backend-down",
        "every backend drops each connection",
        {
            "BACKEND-REACH-001": "connection broke",
            "BACKEND-INV-001": "connection broke",
            "API-CHAT-001": "got 5",
        },
        scenario="backend-down",
    ),
    backend_fault(
        "backend-not-ollama",
        "something else listens on the backend's port",
        {"BACKEND-REACH-001": "expected status 200, got 404"},
        scenario="wrong-version-path",
    ),
    backend_fault(
        "backend-lacks-model",
        "a model that the gateway lists was never pulled",
        {"BACKEND-INV-001": "lacks ", "API-CHAT-001": "expected 200"},
        scenario="model-missing",
    ),
    backend_fault(
        "backend-error-500",
        "the model runner crashes on each request",
        {"API-CHAT-001": "got 5", "API-EMB-001": "got 5"},
        scenario="error-500",
    ),
    backend_fault(
        "model-disobeys",
        "the model wraps the requested text in words of its own",
        {"API-CHAT-002": "model: .* is declared exact, and its backend, asked directly, answers"},
        scenario="echo-disobeyed",
    ),
    backend_fault(
        "embedding-short",
        "vectors lack their last number",
        {"API-EMB-001": "dimensions"},
        scenario="embedding-dimensions",
    ),
    backend_fault(
        "embedding-constant",
        "every text has the same vector",
        {"API-EMB-001": "same|equal|identical"},
        scenario="embedding-constant",
    ),
)
