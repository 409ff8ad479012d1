"""The deployed files as the checks of a deployment ask for them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from gateway_acceptance.host.collect.base import SHOWN_TEXT
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import NotApplicable, Untestable
from suites.host.tree.rules import declared_host, require_seen

Facts = Mapping[str, Any]


def declared(value: Any, key: str) -> Any:
    """The value of a key that may not be declared. Raises NotApplicable."""
    if not value:
        raise NotApplicable(
            f"the environment declares no {key}", declared=key if "." in key else f"host.{key.split()[0]}"
        )
    return value


def script_text(host: MachineFacts) -> str:
    """The deployment script's text, without comments. Raises NotApplicable, Untestable."""
    path = declared(declared_host(host).deployment_script, "deployment_script")
    text = file_text(host, path, "HOST-DEPLOY-001")
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def file_text(host: MachineFacts, path: str, said_by: str) -> str:
    """A deployed file's text. said_by: the check that says where it is not there. Raises Untestable."""
    found = host["files"].get(path, {"exists": False})
    require_seen(host, path, found)
    if not found["exists"]:
        raise Untestable(f"{path} is not there (see {said_by})", "deploy again")
    if "error" in found:
        raise Untestable(f"{path} cannot be read ({found['error']})", f"sudo chmod a+r {path} on the host")
    if found["size"] > SHOWN_TEXT:
        raise Untestable(f"{path} has {found['size']} bytes and was not read whole", "shorten the file")
    return str(found["text"])


def declared_files(host: MachineFacts, paths: Iterable[str], *, read: bool = False) -> Mapping[str, Facts]:
    """The facts of all declared files. Raises Untestable where one of ``paths`` could not be seen or, with
    ``read``, not be read: what it holds is not known."""
    files: Mapping[str, Facts] = host["files"]
    for path in paths:
        require_seen(host, path, files[path])
        if read and "error" in files[path]:
            raise Untestable(
                f"{path} cannot be read ({files[path]['error']})", f"sudo chmod a+r {path} on the host"
            )
    return files


def unit_environment(unit: Facts) -> dict[str, str]:
    """The variables that the unit itself sets; values of secret ones are ``<hidden>``. systemd quotes a word
    as a shell would."""
    text = unit["properties"].get("Environment", "")
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    return dict(word.split("=", 1) for word in words if "=" in word)
