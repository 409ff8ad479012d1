"""Drawings: what is kept, what is refused, and where they land."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_acceptance.picture import LARGEST, harmless
from gateway_acceptance.record_model import record_of
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.report.past import Past
from gateway_acceptance.report.pictures import pictures
from gateway_acceptance.report.write_outputs import write_views
from gateway_acceptance.run_directory import RunDirectory
from tests.unit.records import case, check, record

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">'
DRAWING = f'{HEAD}<style>.a{{fill:url(#b)}}</style><rect class="a" width="10" height="5"/></svg>'


def test_a_plain_drawing_is_kept_as_it_is() -> None:
    assert harmless(DRAWING) == DRAWING


@pytest.mark.parametrize(
    ("drawing", "said"),
    [
        ("<svg/>", "not an svg element"),
        ("<svg", "no XML"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + DRAWING, "declaration"),
        (f"{HEAD}<script>1</script></svg>", "the element script"),
        (f'{HEAD}<image href="http://127.0.0.1/a.png"/></svg>', "the element image"),
        (f'{HEAD}<rect onload="a()"/></svg>', "onload"),
        (f'{HEAD}<rect fill="url(http://127.0.0.1/a)"/></svg>', "can run or load"),
        (f"{HEAD}<style>@import 'a.css';</style></svg>", "style loads"),
        (f"{HEAD}{' ' * LARGEST}</svg>", f"at most {LARGEST}"),
    ],
)
def test_a_drawing_that_runs_or_loads_something_is_refused(drawing: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        harmless(drawing)


def test_drawings_lie_beside_the_tracker_and_in_the_report(tmp_path: Path) -> None:
    drawn = case("suites/a.py::test_a[hx-chat]", pictures={"shares": DRAWING, "path": DRAWING})
    judged = record(check("BACKEND-BAL-002", drawn))
    write_views(
        RunDirectory(tmp_path, Redactor()),
        record_of(judged),
        Past(),
        (),
        tmp_path / "none",
        with_report=False,
    )
    shown = pictures(record_of(judged))
    assert len({one.file for one in shown}) == len(shown) == 2
    for one in shown:
        assert (tmp_path / one.file).read_text() == DRAWING
        assert f"![{one.name}]({one.file})" in (tmp_path / "STATUS.md").read_text()
    (result,) = (tmp_path / "allure-results").glob("*-result.json")
    assert result.read_text().count("image/svg+xml") == 2
