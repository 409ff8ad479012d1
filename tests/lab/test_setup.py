"""Set-up takes what is locked and nothing else, whatever an index has got since, and whatever installs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_acceptance.locked_install import InstallFailedError, install_lock, run
from lab.litellm.install import base_python
from tests.lab.package_index import Index, locked, served

ROOT = Path(__file__).parents[2]
NAMES = [f"part{number}" for number in range(12)]
INSTALLERS = ("pip of this Python", "newest pip", "uv")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the newest pip and uv, as requirements/installers.lock pins them."""
    venv = tmp_path_factory.mktemp("installers") / "venv"
    subprocess.run([base_python(), "-m", "venv", str(venv)], check=True, capture_output=True)
    install_lock(venv / "bin" / "python", ROOT / "requirements" / "installers.lock")
    return venv


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index of our own, and no other one."""
    with served(Index()) as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("UV_INDEX_URL", index.url)
        monkeypatch.setenv("UV_NO_CACHE", "1")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "UV_FIND_LINKS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        yield index


@pytest.fixture
def python(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The interpreter of a new virtual environment, with the pip that Python brings or the newest one."""
    venv = tmp_path / "venv"
    maker: Path | str = base_python()
    pip = "--without-pip" if request.param == "newest pip" else ""
    subprocess.run(
        [str(maker), "-m", "venv", *filter(None, [pip]), str(venv)], check=True, capture_output=True
    )
    if pip:
        (found,) = (request.getfixturevalue("tools") / "lib").glob("python3.*/site-packages")
        (place,) = (venv / "lib").glob("python3.*/site-packages")
        (place / "newest-pip.pth").write_text(f"{found}\n", encoding="utf-8")
    return venv / "bin" / "python"


def installed(python: Path) -> dict[str, str]:
    """Name -> version, of what the lock speaks of."""
    code = "import importlib.metadata as m; print(*(f'{d.name}={d.version}' for d in m.distributions()))"
    listed = run([str(python), "-c", code], {}).split()
    pairs = dict(word.split("=") for word in listed)
    return {name: version for name, version in pairs.items() if name.startswith("part")}


@pytest.mark.parametrize("python", INSTALLERS, indirect=True)
def test_only_what_is_locked_is_touched(
    python: Path, index: Index, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(locked(index, NAMES), encoding="utf-8")
    installer = request.node.callspec.params["python"]
    uv = str(request.getfixturevalue("tools") / "bin" / "uv") if installer == "uv" else ""
    install_lock(python, lock, uv=uv)
    assert installed(python) == dict.fromkeys(NAMES, "1.0")
    assert not index.touched
    assert len(index.asked) == len(NAMES)


@pytest.mark.parametrize("python", INSTALLERS[:1], indirect=True)
def test_a_set_up_that_resolves_would_be_noticed(python: Path, index: Index, tmp_path: Path) -> None:
    """The same lock without ``--no-deps``: the extra sends pip to the newest release."""
    lock = tmp_path / "requirements.lock"
    lock.write_text(locked(index, NAMES), encoding="utf-8")
    command = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
    variables = {"PIP_INDEX_URL": index.url, "PIP_CONFIG_FILE": "/dev/null", "PATH": "/usr/bin"}
    with pytest.raises(InstallFailedError, match="must have their versions pinned"):
        run(command, variables)


@pytest.mark.parametrize("python", INSTALLERS[:2], indirect=True)
def test_what_a_company_configures_does_not_reach_the_lock(
    python: Path, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Constraints, ``user``, ``target``, ``pre`` and the rest are left out; its index is used."""
    lock = tmp_path / "requirements.lock"
    lock.write_text(locked(index, NAMES[:3]), encoding="utf-8")
    (tmp_path / "constraints.txt").write_text("part0==9999.0\n", encoding="utf-8")
    home = tmp_path / "home"
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".config" / "pip" / "pip.conf").write_text(
        f"[global]\nindex-url = {index.url}\nextra-index-url =\n    {index.url}\n    {index.url}\n"
        f"pre = true\nno-binary = :all:\nrequire-virtualenv = true\n"
        f"[install]\nuser = true\ntarget = {tmp_path}/elsewhere\nconstraint = {tmp_path}/constraints.txt\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "constraints.txt"))
    for name in ("PIP_CONFIG_FILE", "PIP_INDEX_URL", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    install_lock(python, lock)
    assert installed(python) == dict.fromkeys(NAMES[:3], "1.0")
    assert not index.touched
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("python", INSTALLERS[:1], indirect=True)
def test_the_installers_reason_is_the_first_line(python: Path, index: Index, tmp_path: Path) -> None:
    """As ``make setup`` shows it: no warning stands above it."""
    index.publish("part0", "1.0")
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"part0==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    program = ROOT / "gateway_acceptance" / "locked_install.py"
    done = subprocess.run(
        [sys.executable, str(program), str(lock), "--into", str(python.parents[1])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"), done.stderr
    assert "Expected sha256 0000" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"{lock} could not be installed into ")
