"""The limited key: as it is declared, where it comes from, and what its holder must not get."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.environment.load import missing_variables
from gateway_acceptance.environment.secrets import secrets_of
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.wire.exchange import Exchange
from lab.faults.limited import MAY, PREFIX, KeyManagement
from lab.message import Reply, Request
from suites.api.limits.probes import limits
from suites.api.limits.rules import asks_again, information_leak, listed_wrongly, not_refused, reached

ROOT = Path(__file__).parents[2]
OWN, LIMITED = "sk-own-0123456789", "sk-limited-0123456789"


def environment(folder: Path, **limited: Any) -> Environment:
    document = tomllib.loads((ROOT / "environments" / "local.toml").read_text(encoding="utf-8"))
    del document["embedded"]
    document |= {"name": "given", "kind": "staging"}
    document["policy"]["effects"] = ["read", "spend"]
    document["gateway"] |= {"key_variable": "OWN", "limited_key": limited}
    path = folder / "given.toml"
    path.write_text(tomli_w.dumps(document), encoding="utf-8")
    return load_environment(str(path), ROOT, {})


def answer(status: int, body: object) -> Exchange:
    return Exchange("GET", "u", (), b"", status=status, chunks=((0.0, json.dumps(body).encode()),))


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (["llm02-phi"], "gateway.limited_key.models names llm02-phi, declared are: "),
        ([], "gateway.limited_key.models"),
    ],
)
def test_models_that_are_not_there_are_refused(tmp_path: Path, models: list[str], said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        environment(tmp_path, key_variable="LIMITED", models=models)


def test_a_limited_key_for_everything_is_none(tmp_path: Path) -> None:
    every = environment(tmp_path, key_variable="LIMITED", models=["hx-chat"]).aliases
    with pytest.raises(UsageProblem, match="names every model"):
        environment(tmp_path, key_variable="LIMITED", models=every)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OWN": OWN}, "names LIMITED, which is not set; export LIMITED with the limited key"),
        ({"OWN": OWN, "LIMITED": OWN}, "which holds the gateway's own key"),
        ({"OWN": OWN, "LIMITED": "two words here"}, "holds spaces"),
        ({"OWN": OWN, "LIMITED": LIMITED}, ""),
    ],
)
def test_its_variable_is_looked_at_before_anything_is_sent(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    given = environment(tmp_path, key_variable="LIMITED", models=["hx-chat"])
    found = missing_variables(given, variables)
    assert len(found) == bool(said)
    assert all(said in sentence and OWN not in sentence for sentence in found)


def test_it_is_a_secret(tmp_path: Path) -> None:
    given = environment(tmp_path, key_variable="LIMITED", models=["hx-chat"])
    assert LIMITED in secrets_of(given, {"LIMITED": LIMITED}).values()
    assert limits(given).may == ("hx-chat",)
    assert "hx-chat" not in limits(given).may_not


def test_a_list_holds_its_models_and_no_others() -> None:
    entries = {"data": [{"id": "a"}, {"id": "b"}]}
    assert listed_wrongly(answer(200, entries), ["a", "b"]) == []
    more, less = (listed_wrongly(answer(200, entries), may) for may in (["a"], ["a", "b", "c"]))
    assert [problem.message for problem in (*more, *less)] == [
        "b is listed, which the key may not use",
        "c is not listed, which the key may use",
    ]
    assert listed_wrongly(answer(403, {}), ["a"])


def test_other_models_are_refused_with_a_client_error() -> None:
    found = not_refused(
        {"a": answer(403, {}), "b": answer(200, {}), "c": answer(500, {}), "d": answer(404, {})}
    )
    assert [problem.message[:2] for problem in found] == ["b:", "c:"]


NO = {"error": {"message": "no"}}
TYPES = {"detail": "duration: Input should be a valid string"}
VALUES = {"error": {"message": "no duration: 'hx'"}}


def test_management_is_reached_where_it_serves() -> None:
    assert reached("r", answer(200, {"keys": []}))
    assert reached("r", answer(422, TYPES), answer(200, {"deleted": "x"}))
    assert not reached("r", answer(403, NO))


def test_types_that_are_judged_alone_tell_nothing() -> None:
    """FastAPI holds a body against its schema before the handler asks what its sender may do."""
    wrong, judged = answer(401, NO), answer(422, TYPES)
    assert asks_again(judged, wrong)
    assert not asks_again(answer(403, NO), wrong)
    assert not asks_again(judged, judged)
    assert not reached("r", judged, grants=True)
    assert not reached("r", judged, answer(403, NO), grants=True)


def test_values_that_are_judged_tell_where_the_key_alone_decides() -> None:
    judged = answer(422, TYPES)
    assert reached("r", judged, answer(400, VALUES), grants=True)
    assert not reached("r", judged, answer(422, VALUES), grants=True), "the schema said so, as of the types"
    assert not reached("r", judged, answer(400, VALUES)), "a model that is not there is nobody's"
    assert not reached("r", judged, answer(500, VALUES), grants=True)
    assert not reached("r", judged, answer(400, {"error": {"message": "no"}}), grants=True)


def test_a_refusal_may_name_what_was_asked_for_and_what_is_allowed(tmp_path: Path) -> None:
    given = environment(tmp_path, key_variable="LIMITED", models=["hx-chat"])
    right = answer(403, {"error": {"message": "llm02-phi3 is not among hx-chat"}})
    assert information_leak("x", right, given, ["hx-chat"], "llm02-phi3") == []
    for told in ("emb-light", "127.40.0.29:11434"):
        wrong = answer(403, {"error": {"message": f"try {told}"}})
        assert [
            told in problem.message for problem in information_leak("x", wrong, given, ["hx-chat"], "")
        ] == [True]


def test_the_labs_limited_key_may_what_is_declared_and_no_more() -> None:
    before, _ = KeyManagement().hooks()

    def asked(method: str, path: str, model: str = "", key: str = f"{PREFIX}1") -> Request | Reply:
        body = json.dumps({"model": model}).encode()
        return before(Request(method, path, (("authorization", f"Bearer {key}"),), body, key == OWN))

    assert isinstance(asked("GET", "/v1/models", key=OWN), Request)
    allowed = asked("POST", "/v1/chat/completions?model=hx-chat", MAY[0])
    assert isinstance(allowed, Request)
    assert (allowed.path, allowed.key) == ("/v1/chat/completions", OWN)
    for path, model in (
        ("/v1/chat/completions", "hx-chat"),
        ("/key/list", ""),
        ("/engines/hx-chat/chat/completions", MAY[0]),
    ):
        refused = asked("POST", path, model)
        assert isinstance(refused, Reply)
        assert refused.status == 403
