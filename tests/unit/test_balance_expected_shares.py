"""The null hypothesis: what each reading of LiteLLM makes of a declared group."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_acceptance.balance.expected_shares import (
    BELOW_LIMITS,
    ExpectedShares,
    NoSharesError,
    UndefinedSharesError,
    WitnessResolution,
    null_of,
)
from gateway_acceptance.environment import Deployment, Gateway, Group

OLD, BETWEEN, NEW = "1.74.15", "1.90.0", "1.106.2"
PLACES = ("llm-01", "llm-02", "llm-03", "llm-04")


def null(
    *members: dict[str, Any],
    version: str | None = NEW,
    product: str = "litellm",
    strategy: str = "simple-shuffle",
    checks: bool = False,
    **how: Any,
) -> ExpectedShares:
    deployments = [
        Deployment(**{"backend": place, "upstream": f"model-{place}", **member})
        for place, member in zip(PLACES, members, strict=False)
    ]
    group = Group.model_validate({"alias": "both", "strategy": strategy, "deployments": tuple(deployments)})
    gateway = Gateway(url="http://127.0.0.1:4000", product=product, pre_call_checks=checks)
    return null_of(group, gateway, version, **how)


def shares(*members: dict[str, Any], **how: Any) -> list[float]:
    return list(null(*members, **how).shares.values())


@pytest.mark.parametrize("version", [None, OLD, BETWEEN, NEW, "1.106.2.dev3", "nonsense"])
def test_without_weights_all_are_alike_in_every_version(version: str | None) -> None:
    assert shares({}, {}, {}, version=version) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("version", [None, OLD, BETWEEN, NEW])
def test_weights_of_all_are_proportions_in_every_version(version: str | None) -> None:
    assert shares({"weight": 3.0}, {"weight": 1.0}, version=version) == [0.75, 0.25]


def test_a_missing_weight_is_zero_as_soon_as_any_has_one() -> None:
    assert shares({}, {"weight": 2.0}) == [0, 1]
    assert shares({"weight": 2.0}, {}, version=OLD) == [1, 0]


def test_the_old_reading_asks_only_the_first_deployment() -> None:
    """Issue 33329: with no weight on the first, those of the others are not seen."""
    assert shares({}, {"weight": 2.0}, version=OLD) == [0.5, 0.5]
    assert shares({"rpm": 9}, {"weight": 2.0, "rpm": 1}, version=OLD) == pytest.approx([0.9, 0.1])
    assert shares({"rpm": 9}, {"weight": 2.0, "rpm": 1}) == [0, 1]


def test_rpm_comes_before_tpm_and_weight_before_both() -> None:
    given = [{"rpm": 1, "tpm": 1}, {"rpm": 3, "tpm": 1}]
    for version in (OLD, NEW):
        assert shares(*given, version=version) == [0.25, 0.75]
        weighted = [{**member, "weight": 1.0} for member in given]
        assert shares(*weighted, version=version) == [0.5, 0.5]
        assert shares({"tpm": 100}, {"tpm": 300}, version=version) == [0.25, 0.75]


def test_weights_of_zero_throughout() -> None:
    """1.106.2 looks for a metric with a positive maximum; 1.74.15 divides by zero."""
    assert shares({"weight": 0.0, "rpm": 1}, {"weight": 0.0, "rpm": 3}) == [0.25, 0.75]
    with pytest.raises(UndefinedSharesError, match="every weight counts as 0, so no deployment can be drawn"):
        null({"weight": 0.0}, {"weight": 0.0}, version=OLD)


def test_the_weights_of_the_key_or_its_team_come_before_all() -> None:
    """``_router_weights`` of 1.106.2; older ones know none, and in between it is not known."""
    scoped: list[dict[str, Any]] = [
        {"scoped_weight": 3.0, "weight": 1.0},
        {"scoped_weight": 1.0},
        {"weight": 9.0},
    ]
    assert shares(*scoped) == [0.75, 0.25, 0]
    assert null(*scoped).sentence.startswith(
        "each request of both draws one of 3 deployments by itself, in proportion to the weights of the "
        "key or its team (a missing one counts as 0): llm-01 3/4 (75.0%)"
    )
    assert shares(*scoped, version=OLD) == [0.1, 0, 0.9]
    with pytest.raises(UndefinedSharesError):
        null(*scoped, version=BETWEEN)
    # of those that are left none has one: then the others count
    assert shares({"scoped_weight": 0.0, "weight": 1.0}, {"weight": 3.0}) == [0.25, 0.75]


def test_only_the_lowest_order_serves() -> None:
    members: list[dict[str, Any]] = [{"order": 2}, {"order": 1}, {"order": 1}, {}]
    assert shares(*members) == [0, 0.5, 0.5, 0]
    assert null(*members).sentence.startswith("each request of both draws one of 2 (of 4, by their order) ")
    assert shares({"order": 0}, {"order": -1}) == [0, 1]


def test_an_order_comes_before_every_weight() -> None:
    assert shares({"order": 1, "weight": 1.0}, {"order": 2, "weight": 9.0}) == [1, 0]
    assert shares({"order": 1}, {"order": 1}, {"order": 2, "weight": 9.0}) == [0.5, 0.5, 0]


def test_the_old_reading_looks_at_orders_only_with_pre_call_checks() -> None:
    members: list[dict[str, Any]] = [{"order": 2, "weight": 1.0}, {"order": 1}, {"order": 1}]
    assert shares(*members, version=OLD) == [1, 0, 0]
    assert shares(*members, version=OLD, checks=True) == [0, 0.5, 0.5]
    assert shares(*members, version=BETWEEN, checks=True) == [0, 0.5, 0.5]
    with pytest.raises(UndefinedSharesError, match="no order"):
        null(*members, version=BETWEEN)


def test_an_rpm_is_a_limit_only_with_pre_call_checks() -> None:
    assert BELOW_LIMITS in null({"rpm": 1}, {"rpm": 1}, checks=True).premises
    assert BELOW_LIMITS not in null({"rpm": 1}, {"rpm": 1}).premises
    assert BELOW_LIMITS not in null({"tpm": 1}, {"tpm": 1}, checks=True).premises


def test_whoever_serves_has_the_limit_that_is_declared() -> None:
    """None where nothing limits, and none of who never serves."""
    checked = null({"rpm": 9, "weight": 1.0}, {"weight": 1.0}, {"rpm": 5, "weight": 0.0}, checks=True)
    assert list(checked.limits.values()) == [9]
    assert null({"rpm": 9}, {"rpm": 9}).limits == {}


@pytest.mark.parametrize("version", [None, OLD, NEW])
def test_other_strategies_promise_no_shares(version: str | None) -> None:
    with pytest.raises(NoSharesError, match="'both': least-busy promises no shares"):
        null({"weight": 1.0}, {"weight": 1.0}, version=version, strategy="least-busy")


@pytest.mark.parametrize("version", [None, BETWEEN, "nonsense"])
def test_a_version_whose_reading_is_not_known_is_not_guessed(version: str | None) -> None:
    with pytest.raises(
        UndefinedSharesError,
        match=r"give every deployment a weight and no order, or declare gateway\.version",
    ):
        null({}, {"weight": 2.0}, version=version)


def test_the_versions_of_other_products_mean_nothing() -> None:
    assert shares({}, {"weight": 2.0}, version="1.15.2", product="portkey") == [0, 1]


def test_what_the_witness_cannot_tell_apart_is_merged() -> None:
    members: list[dict[str, Any]] = [{}, {"backend": "llm-01"}, {}]
    assert null(*members).shares == pytest.approx({"llm-01": 2 / 3, "llm-03": 1 / 3})
    apart = null(*members, witness=WitnessResolution.DEPLOYMENT)
    assert apart.shares == pytest.approx(
        {"llm-01/model-llm-01": 1 / 3, "llm-01/model-llm-02": 1 / 3, "llm-03/model-llm-03": 1 / 3}
    )


def test_one_backend_for_all_cannot_be_judged() -> None:
    assert not null({}, {"backend": "llm-01"}).can_be_judged
    assert null({}, {}).can_be_judged


def test_the_sentence_states_the_hypothesis() -> None:
    assert null({}, {}, {}).sentence == (
        "each request of both draws one of 3 deployments by itself, all alike: "
        "llm-01 1/3 (33.3%), llm-02 1/3 (33.3%), llm-03 1/3 (33.3%)"
    )
    assert null({"weight": 1.0}, {}).sentence.endswith(
        "in proportion to weight (a missing one counts as 0): llm-01 100.0%, llm-02 0.0%"
    )
    assert len(null({}, {}).premises) == 3
