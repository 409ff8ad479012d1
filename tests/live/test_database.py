"""A real LiteLLM with PostgreSQL, and keys that it made itself: what API-LIMIT finds there, and that it finds
keys that may do more. docs/database.md; some minutes, and by the index of packages once.

Which checks fail on the right key, and why, is pinned: LiteLLM 1.108.7 lets the holder of a limited key
choose another model in the URL or in the path.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from gateway_acceptance.environment import Environment
from lab.database.install import Installed
from lab.database.postgresql import DATABASE, REMEMBERED, USER
from lab.local import start
from lab.loopback_pool import own_net
from lab.patience import patient
from lab.state import LabState, lab_folder, stop
from tests.live.conftest import ROOT, RUN_BUDGET_S, Lab, Run, environment_at, judge
from tests.live.test_lifecycle import all_gone

LIMITED = "LAB_LIMITED_KEY"
MAY = ["llm01-llama3.2-3b", "emb-light"]
CHECKS = [f"API-LIMIT-{number:03}" for number in range(1, 8)]
HOLES: Mapping[str, str] = {
    "API-LIMIT-004": r"(\?model=|(engines|deployments) in the path): another model answered the limited key",
}
"""Check -> what each line of its failure says: LiteLLM's own, of 1.108.7."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("database")


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[tuple[Lab, Environment]]:
    """A LiteLLM with PostgreSQL, and the plain environment of it."""
    with own_net() as net:
        embedded = environment_at(net, folder, embedded=True, of="database")
        plain = environment_at(net, folder, embedded=False, of="database")
        state = start(embedded, "", ROOT, print, owner=os.getpid())
        try:
            yield Lab(embedded, state), plain
        finally:
            assert stop(state)


def made(state: LabState, path: str, **asked: object) -> dict[str, Any]:
    """What LiteLLM answers to its operator."""
    answer = httpx.post(
        f"{state.gateway}{path}",
        json=asked,
        headers={"Authorization": f"Bearer {state.key}"},
        timeout=patient(60),
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


MODEL_OF_THE_TABLE = """
INSERT INTO "LiteLLM_ProxyModelTable" (model_id, model_name, litellm_params, created_by, updated_by)
VALUES (:'model', 'hx-of-the-table', '{"model": "openai/x"}', 'lab', 'lab');
"""
NAME_OF_A_MODEL = """SELECT model_name FROM "LiteLLM_ProxyModelTable" WHERE model_id = :'model';"""


def sql(running: Lab, statement: str, **values: str) -> str:
    """What the lab's own PostgreSQL answers to one statement. values: of the variables that it names."""
    version = running.state.version
    installed = Installed.read(ROOT / ".lab" / "database" / f"{version}.json")
    home = (lab_folder(ROOT, running.environment) / REMEMBERED).read_text("utf-8")
    options = ("-v", "ON_ERROR_STOP=1", "-q", "-X", "-At", "-h", home, "-U", USER, "-d", DATABASE)
    given = [part for name, value in values.items() for part in ("-v", f"{name}={value}")]
    libraries = {"LD_LIBRARY_PATH": installed.libraries} if installed.libraries else {}
    done = subprocess.run(
        [str(Path(installed.programs) / "psql"), *options, *given],
        input=statement,
        env={**os.environ, **libraries},
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(60),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def judged(plain: Environment, state: LabState, limited: str, runs: Path, *suites: str) -> Run:
    """The checks of limited keys, asked with this one."""
    asked = suites or ("suites/api/limits",)
    return judge(plain, runs, *asked, key=state.key, profile="nightly", variables={LIMITED: limited})


def reasons(run: Run, check: str) -> list[str]:
    """The lines of the failures of a check."""
    lines = [case["message"] for one, case in run.cases() if one == check and case["verdict"] == "failed"]
    return [line for text in lines for line in text.splitlines()]


def test_the_key_that_litellm_made_does_what_is_pinned(lab: tuple[Lab, Environment], folder: Path) -> None:
    running, plain = lab
    limited = running.state.limited_key
    assert limited.startswith("sk-")
    run = judged(plain, running.state, limited, folder / "right")
    assert run.verdicts("passed") == [check for check in CHECKS if check not in HOLES]
    assert run.verdicts("failed") == sorted(HOLES)
    other = [
        line
        for check, known in HOLES.items()
        for line in reasons(run, check)
        if not re.fullmatch(known, line)
    ]
    assert not other


def test_a_body_that_litellm_judges_first_lets_the_limited_key_do_nothing(
    lab: tuple[Lab, Environment],
) -> None:
    """Why API-LIMIT-005 does not count it: ``/model/delete`` holds the body against its schema, looks the
    model up, and then refuses. A model is laid into the table for it by SQL, and is there afterwards."""
    running, _ = lab
    state, model = running.state, str(uuid.uuid4())
    sql(running, MODEL_OF_THE_TABLE, model=model)

    def asked(body: object) -> httpx.Response:
        return httpx.post(
            f"{state.gateway}/model/delete",
            json=body,
            headers={"Authorization": f"Bearer {state.limited_key}"},
            timeout=patient(60),
            trust_env=False,
        )

    assert asked({"id": 0}).status_code == 422
    assert asked({"id": str(uuid.uuid4())}).status_code == 400
    refused = asked({"id": model})
    assert refused.status_code == 403, refused.text
    assert sql(running, NAME_OF_A_MODEL, model=model) == "hx-of-the-table"


@pytest.mark.parametrize(
    ("may", "check", "reason"),
    [
        ([], "API-LIMIT-001", "llm02-phi3 is listed, which the key may not use"),
        ([], "API-LIMIT-003", "emb-premium: expected a refusal for the limited key, got 200"),
        (["llm01-llama3.2-3b"], "API-LIMIT-002", "emb-light: expected 200 for the limited key, got 403"),
    ],
)
def test_a_key_that_may_more_or_less_is_found(
    lab: tuple[Lab, Environment], folder: Path, may: list[str], check: str, reason: str
) -> None:
    """Mistakes of operators: LiteLLM takes an empty list for every model."""
    running, plain = lab
    key = made(running.state, "/key/generate", models=may)["key"]
    run = judged(plain, running.state, key, folder / f"may-{len(may)}-{check}")
    assert any(reason in line for line in reasons(run, check)), run.output


def test_the_key_of_an_administrator_is_found(lab: tuple[Lab, Environment], folder: Path) -> None:
    """It may use the same models, and manage everything."""
    running, plain = lab
    user = made(running.state, "/user/new", user_role="proxy_admin", auto_create_key=False)["user_id"]
    key = made(running.state, "/key/generate", models=MAY, user_id=user)["key"]
    run = judged(plain, running.state, key, folder / "administrator")
    assert any(
        "GET /key/list: the limited key is served there" in one for one in reasons(run, "API-LIMIT-005")
    )


def test_what_a_litellm_without_a_database_does_not_keep_is_kept(
    lab: tuple[Lab, Environment], folder: Path
) -> None:
    """A wrong key is a 400 there, no database being connected, and 401 here: no deviation is left of it."""
    running, plain = lab
    run = judged(plain, running.state, running.state.limited_key, folder / "wrong-keys", "suites/api/auth")
    assert {"API-AUTH-002", "API-AUTH-003", "API-AUTH-004"} <= {*run.verdicts("passed")}
    assert not {"API-AUTH-002", "API-AUTH-003", "API-AUTH-004"} & {*run.verdicts("deviation")}


def test_an_embedded_run_is_given_the_key(folder: Path) -> None:
    """``--env database`` makes the key, hands it to the run and redacts it; no variable is set."""
    with own_net() as net:
        embedded = environment_at(net, folder, embedded=True, of="database")
        given = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--no-report"]
        runs = folder / "embedded"
        done = subprocess.run(
            [*given, f"--env={embedded.source}", f"--runs={runs}", "suites/api/limits", "-k", "test_list"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != LIMITED},
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(RUN_BUDGET_S),
            stdin=subprocess.DEVNULL,
        )
        record = json.loads((runs / embedded.name / "latest" / "record.json").read_text("utf-8"))
        run = Run(done.returncode, done.stdout, record)
        assert run.verdicts("passed") == ["API-LIMIT-001"], done.stdout


def test_nothing_stays_when_the_supervisor_is_killed(lab: tuple[Lab, Environment]) -> None:
    """Last: it ends the lab. PostgreSQL and the engine go as well."""
    running, _ = lab
    supervisor = psutil.Process(running.state.pid)
    children = supervisor.children(recursive=True)
    started = " ".join(" ".join(child.cmdline()) for child in children)
    assert "/postgres " in started
    assert "engine.cjs -p" in started
    supervisor.kill()
    assert all_gone([supervisor, *children])
    remembered = lab_folder(ROOT, running.environment) / REMEMBERED
    assert Path(remembered.read_text("utf-8")).name.startswith("lab-postgresql-")
