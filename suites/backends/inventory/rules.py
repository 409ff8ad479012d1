"""What must hold of a backend's models: what it says of them in, problems out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from gateway_acceptance.environment import ModelKind, ServedModel
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.backends import full_name

CAPABILITY = {ModelKind.CHAT: "completion", ModelKind.EMBEDDING: "embedding"}
"""Ollama's words for what a kind of model must be able to."""


def other_digests(wanted: Iterable[ServedModel], held: Mapping[str, str]) -> list[Problem]:
    """Models whose digest does not begin as declared. held: digest by full name; what is not held is the
    matter of another check."""
    declared = {(full_name(served.upstream), served.digest) for served in wanted if served.digest}
    return [
        Problem("", f"{model} has the digest {held[model][:12] or '(none)'}, declared is {digest[:12]}")
        for model, digest in sorted(declared)
        if model in held and not held[model].removeprefix("sha256:").startswith(digest)
    ]


def cannot(model: str, kind: ModelKind, capabilities: Sequence[str]) -> list[Problem]:
    """A model that is not made for what the gateway uses it for."""
    needed = CAPABILITY[kind]
    if needed in capabilities:
        return []
    able = ", ".join(capabilities) or "nothing"
    return [Problem("", f"{model} is declared as {kind.value} and lacks {needed!r}; it can {able}")]


def loaded_unheld(loaded: Collection[str], held: Collection[str]) -> list[Problem]:
    """Models in memory that the backend does not list."""
    return [
        Problem("", f"{model} is loaded, and not among the models of the backend")
        for model in sorted(set(loaded) - set(held))
    ]
