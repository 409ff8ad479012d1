"""Faults that are run against all checks of their suite, and the checks that are rightly red beside the
named ones.

Each was looked at: the defect breaks what the companion states as well. A companion that is not declared
here, or that stays green, fails ``mutation-matrix --all-checks``.
"""

from __future__ import annotations

from collections.abc import Mapping

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

COMPANIONS: Mapping[str, Mapping[str, str]] = {}
"""Fault -> pattern of a check's id -> why it is red as well."""
