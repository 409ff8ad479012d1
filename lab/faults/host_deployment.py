"""Defects of the deployed files, their work tree and the virtual environment."""

from __future__ import annotations

from lab.deployment import CONFIGURATION, SCRIPT, TREE
from lab.faults.host_files import (
    KEPT,
    LIBRARY,
    away,
    back,
    edited,
    kept,
    other_release,
    own_release,
    put_back,
)
from lab.faults.model import Fault, host_fault

GIT = f"git -C {TREE}"
DEPLOY = f"{TREE}/{SCRIPT}"
STOP = f"{TREE}/scripts/service/api-gateway/stop.sh"
NO_DIGEST = "sha256:" + "0" * 64
THIEF = "import os, base64; exec(base64.b64decode(b\\\"cGFzcw==\\\"))"  # fmt: skip

HOST_DEPLOYMENT_FAULTS: tuple[Fault, ...] = (
    host_fault(
        "host-deployment-script-not-executable",
        "chmod -R 644 took the execute bits of the deployment script",
        {"HOST-DEPLOY-001": r"has mode 0644, expected an executable file"},
        apply=f"chmod 644 {DEPLOY}\n",
        revert=f"chmod 755 {DEPLOY}\n",
    ),
    host_fault(
        "host-service-script-gone",
        "a service script is missing",
        {"HOST-DEPLOY-002": r"stop\.sh: has nothing, expected a script", "HOST-REPO-004": r"' D .*stop\.sh"},
        apply=away(STOP),
        revert=back(STOP),
    ),
    host_fault(
        "host-script-invalid",
        "a script was edited and is no shell any more",
        {"HOST-DEPLOY-003": r"stop\.sh: has .*syntax error"},
        apply=f"{kept(STOP)}echo 'if true; then' >> {STOP}\n",
        revert=put_back(STOP),
    ),
    host_fault(
        "host-command-missing",
        "a command that deploying needs is not installed",
        {"HOST-DEPLOY-004": r"the command jq: has no such program.*apt-get install jq"},
        apply=away("/usr/bin/jq"),
        revert=back("/usr/bin/jq"),
    ),
    host_fault(
        "host-script-without-precheck",
        "the deployment script does not ask for ip before its first step",
        {"HOST-DEPLOY-005": r"no question for ip, expected command -v"},
        apply=edited(DEPLOY, "s/NEEDED_COMMANDS=(ip /NEEDED_COMMANDS=(/", "s/^      ip) .*$//")
        + f"sed -i '0,/command -v/{{s/\\bip\\b/host/g}}' {DEPLOY}\n",
        revert=put_back(DEPLOY),
    ),
    host_fault(
        "host-script-without-guard",
        "the deployment script deploys on any host",
        {"HOST-DEPLOY-006": r"no look at the host's own addresses"},
        apply=edited(DEPLOY, "s/ip -j addr/cat/"),
        revert=put_back(DEPLOY),
    ),
    host_fault(
        "host-script-without-validation",
        "the deployment script does not ask for embeddings",
        {"HOST-DEPLOY-007": r"no request to /v1/embeddings"},
        apply=edited(DEPLOY, "s,/v1/embeddings,/v1/nothing,"),
        revert=put_back(DEPLOY),
    ),
    host_fault(
        "host-script-validates-at-random",
        "the deployment script's chat validation has no temperature",
        {"HOST-DEPLOY-008": r"has temperature unset, expected temperature 0"},
        apply=edited(DEPLOY, 's/"temperature": 0, //'),
        revert=put_back(DEPLOY),
    ),
    host_fault(
        "host-script-chat-is-no-json",
        "a comma too many in the deployment script's chat validation",
        {"HOST-DEPLOY-008": r"expected valid JSON"},
        apply=edited(DEPLOY, 's/"temperature": 0, /"temperature": 0,, /'),
        revert=put_back(DEPLOY),
    ),
    host_fault(
        "host-script-other-content",
        "the deployment script is not the one whose digest is pinned",
        {"HOST-DEPLOY-009": r"has sha256:[0-9a-f]{64}, expected sha256:0{64}"},
        declares={"digests": {SCRIPT: NO_DIGEST}},
    ),
    host_fault(
        "host-script-other-size",
        "the deployment script has not the size that the tracker tells",
        {"HOST-DEPLOY-010": r"has \d+ bytes, expected 8180 bytes"},
        declares={"sizes": {SCRIPT: 8180}},
    ),
    host_fault(
        "host-never-deployed",
        "the deployment was not executed: no configuration",
        {"HOST-DEPLOY-011": r"config\.yaml: has nothing, expected the configuration"},
        apply=away(f"{TREE}/{CONFIGURATION}"),
        revert=back(f"{TREE}/{CONFIGURATION}"),
    ),
    host_fault(
        "host-other-remote",
        "the work tree is a clone of another repository",
        {"HOST-REPO-001": r"the origin: has https://git\.example/somebody/fork\.git"},
        apply=f"{kept(f'{TREE}/../.git/config')}"
        f"{GIT} remote set-url origin https://git.example/somebody/fork.git\n",
        revert=put_back(f"{TREE}/../.git/config"),
    ),
    host_fault(
        "host-other-commit",
        "another commit is checked out than declared",
        {"HOST-REPO-002": r"expected 984c4c3 \(not in the repository there\)"},
        declares={
            "repository": {"remote": "https://git.example/hx/HX-Infrastructure-.git", "commit": "984c4c3"}
        },
    ),
    host_fault(
        "host-commit-not-published",
        "the remote does not have the commit that is deployed",
        {"HOST-REPO-003": r"has in no branch of the remote, expected published"},
        apply=(
            f"mkdir -p {KEPT}\n{GIT} rev-parse origin/main > {KEPT}/published\n"
            f"{GIT} update-ref refs/remotes/origin/main $({GIT} -c user.name=x -c user.email=x@git.example "
            f"commit-tree -m other HEAD^{{tree}})\n"
        ),
        revert=f"{GIT} update-ref refs/remotes/origin/main $(cat {KEPT}/published)\nrm {KEPT}/published\n",
    ),
    host_fault(
        "host-edited-in-place",
        "a deployed file was edited on the host",
        {"HOST-REPO-004": r"' M .*config\.yaml': has a change"},
        apply=edited(f"{TREE}/{CONFIGURATION}", "$s/$/  # quick fix/"),
        revert=put_back(f"{TREE}/{CONFIGURATION}"),
    ),
    host_fault(
        "host-litellm-other-version",
        "another LiteLLM is installed than declared",
        {"HOST-PY-001": r"has 1\.[0-9.]+, expected 1\.0\.0"},
        of_gateway={"version": "1.0.0"},
    ),
    host_fault(
        "host-litellm-compromised",
        "the installed LiteLLM is one of the releases with a thief of credentials",
        {"HOST-PY-002": r"has 1\.82\.8, a compromised release"},
        apply=other_release("litellm", "1.82.8"),
        revert=own_release("litellm", "1.82.8"),
    ),
    host_fault(
        "host-distribution-exploited",
        "a distribution beside the gateway has a hole that is exploited",
        {"HOST-ADV-001": r"has starlette 0\.46\.2: CVE-2026-48710"},
        apply=other_release("starlette", "0.46.2"),
        revert=own_release("starlette", "0.46.2"),
    ),
    host_fault(
        "host-distribution-with-lesser-holes",
        "a distribution beside the gateway has holes that are not critical",
        {"HOST-ADV-002": r"has python-multipart 0\.0\.18: .*fix: upgrade python-multipart to >= 0\.0\.31"},
        apply=other_release("python_multipart", "0.0.18"),
        revert=own_release("python_multipart", "0.0.18"),
    ),
    host_fault(
        "host-interpreter-without-fixes",
        "the virtual environment was made with a Python that gets no security fixes any more",
        {"HOST-ADV-003": r"has Python 3\.8\.20, whose security fixes ended long ago"},
        apply=edited(f"{TREE}/gateway/venv/pyvenv.cfg", "s/^version.*/version = 3.8.20/"),
        revert=put_back(f"{TREE}/gateway/venv/pyvenv.cfg"),
    ),
    host_fault(
        "host-foreign-startup-file",
        "a startup file that no tool of Python's wrote: how the compromised releases stole",
        {"HOST-PY-003": r"litellm_init\.pth: has \['import os, base64;"},
        apply=f"printf '%s\\n' \"{THIEF}\" > {LIBRARY}/litellm_init.pth\n",
        revert=f"rm {LIBRARY}/litellm_init.pth\n",
    ),
)
