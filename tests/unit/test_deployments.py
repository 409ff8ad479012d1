"""The gateway's own list of deployments, as LiteLLM tells it."""

from __future__ import annotations

import pytest

from gateway_acceptance.wire.deployments import Listed, listed_deployments
from tests.unit.declared import environment

BACKENDS = environment().backends


def entry(**parameters: object) -> dict[str, object]:
    return {"model_name": "a", "litellm_params": parameters, "model_info": {"id": "7"}}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (
            {"model": "ollama_chat/tiny:2b", "api_base": "http://127.0.0.1:11434"},
            Listed("a", "one", "tiny:2b", "7"),
        ),
        (
            {"model": "openai/tiny", "api_base": "http://127.0.0.2:11434/v1", "weight": 2},
            Listed("a", "two", "tiny", "7", 2.0),
        ),
        (
            {"model": "ollama/hub/tiny", "api_base": "http://127.0.0.9:11434"},
            Listed("a", "http://127.0.0.9:11434", "hub/tiny", "7"),
        ),
        ({"model": "ollama/tiny"}, Listed("a", "", "tiny", "7")),
        ({"model": "hosted_vllm/hub/tiny"}, Listed("a", "", "hub/tiny", "7")),
        ({"model": "hub/tiny", "custom_llm_provider": "openai"}, Listed("a", "", "hub/tiny", "7")),
        ({"model": "tiny"}, Listed("a", "", "tiny", "7")),
    ],
)
def test_an_entry(parameters: dict[str, object], expected: Listed) -> None:
    """The provider goes from the model's name, and a declared address becomes the backend's name."""
    assert listed_deployments({"data": [entry(**parameters)]}, BACKENDS) == [expected]


def test_what_an_entry_may_lack() -> None:
    assert listed_deployments({"data": [{"model_name": "a"}]}, BACKENDS) == [Listed("a", "", "", "")]


@pytest.mark.parametrize("document", [None, [], {}, {"data": {}}, {"data": ["a"]}])
def test_what_is_no_list(document: object) -> None:
    assert listed_deployments(document, BACKENDS) is None
