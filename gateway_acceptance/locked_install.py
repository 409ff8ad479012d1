"""Install a complete lock into a virtual environment: nothing is resolved, nothing taken with another hash.

Needs the standard library alone, since it also makes the suite's own environment: the Makefile runs it as a
program. The design is in docs/setup.md.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

FROM_LOCK = ("--no-deps", "--require-hashes")
WHEELS_ONLY = ("--only-binary", ":all:")
"""A source distribution runs a build, and pip resolves what the build needs."""
KEPT = frozenset(
    {
        *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "client-cert"),
        *("proxy", "timeout", "default-timeout", "retries", "resume-retries", "keyring-provider"),
        *("cache-dir", "no-cache-dir", "use-feature", "use-deprecated", "no-input"),
    }
)
"""pip's settings that say where packages come from and how they are fetched. All others (``constraint``,
``user``, ``target``, ``pre`` …) say what is installed, or where to: the lock alone does that."""
UV_KEPT = re.compile(
    r"UV_(INDEX.*|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CACHE_DIR|NO_CACHE|NATIVE_TLS|SYSTEM_CERTS"
    r"|HTTP_.*|REQUEST_TIMEOUT|INSECURE_HOST|OFFLINE|LINK_MODE|KEYRING_PROVIDER|CONCURRENT_.*)"
)
BUDGET_S = 900
"""For one call of an installer: a slow index, not a hanging one."""
REASON = re.compile(r"^\s*(ERROR:|error:|E: |npm error|npm ERR!|×)")
NOISE = re.compile(r"^\s*(WARNING|warning|W: |DEPRECATION|npm warn|npm WARN|\[notice\]|$)")
SHOWN_LINES = 12


class InstallFailedError(Exception):
    """An installer failed. reason: its own first line of why; detail: the lines that belong to it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}\n{detail}" if detail else reason)


def reason_of(output: str) -> tuple[str, str]:
    """What an installer (pip, uv, npm) says of its failure: the first line of its reason, and the rest of it.

    A reason is a line that says so and the indented lines below it; warnings are left out. Where no line says
    so, the last ones stand for it.
    """
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    found: list[str] = []
    taking = False
    for line in lines:
        if REASON.match(line):
            taking = True
        elif NOISE.match(line) or not line.startswith((" ", "\t")):
            taking = False
        if taking:
            found.append(line)
    found = found or [line for line in lines if not NOISE.match(line)][-SHOWN_LINES:] or lines[-1:]
    if not found:
        return "it said nothing", ""
    return found[0].strip(), "\n".join(found[1:SHOWN_LINES])


def neutral(variables: Mapping[str, str], configured: str) -> dict[str, str]:
    """The environment for an installer that obeys a lock and nothing else.

    variables: the caller's environment; configured: what ``pip config list`` prints. Where packages come
    from and how they are fetched stays as the user has it; what would choose other ones is left out.
    """
    settings: dict[str, str] = {}
    for section in ("global", "install", "download"):
        for line in configured.splitlines():
            name, equals, value = line.partition("=")
            where, _, key = name.partition(".")
            if equals and where == section and key in KEPT:
                settings[key] = " ".join(str(ast.literal_eval(value)).split())
    clean = {
        name: value
        for name, value in variables.items()
        if not name.startswith(("PIP_", "UV_", "PYTHON")) or UV_KEPT.fullmatch(name)
    }
    clean |= {f"PIP_{key.upper().replace('-', '_')}": value for key, value in settings.items()}
    clean |= {
        name: value
        for name, value in variables.items()
        if name.startswith("PIP_") and name.removeprefix("PIP_").lower().replace("_", "-") in KEPT
    }
    return clean | {
        "PIP_CONFIG_FILE": os.devnull,  # what it says of indexes stands above, as variables
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }


def install_lock(
    python: Path, lock: Path, *, sdists: Sequence[str] = (), uv: str = "", editable: Path | None = None
) -> None:
    """Install what a lock pins into the environment of an interpreter. Raises InstallFailedError.

    sdists: distributions that have no wheel; they are built last, with what the lock has installed by then;
    uv: this program does it, instead of the environment's own pip; editable: a project to add, likewise.
    """
    variables = neutral_for(python)
    install = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
    install += ["--quiet", *FROM_LOCK]
    wheels, built = split(lock.read_text(encoding="utf-8"), sdists)
    with tempfile.TemporaryDirectory(prefix="locked-install-") as folder:
        for name, text, options in (
            ("wheels.txt", wheels, WHEELS_ONLY),
            ("sdists.txt", built, ("--no-build-isolation",)),
        ):
            path = Path(folder) / name
            path.write_text(text, encoding="utf-8")
            if text:
                run([*install, *options, "-r", str(path)], variables)
    if editable is not None:
        build = ["--no-deps", "--no-build-isolation", "--no-index", "--editable", str(editable)]
        run([*install[: -len(FROM_LOCK)], *build], variables)


def split(lock: str, sdists: Sequence[str]) -> tuple[str, str]:
    """A lock as two: without the distributions of those names, and of them alone."""
    blocks = re.split(r"(?m)^(?=\S)", lock)
    named = [block.partition("==")[0].partition("[")[0].strip() in sdists for block in blocks]
    wheels = "".join(block for block, found in zip(blocks, named, strict=True) if not found)
    return wheels, "".join(block for block, found in zip(blocks, named, strict=True) if found)


def neutral_for(python: Path) -> dict[str, str]:
    """``neutral`` for this machine, its configuration as the pip of that environment reads it."""
    try:
        listed = subprocess.run(
            [str(python), "-m", "pip", "config", "list"],
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            capture_output=True,
            text=True,
            check=False,
            timeout=BUDGET_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallFailedError(f"{python} cannot be asked for pip's configuration: {error}") from None
    return neutral(os.environ, listed.stdout if listed.returncode == 0 else "")


def run(command: Sequence[str], variables: Mapping[str, str], cwd: Path | None = None) -> str:
    """The output of an installer. Raises InstallFailedError with its own reason first."""
    try:
        done = subprocess.run(
            command,
            env=dict(variables),
            cwd=cwd,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=BUDGET_S,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise InstallFailedError(f"{Path(command[0]).name} did not end within {BUDGET_S} s") from None
    except OSError as error:
        raise InstallFailedError(f"{command[0]} cannot be run: {error}") from None
    if done.returncode:
        raise InstallFailedError(*reason_of(f"{done.stdout}\n{done.stderr}"))
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """``python locked_install.py LOCK --into VENV``: exit code 1, its reason first, where it fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", type=Path)
    parser.add_argument(
        "--into", type=Path, required=True, metavar="VENV", help="a virtual environment with pip"
    )
    parser.add_argument(
        "--sdist", action="append", default=[], metavar="NAME", help="it has no wheel: build it"
    )
    parser.add_argument("--editable", type=Path, metavar="FOLDER", help="a project to add")
    parser.add_argument("--uv", default="", metavar="PROGRAM", help="install with this uv instead of pip")
    given = parser.parse_args(arguments)
    try:
        install_lock(
            given.into / "bin" / "python",
            given.lock,
            sdists=given.sdist,
            uv=given.uv,
            editable=given.editable,
        )
    except InstallFailedError as failed:
        print(failed, file=sys.stderr)
        print(f"{given.lock} could not be installed into {given.into}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
