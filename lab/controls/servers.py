"""Right gateways with habits of servers that people run themselves: vLLM, llama-server, Mistral, Gemini's."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace

from lab.controls.answers import CHAT, SHAPED, SHAPES
from lab.controls.clouds import in_both_forms
from lab.controls.model import Control
from lab.controls.refusals import INTERFACE
from lab.controls.streams import CALLS, CHUNKS, STREAMS
from lab.message import Json, Reply, Request, edit_events, edit_json

TIMINGS = {"prompt_n": 12, "prompt_ms": 41.7, "predicted_n": 9, "predicted_ms": 187.25, "cache_n": 0}
PERMISSION = {"id": "modelperm-1", "object": "model_permission", "allow_sampling": True, "is_blocking": False}
PIECE_OF_BODY = 400
CHALLENGE = 'Bearer realm="gateway", error="invalid_token", error_description="The key is not known"'


def _choices(document: Json) -> list[Json]:
    return [choice for choice in document.get("choices") or [] if isinstance(choice, dict)]


def _timings(request: Request, reply: Reply) -> Reply:
    """llama-server tells its timings in whole answers and in the last chunk."""

    def last(chunks: list[Json]) -> list[Json]:
        if chunks:
            chunks[-1]["timings"] = TIMINGS
        return chunks

    unstreamed = edit_json(CHAT, change=lambda document: {**document, "timings": TIMINGS})
    return (edit_events(last) if request.streams else unstreamed)(request, reply)


def _says(chunk: Json) -> bool:
    """Whether a chunk brings a text of its one choice, and nothing else."""
    choices = _choices(chunk)
    return (
        len(choices) == 1
        and bool(choices[0]["delta"].get("content"))
        and "tool_calls" not in choices[0]["delta"]
    )


def _merged(chunks: list[Json]) -> list[Json]:
    """Two texts in each delta, as with speculative decoding."""
    found: list[Json] = []
    taken = True
    for chunk in chunks:
        here = (
            _says(chunk)
            and not _choices(chunk)[0].get("finish_reason")
            and set(_choices(chunk)[0]["delta"]) == {"content"}
        )
        if here and not taken and found and _says(found[-1]):
            _choices(found[-1])[0]["delta"]["content"] += _choices(chunk)[0]["delta"]["content"]
            taken = True
        else:
            found.append(chunk)
            taken = False
    return found


def _by_character(chunks: list[Json]) -> list[Json]:
    """Each character in a delta of its own."""
    found: list[Json] = []
    for chunk in chunks:
        if not _says(chunk) or chunk.get("usage"):
            found.append(chunk)
            continue
        choice = _choices(chunk)[0]
        text, finish = choice["delta"]["content"], choice.get("finish_reason")
        for number, letter in enumerate(text):
            one = json.loads(json.dumps(chunk))
            delta = {"content": letter} if number else {**choice["delta"], "content": letter}
            ends = finish if number == len(text) - 1 else None
            one["choices"] = [{**choice, "delta": delta, "finish_reason": ends}]
            found.append(one)
    return found


def _with_empty(chunks: list[Json]) -> list[Json]:
    """After each text a delta that says nothing, which keeps the connection open."""
    found: list[Json] = []
    for chunk in chunks:
        found.append(chunk)
        if _says(chunk) and not _choices(chunk)[0].get("finish_reason") and not chunk.get("usage"):
            empty = {**chunk, "choices": [{**_choices(chunk)[0], "delta": {}}]}
            found.append(empty)
    return found


def _call_at_once(chunks: list[Json]) -> list[Json]:
    """All calls whole in one delta, and the reason in the same chunk, as Gemini has it."""
    calls: list[Json] = []
    first: Json | None = None
    kept: list[Json] = []
    for chunk in chunks:
        pieces = [piece for choice in _choices(chunk) for piece in choice["delta"].get("tool_calls") or []]
        if pieces and first is None:
            first = chunk
            kept.append(chunk)
        ends = next(
            (choice["finish_reason"] for choice in _choices(chunk) if choice.get("finish_reason")), None
        )
        for piece in pieces:
            known = next((call for call in reversed(calls) if call["index"] == piece["index"]), None)
            if known is None or piece.get("id", known["id"]) != known["id"]:
                calls.append(piece)
            else:
                known["function"]["arguments"] += (piece.get("function") or {}).get("arguments") or ""
        if first is not None and ends:
            choice = _choices(first)[0]
            choice["delta"]["tool_calls"], choice["finish_reason"] = calls, ends
        elif not pieces:
            kept.append(chunk)
    return kept


def _other_ids(change: Callable[[], str]) -> Callable[[Request, Reply], Reply]:
    def after(request: Request, reply: Reply) -> Reply:
        anew = change()
        return in_both_forms(lambda document: {**document, "id": anew})(request, reply)

    return after


def _of_vllm(document: Json) -> Json:
    for entry in document["data"]:
        entry |= {"root": entry["id"], "parent": None, "max_model_len": 8192, "permission": [PERMISSION]}
    return {**document, "has_more": False, "first_id": None, "last_id": None}


def _listed(request: Request, reply: Reply) -> Reply:
    listing = request.path.split("?")[0].rstrip("/").endswith("/models") and request.method == "GET"
    document = reply.json
    if not listing or reply.status != 200 or not isinstance(document, dict) or not document.get("data"):
        return reply
    return reply.with_json(_of_vllm(document))


def _challenged(_: Request, reply: Reply) -> Reply:
    return reply.with_header("www-authenticate", CHALLENGE) if reply.status == 401 else reply


def _sent_to_the_console(request: Request, reply: Reply) -> Reply:
    """Any path that nothing else answers leads to the console's sign-in."""
    if request.method != "GET" or reply.status != 404 or request.path.startswith(INTERFACE):
        return reply
    return Reply(302, (("location", "/ui/login"),), ())


def _in_pieces(request: Request, reply: Reply) -> Reply:
    """A whole answer comes in several pieces, without its length."""
    if request.streams or not reply.body:
        return reply
    body = reply.body
    pieces = tuple(body[at : at + PIECE_OF_BODY] for at in range(0, len(body), PIECE_OF_BODY))
    return replace(reply, chunks=pieces).with_header("content-length", None)


def _indexed(document: Json) -> Json:
    """Calls of whole answers have an index, as Mistral's have."""
    for choice in _choices(document):
        for place, call in enumerate(choice["message"].get("tool_calls") or []):
            call["index"] = place
    return document


def _stops(request: Request, reply: Reply) -> Reply:
    """Where one tool was named by tool_choice, the answer that calls it ends with stop, as OpenAI's do."""
    if not isinstance(request.json.get("tool_choice"), dict):
        return reply

    def change(document: Json) -> Json:
        for choice in _choices(document):
            if choice.get("finish_reason") == "tool_calls":
                choice["finish_reason"] = "stop"
        return document

    return in_both_forms(change)(request, reply)


SERVER_CONTROLS = (
    Control(
        "right-forced-call-stops",
        "an answer that calls the tool that was named ends with stop, as OpenAI's do",
        after=_stops,
        checks=("API-TOOLS-0", "API-SDK-01", "API-PROP-0"),
        concerns=("API-TOOLS-015", "API-TOOLS-002", "API-TOOLS-005", "API-CHAT-001"),
    ),
    Control(
        "right-llama-timings",
        "answers and last chunks tell timings, as llama-server's do",
        after=_timings,
        checks=(*SHAPES, *STREAMS),
        concerns=(*SHAPED, *CHUNKS),
    ),
    Control(
        "right-chunks-merged",
        "deltas bring two tokens each, as with speculative decoding",
        after=edit_events(_merged),
        checks=STREAMS,
        concerns=CHUNKS,
    ),
    Control(
        "right-chunks-by-character",
        "deltas bring a character each",
        after=edit_events(_by_character),
        checks=STREAMS,
        concerns=(*CHUNKS, "API-STREAM-016", "API-STREAM-082"),
    ),
    Control(
        "right-chunks-empty-deltas",
        "empty deltas between the others keep the connection open",
        after=edit_events(_with_empty),
        checks=STREAMS,
        concerns=CHUNKS,
    ),
    Control(
        "right-calls-at-once",
        "all calls of a stream stand whole in one delta, with the reason, as Gemini's do",
        after=edit_events(_call_at_once),
        checks=STREAMS,
        concerns=CALLS,
    ),
    Control(
        "right-calls-indexed",
        "calls of whole answers have an index, as Mistral's have",
        after=edit_json(CHAT, change=_indexed),
        checks=("API-TOOLS-0", "API-SDK-01"),
        concerns=("API-TOOLS-001", "API-TOOLS-002", "API-TOOLS-003", "API-TOOLS-008", "API-SDK-012"),
    ),
    Control(
        "right-generation-ids",
        "ids of answers are gen- and a number, as OpenRouter's are",
        after=_other_ids(lambda: f"gen-{secrets.randbits(48)}"),
        checks=(*SHAPES, *STREAMS),
        concerns=("API-CHAT-003", "API-SDK-005", "API-STREAM-026", "API-STREAM-027", "API-STREAM-084"),
    ),
    Control(
        "right-models-of-vllm",
        "entries of models tell their window, root and permissions, and the list that there is no more",
        after=_listed,
        checks=("API-MODELS-0", "API-SDK-01", "API-EXPO-0"),
        concerns=("API-MODELS-003", "API-MODELS-004", "API-MODELS-005", "API-SDK-015"),
    ),
    Control(
        "right-challenge-described",
        "the challenge of a refusal tells realm, error and description, as RFC 6750 has it",
        after=_challenged,
        checks=("API-AUTH-0", "API-ACCESS-0"),
        concerns=("API-AUTH-008", "API-AUTH-010", "API-AUTH-013", "API-EXPO-011"),
    ),
    Control(
        "right-console-redirects",
        "any path that is no interface leads to the console's sign-in, 302 and no key asked",
        after=_sent_to_the_console,
        checks=("API-AUTH-01", "API-EXPO-0", "API-ACCESS-0"),
        concerns=("API-AUTH-016", "API-AUTH-017", "API-EXPO-001", "API-EXPO-002", "API-EXPO-003"),
    ),
    Control(
        "right-answers-in-pieces",
        "whole answers come in several pieces and do not tell their length",
        after=_in_pieces,
        checks=("API-CHAT-00", "API-OPS-0", "API-ERR-00"),
        concerns=("API-OPS-009", "API-OPS-010", "API-ERR-002", "API-CHAT-030"),
    ),
)
