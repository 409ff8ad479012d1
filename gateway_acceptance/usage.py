"""Bad input: one clear sentence each, exit code 4, nothing sent."""

from __future__ import annotations

from collections.abc import Sequence

EXIT_READY = 0
EXIT_NOT_READY = 1
EXIT_INTERRUPTED = 2
EXIT_HARNESS_ERROR = 3
EXIT_USAGE = 4
EXIT_INTEGRITY_ONLY = 5
"""A sign-off whose bytes are whole, and of whose signer nothing independent is known."""


class UsageProblem(Exception):  # noqa: N818
    """What is wrong, where, and how to fix it; one sentence per mistake."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = list(sentences)
        super().__init__("\n".join(self.sentences))
