"""What one worker has found, the others know of."""

from pathlib import Path

from gateway_acceptance.plugin.red import RedSoFar


def test_workers_share_what_is_red(tmp_path: Path) -> None:
    one, other = RedSoFar(tmp_path), RedSoFar(tmp_path)
    assert "local" not in one
    assert "local" not in other
    one.add("local")
    one.add("local")
    assert "local" in one
    assert "local" in other
    assert "lab" not in other, "each environment for itself"


def test_another_run_knows_nothing_of_it(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    RedSoFar(tmp_path / "first").add("local")
    assert "local" not in RedSoFar(tmp_path / "second")


def test_without_room_for_a_mark_nothing_is_lost(tmp_path: Path) -> None:
    alone = RedSoFar(tmp_path / "gone")
    alone.add("local")
    assert "local" in alone
