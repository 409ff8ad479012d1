"""HOST-OWN: the whole tree is root's and the service group's, in the tracker's modes; all offenders."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable, require
from suites.host.tree import rules


@check(
    "HOST-OWN-001",
    "everything below the base directory belongs to root and the service's group, or as declared",
    level=MUST,
    effect=READ,
    claims="SEC-01",
    profile="smoke",
    spec="chown(1)",
)
def test_owner_and_group(host: MachineFacts) -> None:
    """Outside the virtual environment, which has a check of its own."""
    declared = rules.declared_host(host)
    require(rules.wrong_owners(rules.entries(host), declared.owner, declared.tree_group, declared.tree))


@check(
    "HOST-OWN-002",
    "every file that is no script has mode 644, or the stricter one that is declared",
    level=MUST,
    effect=READ,
    claims=("SEC-02", "SEC-05"),
    spec="chmod(1)",
)
def test_files_have_mode_644(host: MachineFacts) -> None:
    """Readable by the service, writable by root, run by nobody."""
    declared = rules.declared_host(host)
    plain = [e for e in rules.of_kind(rules.entries(host), "f") if not rules.is_script(e, declared)]
    require(rules.wrong_modes(plain, declared.file_mode, declared.tree), judged={"files": len(plain)})


@check(
    "HOST-OWN-003",
    "every script has mode 755, or the stricter one that is declared",
    level=MUST,
    effect=READ,
    claims=("SEC-03", "SEC-04", "INF-04", "INF-09"),
    spec="chmod(1)",
)
def test_scripts_have_mode_755(host: MachineFacts) -> None:
    """The deployment script and the service scripts among them."""
    declared = rules.declared_host(host)
    scripts = [entry for entry in rules.entries(host) if rules.is_script(entry, declared)]
    require(rules.wrong_modes(scripts, declared.script_mode, declared.tree), judged={"scripts": len(scripts)})


@check(
    "HOST-OWN-004",
    "nothing in the tree can be written by group or world",
    level=MUST,
    effect=READ,
    claims=("SEC-01", "SEC-06"),
    spec="chmod(1)",
)
def test_nothing_writable_by_others(host: MachineFacts) -> None:
    """The group is the service's own: what it may write, an intruder in it may write."""
    require(rules.writable_by_others(rules.entries(host), rules.declared_host(host).tree))


@check(
    "HOST-OWN-005",
    "nothing in the tree is setuid, setgid or sticky",
    level=MUST,
    effect=READ,
    claims="SEC-06",
    spec="chmod(1)",
)
def test_no_special_bits(host: MachineFacts) -> None:
    """A deployment needs none of them."""
    require(rules.special_bits(rules.entries(host), rules.declared_host(host).tree))


@check(
    "HOST-OWN-006",
    "every owner and group in the tree is an account of the machine",
    level=MUST,
    effect=READ,
    claims="SEC-01",
    spec="chown(1)",
)
def test_owners_are_accounts(host: MachineFacts) -> None:
    """A number without a name belongs to whoever gets it next."""
    require(rules.without_account(rules.entries(host)))


@check(
    "HOST-OWN-007",
    "no ownership is left from development",
    level=MUST,
    effect=READ,
    claims=("INF-07", "SEC-01"),
    spec="host.development_user",
)
def test_no_development_ownership(host: MachineFacts) -> None:
    """The tracker's own open item, named as such, with the commands that revert it: files 644 and directories
    755 apart, because ``chmod -R 644`` would close the directories."""
    declared = rules.declared_host(host)
    user = declared.development_user
    if user is None:
        raise NotApplicable("the environment declares no development user", declared="host.development_user")
    left = [entry["path"] for entry in host["tree"]["entries"] if entry["user"] == user]
    inside = [path for path in left if rules.below(path, declared.development_paths)]
    outside = sorted(set(left) - set(inside))
    base, group = declared.tree, declared.own_group
    fix = (
        f"sudo chown -R root:{group} {base} && sudo find {base}/config -type d -exec chmod 755 {{}} + && "
        f"sudo find {base}/config -type f -exec chmod 644 {{}} +"
    )
    problems = []
    if inside:
        shown = ", ".join(inside[:6]) + (", …" if len(inside) > 6 else "")
        problems.append(
            Problem(
                "",
                f"development ownership is left: {user} owns {len(inside)} entries ({shown}); fix: {fix}",
            )
        )
    if outside:
        shown = ", ".join(outside[:6])
        problems.append(Problem("", f"{user} owns more than the development paths: {shown}; fix: {fix}"))
    require(problems)


@check(
    "HOST-OWN-008",
    "the virtual environment belongs to root and can be changed by root alone",
    level=MUST,
    effect=READ,
    claims=("SEC-01", "SEC-06", "SYS-10"),
    spec="chown(1)",
)
def test_virtual_environment_is_roots(host: MachineFacts) -> None:
    """Who can change a library runs as the service at its next start."""
    declared = rules.declared_host(host)
    if declared.virtual_environment is None:
        raise NotApplicable(
            "the environment declares no virtual environment", declared="host.virtual_environment"
        )
    summary = host["tree"]["environment"]
    place = f"{declared.tree}/{declared.virtual_environment}"
    fix = f"sudo chown -R root:{declared.own_group} {place} && sudo chmod -R go-w,a+rX,u-s,g-s {place}"
    problems = [
        Problem(
            "",
            f"{entry['path']} is {entry['user']}:{entry['group']} {entry['mode']}, expected root, "
            f"readable by all and writable by root alone; fix: {fix}",
        )
        for entry in summary["offenders"][:20]
    ]
    if summary["offenders_total"] > len(problems):
        problems.append(Problem("", f"{summary['offenders_total']} entries offend in all"))
    seen = sum(summary.get(kind, 0) for kind in ("files", "directories", "others"))
    require(problems, judged={"entries of the virtual environment": seen})
