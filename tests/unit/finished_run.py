"""A finished run directory as the controller leaves it, small, without a run; and ways to edit it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway_acceptance.check import MUST, SPEND, Check
from gateway_acceptance.claims import Claim
from gateway_acceptance.policy import Spent
from gateway_acceptance.record import build
from gateway_acceptance.record_model import Record, document_of
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.report.past import Past
from gateway_acceptance.report.write_outputs import write_views
from gateway_acceptance.run_directory import RunDirectory
from gateway_acceptance.seal import seal
from tests.unit.declared import environment
from tests.unit.records import exchange
from tests.unit.signing import bound
from tests.unit.test_record import PROFILES, RUN, TODAY, a_case, a_check, a_waiver

CLAIMS = [
    Claim("FUN-01", "Validated Functionality", "works"),
    Claim("MOD-01", "Available Models", "chat-one answers", about="chat-one"),
]
CHECKS = [
    a_check("API-A-001", "FUN-01"),
    a_check("API-A-002", "FUN-01"),
    Check("API-A-003", "spends", MUST, SPEND, (), PROFILES),
]


def cases() -> list[dict[str, Any]]:
    """One that is waived, two of one check, one about an alias."""
    return [
        a_case("API-A-001", "waived", waiver="W", message="saw xxx here", nodeid="t::one"),
        a_case("API-A-002", nodeid="t::two[a]", parameters={"group": "a"}),
        a_case("API-A-002", nodeid="t::two[b]", parameters={"group": "b"}),
        a_case("API-A-003", nodeid="t::three", parameters={"chat_model": "chat-one"}, evidence=[exchange()]),
    ]


def record(*own: dict[str, Any], **run: Any) -> Record:
    """Of a release run: READY, unless cases or fields of the run say something else."""
    fields: dict[str, Any] = {
        "profile": "release",
        "marker": "",
        "suite": {"version": "1", "commit": None, "dirty": None},
    }
    fields |= {"binding": bound(environment())}
    ids = [check.id for check in CHECKS]
    return build(
        environment(),
        replace(RUN, **(fields | run)),
        catalogue=CHECKS,
        selected=(),
        cases=own or cases(),
        claims=CLAIMS,
        waivers=[a_waiver()],
        frozen={"release": ids, "smoke": ids},
        spent=Spent(3, 4),
        product_version="",
        today=TODAY,
    )


def write(folder: Path, written: Record) -> Path:
    """Record, views and seal."""
    folder.mkdir(parents=True, exist_ok=True)
    directory = RunDirectory(folder, Redactor())
    directory.write_json("record.json", document_of(written))
    write_views(directory, written, Past(), CLAIMS, folder / "nothing", with_report=False)
    seal(folder)
    return folder


def edited(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """The record changed by a hand that seals again."""
    path = folder / "record.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    seal(folder)
