"""Checks that pass beside an absence and may: each looked at, with what it judged there."""

from __future__ import annotations

from collections.abc import Mapping

CHUNKS = (
    "chunks came, and how they follow one another is what it judges; that none says anything is not its own"
)
WITH_CHUNKS = (
    *(f"API-STREAM-{rule:03}" for rule in (2, *range(4, 7), *range(10, 16), 20, 21, *range(25, 33))),
    *(f"API-STREAM-{rule:03}" for rule in (*range(35, 42), *range(50, 56), 76)),
)
"""Checks of the state machine that are not about texts and calls."""
REFUSALS = tuple(f"API-ERR-{rule:03}" for rule in range(38, 44))
OTHERS = "errors that no model takes part in are there as well, and are counted: a wrong key, a route, a body"
LEFT = "it leaves a stream and judges what is asked after that, which is served"

UNSTREAMED = ("words", "messages", "json", "objects", "choices", "null", "bodies")
STREAMED = (
    "the stream is there and holds the text that it judges; the whole answer beside it only wakes a model"
)
STREAMS = ("data", "but-an-error", "events", "chunks", "streams")
SERVED = "the good question after the bad ones is not streamed, and is served"
OWNED = "a route counts where its owner is served: what others get of that one is what it judges"
ENDED = "five of the six answers before the connection ends are no model's, and are there"

LISTLESS = "the answer's status and headers are what it judges; that no model is listed is API-MODELS-001's"
REFUSED = (
    "refusals of who has no key, or another one, are what it judges, and they are there; the owner's list, "
    "which is empty, only tells that the key is right"
)
REFUSERS = (
    *("API-ACCESS-001", "API-ACCESS-002", "API-ACCESS-009", "API-AUTH-012", "API-AUTH-013"),
    *("API-AUTH-019", "API-AUTH-020", "API-AUTH-021"),
)
BESIDE_THE_LIST = (
    *("API-ADV-001", "API-ADV-002", "API-AUTH-001", "API-AUTH-011", "API-EXPO-011", "API-EXPO-013"),
    *("API-OPS-011", "API-OPS-013", "API-OPS-015"),
)
NAMED_BY_HEADERS = (
    "a backend served it, as the answer's headers and that backend's own count say, and these are what it "
    "judges; that nothing is said is API-CHAT-001's, API-EMB-001's and API-STREAM-002's"
)
BY_HEADERS = (
    *(f"BACKEND-WITNESS-{rule:03}" for rule in (1, 2, 3, 4, 7)),
    *(f"BACKEND-ROUTE-{rule:03}" for rule in (5, 6, 8, 9)),
)

SETTLED: Mapping[tuple[str, str], str] = {
    **{("absent-texts", check): CHUNKS for check in WITH_CHUNKS},
    **{("*", check): OTHERS for check in REFUSALS},
    ("absent-texts", "API-CHAT-007"): "the stream names its model, and that is compared with a whole answer",
    **{(f"absent-{what}", "API-ERR-044"): SERVED for what in ("texts", *STREAMS)},
    ("absent-texts", "API-PROP-002"): "a stream that says nothing keeps all rules of its form",
    **{("absent-texts", check): LEFT for check in ("API-SDK-009", "API-STREAM-090", "API-STREAM-091")},
    **{(f"absent-{what}", "API-STREAM-082"): STREAMED for what in UNSTREAMED},
    **{("absent-models", check): LISTLESS for check in BESIDE_THE_LIST},
    **{("absent-models", check): REFUSED for check in REFUSERS},
    **{("absent-bodies", check): NAMED_BY_HEADERS for check in BY_HEADERS},
    **{
        (f"absent-{what}", "BACKEND-WITNESS-005"): NAMED_BY_HEADERS for what in ("events", "chunks", "bodies")
    },
    ("*", "API-ACCESS-015"): OWNED,
    ("*", "API-OPS-016"): ENDED,
    (
        "*",
        "API-ERR-009",
    ): "20 MB may be refused by whatever stands in front; that it goes on is judged by its models",
}
"""(fault of absence, or ``*`` for every one; check) -> what the check judged though that was absent."""
