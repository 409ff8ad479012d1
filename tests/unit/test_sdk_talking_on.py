"""The SDK's streams of a model that talks on: its helper refuses an answer that the limit cut, so it is asked
again with stop strings; a model that is declared to say the text alone is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import openai
import pytest

from gateway_acceptance.environment import Environment
from suites.api.observations import ENDS
from suites.api.sdk import probes
from tests.unit.declared import document, environment


def declared(*abilities: str) -> Environment:
    """One chat model with these abilities."""
    model = {"alias": "chatty", "kind": "chat", "abilities": list(abilities)}
    return environment(models=[model], groups=[], gateway=document()["gateway"])


def cut() -> openai.LengthFinishReasonError:
    return openai.LengthFinishReasonError(completion=SimpleNamespace(usage=None))  # type: ignore[arg-type]


def asked_with(given: object) -> list[str]:
    return given if isinstance(given, list) else []


def test_the_helper_is_asked_again_with_stop_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def once(_sdk: object, _environment: object, stop: object) -> str:
        asked.append(asked_with(stop))
        if not asked[-1]:
            raise cut()
        return "ended"

    monkeypatch.setattr(probes, "_helper_stream", once)
    sdk: Any = None
    assert probes.helper_stream(sdk, declared()) == "ended"  # type: ignore[comparison-overlap]
    assert asked == [[], list(ENDS)]
    with pytest.raises(openai.LengthFinishReasonError):
        probes.helper_stream(sdk, declared("exact"))
    assert asked[2:] == [[]]
