"""HOST-SECRET: secrets are where root alone reads them, and nowhere else."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable, require
from suites.host.tree import rules
from suites.host.unit import rules as unit_rules
from suites.host.user.facts import assignments, live_process

HIDDEN = ("<hidden>", "<secret of ")
"""How the look shows a secret that it saw and did not carry home."""


def _secrets(host: MachineFacts) -> list[rules.Entry]:
    if not rules.declared_host(host).secrets:
        raise NotApplicable("the environment declares no files with secrets", declared="host.secrets")
    found: list[rules.Entry] = host["secrets"]
    return found


@check(
    "HOST-SECRET-001",
    "the declared files with secrets are there",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="host.secrets",
)
def test_files_are_there(host: MachineFacts) -> None:
    """Each a file of its own, not a link to another place."""
    problems = []
    for secret in _secrets(host):
        if not secret["exists"]:
            problems.append(
                Problem(
                    "",
                    f"{secret['path']} is missing: the service has no key after its next start; "
                    "fix: put it back, or write the key into it anew, as root's with mode 600",
                )
            )
        elif secret["entry"] is not None and secret["entry"]["kind"] != "f":
            no_file = f"{secret['path']} is no plain file; fix: put a file of root's in its place"
            problems.append(Problem("", no_file))
    require(problems)


@check(
    "HOST-SECRET-002",
    "files with secrets can be read by root alone",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="systemd.exec(5) EnvironmentFile",
)
def test_root_alone_reads(host: MachineFacts) -> None:
    """Owner root, and no right for anybody else."""
    problems = []
    for secret in _secrets(host):
        entry = secret["entry"]
        if entry is None:
            continue  # missing, which has its check
        if entry["user"] != "root" or int(entry["mode"], 8) & 0o077:
            seen = f"{entry['user']}:{entry['group']} {entry['mode']}"
            fix = f"sudo chown root:root {secret['path']} && sudo chmod 600 {secret['path']}"
            problems.append(Problem("", f"{secret['path']} is {seen}, expected root:root 0600; fix: {fix}"))
    require(problems, judged={"files with secrets": sum(1 for one in _secrets(host) if one["entry"])})


@check(
    "HOST-SECRET-003",
    "the directories of files with secrets can be changed by root alone",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="path_resolution(7)",
)
def test_directories_are_roots(host: MachineFacts) -> None:
    """Who may write there puts another file in its place."""
    parents = [secret["parent"] for secret in _secrets(host) if secret["parent"] is not None]
    problems = rules.writable_by_others(parents)
    problems += [
        Problem(
            "",
            f"{parent['path']} belongs to {parent['user']}, expected root; "
            f"fix: sudo chown root {parent['path']}",
        )
        for parent in parents
        if parent["user"] != "root"
    ]
    require(problems, judged={"directories of files with secrets": len(parents)})


@check(
    "HOST-SECRET-004",
    "the master key is none of the known default keys",
    level=MUST,
    effect=READ,
    claims="SEC-07",
    profile="smoke",
    spec="gateway.known_default_keys",
)
def test_no_default_key(host: MachineFacts) -> None:
    """In the file, also where the running gateway was started before it was changed."""
    _secrets(host)
    if host["settings"]["default_key"]:
        raise CheckFailed(
            "a key that is known to the world stands in the files with secrets; fix: "
            """sudo sh -c 'sed -i "s/^\\(LITELLM_MASTER_KEY\\)=.*/\\1=sk-$(openssl rand -hex 24)/" """
            f"{' '.join(rules.declared_host(host).secrets)}' && sudo systemctl restart {host.declared.unit}"
        )


@check(
    "HOST-SECRET-005",
    "no file of the tree holds a literal secret",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="host.tree",
)
def test_no_literal_secret(host: MachineFacts) -> None:
    """Every account can read the tree. A script may name the default keys that it refuses."""
    rules.entries(host)  # what could not be seen cannot be free of secrets
    declared, literals = rules.declared_host(host), host["literals"]
    problems = []
    for found in literals["found"]:
        refusing = found["what"] == "a known default key" and found["path"] in declared.scripts
        if not refusing:
            place = f"{found['path']} line {found['line']}"
            problems.append(
                Problem("", f"{place} holds {found['what']}; move it to {', '.join(declared.secrets)}")
            )
    require(problems, judged={"files": literals["scanned"]})
    unread = literals["unread"]
    if unread:
        raise Untestable(
            f"{len(unread)} files of the tree cannot be read ({', '.join(unread[:5])})",
            f"let the suite's account read them: it looks as {host.account}",
        )


@check(
    "HOST-SECRET-006",
    "the unit's files hold no secret",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="systemd.exec(5) Environment",
)
def test_no_secret_in_the_unit(machine: MachineFacts) -> None:
    """Everybody can read a unit, and its environment through ``systemctl show``."""
    files = machine["unit"]["files"]
    problems = [
        Problem("", f"{file['path']} holds a secret: {line.strip()}; move it to an EnvironmentFile of root's")
        for file in files
        for line in file["text"].splitlines()
        if any(word in line for word in HIDDEN)
    ]
    require(problems, judged={"unit files": len(files)})
    assignments(machine["unit"])  # what could not be read cannot be free of secrets


@check(
    "HOST-SECRET-007",
    "the service's command line holds no secret",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="proc(5) /proc/pid/cmdline",
)
def test_no_secret_on_the_command_line(machine: MachineFacts) -> None:
    """Every account of the machine can read it."""
    process = live_process(machine)
    words = [word for word in process["cmdline"] if any(mark in word for mark in HIDDEN)]
    if words:
        raise CheckFailed(
            f"the command line of {machine.declared.unit} shows a secret: {' '.join(words)}; "
            "fix: hand it over by a file of root's (EnvironmentFile=), and change it"
        )


@check(
    "HOST-SECRET-008",
    "every file that the unit takes its environment from is declared",
    level=MUST,
    effect=READ,
    claims="SYS-08",
    spec="systemd.exec(5) EnvironmentFile",
)
def test_environment_files_are_declared(host: MachineFacts) -> None:
    """Another one could set another key, and nobody would look who may read it."""
    _secrets(host)
    secrets = rules.declared_host(host).secrets
    require(unit_rules.undeclared_files(host["unit"], secrets, host.declared.unit))
