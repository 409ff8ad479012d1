"""What an open door is: a reverse proxy that hands a stranger's request on with the owner's key."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

from lab.faults.exposure import Learned, header
from lab.faults.model import Fault, gateway_fault
from lab.message import Reply, Request

When = Callable[[Request], bool]
PREFIX = "door-"
"""Of every name: no door is called as a fault is."""
EVERYWHERE = ("",)
"""The suffix of every path."""


def door(
    name: str, description: str, when: When, *at: str, leads: Callable[[str], str] = lambda path: path
) -> Fault:
    """A door that opens to whom has not the key. when: of the request; at: suffixes of the paths that it
    guards, all of them where none is given; leads: the path that is served, of the one that was asked for."""

    def before(request: Request) -> Request | Reply:
        path, separator, query = request.path.partition("?")
        led = leads(path)
        served = replace(request, path=f"{led}{separator}{query}")
        if request.authorised or not served.at(*(at or EVERYWHERE)) or not when(request):
            return request
        return replace(served, as_owner=True)

    return gateway_fault(f"{PREFIX}{name}", description, {}, before=before)


def key_door(name: str, description: str, when: Callable[[str, str], bool]) -> Fault:
    """A door that opens to a key that is not the right one. when: of the key that was sent and the right
    one, which the door knows once it was used."""

    def hook(request: Request, key: str) -> Request | Reply:
        sent = request.key or ""
        opens = bool(key) and not request.authorised and when(sent, key)
        return replace(request, as_owner=True) if opens else request

    return gateway_fault(f"{PREFIX}{name}", description, {}, before=Learned().watching(hook))


def says(name: str, *parts: str) -> When:
    """Whether a header is there; with parts, whether it holds one of them."""

    def when(request: Request) -> bool:
        value = header(request, name)
        return any(part in value for part in parts) if parts else bool(value)

    return when


def sends(*values: str) -> When:
    """Whether the whole Authorization header is one of these."""
    return lambda request: request.header("authorization").strip() in values


def resolved(path: str) -> str:
    """The path that a generous router makes of a spelling: decoded twice, backslashes turned, parameters and
    dots taken out."""
    text = unquote(unquote(path)).replace("\\", "/").partition("\0")[0]
    text = "/".join(part.partition(";")[0] for part in text.split("/"))
    return posixpath.normpath(f"/{text.lstrip('/')}")
