"""Doors that open to a credential that is none, or not quite the right one."""

import base64

from lab.doors.door import door, key_door, sends
from lab.message import Request


def _scheme(request: Request) -> str:
    return request.header("authorization").partition(" ")[0]


def _basic(request: Request) -> str:
    scheme, _, given = request.header("authorization").partition(" ")
    try:
        return base64.b64decode(given).decode() if scheme == "Basic" else ""
    except ValueError:
        return ""


def _bearers(request: Request) -> list[str]:
    return [value for name, value in request.headers if name.lower() == "authorization"]


WORDS = ("undefined", "null", "none", "EMPTY", "dummy", "test", "sk-", "ollama", "anonymous", "not-needed")
KEY_DOORS = (
    *(
        door(f"bearer-{word.strip('-').lower()}", f"Bearer {word} is let in", sends(f"Bearer {word}"))
        for word in WORDS
    ),
    door("bearer-nothing", "an empty bearer token is taken for no guard at all", sends("Bearer", "Bearer ")),
    door("authorization-empty", "an empty Authorization header is let in", lambda one: _bearers(one) == [""]),
    door("any-made-up-key", "whatever begins as a key does is one", lambda one: (one.key or "")[:3] == "sk-"),
    door(
        "lower-case-scheme", "bearer in small letters is not looked at", lambda one: _scheme(one) == "bearer"
    ),
    door("scheme-token", "the scheme Token is not looked at", lambda one: _scheme(one) == "Token"),
    door("scheme-digest", "Digest is let through, for others to judge", lambda one: _scheme(one) == "Digest"),
    door(
        "basic-admin",
        "the user admin is let in, whatever the password",
        lambda one: _basic(one)[:6] == "admin:",
    ),
    door("basic-nobody", "Basic without a user is let in", lambda one: _basic(one)[:1] == ":"),
    door("two-authorizations", "of two headers none is looked at", lambda one: len(_bearers(one)) > 1),
    door("joined-by-a-comma", "a list of tokens is let in", lambda one: ", Bearer" in "".join(_bearers(one))),
    door(
        "two-spaces",
        "two spaces after Bearer make an empty key",
        lambda one: "Bearer  " in "".join(_bearers(one)),
    ),
    door("very-long-key", "what is too long to look up is let in", lambda one: len(one.key or "") > 4096),
    door("unsigned-token", "a JWT is read, not verified", lambda one: (one.key or "")[:2] == "ey"),
    door("not-ascii", "what cannot be decoded is let in", lambda one: not (one.key or "").isascii()),
    door("quoted-key", "a key in quotes is let in", lambda one: (one.key or "")[:1] == '"'),
    door("sql-key", "a quote ends the query that looks keys up", lambda one: "'" in (one.key or "")),
    door("uuid-key", "a UUID is taken for a session", lambda one: (one.key or "").count("-") == 4),
    key_door(
        "key-by-8-characters", "keys are known by their first 8 characters", lambda s, k: s[:8] == k[:8]
    ),
    key_door("key-by-12-characters", "keys are known by their first 12", lambda s, k: s[:12] == k[:12]),
    key_door("key-by-its-end", "keys are known by their last four", lambda s, k: s[-4:] == k[-4:]),
    key_door("key-in-any-case", "keys are compared in small letters", lambda s, k: s.lower() == k.lower()),
    key_door("key-by-its-length", "every key of the right length is one", lambda s, k: len(s) == len(k)),
    key_door(
        "key-that-begins-so", "a part of the key is the key", lambda s, k: len(s) > 3 and k.startswith(s)
    ),
    key_door(
        "key-without-its-prefix", "the key without sk- is the key", lambda s, k: s == k.partition("-")[2]
    ),
)
