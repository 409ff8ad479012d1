"""The door through which the lab reaches in: who can start an environment that declares ``[embedded]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from gateway_acceptance.disruptor import Disruptor
from gateway_acceptance.environment import Environment
from gateway_acceptance.usage import UsageProblem

GROUP = "gateway_acceptance.embedded"


class NotStarted(Exception):  # noqa: N818
    """An embedded environment could not be started: one sentence, and the last lines of the log."""

    def __init__(self, sentence: str, log: str = "") -> None:
        self.sentence, self.log = sentence, log
        super().__init__(f"{sentence}\n{log}" if log else sentence)


@dataclass(frozen=True, slots=True)
class Running:
    """A started environment. release: gives it back (and ends it, unless it was found running); facts: files
    of looks at its machines that the provider took itself, by machine name; limited_key: the one that its
    gateway made, or empty."""

    key: str
    release: Callable[[], None]
    facts: Mapping[str, str] = field(default_factory=dict)
    limited_key: str = ""


class Provider(Protocol):
    """Starts, or finds running, an embedded environment."""

    def acquire(
        self,
        environment: Environment,
        *,
        options: Mapping[str, str],
        root: Path,
        say: Callable[[str], None],
    ) -> Running:
        """Blocks until the environment answers. Raises NotStarted.

        It must end by itself when the calling process dies, however that happens. A provider that can take
        backends away has a method ``disruptor(environment, root)`` besides; see ``disruptor_of``.
        """
        ...  # pragma: no cover


def disruptor_of(environment: Environment, root: Path) -> Disruptor | None:
    """Who takes the backends of an environment away and gives them back; None where nobody can. Opened by
    whoever asks, and to be closed. Raises NotStarted where its lab does not answer."""
    if environment.embedded is None:
        return None
    opened = getattr(provider_of(environment), "disruptor", None)
    if opened is None:
        return None
    disruptor: Disruptor = opened(environment, root)
    return disruptor


def provider_of(environment: Environment) -> Provider:
    """The provider that the environment names. Raises UsageProblem for an unknown one."""
    assert environment.embedded is not None
    wanted = environment.embedded.provider
    known = {point.name: point for point in entry_points(group=GROUP)}
    if wanted not in known:
        declared = ", ".join(sorted(known)) or "none (is the project installed? run make setup)"
        raise UsageProblem(
            [f"{environment.source}: no embedded.provider {wanted!r} is installed; there are: {declared}"]
        )
    try:
        provider: Provider = known[wanted].load()
    except ModuleNotFoundError as error:
        raise UsageProblem(
            [
                f"{environment.source}: embedded.provider {wanted!r} belongs to the lab, whose packages "
                f"are not installed ({error.name}); pip install 'gateway-acceptance[lab]'"
            ]
        ) from None
    return provider
