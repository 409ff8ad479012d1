"""What Portkey is told of an alias, and what is pinned of it."""

from __future__ import annotations

import json

import pytest

from lab.portkey.config import config_of
from lab.portkey.install import HERE, PACKAGE, locked_version
from tests.unit.declared import document, environment

ONE = {
    "provider": "ollama",
    "custom_host": "http://127.0.0.1:11434",
    "override_params": {"model": "tiny"},
}
TWO = {
    "provider": "ollama",
    "custom_host": "http://127.0.0.2:11434",
    "override_params": {"model": "tiny:2b"},
}


def test_an_alias_of_one_deployment_is_one_target() -> None:
    assert config_of(environment(), "chat-one") == ONE


def test_a_group_is_balanced_over_its_deployments_in_their_order() -> None:
    assert config_of(environment(), "both") == {"strategy": {"mode": "loadbalance"}, "targets": [ONE, TWO]}


def test_with_any_weight_a_missing_one_counts_as_zero() -> None:
    (group,) = document()["groups"]
    first, second = group["deployments"]
    weighted = environment(groups=[{**group, "deployments": [first, {**second, "weight": 2}]}])
    assert [target["weight"] for target in config_of(weighted, "both")["targets"]] == [0, 2]


def test_an_alias_that_is_not_declared_has_no_config() -> None:
    with pytest.raises(KeyError):
        config_of(environment(), "nobody")


def test_the_version_is_pinned_and_the_lock_names_no_host() -> None:
    lock = (HERE / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in lock, "npm wrote addresses: take `resolved` and `funding` out of the lock file"
    packages = {name: one for name, one in json.loads(lock)["packages"].items() if name}
    assert packages[f"node_modules/{PACKAGE}"]["version"] == locked_version("latest")
    assert not [name for name, one in packages.items() if "integrity" not in one]
    assert packages["node_modules/@hono/node-server"]["version"] == "1.14.1", (
        "with newer ones no stream works"
    )
