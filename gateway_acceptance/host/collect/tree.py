"""The deployment's files: one pass over the tree, and what the service's account can do with them."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from typing import Sequence

from gateway_acceptance.host.collect.base import (
    SECRET,
    Facts,
    Missing,
    Request,
    entry,
    hidden,
    masked_text,
    output,
    privileged,
    run,
)

OFFENDERS_SHOWN = 200
ENTRIES_SHOWN = 5000
SCANNED_BYTES = 1 << 20
LITERAL = re.compile(
    r"(?i)(master_key|api_key|salt_key|password|secret|token)[\"']?\s*[:=]\s*[\"']?([^\s\"'#]+)"
)
INSTEAD_OF = r"^url\..*\.(insteadof|pushinsteadof)$"
REFERENCE = re.compile(r"^(os\.environ/|\$|\{|<|none$|null$|true$|false$|\d+$)", re.IGNORECASE)
"""Values that name a secret's place instead of holding it."""


def tree(request: Request) -> Facts:
    """{exists, hidden, entries, ancestors, unreadable, bytes, cut, environment {files, directories, bytes,
    offenders, offenders_total}}. hidden: why this account cannot say whether the tree is there; empty where
    it can. Paths are relative to the tree ("." itself); the virtual environment is summed up."""
    base = os.path.realpath(request["tree"])  # the tree may be reached through a link ("current")
    venv = request.get("virtual_environment") or ""
    way = dict.fromkeys([*ancestors(request["tree"]), *ancestors(base)])
    found: Facts = {
        "exists": os.path.isdir(base),
        "hidden": hidden(request["tree"]),
        "entries": [],
        "ancestors": [entry(path) for path in way if os.path.lexists(path)],
        "unreadable": [],
        "bytes": 0,
        "cut": False,
        "environment": {"files": 0, "directories": 0, "bytes": 0, "offenders": [], "offenders_total": 0},
    }
    if not found["exists"]:
        return found
    pending = ["."]
    while pending:
        relative = pending.pop()
        path = base if relative == "." else os.path.join(base, relative)
        try:
            document = entry(path, relative)
        except OSError as error:
            found["unreadable"].append(f"{relative}: {error.strerror}")
            continue
        if document["kind"] == "l":
            document["escapes"] = not inside(document["target"], base)
        inside_venv = bool(venv) and (relative == venv or relative.startswith(venv + "/"))
        if inside_venv:
            count(found["environment"], document, request)
        else:
            found["bytes"] += document["size"] if document["kind"] == "f" else 0
            if len(found["entries"]) < ENTRIES_SHOWN:
                found["entries"].append(document)
            else:
                found["cut"] = True
        if document["kind"] == "d":
            try:
                names = sorted(os.listdir(path), reverse=True)
            except OSError as error:
                found["unreadable"].append(f"{relative}: {error.strerror}")
                continue
            pending += [name if relative == "." else f"{relative}/{name}" for name in names]
    return found


def count(summary: Facts, document: Facts, request: Request) -> None:
    """Add an entry of the virtual environment; it is shown only where it offends."""
    kind, mode = document["kind"], int(document["mode"], 8)
    summary["files" if kind == "f" else "directories" if kind == "d" else "others"] = (
        summary.get("files" if kind == "f" else "directories" if kind == "d" else "others", 0) + 1
    )
    summary["bytes"] += document["size"] if kind == "f" else 0
    owned = (document["user"], document["group"]) in (("root", request["group"]), ("root", "root"))
    wanted = 0o755 if kind == "d" else 0o644
    right = kind == "l" or (mode & wanted == wanted and not mode & 0o6022)
    if not owned or not right or document.get("broken") or kind == "o":
        summary["offenders_total"] += 1
        if len(summary["offenders"]) < OFFENDERS_SHOWN:
            summary["offenders"].append(document)


def ancestors(base: str) -> list[str]:
    """Every directory above the tree, the root first."""
    parts = base.strip("/").split("/")[:-1]
    return ["/"] + ["/" + "/".join(parts[: number + 1]) for number in range(len(parts))]


def inside(target: str, base: str) -> bool:
    """Whether a resolved path is the tree or below it."""
    real = os.path.realpath(base)
    return target == real or target.startswith(real + "/")


def secrets(request: Request) -> list[Facts]:
    """[{path, exists, entry, parent}] of the declared secret files. Where their directory lets this account
    not look, root is asked; raises Missing where that is not allowed."""
    found: list[Facts] = []
    for path in request["secrets"]:
        document: Facts = {"path": path, "exists": os.path.lexists(path), "entry": None, "parent": None}
        try:
            document["parent"] = entry(os.path.dirname(path))
            document["entry"] = entry(path)
            document["exists"] = True
        except FileNotFoundError:
            document["exists"] = False
        except PermissionError:
            document |= roots_view(request, path)
        found.append(document)
    return found


def roots_view(request: Request, path: str) -> Facts:
    """{exists, entry} of a declared secret file, as root sees it."""
    text = privileged(request, "secret_files")[1]
    for line in text.splitlines():
        kind, mode, user, group, name = [*line.split("|", 4), "", "", "", ""][:5]
        if name == path:
            letters = {"regular file": "f", "regular empty file": "f", "directory": "d", "symbolic link": "l"}
            seen = {"path": path, "kind": letters.get(kind, "o"), "mode": mode.zfill(4)}
            return {"exists": True, "entry": {**seen, "user": user, "group": group}}
    return {"exists": False}


def access(request: Request) -> Facts:
    """{unreadable, unsearchable, writable}: paths of the tree, and secrets, readable secret files, as the
    service's account really meets them: tried as that account, changing nothing. What could not be tried
    stands in ``missing`` {field: {why, needs}}."""
    found: Facts = {"missing": {}}
    for name in ("unreadable", "unsearchable", "writable", "secrets_readable", "secrets_writable"):
        if name not in request["privileges"]:
            found[name] = []
            continue
        try:
            found[name] = met(request, name)
        except Missing as missing:
            found["missing"][name] = {"why": missing.why, "needs": missing.needs}
    return found


def met(request: Request, name: str) -> Sequence[str]:
    """What ``find`` names as that account. That it may not enter a directory is an answer; any other failure
    of it (nothing there, an option that it does not know) is none: raises Missing."""
    code, text, errors = privileged(request, name)
    said = [line for line in errors.splitlines() if line.strip()]
    other = [line for line in said if not line.endswith(": Permission denied")]
    if other or (code != 0 and not said):
        raise Missing(f"{'; '.join(other)[:300] or f'find ended with exit code {code}'}")
    refused = re.findall(r"'([^']+)': Permission denied", errors)
    named = {line for line in text.splitlines() if line}
    return sorted(named | set(refused if name == "unreadable" else ()))


def files(request: Request) -> Facts:
    """{path: {exists, hidden, sha256, size, entry, text, syntax}} of the declared files. hidden: why this
    account cannot say whether it is there; text: of configuration and scripts; syntax: what ``bash -n`` says
    against a script, empty where it says nothing."""
    found: Facts = {}
    for relative in request["files"]:
        path = os.path.join(request["tree"], relative)
        document: Facts = {"exists": os.path.isfile(path), "hidden": hidden(path)}
        found[relative] = document
        if not document["exists"]:
            continue
        try:
            document["entry"] = entry(path, relative)
            with open(path, "rb") as file:
                content = file.read()
            document["sha256"] = "sha256:" + hashlib.sha256(content).hexdigest()
            document["size"] = len(content)
            document["text"] = masked_text(path)
            if content.startswith(b"#!") and b"sh" in content.split(b"\n", 1)[0]:
                code, _, errors = run(["bash", "-n", path])
                document["syntax"] = errors.strip()[:500] if code != 0 else ""
        except OSError as error:
            document["error"] = error.strerror
    return found


def literals(request: Request) -> Facts:
    """{found [{path, line, what, mode}], scanned, unread}: places in the tree's text files that hold a literal
    secret; how many files were read to their end; paths of those that this account may not read."""
    found: list[Facts] = []
    scanned, unread = 0, []
    venv = request.get("virtual_environment")
    for folder, names, leaves in os.walk(request["tree"]):
        relative = os.path.relpath(folder, request["tree"])
        names[:] = [n for n in names if n != ".git" and os.path.normpath(os.path.join(relative, n)) != venv]
        for leaf in sorted(leaves):
            path = os.path.join(folder, leaf)
            try:
                found_there = os.lstat(path)
                if not stat.S_ISREG(found_there.st_mode) or found_there.st_size > SCANNED_BYTES:
                    continue  # opening a pipe would wait for ever
                with open(path, "rb") as file:
                    content = file.read()
                mode = format(found_there.st_mode & 0o7777, "04o")
            except OSError:
                unread.append(os.path.normpath(os.path.join(relative, leaf)))
                continue
            scanned += 1
            if b"\0" in content:
                continue
            for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
                what = literal_in(line, request["default_keys"])
                if what:
                    shown = os.path.normpath(os.path.join(relative, leaf))
                    found.append({"path": shown, "line": number, "what": what, "mode": mode})
    return {"found": found, "scanned": scanned, "unread": sorted(unread)}


def literal_in(line: str, default_keys: Sequence[str] = ()) -> str:
    """What a line gives away, in words; empty where it is nothing. A key known to the world is told apart."""
    if any(re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", line) for key in default_keys):
        return "a known default key"
    shaped = SECRET.search(line)
    if shaped and line[: shaped.start()].endswith("://"):
        return "" if line.lstrip().startswith("#") else "a password in a URL"
    if shaped:
        return "a key"
    assigned = LITERAL.search(line)
    if (
        assigned
        and len(assigned[2]) >= 8
        and not REFERENCE.match(assigned[2])
        and not line.lstrip().startswith("#")
    ):
        return f"a value of {assigned[1].lower()}" if re.search(r"[0-9]", assigned[2]) else ""
    return ""


def repository(request: Request) -> Facts:
    """{root, hidden, head, branch, remote, rewrites [[scope, key]], dirty [lines], unread [paths], published
    (bool or None)} of the tree's git work tree. hidden: why this account cannot say whether there is one;
    rewrites: rules that make another address of the configured one (insteadOf); unread: files that this
    account may not read, of which git says that they are changed or gone."""
    git = ["git", "-c", "safe.directory=*", "--no-optional-locks", "-C", request["tree"]]
    git[1:1] = without_programs(git)
    try:
        root = output([*git, "rev-parse", "--show-toplevel"]).strip()
    except Missing as missing:
        return {"root": None, "error": missing.why, "hidden": hidden(request["tree"])}
    code, remote, _ = run([*git, "remote", "get-url", "origin"])
    rules = run([*git, "config", "--show-scope", "--get-regexp", INSTEAD_OF])[1]
    head = run([*git, "rev-parse", "HEAD"])[1].strip()
    tracking = run([*git, "branch", "-r", "--contains", "HEAD"])[1].split()
    status = ["status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=dirty"]
    changed = output([*git, *status]).splitlines()
    unread = sorted(line[3:] for line in changed if unreadable(os.path.join(root, line[3:])))
    declared = request.get("commit") or ""
    known = run([*git, "cat-file", "-e", f"{declared}^{{commit}}"])[0] == 0 if declared else None
    return {
        "root": root,
        "head": head,
        "branch": run([*git, "rev-parse", "--abbrev-ref", "HEAD"])[1].strip(),
        "remote": re.sub(r"(://)[^/@]*@", r"\1", remote.strip()) if code == 0 else None,
        "rewrites": [line.split()[:2] for line in rules.splitlines() if len(line.split()) >= 3],
        "dirty": [line for line in changed if line[3:] not in unread][:100],
        "unread": unread[:100],
        "published": bool(tracking) if run([*git, "branch", "-r"])[1].strip() else None,
        "declared_known": known,
    }


def unreadable(path: str) -> bool:
    """Whether a file is there, or may be, and this account may not read it."""
    return bool(hidden(path)) or (os.path.isfile(path) and not os.access(path, os.R_OK))


def without_programs(git: Sequence[str]) -> list[str]:
    """Options that keep ``git status`` from running programs that the repository's configuration names
    (core.fsmonitor, filters). Whoever owns the work tree could have them run with the look's rights: that is
    what git's safe.directory guards against, which the look must set aside to read a tree of root's."""
    options = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]
    names = run([*git, "config", "--name-only", "--get-regexp", r"^filter\..*\.(clean|smudge|process)$"])[1]
    for name in sorted({line.rpartition(".")[0] for line in names.splitlines() if line}):
        for program in ("clean", "smudge", "process"):
            options += ["-c", f"{name}.{program}="]
        options += ["-c", f"{name}.required=false"]
    return options
