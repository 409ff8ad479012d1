"""A gateway that is not LiteLLM is judged by the same checks; what fails there is its own fault.

Which MUST checks fail, and why, is pinned: where one of them says something else, it has changed, or the lab.
The findings in words: docs/other-gateways.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import psutil
import pytest

from gateway_acceptance.verdict import Verdict
from lab.ports import place
from tests.live.conftest import Lab, Run, judge
from tests.live.test_lifecycle import all_gone

NO_LISTS = r"cannot unmarshal array into Go struct field EmbeddingRequest\.prompt of type string"
"""Every list of texts is refused: it goes to the one text of Ollama's old /api/embeddings."""
INTERNAL = r'got 500: \{"status":"failure","message":"Something went wrong"\}'
"""What cannot be read is an internal error."""
NO_ENVELOPE = r"schema\.error-envelope\./required/error: (.*: )?is absent"
"""Portkey's own refusals are no OpenAI errors."""

FAILURES: Mapping[str, str] = {
    **dict.fromkeys((f"API-EMB-{n:03}" for n in (1, 3, 4, 5, 6, 7, 9, 15)), NO_LISTS),
    **dict.fromkeys(("API-SDK-015", "API-PROP-006"), NO_LISTS),
    "API-EMB-002": r"^expected vectors of length 1 ± 0\.001, got length 16\.000000$",
    "API-EMB-014": r"^expected at least one token for a text, got prompt_tokens -1$",
    "API-EMB-010": r"^expected a base64 string, got a list$",
    "API-EMB-021": r"^expected \d+ dimensions as asked for, or a refusal, got \d+, as if nothing",
    "API-PROP-003": r"usage/properties/prompt_tokens/minimum: expected minimum 0, got -1",
    "API-ERR-002": f"malformed JSON at (chat|embeddings): .*{INTERNAL}|{NO_ENVELOPE}",
    "API-ERR-003": r"an array as body at embeddings: .*got 200: it was served",
    "API-ERR-004": f"an empty body at (chat|embeddings): .*{INTERNAL}|{NO_ENVELOPE}",
    "API-ERR-005": f"a body that is no UTF-8 at (chat: .*{INTERNAL}|embeddings: .*got 200)|{NO_ENVELOPE}",
    "API-ERR-006": f"deeply nested JSON at (chat|embeddings): .*{INTERNAL}|{NO_ENVELOPE}",
    "API-ERR-007": f"a form as body at|{NO_ENVELOPE}",
    "API-ERR-012": f"messages a string: .*{INTERNAL}|{NO_ENVELOPE}",
    "API-ERR-029": r"^refusal\.status: input missing: expected 400 or 422, got 200: it was served$",
    "API-ERR-033": r"a chat model at embeddings: .*got 500: .*this model does not support embeddings",
    "API-PROP-004": (
        f"^((JSON cut off|JSON followed by a word|messages of another type): .*{INTERNAL}"
        "|(max_tokens|n|stop) of another type: .*got 200: it was served)"
    ),
    "API-PROP-005": (
        f"^((JSON cut off|JSON followed by a word): .*{INTERNAL}|input missing: .*got 200: it was served)"
    ),
    "API-SDK-021": r"^expected BadRequestError or UnprocessableEntityError, got InternalServerError \(500\)",
    "API-COMP-010": f"^{NO_ENVELOPE}",
    "API-RESP-001": f"^{NO_ENVELOPE}",
    "API-STREAM-070": r"^stream\.usage\.missing: no chunk has usage, though include_usage was set",
    **dict.fromkeys((f"API-STREAM-{n:03}" for n in (71, 72, 74, 75)), r"nothing judged: no usage"),
    "API-STREAM-081": r"usage is None, .*see API-STREAM-070$",
    "API-SDK-008": r"^expected the final completion to have its usage, it has none$",
    "API-STREAM-092": r"^the slot is not free",
}
"""MUST check -> what each line of each of its failures says."""


@pytest.fixture(scope="module")
def run(other_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One nightly run of Portkey."""
    folder = tmp_path_factory.mktemp("other")
    return judge(other_lab.environment, folder, "-n", "2", key=other_lab.state.key, profile="nightly")


def musts(run: Run) -> dict[str, list[Mapping[str, Any]]]:
    """The red cases of each MUST check."""
    assert run.record is not None, run.output
    found = {}
    for check in run.record["checks"]:
        red = [case for case in check["cases"] if Verdict(case["verdict"]).red]
        if red and check["level"] == "MUST":
            found[check["id"]] = red
    return found


def test_the_must_checks_fail_that_are_known_to_fail(run: Run) -> None:
    assert sorted(musts(run)) == sorted(FAILURES)


def test_each_fails_for_its_known_reason(run: Run) -> None:
    other = [
        f"{check}: {line}"
        for check, cases in musts(run).items()
        for case in cases
        for line in case["message"].splitlines()
        if not re.search(FAILURES.get(check, "(?!)"), line)
    ]
    assert not other


def test_no_check_is_at_a_loss_because_the_gateway_is_another(run: Run) -> None:
    """Untestable is only what a failing check explains; what is not there is declared."""
    assert not run.verdicts("harness error") + run.verdicts("inconclusive")
    exposing = ("API-AUTH-019", "API-AUTH-020", "API-AUTH-021")
    assert all(check.startswith(("BACKEND-OUT-", *exposing)) for check in run.verdicts("not permitted"))
    of_usage = [f"API-STREAM-{n:03}" for n in (71, 72, 73, 74, 75, 81)]
    assert run.verdicts("untestable") == of_usage, "Portkey's streams have none: API-STREAM-070 says so"


def test_the_balanced_group_and_the_blame_have_their_witness(run: Run) -> None:
    passed = run.verdicts("passed")
    assert "BACKEND-BAL-001" in passed
    assert {"API-CHAT-001", "API-STREAM-001", "API-AUTH-002", "API-MODELS-003", "API-ERR-040"} <= {*passed}


def test_ollamas_own_fault_is_waived(run: Run) -> None:
    assert run.verdicts("waived") == ["API-CHAT-037"]


def test_only_loopback_is_listened_at_and_nothing_stays(other_lab: Lab) -> None:
    """Last: it ends the lab. Portkey has no option for its address, and takes all of them by itself."""
    supervisor = psutil.Process(other_lab.state.pid)
    (node,) = supervisor.children(recursive=True)
    host, port = place(other_lab.environment.gateway.url)
    held = [c.laddr for c in node.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert [(address.ip, address.port) for address in held] == [(host, port + 1)]
    supervisor.kill()
    assert all_gone([supervisor, node])
