"""What the tracker's templates say of one environment: its claims, and what is not part of the deployment.

Pure. A claim with ``per`` stands once for each of its subjects, numbered from its own id on; numbers that
another template has are passed over. The rules: docs/tracker.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from gateway_acceptance.check import ID_PATTERN
from gateway_acceptance.claims import CLAIM_ID, Absent, Claim, ClaimsError, Template, load_own_claims
from gateway_acceptance.environment import Environment, Group, Model, ModelKind, product_of
from gateway_acceptance.environment.load import nearest
from gateway_acceptance.environment.products import BACKEND_PACKAGES

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
NUMBERS = (
    *(
        "no",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ),
)
SERVERS = {"ollama": "Ollama server", "openai": "OpenAI-compatible server"}
SMALLEST = ("STA-02", "STA-06", "FUN-03", "FUN-04", "MOD-01", "MOD-08", "SYS-01", "SYS-02")
"""What every deployment has to prove before it can be READY, whatever it declares."""


@dataclass(frozen=True, slots=True)
class Here:
    """The tracker of one environment. claims: what it has to prove; absent: what is not part of it."""

    claims: tuple[Claim, ...]
    absent: tuple[Absent, ...]


def claims_of(templates: Sequence[Template], environment: Environment) -> Here:
    """Every template as it stands in an environment, and the operator's own claims after them. Raises
    ClaimsError for own claims that cannot be used."""
    taken = {template.id for template in templates}
    words = _words(environment)
    claims: list[Claim] = []
    absent: list[Absent] = []
    for template in templates:
        missing = [why for need in template.needs if (why := _missing(need, environment))]
        if missing:
            text = _filled(template.text, words | _of_nothing(template.per))
            why = "; ".join(dict.fromkeys(missing))
            absent.append(Absent(template.id, template.section, text, why))
        elif template.per is None:
            closed = any(not backend.direct for backend in environment.backends)
            more = template.closed_checks if closed else ()
            claims.append(_claim(template, template.id, words, more=more))
        else:
            claims += _each(template, environment, words, taken)
    return Here((*claims, *_own(environment, taken | {claim.id for claim in claims})), tuple(absent))


def unknown_evidence(here: Here, check_ids: Sequence[str]) -> list[str]:
    """A sentence for each claim that names a check which does not exist: nothing could prove it."""
    return [
        f"the claim {claim.id} names the check {name}, which does not exist{nearest(name, check_ids)}; "
        "correct it"
        for claim in here.claims
        for name in claim.checks
        if ID_PATTERN.match(name) and name not in check_ids
    ] + [
        f"the claim {claim.id} names {name!r}, which is no id of a check; correct it"
        for claim in here.claims
        for name in claim.checks
        if not ID_PATTERN.match(name) and not CLAIM_ID.fullmatch(name)
    ]


def _each(
    template: Template, environment: Environment, words: Mapping[str, str], taken: set[str]
) -> list[Claim]:
    subjects = _subjects(template.per or "", environment)
    prefix, first = template.id.split("-")
    numbers = (f"{prefix}-{number:02d}" for number in count(int(first)))
    free = (name for name in numbers if name == template.id or name not in taken)
    names = list(subjects)
    return [
        _claim(template, next(free), {**words, **own}, tuple(other for other in names if other != name))
        for name, own in subjects.items()
    ]


def _claim(
    template: Template,
    name: str,
    words: Mapping[str, str],
    others: tuple[str, ...] = (),
    more: tuple[str, ...] = (),
) -> Claim:
    about = None if template.about is None else _filled(template.about, words)
    return Claim(
        name,
        template.section,
        _filled(template.text, words),
        _filled(template.fix, words),
        about,
        (*template.checks, *more, *((template.id,) if name != template.id else ())),
        others,
        template.fix_when,
    )


def _own(environment: Environment, taken: set[str]) -> tuple[Claim, ...]:
    if environment.claims is None:
        return ()
    path = environment.source.parent / environment.claims
    own = load_own_claims(path)
    twice = [
        f"{path}: the id {one.id} is one of the suite's own claims; give it another"
        for one in own
        if one.id in taken
    ]
    subjects = [*environment.aliases, *(backend.name for backend in environment.backends)]
    nobody = [
        f"{path}: the claim {one.id} is about {one.about!r}, which is no model, group or backend of "
        f"{environment.name}{nearest(one.about, subjects)}; correct it"
        for one in own
        if one.about is not None and one.about not in subjects
    ]
    if twice or nobody:
        raise ClaimsError([*twice, *nobody])
    return tuple(Claim(one.id, one.section, one.text, one.fix, one.about, one.checks) for one in own)


def _filled(text: str, words: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: words.get(match[1], match[0]), text)


def _subjects(per: str, environment: Environment) -> dict[str, dict[str, str]]:
    """What a template stands for, each with its words; balanced groups before single models, chat before
    embedding."""
    if per == "group":
        return {group.alias: {"group": group.alias} for group in environment.groups}
    if per == "backend":
        seen = [one for one in environment.backends if one.direct or environment.host is not None]
        return {
            one.name: {"backend": one.name, "answers": "answers" if one.direct else "answers the gateway"}
            for one in seen
        }
    listed: list[Group | Model] = [*environment.groups, *environment.models]
    entries = [entry for kind in ModelKind for entry in listed if entry.kind is kind]
    return {entry.alias: {"alias": entry.alias, "kind": entry.kind.value} for entry in entries}


def _of_nothing(per: str | None) -> dict[str, str]:
    return (
        {}
        if per is None
        else {per: f"of each {per}", "alias": "of each alias", "kind": "declared", "answers": "answers"}
    )


def _missing(need: str, environment: Environment) -> str:
    """Why a need is not met, or nothing."""
    match need:
        case "chat" | "embeddings":
            kind = ModelKind.CHAT if need == "chat" else ModelKind.EMBEDDING
            return "" if environment.aliases_of(kind) else f"no {kind.value} model is declared"
        case "groups":
            return "" if environment.groups else "no balanced group is declared"
        case "backends":
            return "" if environment.backends else "no backend is declared"
        case "releases":
            return "" if _has_a_release(environment) else "of no product in use are advisories published"
        case "gateway.known_default_keys":
            return "" if environment.gateway.known_default_keys else "no known default key is declared"
    if environment.host is None:
        return "no [host] is declared"
    name = need.removeprefix("host.")
    if need == "host" or getattr(environment.host, name):
        return ""
    return f"{need} is not declared"


def _has_a_release(environment: Environment) -> bool:
    """Whether advisories are published of anything in use; of what a machine has they always are."""
    gateway = product_of(environment.gateway).package is not None
    backends = any(one.product in BACKEND_PACKAGES and one.direct for one in environment.backends)
    return gateway or backends or environment.host is not None


def _words(environment: Environment) -> dict[str, str]:
    """The words of an environment that templates may use; general ones where it has none."""
    host = environment.host
    setting = product_of(environment.gateway).key_setting
    words = {
        "servers_are": _servers([backend.product for backend in environment.backends]),
        "for_whom": "" if all(backend.direct for backend in environment.backends) else " for the gateway",
        "models_are_configured": _models(environment),
        "key_setting": setting or "its key",
        "user": "the declared one",
        "owner": "root",
        "tree_group": "GROUP",
        "file_mode": "644",
        "directory_mode": "755",
        "script_mode": "755",
        "tree": "TREE",
        "unit": "SERVICE",
        "top_directories": "the declared ones",
        "deployment_script": "SCRIPT",
        "documentation": "the declared directory",
        "service_scripts": "are",
        "configuration_top": "config",
        "scripts_top": "scripts",
    }
    if host is None:
        return words
    tops = dict.fromkeys(name.split("/")[0] for name in host.directories)
    return words | {
        "user": host.user,
        "owner": host.owner,
        "tree_group": host.tree_group,
        "file_mode": host.file_mode.removeprefix("0"),
        "directory_mode": host.directory_mode.removeprefix("0"),
        "script_mode": host.script_mode.removeprefix("0"),
        "tree": host.tree,
        "unit": host.unit.removesuffix(".service"),
        "top_directories": ", ".join(tops) or words["top_directories"],
        "deployment_script": host.deployment_script or words["deployment_script"],
        "documentation": host.documentation or words["documentation"],
        "service_scripts": _scripts(host.service_scripts),
        "configuration_top": (host.configuration or "config").split("/")[0],
        "scripts_top": (host.scripts[0] if host.scripts else "scripts").split("/")[0],
    }


def _scripts(paths: Sequence[str]) -> str:
    names = [path.split("/")[-1].rsplit(".", 1)[0] for path in paths]
    if len(names) <= 1:
        return f"{names[0]} is" if names else "are"
    return f"{', '.join(names[:-1])} and {names[-1]} are"


def _number(count_of: int) -> str:
    return NUMBERS[count_of] if count_of < len(NUMBERS) else str(count_of)


def _servers(products: Sequence[str]) -> str:
    """``All three Ollama servers are``, ``Both upstream servers are``, ``The Ollama server is``"""
    kinds = set(products)
    noun = SERVERS[products[0]] if len(kinds) == 1 else "upstream server"
    if len(products) == 1:
        return f"The {noun} is"
    return f"{'Both' if len(products) == 2 else f'All {_number(len(products))}'} {noun}s are"


def _models(environment: Environment) -> str:
    """How many models of which kinds, and no others, as a sentence."""
    counted = {kind: len(environment.aliases_of(kind)) for kind in ModelKind}
    kinds = [(kind.value, number) for kind, number in counted.items() if number]
    total = sum(counted.values())
    if total == 1:
        article = "an" if kinds[0][0][0] in "aeiou" else "a"
        return f"One model is configured, {article} {kinds[0][0]} model: the declared one and no other"
    if len(kinds) == 1:
        text = f"{'both' if total == 2 else f'all {_number(total)}'} {kinds[0][0]}"
    else:
        text = " and ".join(f"{_number(number)} {kind}" for kind, number in kinds)
    return f"{_number(total).capitalize()} models are configured, {text}: the declared ones and no others"
