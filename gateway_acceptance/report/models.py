"""The tracker's table of models: what is declared of each alias, and what was measured."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from gateway_acceptance.claims import NOT_VERIFIED
from gateway_acceptance.report.reading import Entry, Record, cases, is_executed, is_red, severity

INFERENCE = ("/chat/completions", "/embeddings")
OBSERVED_DIMENSIONS = ("dimensions", "dimensions_observed", "observed_dimensions")
P50 = ("p50_s", "elapsed_p50_s", "p50")


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One alias. measured: short phrases such as ``1024 dimensions`` and ``p50 0.31 s (n=24)``."""

    alias: str
    kind: str
    backend: str
    upstream: str
    dimensions: str
    verdict: str
    measured: str


def model_rows(record: Record) -> list[ModelRow]:
    """Every declared model, then every balanced group, in the environment's order."""
    environment = record["environment"]
    grouped = {group["alias"] for group in environment["groups"]}
    rows = [_row(record, model) for model in environment["models"] if model["alias"] not in grouped]
    for group in environment["groups"]:
        deployments = group["deployments"]
        balanced = {
            "alias": group["alias"],
            "kind": f"chat, {group['strategy']}",
            "backend": ", ".join(dict.fromkeys(one["backend"] for one in deployments)),
            "upstream": ", ".join(dict.fromkeys(one["upstream"] for one in deployments)),
        }
        rows.append(_row(record, balanced))
    return rows


def _row(record: Record, model: Entry) -> ModelRow:
    alias = str(model["alias"])
    own = [case for _, case in cases(record) if alias in case["parameters"].values()]
    return ModelRow(
        alias=alias,
        kind=str(model["kind"]),
        backend=str(model.get("backend") or ""),
        upstream=str(model.get("upstream") or ""),
        dimensions=str(model.get("dimensions") or ""),
        verdict=model_verdict(own),
        measured=", ".join(_measured(own)),
    )


def model_verdict(own: list[Entry]) -> str:
    """The worst of the alias's cases that were executed or are red; not verified where there is none."""
    telling = [
        str(case["verdict"]) for case in own if is_executed(case["verdict"]) or is_red(case["verdict"])
    ]
    return max(telling, key=severity, default=NOT_VERIFIED)


def _measured(own: list[Entry]) -> list[str]:
    facts = {name: value for case in own for name, value in case["facts"].items()}
    phrases = [f"{facts[name]} dimensions" for name in OBSERVED_DIMENSIONS if name in facts][:1]
    told = next((facts[name] for name in P50 if isinstance(facts.get(name), int | float)), None)
    times = [
        exchange["elapsed_s"]
        for case in own
        for exchange in case["evidence"]
        if exchange["status"] == 200 and str(exchange["url"]).split("?")[0].endswith(INFERENCE)
    ]
    if told is not None:
        phrases.append(f"p50 {told:.2f} s")
    elif times:
        phrases.append(f"p50 {statistics.median(times):.2f} s (n={len(times)})")
    return phrases
