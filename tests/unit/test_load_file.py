"""The hand-over to Locust: what an environment becomes in a locustfile, and what is refused before."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.cli.load_file.command import declared, locustfile, refusals
from gateway_acceptance.cli.main import main
from tests.plugin.project import Project
from tests.unit.declared import environment

URL = "http://127.0.0.1:9"


def policy(*effects: str) -> dict[str, Any]:
    return {"effects": list(effects), "requests": 10, "tokens": 1000, "seconds": 60}


def embedded_in(file: str) -> dict[str, Any]:
    """What a locustfile has of its environment."""
    for node in ast.parse(file).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DECLARED":
            assert isinstance(node.value, ast.Call)
            found: dict[str, Any] = json.loads(ast.literal_eval(node.value.args[0]))
            return found
    raise AssertionError(file)


def test_the_file_has_what_is_declared_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINI_KEY", "sk-made-up-3f9c0d7a51e84b26")
    monkeypatch.setenv("PASS", "s3cret-3f9c0d7a")
    there = environment(
        gateway={"url": "https://gateway.example/llm", "key_variable": "MINI_KEY", "key_header": "x-api-key"},
        network={
            "ca_file": "ca.pem",
            "headers": {"x-pass": 'v1 "${PASS}"'},
            "proxy": "http://proxy.example:3128",
        },
    )
    file = locustfile(there)
    seen = embedded_in(file)
    assert seen == declared(there, None)
    assert seen["url"] == "https://gateway.example/llm"
    assert (seen["key_header"], seen["key"]) == ("x-api-key", {"variable": "MINI_KEY"})
    assert seen["headers"] == {"x-pass": 'v1 "${PASS}"'}
    assert seen["ca_file"] == str(Path("environments/ca.pem").resolve())
    assert (seen["proxy"], seen["requests"]) == ("http://proxy.example:3128", 10)
    assert (seen["chat"], seen["embedding"]) == (["chat-one", "both"], ["emb"])
    assert "3f9c0d7a" not in file


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ({"key_file": "the.key"}, {"file": str(Path("environments/the.key").resolve())}),
        ({"key_command": ["pass", "show", "gateway"]}, {"command": ["pass", "show", "gateway"]}),
    ],
)
def test_keys_come_from_where_they_are_declared(source: dict[str, Any], seen: dict[str, Any]) -> None:
    assert declared(environment(gateway={"url": URL, **source}), None)["key"] == seen


def test_a_gateway_of_no_proxy_is_reached_past_it() -> None:
    network = {"proxy": "http://proxy.example:3128", "no_proxy": ["127.0.0.1"]}
    assert declared(environment(network=network), None)["proxy"] is None


def test_load_needs_permission_and_in_production_a_name() -> None:
    assert refusals(environment(), None) == []
    (spend,) = refusals(environment(policy=policy("read")), None)
    assert spend.endswith("mini.toml: does not permit load; add 'spend' to policy.effects")
    production = environment(kind="production")
    (named,) = refusals(production, None)
    assert named.endswith("add --allow-disrupt mini if that is meant")
    assert refusals(production, "mini") == []
    (other,) = refusals(production, "other")
    assert other == "--allow-disrupt other: this is mini; name it, or take the option away"


def told(project: Project, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str, str]:
    """Exit code, output and errors."""
    with pytest.raises(SystemExit) as ended:
        main(["load-file", "--env", str(project.environment(URL)), *words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_the_command_writes_a_new_file_and_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "load.py"
    code, said, _ = told(Project(tmp_path), capsys, "--out", str(out), "--requests", "7")
    assert (code, embedded_in(out.read_text(encoding="utf-8"))["requests"]) == (0, 7)
    assert f"locust -f {out} --headless -u 8 -r 8 -t 30s" in said
    code, _, error = told(Project(tmp_path), capsys, "--out", str(out))
    assert (code, "is there already, and is not overwritten" in error) == (4, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--out", "load.txt"), "does not end in .py"),
        (("--out", "nowhere/load.py"), "there is no directory nowhere"),
        (("--out", "load.py", "--requests", "0"), "--requests 0: sends nothing; give 1 or more"),
    ],
)
def test_bad_input_is_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, error = told(Project(tmp_path), capsys, *words)
    assert (code, sentence in error) == (4, True), error
    assert not list(tmp_path.glob("load.*"))
