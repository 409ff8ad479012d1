"""What a backend knows of a model, and how Ollama describes it in listings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DEFAULT_CONTEXT = 4096  # tokens; what Ollama gives a model on a machine with less than 24 GB of video memory
MODIFIED_AT = "2025-10-01T08:00:00Z"
BYTES_PER_PARAMETER = 0.6  # of 4-bit quantised weights, roughly

_UNITS = {"K": 1e3, "M": 1e6, "B": 1e9}
_REGISTRY = "registry.ollama.ai/"
_LIBRARY = "library/"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model: ``dimensions`` is the length of its vectors, ``context_length`` its window in tokens.

    ``capabilities`` are Ollama's words (completion, tools, embedding, thinking); where none are given they
    follow from the kind: a chat model completes and calls tools, an embedding model embeds. A model that does
    not obey talks, and neither counts nor repeats nor heeds; its digest is the same.
    """

    kind: Literal["chat", "embedding"]
    dimensions: int = 3072
    family: str = "llama"
    parameter_size: str = "3.2B"
    context_length: int = 131072
    capabilities: tuple[str, ...] = ()
    quantization: str = "Q4_K_M"
    obeys: bool = field(default=True, repr=False)

    def can(self, capability: str) -> bool:
        """Whether the model has one of Ollama's capabilities."""
        return capability in self.all_capabilities

    @property
    def all_capabilities(self) -> tuple[str, ...]:
        """The declared capabilities, or those of the kind."""
        kind = ("completion", "tools") if self.kind == "chat" else ("embedding",)
        return self.capabilities or kind

    @property
    def parameters(self) -> int:
        """The number of parameters that ``parameter_size`` names (``3.2B`` is 3 200 000 000)."""
        return round(float(self.parameter_size[:-1]) * _UNITS[self.parameter_size[-1].upper()])

    def window(self, num_ctx: int | None) -> int:
        """The context window of a request in tokens: ``num_ctx``, or Ollama's default, within the model's."""
        return max(4, min(num_ctx or DEFAULT_CONTEXT, self.context_length))


Inventory = Mapping[str, ModelSpec]
"""Models by their normalised name."""


def normalise(name: str) -> str:
    """A model's full short name: ``phi3``, ``library/phi3`` and ``PHI3:latest`` are all ``phi3:latest``."""
    short = name.strip().lower().removeprefix(_REGISTRY).removeprefix(_LIBRARY)
    if not short:
        return ""
    return short if ":" in short.rpartition("/")[2] else f"{short}:latest"


def qualified(name: str) -> str:
    """The name with its registry, as Ollama's errors write it."""
    short = normalise(name)
    return f"{_REGISTRY}{short}" if "/" in short else f"{_REGISTRY}{_LIBRARY}{short}"


def digest(name: str, spec: ModelSpec) -> str:
    """64 hexadecimal digits, the same for the same model on every backend."""
    return hashlib.sha256(f"{normalise(name)} {spec}".encode()).hexdigest()


def details(spec: ModelSpec) -> dict[str, Any]:
    """The ``details`` object of tags, show and ps."""
    return {
        "parent_model": "",
        "format": "gguf",
        "family": spec.family,
        "families": [spec.family],
        "parameter_size": spec.parameter_size,
        "quantization_level": spec.quantization,
    }


def listed(name: str, spec: ModelSpec) -> dict[str, Any]:
    """One entry of GET /api/tags."""
    return {
        "name": name,
        "model": name,
        "modified_at": MODIFIED_AT,
        "size": _size(spec),
        "digest": digest(name, spec),
        "details": details(spec),
    }


def running(name: str, spec: ModelSpec, expires_at: str) -> dict[str, Any]:
    """One entry of GET /api/ps."""
    return {
        "name": name,
        "model": name,
        "size": _size(spec),
        "digest": digest(name, spec),
        "details": details(spec),
        "expires_at": expires_at,
        "size_vram": _size(spec),
        "context_length": spec.window(None),
    }


def shown(name: str, spec: ModelSpec) -> dict[str, Any]:
    """The answer of POST /api/show."""
    return {
        "license": "a licence text",
        "modelfile": f"FROM {name}\n",
        "parameters": f"num_ctx {spec.window(None)}",
        "template": "{{ .Prompt }}",
        "details": details(spec),
        "model_info": {
            "general.architecture": spec.family,
            "general.parameter_count": spec.parameters,
            f"{spec.family}.context_length": spec.context_length,
            f"{spec.family}.embedding_length": spec.dimensions,
        },
        "capabilities": list(spec.all_capabilities),
        "modified_at": MODIFIED_AT,
    }


def _size(spec: ModelSpec) -> int:
    return round(spec.parameters * BYTES_PER_PARAMETER)
