"""The measured cost of every check: ``suites/costs.json``, made by ``gateway-acceptance costs --write``.

A case costs what its own requests do, and each observation that several cases share costs once per
process. What a case concerns is kept in words that hold for other environments (``chat_model: tools,
seed``), so that the table speaks of models, groups and backends that it never saw (docs/plan.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gateway_acceptance.environment import Environment
from gateway_acceptance.usage import UsageProblem

MODELS = frozenset({"chat_model", "embedding_model"})
BACKENDS = frozenset({"backend", "backend_name"})
PLACES = frozenset(
    {"backend", "backend_name", "backend_host", "group", "machine", "machine_name", "directive"}
)
"""Parameters whose value is a name of the environment: what a case costs does not depend on which."""
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Priced:
    """What one kind of case, or one shared observation, costs. tokens: that the policy must reserve; served:
    that the answers took; uses: templates of shared observations; drawn: how many of the requests chance or
    time decided, by what decides (``wire.meter.Chance``); most: how many they can be, where that does not
    depend on the environment."""

    requests: int = 0
    tokens: int = 0
    served: int = 0
    seconds: float = 0.0
    uses: tuple[str, ...] = ()
    drawn: Mapping[str, int] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)

    @property
    def certain(self) -> int:
        """The requests that are sent in any case."""
        return self.requests - sum(self.drawn.values())


@dataclass(frozen=True, slots=True)
class Costs:
    """The table. of: where, of what and when it was measured; fingerprint: requests of both fingerprints of
    the gateway in smoke (at the start, and again at the end); checks: prices by check id and kind of case;
    shared: by template; smoke: the same of a run of smoke alone, which comes by some observations for
    less."""

    of: Mapping[str, str]
    fingerprint: int
    checks: Mapping[str, Mapping[str, Priced]] = field(default_factory=dict)
    shared: Mapping[str, Priced] = field(default_factory=dict)
    smoke: Costs | None = None

    def price(self, check: str, kind: str, place: str = "") -> tuple[Priced, bool] | None:
        """What a case costs, and whether just this kind was measured; the nearest kind of the same check
        where it was not; None for a check that was never measured. place: as ``place_of``, for checks whose
        first case of a kind costs more than those that follow."""
        kinds = self.checks.get(check)
        if not kinds:
            return None
        if kind in kinds:
            return kinds.get(f"{kind}{place}", kinds[kind]), True
        wanted = set(_words(kind))
        nearest = max(kinds, key=lambda one: (len(wanted & set(_words(one))), -len(_words(one)), one))
        return kinds[nearest], False


def _words(kind: str) -> list[str]:
    return kind.replace(":", ",").replace(";", ",").split(",")


def kind_of(parameters: Mapping[str, str], environment: Environment) -> str:
    """What a case concerns, in words that hold for any environment."""
    parts = []
    for name, value in sorted(parameters.items()):
        if name in MODELS:
            parts.append(f"{name}:{_model(value, environment)}")
        elif name in PLACES:
            parts.append(name)
        else:
            parts.append(f"{name}={value}")
    return ";".join(parts)


def place_of(parameters: Mapping[str, str], environment: Environment) -> str:
    """Which of the environment's models a case concerns, or how many models a backend has, as the end of a
    kind; nothing where it concerns neither."""
    found = ""
    for name, value in sorted(parameters.items()):
        if name in MODELS and value in environment.aliases:
            found += f"@{environment.aliases.index(value)}"
        elif name in BACKENDS:
            served = (one for alias in environment.aliases for one in environment.deployments_of(alias))
            found += f"@{len({one.upstream for one in served if one.backend == value})} models"
    return found


def _model(alias: str, environment: Environment) -> str:
    if alias not in environment.aliases:
        return "none"
    served = environment.deployments_of(alias)
    able = set.intersection(*(set(environment.abilities_of(one)) for one in served))
    balanced = ["group"] if len(served) > 1 else []
    return ",".join([*balanced, *sorted(ability.value for ability in able)])


def template_of(name: str, parameters: Mapping[str, str]) -> str:
    """The name of a shared observation without what this case concerns."""
    for parameter, value in parameters.items():
        if value and (parameter in MODELS or parameter in PLACES):
            name = name.replace(value, f"{{{parameter}}}")
    return name


def named(template: str, parameters: Mapping[str, str]) -> str:
    """The observation that a template means for a case."""
    for parameter, value in parameters.items():
        template = template.replace(f"{{{parameter}}}", value)
    return template


def load_costs(path: Path) -> Costs:
    """Read the table. Raises UsageProblem."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        of, fingerprint = document["of"], document["look"]
        smoke = Costs(of, fingerprint, *_read(document["smoke"])) if "smoke" in document else None
        return Costs(of, fingerprint, *_read(document), smoke)
    except FileNotFoundError:
        raise UsageProblem(
            [
                f"{path}: is not there, and nothing can be planned without it; "
                "gateway-acceptance costs --write makes it"
            ]
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageProblem(
            [f"{path}: is no table of costs ({error}); gateway-acceptance costs --write makes it anew"]
        ) from None


def _read(document: Mapping[str, Any]) -> tuple[dict[str, dict[str, Priced]], dict[str, Priced]]:
    checks = {
        check: {kind: _priced(one) for kind, one in kinds.items()}
        for check, kinds in document["checks"].items()
    }
    return checks, {name: _priced(one) for name, one in document["shared"].items()}


def _priced(document: Mapping[str, Any]) -> Priced:
    return Priced(**{**document, "uses": tuple(document.get("uses", ()))})


def table(
    lines: Sequence[Mapping[str, Any]],
    environment: Environment,
    of: Mapping[str, str],
    fingerprint: int,
    smoke: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The text of the table, from what the cases of a run have written down (``measured``). smoke: those of
    a run of smoke alone."""
    document = {"of": dict(of), "look": fingerprint, **_prices(lines, environment)}
    if smoke:
        document["smoke"] = _prices(smoke, environment)
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _prices(lines: Iterable[Mapping[str, Any]], environment: Environment) -> dict[str, Any]:
    checks: dict[str, dict[str, Priced]] = {}
    shared: dict[str, Priced] = {}
    for line in lines:
        kind = kind_of(line["parameters"], environment)
        kinds = checks.setdefault(line["check"], {})
        own = _general(line["own"], line["parameters"])
        for name in dict.fromkeys((kind, kind + place_of(line["parameters"], environment))):
            kinds[name] = max(kinds.get(name, own), own, key=lambda one: (one.requests, one.tokens))
        for name, cost in line["shared"].items():
            template = template_of(name, line["parameters"])
            price = _general(cost, line["parameters"])
            shared[template] = max(
                shared.get(template, price), price, key=lambda one: (one.requests, one.tokens)
            )
    return {
        "checks": {
            check: {kind: _written(one) for kind, one in sorted(_distinct(kinds).items())}
            for check, kinds in sorted(checks.items())
        },
        "shared": {name: _written(one) for name, one in sorted(shared.items())},
    }


def _distinct(kinds: Mapping[str, Priced]) -> dict[str, Priced]:
    """Without the places whose price is that of their kind."""
    found = {}
    for name, price in kinds.items():
        kind = name.partition("@")[0]
        same = kinds[kind]
        if name == kind or (price.requests, price.tokens) != (same.requests, same.tokens):
            found[name] = price
    return found


def _general(cost: Mapping[str, Any], parameters: Mapping[str, str]) -> Priced:
    uses = tuple(sorted(template_of(name, parameters) for name in cost["uses"]))
    seconds = round(max(0.0, cost["seconds"]), 2)
    sent = cost["requests"], cost["tokens"], cost["served"]
    return Priced(*sent, seconds, uses, cost["drawn"], cost["most"])


def _written(price: Priced) -> dict[str, Any]:
    return {name: value for name, value in asdict(price).items() if value}
