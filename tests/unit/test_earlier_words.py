"""What was signed with earlier words verifies still, and nothing else passes for them."""

from __future__ import annotations

import re
from pathlib import Path

from gateway_acceptance.report.earlier_words import EARLIER, in_earlier_words

ROOT = Path(__file__).parents[2]
TEMPLATES = "".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "reports" / "templates").glob("*.j2")
)


def test_each_pair_is_of_words_that_the_templates_have_and_had() -> None:
    for now, before in EARLIER:
        assert now in TEMPLATES, now
        assert before not in TEMPLATES, before
        assert in_earlier_words(f"a {now} b") == f"a {before} b"


def test_the_published_example_has_the_earlier_words_or_todays() -> None:
    """Its verification (test_signoff_example) is what holds that both are accepted."""
    page = (ROOT / "docs" / "examples" / "signoff" / "signoff.html").read_text(encoding="utf-8")
    assert re.search("<h2>(Blind spots|Not covered)</h2>", page)
