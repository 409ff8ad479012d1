"""HOST-TREE: the deployment's directories are there, as declared, and nothing else is hidden among them."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, NotApplicable, require
from suites.host.tree import rules


@check(
    "HOST-TREE-001",
    "every declared directory is there",
    level=MUST,
    effect=READ,
    claims=("INF-01", "RES-01"),
    spec="host.directories",
)
def test_directories_are_there(host: MachineFacts) -> None:
    """All that are missing, not the first."""
    declared = rules.declared_host(host)
    if not declared.directories:
        raise NotApplicable("the environment declares no directories", declared="host.directories")
    require(rules.missing(rules.entries(host), declared))


@check(
    "HOST-TREE-002",
    "the structure has no other directories than the declared",
    level=SHOULD,
    effect=READ,
    claims="INF-02",
    spec="host.directories",
)
def test_no_other_directories(host: MachineFacts) -> None:
    """The virtual environment is not counted; what Python caches would be a sign of code run as root."""
    declared = rules.declared_host(host)
    if not declared.directories:
        raise NotApplicable("the environment declares no directories", declared="host.directories")
    seen = {entry["path"] for entry in rules.of_kind(rules.entries(host), "d")} - {"."}
    require(
        [
            Problem("", f"the directory {path} is not declared; remove it, or declare it")
            for path in sorted(seen - set(declared.directories))
        ]
    )


@check(
    "HOST-TREE-003",
    "every directory of the structure has mode 755, or the stricter one that is declared",
    level=MUST,
    effect=READ,
    claims=("INF-03", "SEC-02"),
    spec="chmod(1)",
)
def test_directories_have_mode_755(host: MachineFacts) -> None:
    """``chmod -R 644`` on a directory takes its search bit: nobody but root reads anything below it. Said
    also where just that keeps the rest of the tree from being seen."""
    tree = host["tree"]
    base, wanted = rules.declared_host(host).tree, rules.declared_host(host).directory_mode
    fix = f"sudo find {base} -type d -exec chmod {wanted} {{}} +"
    rules.require_seen(host, base, tree)
    if not tree["exists"]:
        raise CheckFailed(
            f"there is no directory {base}; fix: deploy the gateway there, or correct host.tree"
        )
    require(rules.wrong_modes(rules.of_kind(tree["entries"], "d"), wanted, base, fix))


@check(
    "HOST-TREE-004",
    "no link of the tree is broken or leads out of it",
    level=MUST,
    effect=READ,
    claims="RES-01",
    spec="symlink(7)",
)
def test_links_stay_inside(host: MachineFacts) -> None:
    """What the tree's modes protect must lie in it."""
    require(rules.broken_or_escaping(rules.entries(host), rules.declared_host(host).tree))


@check(
    "HOST-TREE-005",
    "parent directories are traversable by all and writable by root only",
    level=MUST,
    effect=READ,
    claims=("SEC-01", "SEC-05"),
    spec="path_resolution(7)",
)
def test_way_to_the_tree(host: MachineFacts) -> None:
    """Who may write a directory above it can put another tree in its place."""
    way = host["tree"]["ancestors"]
    problems = rules.writable_by_others(way)
    problems += [
        Problem(
            "",
            f"{entry['path']} belongs to {entry['user']}, expected root; "
            f"fix: sudo chown root {entry['path']}",
        )
        for entry in way
        if entry["user"] != "root"
    ]
    problems += [
        Problem(
            "",
            f"{entry['path']} has mode {entry['mode']}: others cannot pass; "
            f"fix: sudo chmod o+x {rules.at('/', entry)}",
        )
        for entry in way
        if not int(entry["mode"], 8) & 0o001
    ]
    require(problems)


@check(
    "HOST-TREE-006",
    "the documentation framework is in place",
    level=SHOULD,
    effect=READ,
    claims="INF-08",
    spec="host.documentation",
)
def test_documentation_is_there(host: MachineFacts) -> None:
    """At least one file: directories alone document nothing."""
    place = rules.declared_host(host).documentation
    if place is None:
        raise NotApplicable("the environment declares no documentation", declared="host.documentation")
    files = [
        entry for entry in rules.of_kind(rules.entries(host), "f") if rules.below(entry["path"], [place])
    ]
    if not files:
        raise CheckFailed(f"there is no file below {place}; fix: write it, or correct host.documentation")


@check(
    "HOST-TREE-007",
    "the tree holds files, directories and links only",
    level=MUST,
    effect=READ,
    claims="RES-01",
    spec="inode(7)",
)
def test_no_special_files(host: MachineFacts) -> None:
    """A pipe, a socket or a device in a deployment is a mistake at best."""
    require(
        [
            Problem("", f"{entry['path']} is a pipe, socket or device; remove it")
            for entry in rules.of_kind(rules.entries(host), "o")
        ]
    )
