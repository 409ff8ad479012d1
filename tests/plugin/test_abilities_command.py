"""``gateway-acceptance abilities``: what it prints, spends and refuses."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gateway_acceptance.cli.main import main
from tests.plugin.gateway import KEY, Gateway
from tests.plugin.project import KEY_VARIABLE, Project

Said = tuple[object, str, str]


def said(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    monkeypatch.chdir(project.root)
    with pytest.raises(SystemExit) as ended:
        main(["abilities", "--env=environments/mini.toml"])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)


def test_what_it_prints_is_toml(
    project: Project,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = said(project, monkeypatch, capsys)
    assert (code, err) == (0, "")
    assert tomllib.loads(out) == {"models": [{"alias": "chat-one", "abilities": ["seed"]}]}
    assert "# not shown: exact (it answers otherwise)" in out
    asked = [one.body for one in gateway.seen if one.path == "/v1/chat/completions"]
    assert len(asked) == 8
    assert f"# mini: {len(gateway.seen)} requests, at most" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"effects": ["read"]}, "policy.effects does not allow 'spend'"),
        ({"requests": 0}, "policy.requests: input should be greater than 0"),
    ],
)
def test_what_may_not_be_asked_is_not(
    project: Project,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, object],
    words: str,
) -> None:
    project.environment(gateway.url, **options)  # type: ignore[arg-type]
    code, out, err = said(project, monkeypatch, capsys)
    assert (code, out, gateway.seen) == (4, "", [])
    assert words in err
    assert len(err.splitlines()) == 1


def test_a_missing_key(
    project: Project,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    code, out, err = said(project, monkeypatch, capsys)
    assert (code, out, gateway.seen) == (4, "", [])
    assert f"{KEY_VARIABLE}, which is not set" in err


def test_a_budget_that_is_too_small(
    project: Project,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path: Path = project.environment(gateway.url, requests=5)
    code, _, err = said(project, monkeypatch, capsys)
    assert (code, len(gateway.seen)) == (1, 5)
    assert "the budget of 5 requests is used up (policy.requests); raise it in" in err
    assert path.name in err


def test_a_key_that_is_refused_is_not_shown(
    project: Project,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway.accepted = "another-key-of-the-gateway"
    code, out, err = said(project, monkeypatch, capsys)
    assert (code, out) == (1, "")
    assert "refuses the environment's key" in err
    assert KEY not in err
    assert gateway.count("/v1/chat/completions") == 0


def test_a_gateway_that_is_down(
    project: Project,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway.dead = True
    code, out, err = said(project, monkeypatch, capsys)
    assert (code, out) == (1, "")
    assert err.startswith("gateway-acceptance: the gateway does not answer (")
    assert len(err.splitlines()) == 1
