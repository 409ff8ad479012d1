"""HOST-REPO: the work tree that the deployment is."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.environment.host import Repository
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import Untestable, require
from suites.host.deployment import rules
from suites.host.deployment.extract import Facts, declared
from suites.host.tree.rules import declared_host, require_seen


def work_tree(host: MachineFacts) -> Facts:
    """What was seen of the work tree. Raises Untestable where there is none: one check says that."""
    found: Facts = host["repository"]
    if not found["root"]:
        raise Untestable(
            f"{declared_host(host).tree} is in no git work tree (see HOST-REPO-001)",
            "deploy from a clone of the repository",
        )
    return found


@check(
    "HOST-REPO-001",
    "the tree is a work tree of the declared repository",
    level=MUST,
    effect=READ,
    claims="INF-06",
    spec="git-remote(1)",
)
def test_remote(host: MachineFacts) -> None:
    wanted: Repository = declared(declared_host(host).repository, "repository")
    require_seen(host, declared_host(host).tree, host["repository"])
    require(rules.other_repository(host["repository"], wanted, declared_host(host).tree))


@check(
    "HOST-REPO-002",
    "the declared commit is checked out",
    level=MUST,
    effect=READ,
    claims=("INF-06", "INF-05"),
    spec="git-rev-parse(1)",
)
def test_commit(host: MachineFacts) -> None:
    repository: Repository = declared(declared_host(host).repository, "repository")
    wanted = declared(repository.commit, "host.repository.commit")
    require(rules.other_commit(work_tree(host), wanted, declared_host(host).tree))


@check(
    "HOST-REPO-003",
    "the commit that is checked out is published",
    level=MUST,
    effect=READ,
    claims="INF-06",
    spec="git-branch(1) --contains",
)
def test_published(host: MachineFacts) -> None:
    """As far as the work tree knows of its remote; nothing is fetched."""
    declared(declared_host(host).repository, "repository")
    require(rules.not_published(work_tree(host), declared_host(host).tree))


@check(
    "HOST-REPO-004",
    "the deployed files are those of the commit",
    level=MUST,
    effect=READ,
    claims=("INF-06", "INF-05"),
    spec="git-status(1)",
)
def test_clean(host: MachineFacts) -> None:
    declared(declared_host(host).repository, "repository")
    found = work_tree(host)
    require(rules.not_clean(found, declared_host(host)))
    unread = found.get("unread", [])
    if unread:
        raise Untestable(
            f"{len(unread)} files cannot be compared with the commit, for the suite's account may not read "
            f"them: {', '.join(unread[:5])}",
            "let it read them; what is to be readable is said by HOST-OWN-002 and HOST-TREE-003",
        )
