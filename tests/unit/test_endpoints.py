"""An endpoint's own file: what it says, what its faults do, and what a mistake in it earns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway_acceptance.endpoints import EndpointFault, endpoint_folders
from gateway_acceptance.environment.endpoint_names import ENDPOINT_NAMES
from gateway_acceptance.usage import UsageProblem
from lab.faults.declared import fault_of, merged
from lab.faults.model import Fault
from lab.message import Reply, Request, json_reply

ROOT = Path(__file__).parents[2]
HEAD = 'path = "/v1/rerank"\nsection = "POST /v1/rerank"\n'
FAULT = '[[fault]]\nname = "one"\ndescription = "x"\ndetected_by = { "API-A-001" = "y" }\n'
ASKED, ELSEWHERE = (Request("POST", path, (), b"") for path in ("/v1/rerank", "/v1/models"))


def mistakes(suites: Path, text: str) -> list[str]:
    path = suites / "api" / "rerank" / "endpoint.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageProblem) as caught:
        endpoint_folders(suites)
    return [sentence.removeprefix(f"{path}: ") for sentence in caught.value.sentences]


def test_what_has_a_folder_may_be_promised() -> None:
    assert tuple(one.name for one in endpoint_folders(ROOT / "suites")) == ENDPOINT_NAMES
    assert {"completions", "responses"} <= set(ENDPOINT_NAMES)


def test_mistakes_are_told_with_their_place(tmp_path: Path) -> None:
    assert "cannot be read as TOML" in mistakes(tmp_path, "path =")[0]
    assert mistakes(tmp_path, 'section = "x"\n') == ["path is missing; add it"]
    assert "unknown key paths, did you mean 'path'?" in mistakes(tmp_path, HEAD + "paths = 1\n")[0]
    wrong = HEAD.replace("/v1/rerank", "/v1/ranks", 1)
    assert mistakes(tmp_path, wrong) == [
        "path '/v1/ranks' does not end with /rerank; name the folder after it"
    ]
    (idle,) = mistakes(tmp_path, HEAD + FAULT)
    assert idle == "the fault 'one' changes nothing; give it answer, merge or drop"


def test_a_merge_patch_changes_what_it_names() -> None:
    body = {"a": {"b": 1, "c": 2}, "d": 3}
    assert merged(body, {"a": {"b": 4}, "e": {"f": 5}}) == {"a": {"b": 4, "c": 2}, "d": 3, "e": {"f": 5}}
    assert body == {"a": {"b": 1, "c": 2}, "d": 3}


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"merge": {"a": 2}}, {"a": 2, "b": 1}),
        ({"drop": ["b"]}, {"a": 1}),
        ({"merge": {"c": 3}, "drop": ["a", "b"]}, {"c": 3}),
    ],
)
def test_a_fault_changes_the_answers_of_its_endpoint_alone(fault: object, seen: object) -> None:
    after = made(fault).after
    reply = json_reply(200, {"a": 1, "b": 1})
    assert after is not None
    assert after(ASKED, reply).json == seen
    assert after(ELSEWHERE, reply) is reply
    refused = json_reply(400, {"a": 1})
    assert after(ASKED, refused) is refused


def test_a_fault_answers_by_itself() -> None:
    crash, other = made({"answer": {"status": 500, "text": "no"}}), made({"answer": {"json": {"a": 1}}})
    assert crash.before is not None
    assert other.before is not None
    reply = crash.before(ASKED)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (500, b"no")
    assert other.before(ASKED) == json_reply(200, {"a": 1})
    assert other.before(ELSEWHERE) is ELSEWHERE


def made(change: object) -> Fault:
    document = {"name": "one", "description": "x", "detected_by": {"API-A-001": "y"}}
    assert isinstance(change, dict)
    return fault_of(EndpointFault.model_validate_json(json.dumps(document | change)), "/v1/rerank")
