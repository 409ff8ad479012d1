"""Sentinels of bad requests: one for each kind, which breaks all rules of its kind at once.

Any right gateway refuses it for the first of them, in the envelope. What is served, or ends in an internal
error, wakes the checks that break one rule each.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.wire.exchange import Exchange
from suites.api.errors.probes import CHAT, NO_MODEL, chat
from suites.api.errors.rules import message_of
from suites.api.observations import ECHO_TOKENS
from suites.api.operations.leftovers import refuses
from suites.api.operations.rules import hung_up

BLAMES_THE_REQUEST = (400, 404, 405, 413, 415, 422, 501)
"""The statuses that blame a request, or say that a route is not offered."""
BAD_REQUEST, INTERNAL_ERROR = 400, 500
DEPTH = 2000
UNKNOWN_PART = {"role": "user", "content": [{"type": "hologram", "hologram": "hello"}]}
WITH_THE_KEY = "with the run's own key"
"""The line of all that carry it: a key may be allowed one request at a time, and say so to the second."""
BODY, FIELDS, ROUTES = (f"suites.api.errors.test_{name}" for name in ("body", "fields", "routes"))
SDK = "suites.api.sdk.test_errors"


@dataclass(frozen=True, slots=True)
class Bad:
    """A bad request, and the checks of its parts; otherwise: as of ``Sentinel``."""

    name: str
    wakes: Sequence[str]
    body: Callable[[Environment], bytes]
    content_type: str = "application/json"
    otherwise: Sequence[str] = ()

    def sentinel(self) -> Sentinel:
        """It, as smoke asks it."""
        return Sentinel(self.name, "API-ERR-001", self.wakes, self._refused, WITH_THE_KEY, self.otherwise)

    def _refused(self, target: Target) -> bool:
        body = self.body(target.environment)
        headers = [("content-type", self.content_type)]
        answer = target.gateway.request("POST", CHAT, body=body, headers=headers, tokens=ECHO_TOKENS)
        return answer.status in BLAMES_THE_REQUEST and message_of(answer) is not None


def no_text(_: Environment) -> bytes:
    """Bytes that are no UTF-8, deep in arrays."""
    return b"[" * DEPTH + b'"\xff\xfe"' + b"]" * DEPTH


def named(*checks: str, of: str) -> tuple[str, ...]:
    """Checks of one file."""
    return tuple(f"{of}:test_{check}" for check in checks)


# fmt: off
BADS = (
    Bad("parameters of the wrong type",
        named("messages_string", "temperature_string", "max_tokens_string", "stream_string", "tools_string",
              "response_format_string", "model_number", of=FIELDS),
        chat(model=7, messages="hello", temperature="warm", max_tokens="many", stream="perhaps",
             tools="hammer", response_format="json"),
        otherwise=("suites.api.properties.test_properties:test_mutated_chat",)),
    Bad("values out of range, to an unknown model, streamed",
        (*named("unknown_role", "role_missing", "message_string", "content_number", "unknown_part",
                "temperature_range", "max_tokens_negative", of=FIELDS),
         *named("unknown_model_streamed", of=ROUTES),
         *named("mock_response", "mock_failure", of="suites.api.exposure.test_exposure"), SDK),
        chat(messages=["hello", {"role": "wizard", "content": "hello"}, {"content": 5}, UNKNOWN_PART],
             model=NO_MODEL, temperature=9, max_tokens=-5, stream=True, mock_response="HX-MOCKED",
             mock_testing_fallbacks=True)),
    Bad("no text, deep in arrays",
        named("array", "no_utf8", "deeply_nested", "other_content_type", of=BODY),
        no_text, content_type="text/plain"),
)
# fmt: on


def connections_kept(target: Target) -> bool:
    """Of what this line has asked until now: behind a refusal the connection stands, unless it said so, and
    the next request is answered in the same form."""
    return not any(
        BAD_REQUEST <= (first.status or 0) < INTERNAL_ERROR
        and (hung_up(first, then) or left_over(first, then))
        for first, then in itertools.pairwise(target.notebook.exchanges)
    )


def left_over(first: Exchange, then: Exchange) -> bool:
    """Whether two refusals in a row on one connection do not look alike: the second may be of what the first
    left there."""
    alike = message_of(first) is None or message_of(then) is not None
    return first.connection == then.connection and refuses(then) and not alike


REFUSAL_SENTINELS = tuple(bad.sentinel() for bad in BADS)
CONNECTION_SENTINELS = (
    Sentinel(
        "connections behind refusals",
        "API-ERR-001",
        (
            "suites.api.operations.test_connections:test_end_is_announced",
            "suites.api.operations.test_http:test_keep_alive",
        ),
        connections_kept,
        WITH_THE_KEY,
    ),
)
