"""Between the two protocols of Prisma's engine, and what the lab installs for a LiteLLM with a database."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import load_environment
from gateway_acceptance.report.node import node
from lab.database import install
from lab.database.process import migrations
from lab.patience import patient

ROOT = Path(__file__).parents[2]
SCHEMA = """
// model Commented { x Json }
model Key {
  token String @id @default("a } b")
  metadata Json @default("{}")
  spend Float?
  team Team? @relation(fields: [team_id], references: [id])
}
model Team {
  id String @id
  metadata Json?
  members Json[]
}
"""
SCRIPT = """
const { modelsOf, requestOf, answerOf } = require(process.argv[1]);
const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const graphql = { parse: (text) => given.documents[text] };
let told;
try {
  const asked = requestOf(graphql, modelsOf(given.schema), given.request);
  told = { ...asked, answer: given.answer ? answerOf(given.answer, asked.names) : null };
} catch (error) { told = { error: error.message }; }
console.log(JSON.stringify(told));
"""


def name(value: str) -> dict[str, Any]:
    return {"kind": "Name", "value": value}


def value(of: object) -> dict[str, Any]:
    """A literal of GraphQL: texts, numbers, lists, objects; a tuple is an enum's."""
    if isinstance(of, tuple):
        return {"kind": "EnumValue", "value": of[0]}
    if isinstance(of, dict):
        fields = [{"name": name(one), "value": value(what)} for one, what in of.items()]
        return {"kind": "ObjectValue", "fields": fields}
    if isinstance(of, list):
        return {"kind": "ListValue", "values": [value(one) for one in of]}
    if of is None:
        return {"kind": "NullValue"}
    kinds = {bool: "BooleanValue", int: "IntValue", float: "FloatValue", str: "StringValue"}
    return {"kind": kinds[type(of)], "value": of if isinstance(of, (bool, str)) else str(of)}


def field(called: str, selected: list[Any] | None = None, **arguments: object) -> dict[str, Any]:
    chosen = [field(one) if isinstance(one, str) else one for one in selected or []]
    return {
        "name": name(called),
        "alias": name("result") if called[-1].isupper() or "Key" in called else None,
        "arguments": [{"name": name(one), "value": value(what)} for one, what in arguments.items()],
        "selectionSet": {"selections": chosen} if selected is not None else None,
    }


def translated(*asked: dict[str, Any], answer: object = None, batch: bool = False) -> dict[str, Any]:
    documents = {
        str(place): {"definitions": [{"selectionSet": {"selections": [one]}}]}
        for place, one in enumerate(asked)
    }
    each = [{"query": text} for text in documents]
    request: dict[str, Any] = {"batch": each, "transaction": True} if batch else each[0]
    given = {"schema": SCHEMA, "documents": documents, "request": request, "answer": answer}
    done = subprocess.run(
        [str(node()), "-e", SCRIPT, str(ROOT / "lab" / "database" / "translate.cjs")],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=patient(60),
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_query_is_an_action_on_a_model_and_its_answer_has_the_name_asked_for() -> None:
    answer = {
        "data": {
            "findManyKey": [
                {"token": "a", "at": {"$type": "DateTime", "value": "2026-01-01T00:00:00.000Z"}},
                {
                    "token": "b",
                    "n": {"$type": "BigInt", "value": "12"},
                    "m": {"$type": "Json", "value": "{}"},
                },
            ]
        }
    }
    told = translated(
        field("findManyKey", ["token", field("team", ["id"])], take=2, orderBy=[{"spend": ("desc",)}]),
        answer=answer,
    )
    assert told["body"] == {
        "action": "findMany",
        "modelName": "Key",
        "query": {
            "arguments": {"take": 2, "orderBy": [{"spend": "desc"}]},
            "selection": {"token": True, "team": {"arguments": {}, "selection": {"id": True}}},
        },
    }
    assert told["answer"]["data"] == {
        "result": [
            {"token": "a", "at": "2026-01-01T00:00:00.000Z"},
            {"token": "b", "n": 12, "m": "{}"},
        ]
    }


def test_a_text_in_a_field_of_json_is_json_and_nowhere_else() -> None:
    told = translated(
        field(
            "upsertOneKey",
            ["token"],
            where={"token": "{}", "metadata": {"path": ["a"], "equals": "1", "string_contains": "x"}},
            create={"metadata": "{}", "team": {"create": {"id": "{}", "metadata": ("JsonNull",)}}},
        )
    )
    arguments = told["body"]["query"]["arguments"]
    as_json = {"$type": "Json", "value": "1"}
    assert arguments["where"] == {
        "token": "{}",
        "metadata": {"path": ["a"], "equals": as_json, "string_contains": "x"},
    }
    assert arguments["create"]["metadata"] == {"$type": "Json", "value": "{}"}
    inner = arguments["create"]["team"]["create"]
    assert inner == {"id": "{}", "metadata": {"$type": "Enum", "value": "JsonNull"}}


def test_a_batch_is_one_and_keeps_the_order_of_its_answers() -> None:
    told = translated(
        field("updateManyKey", ["count"], data={"spend": 1.5}),
        field("queryRaw", None, query="SELECT 1", parameters="[]"),
        batch=True,
        answer={"batchResult": [{"data": {"updateManyKey": {"count": 1}}}, {"errors": [{"error": "no"}]}]},
    )
    assert [one["action"] for one in told["body"]["batch"]] == ["updateMany", "queryRaw"]
    assert told["body"]["transaction"] == {}
    assert "modelName" not in told["body"]["batch"][1]
    assert told["answer"]["batchResult"] == [
        {"data": {"result": {"count": 1}}},
        {"errors": [{"error": "no"}]},
    ]


def test_what_is_not_known_is_refused_in_a_sentence() -> None:
    assert translated(field("inventKey", ["token"]))["error"] == "the action of inventKey is not known"


def test_the_newest_server_of_the_machine_is_taken_and_its_absence_asks_apt(tmp_path: Path) -> None:
    for version in ("9.6", "15", "16"):
        (tmp_path / version / "bin").mkdir(parents=True)
        for program in install.PROGRAMS:
            (tmp_path / version / "bin" / program).touch()
    (tmp_path / "16" / "bin" / "postgres").unlink()  # a client alone
    found, libraries = install.ensure_postgresql(tmp_path / "unpacked", print, debian=tmp_path)
    assert (found, libraries) == (tmp_path / "15" / "bin", "")


def test_migrations_are_laid_in_their_order(tmp_path: Path) -> None:
    litellm = tmp_path / "venv" / "bin" / "litellm"
    folder = (
        tmp_path / "venv" / "lib" / "python3.11" / "site-packages" / "litellm_proxy_extras" / "migrations"
    )
    for place, text in (("2_b c", "two"), ("1_a", "one")):
        (folder / place).mkdir(parents=True)
        (folder / place / "migration.sql").write_text(text, encoding="utf-8")
    assert migrations(litellm) == b"one\ntwo"
    with pytest.raises(NotStarted, match=r"of venv has no schema\.prisma"):
        install.packaged(litellm, "schema.prisma")


def test_nothing_is_fetched_when_prismas_programs_run(tmp_path: Path) -> None:
    variables = install.client_variables(tmp_path / "bin" / "litellm", tmp_path / "engine", {"PATH": "/x"})
    assert variables["PATH"].split(os.pathsep)[0] == str(tmp_path / "bin")
    assert variables["PRISMA_QUERY_ENGINE_BINARY"] == str(tmp_path / "engine")
    assert variables["PRISMA_SCHEMA_ENGINE_BINARY"].endswith("/false")


def test_the_environment_needs_no_variable_for_the_key_that_the_gateway_makes() -> None:
    environment = load_environment("database", ROOT, {})
    assert environment.gateway.limited_key is not None
    assert environment.notes == load_environment("local", ROOT, {}).notes
