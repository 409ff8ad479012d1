"""``gateway-acceptance init``: what it writes of a gateway, whatever that answers; and what it refuses."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.cli.abilities_asked import REASONING_TOKENS
from gateway_acceptance.cli.init.asker import Asker
from gateway_acceptance.cli.main import main
from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.wire.exchange import Exchange
from tests.json_server import Answer
from tests.unit.plain_gateway import KEY, Asked, Plain, serving

VARIABLE = "PLAIN_KEY"
Init = Callable[..., tuple[object, str, str]]


@pytest.fixture
def plain() -> Iterator[Plain]:
    with serving() as found:
        yield found


@pytest.fixture
def init(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, plain: Plain
) -> Init:
    """The command, in a folder of its own: exit code, output, errors."""
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.chdir(tmp_path)

    def run(*options: str, url: str = "", key: str = VARIABLE) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["init", "--url", url or plain.url, "--key-env", key, *options])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


def written(text: str, folder: Path) -> Environment:
    path = folder / "again.toml"
    path.write_text(text, encoding="utf-8")
    return load_environment(str(path), folder, {})


def plainly(text: str) -> str:
    """A file's text without the ends of its lines and comments."""
    return " ".join(text.replace("\n#", " ").split())


def test_a_plain_server(init: Init, plain: Plain, tmp_path: Path) -> None:
    code, out, err = init()
    assert code == 0, err
    environment = written(out, tmp_path)
    chat, embedding = environment.models
    assert (chat.alias, chat.kind, chat.abilities, chat.declared) == (
        "chatty",
        "chat",
        ("exact", "instructions", "seed"),
        False,
    )
    assert (embedding.alias, embedding.dimensions, embedding.unit_norm) == ("nomic-embed-text", 4, True)
    gateway = environment.gateway
    assert (gateway.product, gateway.endpoints, gateway.public_paths) == ("openai-compatible", (), ())
    assert "# QUESTION: which servers stand behind the gateway?" in out
    assert out.count("QUESTION:") == int(err.split(" questions are marked")[0].rsplit(" ", 1)[1])
    assert KEY not in out + err
    assert len(plain.seen) <= 30
    assert {asked.method for asked in plain.seen if asked.path != "/v1/models"} == {"GET", "POST"}


def test_by_what_it_is_known_is_asked(init: Init, plain: Plain, tmp_path: Path) -> None:
    """What was met stands there, to be confirmed: nothing is declared by itself."""
    code, out, err = init()
    assert code == 0, err
    assert written(out, tmp_path).gateway.identity is None
    assert "QUESTION: by what is it known on every connection?" in out
    assert '# [gateway.identity]\n# addresses = ["127.0.0.1"]\n# Without TLS anybody' in out
    confirmed = out.replace("# [gateway.identity]\n# addresses", "[gateway.identity]\naddresses")
    identity = written(confirmed, tmp_path).gateway.identity
    assert identity is not None
    assert identity.addresses == ("127.0.0.1",)


def test_health_routes_that_it_describes_are_open(init: Init, plain: Plain, tmp_path: Path) -> None:
    """Not one alone: the others were open and undeclared in the first run. What answers nobody is not."""
    routes = ("/health", "/healthz", "/readyz", "/ping", "/stats")
    described: dict[str, Any] = {path: {"get": {}} for path in routes}
    plain.answers["/openapi.json"] = (200, {"openapi": "3.1.0", "paths": described}, {})
    for path in ("/health", "/healthz", "/stats"):
        plain.answers[path] = (200, {"status": "ok"}, {})
    code, out, err = init()
    assert code == 0, err
    assert written(out, tmp_path).gateway.public_paths == ("/health", "/healthz")


@pytest.mark.parametrize(
    ("answered", "declared"),
    [
        ((200, {"openapi": "3.1.0", "paths": {"/stats": {"get": {}}}}, {}), "/openapi.json"),
        ((401, {"openapi": "3.1.0", "paths": {}}, {}), None),
        ((200, {"paths": "none"}, {}), None),
        ((200, b"<!doctype html><title>Console</title>", {}), None),
    ],
)
def test_a_description_that_anybody_gets_is_declared(
    init: Init, plain: Plain, tmp_path: Path, answered: Any, declared: str | None
) -> None:
    """Its routes are then asked without a key (API-EXPO-002): FastAPI publishes them by itself."""
    plain.answers["/openapi.json"] = answered
    code, out, err = init()
    assert code == 0, err
    gateway = written(out, tmp_path).gateway
    assert (gateway.description_path, gateway.public_paths) == (declared, ())
    assert not any(KEY in asked.authorization for asked in plain.seen if asked.path == "/openapi.json")


def test_the_key_goes_to_endpoints_alone(init: Init, plain: Plain) -> None:
    init()
    told = {asked.path for asked in plain.seen if KEY in asked.authorization}
    assert told <= {"/v1/models", "/v1/chat/completions", "/v1/embeddings", "/v1/completions"}
    assert not any(KEY in asked.path for asked in plain.seen)


HOSTILE = [
    'quo"te',
    "back\\slash",
    "new\nline = 1\n[policy]",
    "esc\x1b[2J\x1b]0;title\x07",
    "del\x7f and \x85 and \u202e",
    "'''",
    "snow ☃ 😀",
    "#hash",
]


def test_hostile_ids_stay_what_they_are(init: Init, plain: Plain, tmp_path: Path) -> None:
    """Whatever an id holds, the file is TOML, and declares just that id."""
    plain.models = HOSTILE
    code, out, err = init()
    assert code == 0, err
    assert [model.alias for model in written(out, tmp_path).models] == HOSTILE
    assert not {"\x1b", "\x07", "\x7f", "\x85", "\u202e"} & set(out + err)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("half \ud800 a pair", "half of a surrogate pair"),
        (f"x{KEY}", "holds the gateway's key"),
        ("openai/*", "a wildcard"),
        ("x" * 400, "more than 300 characters"),
        ({"id": 1}, "is no id"),
        (None, "is no id"),
    ],
)
def test_ids_that_cannot_be_declared(
    init: Init, plain: Plain, tmp_path: Path, name: object, why: str
) -> None:
    plain.models = ["chatty", name]
    code, out, err = init()
    assert code == 0, err
    assert [model.alias for model in written(out, tmp_path).models] == ["chatty"]
    assert why in plainly(out)
    assert KEY not in out + err


@pytest.mark.parametrize(
    ("name", "status", "declared"),
    [
        ("dall-e-3", 400, False),
        ("openai/whisper-1", 404, False),
        ("omni-moderation-latest", 501, False),
        ("dall-e-3", 500, True),  # it fails: that is judged
        ("large", 404, True),  # a chat model that is configured and not there
        ("contralto", 404, True),
    ],
)
def test_a_model_of_images_or_speech_is_not_judged(
    init: Init, plain: Plain, tmp_path: Path, name: str, status: int, declared: bool
) -> None:
    """OpenAI's own list has dozens and tells no kind: as chat models each turned twenty checks red."""
    plain.models = ["chatty", name]
    refused = {"error": {"message": "no", "type": "x", "param": None, "code": None}}

    def only_chatty(asked: Asked) -> Answer:
        return (200, plain.said(asked), {}) if asked.body["model"] == "chatty" else (status, refused, {})

    plain.answers["/v1/chat/completions"] = only_chatty
    plain.answers["/v1/embeddings"] = (status, refused, {})
    code, out, err = init()
    assert code == 0, err
    environment = written(out, tmp_path)
    assert [model.alias for model in environment.models] == ["chatty", name][: 1 + declared]
    assert environment.unjudged(name) is not declared
    assert init("--model", name)[0] == 0


def test_what_is_not_judged_is_declared_so(init: Init, plain: Plain, tmp_path: Path) -> None:
    """Wildcards and models of other kinds are listed, and no run is red by that."""
    entries = [{"id": "chatty"}, {"id": "openai/*"}, {"id": "painter", "mode": "image_generation"}]
    plain.answers["/v1/models"] = (200, {"object": "list", "data": entries}, {})
    code, out, err = init()
    assert code == 0, err
    environment = written(out, tmp_path)
    assert environment.gateway.unjudged_models == ("openai/*", "painter")
    assert environment.unjudged("openai/gpt-4o")
    assert not environment.unjudged("another")
    assert "its mode is image_generation, which is not judged" in plainly(out)


def test_hostile_headers_and_errors(init: Init, plain: Plain, tmp_path: Path) -> None:
    plain.headers = {"x-ratelimit-limit-requests": 'a"b\tc', "x-served": "http://user:pass@h/"}
    plain.answers["/v1/embeddings"] = (400, b'{"error": "\x1b[31m\nname = 1"}', {})
    code, out, err = init()
    assert code == 0, err
    environment = written(out, tmp_path)
    assert environment.backends == ()
    assert "pass@" not in out
    assert [model.alias for model in environment.models] == ["chatty"]
    assert "how many dimensions has the embedding model 'nomic-embed-text'?" in plainly(out)


@pytest.mark.parametrize(
    "body",
    [b"", b"[", b"[1, 2]", b'{"data": {}}', b'{"data": 7}', b"\xff\xfe", b"[" * 100_000, b'"text"'],
)
def test_a_list_that_is_none(init: Init, plain: Plain, tmp_path: Path, body: bytes) -> None:
    plain.answers["/v1/models"] = (200, body, {})
    code, out, err = init("--out", "mine.toml")
    assert (code, out) == (1, "")
    assert "has no list of models there" in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "mine.toml").exists()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"choices": []},
        {"choices": [None]},
        {"choices": [{"message": {"content": 7, "tool_calls": 3}}]},
        {"choices": [{"message": {"content": None, "tool_calls": [{"function": None}]}}]},
        {"choices": [{"message": {"content": "[" * 50_000}}]},
        {"choices": [{"message": {"content": "x"}}], "usage": "much", "model": 4},
    ],
)
def test_odd_completions(init: Init, plain: Plain, tmp_path: Path, document: dict[str, Any]) -> None:
    plain.models = ["chatty"]
    plain.answers["/v1/chat/completions"] = (200, document, {})
    code, out, err = init()
    assert code == 0, err
    assert [model.alias for model in written(out, tmp_path).models] == ["chatty"]


@pytest.mark.parametrize("vector", [[], ["a"], [float("inf")], 7, None, [True], [1e308] * 3])
def test_odd_vectors(init: Init, plain: Plain, tmp_path: Path, vector: object) -> None:
    plain.answers["/v1/embeddings"] = (200, {"data": [{"embedding": vector}]}, {})
    code, out, err = init()
    assert code == 0, err
    written(out, tmp_path)


def test_the_budget_holds(init: Init, plain: Plain, tmp_path: Path) -> None:
    """Forty models, thirty requests: each chat model is declared, and what was not asked is a question."""
    plain.models = [f"m{number}" for number in range(40)]
    code, out, err = init()
    assert code == 0, err
    assert len(plain.seen) <= 30
    assert len(written(out, tmp_path).models) == 40
    assert "No request was left to ask it." in plainly(out)
    before = len(plain.seen)
    assert init("--requests", "9")[0] == 0
    assert len(plain.seen) - before <= 9


@pytest.mark.parametrize(("others", "balanced"), [(6, True), (0, False)])
def test_a_second_name_and_a_balanced_alias(init: Init, plain: Plain, others: int, balanced: bool) -> None:
    """The same model answers to both names at first; only of the balanced one another answers later."""
    plain.models = ["either", "one"]
    asked_of_either = 0

    def answer(asked: Asked) -> tuple[int, Any, dict[str, str]]:
        nonlocal asked_of_either
        asked_of_either += asked.body["model"] == "either"
        other = asked.body["model"] == "either" and asked_of_either == others
        document = {**plain.said(asked), "model": "model-b" if other else "model-a"}
        return 200, document, {"x-served-by": plain.url}

    plain.answers["/v1/chat/completions"] = answer
    code, out, err = init("--requests", "18")
    assert code == 0, err
    assert ("it is served by several (model-a on" in plainly(out)) == balanced
    assert len(plain.seen) <= 18


@pytest.mark.parametrize(
    ("thinks", "abilities"), [(False, ("exact", "instructions", "seed")), (True, ("reasoning",))]
)
def test_a_model_that_talks_on_is_asked_with_little_room(
    init: Init,
    plain: Plain,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    thinks: bool,
    abilities: tuple[str, ...],
) -> None:
    """With room to think it came to no end in time; one that thinks is measured no further without it."""
    post = Asker.post

    def without_end(asker: Asker, path: str, body: dict[str, Any], *, tokens: int) -> Exchange | None:
        if tokens > REASONING_TOKENS:
            return None
        return post(asker, path, body, tokens=tokens)

    def said(asked: Asked) -> tuple[int, Any, dict[str, str]]:
        document = plain.said(asked)
        if thinks:
            document["choices"][0]["message"] |= {"content": "", "reasoning_content": "Let me see."}
        return 200, document, {}

    monkeypatch.setattr(Asker, "post", without_end)
    plain.models, plain.answers["/v1/chat/completions"] = ["chatty"], said
    code, out, err = init()
    assert code == 0, err
    (model,) = written(out, tmp_path).models
    assert (model.kind, model.abilities) == ("chat", abilities)
    assert "no answer within 60 s" in plainly(out)
    assert "with little room it answers, and only so it was measured" in plainly(out)


def test_many_models_are_one_question_of_what_serves_them(init: Init, plain: Plain) -> None:
    plain.models = [f"model-{number}" for number in range(9)]
    code, out, err = init()
    assert code == 0, err
    assert plainly(out).count("names it as backend, and") + plainly(out).count("what serves it") == 1


def test_it_writes_a_file_once(init: Init, plain: Plain, tmp_path: Path) -> None:
    code, out, _ = init("--out", "Mine.toml")
    assert code == 0
    text = (tmp_path / "Mine.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["name"] == "mine"
    assert "gateway-acceptance doctor --env=Mine.toml" in out
    sent = len(plain.seen)
    code, _, err = init("--out", "Mine.toml")
    assert (code, len(plain.seen)) == (4, sent)
    assert "is there already, and is not overwritten" in err
    assert (tmp_path / "Mine.toml").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["Mine.toml"]
