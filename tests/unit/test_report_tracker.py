"""STATUS.md: its sections, its lines of claims, its computed sentences."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from gateway_acceptance.claims import SECTIONS, Claim
from gateway_acceptance.record_model import record_of
from gateway_acceptance.report.next_steps import next_steps
from gateway_acceptance.report.past import Past
from gateway_acceptance.report.status_json import status_document
from gateway_acceptance.report.status_model import status_model
from gateway_acceptance.report.tracker import render_status
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, exchange, record, waiver

CHAT = {"environment": "lab", "chat_model": "hx-chat"}


def render(document: dict[str, Any], previous: dict[str, Any] | None = None, *claims: Claim) -> str:
    before = record_of(previous) if previous else None
    return render_status(status_model(record_of(document), Past(previous=before), claims))


def section(status: str, title: str) -> str:
    """The text below one heading of the second level."""
    return re.split(r"^## ", status.split(f"\n## {title}", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def line_of(status: str, claim_id: str) -> str:
    return next(line for line in status.splitlines() if f"| `{claim_id}` |" in line)


def test_the_trackers_sections_come_in_the_trackers_order() -> None:
    headings = re.findall(r"^## (.*)$", render(record(check("API-CHAT-001"))), flags=re.MULTILINE)
    begin = [
        "Current Status",
        "Infrastructure Setup",
        "Validated Functionality",
        "Available Models",
        "System Configuration",
        "Resource Utilisation",
        "Security Requirements",
        "Changes since the last run of this environment",
        "Changes since the last accepted release",
        "Failures",
        "Waivers in use",
        "Not covered",
        "History of runs",
        "Summary",
    ]
    assert len(headings) == len(begin)
    assert all(heading.startswith(start) for heading, start in zip(headings, begin, strict=True))
    assert set(SECTIONS) <= {heading.split(":")[0].split(" (")[0] for heading in headings}


def test_the_head_names_target_versions_run_and_utc_times() -> None:
    head = render(record(check("API-CHAT-001"))).split("## ")[0]
    for told in ("litellm 1.106.2", "`http://127.0.0.1:4000`", "lab (embedded)", "nightly", "`abc1234`"):
        assert told in head
    assert "2026-03-01 10:00:00 UTC to 2026-03-01 10:00:30 UTC" in head


def test_state_headline_and_reasons_are_the_records() -> None:
    document = record(check("API-CHAT-001"), state="NOT READY", headline="2 reasons", reasons=["one", "two"])
    current = section(render(document), "Current Status")
    assert current.startswith(": ❌ NOT READY")
    assert "**2 reasons**\n\n- one\n- two\n" in current


@pytest.mark.parametrize(
    ("state", "symbol"),
    [("PRODUCTION READY", "🚀"), ("SMOKE PASSED", "✅"), ("NIGHTLY FAILED", "❌"), ("VOID", "🚫")],
)
def test_each_state_has_its_symbol(state: str, symbol: str) -> None:
    assert f"## Current Status: {symbol} {state}\n" in render(record(check("API-CHAT-001"), state=state))


def test_totals_count_cases_checks_and_claims() -> None:
    red = check(
        "API-CHAT-002",
        case("a", parameters=CHAT),
        case("b", Verdict.FAILED, "no"),
        claims=["FUN-01"],
    )
    status = render(record(check("API-CHAT-001"), red, claims=("FUN-02",)))
    assert "| ✅ passed | 2 | 1 | 0 |" in status
    assert "| ❌ failed | 1 | 1 | 1 |" in status
    assert "| ⬜ not verified | 0 | 0 | 1 |" in status


def test_a_claims_line_has_verdict_statement_evidence_and_time() -> None:
    document = record(check("API-CHAT-001", claims=["FUN-01"]))
    assert line_of(render(document), "FUN-01") == (
        "| ✅ passed | `FUN-01` | the text of FUN-01 | ✅ `API-CHAT-001` "
        "| 2026-03-01 10:00:02 (28 seconds ago) |"
    )


def test_a_claim_without_an_executed_check_says_so() -> None:
    document = record(check("API-CHAT-001"), claims=("FUN-01",))
    assert line_of(render(document), "FUN-01").startswith("| ⬜ not verified |")
    assert "not verified: no executed check" in line_of(render(document), "FUN-01")


def test_a_declared_claim_that_the_record_does_not_know_is_not_verified() -> None:
    claim = Claim("FUN-09", "Validated Functionality", "A new statement")
    assert "⬜ not verified" in line_of(render(record(check("API-CHAT-001")), None, claim), "FUN-09")


def test_a_failed_claim_is_not_shown_as_proven() -> None:
    document = record(check("API-CHAT-001", case("a", Verdict.FAILED, "no"), claims=["FUN-01"]))
    document["claims"][0]["proven"] = "2026-03-01T10:00:02Z"
    assert line_of(render(document), "FUN-01").endswith("❌ `API-CHAT-001` failed | — |")


def test_evidence_of_one_alias_is_not_the_failure_of_another() -> None:
    one = check(
        "API-CHAT-001",
        case("a", parameters={"chat_model": "hx-chat"}),
        case("b", Verdict.FAILED, "no", parameters={"chat_model": "llm02-phi3"}),
    )
    document = record(one, claims=("MOD-01",))
    document["claims"][0].update(verdict="passed", checks=["API-CHAT-001"])
    claim = Claim("MOD-01", "Available Models", "hx-chat is available", about="hx-chat")
    assert "✅ `API-CHAT-001` |" in line_of(render(document, None, claim), "MOD-01")


def test_a_check_that_was_not_selected_is_no_evidence() -> None:
    document = record(check("API-CHAT-001"), claims=("FUN-01",))
    document["checks"][0].update(verdict=None, cases=[], claims=["FUN-01"])
    document["claims"][0]["checks"] = ["API-CHAT-001"]
    assert "not verified: no executed check" in line_of(render(document), "FUN-01")


def test_models_show_what_is_declared_and_what_was_measured() -> None:
    embedding = case(
        "e",
        parameters={"embedding_model": "emb-light"},
        evidence=[exchange("http://x/v1/embeddings", elapsed_s=elapsed) for elapsed in (0.01, 0.04, 2)],
    )
    chat = case("c", Verdict.FAILED, "no", parameters=CHAT)
    document = record(check("API-EMB-001", embedding), check("API-CHAT-001", chat))
    document["target"]["facts"] = {"emb-light.dimensions": "384", "llm-01.version": "0.12.6"}
    models = section(render(document), "Available Models")
    assert models.startswith(" (2)")
    assert (
        "| `emb-light` | embedding | orc | all-minilm | 384 | ✅ passed | 384 dimensions, p50 40 ms (n=3) |"
        in models
    )
    assert "| `hx-chat` | chat, simple-shuffle | llm-01, llm-02 |" in models
    assert "| — | ❌ failed | — |" in models
    assert "| Measured: llm-01.version | 0.12.6 |" in section(render(document), "System Configuration")
    assert "emb-light.dimensions" not in render(document)


def test_a_model_that_no_case_concerned_is_not_verified() -> None:
    assert "| ⬜ not verified | — |" in section(render(record(check("API-CHAT-001"))), "Available Models")


def test_what_the_evidence_of_resources_measured_is_shown() -> None:
    disk = check("HOST-DISK-001", case("d", facts={"disk_mb": "612.5"}), claims=["RES-03"])
    assert "| disk_mb | 612.5 | `HOST-DISK-001` |" in section(render(record(disk)), "Resource Utilisation")


def test_each_command_that_fixes_an_open_requirement_stands_once() -> None:
    claims = [
        Claim("SEC-01", "Security Requirements", "one", fix="sudo chown x"),
        Claim("SEC-02", "Security Requirements", "two", fix="sudo chown x"),
        Claim("SEC-03", "Security Requirements", "three", fix="sudo chmod y"),
    ]
    document = record(check("HOST-OWN-001", claims=["SEC-03"]), claims=("SEC-01", "SEC-02"))
    security = section(render(document, None, *claims), "Security Requirements")
    assert "```bash\n# SEC-01, SEC-02\nsudo chown x\n```" in security
    assert "chmod y" not in security


DEFAULT_KEY = {"mend": "set a key of your own", "fix_when": "got 2\\d\\d"}


@pytest.mark.parametrize(
    ("verdict", "seen", "advised"),
    [
        (Verdict.FAILED, "expected 401 from /v1/models, got 200: it was served", True),
        (Verdict.FAILED, "expected 401 from /v1/models, got 403: no", False),
        (
            Verdict.UNTESTABLE,
            "GET /v1/models is served to everybody, so nothing can be seen to open it",
            False,
        ),
        (Verdict.DEVIATION, "expected 401 from /v1/models, got 400: No connected db.", False),
        (Verdict.PASSED, "", False),
    ],
)
def test_a_key_of_ones_own_is_advised_only_where_the_known_one_was_served(
    verdict: Verdict, seen: str, advised: bool
) -> None:
    document = record(check("API-AUTH-004", case("a", verdict, seen), claims=["SEC-07"]))
    (claim,) = [one for one in document["claims"] if one["id"] == "SEC-07"]
    claim.update({**DEFAULT_KEY, "verdict": verdict.value})
    declared = Claim("SEC-07", "Security Requirements", "no default", fix="set a key of your own")
    assert ("set a key of your own" in render(document, None, declared)) is advised
    document["run"]["exit_code"] = 0 if verdict is Verdict.PASSED else 1
    told = " ".join(next_steps(record_of(document), "mine"))
    assert ("set a key of your own" in told) is advised


def test_the_first_run_says_that_it_is_the_first() -> None:
    document = record(check("API-CHAT-001"))
    assert "This is the first run of this environment." in render(document)
    other = record(check("API-CHAT-001"), environment="elsewhere")
    assert "This is the first run of this environment." in render(document, other)


def test_changes_since_the_last_run() -> None:
    failed = [case("a", Verdict.FAILED, "no")]
    before = record(
        check("API-A-001", *failed),
        check("API-B-001"),
        check("API-C-001"),
        check("API-D-001", claims=["FUN-01"]),
        check("API-E-001", *failed),
        id="before",
    )
    after = record(
        check("API-A-001"),
        check("API-B-001", *failed),
        check("API-C-001", case("a", Verdict.WAIVED, "known")),
        check("API-F-001"),
        check("API-E-001", case("a", Verdict.NOT_APPLICABLE)),
        claims=("FUN-01",),
    )
    after["target"]["product_version"] = "2.0"
    changes = section(render(after, before), "Changes since the last run")
    assert "run `before` of 2026-03-01 10:00:00 UTC" in changes
    assert "**Product version**: 1.106.2 → 2.0" in changes
    assert "**Broken** (1)\n  - `API-B-001` the title of API-B-001: ✅ passed → ❌ failed" in changes
    assert "**Fixed** (1)\n  - `API-A-001` the title of API-A-001: ❌ failed → ✅ passed" in changes
    assert "**Newly not verified** (1)\n  - `FUN-01`" in changes
    assert "**Newly accepted** (1)\n  - `API-C-001` the title of API-C-001: ✅ passed → ☑️ waived" in changes
    assert "**Verdict changed otherwise** (1)\n  - `API-E-001`" in changes
    assert "**New checks** (1)\n  - `API-F-001`" in changes
    assert "**Checks no longer in the run** (1)\n  - `API-D-001`" in changes


def test_an_unchanged_run_says_so() -> None:
    document = record(check("API-CHAT-001"))
    assert "No check and no claim changed." in render(document, copy.deepcopy(document))


def test_a_failure_shows_message_blame_parameters_and_curl() -> None:
    one = case(
        "a",
        Verdict.FAILED,
        "expected 'stop'\nsaw nothing",
        parameters=CHAT,
        blame="gateway",
        evidence=[exchange(curl="curl first"), exchange(curl="curl last")],
    )
    failures = section(render(record(check("API-STREAM-004", one))), "Failures")
    assert "### ❌ failed: `API-STREAM-004` the title of API-STREAM-004 \\[hx-chat\\]" in failures
    assert "MUST · to blame: **gateway** · `chat_model=hx-chat`\n" in failures
    assert "> expected 'stop'<br>saw nothing\n" in failures
    assert "```bash\ncurl last\n```" in failures


def test_one_missing_prerequisite_is_told_once() -> None:
    checks = [check(f"HOST-OWN-{n:03d}", case(f"{n}", Verdict.UNTESTABLE, "no host")) for n in (1, 2)]
    failures = section(render(record(*checks)), "Failures")
    assert failures.count("> no host") == 1
    assert "`HOST-OWN-001`, `HOST-OWN-002`" in failures


def test_hundreds_of_failures_stay_readable() -> None:
    checks = [check(f"API-X-{n:03d}", case(f"{n}", Verdict.FAILED, "x" * (5000 + n))) for n in range(200)]
    status = render(record(*checks))
    assert "And 160 more: see record.json." in status
    assert len(status) < 100_000


def test_hundreds_of_changes_stay_readable() -> None:
    checks = [check(f"API-X-{n:03d}") for n in range(200)]
    changed = section(render(record(*checks), record(check("API-A-001"))), "Changes since the last run")
    assert "**New checks** (200)" in changed
    assert "and 160 more: see record.json" in changed
    assert changed.count("`API-X-") == 40


def test_waivers_in_scope_are_listed_with_their_use() -> None:
    document = record(check("API-CHAT-001"))
    fields = {
        "check": "API-CHAT-001",
        "reason": "known | accepted",
        "owner": "platform",
        "expires": "2026-06-01",
    }
    document["waivers"] = [
        waiver(**fields),
        waiver("OLD", **fields, stale=True),
        waiver("LATE", **fields, expired=True),
        waiver("ELSEWHERE", **fields, in_scope=False),
    ]
    waivers = section(render(document), "Waivers in use")
    assert "| `W` | `API-CHAT-001` | known \\| accepted (<https://example.org/1>) | platform |" in waivers
    assert "| 2026-06-01 (92 days left) | used |" in waivers
    assert "no longer needed here: narrow or remove it" in waivers
    assert "expired: renew or remove it" in waivers
    assert "ELSEWHERE" not in waivers


def test_hostile_text_cannot_leave_its_place() -> None:
    hostile = "x | y ``` <img src=x onerror=alert(1)>\n\n## Faked\n\n| a | b |\n[l](http://evil.example)"
    one = case("a", Verdict.FAILED, hostile, parameters={"m": hostile}, blame=hostile)
    document = record(
        check("API-CHAT-001", one, title=hostile, claims=["FUN-01"]), headline=hostile, reasons=[hostile]
    )
    document["claims"][0]["text"] = hostile
    document["target"]["facts"] = {hostile: hostile}
    status = render(document)
    outside = re.sub(r"^(`{3,})bash\n.*?^\1$", "", status, flags=re.MULTILINE | re.DOTALL)
    assert "<img" not in outside
    assert "\n## Faked" not in outside
    assert not re.search(r"(?<!\\)\]\(", outside)
    for line in outside.splitlines():
        if line.startswith("|") and "`FUN-01`" in line:
            assert len(re.findall(r"(?<!\\)\|", line)) == 6


def test_the_summary_counts_claims_and_cost() -> None:
    document = record(check("API-CHAT-001", claims=["FUN-01"]), claims=("FUN-02",))
    summary = section(render(document), "Summary")
    assert "1 of 2 claims proven, 1 not verified; 1 of 1 selected checks executed; 12 requests" in summary


def test_the_machine_summary_says_the_same() -> None:
    red = check(
        "API-CHAT-002", case("b", Verdict.FAILED, "no", parameters={"chat_model": "x"}), claims=["FUN-01"]
    )
    document = status_document(
        record_of(record(check("API-CHAT-001", claims=["FUN-02"]), red, claims=("FUN-03",)))
    )
    assert (document["format"], document["environment"], document["exit_code"]) == (1, "lab", 1)
    assert document["run"] == "20260301T100000Z-lab-4f1c"
    assert document["claims"] == {"passed": ["FUN-02"], "failed": ["FUN-01"], "not verified": ["FUN-03"]}
    assert document["red"] == [
        {"check": "API-CHAT-002", "parameters": {"chat_model": "x"}, "verdict": "failed", "message": "no"}
    ]
    assert document["paths"]["record"] == "record.json"
    assert document["totals"]["passed"] == 1
