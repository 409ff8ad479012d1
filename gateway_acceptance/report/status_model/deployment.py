"""What was judged, as the tracker names it: where it stands, what was measured of it, its models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway_acceptance.record_model import DeclaredEnvironment, Record, RecordedTarget
from gateway_acceptance.report.models import ModelRow, model_rows
from gateway_acceptance.report.reading import is_executed

RESOURCES = "Resource Utilisation"
"""The section whose evidence measures what the target uses."""


@dataclass(frozen=True, slots=True)
class DeploymentFacts:
    """server: its name, or empty; facts: measured of the target; resources: (check id, name, value)."""

    target: RecordedTarget
    environment: DeclaredEnvironment
    server: str
    facts: Mapping[str, object]
    models: Sequence[ModelRow]
    resources: Sequence[tuple[str, str, object]]


def deployment_of(record: Record) -> DeploymentFacts:
    """The deployment that a record is about."""
    return DeploymentFacts(
        record.target,
        record.environment,
        _server(record),
        _target_facts(record),
        model_rows(record),
        _measured(record, RESOURCES),
    )


def _target_facts(record: Record) -> dict[str, object]:
    """What was measured of the target, without what the table of models shows."""
    aliases = tuple(f"{model.alias}." for model in record.environment.models)
    facts = record.target.facts
    return {name: value for name, value in facts.items() if not str(name).startswith(aliases)}


def _server(record: Record) -> str:
    host = record.environment.host
    return (host.name or host.hostname or "") if host else ""


def _measured(record: Record, section: str) -> list[tuple[str, str, object]]:
    """(check id, name, value) of every fact that the evidence of a section measured."""
    ids = {claim.id for claim in record.claims if claim.section == section}
    return [
        (check.id, name, value)
        for check, case in record.cases()
        if ids & set(check.claims) and is_executed(case.verdict)
        for name, value in case.facts.items()
    ]
