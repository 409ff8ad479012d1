"""What is wrong of deployments and witnesses, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

import pytest

from gateway_acceptance.environment import ModelKind, product_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from gateway_acceptance.wire.deployments import Listed
from suites.backends.inventory import rules as inventory_rules
from suites.backends.routing import probes as witnesses
from suites.backends.routing import rules as routing_rules
from suites.backends.routing import test_witness
from tests.unit.declared import URL, document, environment

AS_DECLARED = [
    Listed("chat-one", "one", "tiny", "1"),
    Listed("emb", "two", "vec:latest", "2"),
    Listed("both", "one", "tiny:latest", "3"),
    Listed("both", "two", "tiny:2b", "4"),
]


def said(problems: list[Problem]) -> list[str]:
    return [problem.message for problem in problems]


def test_what_is_as_declared() -> None:
    """A name without a tag means latest."""
    for rule in (routing_rules.missing, routing_rules.undeclared, routing_rules.other_weights):
        assert rule(environment(), AS_DECLARED) == []
    assert routing_rules.without_own_id(environment(), AS_DECLARED) == []


def test_missing_and_undeclared() -> None:
    other = [*AS_DECLARED[:3], Listed("both", "http://x:1", "tiny:2b", "4")]
    assert said(routing_rules.missing(environment(), other)) == [
        "both → tiny:2b on two is declared, and the gateway lacks it"
    ]
    assert said(routing_rules.undeclared(environment(), other)) == [
        "both → tiny:2b on http://x:1 is not declared"
    ]


def test_one_too_many_of_the_same_is_not_declared() -> None:
    twice = [*AS_DECLARED, Listed("both", "two", "tiny:2b", "5")]
    assert said(routing_rules.undeclared(environment(), twice)) == ["both → tiny:2b on two is not declared"]
    assert routing_rules.missing(environment(), twice) == []


def test_weights() -> None:
    weighted = [*AS_DECLARED[:3], Listed("both", "two", "tiny:2b", "4", 0.0)]
    assert said(routing_rules.other_weights(environment(), weighted)) == [
        "both → tiny:2b on two has weight 0, declared is no weight"
    ]
    groups = document()["groups"]
    groups[0]["deployments"][1]["weight"] = 2
    declared = environment(groups=groups)
    assert said(routing_rules.other_weights(declared, AS_DECLARED)) == [
        "both → tiny:2b on two has no weight, declared is weight 2"
    ]


def test_ids() -> None:
    entries = [Listed("a", "one", "m", "1"), Listed("b", "two", "m", "1"), Listed("c", "", "m", "")]
    assert said(routing_rules.without_own_id(environment(), entries)) == [
        "a → m on one has the id 1, and so has another",
        "b → m on two has the id 1, and so has another",
        "c → m on no address has no id",
    ]
    twice = [Listed("a", "one", "m", "1"), Listed("a", "one", "m", "1")]
    assert len(routing_rules.without_own_id(environment(), twice)) == 2


def test_one_deployment_may_have_several_names_and_a_wildcard_many() -> None:
    """LiteLLM's model_group_alias, hidden or not, and ``openai/*``: each name is listed with the same id."""
    alias = {"alias": "gpt-4", "kind": "chat", "backend": "one", "upstream": "tiny"}
    for hidden in (False, True):
        declared = environment(
            models=[*document()["models"], {**alias, "hidden": hidden}],
            gateway={**document()["gateway"], "unjudged_models": ["openai/*"]},
        )
        more = [] if hidden else [Listed("gpt-4", "one", "tiny", "1")]
        wild = [Listed(f"openai/{name}", "one", name, "9") for name in ("x", "y")]
        entries = [*AS_DECLARED, *more, *wild]
        for rule in (routing_rules.missing, routing_rules.undeclared, routing_rules.without_own_id):
            assert rule(declared, entries) == []
        names = [entry.alias for entry in routing_rules.by_id(entries)["1"]]
        assert names == ["chat-one", *(["gpt-4"] if not hidden else [])]


def test_upstreams_that_a_backend_lacks() -> None:
    held = {"tiny:latest"}
    assert routing_rules.not_held(AS_DECLARED, "one", held) == []
    assert said(routing_rules.not_held(AS_DECLARED, "two", held)) == [
        "emb → vec:latest on two: two has no such model; it has tiny:latest",
        "both → tiny:2b on two: two has no such model; it has tiny:latest",
    ]


def test_elsewhere() -> None:
    declared = environment().deployments_of("chat-one")
    assert routing_rules.elsewhere("chat-one", declared, {"one": 3, "": 2, "two": 0}) == []
    assert said(routing_rules.elsewhere("chat-one", declared, {"one": 2, "two": 1})) == [
        "chat-one was served by two (1 times); declared is one"
    ]


def test_other_upstreams() -> None:
    declared = environment().deployments_of("both")
    right = {"one": {"tiny:latest": 1}, "two": {"tiny:2b": 2}}
    assert routing_rules.other_upstreams("both", declared, right) == []
    assert said(routing_rules.other_upstreams("both", declared, {"two": {"tiny:latest": 1}})) == [
        "both reached tiny:latest on two (1 times); declared is tiny:latest on one, tiny:2b on two"
    ]


@pytest.mark.parametrize(
    ("header", "counted", "exact", "names"),
    [
        ({"one": 3}, {"one": {"m": 3}, "two": {}}, True, []),
        ({"one": 3}, {"one": {"m": 1, "n": 2}, "two": {}}, True, []),
        ({"one": 3}, {"one": {}, "two": {"m": 3}}, True, ["one", "two"]),
        ({"one": 3}, {"one": {"m": 5}, "two": {"m": 9}}, False, []),
        ({"one": 3}, {"one": {"m": 2}, "two": {"m": 9}}, False, ["one"]),
        ({"one": 3, "stranger": 1}, {"two": {}}, True, []),
    ],
    ids=["agree", "by model", "lie", "others ask too", "lie among others", "no count of it"],
)
def test_disagreement(
    header: Mapping[str, int], counted: Mapping[str, Mapping[str, int]], exact: bool, names: list[str]
) -> None:
    """Where others may ask too, a backend can only have counted too few."""
    found = routing_rules.disagreement(header, counted, exact=exact)
    assert [problem.message.split()[3] for problem in found] == names
    assert {problem.rule for problem in found} <= {"witnesses.disagree"}


@pytest.mark.parametrize(
    ("own", "exact", "word"), [(3, True, ""), (2, True, "cache"), (2, False, "cache"), (4, True, "retries")]
)
def test_not_once(own: int, exact: bool, word: str) -> None:
    found = said(routing_rules.not_once(3, {"one": {"m": own}}, exact=exact))
    assert bool(found) is bool(word)
    assert all(word in message for message in found)


def test_more_than_sent_says_nothing_where_others_ask_too() -> None:
    assert routing_rules.not_once(3, {"one": {"m": 4}}, exact=False) == []


def test_counts_that_grow_or_fall() -> None:
    assert witnesses.grown({"m": 2, "n": 1}, {"m": 5, "n": 1, "o": 1}) == {"m": 3, "o": 1}
    with pytest.raises(Untestable, match="the count of m fell"):
        witnesses.grown({"m": 2}, {"m": 1})
    with pytest.raises(Untestable, match="the count of m fell"):
        witnesses.grown({"m": 2}, {})


def test_a_second_witness_of_some_backends_is_none_of_all() -> None:
    backends = document()["backends"]
    backends[0]["counts"] = "/counts"
    some = environment(backends=backends)
    assert [backend.name for backend in witnesses.counting(some)] == ["one"]
    with pytest.raises(NotApplicable, match="no second witness"):
        witnesses.require_counts(some)
    backends[1]["counts"] = "http://127.0.0.9/counts"
    witnesses.require_counts(environment(backends=backends))


def test_where_a_count_is() -> None:
    backends = document()["backends"]
    backends[0]["counts"] = "/counts?mark={mark}"
    backends[1]["counts"] = "http://127.0.0.9/counts"
    assert [backend.counts_url for backend in environment(backends=backends).backends] == [
        "http://127.0.0.1:11434/counts?mark={mark}",
        "http://127.0.0.9/counts",
    ]
    assert environment().backends[0].counts_url is None


def test_digests() -> None:
    """As many digits as are declared; with and without the algorithm's name."""
    models = document()["models"]
    models[0]["digest"] = "0123456789ab"
    wanted = environment(models=models).deployments_of("chat-one")
    assert inventory_rules.other_digests(wanted, {"tiny:latest": "0123456789abcdef"}) == []
    assert inventory_rules.other_digests(wanted, {"tiny:latest": "sha256:0123456789abcdef"}) == []
    assert inventory_rules.other_digests(wanted, {"other:latest": "f"}) == []
    assert said(inventory_rules.other_digests(wanted, {"tiny:latest": "f123456789abcdef"})) == [
        "tiny:latest has the digest f123456789ab, declared is 0123456789ab"
    ]


@pytest.mark.parametrize(
    ("kind", "capabilities", "right"),
    [
        (ModelKind.CHAT, ["completion", "tools"], True),
        (ModelKind.CHAT, ["embedding"], False),
        (ModelKind.EMBEDDING, ["embedding"], True),
        (ModelKind.EMBEDDING, [], False),
    ],
)
def test_capabilities(kind: ModelKind, capabilities: list[str], right: bool) -> None:
    assert (inventory_rules.cannot("m", kind, capabilities) == []) is right


def test_loaded_and_not_held() -> None:
    assert inventory_rules.loaded_unheld({"a:1"}, {"a:1", "b:1"}) == []
    assert said(inventory_rules.loaded_unheld({"a:1", "c:1"}, {"a:1"})) == [
        "c:1 is loaded, and not among the models of the backend"
    ]


def seen(header: dict[str, int], counted: dict[str, dict[str, int]], *, exact: bool) -> witnesses.Witnessed:
    return witnesses.Witnessed(3, (), header, counted, exact)


def target(product: str = "openai-compatible", **gateway: str) -> Target:
    """Only what the witnesses read of a target."""
    declared = {"url": URL, "key_variable": "K", "product": product, **gateway}
    known = product_of(environment(gateway=declared).gateway)
    return cast(Target, SimpleNamespace(gateway=SimpleNamespace(product=known), environment=environment()))


def test_the_header_says_where() -> None:
    both = seen({"one": 3}, {"one": {}, "two": {"m": 3}}, exact=True)
    assert witnesses.places(target("litellm"), both) == {"one": 3}


@pytest.mark.parametrize("product", ["litellm", "openai-compatible"], ids=["absent", "none is known"])
def test_without_a_header_exact_counts_say_where(product: str) -> None:
    counted = seen({"": 3}, {"one": {"m": 1, "n": 2}, "two": {}}, exact=True)
    assert witnesses.places(target(product), counted) == {"one": 3, "two": 0}


@pytest.mark.parametrize("product", ["litellm", "openai-compatible"], ids=["absent", "none is known"])
def test_answers_that_no_declared_backend_counted_were_served_by_another(product: str) -> None:
    """Without a header an empty count must not be taken for "nowhere else"."""
    with pytest.raises(CheckFailed, match=r"3 requests were answered, .* counted 0 of them: a server that"):
        witnesses.places(target(product), seen({"": 3}, {"one": {}, "two": {}}, exact=True))
    with pytest.raises(Untestable, match="counted 1 of them: who served the others is not known"):
        witnesses.places(target(product), seen({"": 3}, {"one": {"m": 1}, "two": {}}, exact=True))


def test_counts_of_some_backends_do_not_say_who_served_the_others() -> None:
    """``two`` counts nothing, and may have served all: no green, and nobody is blamed."""
    with pytest.raises(NotApplicable, match="no header of this gateway"):
        witnesses.places(target("openai-compatible"), seen({"": 3}, {"one": {}}, exact=True))


def test_a_declared_model_that_no_backend_counted_is_not_shown() -> None:
    """WITNESS-004 and 007: no wrong model in the counts proves nothing where nothing is in them."""
    counts = [{"name": name, "url": f"http://{name}:1", "counts": "/c?{mark}"} for name in ("one", "two")]
    declared = environment(backends=counts)
    nowhere, once = (
        seen({"": 3}, {"one": {}, "two": found}, exact=True) for found in ({}, {"vec:latest": 1})
    )
    for observed, expected in ((nowhere, CheckFailed), (once, Untestable)):
        asked = cast(Target, SimpleNamespace(once=lambda *_, observed=observed: observed))
        with pytest.raises(expected, match="the declared backends counted"):
            test_witness._require_declared_model(asked, "emb", declared)


def test_without_any_witness() -> None:
    """Never declared is not applicable; a header that should be there and is not is untestable."""
    for silent in (seen({"": 3}, {}, exact=True), seen({"": 3}, {"one": {"m": 3}}, exact=False)):
        with pytest.raises(NotApplicable, match="no header of this gateway"):
            witnesses.places(target("openai-compatible"), silent)
        with pytest.raises(Untestable, match="x-by is absent"):
            witnesses.places(target("openai-compatible", served_by_header="x-by"), silent)
