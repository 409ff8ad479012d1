"""What the suite asks a machine with another account's rights, command by command.

One table serves twice: the program on the machine runs these commands through ``sudo -n``, and
``gateway-acceptance sudoers`` writes the rules that allow exactly them. Every command reads; none writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway_acceptance.environment import Environment, product_of
from gateway_acceptance.environment.host import BackendHost, Host, Machine

PROC_LINK = r"/proc/[0-9]+/(exe|cwd|root|ns/[a-z]+)"
PROC_MOUNTS = r"/proc/[0-9]+/mountinfo"
PROC_DESCRIPTORS = r"/proc/[0-9]+/fd"
KEYS_FILE = r"/[A-Za-z0-9._/-]+/\.ssh/authorized_keys2?"
JOURNAL_LINES = 5000


@dataclass(frozen=True, slots=True)
class Privilege:
    """One command. account: whose rights it needs; argv: ``{path}`` stands for what ``pattern`` (a POSIX
    extended regular expression) allows there; why: what it serves; elsewhere: where other systems have the
    same program."""

    name: str
    account: str
    argv: tuple[str, ...]
    why: str
    pattern: str = ""
    elsewhere: str = ""


def privileges_in(environment: Environment, machine: Machine) -> list[Privilege]:
    """The same, of a machine of an environment."""
    gateway = environment.gateway
    return privileges_of(machine, gateway.known_default_keys, product_of(gateway).settings)


def privileges_of(
    machine: Machine, default_keys: tuple[str, ...] = (), settings: tuple[str, ...] = ()
) -> list[Privilege]:
    """The privileges that a full look at a machine needs.

    default_keys: keys known to the world, looked for in the secrets' files (they are no secrets); settings:
    variables of the product that are no secrets.
    """
    found = [
        Privilege(
            "sockets",
            "root",
            ("/usr/bin/ss", "-Hlntup"),
            "which process owns each open socket",
            elsewhere="/usr/sbin/ss",  # Red Hat's
        ),
        Privilege("links", "root", ("/usr/bin/readlink", "{path}"), "executable, namespaces", PROC_LINK),
        Privilege("mountinfo", "root", ("/usr/bin/cat", "{path}"), "what is mounted read-only", PROC_MOUNTS),
        Privilege("descriptors", "root", ("/usr/bin/ls", "{path}"), "open files", PROC_DESCRIPTORS),
        Privilege(
            "password", "root", ("/usr/bin/getent", "shadow", machine.user), "whether a password is set"
        ),
        Privilege("sudo", "root", ("/usr/bin/sudo", "-n", "-l", "-U", machine.user), "the user's sudo rules"),
        Privilege(
            "keys", "root", ("/usr/bin/stat", "-c", "%n", "{path}"), "the user's authorized keys", KEYS_FILE
        ),
        Privilege(
            "journal",
            "root",
            (
                "/usr/bin/journalctl", "-u", machine.unit, "-b", "-n", str(JOURNAL_LINES), "-o", "json",
                "--all", "--output-fields=MESSAGE,PRIORITY", "--no-pager", "-q",
            ),
            "secrets and growth of the journal",
        ),
    ]  # fmt: skip
    if isinstance(machine, Host):
        found += _of_the_tree(machine)
        found += _of_the_secrets(machine, default_keys, (*settings, *machine.settings))
    if isinstance(machine, BackendHost) and machine.models is not None:
        manifests = f"{machine.models}/manifests"
        argv = ("/usr/bin/find", "-H", manifests, "-type", "f")
        found.append(Privilege("manifests", "root", argv, "the models on disk"))
    return found


def _of_the_tree(host: Host) -> list[Privilege]:
    find = ("/usr/bin/find", "-H", host.tree)  # -H: through the tree's own path, should it be a link
    user = host.user
    return [
        Privilege("unreadable", user, (*find, "!", "-type", "l", "!", "-readable"), "what it cannot read"),
        Privilege("unsearchable", user, (*find, "-type", "d", "!", "-executable"), "where it cannot enter"),
        Privilege("writable", user, (*find, "!", "-type", "l", "-writable"), "what it could change"),
    ]


def _of_the_secrets(host: Host, default_keys: tuple[str, ...], settings: tuple[str, ...]) -> list[Privilege]:
    if not host.secrets:
        return []
    find, grep = ("/usr/bin/find", "-H", *host.secrets), ("/usr/bin/grep", "-H")
    found = [
        Privilege(
            "secret_files",
            "root",
            ("/usr/bin/stat", "-c", "%F|%a|%U|%G|%n", *host.secrets),
            "files with secrets in a directory that root alone enters",
        ),
        Privilege("secrets_readable", host.user, (*find, "-readable"), "secrets that it reads itself"),
        Privilege("secrets_writable", host.user, (*find, "-writable"), "secrets that it could change"),
        Privilege(
            "setting_names",
            "root",
            (*grep, "-oE", "^[A-Za-z_][A-Za-z0-9_]*=", *host.secrets),
            "names of variables",
        ),
    ]
    if settings:
        argv = (*grep, "-E", f"^({'|'.join(settings)})=", *host.secrets)
        found.append(Privilege("setting_values", "root", argv, "values that are no secrets"))
    if default_keys:
        words = tuple(word for key in default_keys for word in ("-e", key))
        argv = ("/usr/bin/grep", "-qwF", *words, *host.secrets)
        found.append(Privilege("default_key", "root", argv, "whether a default key is set"))
    return found


def sudoers(account: str, privileges: list[Privilege]) -> str:
    """The sudo rules (sudo 1.9.10 or newer, for the patterns) that let an account run the privileges."""
    lines = [
        "# Read-only commands for the acceptance suite. Install with: visudo -cf FILE && install -m 440 FILE",
        "# /etc/sudoers.d/gateway-acceptance",
        f"Defaults:{account} !requiretty",
    ]
    for privilege in privileges:
        lines.append(f"# {privilege.name}: {privilege.why}")
        lines.append(f"{account} ALL=({privilege.account}) NOPASSWD: {_command(privilege)}")
    return "\n".join(lines) + "\n"


def rule_for(account: str, privilege: Privilege) -> str:
    """The one line that provides a privilege."""
    return f"{account} ALL=({privilege.account}) NOPASSWD: {_command(privilege)}"


def _command(privilege: Privilege) -> str:
    program, *words = privilege.argv
    if privilege.pattern:
        literal = " ".join(
            privilege.pattern if word == "{path}" else re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", word)
            for word in words
        )
        return f"{program} ^{literal}$"
    fixed = [re.sub(r"([\\,:=!*?\[\]^])", r"\\\1", word) for word in words]
    programs = [program, *([privilege.elsewhere] if privilege.elsewhere else [])]
    return ", ".join(" ".join([name, *fixed]) for name in programs)
