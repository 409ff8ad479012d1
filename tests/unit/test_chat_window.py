"""Who cut a prompt that is longer than a window."""

from __future__ import annotations

import pytest

from suites.api.chat.probes import CODE_WORD
from suites.api.chat.window import APART_TOKENS, Read, cut_by

SEEN = Read("I do not know.", 4000)


@pytest.mark.parametrize(
    ("directly", "blame", "how"),
    [
        (Read("I do not know.", 4000), "backend", "by the backend itself"),
        (Read("I do not know.", 4000 + APART_TOKENS), "backend", "by the backend itself"),
        (Read("", 0), "backend", "by the backend itself"),
        (Read("I do not know.", 4001 + APART_TOKENS), "gateway", "itself reads 4257 tokens"),
        (Read(f"It is {CODE_WORD}.", 7000), "gateway", "itself finds it"),
        (None, "gateway", "itself refuses it"),
    ],
)
def test_who_cut(directly: Read | None, blame: str, how: str) -> None:
    found = cut_by(SEEN, directly)
    assert found[0] == blame
    assert how in found[1]
