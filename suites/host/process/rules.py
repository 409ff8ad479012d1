"""What must hold of a service's live process: facts in, problems out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from gateway_acceptance.environment.host import Host, Machine
from gateway_acceptance.problem import Problem
from suites.host.user.facts import Facts, again, differs, ended, started_argv

ROOT_UID = "0"


def other_user(process: Facts, account: Facts, declared: Machine) -> list[Problem]:
    """All four uids and gids of the main process are the declared account's; root by no means."""
    fix = f"set User={declared.user} in {declared.unit}, daemon-reload, restart"
    uids = process["status"]["Uid"].split()
    entry = account["entry"]
    who = f"{declared.unit}: process {process['pid']}"
    if ROOT_UID in uids:
        return [differs(who, f"uids {' '.join(uids)} (root)", declared.user, fix)]
    problems = []
    if entry is None:
        problems.append(differs(who, f"uid {uids[0]}", f"{declared.user}, which is no account", fix))
    elif set(uids) != {str(entry["uid"])}:
        problems.append(differs(who, f"uids {' '.join(uids)}", f"{entry['uid']} ({declared.user})", fix))
    if process["group"] != declared.own_group:
        fix = f"set Group={declared.own_group} in {declared.unit}, daemon-reload, restart"
        problems.append(differs(who, f"group {process['group']}", declared.own_group, fix))
    return problems


def foreign_members(process: Facts, declared: Machine) -> list[Problem]:
    """Every process of the unit runs as the declared user: workers and helpers too."""
    return [
        differs(
            f"{declared.unit}: process {member['pid']} ({member['comm']})",
            f"user {member['user']}",
            declared.user,
            f"set User={declared.user} in {declared.unit}, and take '+' and '!' from before its commands; "
            f"then: {again(declared.unit)}",
        )
        for member in process["members"]
        if member["user"] != declared.user
    ]


def other_groups(
    process: Facts, declared: Machine, primary: str | None = None, of_account: Collection[str] = ()
) -> list[Problem]:
    """The process has the declared groups and no further one. primary: the account's first group; of_account:
    those that it is a member of."""
    beyond = sorted(set(process["groups"]) - {declared.own_group, *declared.groups})
    expected = " ".join([declared.own_group, *declared.groups])
    return [
        differs(
            f"{declared.unit}: supplementary groups of process {process['pid']}",
            name,
            f"of {expected}",
            fix_of_group(name, declared, primary, of_account),
        )
        for name in beyond
    ]


def fix_of_group(name: str, declared: Machine, primary: str | None, of_account: Collection[str]) -> str:
    """What takes a group away: it is the account's first one, one of its further ones, or the unit's."""
    restart = f"sudo systemctl restart {declared.unit}"
    if name == primary:
        return f"sudo usermod -g {declared.own_group} {declared.user} && {restart}"
    if name in of_account:
        return f"sudo gpasswd -d {declared.user} {name} && {restart}"
    return (
        f"take it out of SupplementaryGroups= and Group= of {declared.unit}, then: {again(declared.unit)}; "
        "where it is not there, the account has left it since and a restart is enough"
    )


def other_words(process: Facts, unit: Facts, declared: Machine) -> list[Problem]:
    """The live command line ends in ExecStart's words: an interpreter may stand before them."""
    wanted, has = " ".join(started_argv(unit)), " ".join(process["cmdline"])
    if wanted and (has == wanted or has.endswith(f" {wanted}")):
        return []
    fix = f"sudo systemctl restart {declared.unit}"
    return [differs(f"{declared.unit}: command of process {process['pid']}", has, wanted, fix)]


def outside_the_environment(process: Facts, host: Host) -> list[Problem]:
    """What runs was started from the declared virtual environment."""
    place = f"{host.tree}/{host.virtual_environment}/bin/"
    if any(word.startswith(place) for word in process["cmdline"][:1]):
        return []
    has = process["cmdline"][0] if process["cmdline"] else "nothing"
    return [
        differs(f"{host.unit}: program of process {process['pid']}", has, f"one of {place}", "deploy again")
    ]


def replaced_program(links: Facts, declared: Machine) -> list[Problem]:
    """The file that the process executes is still there: an upgrade without a restart is not in force."""
    has = links.get("exe", "")
    if not has.endswith(" (deleted)"):
        return []
    fix = f"sudo systemctl restart {declared.unit}"
    return [differs(f"{declared.unit}: executable", has, "the file that is installed now", fix)]


def other_directory(links: Facts, host: Host) -> list[Problem]:
    """The process works in the declared directory."""
    wanted = f"{host.tree}/{host.working_directory}"
    has = links.get("cwd", "")
    fix = f"set WorkingDirectory={wanted} in {host.unit}, daemon-reload, restart"
    return [] if has == wanted else [differs(f"{host.unit}: directory of the process", has, wanted, fix)]


def second_copies(copies: Iterable[Any], declared: Machine) -> list[Problem]:
    """The service's program runs in its unit and nowhere else."""
    return [
        differs(
            f"process {copy['pid']} ({copy['comm']})",
            f"user {copy['user']} in {copy['unit']}",
            f"the service's program only in {declared.unit}",
            ended(copy["unit"], copy["pid"]),
        )
        for copy in copies
    ]


def secrets_revealed(process: Facts, declared: Machine) -> list[Problem]:
    """No secret on the command line: everybody on the machine may read it."""
    fix = f"hand it over by EnvironmentFile= of {declared.unit}, and change it"
    return [
        differs(f"{declared.unit}: command of process {process['pid']}", word, "no secret", fix)
        for word in process["cmdline"]
        if "<secret of" in word
    ]
