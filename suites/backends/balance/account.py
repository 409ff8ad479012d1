"""What the report tells of a judgement: the hypothesis, what was drawn, and what the outcome means."""

from __future__ import annotations

from gateway_acceptance.balance.ledger import ledger, total
from gateway_acceptance.balance.sequential import SequentialDecision, power_of_ten
from gateway_acceptance.environment import Environment
from suites.backends.balance.evaluation import Evaluation, counts_text

TELLS = {
    "backend": "the header that names the backend",
    "deployment": "the header with the deployment's id, and the gateway's list of deployments",
}


def account(found: Evaluation, environment: Environment) -> dict[str, str]:
    """Facts by name, for the tracker; in an order that reads."""
    trial, sample, design = found.trial, found.sample, found.trial.design
    seconded = "" if sample.counted is None else "; the backends' own counts agree"
    return {
        "null hypothesis": found.null.sentence,
        "witness": TELLS[sample.witness] + seconded,
        "draws": f"{trial.draws}, all of them judged (at most {design.most_draws})",
        "counts": counts_text(trial.counts),
        "intervals": ", ".join(
            f"{name} {low:.1%} to {high:.1%}" for name, (low, high) in trial.intervals.items()
        ),
        "e-value": f"{power_of_ten(trial.largest)} at its highest (fails at {power_of_ten(design.limit)})",
        "alpha": f"{design.alpha:.2g} for these shares; all statistical tests of a run together: "
        f"{total(ledger(environment)):.2g}",
        "tolerance": f"{design.tolerance:g}"
        + ("" if design.relative is None else f", and {design.relative:.0%} of the share"),
        "passed means": f"{design.promise}; wrong with a probability of at most {1 - design.power:.2g}",
    }


def in_words(found: Evaluation, environment: Environment) -> str:
    """A judgement that is not passed, with all it rests on."""
    facts = account(found, environment)
    kept = ("null hypothesis", "witness", "draws", "e-value", "alpha", "tolerance")
    text = "; ".join(f"{name}: {facts[name]}" for name in kept)
    fix = ""
    if found.trial.outcome is not SequentialDecision.FAILED:
        fix = "; raise balance.most_draws or balance.tolerance (gateway-acceptance balance plan)"
    return f"{found.trial.sentence()}{fix}; {text}"
