"""What is of the reference deployment alone stands in its own places."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gateway_acceptance.environment import load_environment
from gateway_acceptance.environment.host import Host
from gateway_acceptance.environment.products import PRODUCTS
from gateway_acceptance.host.privileges import privileges_in, privileges_of

ROOT = Path(__file__).parents[2]
OWN = re.compile(r"\bHX_|/opt/HX|HX-Infrastructure|hx-litellm|hx-api|hx-gateway|192\.168\.10\.")
EVERYBODYS = ("gateway_acceptance", "suites", "schemas")
READ = (".py", ".toml", ".json", ".j2")
RECORDED = "planted_facts.json"
"""What a look at the lab's own host saw."""


@pytest.mark.parametrize("folder", EVERYBODYS)
def test_nothing_that_judges_others_knows_its_names(folder: str) -> None:
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in READ and path.name != RECORDED]
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if OWN.search(line)
    ]
    assert len(files) > 10
    assert found == []


def test_its_settings_are_declared_and_not_built_in() -> None:
    environment = load_environment("production", ROOT, {})
    host = environment.host
    assert host is not None
    assert "HX_ORC_URL" in host.settings
    (values,) = (one for one in privileges_in(environment, host) if one.name == "setting_values")
    (pattern,) = (word for word in values.argv if word.startswith("^("))
    assert re.match(pattern, "HX_ORC_URL=http://x")
    assert re.match(pattern, "LITELLM_LOG=INFO")
    assert not re.match(pattern, "LITELLM_MASTER_KEY=sk-x")


def test_where_no_setting_is_known_none_is_read() -> None:
    host = Host(uri="ssh://x", unit="a.service", user="a", tree="/srv/a", secrets=("/etc/a.env",))
    names = [one.name for one in privileges_of(host)]
    assert "setting_names" in names
    assert "setting_values" not in names


def test_a_products_settings_stand_with_what_is_known_of_it() -> None:
    file = ROOT / "gateway_acceptance" / "products" / "litellm" / "product.toml"
    known = tomllib.loads(file.read_text(encoding="utf-8"))
    assert PRODUCTS["litellm"].settings == tuple(known["settings"])
    assert PRODUCTS["portkey"].settings == ()
