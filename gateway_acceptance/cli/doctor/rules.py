"""What holds whatever answers: effects, checks without a subject, deviations, advisories, waivers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from gateway_acceptance.advisories import NotComparable, concerning, load_base
from gateway_acceptance.check import Check, Effect
from gateway_acceptance.claims import Absent
from gateway_acceptance.claims_here import Here, unknown_evidence
from gateway_acceptance.cli.doctor.line import DoctorLine, DoctorState, counted, few
from gateway_acceptance.deviations import known_of
from gateway_acceptance.environment import Ability, Environment, ModelKind, product_of
from gateway_acceptance.environment.model import EnvironmentKind
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.waivers import Waiver, complaints, unfit

UNASKED = (Ability.REASONING, Ability.VISION, Ability.LOGPROBS)
"""No check needs a model that has them."""


def policy_lines(environment: Environment, checks: Sequence[Check]) -> list[DoctorLine]:
    """The effects that checks have and the policy does not."""
    permitted = environment.policy.effects
    needed = Counter(check.effect for check in checks if check.effect not in permitted)
    lines = [DoctorLine("policy", DoctorState.OK, f"permits {', '.join(permitted)}")]
    for effect, number in sorted(needed.items()):
        if effect in (Effect.DISRUPT, Effect.EXPOSE, Effect.MUTATE):
            state, fix = DoctorState.NOTE, ""
            why = "not permitted here"
        else:
            state, fix = DoctorState.WRONG, f'add "{effect}" to policy.effects, where that is meant'
            why = "no profile is executed whole without them"
        lines.append(
            DoctorLine("policy", state, f"{counted(number, 'check')} of the effect {effect}: {why}", fix)
        )
    if Effect.DISRUPT in permitted and environment.kind is not EnvironmentKind.EMBEDDED:
        number = sum(check.effect is Effect.DISRUPT for check in checks)
        lines.append(
            DoctorLine(
                "policy",
                DoctorState.WRONG,
                f"nobody can take the backends of {environment.name} away: {number} checks are untestable",
                'take "disrupt" out of policy.effects',
            )
        )
    return lines


def never_lines(nothing: Mapping[str, Sequence[str]], absent: Sequence[Absent]) -> list[DoctorLine]:
    """nothing: the key that declares nothing -> ids of the checks that have nothing to judge; absent: claims
    that are not part of the deployment."""
    lines = []
    for key, ids in sorted(nothing.items()):
        do = "does" if len(ids) == 1 else "do"
        said = f"{counted(len(ids), 'check')} {do} not apply, by {key} ({few([*ids], 3)})"
        lines.append(DoctorLine("never here", DoctorState.NOTE, said))
    reasons = Counter("; ".join(dict.fromkeys(one.why.split("; "))) for one in absent)
    if absent:
        text = "; ".join(f"{why} ({number})" for why, number in reasons.most_common(4))
        lines.append(
            DoctorLine(
                "never here",
                DoctorState.NOTE,
                f"not part of this deployment: {counted(len(absent), 'claim')}: {text}",
            )
        )
    return lines


def claim_lines(here: Here, checks: Sequence[str]) -> list[DoctorLine]:
    """Claims of the operator's own that nothing could prove."""
    return [DoctorLine("claims", DoctorState.WRONG, text) for text in unknown_evidence(here, checks)]


def ability_line(environment: Environment) -> DoctorLine | None:
    """What no chat model declares; checks that need it are not applicable."""
    models = [model for model in environment.models if model.kind is ModelKind.CHAT]
    if not models:
        return None
    lacking = [
        word.value
        for word in Ability
        if word not in UNASKED and not any(word in environment.abilities_of(model) for model in models)
    ]
    if not lacking:
        return DoctorLine(
            "abilities", DoctorState.OK, "for each that a check needs there is a model that declares it"
        )
    return DoctorLine(
        "abilities",
        DoctorState.NOTE,
        f"no model declares {', '.join(lacking)}: what needs it is not asked (gateway-acceptance abilities "
        f"--env {environment.source} measures it)",
    )


def deviation_line(environment: Environment, version: str) -> DoctorLine:
    """What the release does by itself."""
    gateway = environment.gateway
    runs = version or gateway.version or ""
    known = known_of(gateway.product, runs, gateway.variant, upstreams=environment.spoken)
    if not known.judged_by:
        why = known.note or f"none is known of {gateway.product}"
        return DoctorLine("deviations", DoctorState.NOTE, f"no deviation applies: {why}")
    must = sum(one.level == "MUST" for one in known.deviations.values())
    said = (
        f"{known.product} {known.version} does not keep {len(known.deviations)} checks by itself, {must} of "
        f"a MUST, as {' and '.join(known.judged_by)} showed: yellow, not red"
    )
    return DoctorLine("deviations", DoctorState.NOTE, said + (f"; {known.note}" if known.note else ""))


def advisory_lines(environment: Environment, version: str, today: date) -> list[DoctorLine]:
    """The age of the base, and what a run will say of the release first."""
    try:
        base = load_base(environment.advisory_base)
    except UsageProblem as problem:
        return [DoctorLine("advisories", DoctorState.WRONG, problem.sentences[0])]
    age, most = (
        (today - date.fromisoformat(str(base.summary["dated"]))).days,
        environment.advisories.max_age_days,
    )
    lines = []
    if age > most:
        fix = "gateway-acceptance advisories update FILE, or raise advisories.max_age_days"
        lines.append(
            DoctorLine(
                "advisories", DoctorState.WRONG, f"the base is {age} days old, at most {most} may be", fix
            )
        )
    package, seen = product_of(environment.gateway).package, version or environment.gateway.version
    if package is None or not seen:
        return lines or [DoctorLine("advisories", DoctorState.NOTE, "no release is known to judge by")]
    try:
        found = concerning(base, *package, seen, environment.advisories.without)
    except NotComparable:
        return [
            *lines,
            DoctorLine("advisories", DoctorState.WRONG, f"the version {seen[:40]!r} cannot be compared"),
        ]
    heavy = [one.advisory.id for one in found if one.judged and one.advisory.heavy and not one.absent]
    if heavy:
        said = f"{package[1]} {seen} has {len(heavy)} that are critical or exploited: {few(heavy, 3)}"
        fix = f"upgrade; gateway-acceptance advisories --env {environment.source} --version {seen} lists them"
        return [*lines, DoctorLine("advisories", DoctorState.WRONG, said, fix)]
    return [
        *lines,
        DoctorLine(
            "advisories", DoctorState.OK, f"{package[1]} {seen} has none that is critical or exploited"
        ),
    ]


def waiver_lines(
    environment: Environment, waivers: Sequence[Waiver], checks: Sequence[str], version: str, today: date
) -> list[DoctorLine]:
    """The waivers that do not count here, each with why; those of other products and environments are not
    meant."""
    waivers = [one for one in waivers if _meant(one, environment)]
    wrong = complaints(waivers, checks, today)
    lines = [DoctorLine("waivers", DoctorState.WRONG, sentence) for sentence in wrong]
    idle = [f"{one.id} {why}" for one in waivers if (why := unfit(one, version))]
    lines += [DoctorLine("waivers", DoctorState.NOTE, f"without effect here: {few(idle)}")] if idle else []
    used = f"{len(waivers)} are read for {environment.name}, all in order"
    return lines or [DoctorLine("waivers", DoctorState.OK, used if waivers else "none")]


def _meant(waiver: Waiver, environment: Environment) -> bool:
    scope = waiver.scope
    product = scope.product in (None, environment.gateway.product)
    return product and (not scope.environments or environment.name in scope.environments)
