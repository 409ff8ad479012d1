"""A secret that shows up anywhere in a run is in none of its files and nowhere in the terminal."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.plugin.gateway import KEY, Gateway, serving
from tests.plugin.project import ALIVE, EXPIRES, OPENED, Project, Run, a_check, new_project

HASH = hashlib.sha256(KEY.encode()).hexdigest()
FORMS = {
    "as it is": KEY,
    "percent-encoded": quote(KEY, safe=""),
    "hash": HASH,
    "upper-case hash": HASH.upper(),
    "its head": KEY[:16],
    "the head of its hash": HASH[:16],
}
ENV = "key = os.environ['MINI_KEY']\n"
LEAKY = [
    a_check(1, "answer = gateway.get('/echo')\nassert answer.status == 418, answer.text", "gateway"),
    a_check(
        2, "answer = gateway.get('/echo')\nassert answer.header('x-echo') == '', answer.headers", "gateway"
    ),
    a_check(3, ENV + "raise RuntimeError(key)"),
    a_check(4, ENV + "print('out', key)\nimport sys\nsys.stderr.write(key)\nassert 1 == 2"),
    a_check(5, "raise CheckFailed(f'{default_key} was served')", "environment, default_key"),
    a_check(6, ENV + "import hashlib\nraise CheckFailed(hashlib.sha256(key.encode()).hexdigest())"),
    a_check(
        7, ENV + "warnings.warn(key)\nimport logging\nlogging.getLogger('x').warning(key)\nassert 1 == 2"
    ),
    a_check(
        8,
        ENV + "note(key, key)\ngateway.get('/v1/models?key=' + key)\nassert 1 == 2",
        "gateway, note",
        effect="EXPOSE",
    ),
    a_check(9, ENV + "import urllib.parse\nraise Untestable(urllib.parse.quote(key, safe=''), key)"),
    a_check(10, ENV + "raise CheckFailed(('padding: ' + key)[:30], blame='gateway')"),
    a_check(11, ENV + "print(key)\nassert key == 'waived', key"),
    a_check(12, ENV + "import allure\nallure.attach(key, name=key)\nwith allure.step(key):\n    pass"),
    a_check(13, ENV + "pass", "environment, leaking_teardown"),
    a_check(14, ENV + "raise NotApplicable(key, declared='models')"),
    a_check(15, ENV + "gateway.chat('chat-one', 'x' * 3900 + key, max_tokens=4)", "gateway", effect="EXPOSE"),
]
FIXTURE = """
@pytest.fixture
def leaking_teardown():
    yield
    raise RuntimeError(os.environ["MINI_KEY"])
"""
WAIVER = f"""
[[waiver]]
id = "A"
check = "API-T-011"
scope = {{ environments = ["mini"] }}
observed = "waived"
reason = "known"
link = "https://example.com/1"
owner = "us"
opened = {OPENED}
expires = {EXPIRES}
"""


@pytest.fixture(scope="module", params=["0", "2"])
def leaky(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that meets the key wherever it can; the key is one of those known to the world, too."""
    with serving() as gateway:
        project = new_project(tmp_path_factory.mktemp("secrets"))
        known = f'known_default_keys = ["{KEY}", "sk-1234"]'
        project.environment(gateway.url, gateway=known, effects=("read", "spend", "expose"))
        project.write("environments/waivers.toml", WAIVER)
        project.checks(ALIVE, *LEAKY, FIXTURE)
        return project.run("-n", request.param, "-vv", "-rA", "--showlocals", "--tb=long")


def test_the_run_met_the_secret_everywhere(leaky: Run) -> None:
    verdicts = [leaky.verdict(f"API-T-{number:03}") for number in range(1, len(LEAKY) + 1)]
    assert verdicts == [
        *[
            "failed",
            "failed",
            "harness error",
            "failed",
            "failed",
            "failed",
            "failed",
            "failed",
            "untestable",
        ],
        *["failed", "waived", "passed", "harness error", "not applicable", "passed"],
    ]
    assert "[redacted:key of mini]" in json.dumps(leaky.record())


@pytest.mark.parametrize("form", list(FORMS))
def test_no_file_holds_it(leaky: Run, form: str) -> None:
    files = [path for path in leaky.directories["mini"].rglob("*") if path.is_file()]
    assert len(files) > len(LEAKY)
    assert [path for path in files if FORMS[form].encode() in path.read_bytes()] == []
    assert [path for path in files if FORMS[form] in str(path)] == []


@pytest.mark.parametrize("form", list(FORMS))
def test_the_terminal_does_not_show_it(leaky: Run, form: str) -> None:
    lines = [line for line in leaky.output.splitlines() if FORMS[form] in line]
    assert lines == []


def test_a_case_whose_parameter_is_the_secret_is_found_again(leaky: Run) -> None:
    """Redacted on both sides: else the case would count as lost, and the suite as to blame."""
    cases = leaky.cases("API-T-005")
    assert sorted(case["verdict"] for case in cases) == ["failed", "failed"]
    assert {"default_key": "[redacted:key of mini]"} in [case["parameters"] for case in cases]


def test_the_key_is_not_shown_while_modules_are_imported(project: Project) -> None:
    project.checks(ALIVE)
    project.write(
        "suites/test_bad.py", "import os\nkey = os.environ['MINI_KEY']\nprint(key)\nassert key == ''\n"
    )
    run = project.run("--showlocals")
    assert run.code == 3
    assert KEY not in run.output


def test_a_secret_that_reaches_a_file_makes_the_run_void_and_is_gone(project: Project) -> None:
    """A report writer that redacts nothing: every view must say what the record says."""
    project.checks(ALIVE)
    leak = (
        "import os\nfrom gateway_acceptance.plugin import results\nwrite = results.write_views\n"
        "def leaking(directory, record, *rest, **options):\n"
        "    if record.basis.unfinished:\n"
        "        return write(directory, record, *rest, **options)\n"
        "    if (directory.path / 'STATUS.md').exists():\n"
        "        raise RuntimeError('the files of the run before it was void are still there')\n"
        "    (directory.path / 'sub').mkdir()\n"
        "    (directory.path / 'sub' / 'raw.bin').write_bytes(b'\\0' + os.environ['MINI_KEY'].encode())\n"
        "    return write(directory, record, *rest, **options)\n"
        "results.write_views = leaking\n"
    )
    project.write("conftest.py", 'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n' + leak)
    run = project.run()
    assert (run.code, run.state) == (3, "VOID"), run.output
    assert "secret found in sub/raw.bin: key of mini" in run.reasons
    folder = run.directories["mini"]
    assert not (folder / "sub" / "raw.bin").exists()
    assert json.loads((folder / "status.json").read_text(encoding="utf-8"))["state"] == "VOID"
    assert "SMOKE PASSED" not in _all_text(folder)
    assert "SMOKE PASSED" not in run.output


def test_a_key_made_up_for_the_run_is_known_before_any_check_runs(project: Project, gateway: Gateway) -> None:
    """No variable holds it, and the check asks for nothing that would bring it up."""
    made_up = "sk-made-up-for-this-run-0a1b2c3d4e5f"
    embedded = f'known_default_keys = ["{made_up}"]\n[embedded]\nprovider = "fake"'
    project.environment(gateway.url, kind="embedded", gateway=embedded)
    project.checks(
        a_check(1, f"raise RuntimeError('{made_up[:20]}' + '{made_up[20:]}')"),
        a_check(2, "raise CheckFailed('served')", "environment, default_key"),
        ALIVE,
    )
    provider = (
        "from types import SimpleNamespace\nfrom gateway_acceptance.embedded import Running\n"
        "from gateway_acceptance.plugin import preparation\n"
        f"running = Running('{made_up}', lambda: None)\n"
        "preparation.provider_of = lambda environment: SimpleNamespace(acquire=lambda *a, **k: running)\n"
    )
    project.write("conftest.py", 'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n' + provider)
    run = project.run(key=None)
    (case,) = run.cases("API-T-001")
    assert case["message"] == "RuntimeError: [redacted:key of mini]"
    assert f"RuntimeError: {made_up}" not in run.output
    assert [case["verdict"] for case in run.cases("API-T-002")] == ["failed"]
    assert made_up not in _all_text(run.directories["mini"])


def _all_text(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())
