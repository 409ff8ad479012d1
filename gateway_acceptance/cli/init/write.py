"""From what was found to the file: complete, commented, with a question where only a person knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, get_args

from gateway_acceptance import __version__
from gateway_acceptance.cli.init.found import Alias, Behind, Found, FoundDeployment
from gateway_acceptance.cli.init.machine import SeenMachine
from gateway_acceptance.cli.init.others import BY_ITS_NAME
from gateway_acceptance.cli.init.toml_text import Redact, Text, inline, listing
from gateway_acceptance.cli.init.wildcards import WILDCARD
from gateway_acceptance.environment import Ability, Environment, ModelKind
from gateway_acceptance.environment.model import BEARER_HEADER, Gateway, Group
from gateway_acceptance.environment.network import Network
from gateway_acceptance.environment.product_names import ANY_OTHER
from gateway_acceptance.environment.products import PRODUCTS
from gateway_acceptance.wire.backends import CLIENTS, full_name

OLLAMA = "ollama"
DEFAULT_KEYS = ("sk-1234",)
"""Of the documentation of gateways: a key that the world knows."""
STRATEGIES = get_args(Group.model_fields["strategy"].annotation)
UNJUDGED = "least-busy"
"""What stands for a strategy that is not known here: its shares are not judged."""
DIGEST = re.compile(r"[0-9a-f]{12,64}")
BUDGET = {"requests": 3500, "tokens": 400_000, "seconds": 1800}
"""Enough for a release run of a deployment of seven models."""
ROOM_PER_MODEL = 200
PACE = 1
"""Requests per second of a gateway whose limits are not known, but that it has some."""
NORM = {True: "its length was 1: a promise from now on", False: "its length was not 1"}
HOST_KEYS = (
    *("uri", "ssh_config", "name", "address", "unit", "user", "group", "tree", "working_directory"),
    *("service_scripts", "configuration", "virtual_environment", "secrets", "exposure", "listens"),
    "also_listens",
)
"""In the order in which they are written."""
DECLARABLE = ("its mode is ", BY_ITS_NAME, WILDCARD)
"""Why an id is left out that may be declared as not judged."""
MACHINE_HINT = 'init --host ssh://HOST writes it, environment "lab" shows one in full'


def environment_text(found: Found, asked: Environment, name: str, redact: Redact) -> Text:
    """The file up to its models. asked: the environment as the command line tells of it; name: its own."""
    text, gateway = Text(redact), asked.gateway
    _head(text, found, gateway, name)
    _gateway(text, found, gateway)
    _network(text, asked.network)
    for behind in found.behind:
        _backend(text, behind)
    if not found.behind:
        text.blank()
        text.question(
            "which servers stand behind the gateway? It does not tell. Without [[backends]] nothing is asked "
            "past it, and nothing is claimed of them. A model that is served by one names it as backend, and "
            "its own name there as upstream."
        )
    for alias in found.aliases:
        _alias(text, alias, found)
    _left_out(text, found)
    return text


def _head(text: Text, found: Found, gateway: Gateway, name: str) -> None:
    text.comment(
        f"Written by gateway-acceptance init {__version__} from {gateway.url}, by {found.requests} requests. "
        "What it could not know is marked with QUESTION, and assumed as it stands here until you answer it. "
        "All keys: docs/environments.md."
    )
    text.value("name", name, "of its runs' directory")
    text.question("what is it for? Only a deployment of kind production can be PRODUCTION READY.")
    text.value("kind", "staging", "staging or production")


def _gateway(text: Text, found: Found, gateway: Gateway) -> None:
    known = PRODUCTS[found.product]
    text.table("gateway")
    text.value("url", gateway.url)
    if found.product == ANY_OTHER:
        text.value("product", found.product, "no other product was recognised")
    else:
        text.value("product", found.product)
    if found.version:
        text.silent("version", found.version, "found; declare it, and a run is red where another one runs")
    elif found.product != "portkey":
        text.question("which version runs? The gateway does not tell; advisories are judged by it.")
        text.silent("version", "1.2.3")
    if found.product == "litellm":
        text.question(
            'is it installed with its database driver, as its container images are? Then "prisma", else "". '
            "Until it is declared, the deviations of both count."
        )
        text.silent("variant", "prisma")
    if found.upstreams:
        text.value("upstreams", found.upstreams, "spoken to backends: deviations.md")
    text.value("key_variable", gateway.key_variable, "the variable that holds the key")
    if gateway.key_header != BEARER_HEADER:
        text.value("key_header", gateway.key_header)
    text.value("known_default_keys", list(DEFAULT_KEYS))
    text.question("which other keys were ever published, or used in development? They must be refused.")
    if found.liveness and found.liveness != known.liveness:
        text.value("liveness_path", found.liveness, "answers 200 without a key")
    elif not (found.liveness or known.liveness):
        text.question("which route tells that it lives, without a key? None of the usual ones does.")
        text.silent("liveness_path", "/health")
    if found.description:
        text.value(
            "description_path", found.description, "its OpenAPI description; open routes are sought there"
        )
    if found.served_by and found.served_by != known.served_by:
        text.value("served_by_header", found.served_by, "holds a URL in its answers: who served")
    unjudged = [name for name, why in found.left_out if why.startswith(DECLARABLE)]
    if unjudged:
        text.value("unjudged_models", unjudged, "listed beyond those below; not judged")
    text.value("endpoints", found.endpoints, "beyond models, chat and embeddings; found by asking")
    text.question('do you promise /v1/responses to your clients? Then add "responses".')
    paths = list(known.open_paths) or [path for path in (found.liveness, *found.alive) if path]
    whose = "as the product has it" if known.open_paths else "what was seen to do so"
    text.value("public_paths", paths, f"what may answer without a key: {whose}")
    if not known.open_paths:
        text.question("may anything else answer without a key? Whatever is not listed here must refuse it.")
    for header, value in sorted(found.limits.items()):
        text.comment(f"its answers tell of a limit: {header}: {value}")
    _identity(text, found)


def _network(text: Text, network: Network) -> None:
    """The way by which it was reached. The value of a secret header is its variable."""
    given = network.model_dump(mode="json", exclude_defaults=True)
    headers = given.pop("headers", None)
    if not (given or headers):
        return
    text.table("network")
    for name, value in given.items():
        text.value(name, value)
    if headers:
        text.pairs("headers", headers)


def _identity(text: Text, found: Found) -> None:
    """What was met is written to be confirmed: whoever answers here may be somebody else."""
    text.blank()
    text.question(
        "by what is it known on every connection? A deployment of kind production must declare it, or no run "
        "is PRODUCTION READY. Below is who answered just now: take the marks away once somebody who knows "
        "the deployment says the same (docs/environments.md, Identity)."
    )
    text.silent_table("gateway.identity")
    for name, value in found.identity.items():
        text.silent(name, value)
    if "certificates" not in found.identity:
        text.comment("Without TLS anybody on the way can have its address for a moment.")


def _backend(text: Text, behind: Behind) -> None:
    text.entry("backends")
    text.value("name", behind.name)
    text.value("url", behind.url, "as the gateway calls it")
    if behind.models is None or behind.demands_key:
        if behind.product != OLLAMA:
            text.value("product", behind.product, "whose protocol it speaks")
        how = (
            "Name the variable that holds it as key_variable, and take direct away"
            if behind.demands_key
            else "Declare the URL by which this machine reaches it as url, and that one as gateway_url"
        )
        text.question(
            f"may the suite ask it past the gateway? {behind.why[:1].upper()}{behind.why[1:]}. {how}; "
            "or leave it closed."
        )
        text.value("direct", False)
    else:
        client = CLIENTS[behind.product]
        if behind.product != OLLAMA:
            text.value("product", behind.product, "whose protocol it speaks")
        text.comment(
            f"{client.server}, asked from this machine; it has {listing(behind.names) or 'no model'}"
        )


def _alias(text: Text, alias: Alias, found: Found) -> None:
    if alias.kind is ModelKind.EMBEDDING and not alias.dimensions and not alias.balanced:
        text.blank()
        text.question(f"how many dimensions has the embedding model {alias.name!r}? {_reason(alias)}")
        return
    _group(text, alias, found) if _can_be_group(alias) else _model(text, alias, found)


def _reason(alias: Alias) -> str:
    said = "; ".join(alias.remarks) or "no request was left to ask it"
    return f"{said[:1].upper()}{said[1:]}."


def _can_be_group(alias: Alias) -> bool:
    return alias.balanced and all(member.backend and member.upstream for member in alias.members)


def _served(member: FoundDeployment, found: Found) -> dict[str, Any]:
    """What a file says of a deployment."""
    if not (member.backend and member.upstream):
        return {}
    models = found.backend(member.backend).models or {}
    digest = models.get(full_name(member.upstream), "").removeprefix("sha256:")
    served = {"backend": member.backend, "upstream": member.upstream}
    return served | ({"digest": digest[:12]} if DIGEST.fullmatch(digest) else {})


def _model(text: Text, alias: Alias, found: Found) -> None:
    text.entry("models")
    text.value("alias", alias.name)
    if alias.hidden:
        text.value("hidden", True, "the gateway does not list it; it was named to init")
    text.value("kind", str(alias.kind))
    served = {} if alias.balanced else _served(alias.member, found)
    for name, value in served.items():
        text.value(name, value)
    if alias.balanced:
        text.comment(
            f"balanced over {len(alias.members)} deployments, of which not all say where they are: its "
            "shares are not judged"
        )
    elif not served and alias.answered_as:
        text.question(
            f"is it another name of {alias.answered_as!r}? Its answers name that. If not, the gateway falls "
            "back to it without saying so, and all that follows was measured of that one."
        )
    elif not served and found.behind:
        text.question("what serves it? Declare backend (of [[backends]]) and upstream, where you know them.")
    models = found.backend(alias.member.backend).models if served else None
    if models is not None and full_name(alias.member.upstream) not in models:
        text.comment(f"the server does not list {alias.member.upstream}: a run will say so")
    if alias.kind is ModelKind.EMBEDDING:
        text.value("dimensions", alias.dimensions, "of one embedding")
        text.value("unit_norm", alias.unit_norm, NORM[alias.unit_norm])
    else:
        _abilities(text, alias, found)
    for remark in alias.remarks:
        text.comment(remark)


def _abilities(text: Text, alias: Alias, found: Found) -> None:
    shown = alias.abilities if alias.abilities is not None else _of_the_same(alias, found)
    if shown is None:
        text.question(
            f"what can it do? {_reason(alias)} `gateway-acceptance abilities --env FILE` measures it."
        )
        text.value("abilities", [])
        return
    text.value("abilities", [word.value for word in Ability if word in shown], "shown; docs/abilities.md")
    _unasked(text, alias)


def _unasked(text: Text, alias: Alias) -> None:
    if alias.unasked:
        text.question(
            f"can it do {', '.join(dict.fromkeys(alias.unasked))}? No request was left to ask; "
            "`gateway-acceptance abilities --env FILE` measures it."
        )


def _of_the_same(alias: Alias, found: Found) -> set[Ability] | None:
    """What another alias of the same model showed."""
    place = alias.member.place
    singles = (one for one in found.aliases if not one.balanced or one.alike)
    same = (one for one in singles if one.member.place == place and all(place))
    return next((one.abilities for one in same if one.abilities is not None), None)


def _group(text: Text, alias: Alias, found: Found) -> None:
    text.entry("groups")
    text.value("alias", alias.name)
    if alias.hidden:
        text.value("hidden", True, "the gateway does not list it; it was named to init")
    text.value("kind", str(alias.kind))
    if found.strategy in STRATEGIES:
        text.value("strategy", found.strategy, "as the gateway tells")
    elif found.strategy:
        text.comment(
            f"its strategy is {found.strategy}, which is not known here; this one's shares are not judged "
            "either"
        )
        text.value("strategy", UNJUDGED)
    else:
        text.question("by which strategy is it balanced? The gateway does not tell; this is the default.")
        text.value("strategy", STRATEGIES[0])
    singles = {one.member.place for one in found.aliases if not one.balanced}
    shown = None
    if alias.alike:  # whichever of its replicas was asked
        shown = alias.abilities if alias.abilities is not None else _of_the_same(alias, found)
    unmeasured = []
    rows: list[dict[str, Any]] = []
    for member in alias.members:
        row = _served(member, found) | member.extra
        if alias.kind is ModelKind.CHAT and member.place not in singles:
            row["abilities"] = [word.value for word in Ability if word in (shown or ())]
            if shown is None:
                unmeasured.append(member.upstream)
        rows.append(row)
    text.rows("deployments", [inline(row) for row in rows])
    if unmeasured:
        text.question(
            f"what can {listing(unmeasured)} do? No alias of its own, so it was not measured; declare its "
            "abilities, or an alias."
        )
    _unasked(text, alias)


def _left_out(text: Text, found: Found) -> None:
    if not found.left_out:
        return
    text.blank()
    text.comment(f"The gateway lists {len(found.left_out)} more that are not declared here:")
    for name, why in found.left_out:
        text.comment(f"{name}: {why}")


def _machine(text: Text, seen: SeenMachine | None) -> None:
    """The machine as it was seen; where it was not, the question."""
    if seen is None or not seen.complete:
        text.blank()
        for question in seen.missing if seen is not None else ():
            text.question(question)
        text.question(
            "may the suite look at the gateway's machine? Without [host] nothing is judged of unit, account, "
            f"tree and hardening ({MACHINE_HINT})."
        )
        return
    text.table("host")
    text.comment("as the machine is now: what stands here is promised from now on")
    for name in HOST_KEYS:
        if name in seen.keys:
            text.value(name, seen.keys[name])
    for question in seen.missing:
        text.question(question)
    text.question(
        "what else does the deployment promise: directories, scripts, documentation, who owns the tree? "
        "docs/environments.md, Machines, has the keys; what is not declared is not judged."
    )
    if seen.hardening:
        text.table("host.hardening")
        for name, value in seen.hardening.items():
            text.value(name, value)


def last_tables(text: Text, found: Found, seen: SeenMachine | None) -> None:
    """Bounds, outage, machine and policy. seen: of the machine, None where it was not looked at."""
    text.table("bounds")
    text.question("what do you promise of time? These are the defaults, in seconds.")
    text.value("answer_s", max(60.0, round(3 * found.slowest_s)), _slowest(found))
    text.silent("first_token_s", 30.0)
    if found.outage:
        text.table("outage")
        text.comment("as the gateway tells of its router; asked only where the policy permits disrupt")
        for name, value in found.outage.items():
            if name != "patience_s" or value > 0:
                text.value(name, value)
    _machine(text, seen)
    text.table("policy")
    text.question("may a run cost more, or less? Nothing is sent beyond this.")
    text.value("effects", ["read", "probe", "spend"], "takes nothing down, never shows the key")
    extra = max(0, len(found.aliases) - 7)
    budget = dict(BUDGET)
    budget["requests"] += ROOM_PER_MODEL * extra
    budget["tokens"] += 40_000 * extra
    if found.limited:
        budget["seconds"] += round(budget["requests"] / PACE)
    for name, value in budget.items():
        text.value(name, value)
    if found.limited:
        text.comment(
            "it refused requests as too many (429): a pace, until you know its limits; seconds allow for it"
        )
        text.value("requests_per_second", PACE)
        text.value("concurrency", 1)
    else:
        text.question("does the gateway limit its clients? Then declare a pace.")
        text.silent("requests_per_second", 5)


def _slowest(found: Found) -> str:
    return f"the slowest of its answers took {found.slowest_s:.1f} s" if found.slowest_s else ""


def questions_in(lines: Sequence[str]) -> int:
    """How many questions a file holds."""
    return sum(line.startswith("# QUESTION:") for line in lines)
