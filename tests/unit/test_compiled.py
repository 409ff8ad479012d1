"""Whether compiled files are of their sources: what Python and pytest would take, and nothing else."""

from __future__ import annotations

import importlib.util
import marshal
import os
import py_compile
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from gateway_acceptance.plugin.compiled import compiled_problems

TRUE, FALSE = "assert 1 == 1\n", "assert 1 == 2\n"
By = py_compile.PycInvalidationMode


def restored(path: Path, text: str) -> None:
    """Other words of the same length, at the same time."""
    stat = path.stat()
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("by", list(By))
def test_python_s_own(tmp_path: Path, pytestconfig: pytest.Config, by: By) -> None:
    path = tmp_path / "rules.py"
    path.write_text(TRUE, encoding="utf-8")
    assert compiled_problems([path], pytestconfig) == []
    py_compile.compile(str(path), doraise=True, invalidation_mode=by)
    assert compiled_problems([path], pytestconfig) == []
    restored(path, FALSE)
    found = compiled_problems([path], pytestconfig)
    if by is By.CHECKED_HASH:  # Python compares, and compiles again
        assert found == []
        return
    (sentence,) = found
    assert sentence.startswith("compiled files hold something else than their sources: rules.cpython-")
    os.utime(path, ns=(1, 1))  # then Python takes it no more, unless it is told never to compare
    assert len(compiled_problems([path], pytestconfig)) == (by is By.UNCHECKED_HASH)


def test_pytest_s_own(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """With its rewritten assertions; the header says of which source it is."""
    path = tmp_path / "test_rules.py"
    path.write_text(FALSE, encoding="utf-8")
    place = rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}"
    place.parent.mkdir()
    _, code = rewrite._rewrite_test(path, pytestconfig)
    head = importlib.util.MAGIC_NUMBER + (3).to_bytes(4, "little")
    head += importlib.util.source_hash(path.read_bytes())
    place.write_bytes(head + marshal.dumps(code))
    assert compiled_problems([path], pytestconfig) == []
    place.write_bytes(head + marshal.dumps(compile(TRUE, str(path), "exec")))
    (sentence,) = compiled_problems([path], pytestconfig)
    assert "test_rules.cpython-" in sentence
    place.write_bytes(head + b"nothing")
    assert len(compiled_problems([path], pytestconfig)) == 1


def test_what_is_no_source_is_passed_over(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    (tmp_path / "profiles.toml").write_text("", encoding="utf-8")
    assert compiled_problems([tmp_path / "profiles.toml", tmp_path / "gone.py"], pytestconfig) == []
