"""A model that is declared to repeat a text and does not: untestable, and no failure of the gateway."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gateway_acceptance.verdict import Untestable
from gateway_acceptance.wire.backends.direct import DirectAnswer
from suites.api.exact import require_exact
from tests.unit.declared import beside, environment

CHAT = {"alias": "chat-one", "kind": "chat", "backend": "one", "upstream": "tiny"}


@pytest.mark.parametrize(
    ("abilities", "says", "untestable"),
    [
        (["exact"], "A good map.", True),
        (["exact"], "", True),
        (["exact"], "HX-OK\n", False),
        (["exact"], None, False),
        ([], "A good map.", False),
    ],
)
def test_what_strayed_is_the_models_where_its_backend_says_something_else(
    abilities: list[str], says: str | None, untestable: bool
) -> None:
    declared = environment(models=[{**CHAT, "abilities": abilities}], groups=[])
    if not untestable:
        require_exact(beside(declared, says), "chat-one")
        return
    with pytest.raises(Untestable, match=r"model: tiny on one is declared exact, .* take the ability from"):
        require_exact(beside(declared, says), "chat-one")


def test_a_backend_that_gives_no_message_says_nothing_of_its_model() -> None:
    declared = environment(models=[{**CHAT, "abilities": ["exact"]}], groups=[])
    target = beside(declared, "")
    target.backend = lambda _: SimpleNamespace(chat=lambda *_, **__: None, read=lambda _: DirectAnswer())
    require_exact(target, "chat-one")
