"""Defects of what chat messages contain, and of conversations that are not kept whole, or not apart."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable

from lab.faults.chat_mutators import asks, messages, said, says, texts
from lab.faults.model import After, Before, Fault, gateway_fault
from lab.faults.mutators import CHAT, CRASH, answers
from lab.message import Json, Reply, Request, envelope

SAME_ID = "expected [0-9]+ different ids, more than one has"
"""What an answer that is given again shows beside its text."""
PARTS_CRASH = envelope(500, "content is not text", "internal_server_error")
LONE_SURROGATE = re.compile(rb"\\ud[89a-f][0-9a-f]{2}")


def system_parts_lost(given: list[Json]) -> list[Json]:
    """System messages whose content is no string are left out."""
    return [
        message for message in given if message["role"] != "system" or isinstance(message["content"], str)
    ]


def first_system_only(given: list[Json]) -> list[Json]:
    """Of several system messages the first is kept."""
    first = next((message for message in given if message["role"] == "system"), None)
    return [message for message in given if message["role"] != "system" or message is first]


def turned_round(given: list[Json]) -> list[Json]:
    """All but the last turn in the opposite order."""
    return [*reversed(given[:-1]), given[-1]]


def remembering() -> Before:
    """What was told of a name stands before each later conversation."""
    sent: list[Json] = []

    def change(given: list[Json]) -> list[Json]:
        seen = [*sent, *given]
        sent.extend(message for message in given if str(message["content"]).startswith("My name is"))
        return seen

    return messages(change)


def of_gemma_with_rules(request: Request) -> bool:
    """A request to one alias that has a system message."""
    rules = any(message["role"] == "system" for message in request.json["messages"])
    return rules and request.json["model"] == "llm02-gemma2-2b"


def reusing(key: Callable[[Request], object]) -> After:
    """A whole answer is given again to every request of the same key and model."""
    kept: dict[str, Reply] = {}

    def after(request: Request, reply: Reply) -> Reply:
        if not request.at(CHAT) or request.streams or reply.status != 200:
            return reply
        return kept.setdefault(json.dumps([request.json["model"], key(request)]), reply)

    return after


def half_a_pair(request: Request) -> bool:
    """Whether there is an escape for half a pair; whole pairs are sent as they are by these checks."""
    return LONE_SURROGATE.search(request.body) is not None


def one_part(request: Request) -> bool:
    """Whether a content is a list of one."""
    contents = [message["content"] for message in request.json["messages"]]
    return any(isinstance(content, list) and len(content) == 1 for content in contents)


def several_turns(request: Request) -> object:
    """The last turn of a conversation; a single message as it is, with all else."""
    given = request.json["messages"]
    return given[-1] if len(given) > 1 else request.json


# fmt: off
CONTENT: tuple[Fault, ...] = (
    gateway_fault("chat-backslashes-decoded", "backslashes of a text are decoded once too often",
                  {"API-CHAT-045": "expected 005C 006E .*got 006E 0065"},
                  before=texts(lambda text: text.replace("\\\\", "\\"))),
    gateway_fault("chat-markup-escaped", "answers are escaped as if a browser were to show them",
                  {"API-CHAT-046": "expected 003C 0062 .*got 0026 006C"},
                  after=said(lambda text: html.escape(text, quote=False))),
    gateway_fault("chat-spaces-collapsed", "runs of spaces become one",
                  {"API-CHAT-047": "expected 0020 0074 .*got 0074 0077"},
                  before=texts(lambda text: re.sub(" +", " ", text))),
    gateway_fault("chat-nul-crash", "a NUL in a text is an internal error",
                  {"API-CHAT-048": r"U\+0000: expected an answer or a refusal, got 500: .*unexpected error"},
                  before=answers(CRASH, CHAT, when=says("\\u0000"))),
    gateway_fault("chat-half-pair-crash", "half a surrogate pair is an internal error",
                  {"API-CHAT-049": "half alone: expected an answer .*, got 500: .*unexpected error"},
                  before=answers(CRASH, CHAT, when=half_a_pair)),
    gateway_fault("chat-one-part-crash", "content that is a list of one is an internal error",
                  {"API-CHAT-050": "expected 200 .*got 500: .*content is not text"},
                  before=answers(PARTS_CRASH, CHAT, when=one_part)),
    gateway_fault("chat-system-parts-dropped", "system messages in parts do not reach the model",
                  {"API-CHAT-051": "as the parts of the system message say, got "},
                  before=messages(system_parts_lost)),
)

AT_ONE_ALIAS: tuple[Fault, ...] = (
    gateway_fault("alias-loses-system", "one alias of several drops system messages",
                  {"API-CHAT-067": "llm02-gemma2-2b loses instructions: expected that it heeds a system"},
                  before=asks(lambda body: {**body, "messages": body["messages"][-1:]}, of_gemma_with_rules)),
    gateway_fault("alias-loses-schema", "one alias of several drops response_format",
                  {"API-CHAT-067": "llm02-phi3 loses json_schema: expected that it answers as a schema"},
                  before=asks(lambda body: {name: body[name] for name in body if name != "response_format"},
                              lambda request: request.json["model"] == "llm02-phi3")),
)

CONTEXT: tuple[Fault, ...] = (
    gateway_fault("chat-last-turns-only", "the last twenty turns reach the model",
                  {"API-CHAT-060": "expected Wilhelmina, said 40 turns before, got 'I do not know"},
                  before=messages(lambda given: given[-20:])),
    gateway_fault("chat-turns-reversed", "earlier turns reach the model in the opposite order",
                  {"API-CHAT-061": "expected otter7305, said last, got 'heron4821'"},
                  before=messages(turned_round)),
    gateway_fault("chat-later-system-dropped", "of several system messages the first reaches the model",
                  {"API-CHAT-062": "expected 'HX-LATER', .*got 'HX-SYSTEM'"},
                  before=messages(first_system_only)),
    gateway_fault("chat-remembers", "what one request told is told to the model with the next",
                  {"API-CHAT-063": "expected no name, as none was told, got 'Quillomina'"},
                  before=remembering()),
    gateway_fault("chat-cache-key-cut", "answers are reused for prompts with the same beginning",
                  {"API-CHAT-064": "who asked for heron.* got heron1000", "API-CHAT-003": SAME_ID},
                  after=reusing(lambda request: str(request.json["messages"])[:256])),
    gateway_fault("chat-cache-key-last-turn", "answers are reused for conversations with the same last turn",
                  {"API-CHAT-065": "who asked for Wilhelmina got Theodora"},
                  after=reusing(several_turns)),
    gateway_fault("chat-cache-key-no-limit", "answers are reused whatever limit was asked for",
                  {"API-CHAT-066": r"after ('1 2.* tokens|as asked for), got '1 2",
                   "API-CHAT-003": SAME_ID},
                  after=reusing(lambda request: request.json["messages"])),
)
# fmt: on

CHAT_CONTENT_FAULTS: tuple[Fault, ...] = (*CONTENT, *AT_ONE_ALIAS, *CONTEXT)
