"""Vectors of one text in several requests, and a model in two places: whose rule is broken."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from gateway_acceptance.wire.exchange import Exchange
from tests.unit.declared import URL
from tests.unit.test_every_exchange import JSON, NOW, OWN, embedding, owners

ONE, OTHER, THIRD = ([0.0] * at + [1.0] + [0.0] * (7 - at) for at in range(3))
RARE = [0.25, -0.5, 0.125, 0.75, -0.375, 0.0625, 0.3125, 0.5]
AB, CD, EF = "one two three", "four five six", "seven eight nine"


def packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack("<8f", *vector)).decode()


def in_base64(texts: object, *vectors: list[float]) -> Exchange:
    return embedding(texts, [packed(vector) for vector in vectors], encoding_format="base64")


def of_vectors(*exchanges: Exchange) -> set[str]:
    return {check for check in owners(*exchanges) if check != "API-EMB-015"}  # each has the same usage


QUIET = {
    "alone in base64, then among others": [
        in_base64(AB, ONE),
        embedding([CD, AB, CD], [OTHER, ONE, OTHER]),
    ],
    "other forms in which more than one thing differs": [
        in_base64(AB, ONE),
        embedding([AB, CD], [THIRD, OTHER]),
    ],
    "another one each time, or in each form": [embedding(AB, [ONE]), embedding([AB, CD], [THIRD, OTHER])],
    "the same in all forms": [
        embedding(AB, [ONE]),
        in_base64(AB, ONE),
        embedding([AB], [ONE]),
        embedding([AB, CD], [ONE, OTHER]),
        in_base64([CD, AB], OTHER, ONE),
    ],
}


@pytest.mark.parametrize("name", list(QUIET))
def test_what_cannot_be_told_apart_is_nobody_s(name: str) -> None:
    assert of_vectors(*QUIET[name]) == set()


BROKEN = {
    "a string": ("API-EMB-006", [*[embedding([AB], [ONE])] * 2, embedding(AB, [OTHER])]),
    "base64": ("API-EMB-011", [*[embedding(AB, [ONE])] * 2, in_base64(AB, OTHER)]),
    "base64 beside a batch": (
        "API-EMB-011",
        [*[embedding([AB, CD], [ONE, OTHER])] * 2, embedding(AB, [ONE]), in_base64(AB, THIRD)],
    ),
    "base64 in network order": (
        "API-EMB-011",
        [
            embedding(AB, [base64.b64encode(struct.pack(">8f", *RARE)).decode()], encoding_format="base64"),
            embedding([AB, CD], [RARE, OTHER]),
        ],
    ),
    "a batch beside base64": (
        "API-EMB-007",
        [in_base64(AB, ONE), *[embedding(AB, [ONE])] * 2, embedding([AB, CD], [THIRD, OTHER])],
    ),
    "a second time": ("API-EMB-004", [in_base64(AB, ONE), in_base64(AB, OTHER)]),
    "twice in one request": ("API-EMB-004", [embedding([AB, CD, AB], [ONE, OTHER, THIRD])]),
    "at another text's place, in another form": (
        "API-EMB-003",
        [in_base64(AB, ONE), embedding([CD, EF, AB], [ONE, THIRD, OTHER])],
    ),
    "a batch turned round": (
        "API-EMB-003",
        [in_base64(AB, ONE), embedding([CD, EF, CD, AB], [ONE, OTHER, THIRD, OTHER])],
    ),
    "one for two of several texts": ("API-EMB-005", [embedding([AB, CD, AB], [ONE, ONE, ONE])]),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_what_differs_in_one_thing_is_its_check_s(name: str) -> None:
    owner, exchanges = BROKEN[name]
    found = of_vectors(*exchanges)
    assert owner in found
    assert not found - {owner, "API-EMB-001"}  # all vectors the same are API-EMB-001's as well


def test_usage_grows_from_any_of_the_texts() -> None:
    """Each of these has four tokens."""
    assert "API-EMB-015" in owners(embedding(AB, [ONE]), embedding([CD, AB], [OTHER, ONE]))
    assert "API-EMB-015" not in owners(embedding(AB, [ONE]), embedding([CD, EF], [OTHER, THIRD]))


def got(path: str, body: object) -> Exchange:
    data = json.dumps(body).encode()
    return Exchange("GET", URL + path, OWN, b"", 200, JSON, ((0.1, data),), sent_at=NOW)


def model(**more: Any) -> dict[str, Any]:
    return {"id": "chat-one", "object": "model", "created": 5, "owned_by": "x", **more}


@pytest.mark.parametrize(
    ("listed", "retrieved", "told"),
    [
        ({}, {}, False),
        ({"created": NOW}, {"created": NOW + 2}, False),
        ({}, {"x_more": 1}, False),
        ({}, {"id": "emb", "owned_by": "y"}, False),
        ({}, {"owned_by": "y"}, True),
        ({}, {"created": 6}, True),
        ({}, {"created": NOW}, True),
    ],
)
def test_a_retrieved_model_is_the_listed_one(
    listed: dict[str, Any], retrieved: dict[str, Any], told: bool
) -> None:
    before = got("/v1/models", {"object": "list", "data": [model(**listed)]})
    after = got("/v1/models/chat-one", model(**retrieved))
    assert ("API-MODELS-005" in owners(before, after)) is told
    assert "API-MODELS-005" not in owners(after)
