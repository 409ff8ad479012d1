"""What people write into an environment file, and how it is understood: base URLs, products, a BOM."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from gateway_acceptance.environment import load_environment, resolved
from gateway_acceptance.environment.product_names import PRODUCT_NAMES
from gateway_acceptance.environment.products import PRODUCTS
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.waivers import load_waivers
from tests.unit.declared import document

BOM = "\ufeff"


def written(folder: Path, **gateway: str) -> Path:
    path = folder / "mini.toml"
    table = {"url": "http://127.0.0.1:4000", "key_variable": "MINI_KEY", **gateway}
    path.write_text(tomli_w.dumps(document(gateway=table)), encoding="utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(UsageProblem) as problem:
        load_environment(str(path), path.parent, {})
    (sentence,) = problem.value.sentences
    return sentence


@pytest.mark.parametrize(
    ("url", "base", "told"),
    [
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000", False),
        ("http://127.0.0.1:4000/", "http://127.0.0.1:4000", False),
        ("http://127.0.0.1:4000/v1", "http://127.0.0.1:4000", True),
        ("http://127.0.0.1:4000/v1/", "http://127.0.0.1:4000", True),
        ("https://gw.example/openai/v1", "https://gw.example/openai", True),
        ("https://gw.example/v1beta", "https://gw.example/v1beta", False),
        ("https://gw.example/openai-v1", "https://gw.example/openai-v1", False),
    ],
)
def test_a_base_url_is_understood_and_said(tmp_path: Path, url: str, base: str, *, told: bool) -> None:
    path = written(tmp_path, url=url)
    environment = load_environment(str(path), tmp_path, {})
    assert environment.gateway.url == base
    sentence = f"{path}: gateway.url {url!r} is taken as {base!r}: every request names /v1 itself"
    assert environment.notes == ((sentence,) if told else ())


def test_a_url_in_a_variable_is_understood_as_well(tmp_path: Path) -> None:
    path = written(tmp_path, url="${HERE}")
    environment = load_environment(str(path), tmp_path, {"HERE": "http://127.0.0.1:4000/v1"})
    assert environment.gateway.url == "http://127.0.0.1:4000"
    assert len(environment.notes) == 1
    assert load_environment(str(path), tmp_path, {}).notes == ()


def test_the_same_gateway_is_the_same_environment(tmp_path: Path) -> None:
    """However it is written: what a sign-off compares does not differ."""
    ways = ("http://127.0.0.1:4000", "http://127.0.0.1:4000/v1/")
    assert (
        len({resolved(load_environment(str(written(tmp_path, url=way)), tmp_path, {})) for way in ways}) == 1
    )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "http://127.0.0.1:4000/v1/chat/completions",
            "gateway.url is the URL of one endpoint; write 'http://127.0.0.1:4000', without",
        ),
        ("http://127.0.0.1:4000/v1/models/", "write 'http://127.0.0.1:4000', without /v1/models"),
        (
            "http://127.0.0.1:4000/v1?api-version=3",
            "gateway.url must hold neither query nor fragment; write 'http://127.0.0.1:4000/v1'",
        ),
    ],
)
def test_what_is_no_base_url_is_refused_with_the_right_one(tmp_path: Path, url: str, words: str) -> None:
    assert words in refused(written(tmp_path, url=url))


@pytest.mark.parametrize(
    ("product", "words"),
    [
        ("litelm", "gateway.product is the unknown product 'litelm', did you mean 'litellm'?; known are: "),
        ("kong", "gateway.product is the unknown product 'kong'; known are: litellm, portkey; 'openai-comp"),
        ("openai", "'openai-compatible' is any other"),
    ],
)
def test_an_unknown_product_is_refused(tmp_path: Path, product: str, words: str) -> None:
    assert words in refused(written(tmp_path, product=product))


@pytest.mark.parametrize("product", PRODUCT_NAMES)
def test_known_products_are_taken(tmp_path: Path, product: str) -> None:
    assert load_environment(str(written(tmp_path, product=product)), tmp_path, {}).gateway.product == product


def test_the_names_are_those_that_something_is_known_of() -> None:
    assert set(PRODUCT_NAMES) == set(PRODUCTS)


def test_a_bom_is_no_mistake(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(BOM + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_environment(str(path), tmp_path, {}).name == "mini"


def test_a_bom_in_a_file_of_waivers(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(f"{BOM}# none yet\n", encoding="utf-8")
    assert load_waivers(path) == ()
