"""Allure's results as the record has them, whatever allure-pytest left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.record_model import record_of
from gateway_acceptance.report.allure import finish_results
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, exchange, record, waiver

Finish = Callable[[dict[str, Any]], dict[str, dict[str, Any]]]

SECRET = "sk-very-secret"
NODE = "suites/api/chat/test_completion.py::test_shape[lab-hx-chat]"


def redact(text: str) -> str:
    return text.replace(SECRET, "[redacted:KEY]")


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    folder = tmp_path / "staging"
    folder.mkdir()
    return folder


@pytest.fixture
def finished(tmp_path: Path, staging: Path) -> Finish:
    """The results of a record, by their full name."""

    def finish(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
        finish_results(staging, tmp_path / "out", record_of(document), redact)
        paths = (tmp_path / "out").glob("*-result.json")
        results = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        return {result["fullName"]: result for result in results}

    return finish


def labels(result: dict[str, Any], name: str) -> list[str]:
    return [label["value"] for label in result["labels"] if label["name"] == name]


def put_raw(staging: Path, nodeid: str = NODE, uuid: str = "raw", **fields: Any) -> None:
    raw = {
        "uuid": uuid,
        "name": "test_shape[lab-hx-chat]",
        "status": "passed",
        "start": 1_000,
        "stop": 1_250,
        "historyId": "theirs",
        "labels": [
            {"name": "gaCase", "value": nodeid},
            {"name": "host", "value": "the-workers-hostname"},
            {"name": "thread", "value": "7-MainThread"},
            {"name": "tag", "value": "parametrize"},
        ],
        "parameters": [{"name": "chat_model", "value": "<object at 0x7f>"}],
        **fields,
    }
    (staging / f"{uuid}-result.json").write_text(json.dumps(raw))


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Verdict.PASSED, "passed"),
        (Verdict.WAIVED, "passed"),
        (Verdict.NOT_APPLICABLE, "skipped"),
        (Verdict.NOT_PERMITTED, "skipped"),
        (Verdict.INCONCLUSIVE, "broken"),
        (Verdict.UNTESTABLE, "broken"),
        (Verdict.FAILED, "failed"),
        (Verdict.HARNESS_ERROR, "broken"),
    ],
)
def test_each_verdict_has_a_status_and_keeps_its_word(finished: Finish, verdict: str, status: str) -> None:
    result = finished(record(check("API-CHAT-001", case(NODE, verdict, "the message"))))[NODE]
    assert result["status"] == status
    assert labels(result, "verdict") == [verdict]
    assert verdict in labels(result, "tag")
    message = "" if verdict == Verdict.PASSED else f"[{verdict}] the message"
    assert result["statusDetails"]["message"] == message


def test_the_records_verdict_overrules_the_raw_status(finished: Finish, staging: Path) -> None:
    put_raw(staging, status="passed")
    one = case(NODE, Verdict.FAILED, "no", blame="gateway", detail="Traceback")
    result = finished(record(check("API-CHAT-001", one)))[NODE]
    assert (result["uuid"], result["start"], result["stop"]) == ("raw", 1_000, 1_250)
    assert result["status"] == "failed"
    assert result["statusDetails"] == {"message": "[failed] (to blame: gateway) no", "trace": "Traceback"}


def test_a_case_without_a_raw_result_gets_one(finished: Finish) -> None:
    crashed = case(NODE, Verdict.HARNESS_ERROR, "its worker died", duration_s=0.25)
    result = finished(record(check("API-CHAT-001", crashed)))[NODE]
    assert result["status"] == "broken"
    assert result["stop"] - result["start"] == 250
    assert result["start"] == 1_772_359_201_250
    assert len(result["uuid"]) == 36


def test_names_groups_and_labels_are_the_trackers(finished: Finish, staging: Path) -> None:
    put_raw(staging)
    one = check(
        "API-CHAT-001",
        case(NODE, parameters={"environment": "lab", "chat_model": "hx-chat"}),
        claims=["FUN-01", "MOD-01"],
    )
    result = finished(record(one))[NODE]
    assert result["name"] == "API-CHAT-001 the title of API-CHAT-001 [hx-chat]"
    assert result["parameters"] == [{"name": "chat_model", "value": "hx-chat", "excluded": True}]
    assert labels(result, "epic") == ["API"]
    assert labels(result, "feature") == ["Validated Functionality"]
    assert labels(result, "story") == ["FUN-01 the text of FUN-01"]
    assert labels(result, "severity") == ["critical"]
    assert labels(result, "claim") == ["FUN-01", "MOD-01"]
    assert labels(result, "tag") == ["MUST", "spend", "nightly", "release", "lab", "passed"]
    assert labels(result, "thread") == ["7-MainThread"]
    assert labels(result, "host") == ["lab"]
    assert labels(result, "gaCase") == []
    assert "FUN-01 the text of FUN-01" in result["description"]


def test_a_check_of_no_claim_is_grouped_by_its_id(finished: Finish) -> None:
    result = finished(record(check("HOST-OWN-001", case(NODE), level="SHOULD")))[NODE]
    assert labels(result, "epic") == ["Host"]
    assert labels(result, "feature") == ["Beyond the tracker"]
    assert labels(result, "story") == ["HOST-OWN-001"]
    assert labels(result, "severity") == ["normal"]


def test_history_ids_survive_moved_files_and_never_collide(finished: Finish) -> None:
    parameters = [{"a": "b", "c": "d"}, {"a": "bc", "c": "d"}, {"a": "b", "c": "cd"}, {"a": "b"}]
    cases = [case(f"n{number}", parameters=one) for number, one in enumerate(parameters)]
    twins = [case("twin1", parameters={"x": "y"}), case("twin2", parameters={"x": "y"})]
    results = finished(record(check("API-CHAT-001", *cases, *twins), check("API-CHAT-002", case("other"))))
    assert len({result["historyId"] for result in results.values()}) == 7
    moved = finished(record(check("API-CHAT-001", case("moved.py::n0", parameters=parameters[0]))))
    assert moved["moved.py::n0"]["historyId"] == results["n0"]["historyId"]
    for result in results.values():  # Allure 3 goes by these two instead
        assert result["testCaseId"] == result["historyId"]
        assert all(one["excluded"] for one in result["parameters"])


def test_of_several_raw_results_of_a_case_the_last_counts(finished: Finish, staging: Path) -> None:
    put_raw(staging, uuid="a-late", start=5_000, stop=6_000)
    put_raw(staging, uuid="b-early", start=1_000, stop=2_000)
    assert finished(record(check("API-CHAT-001", case(NODE))))[NODE]["uuid"] == "a-late"


def test_results_of_other_environments_stay_away(finished: Finish, staging: Path, tmp_path: Path) -> None:
    attachment = {"name": "log", "source": "x-attachment.txt", "type": "text/plain"}
    (staging / "x-attachment.txt").write_text("not ours")
    put_raw(staging, nodeid="elsewhere", uuid="elsewhere", attachments=[attachment])
    (staging / "broken-result.json").write_text('{"uuid": "cut o')
    assert list(finished(record(check("API-CHAT-001", case(NODE))))) == [NODE]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert "x-attachment.txt" not in written
    assert not [name for name in written if "elsewhere" in name]


def test_attachments_of_a_case_are_copied_and_missing_ones_forgotten(
    finished: Finish, staging: Path, tmp_path: Path
) -> None:
    (staging / "a-attachment.txt").write_text(f"the key is {SECRET}")
    (staging / "b-attachment.png").write_bytes(b"\x89PNG\xff")
    step = {
        "name": f"asks with {SECRET}",
        "attachments": [{"name": "shot", "source": "b-attachment.png", "type": "image/png"}],
    }
    put_raw(
        staging,
        attachments=[
            {"name": "log", "source": "a-attachment.txt", "type": "text/plain"},
            {"name": "lost", "source": "lost-attachment.txt", "type": "text/plain"},
            {"name": "outside", "source": "../../etc/passwd", "type": "text/plain"},
        ],
        steps=[step],
    )
    result = finished(record(check("API-CHAT-001", case(NODE))))[NODE]
    assert [attachment["name"] for attachment in result["attachments"]] == ["log"]
    assert (tmp_path / "out" / "a-attachment.txt").read_text() == "the key is [redacted:KEY]"
    assert (tmp_path / "out" / "b-attachment.png").read_bytes() == b"\x89PNG\xff"
    assert result["steps"][0]["name"] == "asks with [redacted:KEY]"


def test_each_exchange_is_a_step_with_curl_and_the_whole_of_it(finished: Finish, tmp_path: Path) -> None:
    silent = exchange(status=None, error="connection refused", served_by="", first_byte_s=None)
    one = case(NODE, evidence=[exchange(), silent])
    steps = finished(record(check("API-CHAT-001", one)))[NODE]["steps"]
    assert [step["name"] for step in steps] == [
        "POST /v1/chat/completions → 200 in 0.310 s, served by llm-01",
        "POST /v1/chat/completions → connection refused in 0.310 s",
    ]
    assert [step["status"] for step in steps] == ["passed", "broken"]
    curl, whole = (
        (tmp_path / "out" / attached["source"]).read_text() for attached in steps[0]["attachments"]
    )
    assert curl.startswith("curl -sS http://127.0.0.1:4000/v1/chat/completions")
    for told in ("first byte after 0.300 s", '{"model": "hx-chat"}', "content-type: application/json"):
        assert told in whole


def test_nothing_that_is_written_holds_the_secret(finished: Finish, staging: Path, tmp_path: Path) -> None:
    put_raw(staging, steps=[{"name": SECRET, "parameters": [{"name": "k", "value": SECRET}]}])
    told = case(
        NODE,
        Verdict.FAILED,
        f'a "quoted" {SECRET}',
        parameters={"p": SECRET},
        detail=SECRET,
        facts={"f": SECRET},
        evidence=[exchange(curl=SECRET, request=SECRET, response=SECRET, headers={"x": SECRET})],
    )
    document = record(check("API-CHAT-001", told, title=SECRET), headline=SECRET)
    document["target"]["facts"] = {"leak": SECRET}
    finished(document)
    written = list((tmp_path / "out").iterdir())
    assert written
    assert not [path.name for path in written if SECRET in path.read_text(encoding="utf-8")]


def test_a_waiver_is_an_issue_link(finished: Finish) -> None:
    document = record(check("API-CHAT-001", case(NODE, Verdict.WAIVED, "known", waiver="W-1")))
    document["waivers"] = [waiver("W-1", reason="no database")]
    link = {"type": "issue", "name": "waiver W-1: no database", "url": "https://example.org/1"}
    assert finished(document)[NODE]["links"] == [link]


def test_requirement_and_upstream_reports_are_links(finished: Finish) -> None:
    links = finished(record(check("API-CHAT-001", case(NODE), spec="RFC 8259; LiteLLM #7")))[NODE]["links"]
    assert [(link["type"], link["name"]) for link in links] == [("link", "RFC 8259"), ("issue", "LiteLLM #7")]
    assert links[0]["url"] == "https://www.rfc-editor.org/rfc/rfc8259"


def test_the_time_is_told_in_words(finished: Finish) -> None:
    told = finished(record(check("API-CHAT-001", case(NODE))))[NODE]["description"]
    assert "**Began:** 2026-03-01 10:00:01 UTC, took 0.50 s" in told


def test_the_environment_block_has_state_versions_and_utc_times(finished: Finish, tmp_path: Path) -> None:
    finished(record(check("API-CHAT-001", case(NODE)), headline="all = good\n# no: comment"))
    lines = (tmp_path / "out" / "environment.properties").read_text().splitlines()
    assert lines[0] == "State=NIGHTLY\\ PASSED"
    assert "Headline=all\\ \\=\\ good\\ \\#\\ no\\:\\ comment" in lines
    assert "Product=litellm\\ 1.106.2" in lines
    assert "Started=2026-03-01\\ 10\\:00\\:00\\ UTC" in lines
    assert "pytest=9.2.0" in lines
    executor = json.loads((tmp_path / "out" / "executor.json").read_text())
    assert executor["buildName"] == "20260301T100000Z-lab-4f1c"


def test_every_verdict_but_passed_has_a_category() -> None:
    config = Path(__file__).parents[2] / "reports" / "allure" / "allurerc.json"
    patterns = {
        category["matchers"]["labels"]["verdict"] for category in json.loads(config.read_text())["categories"]
    }
    assert patterns == {f"^{verdict}$" for verdict in Verdict if verdict != Verdict.PASSED}
