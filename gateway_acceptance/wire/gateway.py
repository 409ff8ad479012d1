"""The gateway as the checks ask it: OpenAI's endpoints over the sender, raw answers back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment, product_of
from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.wire.attribution import served_by
from gateway_acceptance.wire.exchange import Exchange, Headers
from gateway_acceptance.wire.pace import says_when
from gateway_acceptance.wire.raw import RawRequest
from gateway_acceptance.wire.sender import Deadline, LiveAnswer, Sender, tokens_needed

OWN_KEY = object()
"""Send the environment's key."""
AGAIN = 2
"""How often a stranger who is told when to ask again does so: another worker may have been first."""


class GatewayClient:
    """A client of one gateway. Every call is one request: no retry, no redirect, one deadline. Only who comes
    without its key, whom a gateway may keep away for a while, asks again when told to."""

    def __init__(self, environment: Environment, key: str, sender: Sender) -> None:
        self.environment = environment
        self.product = product_of(environment.gateway)
        self.url = environment.gateway.url
        self._key, self._sender = key, sender

    def request(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        body: bytes = b"",
        headers: Headers = (),
        key: object = OWN_KEY,
        tokens: int = 0,
        deadline: Deadline | None = None,
    ) -> Exchange:
        """Any request to a path of the gateway.

        json_body: sent as JSON; body: sent as it is. key: the environment's own by default, a string for
        another one, in the header that the environment declares; None for no such header at all. Raises
        NotPermitted, NoAnswer.
        """
        sent, content = self._prepared(json_body, body, headers, key)

        def ask() -> Exchange:
            return self._sender.send(
                method,
                self.url + path,
                headers=sent,
                body=content,
                tokens=tokens,
                deadline=deadline,
                served_by=self._who,
            )

        return ask() if key is OWN_KEY else at_retry_after(ask)

    def open_chat(
        self, model: str, messages: str | Sequence[Mapping[str, object]], **parameters: Any
    ) -> AbstractContextManager[LiveAnswer]:
        """A chat completion whose body is read as it arrives; leaving the block early disconnects."""
        body, tokens = _chat_body(model, messages, {"stream": True, **parameters})
        sent, content = self._prepared(body, b"", (), OWN_KEY)
        return self._sender.open(
            "POST",
            self.url + "/v1/chat/completions",
            headers=sent,
            body=content,
            tokens=tokens,
            served_by=self._who,
        )

    def _prepared(
        self, json_body: object, body: bytes, headers: Headers, key: object
    ) -> tuple[list[tuple[str, str]], bytes]:
        sent: list[tuple[str, str]] = []
        given = self._key if key is OWN_KEY else key
        if isinstance(given, str):
            name = self.environment.gateway.key_header
            sent.append((name, f"Bearer {given}" if name == BEARER_HEADER else given))
        if json_body is not None:
            body = json.dumps(json_body, ensure_ascii=False).encode()
            sent.append(("content-type", "application/json"))
        sent += headers
        return sent, body

    def without_key(
        self,
        method: str,
        target: str,
        *,
        headers: Headers = (),
        hosts: Sequence[str] | None = None,
        json_body: object = None,
        body: bytes | None = None,
        tokens: int = 0,
        version: str = "1.1",
    ) -> Exchange:
        """A request of somebody without a key, byte for byte as it is written (``wire.raw``).

        json_body: sent as JSON, and said to be that; body: sent as it is, instead, of whatever the headers
        say.
        hosts: the values of Host, one header each; None for the right one; version: of HTTP. No credential
        is added; that no answer came is told by ``error``. What such a request is shown is not kept as
        evidence. A gateway with a path prefix is asked below it.
        """
        place = urlsplit(self.url).netloc
        written = [("host", host) for host in ((place,) if hosts is None else hosts)]
        sent = body or (b"" if json_body is None else json.dumps(json_body).encode())
        given = {name.lower() for name, _ in headers}
        if json_body is not None and "content-type" not in given:
            written.append(("content-type", "application/json"))
        usual = (("user-agent", self._sender.agent), ("accept", "*/*"))
        written += [*((name, value) for name, value in usual if name not in given), *headers]
        asked = RawRequest(method, self._below(target), written, sent, version)
        return at_retry_after(lambda: self._sender.send_raw(self.url, asked, tokens=tokens))

    def _below(self, target: str) -> str:
        """The target of a request line, below the gateway's own path where it has one."""
        prefix = urlsplit(self.url).path
        scheme, separator, rest = target.partition("://")
        if not separator or "/" in scheme:
            return prefix + target
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host}{prefix}{slash}{path}"

    def get(self, path: str, **options: Any) -> Exchange:
        """GET a path; options as of ``request``."""
        return self.request("GET", path, **options)

    def models(self, **options: Any) -> Exchange:
        """``GET /v1/models``."""
        return self.get("/v1/models", **options)

    def chat(
        self,
        model: str,
        messages: str | Sequence[Mapping[str, object]],
        *,
        key: object = OWN_KEY,
        **parameters: Any,
    ) -> Exchange:
        """``POST /v1/chat/completions``. A string is sent as the one user message."""
        body, tokens = _chat_body(model, messages, {**self._sender.user, **parameters})
        return self.request("POST", "/v1/chat/completions", json_body=body, key=key, tokens=tokens)

    def embeddings(self, model: str, texts: str | Sequence[str], **parameters: Any) -> Exchange:
        """``POST /v1/embeddings``, as floats unless the parameters say otherwise."""
        body = {"model": model, "input": texts, "encoding_format": "float", **self._sender.user, **parameters}
        tokens = tokens_needed(json.dumps(texts), 0)
        return self.request("POST", "/v1/embeddings", json_body=body, tokens=tokens)

    def _who(self, exchange: Exchange) -> str:
        return served_by(exchange, self.product.served_by, self.environment.backends)


def at_retry_after(ask: Callable[[], Exchange]) -> Exchange:
    """The answer; where it is 429 and says when to ask again (RFC 6585 section 4), the one to
    the same then: what is refused as one too many was not looked at. The pace waits meanwhile."""
    answer = ask()
    for _ in range(AGAIN):
        if not says_when(answer):
            return answer
        answer = ask()
    return answer


def _chat_body(
    model: str, messages: str | Sequence[Mapping[str, object]], parameters: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """The request's body, and the tokens that it may cost."""
    spoken = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
    limit = parameters.get("max_tokens", parameters.get("max_completion_tokens"))
    answers = parameters.get("n")
    tokens = tokens_needed(
        json.dumps(spoken),
        limit if isinstance(limit, int) else None,
        answers if isinstance(answers, int) else 1,
    )
    return {"model": model, "messages": spoken, **parameters}, tokens
