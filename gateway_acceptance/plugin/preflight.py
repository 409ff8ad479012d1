"""What a gateway is found to be before the first check: whether it can be asked at all, and by this key."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlsplit

from gateway_acceptance.check import Effect
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.observations import MODELS, READINESS
from gateway_acceptance.verdict import CheckFailed, NoAnswer
from gateway_acceptance.wire.breaker import Trouble, knows_no_key
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.tls_words import NAME_THE_CA

RUN_AGAIN = "then run again"
START = f"start it, {RUN_AGAIN}"
LIST = "/v1/models"
NOT_TLS = ("wrong version number", "record layer failure", "http request", "packet length too long")
"""OpenSSL's words for an answer that is no TLS at all."""
TITLE, TITLE_WITHIN = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL), 4096
"""Of a page, and in so many of its first characters."""
OR_ELSE = "; or name its header as gateway.key_header, or what a front of it wants in network.headers"
"""Why a key may be refused that is right."""
LONGEST_PROBE_S = 10.0
"""Seconds for one question: these are answered from memory."""
Keep = Callable[[str, Callable[[], Exchange]], Exchange]
"""Ask, under one of these names."""


NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
"""What the list of models is answered with where there is none: MLflow's gateway has chat and embeddings
alone. API-MODELS-001 says so."""


DOWN = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""What says that nothing is served; of the list of models alone, where a chat is: NeMo Guardrails asks a
server for it that need not be configured."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found before the first check. silent, refused: why nothing can be asked, and why nothing with
    the environment's key, in words; empty where all is well; fix: what to do about it; models: the ids that
    it lists, sorted, with commas between; None where it lists none; version_apart: whether its version is
    told to who has the key alone, at a path of its own; unlisted: whether there is no list of models, or none
    that works; list_open: whether it was seen to be served without a key."""

    silent: str = ""
    refused: str = ""
    version: str = ""
    models: str | None = None
    fix: str = ""
    version_apart: bool = False
    unlisted: bool = False
    list_open: bool = False

    @property
    def trouble(self) -> Trouble | None:
        """What keeps the gateway as a whole from being judged."""
        if self.silent:
            return Trouble(self.silent, self.fix or START)
        return Trouble(self.refused, self.fix) if self.refused else None


def not_kept(_: str, ask: Callable[[], Exchange]) -> Exchange:
    """Asked anew each time."""
    return ask()


def preflight_of(
    gateway: GatewayClient,
    *,
    description: bool = True,
    beyond: bool = False,
    readiness: bool = True,
    version: bool = True,
    prove: bool = False,
    keep: Keep = not_kept,
) -> Preflight:
    """Ask it: its readiness, without a key; its models, with the key; its version. description: whether one
    that refuses the key may be asked for its OpenAPI description, which can be megabytes, for its version;
    beyond: as of ``Pace``: a refusal of one request too many is an answer then, and says that it lives;
    readiness: whether it is asked for it, of which nothing but the version is wanted here; version: whether
    that is wanted at all; prove: whether a list of models that everybody gets is no proof that it takes the
    key."""
    found = _preflight_of(
        gateway, beyond=beyond, readiness=readiness, version=version, prove=prove, keep=keep
    )
    product = gateway.product
    if version and found.refused and not found.version and description and product.version_described:
        with contextlib.suppress(NoAnswer):
            answer = gateway.get(product.description or "/openapi.json", key=None)
            return replace(found, version=_version(answer, "version", inside="info"))
    return found


def _preflight_of(
    gateway: GatewayClient, *, beyond: bool, readiness: bool, version: bool, prove: bool, keep: Keep
) -> Preflight:
    product = gateway.product
    found = Preflight()
    if readiness:
        path = product.readiness or product.liveness or LIST
        name = READINESS if product.readiness else f"{path} without a key"
        try:
            answer = keep(name, lambda: gateway.get(path, key=None))
        except NoAnswer as failure:
            return _no_answer(failure, gateway.environment)
        found = Preflight(version=_version(answer, product.version_key))
    try:
        listed = keep(MODELS, gateway.models)
    except NoAnswer as failure:
        return replace(_no_answer(failure, gateway.environment), version=found.version)
    if beyond and listed.status == HTTPStatus.TOO_MANY_REQUESTS:
        return found
    ill = trouble_in(listed, gateway.environment.gateway.url, _key_place(gateway.environment))
    broken = ill is not None and prove and listed.status in DOWN and _serves(gateway)
    list_open = False
    if broken:
        ill = None
    elif ill is None and prove and _model_ids(listed) is not None:
        list_open = _list_is_open(gateway)
        ill = _refused_beyond_the_list(gateway) if list_open else None
    if ill is not None:
        return replace(ill, version=found.version)
    unlisted = broken or listed.status in NOT_THERE
    found = replace(found, models=_model_ids(listed), unlisted=unlisted, list_open=list_open)
    if version and not found.version and product.version_path:
        with contextlib.suppress(NoAnswer):
            known = _version(gateway.get(product.version_path), product.version_key)
            found = replace(found, version=known, version_apart=bool(known))
    return found


def trouble_in(listed: Exchange, url: str, variable: str | None) -> Preflight | None:
    """What an answer to ``GET /v1/models`` says against the gateway as a whole; None for nothing. url:
    gateway.url; variable: what holds its key (a variable, a file), None where the lab made it up."""
    asked, status = f"GET /v1/models: {listed.status}", listed.status or 0
    if status == HTTPStatus.BAD_REQUEST and _speaks_tls(listed):
        fix = f"write {_other_scheme(url)} as gateway.url"
        return Preflight(silent=f"the gateway speaks TLS there ({asked} {_said(listed)})", fix=fix)
    if status == HTTPStatus.BAD_REQUEST and _demands_a_certificate(listed):
        fix = "name a client certificate that it accepts as network.client_certificate"
        return Preflight(silent=f"the gateway refuses whom it does not know in TLS ({asked})", fix=fix)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        fix = "look into the variable that network.proxy_credentials_variable names (USER:PASSWORD)"
        return Preflight(silent=f"the proxy refuses whom it does not know ({asked})", fix=fix)
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return refused_key(asked, listed, variable)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        later = listed.header("retry-after")
        wait = f"wait {later} s, as it asks" if (later or "").isdecimal() else "wait"
        fix = f"{wait}, or raise the limits of the key; policy.requests_per_second sets a pace"
        return Preflight(silent=f"the gateway refuses every request as one too many ({asked})", fix=fix)
    if status in DOWN:
        fix = "something answers in its place or before it is ready: start what stands behind, then run again"
        return Preflight(silent=f"the gateway is unavailable ({asked} {_said(listed)})", fix=fix)
    if 300 <= status < 400:
        place = (listed.header("location") or "nowhere")[:120]
        fix = "name the place that answers as gateway.url; the key is sent nowhere else"
        return Preflight(silent=f"the gateway sends everybody elsewhere ({asked} to {place})", fix=fix)
    return None


def refused_key(asked: str, answer: Exchange, variable: str | None) -> Preflight:
    """A gateway that does not take the key. asked: what was asked, and the status; variable: as of
    ``trouble_in``."""
    source = f"correct the key in {variable}{OR_ELSE}" if variable else "restart the lab"
    seen = f"{asked} {_said(answer, 200)}"
    return Preflight(refused=f"the gateway refuses the environment's key ({seen})", fix=source)


def _list_is_open(gateway: GatewayClient) -> bool:
    """Whether the list of models is everybody's."""
    try:
        return _model_ids(gateway.get(LIST, key=None)) is not None
    except NoAnswer:
        return False


def _refused_beyond_the_list(gateway: GatewayClient) -> Preflight | None:
    """What one chat (or embedding) says against the key, where the list of models proves nothing."""
    answer = _spoken(gateway)
    if answer is None or not knows_no_key(answer):
        return None
    asked = f"POST {urlsplit(answer.url).path}: {answer.status}"
    return refused_key(asked, answer, _key_place(gateway.environment))


def _serves(gateway: GatewayClient) -> bool:
    """Whether it serves a model all the same."""
    answer = _spoken(gateway)
    return answer is not None and answer.status == HTTPStatus.OK


def _spoken(gateway: GatewayClient) -> Exchange | None:
    """One short answer of a declared model; None where that may not be asked for, or none came."""
    environment = gateway.environment
    if Effect.SPEND not in environment.policy.effects:
        return None
    try:
        if chats := environment.aliases_of(ModelKind.CHAT):
            return gateway.chat(chats[0], "hello", max_tokens=1)
        return gateway.embeddings(environment.aliases[0], "hello")
    except NoAnswer:
        return None


def _said(answer: Exchange, most: int = 120) -> str:
    """What an answer says, on one line of so many characters; of a page of HTML (nginx's own) its title."""
    text = answer.text[:TITLE_WITHIN]
    page = TITLE.search(text) if text.lstrip().startswith("<") else None
    return " ".join((page[1] if page else text).split()).removeprefix(f"{answer.status} ")[:most]


def _speaks_tls(answer: Exchange) -> bool:
    """Whether a server says that it was asked in plain HTTP where it speaks TLS: nginx, Apache, Go's."""
    text = answer.text.lower()
    return any(
        words in text
        for words in (
            "plain http request was sent to https",
            "plain http to an ssl",
            "http request to an https",
        )
    )


def _demands_a_certificate(answer: Exchange) -> bool:
    """Whether a server that has made the handshake says that it wants to see a certificate: nginx's way."""
    text = answer.text.lower()
    return "ssl certificate" in text and ("no required" in text or "certificate error" in text)


def _key_place(environment: Environment) -> str | None:
    """Where the key comes from, as a person would look for it; None where the lab made it up."""
    gateway = environment.gateway
    if gateway.key_command:
        return f"what gateway.key_command ({gateway.key_command[0]}) prints"
    return gateway.key_variable or (str(gateway.key_file) if gateway.key_file else None)


def _other_scheme(url: str) -> str:
    return f"http{url[5:]}" if url.startswith("https:") else f"https{url[4:]}"


def fix_of_silence(words: str, url: str) -> str:
    """What to do about a gateway that gave no answer, by what the exchange says of it. url: gateway.url."""
    host = urlsplit(url).hostname
    if "the proxy " in words:
        return (
            "start the proxy, correct network.proxy or its credentials, or name the host in network.no_proxy"
        )
    if "cannot be resolved" in words:
        return f"there is no such name: correct {host} in gateway.url, or the resolver of this machine"
    if "was not resolved" in words:
        return f"look whether the resolver of this machine answers, or write an address for {host}"
    if ": TLS: no handshake" in words:
        if any(sign in words for sign in NOT_TLS):
            return f"it speaks no TLS there: write {_other_scheme(url)} as gateway.url, or the port that does"
        return "look which versions and ciphers of TLS it offers, then run again"
    if ": TLS: " in words:
        return RUN_AGAIN  # which of them, and its fix, stands in the words
    if "connection refused" in words:
        return "start it, or correct the port in gateway.url, then run again"
    if "within" in words:
        return "look whether it hangs or a firewall drops what is sent to it, then run again"
    if "the connection broke" in words and url.startswith("http:"):
        return (
            f"look into its log why it ends connections; if it speaks TLS there, write {_other_scheme(url)} "
            "as gateway.url"
        )
    return "look whether gateway.url is its address, and into its log, then run again"


def with_its_ca(words: str, environment: Environment) -> str:
    """What an exchange says of an unknown CA, where one is declared already: it is another one."""
    declared = environment.network.ca_file
    if declared is None:
        return words
    return words.replace(
        NAME_THE_CA, f"network.ca_file ({declared}) does not hold it: name the file that does"
    )


def _no_answer(failure: NoAnswer, environment: Environment) -> Preflight:
    words, url = with_its_ca(str(failure), environment), environment.gateway.url
    return Preflight(silent=f"the gateway does not answer ({words})", fix=fix_of_silence(words, url))


def _model_ids(answer: Exchange) -> str | None:
    try:
        body = answer.json()
    except CheckFailed:
        return None
    entries = body.get("data") if isinstance(body, Mapping) else None
    if answer.status != 200 or not isinstance(entries, list):
        return None
    return ", ".join(sorted(str(entry.get("id")) for entry in entries if isinstance(entry, Mapping)))


def _version(answer: Exchange, key: str | None, *, inside: str = "") -> str:
    try:
        body = answer.json()
    except CheckFailed:
        return ""
    if inside:
        body = body.get(inside) if isinstance(body, Mapping) else None
    value = body.get(key) if key and isinstance(body, Mapping) else None
    return value if isinstance(value, str) else ""
