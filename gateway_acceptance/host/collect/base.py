"""Commands, privileges, masking and file entries: what every section of the facts is made with."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
import subprocess
from typing import Any, Dict, Mapping

Request = Mapping[str, Any]
Facts = Dict[str, Any]  # Python 3.8 evaluates it

COMMAND_DEADLINE_S = 20
SHOWN_TEXT = 65536
"""Bytes of a text file that are carried along."""
SECRET = re.compile(
    r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{6,}|(?<=://)[^/\s:@\"'{}$<]+:[^/\s@\"'{}$<]+(?=@)|(?<=Bearer )[A-Za-z0-9._~+/=-]{12,}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
"""What looks like a key. It never leaves the machine."""
SECRET_NAME = re.compile(r"(?i)(key|token|secret|password|passwd|credential)")


class Missing(Exception):  # noqa: N818
    """A fact could not be had. needs: the privilege that would provide it, or empty."""

    def __init__(self, why: str, needs: str = "") -> None:
        super().__init__(why)
        self.why, self.needs = why, needs


def masked(text: str) -> str:
    """The text with whatever looks like a secret replaced; the kind and the length stay visible."""
    return SECRET.sub(lambda found: f"<secret of {len(found[0])} characters>", text)


def run(
    argv: list[str], user: str | None = None, deadline: float = COMMAND_DEADLINE_S
) -> tuple[int, str, str]:
    """(exit code, output, errors) of a command in the C locale. user: run as that account (root only).
    Raises Missing where it is not there or does not end."""
    extra: Any = {}
    if user is not None:
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            raise Missing(f"there is no account {user}") from None
        groups = os.getgrouplist(user, entry.pw_gid)
        extra = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}
    try:
        done: Any = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=deadline,
            check=False,
            cwd="/",
            env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""},
            **extra,
        )
    except FileNotFoundError:
        raise Missing(f"the command {argv[0]} is not there") from None
    except subprocess.TimeoutExpired:
        raise Missing(f"{argv[0]} did not end within {deadline} s") from None
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def output(argv: list[str]) -> str:
    """The output of a command that must succeed. Raises Missing."""
    code, text, errors = run(argv)
    if code != 0:
        raise Missing(f"{' '.join(argv[:3])} failed: {masked(errors.strip()[:300]) or 'exit code %d' % code}")
    return text


def privileged(request: Request, name: str, **values: str) -> tuple[int, str, str]:
    """(exit code, output, errors) of a command that the request declares as a privilege.

    As root it runs directly; otherwise through ``sudo -n``. Raises Missing, naming the privilege, where sudo
    does not allow it.
    """
    declared = request["privileges"].get(name)
    if declared is None:
        raise Missing(f"the environment declares nothing for {name}")
    argv = [word.format(**values) if "{" in word else word for word in declared["argv"]]
    account = declared["as"]
    if declared.get("elsewhere") and not os.path.exists(argv[0]):
        argv[0] = declared["elsewhere"]
    if os.geteuid() == 0:
        return run(argv, user=None if account == "root" else account)
    prefix = ["sudo", "-n"] + ([] if account == "root" else ["-u", account])
    try:
        code, text, errors = run(prefix + argv)
    except Missing as missing:
        raise Missing(missing.why, name) from None
    errors = re.sub(r"^sudo: unable to resolve host .*\n?", "", errors)  # said before it runs the command
    if code != 0 and re.match(r"(sudo|Sorry, user|.*is not in the sudoers)", errors.lstrip()):
        raise Missing(f"sudo refuses it: {errors.strip().splitlines()[0][:200]}", name)
    return code, text, errors


def user_name(uid: int) -> str:
    """The account of a uid, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """The group of a gid, or the number where it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def entry(path: str, shown: str | None = None) -> Facts:
    """{path, kind (f d l o), mode ("0644"), user, group, size, mtime} of a path itself, no link followed; of
    a link also target, and broken. Raises OSError."""
    found = os.lstat(path)
    kinds = ((stat.S_ISREG, "f"), (stat.S_ISDIR, "d"), (stat.S_ISLNK, "l"))
    document: Facts = {
        "path": shown or path,
        "kind": next((kind for test, kind in kinds if test(found.st_mode)), "o"),
        "mode": format(stat.S_IMODE(found.st_mode), "04o"),
        "user": user_name(found.st_uid),
        "group": group_name(found.st_gid),
        "size": found.st_size,
        "mtime": found.st_mtime,
    }
    if document["kind"] == "l":
        document["target"] = os.path.realpath(path)
        document["broken"] = not os.path.exists(path)
    return document


def hidden(path: str) -> str:
    """Why this account cannot say whether anything is at a path; empty where it can."""
    try:
        os.stat(path)
    except PermissionError as refused:
        return refused.strerror or "no permission"
    except OSError:
        pass
    return ""


def masked_text(path: str) -> str:
    """The beginning of a text file, masked. Raises OSError."""
    with open(path, "rb") as file:
        return masked(file.read(SHOWN_TEXT).decode("utf-8", "replace"))


def first_line(path: str, default: str = "") -> str:
    """The first line of a file, or the default where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return default
