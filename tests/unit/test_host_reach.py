"""What the gateway's machine asks of the backends, against a server on loopback."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway_acceptance.environment import Backend, ServedModel
from gateway_acceptance.host.collect.machine import REACH_ATTEMPTS, reach
from suites.host.network import rules

VERSION = {"version": "0.12.6"}
TAGS = {"models": [{"name": "all-minilm:latest", "digest": "b" * 64}]}
INFO = {"general.architecture": "bert", "bert.vision.embedding_length": 7, "bert.embedding_length": 384}
SHOW = {"model_info": INFO}


class FailsFirst(dict[str, Any]):
    """Answers of which the first one that is asked for is not there."""

    looked = 0

    def __contains__(self, path: object) -> bool:
        self.looked += 1
        return self.looked > 1 and super().__contains__(path)


@contextmanager
def ollama(answers: dict[str, Any], asked: list[str], other: int = 404) -> Iterator[str]:
    """The URL of a server with these answers by path. other: its status at all other paths."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps(answers.get(self.path)).encode()
            self.send_response(200 if self.path in answers else other)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(sent["model"])
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def seen(answers: dict[str, Any], *models: str) -> tuple[dict[str, Any], list[str]]:
    asked: list[str] = []
    with ollama(answers, asked) as url:
        found = reach({"reach": {"one": {"url": url, "dimensions": list(models)}}})
    return found["one"], asked


def test_all_is_told() -> None:
    paths = {"/api/version": VERSION, "/api/tags": TAGS, "/api/show": SHOW}
    found, asked = seen(paths, "all-minilm")
    assert found["reached"]
    assert found["version"] == "0.12.6"
    assert found["models"] == {"all-minilm:latest": "b" * 64}
    assert found["dimensions"] == {"all-minilm": 384}
    assert 0 < found["elapsed_s"] < 3
    assert found["error"] == ""
    assert asked == ["/api/version"] * REACH_ATTEMPTS + ["/api/tags", "all-minilm", "/api/show"]


@pytest.mark.parametrize("show", [{}, {"model_info": {}}, {"model_info": {"general.architecture": "x"}}, []])
def test_dimensions_may_not_be_told(show: Any) -> None:
    found, _ = seen({"/api/version": VERSION, "/api/tags": TAGS, "/api/show": show}, "all-minilm")
    assert found["dimensions"] == {"all-minilm": None}


def test_models_may_not_be_told() -> None:
    found, _ = seen({"/api/version": VERSION})
    assert found["reached"]
    assert found["models"] is None
    assert "404" in found["error"]


def test_one_look_that_fails_is_not_the_backends_absence() -> None:
    """A busy backend may miss the deadline once; two others answered."""
    asked: list[str] = []
    answers = FailsFirst({"/api/version": VERSION, "/api/tags": TAGS})
    with ollama(answers, asked) as url:
        found = reach({"reach": {"one": {"url": url, "dimensions": []}}})["one"]
    assert asked.count("/api/version") == REACH_ATTEMPTS
    assert (found["reached"], found["version"], found["error"]) == (True, "0.12.6", "")
    assert found["models"] == {"all-minilm:latest": "b" * 64}


def of_openai(answers: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    asked: list[str] = []
    with ollama(answers, asked) as url:
        found = reach({"reach": {"one": {"url": url, "product": "openai"}}})
    return found["one"], asked


def test_openais_protocol_has_a_list_of_models_alone() -> None:
    found, asked = of_openai({"/v1/models": {"data": [{"id": "vec"}, {"id": "tiny:latest"}]}})
    assert (found["reached"], found["version"], found["error"]) == (True, None, "")
    assert found["models"] == {"vec": "", "tiny:latest": ""}
    assert found["dimensions"] == {}
    assert asked == ["/v1/models"] * REACH_ATTEMPTS
    one = Backend(name="one", url="http://one", product="openai")
    path, listing = rules.ASKED[one.product]
    assert rules.unreached("one", found, path) == []
    held = [ServedModel(backend="one", upstream=name) for name in ("vec", "tiny")]
    assert rules.other_models("one", found, held, listing) == []
    (missing,) = rules.other_models("one", found, [ServedModel(backend="one", upstream="ghost")], listing)
    assert "no such model" in str(missing)
    assert str(missing).endswith("/v1/models")
    assert "serve it there" in str(missing)


@pytest.mark.parametrize("answer", [[], {}, {"data": 1}, {"data": [{}]}])
def test_what_is_no_list_of_openai_is_told(answer: Any) -> None:
    found, _ = of_openai({"/v1/models": answer})
    assert found["reached"]
    assert found["models"] is None
    assert found["error"]


def test_a_server_without_openais_list_is_not_reached() -> None:
    found, _ = of_openai({"/api/version": VERSION})
    (problem,) = rules.unreached("one", found, rules.MODELS)
    assert "404" in str(problem)


@pytest.mark.parametrize(("status", "reached"), [(401, True), (403, True), (404, False), (500, False)])
def test_a_server_that_wants_a_key_is_there(status: int, reached: bool) -> None:
    asked: list[str] = []
    with ollama({}, asked, status) as url:
        found = reach({"reach": {"one": {"url": url, "product": "openai"}}})["one"]
    assert (found["reached"], found["models"]) == (reached, None)
    assert str(status) in found["error"]
    assert (rules.unreached("one", found, rules.MODELS) == []) == reached


def test_nobody_is_there() -> None:
    with ollama({}, []) as url:
        pass
    found = reach({"reach": {"one": {"url": url, "dimensions": []}}})["one"]
    assert not found["reached"]
    assert "refused" in found["error"]
