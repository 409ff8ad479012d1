"""Defects of chat completions that are not streamed.

Where the real gateway has a defect of its own by version, the one here is another, and told by other words.
"""

from __future__ import annotations

import re
import unicodedata

from lab.faults.chat_mutators import (
    asks,
    backwards,
    choice,
    counting,
    counting_uncached,
    counting_without,
    ended_by_its_stop,
    finishing,
    has,
    last_words,
    limited,
    messages,
    of_earlier_turns,
    of_rules,
    of_the_one_before,
    only_last_part,
    other_seeds,
    said,
    says,
    surrogates_apart,
    texts,
    unstreamed,
    without,
    without_role,
)
from lab.faults.model import Fault, backend_fault, gateway_fault
from lab.faults.mutators import CHAT, CRASH, answers
from lab.message import Reply, edit_events, envelope

UNKNOWN = "x_acceptance_unknown"
INVISIBLE = re.compile("[\u200e\u200f\u202a-\u202e]")
BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def _refused(name: str) -> str:
    return f"{name} is not supported"


# fmt: off
IDENTITY: tuple[Fault, ...] = (
    gateway_fault("chat-ids-constant", "every answer has the same id",
                  {"API-CHAT-003": 'different ids, more than one has "chatcmpl-1"'},
                  after=unstreamed(lambda body: {**body, "id": "chatcmpl-1"})),
    gateway_fault("chat-created-milliseconds", "created is in milliseconds",
                  {"API-CHAT-004": r"expected Unix seconds .*got \d{13}"},
                  after=unstreamed(lambda body: {**body, "created": body["created"] * 1000})),
    gateway_fault("chat-created-local-time", "created is the local time of a zone one hour behind",
                  {"API-CHAT-004": r"expected Unix seconds from \d{10} to \d{10}, got \d{10}$"},
                  after=unstreamed(lambda body: {**body, "created": body["created"] - 3600})),
    gateway_fault("chat-model-undeclared", "an answer names a model that nobody asked",
                  {"API-CHAT-005": "expected the model .*got 'gpt-4o'"},
                  after=unstreamed(lambda body: {**body, "model": "gpt-4o"})),
    gateway_fault("chat-model-unaskable", "an answer names the model as nobody can ask for it",
                  {"API-CHAT-006": "expected one of .*exactly, got 'acme/"},
                  after=unstreamed(lambda body: {**body, "model": f"acme/{body['model'].split('/')[-1]}"})),
    gateway_fault("chat-model-of-another", "an answer names another model, in the provider's own way",
                  {"API-CHAT-006": "exactly, got 'ollama_chat/qwen2'"},
                  after=unstreamed(lambda body: {**body, "model": "ollama_chat/qwen2"})),
    gateway_fault("chat-model-other-in-streams", "streams name a model of another name",
                  {"API-CHAT-007": r"in every chunk, got \['streamed'\]"},
                  after=edit_events(lambda chunks: [{**chunk, "model": "streamed"} for chunk in chunks])),
)

STREAM_COUNTS = r"expected prompt_tokens \d+ as without streaming, got \d+"
"""What miscounting whole answers alone shows beside them."""
LIMITS: tuple[Fault, ...] = (
    gateway_fault("chat-finish-always-length", "an answer that is complete finishes with length",
                  {"API-CHAT-008": "expected finish_reason stop, got 'length'"},
                  after=finishing("length", lambda request: not limited(request))),
    gateway_fault("chat-finish-lost-when-cut", "an answer that was cut has no finish_reason",
                  {"API-CHAT-009": "expected finish_reason length, got None"},
                  after=finishing(None, limited)),
    gateway_fault("chat-max-tokens-dropped", "max_tokens does not reach the model",
                  {"API-CHAT-010": "expected at most 8 tokens"}, before=without("max_tokens")),
    gateway_fault("chat-max-completion-tokens-dropped", "max_completion_tokens does not reach the model",
                  {"API-CHAT-011": "expected at most 8 tokens"}, before=without("max_completion_tokens")),
    gateway_fault("chat-completion-miscounted", "a completion always counts as one token",
                  {"API-CHAT-012": "for an answer of 30 numbers: expected 30 to .*got 1$"},
                  after=counting(completion_tokens=1)),
    gateway_fault("chat-prompt-miscounted", "a prompt always counts as one token",
                  {"API-CHAT-013": "expected more than the 1 tokens of .*got 1 and then 1$",
                   "API-STREAM-081": STREAM_COUNTS},
                  after=counting(prompt_tokens=1)),
    gateway_fault("chat-prompt-cached-uncounted", "of a prompt only what was not cached is counted",
                  {"API-CHAT-013": r"expected more than the \d\d+ tokens of .*got \d{3,} and then 1$",
                   "API-STREAM-081": STREAM_COUNTS},
                  after=counting_uncached()),
    gateway_fault("chat-stop-string-dropped", "a stop string does not reach the model, a list does",
                  {"API-CHAT-014": "expected the numbers from 1 to 16 with stop '17'"},
                  before=without("stop", lambda stop: isinstance(stop, str))),
    backend_fault("chat-stop-string-refused", "the backend takes stop strings only as a list, and gets one",
                  {"API-CHAT-014": "expected 200 .*got (400|500): "}, scenario="stop-string-refused"),
    gateway_fault("chat-stop-list-first-only", "of several stop strings the first is used",
                  {"API-CHAT-015": r"expected the numbers from 1 to 4 .*10, 11\]"},
                  before=asks(lambda body: {**body, "stop": body["stop"][:1]}, has("stop"))),
    gateway_fault("chat-stop-told", "the stop string ends the answer, and is its end",
                  {"API-CHAT-016": "without the stop string '17', got '1 2 .* 16 17'"},
                  after=ended_by_its_stop()),
    gateway_fault("chat-stop-finishes-length", "an answer that a stop string ends finishes with length",
                  {"API-CHAT-017": "expected finish_reason stop, got 'length'"},
                  after=finishing("length", has("stop"))),
    gateway_fault("chat-n-indexes-shared", "the choices of an answer all have index 0",
                  {"API-CHAT-018": r"expected choices 0 and 1, or a refusal, got \[0, 0\]"},
                  after=unstreamed(lambda body: {**body, "choices": body["choices"] * 2}, has("n", 2))),
)

SAMPLING: tuple[Fault, ...] = (
    gateway_fault("chat-seed-replaced", "the gateway draws seeds of its own",
                  {"API-CHAT-019": "expected the same answer twice"}, before=other_seeds(has("seed"))),
    gateway_fault("chat-seed-dropped", "the seed does not reach the model",
                  {"API-CHAT-020": "expected other answers with the seeds"}, before=without("seed")),
    gateway_fault("chat-temperature-overridden", "what is asked for at temperature 0 is drawn at 1",
                  {"API-CHAT-021": "expected the same answer twice"},
                  before=other_seeds(has("temperature", 0))),
    gateway_fault("chat-temperature-zero-is-none", "temperature 0 is taken for none",
                  {"API-CHAT-022": "expected another answer at temperature 0"},
                  before=without("temperature", lambda value: not value)),
    gateway_fault("chat-logprobs-shapeless", "log probabilities lack the probability",
                  {"API-CHAT-023": "schema.logprobs.*logprob"},
                  after=choice(lambda item: item.update(logprobs={"content": [{"token": "1"}]}),
                               has("logprobs"))),
)

MESSAGES: tuple[Fault, ...] = (
    gateway_fault("chat-system-dropped", "system messages do not reach the model",
                  {"API-CHAT-024": "expected 'HX-SYSTEM', as the system message says",
                   "API-CHAT-052": "words before the last message raise prompt_tokens from"},
                  before=without_role("system")),
    gateway_fault("chat-developer-dropped", "developer messages do not reach the model",
                  {"API-CHAT-025": "expected 'HX-SYSTEM', as the developer message says"},
                  before=without_role("developer")),
    gateway_fault("chat-history-dropped", "only the last message reaches the model",
                  {"API-CHAT-026": "expected Wilhelmina, said three turns before",
                   "API-CHAT-053": "words before the last message raise prompt_tokens from"},
                  before=messages(lambda given: given[-1:])),
    gateway_fault("chat-system-garbled", "system messages reach the model with their words turned round",
                  {"API-CHAT-024": "expected 'HX-SYSTEM', as the system message says"},
                  before=backwards(of_rules)),
    gateway_fault("chat-turns-garbled", "earlier turns reach the model with their words turned round",
                  {"API-CHAT-026": "expected Wilhelmina, said three turns before"},
                  before=backwards(of_earlier_turns)),
    gateway_fault("chat-system-uncounted", "what the system message costs is not in the usage",
                  {"API-CHAT-052": "words before the last message raise prompt_tokens from"},
                  after=counting_without(of_rules)),
    gateway_fault("chat-turns-uncounted", "what earlier turns cost is not in the usage",
                  {"API-CHAT-053": "words before the last message raise prompt_tokens from"},
                  after=counting_without(of_earlier_turns)),
    gateway_fault("chat-roles-lost", "every message becomes the user's",
                  {"API-CHAT-027": "expected Wilhelmina, the user's name, got 'Bertram'"},
                  before=messages(lambda given: [{**message, "role": "user"} for message in given])),
    gateway_fault("chat-parts-last-only", "of several text parts the last is read",
                  {"API-CHAT-028": "said in the first part, got 'I do not know"},
                  before=messages(only_last_part)),
    gateway_fault("chat-empty-crash", "an empty message is an internal error",
                  {"API-CHAT-029": "expected an answer or a refusal, got 500"},
                  before=answers(CRASH, CHAT, when=says('"content": ""'))),
    gateway_fault("chat-text-cut", "answers are cut after a thousand characters",
                  {"API-CHAT-030": "at character 1000 of .*got the end"},
                  after=said(lambda text: text[:1000])),
    gateway_fault("chat-window-shrunk", "the gateway sets a smaller window than the backend has",
                  {"API-CHAT-036": "said at the beginning, got 'I do not know"},
                  before=texts(last_words(500))),
    gateway_fault("chat-too-long-cut", "the gateway cuts a prompt that it takes for too long, in silence",
                  {"API-CHAT-037": r"tokens of prompt: cut silently by the gateway: .*itself reads \d{4}"},
                  before=texts(last_words(2000))),
    gateway_fault("chat-too-long-crash", "a prompt beyond the window is an internal error",
                  {"API-CHAT-037": "expected 200 .*got 500"},
                  before=answers(CRASH, CHAT, when=lambda request: len(request.body) > 20_000)),
)

UNICODE: tuple[Fault, ...] = (
    gateway_fault("chat-unicode-16-bits", "characters beyond 16 bits are replaced",
                  {"API-CHAT-031": "expected 1F469 .*got FFFD"},
                  before=texts(lambda text: BEYOND_16_BITS.sub("\ufffd", text))),
    gateway_fault("chat-unicode-normalised", "text is normalised",
                  {"API-CHAT-032": "expected 0065 0301 .*got 00E9"},
                  before=texts(lambda text: unicodedata.normalize("NFC", text))),
    gateway_fault("chat-unicode-marks-filtered", "invisible marks are filtered out",
                  {"API-CHAT-033": "expected 200F .*got 0061"},
                  before=texts(lambda text: INVISIBLE.sub("", text))),
    gateway_fault("chat-unicode-control-filtered", "control characters are filtered out",
                  {"API-CHAT-034": "expected 0007 "}, after=said(lambda text: CONTROL.sub("", text))),
    gateway_fault("chat-unicode-nul-ends", "a NUL ends the text, as in C",
                  {"API-CHAT-034": "expected 0000 .*got the end"},
                  after=said(lambda text: text.split("\x00")[0])),
    gateway_fault("chat-unicode-control-refused", "control characters are refused without an error object",
                  {"API-CHAT-034": r"error\."},
                  before=answers(Reply(400, (("content-type", "text/plain"),), (b"bad text",)), CHAT,
                                 when=says("\\u0007"))),
    gateway_fault("chat-unicode-escapes-apart", "the two escapes of one character are read one by one",
                  {"API-CHAT-035": "expected 1F40B .*got FFFD FFFD"}, before=surrogates_apart),
)

FORMATS: tuple[Fault, ...] = (
    gateway_fault("chat-json-mode-dropped", "JSON mode does not reach the model",
                  {"API-CHAT-038": "expected a JSON object, got '1 2 3 4 5'"},
                  before=without("response_format")),
    gateway_fault("chat-schema-to-json-mode", "of a JSON schema only that it is JSON reaches the model",
                  {"API-CHAT-039": "expected what the schema demands"},
                  before=asks(lambda body: {**body, "response_format": {"type": "json_object"}},
                              has("response_format"))),
)

PARAMETERS: tuple[Fault, ...] = (
    gateway_fault("chat-unknown-crash", "an unknown parameter is an internal error",
                  {"API-CHAT-040": "expected 200 .*got 500"},
                  before=answers(CRASH, CHAT, when=has(UNKNOWN))),
    gateway_fault("chat-defaults-refused", "a parameter is refused even at its default",
                  {"API-CHAT-041": "expected 200 .*got 400: .*presence_penalty"},
                  before=answers(envelope(400, _refused("presence_penalty"), "invalid_request_error"), CHAT,
                                 when=has("presence_penalty", 0))),
    gateway_fault("chat-null-refused", "a parameter that is null is refused",
                  {"API-CHAT-044": "expected 200 .*got 400: .*null"},
                  before=answers(envelope(400, _refused("null"), "invalid_request_error"), CHAT,
                                 when=lambda request: None in request.json.values())),
    gateway_fault("chat-answers-mixed-up", "who asks at the same time gets the answer of another",
                  {"API-CHAT-042": "who asked for HX-.* got HX-"}, after=of_the_one_before(streams=False)),
    gateway_fault("chat-streams-mixed-up", "who asks at the same time gets the stream of another",
                  {"API-CHAT-043": "who asked for HX-.* got HX-"}, after=of_the_one_before(streams=True)),
)
# fmt: on

CHAT_FAULTS: tuple[Fault, ...] = (
    *IDENTITY,
    *LIMITS,
    *SAMPLING,
    *MESSAGES,
    *UNICODE,
    *FORMATS,
    *PARAMETERS,
)
