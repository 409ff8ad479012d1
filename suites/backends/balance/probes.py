"""The requests of a sample: everything that must not matter is varied by chance, each for itself."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LONG = "It was a bright cold day in April, and the clocks were striking thirteen. " * 4

TEXTS = {
    "short-1": "Name a colour.",
    "short-2": "Count to three.",
    "short-3": "Ваша 👩‍👩‍👧‍👦 κόσμε 世界?",
    "long-1": f"{LONG}What time was it?",
    "long-2": f"{LONG}Which month was it?",
    "long-3": f"{LONG}Was it warm?",
}
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "temperature 0": {"temperature": 0},
    "temperature 1": {"temperature": 1},
    "top_p and seed": {"top_p": 0.5, "seed": 7},
}
USERS = ("none", "anna", "boris", "chen")
CLIENTS = ("curl/8.5.0", "openai-python/1.99.9", "node-fetch/3.3.2")
CONNECTIONS = ("first", "second", "third", "fourth")
"""Each is kept open, as the connections of a client's pool are."""

TEXT, LENGTH, PARAMETER, STREAM = "text", "length", "parameters", "stream"
USER, CLIENT, CONNECTION, CONCURRENCY = "user", "user agent", "connection", "other requests at the same time"
KEYS = (TEXT, LENGTH, PARAMETER, STREAM, USER, CLIENT, CONNECTION, CONCURRENCY)
"""What must not matter, as messages call it."""

ALONE, TOGETHER, BATCHES = 16, 4, 2
"""Of a round: requests one after the other, whose order counts; then batches of requests at the same time."""

Features = dict[str, str | None]
"""Key -> its value of this request; None where it has none."""


@dataclass(frozen=True, slots=True)
class BalanceQuestion:
    """One request of a sample."""

    text: str
    parameters: str
    user: str
    client: str
    streams: bool
    connection: str | None

    @property
    def features(self) -> Features:
        """What it is keyed by. Requests at the same time have no connection of their own."""
        return {
            TEXT: self.text,
            LENGTH: self.text.split("-", maxsplit=1)[0],
            PARAMETER: self.parameters,
            STREAM: "streamed" if self.streams else "whole",
            USER: self.user,
            CLIENT: self.client,
            CONNECTION: self.connection,
            CONCURRENCY: "yes" if self.connection is None else "no",
        }

    def body(self, alias: str, mark: str) -> dict[str, Any]:
        """The chat request, of one answer token. The mark makes the backends' counts those of the sample."""
        body: dict[str, Any] = {
            "model": alias,
            "messages": [{"role": "user", "content": self._text(mark)}],
            "max_tokens": 1,
            **PARAMETERS[self.parameters],
            **({"stream": True} if self.streams else {}),
        }
        return body | self._user

    def embedding_body(self, alias: str, mark: str) -> dict[str, Any]:
        """The same as a request for an embedding, which is never streamed and has no parameters."""
        return {"model": alias, "input": self._text(mark), "encoding_format": "float"} | self._user

    @property
    def _user(self) -> dict[str, str]:
        return {} if self.user == "none" else {"user": self.user}

    def _text(self, mark: str) -> str:
        return f"{mark} {TEXTS[self.text]}"


def rounds(seed: int) -> Iterator[list[BalanceQuestion]]:
    """Without end: lists of one request, or of several to be sent at the same time."""
    chance = random.Random(seed)  # noqa: S311 (no secret: the same requests every time)
    while True:
        for _ in range(ALONE):
            yield [_by_chance(chance, chance.choice(CONNECTIONS))]
        for _ in range(BATCHES):
            yield [_by_chance(chance, None) for _ in range(TOGETHER)]


def _by_chance(chance: random.Random, connection: str | None) -> BalanceQuestion:
    return BalanceQuestion(
        text=chance.choice(list(TEXTS)),
        parameters=chance.choice(list(PARAMETERS)),
        user=chance.choice(USERS),
        client=chance.choice(CLIENTS),
        streams=chance.random() < 0.5,
        connection=connection,
    )
