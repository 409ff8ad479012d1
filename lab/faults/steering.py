"""Defects by which something beside the body chooses who serves, or what."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from lab.faults.exposure import calls_address, header
from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import CHAT
from lab.message import Reply, Request, json_reply


def query(request: Request, name: str) -> str:
    """A value in the URL; empty where there is none."""
    return (parse_qs(urlsplit(request.path).query).get(name) or [""])[0]


def by_header(request: Request) -> Request:
    """The model that a header names."""
    named = header(request, "x-target-model")
    return request.with_json({**request.json, "model": named}) if named and request.at(CHAT) else request


def by_deployment(request: Request) -> Request:
    """The deployment that the URL names."""
    named = query(request, "deployment")
    return request.with_json({**request.json, "model": named}) if named and request.at(CHAT) else request


def to_an_address(request: Request) -> Request:
    """Calls the server that a header names; only ever on loopback."""
    calls_address(header(request, "x-upstream-url"))
    return request


def made_up(request: Request) -> Request | Reply:
    """The answer that the URL asks for."""
    text = query(request, "mock_response")
    if not (text and request.authorised and request.at(CHAT)):
        return request
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json_reply(200, {"id": "x", "object": "chat.completion", "model": "x", "choices": [choice]})


def engines(request: Request, reply: Reply) -> Reply:
    """Engines are all served by one backend, whatever they are called."""
    if "/engines/" in request.path and reply.status == 200:
        return reply.with_header("x-litellm-model-api-base", "http://127.0.0.9:11434")
    return reply


STEERING_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "header-chooses-the-model",
        "a header chooses the model instead of the body",
        {"API-STEER-001": "x-target-model: chooses who serves"},
        before=by_header,
    ),
    gateway_fault(
        "url-chooses-the-model",
        "a deployment in the URL chooses the model instead of the body",
        {"API-STEER-002": r"\?deployment= chooses who serves"},
        before=by_deployment,
    ),
    gateway_fault(
        "address-in-a-header-called",
        "the server that a header names is called",
        {"API-STEER-003": "chat with an address in headers: the gateway called it"},
        before=to_an_address,
    ),
    gateway_fault(
        "answer-made-up-by-the-url",
        "the URL says what the model has answered",
        {"API-STEER-004": "the URL makes up the answer"},
        before=made_up,
    ),
    gateway_fault(
        "engines-served-elsewhere",
        "a model that the path names is served by a backend that nobody named",
        {"API-STEER-005": "engines in the path: .* answered, which serves neither"},
        after=engines,
    ),
)
