"""Prompts that are longer than a model's window: what was read of them, and who cut them."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_acceptance.environment import Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.backends import DirectChat
from suites.api.chat.probes import CODE_WORD, answer_directly, with_code_word

BEYOND_WORDS = 6000
"""More than Ollama's default window of 4096 tokens; a model with a larger one is asked no more than that."""
BEYOND = with_code_word(BEYOND_WORDS)
BEYOND_TOKENS = 32
APART_TOKENS = 256
"""What a gateway may write around a prompt, and templates of two versions: no cut."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was made of a long prompt whose first words are asked for. tokens: of the prompt, as counted."""

    text: str
    tokens: int

    @property
    def found(self) -> bool:
        """Whether the first words were read."""
        return CODE_WORD in self.text


def read_directly(target: Target, model: Model) -> Read | None:
    """What the backend itself makes of the prompt; None where it refuses it. Raises as
    ``answer_directly``."""
    said = answer_directly(target, model, DirectChat(BEYOND, BEYOND_TOKENS))
    return None if said.text is None else Read(said.text, said.prompt_tokens or 0)


def cut_by(seen: Read, directly: Read | None) -> tuple[str, str]:
    """(to blame, how one knows): who cut a prompt that was cut silently. seen: through the gateway."""
    if directly is None:
        return "gateway", "cut silently by the gateway: the backend itself refuses it"
    if directly.found:
        return (
            "gateway",
            f"cut silently by the gateway: the backend itself finds it ({directly.tokens} tokens)",
        )
    if directly.tokens > seen.tokens + APART_TOKENS:
        return "gateway", f"cut silently by the gateway: the backend itself reads {directly.tokens} tokens"
    return "backend", "cut silently by the backend itself"
