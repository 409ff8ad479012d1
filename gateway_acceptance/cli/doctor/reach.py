"""What can be reached: the gateway within five seconds, its backends, its machines."""

from __future__ import annotations

from gateway_acceptance.cli.doctor.line import DoctorLine, DoctorState, few
from gateway_acceptance.cli.init.gateway import NO_KEY, other_place
from gateway_acceptance.environment import Backend, Environment
from gateway_acceptance.environment.gateway_section import is_declared
from gateway_acceptance.environment.model import GATEWAY_MACHINE
from gateway_acceptance.plugin.preflight import LIST, RUN_AGAIN, Preflight
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotPermitted, Untestable
from gateway_acceptance.wire.backends import Offer
from gateway_acceptance.wire.exchange import Exchange

CONNECT_S, QUESTION_S = 1.5, 2.0
"""Seconds; of two questions at most, so that a cause is told within five."""

NO_LIST_FIX = (
    "if it has none, the checks of the list stay red until it gets one or waivers accept that; "
    "if this is no OpenAI-compatible gateway, correct gateway.url"
)
OPEN_LIST = (
    f"its list of models is served to who has no key: API-AUTH-002 is red, unless {LIST} is in "
    "gateway.public_paths"
)


def hurried(environment: Environment) -> Environment:
    """The same with deadlines that leave five seconds for all."""
    gateway = environment.gateway
    short = {
        "connect_deadline_s": min(CONNECT_S, gateway.connect_deadline_s),
        "request_deadline_s": min(QUESTION_S, gateway.request_deadline_s),
    }
    return environment.model_copy(update={"gateway": gateway.model_copy(update=short)})


def gateway_lines(target: Target) -> tuple[list[DoctorLine], Preflight]:
    """The gateway and its models; where it cannot be judged, the one line that says why."""
    environment = target.environment
    url = environment.gateway.url
    try:
        seen = target.probe(QUESTION_S, description=False)
    except NotPermitted as refusal:
        return [DoctorLine("gateway", DoctorState.WRONG, str(refusal), "raise it in the file")], Preflight()
    if seen.trouble is not None:
        fix = "" if seen.trouble.fix == RUN_AGAIN else seen.trouble.fix  # it stands in the words
        return [DoctorLine("gateway", DoctorState.WRONG, seen.trouble.what, fix)], seen
    if seen.models is None:
        return [_no_list(target, url)], seen
    text = f"{environment.gateway.product} {seen.version}".strip()
    lines = [DoctorLine("gateway", DoctorState.OK, f"{url} answers as {text} and takes the key")]
    if seen.list_open and not is_declared(LIST, environment.gateway.public_paths):
        lines.append(DoctorLine("gateway", DoctorState.NOTE, OPEN_LIST))
    declared = environment.gateway.version
    if declared and seen.version and declared != seen.version:
        fix = "declare the version that runs as gateway.version, or install the declared one"
        lines.append(
            DoctorLine("gateway", DoctorState.WRONG, f"{declared} is declared, {seen.version} runs", fix)
        )
    return [*lines, *_models(environment, target)], seen


def _no_list(target: Target, url: str) -> DoctorLine:
    def ask(place: str) -> Exchange | None:
        try:
            return target.sender.send("GET", place)
        except (NoAnswer, NotPermitted):
            return None

    try:
        status = target.gateway.models().status
    except (CheckFailed, NotPermitted, Untestable):
        status = None
    place = other_place(url, ask, status)
    fix = f"write {place} as gateway.url" if place else NO_LIST_FIX
    what = f"something answers at {url}, and has no list of models there (GET /v1/models: {status})"
    return DoctorLine("gateway", DoctorState.WRONG, what, fix)


def _models(environment: Environment, target: Target) -> list[DoctorLine]:
    try:
        body = target.gateway.models().json()
    except (CheckFailed, NotPermitted, Untestable) as failure:
        return [DoctorLine("models", DoctorState.WRONG, str(failure), "look into its log, then ask again")]
    entries = body.get("data") if isinstance(body, dict) else None
    listed = [str(entry.get("id")) for entry in entries or () if isinstance(entry, dict)]
    return [_compared(environment, listed)]


def _compared(environment: Environment, listed: list[str]) -> DoctorLine:
    missing = [alias for alias in environment.listed if alias not in listed]
    more = [one for one in listed if one not in environment.aliases and not environment.unjudged(one)]
    hidden = [alias for alias in environment.aliases if alias in listed and alias not in environment.listed]
    if not (missing or more or hidden):
        number = len(environment.listed)
        what = f"the {number} declared models are" if number != 1 else "the declared model is"
        text = f"{what} listed, and no other that is to be judged"
        return DoctorLine("models", DoctorState.OK, text)
    said = [f"declared and not listed: {few(missing)}"] if missing else []
    said += [f"listed and not declared: {few(more)}"] if more else []
    said += [f"listed, and declared as hidden: {few(hidden)}"] if hidden else []
    return DoctorLine(
        "models",
        DoctorState.WRONG,
        "; ".join(said),
        "declare what the gateway has, or correct its configuration",
    )


def _fix_of(target: Target, backend: Backend) -> str:
    """What to do about a backend that does not tell what it has, by its last answer."""
    last = next(reversed(target.notebook.exchanges), None)
    if last is None or not last.url.startswith(backend.url) or last.status not in NO_KEY:
        return "start it or correct backends.url"
    if backend.key_variable:
        return f"correct its key in {backend.key_variable}"
    return "name the variable that holds its key as backends.key_variable"


def backend_line(target: Target, backend: Backend) -> DoctorLine:
    """One backend, asked directly where that is permitted."""
    if not backend.direct:
        return DoctorLine(
            "backends", DoctorState.NOTE, f"{backend.name} is declared closed to everybody but the gateway"
        )
    client = target.backend(backend.name)
    try:
        version = client.version() if Offer.VERSION in client.offers else ""
        held = client.models()
    except (CheckFailed, NotPermitted, Untestable) as failure:
        fix = f"{_fix_of(target, backend)}; direct = false declares it closed to everybody but the gateway"
        return DoctorLine("backends", DoctorState.WRONG, f"{backend.name}: {failure}", fix)
    wrong = [
        name for name in target.environment.upstreams_on(backend.name) if client.name_of(name) not in held
    ]
    if wrong:
        return DoctorLine(
            "backends",
            DoctorState.WRONG,
            f"{backend.name} has no {few(wrong)}",
            f"{client.fix_of_missing(wrong[0])}, or correct the file",
        )
    other = sorted(
        {
            served.upstream
            for _, served in target.environment.deployments
            if served.backend == backend.name
            and served.digest is not None
            and not held[client.name_of(served.upstream)].removeprefix("sha256:").startswith(served.digest)
        }
    )
    if other:
        return DoctorLine(
            "backends",
            DoctorState.WRONG,
            f"{backend.name} has {few(other)} with another digest than the declared one",
            "pull the declared model, or declare the digest that `ollama list` shows",
        )
    what = f"{client.server} {version}".strip()
    return DoctorLine("backends", DoctorState.OK, f"{backend.name}: {what}, with all that is declared of it")


def machine_line(target: Target, name: str) -> DoctorLine:
    """One machine, looked at as a run does."""
    try:
        facts = target.machine(name)
    except Untestable as failure:
        return DoctorLine("machines", DoctorState.WRONG, failure.missing, failure.provide)
    missing = [
        f"{section} ({found['missing']})"
        for section, found in facts.sections.items()
        if found.get("missing") and found.get("needs")
    ]
    if missing:
        fix = f"gateway-acceptance sudoers --env {target.environment.source} --account {facts.account}"
        if name != GATEWAY_MACHINE:
            fix += f" --machine {name}"
        return DoctorLine(
            "machines",
            DoctorState.WRONG,
            f"{name}: not to be had: {few(missing)}",
            f"{fix} prints the rules",
        )
    return DoctorLine("machines", DoctorState.OK, f"{name} can be looked at as {facts.account}")
