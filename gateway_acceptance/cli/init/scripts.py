"""The shell scripts of a tree: what stands there now, and the question which of them deploys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MOST_SCRIPTS = 20
"""More are not a deployment's own, but a package's."""
SCRIPT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*\.sh")
EXECUTABLE = 0o111


def scripts_of(tree: Mapping[str, Any]) -> list[str]:
    """The executable shell scripts of a tree, as its section has them (``host.collect.tree``); none where
    there are more than MOST_SCRIPTS. What is no entry is passed over."""
    entries = tree.get("entries")
    found = sorted({path for one in entries if (path := _script(one))} if isinstance(entries, list) else ())
    return found if len(found) <= MOST_SCRIPTS else []


def question(scripts: list[str]) -> str:
    """What only people know of them."""
    return (
        f"which script deploys ({', '.join(scripts)})? Move it from service_scripts to "
        "host.deployment_script; its guards and its validation are judged then, too"
    )


def _script(one: object) -> str:
    if not isinstance(one, Mapping) or one.get("kind") != "f":
        return ""
    path, mode = str(one.get("path", "")), str(one.get("mode", ""))
    runs = re.fullmatch(r"[0-7]{3,5}", mode) is not None and int(mode, 8) & EXECUTABLE
    own = SCRIPT.fullmatch(path) is not None and "node_modules/" not in path and ".." not in path
    return path if runs and own else ""
