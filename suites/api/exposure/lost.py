"""What a gateway answers at paths that nobody has, and whether another answer is just that.

A console may answer any path with its page, and a load balancer or a gateway of few routes with JSON that it
lives. The same at a well-known path opens nothing there.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.rule import media_type

WORD = re.compile(r"""[^\s"'<>{},]+""")
"""What is compared of a page: an identifier, a nonce or a moment is one word each."""


@dataclass(frozen=True, slots=True)
class AskedPaths:
    """answers: of the paths that were asked, without a key; lost: of paths that nobody has, one asked before
    them and one after, so that a clock that stands still between the two stood still for all."""

    answers: tuple[Exchange, ...]
    lost: tuple[Exchange, Exchange]

    @property
    def found(self) -> list[Exchange]:
        """The answers that are more than what is told at paths that nobody has."""
        return [answer for answer in self.answers if not is_lost(answer, self.lost)]


def ask_paths(gateway: GatewayClient, paths: Iterable[str]) -> AskedPaths:
    """Ask paths without a key, between two that nobody has."""
    before = page_for_lost(gateway)
    answers = tuple(gateway.get(path, key=None) for path in paths)
    return AskedPaths(answers, (before, page_for_lost(gateway)))


def page_for_lost(gateway: GatewayClient) -> Exchange:
    """The answer to a path that nobody has."""
    return gateway.get(f"/no-such-page-{secrets.token_hex(8)}", key=None)


def is_page_for_lost(answer: Exchange, lost: Exchange) -> bool:
    """Whether an answer is the console's page, 200 and in HTML, to the byte as at a path that nobody has."""
    html = all(media_type(one.headers) == "text/html" and one.status == 200 for one in (answer, lost))
    return html and answer.body == lost.body


def is_lost(answer: Exchange, lost: tuple[Exchange, Exchange]) -> bool:
    """Whether an answer is what paths that nobody has are answered with, 200 each, of one media type: the
    same but for the path, where it is repeated, and for the words in which the two of ``lost`` differ."""
    kinds = {(one.status, media_type(one.headers)) for one in (answer, *lost)}
    if len(kinds) > 1 or answer.status != 200:
        return False
    first, second = (_words(_as_at(answer, one)) for one in lost)
    seen = _words(answer.text)
    if not len(first) == len(second) == len(seen):
        return False
    return all(word == one or one != other for word, one, other in zip(seen, first, second, strict=True))


def _as_at(answer: Exchange, lost: Exchange) -> str:
    """What a path that nobody has is answered with, as if the answer's path had been asked."""
    below, _, name = urlsplit(lost.url).path.rpartition("/")
    return lost.text.replace(name, urlsplit(answer.url).path.removeprefix(below).removeprefix("/"))


def _words(text: str) -> list[str]:
    return WORD.findall(text)
