"""A backend asked directly, past the gateway: what every protocol can be asked, and what only some can.

A client declares by ``offers`` what its protocol has beyond the rest. Whatever it lacks is not applicable by
the environment's own word (``backends.product``), never by what was seen. Design: docs/architecture.md.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar

from gateway_acceptance.environment import Backend
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from gateway_acceptance.wire.backends.direct import DirectAnswer, DirectChat
from gateway_acceptance.wire.exchange import Exchange, Headers
from gateway_acceptance.wire.sender import Sender, tokens_needed

Kept = Callable[[str, Callable[[], Exchange]], Exchange]
"""The answer that is known under a name, or the one that asking brings."""
OK = 200


class Offer(StrEnum):
    """What not every protocol has, as the end of a sentence: it has no …"""

    VERSION = "version of the server"
    ROOT = "sign at its root that it runs"
    DIGESTS = "digests of models"
    LOADED = "list of the models that are loaded"
    LOADING = "request that loads a model and asks nothing"
    CAPABILITIES = "list of a model's capabilities"
    IDLE_MARK = "time since which a model is idle"


class BackendClient(ABC):
    """A client of one server behind the gateway, in the protocol that is declared of it.

    Every request raises NoAnswer, blamed on the backend, where no answer comes, and NotPermitted, before
    anything is sent, where the budget does not suffice. Each method of an ``Offer`` raises NotApplicable
    where the protocol lacks it.
    """

    offers: ClassVar[frozenset[Offer]] = frozenset()
    server: ClassVar[str]
    """What a server of this protocol is called in sentences."""

    def __init__(self, backend: Backend, sender: Sender, kept: Kept | None = None, key: str = "") -> None:
        """kept: where what a backend says of itself is kept for the run; else it is asked each time. key: the
        backend's own, sent as a bearer token; empty for none."""
        self.backend, self._sender, self._key = backend, sender, key
        self._kept: Kept = kept or (lambda _, ask: ask())

    @abstractmethod
    def alive(self) -> Exchange:
        """The cheapest question that concerns no model."""

    @abstractmethod
    def models(self) -> dict[str, str]:
        """Every model by the name that ``name_of`` gives: its digest, empty where the protocol has none.
        Raises CheckFailed where the answer is no list of models."""

    @abstractmethod
    def name_of(self, model: str) -> str:
        """How the backend lists a model that the environment calls so."""

    @abstractmethod
    def fix_of_missing(self, model: str) -> str:
        """What to do about a model that it lacks."""

    @abstractmethod
    def converse(self, model: str, question: DirectChat) -> Exchange:
        """A question to a chat model."""

    @abstractmethod
    def read(self, answer: Exchange) -> DirectAnswer:
        """What an answer of ``converse`` says that was not streamed. Raises CheckFailed where a success is no
        JSON."""

    @abstractmethod
    def times_of_text(self, answer: Exchange) -> tuple[float, ...]:
        """When each piece of text of a streamed answer arrived, in seconds since the request was sent."""

    @abstractmethod
    def embedding(self, model: str, texts: str | Sequence[str]) -> Exchange:
        """The vectors of one text, or of several."""

    @abstractmethod
    def vectors(self, answer: Exchange) -> list[list[float]] | None:
        """The vectors in an answer of ``embedding``, in order; None where it is none, or one is no vector.
        Raises CheckFailed where it is no JSON."""

    def get(self, path: str) -> Exchange:
        """GET a path of the backend."""
        return self._send("GET", path)

    def chat(self, model: str, prompt: str, *, max_tokens: int) -> Exchange:
        """One user message at temperature 0, not streamed."""
        return self.converse(model, DirectChat([{"role": "user", "content": prompt}], max_tokens))

    def embed(self, model: str, text: str) -> list[float]:
        """The vector of one text. Raises CheckFailed where the answer holds none."""
        answer = self.embedding(model, text)
        if answer.status != OK:
            raise self._unexpected(answer)
        vectors = self.vectors(answer)
        if vectors is None or len(vectors) != 1:
            raise CheckFailed(f"{answer.url}: expected one vector, got {answer.text[:200]}", blame="backend")
        return vectors[0]

    def counts(self, mark: str) -> dict[str, int]:
        """The backend's own count: requests by full model name, with this mark where its URL takes one.

        The answer is ``{"models": {NAME: NUMBER}}``. Raises Untestable where it is anything else, KeyError
        where the environment declares none.
        """
        url = self.backend.counts_url
        if url is None:
            raise KeyError(self.backend.name)
        fix = f"correct what answers there, or take backends.counts of {self.backend.name} away"
        try:
            answer = self._sender.send("GET", url.replace("{mark}", mark))
            counted = answer.json() if answer.status == OK else None
        except CheckFailed as failure:
            raise Untestable(f"the count of {self.backend.name} cannot be read: {failure}", fix) from None
        models = counted.get("models") if isinstance(counted, dict) else None
        if not isinstance(models, dict) or not all(type(number) is int for number in models.values()):
            raise Untestable(
                f"the count of {self.backend.name} is none: got {answer.status} {answer.text[:120]}", fix
            )
        return {full_name(name): number for name, number in models.items()}

    def require(self, offer: Offer) -> None:
        """Raises NotApplicable where the protocol lacks it."""
        if offer not in self.offers:
            raise NotApplicable(
                f"{self.backend.name} is declared as {self.backend.product}: its protocol has no {offer}",
                declared="backends.product",
            )

    def version(self) -> str:
        """The server's version. Raises CheckFailed where the answer holds none."""
        raise self._lacking(Offer.VERSION)

    def root(self) -> Exchange:
        """What it answers at its root."""
        raise self._lacking(Offer.ROOT)

    def loaded(self) -> set[str]:
        """The models that are in memory now, by ``name_of``."""
        raise self._lacking(Offer.LOADED)

    def load(self, model: str) -> Exchange:  # noqa: ARG002
        """Load a model, and ask it nothing."""
        raise self._lacking(Offer.LOADING)

    def capabilities(self, model: str) -> list[str] | None:  # noqa: ARG002
        """What a model can do, in Ollama's words; None where the server tells none of any model."""
        raise self._lacking(Offer.CAPABILITIES)

    def idle_mark(self, model: str) -> str | None:  # noqa: ARG002
        """A mark that moves when the last request to a loaded model has ended, and stands still while one is
        under way; None where the model is not loaded."""
        raise self._lacking(Offer.IDLE_MARK)

    def warm_s(self, answer: Exchange) -> float:
        """Seconds that an answer took, without the time in which the model was loaded where that is told."""
        return answer.elapsed_s

    def _lacking(self, offer: Offer) -> NotApplicable:
        try:
            self.require(offer)
        except NotApplicable as lacking:
            return lacking
        raise NotImplementedError(f"{type(self).__name__} offers the {offer} and does not ask for it")

    def _send(self, method: str, path: str, body: object = None, tokens: int = 0) -> Exchange:
        content = b"" if body is None else json.dumps(body).encode()
        headers: Headers = [("content-type", "application/json")] if content else []
        if self._key:
            headers = [*headers, ("authorization", f"Bearer {self._key}")]
        try:
            return self._sender.send(
                method, self.backend.url + path, headers=headers, body=content, tokens=tokens
            )
        except CheckFailed as failure:
            raise type(failure)(failure.problems, blame="backend") from None

    def _unexpected(self, answer: Exchange) -> CheckFailed:
        return CheckFailed(f"{answer.url}: expected status 200, got {answer.status}", blame="backend")

    def _entries(self, answer: Exchange, name: str) -> list[Mapping[str, Any]]:
        """The objects of a list of models. Raises CheckFailed where it is none."""
        entries = self._member(answer, name)
        if not isinstance(entries, list):
            raise CheckFailed(f"{answer.url}: expected a list of models, got {entries!r}", blame="backend")
        return [entry for entry in entries if isinstance(entry, dict)]

    def _member(self, answer: Exchange, name: str) -> Any:
        """A member of a success. Raises CheckFailed where it is none."""
        if answer.status != OK:
            raise self._unexpected(answer)
        body = answer.json()
        return body.get(name) if isinstance(body, dict) else None


def tokens_of(body: object, limit: int) -> int:
    """What a question of this body and limit may cost."""
    return tokens_needed(json.dumps(body), limit)


def full_name(model: str) -> str:
    """Ollama's full name: ``phi3`` is ``phi3:latest``."""
    return model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest"
