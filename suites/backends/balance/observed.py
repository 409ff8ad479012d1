"""A group's sample and its judgement, for the checks that look at them."""

from __future__ import annotations

from gateway_acceptance.balance.plan import design_in
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NotApplicable
from suites.backends.balance.evaluation import Judged, judged
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


def judgement(target: Target, alias: str) -> Judged:
    """The sample of a group, judged. Raises what its premises raise."""
    sample = sample_of(target, alias)
    null = null_hypothesis(target, alias, witness_of(target))
    design = design_in(target.environment, null)
    return target.once(("judged", alias), lambda: judged(sample, null, design))
