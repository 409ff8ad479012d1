"""What findings of deployed files print brings them back whole: with owner and mode, and to the process."""

from __future__ import annotations

from gateway_acceptance.environment.host import Host
from suites.host.deployment.rules import not_clean, not_executed
from suites.host.tree.rules import missing

TREE = "/opt/gw"
HOST = Host(
    uri="ssh://gw",
    unit="gw.service",
    user="gw",
    tree=TREE,
    directories=("logs",),
    configuration="config/config.yaml",
    directory_mode="0750",
)


def fix(dirty: str) -> str:
    (found,) = not_clean({"root": "/opt", "dirty": [dirty]}, HOST)
    return str(found).partition("fix: ")[2]


def test_a_missing_directory_is_made_with_its_owner_and_mode() -> None:
    (found,) = missing([], HOST)
    assert str(found).endswith("fix: sudo install -d -o root -g gw -m 0750 /opt/gw/logs")


def test_what_a_stash_brings_back_is_owned_and_read_again() -> None:
    assert fix(" M gw/scripts/a b.sh").endswith(
        "-- 'gw/scripts/a b.sh' && sudo chown -R root:gw /opt/gw",
    )
    assert fix(" M gw/config/config.yaml").endswith("/opt/gw && sudo systemctl restart gw.service")


def test_where_a_configuration_comes_from_is_to_be_decided() -> None:
    (found,) = not_executed({"config/config.yaml": {"exists": False}}, None, HOST)
    assert "fix: run the deployment script with the options" in str(found)
