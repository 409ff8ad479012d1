"""Gateways of others, as they install from their registries: a URL and a key, nothing edited, and every red
is truly theirs. The findings in words: docs/other-gateways.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway_acceptance.cli.main import main
from gateway_acceptance.verdict import Verdict
from tests.live.conftest import judge, running
from tests.live.test_init import made

ANY_MODEL = {"API-ERR-001": r"^expected 400 or 404 for a model that does not exist, got 200: "}
"""Whatever name is asked for answers."""
UNLIMITED = {
    "API-CHAT-009": r"^expected finish_reason length, got 'stop' after",
    "API-CHAT-010": r"^expected at most \d+ tokens, (none|\d+) are counted for",
    "API-STREAM-057": r"^(max_tokens had no effect|expected finish_reason length after .* 'stop'\})",
}
"""max_tokens is ignored."""
UNCOUNTED = {
    "API-CHAT-012": r"^expected usage\.completion_tokens to be an integer, got None$",
    "API-CHAT-013": r"^expected usage\.prompt_tokens to be an integer, got None$",
    "API-STREAM-070": r"^stream\.usage\.missing: no chunk has usage, though include_usage was set",
    "API-STREAM-081": r"^Untestable: usage is None, without streaming None; see API-STREAM-070$",
}
SHAPE = r"^(schema\.chat-completion\.|chat_completion\.choices\.index: )"
CREATED = r"^expected Unix seconds from \d+ to \d+, got None$"
OTHER_SHAPE = {
    "API-CHAT-001": SHAPE,
    "API-CHAT-004": CREATED,
    "API-SDK-001": r"^the official SDK raised APIResponseValidationError: ",
}
REFUSALS = ("API-AUTH-002", "API-AUTH-003", "API-AUTH-004")

REDS: Mapping[str, Mapping[str, str]] = {
    "lm-proxy": {
        **dict.fromkeys(REFUSALS, r'^expected 401 from \S+/v1/models, got 403: \{"detail":\{"error":'),
        **(OTHER_SHAPE | UNCOUNTED),
        "API-ERR-001": r"^expected 400 or 404 .*, got 500: Internal Server Error$",
        "API-STREAM-001": r"^stream\.model\.string: ",
        "API-STREAM-031": r"^stream\.model\.string: ",
        "API-STREAM-050": r"^stream\.finish\.absent: ",
        "API-STREAM-057": r"^expected finish_reason length after '1 2 3 4 5 6 7 8', got \{0: 'stop'\}$",
        "API-STREAM-060": r"^the model calls 2 tools by itself; the stream brings none, but the text ''$",
    },
    "llm-katan": {
        **(ANY_MODEL | UNLIMITED),
        "API-AUTH-013": r"^the refusal of \S+/v1/models repeats the key$",
        "API-ERR-041": r"^leak\.key: GET /v1/models: key in the answer \(401\)",
        "API-STREAM-072": r"^stream\.usage\.choices: ",
        "API-STREAM-076": r"^stream\.usage\.unasked: ",
        "API-STREAM-080": r"^the deployment answers the same question differently: '\[echo\]",
    },
    "mock-llm": {
        "API-AUTH-002": r"^expected 401 from \S+/v1/models, got 200: it was served$",
        **dict.fromkeys(REFUSALS[1:], r"^Untestable: GET /v1/models is served to everybody"),
        **(ANY_MODEL | UNLIMITED | OTHER_SHAPE | UNCOUNTED),
        "API-ACCESS-001": r"^Untestable: GET /v1/models is served to everybody",
        "API-ACCESS-002": r"^Untestable: GET /v1/models is served to everybody",
        "API-ACCESS-009": r"^Untestable: GET /v1/models is served to everybody",
        "API-MODELS-002": r"^schema\.model-list\..*/created: is absent",
        "API-MODELS-011": r"^expected Unix seconds from 0 to .*: None\}$",
        "API-STREAM-001": r"^stream\.created\.integer: ",
        "API-STREAM-028": r"^stream\.created\.integer: ",
    },
    "llama-cpp": {
        **ANY_MODEL,
        **dict.fromkeys(REFUSALS[:2], r"^schema\.error-envelope\..*/code/type: expected string or null"),
        "API-STREAM-030": r"^stream\.created\.same: ",
    },
    "aimock": {
        **(ANY_MODEL | UNLIMITED),
        "API-EMB-010": r"^expected a base64 string, got a list$",
        "API-EMB-014": r"^expected at least one token for a text, got prompt_tokens 0$",
        "API-EMB-015": r"^expected more than 0 and at most \d+ prompt_tokens for 5 texts, got 0$",
    },
}
"""Gateway -> check -> what each line of each of its red cases says."""


@pytest.mark.parametrize("name", sorted(REDS))
def test_every_red_is_theirs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``init``, ``doctor``, smoke: nothing is claimed of models and backends that it has not."""
    with running(tmp_path, of=name) as lab:
        environment = made(lab, tmp_path, monkeypatch)
        with pytest.raises(SystemExit) as ended:
            main(["doctor", f"--env={environment.source}"])
        assert ended.value.code == 0
        run = judge(environment, tmp_path / "runs", key=lab.state.key)
    assert {model.alias for model in environment.models} == {model.alias for model in lab.environment.models}
    red = [
        (check, line)
        for check, case in run.cases()
        if Verdict(case["verdict"]).red
        for line in case["message"].splitlines()
    ]
    pinned = REDS[name]
    assert not [one for one in red if not re.search(pinned.get(one[0], "(?!)"), one[1])], run.output
    assert {check for check, _ in red} == set(pinned)
    assert run.record is not None
    told = {claim["id"]: claim for claim in run.record["claims"]}
    assert not [claim for claim in told if claim.startswith("STA-03")], "no backend is declared"
