"""What judges a run is bound: led elsewhere it is not READY, changed meanwhile it is VOID."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway_acceptance.audit import findings
from gateway_acceptance.signoff.keys import fingerprint
from gateway_acceptance.signoff.witness import witness_of
from tests.plugin.project import ALIVE, Project, a_check

LED = (
    "Python ran with -O (PYTHONOPTIMIZE), which removes assertions: run without it",
    "pytest ran with --assert=plain: run without it",
    "PYTHONPATH was set, and it makes Python load modules that no lock knows: unset it",
    "PYTEST_PLUGINS was set, and it makes pytest load plugins: unset it",
    "PYTEST_ADDOPTS was set, and it gives pytest options that the recorded command does not show: unset it",
    "-p kind loads a plugin that is none of the suite's: take it away",
    "modules were loaded from outside the suite and its distributions: kind, lenient, sitecustomize;",
)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_an_interpreter_that_was_led_elsewhere(
    project: Project, tmp_path_factory: pytest.TempPathFactory, workers: str
) -> None:
    """All at once: each is a reason of its own, in every process of the run."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("sitecustomize", "lenient", "kind"):
        (elsewhere / f"{name}.py").write_text("", encoding="utf-8")
    project.checks(ALIVE)
    variables = {
        "PYTHONPATH": str(elsewhere),
        "PYTHONOPTIMIZE": "1",
        "PYTEST_PLUGINS": "lenient",
        "PYTEST_ADDOPTS": "--assert=plain",
    }
    run = project.run("-m", "release", "-n", workers, "-p", "kind", more=variables)
    assert (run.code, run.state) == (1, "NOT READY"), run.output
    for sentence in LED:
        assert sentence in run.reasons
    bound = run.record()["basis"]["binding"]["start"]
    assert bound["variables"].items() >= {"PYTHONOPTIMIZE": "1", "PYTEST_PLUGINS": "lenient"}.items()
    assert (bound["interpreter"]["flags"], bound["options"]["assert"]) == ({"optimize": 1}, "plain")
    assert findings(run.directories["mini"]) == []


COMMIT = (
    "import subprocess\n"
    "subprocess.run(['git', '-c', 'user.name=nobody', '-c', 'user.email=n@example.org', 'commit', '-q', "
    "'--allow-empty', '-m', 'more'], check=True)"
)
MEANWHILE: dict[str, tuple[str, str, str]] = {
    "a suite that is edited and restored": (
        "",
        "from pathlib import Path\nhere = Path(__file__)\nwas = here.read_text()\n"
        "here.write_text('')\nhere.write_text(was)",
        "files that decide were written during the run: suites/test_checks.py",
    ),
    "a conftest.py that restores itself": (
        "import pathlib\nhere = pathlib.Path(__file__)\nhere.write_text(here.read_text())\n",
        "pass",
        "files that decide were written during the run: conftest.py",
    ),
    "a claim that is added": (
        "",
        "from pathlib import Path\nPath('suites/more.toml').write_text('')",
        "what judges changed during the run: files",
    ),
    "a commit": ("", COMMIT, "what judges changed during the run: its commit was "),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_what_judges_changes_during_the_run(project: Project, what: str) -> None:
    conftest, body, reason = MEANWHILE[what]
    project.checks(ALIVE, a_check(1, body))
    project.write("conftest.py", 'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n' + conftest)
    if what == "a commit":
        project.write(".gitignore", "reports/\ntmp/\n__pycache__/\n")
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
            who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
            subprocess.run(["git", *who, *words], cwd=project.root, check=True)
    run = project.run()
    assert (run.code, run.state) == (2, "VOID"), run.output
    assert reason in run.reasons
    if what == "a commit":
        suite = run.record()["run"]["suite"]
        assert suite["commit"] == run.record()["basis"]["binding"]["start"]["suite"]["commit"]
        assert suite["dirty"] is False


def test_a_runner_seals_and_a_nonce_is_told(project: Project) -> None:
    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    (project.root / "runner").write_bytes(content)
    body = (
        "answer = any_gateway.chat('chat-one', 'hello')\n"
        "assert '; nonce ada-2026-11' in dict(answer.request_headers)['user-agent']\n"
        'assert b\'"user": "ada-2026-11"\' in answer.request_body.replace(b\'":"\', b\'": "\')'
    )
    project.checks(ALIVE, a_check(1, body, "any_gateway", effect="SPEND"))
    run = project.run("--seal-key", "runner", "--nonce", "ada-2026-11")
    assert (run.code, run.state) == (0, "SMOKE PASSED"), run.output
    folder = run.directories["mini"]
    signer = witness_of(folder).signer
    assert signer is not None
    assert fingerprint(signer) == fingerprint(key.public_key())
    assert run.record()["run"]["nonce"] == "ada-2026-11"
    assert findings(folder) == []
    seal = json.loads((folder / "seal.json").read_text(encoding="utf-8"))
    assert "seal.json.sig" not in seal["files"]
    assert b"PRIVATE KEY" not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--nonce", "a b"], "--nonce 'a b' is no word; use 6 to 64 letters, digits and . _ -"),
        (["--seal-key", "nothing"], "nothing: cannot be read (No such file or directory); check the path"),
    ],
)
def test_bad_words(project: Project, options: list[str], words: str) -> None:
    project.checks(ALIVE)
    run = project.run(*options)
    assert (run.code, run.directories) == (4, {})
    assert words in run.output
    assert sys.executable not in words
