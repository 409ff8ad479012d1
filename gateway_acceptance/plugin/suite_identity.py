"""Which suite judged: its version, its commit where that is known, and whether it was changed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, PackagePath, distribution
from pathlib import Path

import gateway_acceptance
from gateway_acceptance.places import BUILD, PACKAGED, data_root, is_packaged
from gateway_acceptance.plugin.checkout import SHOWN, checkout_of

DISTRIBUTION = "gateway-acceptance"
Identity = dict[str, object]


@dataclass(frozen=True, slots=True)
class SuiteState:
    """What a look at the suite has shown. commit: None where it is not known; dirty: likewise; changed: some
    files that are not as the commit holds them."""

    commit: str | None
    dirty: bool | None
    changed: Sequence[str] = ()

    @property
    def identity(self) -> Identity:
        """{version, commit (str or null), dirty (bool or null)}."""
        return {"version": gateway_acceptance.__version__, "commit": self.commit, "dirty": self.dirty}

    @property
    def account(self) -> Identity:
        """{commit, changed}: the same for the account of what judged."""
        return {"commit": self.commit, "changed": list(self.changed)}


def suite_identity(root: Path) -> Identity:
    """As of ``SuiteState``, now. root: the project whose checks are run."""
    return suite_state(root).identity


def suite_state(root: Path) -> SuiteState:
    """The suite as it is now. root: the project whose checks are run.

    Of an installed wheel the commit is the one it was built from, and it is dirty where a file is not as it
    was installed. Where there is no git, or no checkout, nothing is known, and such a run cannot be signed.
    """
    if is_packaged() and root == data_root():
        return SuiteState(*_installed())
    found = checkout_of(root)
    if found is None:
        return SuiteState(None, None)
    return SuiteState(found.commit, bool(found.changed), found.changed[:SHOWN])


def _installed() -> tuple[str | None, bool | None]:
    try:
        built: Mapping[str, object] = json.loads((data_root() / BUILD).read_text(encoding="utf-8"))
        commit = str(built["commit"])
        listed = distribution(DISTRIBUTION).files or []
    except (OSError, ValueError, KeyError, PackageNotFoundError):
        return None, None
    return commit, built.get("dirty") is not False or changed(listed, data_root() / "suites")


def changed(listed: list[PackagePath], suites: Path) -> bool:
    """Whether a file of the package is not as it was installed, or a check was added.

    listed: the files of the distribution with their hashes.
    """
    ours = [path for path in listed if path.parts[0] == "gateway_acceptance" and path.suffix != ".pyc"]
    if not any(PACKAGED in path.parts for path in ours) or not all(map(_as_installed, ours)):
        return True
    there = {Path(str(path.locate())) for path in ours}
    return any(path not in there for path in suites.rglob("*.py"))


def _as_installed(path: PackagePath) -> bool:
    try:
        content = Path(str(path.locate())).read_bytes()
    except OSError:
        return False
    if path.hash is None:
        return False
    digest = hashlib.new(path.hash.mode, content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == path.hash.value
