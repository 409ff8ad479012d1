"""A miniature project with a READY run, keys made up for the test, and sign-offs of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import tomli_w
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway_acceptance.check import MUST, READ, Check
from gateway_acceptance.claims import Claim
from gateway_acceptance.environment import Environment, resolved
from gateway_acceptance.plugin.results import begin, finish
from gateway_acceptance.policy import Spent
from gateway_acceptance.record import Run, build
from gateway_acceptance.record_model import NoRecord
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.run_directory import record_at
from gateway_acceptance.signoff.dsse import enveloped
from gateway_acceptance.signoff.files import json_bytes, manifest_of
from gateway_acceptance.signoff.layout import (
    ATTESTATION,
    MANIFEST,
    NAMESPACE,
    RECORD,
    REPORT,
    SIGNATURE,
    SIGNOFF,
)
from gateway_acceptance.signoff.sshsig import sign_file
from gateway_acceptance.signoff.statement import statement
from gateway_acceptance.signoff.suite import Suite
from gateway_acceptance.signoff.write import Approval, write_signoff
from gateway_acceptance.waivers import Scope, Waiver
from tests.unit import declared

ENDED = datetime(2026, 6, 1, 0, 1, tzinfo=UTC)
TODAY = ENDED.date()
SIGNED = ENDED + timedelta(hours=2)
APPROVER = "Ada Łovelace <ada@example.org>"
PROFILES = ("smoke", "nightly", "release")
TAKEN = {"gateway.version": "1.2.3"}
CLAIMS = (
    Claim("FUN-01", "Validated Functionality", "it works"),
    Claim("SEC-01", "Security Requirements", "safe"),
)
CATALOGUE = (
    Check("API-A-001", "it is alive", MUST, READ, ("FUN-01",), PROFILES),
    Check("API-A-002", "it is strict", MUST, READ, ("SEC-01",), PROFILES),
    Check("API-A-003", "it sings", MUST, READ, (), PROFILES),
)
WAIVER = Waiver(
    id="W-1",
    check="API-A-002",
    scope=Scope(environments=("mini",)),
    observed="got 400",
    reason="it answers 400",
    link="https://example.org/issues/1",
    owner="operators",
    opened=date(2026, 1, 1),
    expires=date(2026, 12, 31),
    renewals=1,
)
RUN = Run(
    "20260601T000000Z",
    "2026-06-01T00:00:00.000Z",
    "2026-06-01T00:01:00.000Z",
    "release",
    "release",
    arguments=("-m", "release", "--env", "mini"),
    elapsed_s=60.0,
    fingerprint={"start": TAKEN, "end": TAKEN},
    suite={"version": "0.1.0", "commit": "a" * 40, "dirty": False},
    tools={"python": "3.11.7"},
)
COVERAGE = """
endpoints = ["GET /v1/models"]
[reasons]
"not yet" = "A gap."
[[statement]]
id = "models.list"
endpoint = "GET /v1/models"
text = "All are listed"
source = "openai:listModels"
checks = ["API-A-001"]
[[statement]]
id = "models.more"
endpoint = "GET /v1/models"
text = "More"
source = "openai:listModels"
excluded = "not yet"
"""


def a_case(check_id: str, verdict: str = "passed", **fields: Any) -> dict[str, Any]:
    """One case that took place within the run."""
    return {
        **{"environment": "mini", "check": check_id, "nodeid": f"test[{check_id}]", "parameters": {}},
        **{"verdict": verdict, "message": "", "blame": "", "waiver": None, "duration_s": 0.1, "requests": 0},
        **{"started": "2026-06-01T00:00:30.000Z", "evidence": [], "facts": {}, "pictures": {}, "detail": ""},
        **fields,
    }


CASES = (
    a_case("API-A-001"),
    a_case("API-A-002", "waived", message="expected 401, got 400", waiver="W-1"),
    a_case("API-A-003", "not applicable", message="the environment declares no voice"),
)


@dataclass(frozen=True)
class Ground:
    """A project's folder; everything else lies in it."""

    root: Path

    @property
    def runs(self) -> Path:
        """Where its runs are."""
        return self.root / "reports" / "runs"

    @property
    def latest(self) -> Path:
        """The latest run of mini."""
        return (self.runs / "mini" / "latest").resolve()

    def declare(self, **tables: Any) -> Environment:
        """Write environments/mini.toml."""
        content = declared.document(**tables)
        (self.root / "environments" / "mini.toml").write_text(tomli_w.dumps(content), encoding="utf-8")
        return self.environment(**tables)

    def environment(self, **tables: Any) -> Environment:
        """What that file declares."""
        complete = {**declared.document(**tables), "source": str(self.root / "environments" / "mini.toml")}
        return Environment.model_validate_json(json.dumps(complete))

    def run(
        self,
        cases: Sequence[Mapping[str, Any]] = CASES,
        tables: Mapping[str, Any] | None = None,
        claims: Sequence[Claim] = CLAIMS,
        waived: bool = True,
        today: date = TODAY,
        **fields: Any,
    ) -> Path:
        """A finished run of mini as the plugin writes it, with these fields of ``Run`` replaced."""
        judged_by = self.environment(**(tables or {}))
        record = build(
            judged_by,
            replace(RUN, **{"binding": bound(judged_by), **fields}),
            catalogue=CATALOGUE,
            selected=(),
            cases=[dict(case) for case in cases],
            claims=claims,
            waivers=[WAIVER] if waived else [],
            frozen={name: [check.id for check in CATALOGUE] for name in PROFILES},
            spent=Spent(3, 4),
            product_version="1.2.3",
            today=today,
        )
        begun = begin(self.runs, record, Redactor(), claims)
        finish(begun, record, claims, self.root / "nothing", with_report=False)
        return begun.directory.path

    def suite(self, **fields: Any) -> Suite:
        """The suite at hand, as it judges mini; with these fields replaced."""
        frozen = {name: [check.id for check in CATALOGUE] for name in PROFILES}
        checks = {check.id: check for check in CATALOGUE}
        cases = {case["nodeid"]: case["check"] for case in CASES}
        return replace(Suite(checks, frozen, CLAIMS, cases), **fields)

    def key(self, name: str = "key", password: bytes | None = None) -> Path:
        """A private key, made up now."""
        path = self.root / name
        hidden: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            hidden = serialization.BestAvailableEncryption(password)
        content = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, hidden
        )
        path.write_bytes(content)
        return path


def bound(environment: Environment) -> dict[str, Any]:
    """What a run binds that was judged by this environment."""
    taken = {
        "environment": {
            "file": environment.source.name,
            "sha256": "0" * 64,
            "resolved_sha256": resolved(environment),
        },
        "files": {"sha256": "1" * 64, "count": 3},
        "suite": {"commit": "a" * 40, "changed": []},
        "touched": [],
        "distributions": {"sha256": "2" * 64, "count": 2},
        "interpreter": {"version": "3.11.7", "flags": {}},
        "variables": {},
        "plugins": [],
        "options": {"assert": "rewrite", "addopts": [], "plugins": []},
        "problems": [],
    }
    return {"start": taken, "end": taken}


def ground(root: Path) -> Ground:
    """A project in a folder, without a run."""
    made = Ground(root)
    (root / "environments").mkdir(parents=True)
    (root / "suites").mkdir()
    (root / "suites" / "coverage.toml").write_text(COVERAGE, encoding="utf-8")
    (root / "suites" / "limits.toml").write_text('limits = ["The quality of answers."]\n', encoding="utf-8")
    made.declare()
    return made


def private_key(path: Path) -> Ed25519PrivateKey:
    """The key of a file."""
    key = serialization.load_ssh_private_key(path.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def signed(made: Ground, run: Path, key: Ed25519PrivateKey, out: Path, **fields: Any) -> Path:
    """A sign-off of a run, written by the project itself."""
    decision = Approval(
        run=run,
        release="1.0",
        approver=APPROVER,
        signed=SIGNED,
        environment_file=made.root / "environments" / "mini.toml",
        fresh_h=168.0,
        previous=None,
        blind_spots={"promises": {"all": 2, "covered": 1, "not_covered": []}, "limits": ["The quality."]},
    )
    write_signoff(replace(decision, **fields), key, out)
    return out


def rehash(directory: Path) -> None:
    """What somebody does who changed a file and knows the format: all hashes anew, no signature."""
    if (directory / REPORT / RECORD).is_file():
        seal_report(directory)
    manifest = json_bytes(manifest_of(directory))
    (directory / MANIFEST).write_bytes(manifest)
    record = hashlib.sha256((directory / RECORD).read_bytes()).hexdigest()
    edit(directory, manifest_sha256=hashlib.sha256(manifest).hexdigest(), record_sha256=record)


def seal_report(directory: Path) -> None:
    """The run's own seal over its files as they are now, Allure's results as they were."""
    path = directory / REPORT / "seal.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    for name in document["files"]:
        file = directory / REPORT / name
        if file.is_file():
            document["files"][name] = hashlib.sha256(file.read_bytes()).hexdigest()
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def edit(directory: Path, **fields: Any) -> None:
    """Replace fields of signoff.json."""
    document = json.loads((directory / SIGNOFF).read_text(encoding="utf-8"))
    (directory / SIGNOFF).write_bytes(json_bytes({**document, **fields}))


def resign(directory: Path, key: Ed25519PrivateKey) -> None:
    """Sign what is there now, with whatever key."""
    content = (directory / SIGNOFF).read_bytes()
    (directory / SIGNATURE).write_text(sign_file(key, content, NAMESPACE), encoding="ascii")
    digests = {
        RECORD: hashlib.sha256((directory / RECORD).read_bytes()).hexdigest(),
        SIGNOFF: hashlib.sha256(content).hexdigest(),
    }
    with contextlib.suppress(NoRecord):  # then nobody can attest it
        told = statement(record_at(directory), json.loads(content), digests)
        (directory / ATTESTATION).write_bytes(enveloped(key, json_bytes(told)))
