"""Right gateways behind other web servers."""

from __future__ import annotations

import gzip
from dataclasses import replace

from lab.controls.model import Control
from lab.message import Reply, Request


def _packed(request: Request, reply: Reply) -> Reply:
    """Whole answers are compressed where the client takes that, as nginx and Caddy do."""
    accepted = request.header("accept-encoding") or ""
    if "gzip" not in accepted or request.streams or not reply.body:
        return reply
    kept = tuple(pair for pair in reply.headers if pair[0].lower() != "content-length")
    headers = (*kept, ("content-encoding", "gzip"), ("vary", "accept-encoding"))
    return replace(reply, headers=headers, chunks=(gzip.compress(reply.body),))


PLAIN_CONTROLS = (
    Control(
        "right-gzip",
        "whole answers are compressed for clients that take gzip",
        after=_packed,
        checks=("API-CHAT-00", "API-MODELS-0", "API-SDK-00"),
        concerns=("API-CHAT-003", "API-EMB-009", "API-SDK-005", "API-ERR-002"),
    ),
)
