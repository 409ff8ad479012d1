"""A group's sample and its judgement, for the checks that look at them."""

from __future__ import annotations

from gateway_acceptance.balance.expectation import Expectation, expectation
from gateway_acceptance.balance.operating import operating
from gateway_acceptance.balance.plan import design_in
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import Inconclusive, NotApplicable
from suites.backends.balance.evaluation import Evaluation, judged
from suites.backends.balance.sample import Sample, null_hypothesis, sampled
from suites.backends.balance.witness import witness_of


def sample_of(target: Target, alias: str) -> Sample:
    """The sample of a group. Raises NotApplicable, Inconclusive, Untestable where none can be drawn."""
    null = null_hypothesis(target, alias, witness_of(target))
    if not null.can_be_judged:
        raise NotApplicable(
            f"the deployments of {alias} are all {next(iter(null.shares))} to the witness "
            f"(balance.witness = {witness_of(target).value!r})",
            declared="balance.witness",
        )
    return sampled(target, alias, null)


def expected(target: Target) -> Expectation:
    """What statistics alone do to a whole run of a right gateway, at most; computed once."""
    return target.once_per_run("expectation", lambda: _expected(target))


def _expected(target: Target) -> Expectation:
    healthy = []
    for group in target.environment.groups:
        try:
            null = null_hypothesis(target, group.alias, witness_of(target))
        except (NotApplicable, Inconclusive):
            continue
        if null.can_be_judged:
            design = design_in(target.environment, null)
            healthy.append((design, operating(design, design.shares)))
    return expectation(target.environment, healthy)


def judgement(target: Target, alias: str) -> Evaluation:
    """The sample of a group, judged. Raises what its premises raise."""
    sample = sample_of(target, alias)
    null = null_hypothesis(target, alias, witness_of(target))
    design = design_in(target.environment, null)
    return target.once(("judged", alias), lambda: judged(sample, null, design))
