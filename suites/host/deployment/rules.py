"""What must hold of the deployment script, the deployed files and their work tree: facts in, problems out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from gateway_acceptance.environment.host import Host, Repository
from gateway_acceptance.problem import Problem
from suites.host.deployment.extract import Facts
from suites.host.user.facts import differs

PROBE = re.compile(r"\b(command\s+-[vV]|type\s+(-\w+\s+)*|which|hash)\s")
"""How a shell script asks whether a command is there."""
OWN_ADDRESSES = re.compile(r"\bip\s+(-\S+\s+)*(a|addr|address|route)\b|\bhostname\s+-[Ii]\b")
"""How a script learns which addresses its host has."""
ASKED = {
    "/v1/models": r"/v1/models\b|/models\b",
    "/v1/chat/completions": r"/chat/completions\b",
    "/v1/embeddings": r"/embeddings\b",
}


PACKAGES = {"ip": "iproute2"}
"""Debian's packages of commands that are named otherwise."""


def not_executable(files: Mapping[str, Facts], paths: Sequence[str], tree: str) -> list[Problem]:
    """Every script is a file that everybody may execute: systemd, root and operators alike."""
    problems = []
    for path in paths:
        found = files[path]
        if not found["exists"]:
            problems.append(differs(path, "nothing", "a script", "check it out, and deploy again"))
        elif "entry" in found and int(found["entry"]["mode"], 8) & 0o111 != 0o111:
            fix = f"sudo chmod 755 {tree}/{path}"
            problems.append(differs(path, f"mode {found['entry']['mode']}", "an executable file (0755)", fix))
    return problems


def not_valid(files: Mapping[str, Facts], paths: Sequence[str]) -> list[Problem]:
    """``bash -n`` says nothing against a script."""
    problems = []
    for path in paths:
        found = files[path]
        if found["exists"] and found.get("syntax") is None:
            problems.append(differs(path, "no shell's #! line", "a shell script", "deploy the script again"))
        elif found["exists"] and found["syntax"]:
            problems.append(
                differs(path, repr(found["syntax"]), "valid shell", f"correct it: bash -n {path}")
            )
    return problems


def commands_missing(found: Mapping[str, str | None]) -> list[Problem]:
    """Every needed command is on the host."""
    return [
        differs(
            f"the command {name}",
            "no such program",
            "it on the PATH",
            f"have its package installed: sudo apt-get install {PACKAGES.get(name, name)}, "
            "with --reinstall where it is",
        )
        for name, path in found.items()
        if path is None
    ]


def commands_not_asked(text: str, needed: Sequence[str]) -> list[Problem]:
    """The script asks whether a command is there, and names each needed one no later than it asks. A list of
    names before the question serves as well as a question for each."""
    asked = [found.end() for found in PROBE.finditer(text)]
    if not asked:
        return [differs("the script", "no command -v", "a question for each needed command", "add it")]
    end = text.find("\n", asked[-1])
    before = text[: end if end >= 0 else len(text)]
    return [
        differs(
            "the script", f"no question for {name}", "command -v before its first step", f"ask for {name}"
        )
        for name in needed
        if not re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w-])", before)
    ]


def guard_missing(text: str) -> list[Problem]:
    """The script learns the host's addresses, and can be forced."""
    problems = []
    if not OWN_ADDRESSES.search(text):
        problems.append(
            differs("the script", "no look at the host's own addresses", "the wrong-server guard", "add it")
        )
    if not re.search(r"\bFORCE\b", text):
        problems.append(differs("the script", "no FORCE", "FORCE=1 to deploy nevertheless", "add it"))
    return problems


def validation_missing(text: str) -> list[Problem]:
    """The script asks the gateway what it deployed, and can end with a failure."""
    return [
        differs("the script", f"no request to {path}", "each endpoint asked after deploying", f"ask {path}")
        for path, pattern in ASKED.items()
        if not re.search(pattern, text)
    ]


def chat_bodies(text: str) -> list[str]:
    """The texts between matching braces that hold ``"messages"``, with shell quoting undone."""
    plain = text.replace('\\"', '"')
    bodies = []
    for found in re.finditer(r'\{\s*"', plain):
        depth = 0
        for place in range(found.start(), len(plain)):
            depth += {"{": 1, "}": -1}.get(plain[place], 0)
            if depth == 0:
                body = plain[found.start() : place + 1]
                if '"messages"' in body:
                    bodies.append(body)
                break
    return bodies


def chat_validation_wrong(text: str) -> list[Problem]:
    """Each chat request in the script is a JSON object that asks at temperature 0."""
    bodies = chat_bodies(text)
    if not bodies:
        return [differs("the script", 'no JSON body with "messages"', "a chat validation", "add it")]
    problems = []
    for body in bodies:
        shown = " ".join(body.split())[:120]
        try:
            asked: Any = json.loads(body)
        except ValueError as error:
            problems.append(differs(f"the chat body {shown}", str(error), "valid JSON", "correct it"))
            continue
        if asked.get("temperature") != 0:
            has = f"temperature {asked.get('temperature', 'unset')}"
            problems.append(differs(f"the chat body {shown}", has, "temperature 0", 'add "temperature": 0'))
    return problems


def other_content(files: Mapping[str, Facts], host: Host) -> list[Problem]:
    """Pinned files have the pinned digest."""
    return [
        differs(path, found.get("sha256", "nothing"), digest, "check it out, or pin what is meant")
        for path, digest in host.digests.items()
        if (found := files[path]).get("sha256") != digest
    ]


def other_size(files: Mapping[str, Facts], host: Host) -> list[Problem]:
    """Pinned files have the pinned size."""
    return [
        differs(
            path, f"{found.get('size', 'no')} bytes", f"{size} bytes", "check it out, or pin what is meant"
        )
        for path, size in host.sizes.items()
        if (found := files[path]).get("size") != size
    ]


def not_executed(files: Mapping[str, Facts], python: Facts | None, host: Host) -> list[Problem]:
    """What a run of the deployment script leaves: the configuration and the virtual environment. With which
    options it is run, and whether the configuration comes of it or of the repository, nobody knows here."""
    problems = []
    script = f"{host.tree}/{host.deployment_script}" if host.deployment_script else "the deployment script"
    again = f"run {script} with the options of this deployment"
    if host.configuration and not files[host.configuration]["exists"]:
        back = f"{again}, or bring the file back from where it is kept"
        problems.append(differs(host.configuration, "nothing", "the configuration", back))
    if python is not None and not python["exists"]:
        problems.append(differs(str(host.virtual_environment), "nothing", "a virtual environment", again))
    return problems


def plain_remote(url: str) -> str:
    """A remote's host and path, whatever way it is reached."""
    text = re.sub(r"^\w+://", "", url.strip()).removesuffix("/").removesuffix(".git")
    text = re.sub(r"^[^/@]*@", "", text)
    return re.sub(r"^([^/:]+):(?!\d+/)", r"\1/", text).lower()


def other_repository(found: Facts, wanted: Repository, tree: str) -> list[Problem]:
    """The tree lies in a git work tree whose origin is the declared one."""
    if not found["root"]:
        return [
            differs(
                tree,
                f"no git work tree ({found['error']})",
                "one",
                f"deploy from a clone of {wanted.remote or 'the repository'}",
            )
        ]
    has = found["remote"]
    if wanted.remote and (has is None or plain_remote(has) != plain_remote(wanted.remote)):
        lifted = [
            f"sudo git -C {tree} config --{scope} --unset-all {shlex.quote(key)}"
            for scope, key in found.get("rewrites", ())
        ]
        fix = " && ".join([*lifted, f"sudo git -C {tree} remote set-url origin {wanted.remote}"])
        return [differs("the origin", has or "none", wanted.remote, fix)]
    return []


def other_commit(found: Facts, wanted: str, tree: str) -> list[Problem]:
    """The declared commit is checked out."""
    if found["head"].startswith(wanted):
        return []
    known = "known there" if found["declared_known"] else "not in the repository there"
    fix = f"check it out, and deploy again: git -C {tree} fetch && git -C {tree} checkout {wanted}"
    return [differs("the checked out commit", found["head"], f"{wanted} ({known})", fix)]


def not_published(found: Facts, tree: str) -> list[Problem]:
    """The remote has the commit that is checked out, as far as the work tree knows."""
    if found["published"]:
        return []
    has = "in no branch of the remote" if found["published"] is False else "no branch of a remote is known"
    return [
        differs(
            f"the commit {found['head'][:12]}",
            has,
            "published",
            f"publish it, or check out what is: git -C {tree} push",
        )
    ]


def not_clean(found: Facts, host: Host) -> list[Problem]:
    """Nothing in the work tree differs from the commit. The fix keeps what was changed, as a stash; what it
    brings back is root's, and the service has to read its configuration anew."""
    root = shlex.quote(found["root"] or host.tree)
    git = f"sudo git -C {root} -c user.name=root -c user.email=root@localhost"
    own = f"sudo chown -R {host.owner}:{host.tree_group} {host.tree}"

    def fix(paths: Sequence[str]) -> str:
        kept = f"{git} stash push --include-untracked -- {' '.join(map(shlex.quote, paths))} && {own}"
        read = host.configuration and any(path.endswith(host.configuration) for path in paths)
        return f"{kept} && sudo systemctl restart {host.unit}" if read else kept

    return [
        differs(f"'{line}'", "a change", "what was committed (or commit it)", fix(line[3:].split(" -> ")))
        for line in found["dirty"]
    ]
