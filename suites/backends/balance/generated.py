"""Generated requests, each sent several times among the others: does anything about a request decide who
serves it?

Hypothesis draws a family of whole requests once. They are sent in an order of chance, and judged once, with
e-values: each request by itself, and each feature that tells some of them from others. Where something is
proven, the feature with the most evidence is the smallest that explains it: a feature of two values that
decides all has more evidence than ten requests that each seem to have shares of their own. Nothing is
repeated to shrink it: a test that is asked again until it fails finds what is not there.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway_acceptance.balance.dependence import Dependence
from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.lazily import lazily
from gateway_acceptance.plugin.counterexample import collected
from suites.api.properties.strategies import letters, valid_chats
from suites.backends.balance.sample import Draw

if TYPE_CHECKING:
    from hypothesis import strategies as st
else:
    st = lazily("hypothesis.strategies")

FAMILY = 10
"""Requests: few enough to be sent often, different enough that features are told apart."""
EXAMPLES = 200
"""Drawn by Hypothesis to choose the family from."""
LONG_BODY = 400
"""Characters of the messages from which on a request counts as long."""
EXCHANGES = 600
"""Of one request of the family for another, tried."""
REQUEST = "request as a whole"
"""The pattern where no single feature explains it: a hash of the body."""
ABSENT = "absent"

Json = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """feature: what decides who serves; values: its value -> the family's numbers that have it."""

    feature: str
    values: Mapping[str, Sequence[int]]


def family(alias: str, mark: str, chosen: int) -> list[Json]:
    """Different requests of one answer token, the mark in each; the same for the same seed."""
    drawable = st.builds(_drawable, valid_chats(alias), st.booleans(), st.one_of(st.none(), letters()))
    found = {json.dumps(one, sort_keys=True): one for one in collected(drawable, EXAMPLES, chosen)}
    return [marked(request, mark) for request in _different(list(found.values()), chosen)]


def _drawable(request: Json, streams: bool, user: str | None) -> Json:
    """One answer token, streamed or not, with a user or without."""
    kept = {name: value for name, value in request.items() if name not in ("max_completion_tokens", "user")}
    extra: Json = {"stream": True} if streams else {}
    return kept | {"max_tokens": 1} | extra | ({} if user is None else {"user": user})


def _different(candidates: Sequence[Json], chosen: int) -> list[Json]:
    """A family that tells its features apart: of one by chance, members are exchanged while that helps."""
    chance = random.Random(chosen)  # noqa: S311 (no secret)
    family = chance.sample(list(candidates), min(FAMILY, len(candidates)))
    best = distinctness(family)
    for _ in range(EXCHANGES):
        place, another = chance.randrange(len(family)), chance.choice(candidates)
        tried = [*family[:place], another, *family[place + 1 :]]
        if another not in family and (found := distinctness(tried)) > best:
            family, best = tried, found
    return family


def distinctness(family: Sequence[Json]) -> tuple[int, int]:
    """By how many requests the two features that are most alike differ (0: a feature that all have, or none),
    and the sum over all pairs."""
    rows = [[value == next(iter(column)) for value in column] for column in _columns(family)]
    apart = []
    for one, other in itertools.combinations(rows, 2):
        differ = sum(left != right for left, right in zip(one, other, strict=True))
        apart.append(min(differ, len(family) - differ))
    spread = [min(sum(row), len(family) - sum(row)) for row in rows]
    return min([*apart, *spread], default=0), sum(apart) + sum(spread)


def _columns(family: Sequence[Json]) -> list[list[str]]:
    described = [features(request) for request in family]
    return [[one[name] for one in described] for name in (described[0] if described else ())]


def marked(request: Json, mark: str) -> Json:
    """The same request with the mark before everything that is said."""
    first, *others = request["messages"]
    return request | {"messages": [first | {"content": f"{mark} {first['content']}"}, *others]}


def features(request: Json) -> dict[str, str]:
    """What tells requests apart, each in few values."""
    messages = request["messages"]
    said = "".join(message["content"] for message in messages)
    lines = {
        "stream": "streamed" if request.get("stream") else "whole",
        "user": "given" if "user" in request else ABSENT,
        "length": "long" if len(said) >= LONG_BODY else "short",
        "characters": "ASCII" if said.isascii() else "others",
        "turns": "several" if len(messages) > 2 else "one",
        "system message": "given" if messages[0]["role"] == "system" else ABSENT,
    }
    for name in ("temperature", "top_p", "seed", "stop"):
        lines[name] = "given" if name in request else ABSENT
    penalties = {"presence_penalty", "frequency_penalty"} & {*request}
    return lines | {"penalties": "given" if penalties else ABSENT}


def partitions(requests: Sequence[Json]) -> dict[str, dict[str, list[int]]]:
    """Feature -> value -> the numbers of the requests that have it, for each that tells some apart. Features
    that tell the same requests apart are one, under both names."""
    found: dict[frozenset[frozenset[int]], str] = {}
    named: dict[str, dict[str, list[int]]] = {}
    for name in features(requests[0]) if requests else ():
        values: dict[str, list[int]] = {}
        for number, request in enumerate(requests):
            values.setdefault(features(request)[name], []).append(number)
        if len(values) < 2:
            continue
        split = frozenset(frozenset(numbers) for numbers in values.values())
        if split in found:
            old = found[split]
            named[f"{old} or {name}"] = named.pop(old)
            found[split] = f"{old} or {name}"
        else:
            found[split], named[name] = name, values
    return named


def order_of(size: int, most: int, chosen: int) -> list[int]:
    """Which of the family is sent when: each about equally often, in an order of chance."""
    order = [place % size for place in range(most)]
    random.Random(chosen + 1).shuffle(order)  # noqa: S311 (no secret)
    return order


def weighed(
    requests: Sequence[Json], draws: Sequence[Draw], null: ExpectedShares, alpha: float
) -> Dependence:
    """The test over all draws. The features of a draw hold the request's number under ``REQUEST``."""
    found = partitions(requests)
    test = Dependence(null, alpha, (*found, REQUEST), serial=False)
    for draw in draws:
        number = int(draw.features[REQUEST] or 0)
        keys = {
            name: next(value for value, numbers in values.items() if number in numbers)
            for name, values in found.items()
        }
        test.observe(draw.served, {**keys, REQUEST: number})
    return test


def smallest(test: Dependence, requests: Sequence[Json]) -> Finding | None:
    """What explains the dependence best; None where none is proven."""
    if not test.found:
        return None
    feature = max(test.found, key=test.log_e)
    values = partitions(requests).get(feature)
    if values is None:
        values = {f"request {number}": [number] for number in range(len(requests))}
    return Finding(feature, values)


def smallest_pair(finding: Finding, requests: Sequence[Json], draws: Sequence[Draw]) -> list[tuple[int, str]]:
    """The two smallest requests that the feature tells apart and that are served most differently: number and
    who served it."""
    served: dict[int, dict[str, int]] = {}
    for draw in draws:
        counts = served.setdefault(int(draw.features[REQUEST] or 0), {})
        counts[draw.served] = counts.get(draw.served, 0) + 1
    groups = list(finding.values.values())
    pairs = [
        (one, other)
        for place, group in enumerate(groups)
        for one in group
        for later in groups[place + 1 :]
        for other in later
        if one in served and other in served
    ]

    def size(pair: tuple[int, int]) -> tuple[float, int]:
        apart = _distance(served[pair[0]], served[pair[1]])
        return -round(apart, 1), sum(len(json.dumps(requests[number])) for number in pair)

    if not pairs:
        return []
    return [
        (number, ", ".join(f"{who} {times}" for who, times in sorted(served[number].items())))
        for number in min(pairs, key=size)
    ]


def _distance(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Half the sum of the differences of all shares: 0 alike, 1 nothing in common."""
    totals = sum(one.values()), sum(other.values())
    names = {*one, *other}
    return sum(abs(one.get(name, 0) / totals[0] - other.get(name, 0) / totals[1]) for name in names) / 2
