"""Requests that carry a mark, and what both witnesses say of them: asked once per worker."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from gateway_acceptance.environment import Backend, Environment, ModelKind, ServedModel
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from gateway_acceptance.wire.backends import client_of
from gateway_acceptance.wire.deployments import Listed, listed_deployments
from gateway_acceptance.wire.exchange import Exchange

REQUESTS = 3
"""Per alias: enough that a header which is right by chance (one of three) is found out in most runs, and
cheap."""
TOKENS = 16
MARK = "{mark}"

Counted = Mapping[str, Mapping[str, int]]
"""Backend -> full model name -> requests."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """header: answered requests by backend, under the empty name where no header says; counted: of the
    backends that count; exact: they counted only these requests."""

    sent: int
    answers: tuple[Exchange, ...]
    header: Mapping[str, int]
    counted: Counted
    exact: bool


def witnessed(target: Target, alias: str) -> Witnessed:
    """The same marked question to an alias, several times over. Raises CheckFailed where one is not
    answered."""
    return target.once(("witnessed", alias), lambda: _ask(target, alias))


def counting(environment: Environment) -> list[Backend]:
    """The backends whose own count is declared."""
    return [backend for backend in environment.backends if backend.counts is not None]


def declared_of(environment: Environment, alias: str) -> list[ServedModel]:
    """What is declared to stand behind an alias. Raises NotApplicable where nothing is."""
    served = environment.deployments_of(alias)
    if not all(one.declared for one in served):
        raise NotApplicable(f"what serves {alias} is not declared", declared="models.backend")
    return served


def require_counts(environment: Environment) -> None:
    """Raises NotApplicable where not every backend counts, or none is declared."""
    if len(counting(environment)) < max(1, len(environment.backends)):
        raise NotApplicable(
            "the environment declares no second witness (counts) of every backend", declared="backends.counts"
        )


def require_header(target: Target, seen: Witnessed) -> None:
    """Raises NotApplicable where no header is known, Untestable where it is absent."""
    header = target.gateway.product.served_by
    if header is None:
        raise NotApplicable(
            "no header of this gateway names the backend; declare gateway.served_by_header if there is one",
            declared="gateway.served_by_header",
        )
    if "" in seen.header:
        raise Untestable(
            f"the header {header} is absent, which says who served",
            "let the gateway send it: see BACKEND-WITNESS-005",
        )


def places(target: Target, seen: Witnessed) -> Mapping[str, int]:
    """Requests by backend: as the header says, else as exact counts say. Raises NotApplicable where the
    environment declares neither, Untestable where the header is absent and nobody counts, and what
    ``require_counted`` does."""
    if target.gateway.product.served_by is not None and "" not in seen.header:
        return seen.header
    if seen.exact and seen.counted:
        found = {name: sum(models.values()) for name, models in seen.counted.items()}
        if sum(found.values()) >= seen.sent:
            return found
        if len(found) == len(target.environment.backends):
            require_counted(seen)
    require_header(target, seen)
    return seen.header


def require_counted(seen: Witnessed) -> None:
    """Where every backend counts, all answers are in some count. Raises CheckFailed where none is: the first
    one cannot be from a cache, so a server that nobody declared gave it; Untestable where some are not."""
    own = sum(sum(models.values()) for models in seen.counted.values())
    text = f"{seen.sent} requests were answered, the declared backends counted {own} of them"
    if own == 0:
        raise CheckFailed(f"{text}: a server that nobody declared served them", blame="gateway")
    if own < seen.sent:
        raise Untestable(
            f"{text}: who served the others is not known, a cache or a server that nobody declared",
            "see BACKEND-WITNESS-003",
        )


def listed(target: Target) -> list[Listed]:
    """The gateway's own list of deployments. Raises NotApplicable for a product without one, Untestable where
    it is not told."""
    path = target.gateway.product.deployments_path
    if path is None:
        raise NotApplicable("of this gateway no list of its deployments is known", declared="gateway.product")
    answer = target.once(("deployments",), lambda: target.gateway.get(path))
    found = listed_deployments(answer.json(), target.environment.backends) if answer.status == 200 else None
    if found is None:
        raise Untestable(
            f"{path} lists no deployments: got {answer.status} {answer.text[:160]}",
            "give the environment a key that may read it",
        )
    return found


def embeds(target: Target, alias: str) -> bool:
    """Whether an alias, balanced or not, is one of an embedding model: it must not be asked to chat."""
    return alias in target.environment.aliases_of(ModelKind.EMBEDDING)


def ask_marked(target: Target, alias: str, mark: str, *, embeds: bool, streams: bool = False) -> Exchange:
    """One request with the mark in its text. Raises CheckFailed where it is not answered with 200."""
    if embeds:
        answer = target.gateway.embeddings(alias, f"the mark {mark}")
    else:
        more = {"stream": True} if streams else {}
        answer = target.gateway.chat(
            alias, f"Return exactly the text: {mark}", temperature=0, max_tokens=TOKENS, **more
        )
    if answer.status != 200:
        raise CheckFailed(f"expected 200 for {alias}, got {answer.status}: {answer.text[:300]}")
    return answer


def new_mark() -> str:
    """A text that no other request holds."""
    return f"mark-{uuid.uuid4().hex[:12]}"


def _ask(target: Target, alias: str) -> Witnessed:
    environment, mark = target.environment, new_mark()
    clients = [client_of(backend, target.sender) for backend in counting(environment)]
    exact = all(MARK in (client.backend.counts or "") for client in clients)
    before = {} if exact else {client.backend.name: client.counts(mark) for client in clients}
    kind = embeds(target, alias)
    answers = tuple(ask_marked(target, alias, mark, embeds=kind) for _ in range(REQUESTS))
    counted = {
        client.backend.name: grown(before.get(client.backend.name, {}), client.counts(mark))
        for client in clients
    }
    return Witnessed(len(answers), answers, Counter(answer.served_by for answer in answers), counted, exact)


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """By how much each count grew. Raises Untestable where one fell: the backend was started anew."""
    growth = {model: number - before.get(model, 0) for model, number in after.items()}
    fell = sorted(model for model in before if after.get(model, 0) < before[model])
    if fell:
        raise Untestable(
            f"the count of {', '.join(fell)} fell meanwhile", "run again when no backend restarts"
        )
    return {model: number for model, number in growth.items() if number}
