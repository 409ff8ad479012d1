"""What must hold of the gateway's deployments, and of what witnesses say: observations in, problems out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from gateway_acceptance.environment import Environment, ServedModel
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.backends import full_name
from gateway_acceptance.wire.deployments import Listed

Place = tuple[str, str, str]
"""Alias, backend, full name of the upstream model."""


def declared_places(environment: Environment) -> Counter[Place]:
    """How often each deployment is declared."""
    return Counter(
        (alias, served.backend, full_name(served.upstream))
        for alias, served in environment.deployments
        if served.declared
    )


def _untold(environment: Environment) -> set[str]:
    """The aliases of which the environment does not say what serves them."""
    return {alias for alias, served in environment.deployments if not served.declared}


def listed_places(listed: Sequence[Listed]) -> Counter[Place]:
    """How often the gateway lists each deployment."""
    return Counter((entry.alias, entry.backend, full_name(entry.upstream)) for entry in listed)


def missing(environment: Environment, listed: Sequence[Listed]) -> list[Problem]:
    """Declared deployments that the gateway does not have. It need not tell those of a hidden alias."""
    wanted = declared_places(environment) - listed_places(listed)
    shown = {place: times for place, times in wanted.items() if place[0] in environment.listed}
    return _each(Counter(shown), "is declared, and the gateway lacks it")


def undeclared(environment: Environment, listed: Sequence[Listed]) -> list[Problem]:
    """Deployments of the gateway that nobody declared; one too many of the same counts."""
    untold = _untold(environment)
    judged = [one for one in listed if one.alias not in untold and not environment.unjudged(one.alias)]
    return _each(listed_places(judged) - declared_places(environment), "is not declared")


def other_weights(environment: Environment, listed: Sequence[Listed]) -> list[Problem]:
    """Deployments of balanced groups whose weight is not the declared one; absent is a value of its own: a
    missing weight counts as zero as soon as another deployment has one (LiteLLM's simple-shuffle)."""
    problems = []
    for group in environment.groups:
        declared = Counter(
            (member.backend, full_name(member.upstream), member.weight) for member in group.deployments
        )
        seen = Counter(
            (entry.backend, full_name(entry.upstream), entry.weight)
            for entry in listed
            if entry.alias == group.alias
        )
        known = {place[:2] for place in declared}
        for backend, upstream, weight in (seen - declared).elements():
            if (backend, upstream) in known:
                wanted = [word(place[2]) for place in declared if place[:2] == (backend, upstream)]
                problems.append(
                    Problem(
                        "",
                        f"{group.alias} → {upstream} on {backend} has {word(weight)}, "
                        f"declared is {' and '.join(wanted)}",
                    )
                )
    return problems


def word(weight: float | None) -> str:
    """A weight in words."""
    return "no weight" if weight is None else f"weight {weight:g}"


def without_own_id(environment: Environment, listed: Sequence[Listed]) -> list[Problem]:
    """Deployments that cannot be told apart by their id. One that is listed once under each of its names is
    one deployment (LiteLLM's model_group_alias); of the names of a wildcard nobody judges any."""
    judged = [entry for entry in listed if not environment.unjudged(entry.alias)]
    return [
        Problem("", f"{entry} has {'no id' if not entry.id else f'the id {entry.id}, and so has another'}")
        for entry in judged
        if not entry.id or any(_another(entry, one) for one in judged if one is not entry)
    ]


def _another(entry: Listed, one: Listed) -> bool:
    """Whether one of the same id is another deployment."""
    same = (one.backend, full_name(one.upstream)) == (entry.backend, full_name(entry.upstream))
    return one.id == entry.id and (one.alias == entry.alias or not same)


def by_id(listed: Sequence[Listed]) -> dict[str, list[Listed]]:
    """The names under which each deployment is listed, by its id."""
    found: dict[str, list[Listed]] = {}
    for entry in listed:
        found.setdefault(entry.id, []).append(entry)
    return found


def not_held(
    listed: Sequence[Listed],
    backend: str,
    held: Collection[str],
    name_of: Callable[[str], str] = full_name,
) -> list[Problem]:
    """Upstream models that the gateway would ask a backend for, and that the backend does not have. name_of:
    how the backend lists a model."""
    return [
        Problem("", f"{entry}: {backend} has no such model; it has {', '.join(sorted(held)) or 'none'}")
        for entry in listed
        if entry.backend == backend and name_of(entry.upstream) not in held
    ]


def elsewhere(alias: str, declared: Sequence[ServedModel], served: Mapping[str, int]) -> list[Problem]:
    """Requests to an alias that were served by a backend which is not declared for it. served: requests by
    backend; what no witness speaks of is under the empty name, and says nothing."""
    known = {deployment.backend for deployment in declared}
    return [
        Problem("", f"{alias} was served by {name} ({times} times); declared is {', '.join(sorted(known))}")
        for name, times in sorted(served.items())
        if name and times > 0 and name not in known
    ]


def other_upstreams(
    alias: str, declared: Sequence[ServedModel], counted: Mapping[str, Mapping[str, int]]
) -> list[Problem]:
    """Models that the backends counted for requests to an alias, and that are not declared for it.
    counted: backend -> full model name -> requests."""
    known = {(deployment.backend, full_name(deployment.upstream)) for deployment in declared}
    return [
        Problem(
            "",
            f"{alias} reached {model} on {backend} ({times} times); declared is "
            + ", ".join(f"{upstream} on {name}" for name, upstream in sorted(known)),
        )
        for backend, models in sorted(counted.items())
        for model, times in sorted(models.items())
        if times > 0 and (backend, model) not in known
    ]


def disagreement(
    header: Mapping[str, int], counted: Mapping[str, Mapping[str, int]], *, exact: bool
) -> list[Problem]:
    """Where the gateway's header and the backends' own counts cannot both be true.

    header: requests by backend, as the header says; counted: backend -> model -> requests, of the backends
    that count. exact: only these requests were counted; else others may have been too, and a backend can only
    have counted too few.
    """
    problems = []
    for name, models in sorted(counted.items()):
        said, own = header.get(name, 0), sum(models.values())
        if own < said or (exact and own != said):
            problems.append(
                Problem("witnesses.disagree", f"the header names {name} {said} times, {name} counted {own}")
            )
    return problems


def not_once(sent: int, counted: Mapping[str, Mapping[str, int]], *, exact: bool) -> list[Problem]:
    """Answered requests that reached no backend, or more than one time."""
    own = sum(sum(models.values()) for models in counted.values())
    if own < sent:
        return [Problem("", f"{sent} requests were answered, the backends counted {own}: a cache, or others")]
    if exact and own > sent:
        return [Problem("", f"{sent} requests were answered, the backends counted {own}: hidden retries")]
    return []


def _each(places: Counter[Place], what: str) -> list[Problem]:
    return [
        Problem("", f"{alias} → {upstream} on {backend or 'no address'} {what}")
        for alias, backend, upstream in places.elements()
    ]
