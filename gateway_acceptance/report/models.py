"""The tracker's table of models: what is declared of each alias, and what was measured."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from gateway_acceptance.claims import NOT_VERIFIED
from gateway_acceptance.record_model import Record, RecordedCase
from gateway_acceptance.record_model.declared import DeclaredGroup, DeclaredModel
from gateway_acceptance.report.reading import is_executed, is_red, severity

INFERENCE = ("/chat/completions", "/embeddings")
"""Whose answers' times count as a model's; listing models says nothing of them."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One alias. measured: short phrases such as ``1024 dimensions`` and ``p50 310 ms (n=24)``."""

    alias: str
    kind: str
    backend: str
    upstream: str
    dimensions: str
    verdict: str
    measured: str


def model_rows(record: Record) -> list[ModelRow]:
    """Every alias in the environment's order, balanced groups included."""
    environment = record.environment
    groups = {group.alias: group for group in environment.groups}
    return [_row(record, model, groups.get(model.alias)) for model in environment.models]


def _row(record: Record, model: DeclaredModel, group: DeclaredGroup | None) -> ModelRow:
    alias = str(model.alias)
    own = [case for _, case in record.cases() if alias in case.parameters.values()]
    balanced = f", {group.strategy}" if group else ""
    return ModelRow(
        alias=alias,
        kind=f"{model.kind}{balanced}",
        backend=str(model.backend or ""),
        upstream=str(model.upstream or ""),
        dimensions=str(model.dimensions or ""),
        verdict=model_verdict(own),
        measured=", ".join(_measured(record, alias, own)),
    )


def model_verdict(own: list[RecordedCase]) -> str:
    """The worst of the alias's cases that were executed or are red; not verified where there is none."""
    telling = [str(case.verdict) for case in own if is_executed(case.verdict) or is_red(case.verdict)]
    return max(telling, key=severity, default=NOT_VERIFIED)


def _measured(record: Record, alias: str, own: list[RecordedCase]) -> list[str]:
    """The facts of the target that are named ``<alias>.…``, and the median of the answers' times."""
    facts = record.target.facts
    phrases = []
    if f"{alias}.dimensions" in facts:
        phrases.append(f"{facts[f'{alias}.dimensions']} dimensions")
    times = [
        exchange.elapsed_s
        for case in own
        for exchange in case.evidence
        if exchange.status == 200 and str(exchange.url).split("?")[0].endswith(INFERENCE)
    ]
    if times:
        phrases.append(f"p50 {duration(statistics.median(times))} (n={len(times)})")
    elif f"{alias}.latency_s" in facts:
        phrases.append(f"{facts[f'{alias}.latency_s']} s")
    return phrases


def duration(seconds: float) -> str:
    """``9 ms``, ``310 ms``, ``2.4 s``"""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
