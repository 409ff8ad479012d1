"""Faults that are run against all checks of their suite, and the checks that are rightly red beside the
named ones.

Each was looked at: the defect breaks what the companion states as well. A companion that is not declared
here, or that stays green, fails ``mutation-matrix --all-checks``.
"""

from __future__ import annotations

from collections.abc import Mapping

from lab.faults.host_companions import HOST_COMPANIONS

SAMPLE: tuple[str, ...] = (
    # chat
    "usage-does-not-add-up",
    "answer-decorated",
    "chat-ids-constant",
    "chat-finish-lost-when-cut",
    "chat-max-tokens-dropped",
    "chat-stop-string-dropped",
    "chat-system-dropped",
    "chat-history-dropped",
    "chat-unicode-normalised",
    "chat-json-mode-dropped",
    "chat-null-refused",
    # streams
    "stream-without-done",
    "stream-connection-breaks",
    "stream-not-utf8",
    "stream-id-changes",
    "stream-role-missing",
    "stream-finish-wrong",
    "stream-calls-share-index",
    "stream-usage-missing",
    "stream-usage-miscounted",
    "backend-stops-half-way",
    # tools
    "tools-call-as-text",
    "tools-numbers-as-text",
    "tools-result-lost",
    "tools-choice-none-crash",
    # embeddings
    "embedding-short",
    "embedding-batch-reversed",
    "embedding-base64-null",
    "embedding-usage-constant",
    # errors
    "unknown-model-500",
    "malformed-served",
    "messages-string-served",
    "unknown-route-page",
    "error-tells-trace",
    # keys, models, completions, operations
    "any-key-accepted",
    "refusal-in-html",
    "model-not-listed",
    "models-created-milliseconds",
    "completion-of-chat",
    "request-id-missing",
    # machines
    "host-user-with-shell",
    "host-user-with-sudo",
    "host-user-in-more-groups",
    "host-directory-missing",
    "host-directories-without-search-bit",
    "host-link-escapes",
    "host-way-closed",
    "host-development-ownership",
    "host-file-mode",
    "host-setuid",
    "host-config-unreadable",
    "host-secret-readable-by-the-service",
    "host-secret-missing",
    "host-default-key",
    "host-key-in-the-configuration",
    "host-unit-gone",
    "host-service-stopped",
    "host-unit-disabled",
    "host-unit-edited",
    "host-unit-other-command",
    "host-unit-drop-in",
    "host-service-as-root",
    "host-service-without-sandbox",
    "host-second-copy",
    "host-backend-cut-off",
    "host-service-script-gone",
    "host-never-deployed",
    "host-edited-in-place",
    "host-configuration-no-yaml",
    "host-alias-renamed",
    "host-literal-master-key",
    "host-variable-not-set",
    "host-model-not-on-disk",
)
"""Ordinary faults, some of each suite."""

OF_THE_LAB: Mapping[str, str] = {
    "API-STREAM-08[56]": "the lab has a whole stream in hand before it passes a changed one on: it buffers",
    "API-STREAM-092": "the lab reads a stream to its end for a client that has left",
}
"""Pattern of a check's id -> why it may be red on any fault that changes answers: that is the lab's doing,
and not the fault's."""

IN_THIS_ANSWER = "the added words stand in this answer as well"
NO_SYSTEM = "this one is of the role system as well"
NO_TURNS = "this one is not the last message, and nothing before that arrives"
BROKEN = "a stream that breaks off is judged no further"
NO_USAGE = "there is no usage to judge, and its root is named"
HALF = "the second half is missing in this stream, too"
EVERY_RULE = "this check asks the same stream for all rules of its kind"
NO_CALL = "there is no call to judge, and its root is named"
COMPANIONS: Mapping[str, Mapping[str, str]] = {
    "any-key-accepted": {
        "API-AUTH-00[5-8]": "each of these is a key that is not the right one",
        "API-AUTH-014": "a very long key is one that is not the right one",
        "API-AUTH-017": "the routes are open to a key that is not the right one",
        "API-AUTH-019": "whatever Basic brings is no right key",
        "API-AUTH-022": "a key that is nearly right is not the right one",
        "API-AUTH-01[23]": "nobody is refused, so there are no words of a refusal to judge",
    },
    "answer-decorated": {
        **{f"API-CHAT-02{one}": IN_THIS_ANSWER for one in (4, 5)},
        "API-CHAT-03[0-589]": IN_THIS_ANSWER,
        "API-CHAT-04[014-7]": IN_THIS_ANSWER,
        "API-CHAT-05[01]": IN_THIS_ANSWER,
        "API-CHAT-06[27]": IN_THIS_ANSWER,
    },
    "chat-finish-lost-when-cut": {
        "API-CHAT-001": "every answer of a run is held to the schema, those that are cut among them",
        "API-CHAT-0(29|48)": "the answer is cut, and one without a reason is none",
    },
    "chat-max-tokens-dropped": {
        "API-CHAT-009": "an answer that no limit cuts says no length",
        "API-CHAT-066": "the answer that its limit was to cut is whole",
    },
    "chat-stop-string-dropped": {"API-CHAT-016": "the stop string stands in an answer that goes on"},
    "chat-system-dropped": {"API-CHAT-0(51|62|67)": NO_SYSTEM},
    "chat-history-dropped": {
        "API-CHAT-02[457]": NO_TURNS,
        "API-CHAT-05[12]": NO_TURNS,
        "API-CHAT-06[01257]": NO_TURNS,
    },
    "chat-json-mode-dropped": {
        "API-CHAT-0(39|67)": "the schema comes in the same field, which is dropped",
    },
    "stream-without-done": {"API-STREAM-020": "this is what it judges, at every kind of stream"},
    "stream-connection-breaks": {"API-STREAM-0(?!04)..": BROKEN},
    "stream-not-utf8": {
        "API-STREAM-001": EVERY_RULE,
        "API-STREAM-087": "the comment that is not UTF-8 stands in the slow stream, too",
    },
    "stream-id-changes": {
        "API-STREAM-001": EVERY_RULE,
        "API-STREAM-084": "the numbered ids begin anew in each stream",
    },
    "stream-role-missing": {
        "API-STREAM-001": EVERY_RULE,
        "API-STREAM-040": "the first delta has no role where none has",
    },
    "stream-finish-wrong": {
        "API-STREAM-001": EVERY_RULE,
        "API-STREAM-05[67]": "the reason that is expected is replaced as well",
        "API-STREAM-083": "no stream finishes with stop, and its root is named",
    },
    "stream-usage-missing": {"API-STREAM-07[1-5]": NO_USAGE, "API-STREAM-081": NO_USAGE},
    "backend-stops-half-way": {
        "API-STREAM-001": HALF,
        "API-STREAM-062": "the second call is missing, and its root is named",
        "API-STREAM-08[02]": HALF,
    },
    "refusal-in-html": {
        "API-AUTH-009": "who sends the key in the URL alone has sent none: the same page",
        "API-AUTH-010": "the form of a refusal is what it judges",
    },
    "unknown-model-500": {
        "API-ERR-009": "the large body names a model that is not there, so that it costs nothing",
        "API-ERR-031": "a stream of a model that is not there",
        "API-ERR-042": "the message of a model that is not there names no model",
    },
    "unknown-route-page": {"API-ERR-037": "the same page answers an unknown route"},
    "model-not-listed": {"API-MODELS-005": "the entry of the missing model is held against the list"},
    "models-created-milliseconds": {"API-MODELS-005": "the list says another time than the entry alone"},
    "embedding-short": {
        "API-EMB-002": "without one of its numbers a vector is no longer of unit length",
        "API-EMB-021": "one number is missing of those that were asked for, too",
    },
    "embedding-batch-reversed": {
        "API-EMB-004": "the repeated text stands in a batch",
        "API-EMB-007": "a batch is compared with its texts alone",
        "API-EMB-008": "a large batch is a batch",
        "API-EMB-017": "tokens and their text are compared in one batch",
        "API-EMB-020": "the empty text stands in a batch",
    },
    "embedding-base64-null": {
        "API-EMB-001": "null is no vector, in whatever form it was asked for",
        "API-EMB-011": "there is nothing to hold the numbers against",
    },
    "tools-call-as-text": {
        "API-TOOLS-00[2-5]": NO_CALL,
        "API-TOOLS-006": "this call comes as text, too",
        "API-TOOLS-007": "this call comes as text, too",
        "API-TOOLS-008": "these calls come as text, too",
        "API-TOOLS-009": NO_CALL,
        "API-TOOLS-015": "the named tool is not called, but written",
        "API-TOOLS-016": "the tool that is asked for is not called, but written",
    },
    "tools-numbers-as-text": {
        "API-TOOLS-008": "the two calls have a number among their arguments",
        "API-TOOLS-016": "the call has a number among its arguments",
    },
    **HOST_COMPANIONS,
}
"""Fault -> pattern of a check's id -> why it is red as well."""
