"""The Debian base of all hosts, and the gateway's virtual environment on top: built once, never booted."""

from __future__ import annotations

import fcntl
import hashlib
import platform
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from packaging.markers import Marker

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.locked_install import InstallFailedError, neutral_for, run
from lab.deployment import FILES, PROJECT, REPOSITORY, SCRIPT, UNIT_SOURCE, VIRTUAL_ENVIRONMENT
from lab.hosts.tools import Tools, command
from lab.litellm import install

SUITE = "bookworm"
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "python3-venv"),
    *("iproute2", "git", "procps", "libpam-systemd", "curl", "jq", "sudo", "libseccomp2", "ca-certificates"),
)
STAND_IN = "/usr/local/lib/ollama-stand-in"
STAND_IN_NEEDS = tuple(
    f"{name}=="
    for name in (
        *(
            "aiohttp",
            "aiohappyeyeballs",
            "aiosignal",
            "attrs",
            "frozenlist",
            "idna",
            "multidict",
            "propcache",
        ),
        *("typing-extensions", "yarl"),
    )
)
"""aiohttp and what it needs; Debian's own is too old."""
PYTHON = "3.11.2"
"""Debian 12's, exactly: markers of the lock ask for it."""
BUILD_BUDGET_S = 900
WHEELHOUSE = "srv/wheelhouse"
MANYLINUX = ("2_36", "2_34", "2_31", "2_28", "2_26", "2_24", "2_17", "2_12", "2_5")
"""What Debian 12's C library (2.36) can load."""


def ensure_base(root: Path, tools: Tools, say: Callable[[str], None]) -> Path:
    """The base's root directory below ``root/.lab/hosts``. Raises NotStarted."""
    mark = _digest(SUITE, *PACKAGES)
    folder = root / ".lab" / "hosts" / f"base-{mark}"

    def build(part: Path) -> None:
        say(f"building a Debian base ({SUITE}), once ...")
        command(
            [
                str(tools.mmdebstrap), "--quiet", "--mode=root", "--variant=apt",
                f"--include={','.join(PACKAGES)}", SUITE, str(part),
            ],
            environment=tools.environment,
            budget_s=BUILD_BUDGET_S,
        )  # fmt: skip
        for key in (part / "etc" / "ssh").glob("ssh_host_*"):
            key.unlink()  # every lab has its own

    return _once(folder, build)


def ensure_wheelhouse(root: Path, version: str, say: Callable[[str], None]) -> Path:
    """A folder with the wheels of a locked LiteLLM and the lock itself. Raises NotStarted."""
    lock = install.HERE / f"{version}.lock"
    if not lock.exists():
        known = ", ".join(install.locked_versions())
        raise NotStarted(f"the hosts install LiteLLM from a lock; there is none of {version}, but of {known}")
    text = for_python(lock.read_text(encoding="utf-8"), PYTHON)
    folder = root / ".lab" / "hosts" / f"wheels-{version}-{_digest(text)}"

    def build(part: Path) -> None:
        say(f"fetching the wheels of LiteLLM {version}, once ...")
        (part / "requirements.lock").write_text(text, encoding="utf-8")
        wanted = ["--require-hashes", "-r", str(part / "requirements.lock"), "-d", str(part)]
        _pip("download", *_for_the_hosts(), *wanted)

    return _once(folder, build)


def ensure_stand_in(root: Path, say: Callable[[str], None]) -> Path:
    """A read-only layer with what the backends' stand-in imports, as the suite's own lock pins it. Raises
    NotStarted."""
    lock = (root / "requirements" / "suite.lock").read_text(encoding="utf-8")
    text = "".join(
        block
        for block in re.split(r"(?m)^(?=[a-z0-9])", for_python(lock, PYTHON))
        if block.startswith(STAND_IN_NEEDS)
    )
    folder = root / ".lab" / "hosts" / f"stand-in-{_digest(text)}"

    def build(part: Path) -> None:
        say("fetching what the backends' stand-in needs, once ...")
        target = part / STAND_IN.lstrip("/")
        (part / "requirements.lock").write_text(text, encoding="utf-8")
        wanted = ["--require-hashes", "-r", str(part / "requirements.lock"), "--target", str(target)]
        _pip("install", *_for_the_hosts(), *wanted)
        (part / "requirements.lock").unlink()

    return _once(folder, build)


def _pip(*arguments: str) -> None:
    """Run the suite's own pip, which obeys the lock and of its configuration the indexes alone."""
    try:
        run([sys.executable, "-m", "pip", *arguments], neutral_for(Path(sys.executable)))
    except InstallFailedError as failed:
        raise NotStarted(
            f"what the lab's hosts install cannot be fetched: {failed.reason}", failed.detail
        ) from None


def _for_the_hosts() -> list[str]:
    """pip's options for wheels that the hosts' Python can load, whatever Python this is."""
    machine = platform.machine()
    tags = (*(f"manylinux_{tag}" for tag in MANYLINUX), "manylinux2014", "manylinux1")
    platforms = [f"--platform={tag}_{machine}" for tag in tags]
    fixed = (
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={PYTHON}",
    )
    return [*fixed, *platforms]


def for_python(lock: str, version: str) -> str:
    """A lock without markers: only what they choose on Linux for that Python (three numbers)."""
    environment = {
        "python_full_version": version,
        "python_version": version.rpartition(".")[0],
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": platform.machine(),
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
    }
    kept: list[str] = []
    wanted = True
    for line in lock.splitlines():
        if not line.startswith((" ", "#")):
            name, semicolon, marker = line.removesuffix("\\").partition(" ; ")
            wanted = not semicolon or Marker(marker.strip()).evaluate(environment)
            line = f"{name.strip()} \\" if semicolon else line
        if wanted:
            kept.append(line)
    return "\n".join(kept) + "\n"


def ensure_environment(root: Path, base: Path, wheels: Path, say: Callable[[str], None]) -> Path:
    """A read-only layer with the gateway's virtual environment, made by the deployment script itself
    inside the base. Raises NotStarted."""
    repository = REPOSITORY.lstrip("/")
    script, unit = f"{PROJECT}/{SCRIPT}", f"{PROJECT}/{UNIT_SOURCE}"
    mark = _digest(base.name, wheels.name, (FILES / script).read_text("utf-8"))
    folder = root / ".lab" / "hosts" / f"venv-{mark}"

    def build(part: Path) -> None:
        say("installing LiteLLM into the gateway's host, once ...")
        upper, work, merged = (part.with_name(f"{part.name}-{name}") for name in ("upper", "work", "merged"))
        for path in (upper, work, merged):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
        place = upper / repository
        for name in (script, unit):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(FILES / name, place / name)
        (upper / WHEELHOUSE).mkdir(parents=True)
        steps = (
            f"mount -t overlay overlay -o lowerdir={base},upperdir={upper},workdir={work} {merged}",
            f"mount --bind {wheels} {merged}/{WHEELHOUSE}",
            f"mount --rbind /dev {merged}/dev",
            f"mount -t proc proc {merged}/proc",
            f"exec chroot {merged} /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root"
            f" {REPOSITORY}/{script} --environment-only --wheelhouse /{WHEELHOUSE}",
        )
        isolated = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
        command([*isolated, "sh", "-euc", "\n".join(steps)], budget_s=BUILD_BUDGET_S)
        venv = f"{PROJECT}/{VIRTUAL_ENVIRONMENT}"
        (part / repository / venv).parent.mkdir(parents=True)
        (place / venv).rename(part / repository / venv)
        for path in (upper, work, merged):
            shutil.rmtree(path)

    return _once(folder, build)


def _once(folder: Path, build: Callable[[Path], None]) -> Path:
    """A folder that appears only when it is whole, built by one process at a time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not folder.exists():
            part = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            part.chmod(0o755)  # whatever the umask: it becomes a host's root directory
            build(part)
            part.rename(folder)
    return folder


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]
