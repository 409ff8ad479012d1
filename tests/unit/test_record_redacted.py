"""A record is redacted in all its texts, and stays a record whatever a secret is."""

from __future__ import annotations

from gateway_acceptance.evaluation import rejudged
from gateway_acceptance.record_model import document_of, record_of
from gateway_acceptance.record_model.redacted import redacted
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, record

SECRET = "sk-0123456789"


def test_every_text_is_redacted() -> None:
    red = case("a", Verdict.FAILED, f"got {SECRET}", parameters={"m": SECRET}, facts={SECRET: SECRET})
    made = record_of(record(check("API-A-001", red), headline=f"saw {SECRET}"))
    shown = redacted(made, Redactor({"key": SECRET}).tree)
    assert SECRET not in str(document_of(shown))
    assert shown.checks[0].cases[0].message == "got [redacted:key]"


def test_a_secret_that_is_a_word_of_the_record_leaves_a_record() -> None:
    """The word stays, and the scan of what was written finds it; everything else is redacted."""
    made = record_of(record(check("API-A-001", case("a", message="embedded, not executed")), kind="embedded"))
    shown = redacted(made, Redactor({"key": "embedded"}).tree)
    assert shown.run.kind == "embedded"
    assert shown.checks[0].cases[0].message == "[redacted:key], not executed"
    assert rejudged(shown).run.kind == "embedded"


def test_a_secret_that_is_a_verdict_or_a_time_leaves_a_record() -> None:
    made = record_of(record(check("API-A-001", case("a", Verdict.HARNESS_ERROR, "harness error"))))
    for secret in ("harness error", "2026-03-01T10:00:01.250Z", "duration_s"):
        shown = redacted(made, Redactor({"key": secret}).tree)
        assert shown.checks[0].cases[0].verdict is Verdict.HARNESS_ERROR
        assert shown.checks[0].cases[0].started == "2026-03-01T10:00:01.250Z"
