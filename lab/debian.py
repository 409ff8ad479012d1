"""Debian's packages: what is fetched by apt and unpacked below .lab, and installed nowhere."""

from __future__ import annotations

import re

from gateway_acceptance.embedded import NotStarted
from lab.hosts.tools import command

PACKAGE = re.compile(r"^[a-z0-9][a-z0-9+.-]+$")


def needed(package: str) -> tuple[set[str], set[str]]:
    """The names of a package and of all that it depends on; and what this machine has. Raises NotStarted."""
    asked = ["apt-cache", "depends", "--recurse", "--important", package]
    try:
        text = command(asked)
    except NotStarted:  # fresh machines have no package lists yet
        command(["apt-get", "update"])
        text = command(asked)
    named = {line.strip() for line in text.splitlines() if PACKAGE.match(line)}
    listed = command(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"])
    return named, {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
