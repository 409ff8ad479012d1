"""What a gateway is found to be: its product, its routes, its models, and what stands behind them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from gateway_acceptance.cli.init.asker import Asker, document_of
from gateway_acceptance.cli.init.found import Alias, Behind, Found
from gateway_acceptance.cli.init.litellm import (
    CALLBACKS,
    INFO,
    KINDS,
    OPENAI,
    SETTINGS,
    is_litellm,
    mode_of,
    read_deployments,
    read_settings,
)
from gateway_acceptance.cli.init.wildcards import WILDCARD, set_aside
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.products import PRODUCTS
from gateway_acceptance.plugin.preflight import (
    DOWN,
    NOT_THERE,
    fix_of_silence,
    refused_key,
    trouble_in,
    with_its_ca,
)
from gateway_acceptance.redaction import written_forms
from gateway_acceptance.wire.backends import full_name
from gateway_acceptance.wire.backends.ollama import TAGS
from gateway_acceptance.wire.backends.openai import MODELS
from gateway_acceptance.wire.breaker import Trouble
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.rule import media_type

CHAT = "/v1/chat/completions"
SIGNS_OF_LIFE = ("/health", "/", "/healthz", "/livez")
"""Health routes of gateways that nothing is known of, the most common first."""
FURTHER_SIGNS = ("/readyz", "/health/live", "/health/ready", "/ping")
"""Health routes that a gateway has besides the one by which it is known to live."""
DESCRIPTION = "/openapi.json"
"""Where FastAPI and others publish what routes they have."""
PORTKEY_SAYS = "AI Gateway says hey!"
REFUSALS = (
    *(HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
    HTTPStatus.INTERNAL_SERVER_ERROR,  # LiteLLM without a database
)
"""What a list of models answers to somebody without a key; a path that is not there answers otherwise."""
NO_KEY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
"""What a server behind the gateway answers that demands a key of its own."""
LONGEST_ID = 300
"""Characters; a longer id is no name of a model."""
OTHER_MODES = frozenset({"chat", "completion", "embedding", "responses"})


class NotExamined(Exception):  # noqa: N818
    """Nothing can be found out of the gateway. trouble: what is wrong with it, and the fix."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(str(trouble))


def examine_gateway(asker: Asker, key: str, variable: str, named: tuple[str, ...] = ()) -> Found:
    """Its models, product, routes, and what stands behind it. named: models that are declared whether it
    lists them or not, or has no list at all. Raises NotExamined, Silent."""
    listed = asker.get("/v1/models")
    assert listed is not None, "the first request is within any budget"
    ill = trouble_in(listed, asker.gateway.url, variable)
    broken = listed.status in DOWN and _serves_one(asker, named)
    if ill is not None and ill.trouble is not None and not broken:
        raise NotExamined(ill.trouble)
    found = Found()
    unlisted = broken or listed.status in NOT_THERE
    entries = _entries(listed, asker, without=unlisted and bool(named))
    for entry in entries:
        _take(entry, key, found)
    for name in named:
        if all(alias.name != name for alias in found.aliases):
            found.aliases.append(Alias(name, hidden=not unlisted))
    if not found.aliases:
        why = f"; {len(found.left_out)} of its ids cannot be declared" if found.left_out else ""
        raise NotExamined(
            Trouble(
                f"the gateway lists no model to this key (GET /v1/models: 200{why})",
                "give the key access to the models that are to be judged",
            )
        )
    readiness = asker.get(PRODUCTS["litellm"].readiness or "", key=False)
    if is_litellm(document_of(readiness)):
        _examine_litellm(asker, document_of(readiness), found)
    else:
        _examine_other(asker, found)
    for one in found.behind:
        examine_backend(asker, one.url, found)
    set_aside(found, named)
    if not found.aliases:
        patterns = ", ".join(name for name, _ in found.left_out)
        raise NotExamined(
            Trouble(
                f"the gateway lists nothing but names of wildcards ({patterns}), and no server behind it "
                "tells which of them it has",
                "give the names that clients use: --model NAME, for each of them",
            )
        )
    return found


def _serves_one(asker: Asker, named: tuple[str, ...]) -> bool:
    """Whether one of the models that are named is served, though the list of them is not."""
    words = [{"role": "user", "content": "hello"}]
    for path, body in (
        ("/v1/chat/completions", {"messages": words, "max_tokens": 1}),
        ("/v1/embeddings", {"input": "hello"}),
    ):
        answer = asker.post(path, {"model": named[0], **body}, tokens=1) if named else None
        if answer is not None and answer.status == HTTPStatus.OK:
            return True
    return False


def _entries(listed: Exchange, asker: Asker, *, without: bool) -> list[Any]:
    """The entries of a list of models. without: whether there need not be one. Raises NotExamined where there
    is no such list."""
    document = document_of(listed)
    entries = document.get("data")
    if listed.status == HTTPStatus.OK and isinstance(entries, list):
        return entries
    url = asker.gateway.url
    place = other_place(url, asker.elsewhere, listed.status)
    if without and not place:
        return []
    fix = (
        f"write --url {place}"
        if place
        else "look whether it is an OpenAI-compatible gateway; the URL is that to which /v1/models is added; "
        "if it has no such list, name its models: --model NAME, for each of them"
    )
    raise NotExamined(
        Trouble(
            f"something answers at {url}, and has no list of models there (GET /v1/models: {listed.status})",
            fix,
        )
    )


def other_place(url: str, ask: Callable[[str], Exchange | None], here: int | None = None) -> str:
    """Where else at the same server a list of models is; empty for nowhere. ask: a GET without the key; here:
    the status at the URL itself: what answers the same elsewhere is no better place."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    bases = [f"{scheme}://{host}{prefix}" for prefix in ("", "/api", "/openai")]
    for base in bases:
        answer = ask(f"{base}/v1/models") if base != url else None
        if answer is None:
            continue
        refused = answer.status in REFUSALS and answer.status != here
        if refused or isinstance(document_of(answer).get("data"), list):
            return base
    return ""


def _take(entry: object, key: str, found: Found) -> None:
    """One entry of the list of models: an alias, or an id that cannot be declared."""
    if not isinstance(entry, Mapping):
        found.left_out.append((json.dumps(entry)[:80], "it is no entry of a list of models"))
        return
    name, mode = entry.get("id"), mode_of(entry)
    if not isinstance(name, str) or not name:
        found.left_out.append((json.dumps(name)[:80], "it is no id"))
    elif why := _unfit(name, key):
        found.left_out.append((name[:LONGEST_ID], why))
    elif mode and mode not in OTHER_MODES:
        found.left_out.append((name, f"its mode is {mode}, which is not judged"))
    elif all(alias.name != name for alias in found.aliases):
        found.aliases.append(Alias(name, KINDS.get(mode)))


def _unfit(name: str, key: str) -> str:
    """Why an id cannot be declared, or nothing."""
    if len(name) > LONGEST_ID:
        return f"it has more than {LONGEST_ID} characters"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair, which nothing can carry"
    if any(form in name for form in written_forms(key)):
        return "it holds the gateway's key"
    if "*" in name:
        return f"{WILDCARD}: declare the names that clients use as models"
    return ""


def _examine_litellm(asker: Asker, readiness: Mapping[str, Any], found: Found) -> None:
    product = PRODUCTS["litellm"]
    found.product, found.served_by = "litellm", product.served_by or ""
    found.version = _text(readiness, product.version_key)
    read_deployments(document_of(asker.get(INFO)), found)
    if any(alias.balanced for alias in found.aliases) and not read_settings(
        document_of(asker.get(SETTINGS)), found
    ):
        read_settings(document_of(asker.get(CALLBACKS)), found)


def _examine_other(asker: Asker, found: Found) -> None:
    """A sign of life that any path gives is none: a console, or a front that answers everything alike. A page
    for people is one only where nothing else is."""
    nowhere = asker.get(f"/{secrets.token_hex(6)}", key=False)
    if nowhere is not None and nowhere.status == HTTPStatus.OK:
        return
    for path in SIGNS_OF_LIFE:
        answer = asker.get(path, key=False)
        if answer is None or answer.status != HTTPStatus.OK:
            continue
        if media_type(answer.headers) == "text/html":
            found.liveness = found.liveness or path
            continue
        found.liveness = path
        if PORTKEY_SAYS in answer.text:
            found.product = "portkey"
        return


def examine_backend(asker: Asker, url: str, found: Found) -> None:
    """Whether a server may be asked from here, whose protocol it speaks (Ollama's own, or else OpenAI's), and
    which models it has. It gets no key. Some servers of OpenAI's protocol list their models at Ollama's route
    as well, but not as Ollama does; and some list them to everybody, and serve who has a key (llama.cpp)."""
    one = next(behind for behind in found.behind if behind.url == url)
    own = asker.elsewhere(f"{url}{TAGS}")
    if own is None:
        one.why = "it gave no answer to this machine" if asker.left else "no request was left to ask it"
        return
    one.why = f"it does not answer as Ollama does (GET {TAGS}: {own.status})"
    tags = document_of(own)
    if not isinstance(tags.get("data"), list) and _listed(one, tags.get("models"), "name"):
        return
    if asker.left <= 0:
        return
    if urlsplit(url).netloc == urlsplit(asker.gateway.url).netloc:
        return  # the gateway itself has a list as well, and does not stand behind itself
    other = asker.elsewhere(f"{url}{MODELS}")
    if own.status not in NO_KEY or OPENAI in found.upstreams:
        one.product = OPENAI  # vLLM, llama.cpp, a provider in the cloud: whatever is no Ollama
    if other is not None and other.status in NO_KEY:
        one.demands_key = True
        one.why = f"it demands a key of its own (GET {MODELS}: {other.status})"
    elif other is None or not _listed(one, document_of(other).get("data"), "id"):
        status = "no answer" if other is None else other.status
        one.why += f", nor as an OpenAI-compatible server without a key (GET {MODELS}: {status})"
    elif (closed := _closed(asker, url)) is not None:
        one.demands_key = True
        one.why = f"it lists its models to everybody, and demands a key of its own else ({closed})"


def _closed(asker: Asker, url: str) -> str | None:
    """What a server answers that serves who has a key alone; None where that is not seen. Keys are looked at
    before methods where they are demanded of every route."""
    answer = asker.elsewhere(f"{url}{CHAT}") if asker.left > 0 else None
    if answer is None or answer.status not in NO_KEY:
        return None
    return f"GET {CHAT}: {answer.status}"


def _listed(one: Behind, entries: object, name: str) -> bool:
    """Put what a server lists of its models to it. name: the member that holds a model's name. Whether it was
    such a list."""
    if not isinstance(entries, list):
        return False
    models = [entry for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get(name), str)]
    one.models = {full_name(entry[name]): str(entry.get("digest") or "") for entry in models}
    one.names = tuple(sorted(entry[name] for entry in models))
    return True


def require_key(found: Found, variable: str) -> None:
    """Raises NotExamined where every model refused the key: a list of models that is open tells nothing of
    it."""
    if found.refusal is None or found.past_the_key:
        return
    asked = f"POST {urlsplit(found.refusal.url).path}: {found.refusal.status}"
    ill = refused_key(asked, found.refusal, variable).trouble
    assert ill is not None
    raise NotExamined(ill)


def tell_version(asker: Asker, found: Found) -> None:
    """The version of LiteLLM where no answer told it by its header yet."""
    product = PRODUCTS["litellm"]
    if found.product == "litellm" and not found.version and asker.left > 0:
        found.version = _text(document_of(asker.get(product.version_path or "")), product.version_key)


def find_description(asker: Asker, found: Found) -> None:
    """Its routes by its own words, where anybody gets them: what is open among them is then looked at. Health
    routes are open by their nature."""
    if not PRODUCTS[found.product].description and asker.answering and asker.left > 0:
        document = document_of(asker.get(DESCRIPTION, key=False))
        if isinstance(document.get("openapi"), str) and isinstance(document.get("paths"), Mapping):
            found.description = DESCRIPTION
            for path in (*SIGNS_OF_LIFE, *FURTHER_SIGNS):
                if path in document["paths"] and path != found.liveness:
                    answer = asker.get(path, key=False) if asker.left > 0 else None
                    found.alive += [path] if answer is not None and answer.status == HTTPStatus.OK else []


def trouble_of_silence(words: str, environment: Environment) -> Trouble:
    """A gateway that gave no answer."""
    said = with_its_ca(words, environment)
    return Trouble(f"the gateway does not answer ({said})", fix_of_silence(said, environment.gateway.url))


def _text(document: Mapping[str, Any], name: str | None) -> str:
    value = document.get(name) if name else None
    return value if isinstance(value, str) else ""
