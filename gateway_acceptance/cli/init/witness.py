"""What stands behind a gateway that does not list it: by the header of its answers that holds a URL.

The server's address is in the header, the upstream model in the answer's ``model``; both count only where the
server itself lists that model.
"""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from gateway_acceptance.cli.init.asker import Asker, document_of
from gateway_acceptance.cli.init.found import Alias, Behind, Found, FoundDeployment, name_for
from gateway_acceptance.cli.init.gateway import examine_backend
from gateway_acceptance.environment.table import Url
from gateway_acceptance.wire.backends import full_name
from gateway_acceptance.wire.exchange import Exchange

NO_WITNESS = ("location", "content-location", "link", "referer", "origin")
"""Headers that hold URLs of other things."""
MOST_BEHIND = 6
"""Servers that are asked what they have."""
_URL: TypeAdapter[str] = TypeAdapter(Url)


def hear(answer: Exchange | None, alias: Alias, found: Found) -> None:
    """Note who served an answer, of a gateway that does not list what stands behind it."""
    if answer is None or answer.status != 200 or found.lists_all:
        return
    named = {
        name.lower(): value
        for name, value in answer.headers
        if value.startswith(("http://", "https://")) and name.lower() not in NO_WITNESS
    }
    if not found.served_by and len(named) == 1:
        found.served_by = next(iter(named))
    try:
        url = _URL.validate_python(named[found.served_by])
    except (KeyError, ValidationError):
        return
    model = document_of(answer).get("model")
    alias.heard.add((url, model if isinstance(model, str) else ""))


def examine_named_backends(asker: Asker, found: Found) -> None:
    """Ask each server that was heard of, as far as the budget goes."""
    for url in sorted({url for alias in found.aliases for url, _ in alias.heard}):
        known = [one.url for one in found.behind]
        if url not in known and len(known) < MOST_BEHIND and asker.left > 0:
            found.behind.append(Behind(name_for(url, [one.name for one in found.behind]), url))
            examine_backend(asker, url, found)


def settle(found: Found) -> None:
    """From what was heard of each alias to what is declared of it: one server and one model that it lists."""
    names = {one.url: one for one in found.behind}
    for alias in found.aliases:
        places = set()
        for url, model in alias.heard:
            models = names[url].models if url in names else None
            name = model.rsplit("/", 1)[-1] if models and full_name(model) not in models else model
            places.add((names[url].name, name) if models and full_name(name) in models else ("", ""))
        if len(places) == 1 and all(next(iter(places))):
            backend, upstream = next(iter(places))
            alias.members = [FoundDeployment(upstream, backend)]
        elif len(alias.heard) > 1:
            text = ", ".join(f"{model} on {url}" for url, model in sorted(alias.heard))
            alias.remarks.append(
                f"it is served by several ({text}): declare it as [[groups]] with all its deployments, and "
                "its shares are judged"
            )
