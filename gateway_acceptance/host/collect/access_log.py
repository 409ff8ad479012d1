"""Requests that failed, as the access log of a service tells them."""

from __future__ import annotations

import re

from gateway_acceptance.host.collect.base import Facts, masked

SHOWN_FAILURES = 20
ACCESS_LINES = (  # each begins where a word does: a line of one long word is read once, not once for each letter
    # uvicorn: INFO:     10.0.0.5:51234 - "POST /v1/chat/completions HTTP/1.1" 429 Too Many Requests
    re.compile(
        r'(?<!\S)(?P<by>\S+) - "(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[0-9.]+" (?P<status>[0-9]{3})\b'
    ),
    # gin (Ollama): [GIN] 2026/11/26 - 12:00:00 | 500 |  1.2ms |  10.0.0.39 | POST     "/api/chat"
    re.compile(r'\| (?P<status>[0-9]{3}) \|[^|]*\| +(?P<by>\S+) \| (?P<method>[A-Z]+) +"(?P<path>[^"]*)"'),
)


def failure_in(line: str) -> Facts | None:
    """{status, by, what} of a line by which uvicorn or gin tells that a request failed with a status after
    which a router may leave a deployment out (408, 429, 500 and more): who asked, the method, and the path
    without its query, masked. None for any other line."""
    found = next((one for one in (known.search(line) for known in ACCESS_LINES) if one), None)
    if found is None or not (found["status"] in ("408", "429") or found["status"] >= "500"):
        return None
    what = f"{found['method']} {found['path'].partition('?')[0]}"
    return {"status": int(found["status"]), "by": found["by"][:60], "what": masked(what)[:100]}
