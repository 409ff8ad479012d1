"""What a model that is not declared to obey says after a stream was left: its own answer, or the stream's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from gateway_acceptance.verdict import CheckFailed, NotApplicable
from suites.api.sdk.test_chat import test_stream_left as stream_left
from tests.unit.declared import beside
from tests.unit.test_sdk_talking_on import declared

OWN, OTHER = "A river runs to the sea", "Numbers are fine things"


class Client:
    """The SDK's client: streams say OTHER, whole answers what is given, one after the other."""

    def __init__(self, answers: Sequence[str]) -> None:
        self._answers, self.asked = iter(answers), 0
        self.chat = SimpleNamespace(completions=self)

    def create(self, *, stream: bool = False, **_: Any) -> Any:
        self.asked += 1
        if stream:
            return self._streamed()
        return SimpleNamespace(
            choices=[SimpleNamespace(message=SimpleNamespace(content=next(self._answers)))]
        )

    @contextmanager
    def _streamed(self) -> Iterator[Iterator[Any]]:
        yield (
            SimpleNamespace(choices=[SimpleNamespace(delta=SimpleNamespace(content=word))])
            for word in ("", *OTHER)
        )


@pytest.mark.parametrize(
    ("answers", "ends"),
    [
        ([OWN, OWN], nullcontext()),
        ([OWN, OTHER, OWN], pytest.raises(CheckFailed, match="what answers that stream: 'Numbers")),
        ([OWN, OTHER, OTHER], pytest.raises(NotApplicable)),  # it says that by itself, too
        ([OWN, "A river runs on"], pytest.raises(NotApplicable)),  # it varies
        ([OWN, ""], pytest.raises(CheckFailed, match="to give a text")),
    ],
)
def test_the_next_answer_is_its_own(answers: list[str], ends: Any) -> None:
    environment, client = declared(), Client(answers)
    with ends:
        stream_left(beside(environment), client, environment)  # type: ignore[arg-type]
    assert client.asked == len(answers) + 1


@pytest.mark.parametrize(
    ("said", "ends"), [("HX-OK", nullcontext()), (OTHER, pytest.raises(CheckFailed, match="'HX-OK'"))]
)
def test_who_obeys_is_asked_once(said: str, ends: Any) -> None:
    client = Client([said])
    with ends:
        stream_left(beside(declared("exact")), client, declared("exact"))  # type: ignore[arg-type]
    assert client.asked == 2
