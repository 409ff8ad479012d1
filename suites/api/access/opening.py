"""Tries ways in, and tells which of them opened something."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence

from gateway_acceptance.environment.gateway_section import is_declared
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.exchange import Exchange
from suites.api.access.routes import COST, Protected, protected
from suites.api.access.said import public_path
from suites.api.access.way import WEBSOCKET, WayIn
from suites.api.auth.probes import ProtectedRoute
from suites.api.auth.rules import made_up
from suites.api.auth.served import grants_access, judged_the_body, lists_models
from suites.api.auth.tried import LIST, on_the_list, refused_plainly, tried_route

ENOUGH = 12
"""Ways that are named: a door is open, and every further look shows more of what is behind."""


def sent(target: Target, way: WayIn, json_body: dict[str, object] | None = None, tokens: int = 0) -> Exchange:
    """The answer to a way. json_body: of the route, to which the way may add."""
    body = {**(json_body or {}), **dict(way.body)} if json_body is not None or way.body else None
    return target.gateway.without_key(
        way.method,
        way.target,
        hosts=way.hosts,
        headers=way.headers,
        json_body=body,
        tokens=tokens,
        version=way.version,
    )


def to_the_list(target: Target, ways: Iterable[WayIn]) -> list[Problem]:
    """The ways that end at the list of models, or, where it is declared open, at the route that is tried
    instead. Raises Untestable where that is open to everybody, NoAnswer where none of them was answered."""
    plain = refused_plainly(target)
    if not on_the_list(target):
        return to_a_route(target, Protected(tried_route(target), plain), ways)
    tried = [way for way in ways if way.headers or not _declared(way.target, target)]
    problems, answers = _opened(target, tried, lambda way: sent(target, way), lists_models)
    if answers and all(answer.status is None for answer in answers):
        raise NoAnswer(f"{target.gateway.url}: {answers[0].error}")
    return [Problem("", f"{what} {LIST} is served: {name}") for what, name in problems]


def _declared(path: str, target: Target) -> bool:
    """Whether the environment declares just this path open; one that only begins as an open one does, and
    leads elsewhere, is none."""
    leads = any(sign in path for sign in ("..", ";", "%", "//", "\\"))
    return not leads and is_declared(path, target.environment.gateway.public_paths)


def to_a_route(target: Target, shut: Protected, ways: Iterable[WayIn]) -> list[Problem]:
    """The ways that end at a protected route. Open pages, and the refusal of a made-up key, are asked for
    only where an answer has to be held against them."""
    return _to_a_route(target, shut, ways)[0]


def to_a_door(target: Target, route: ProtectedRoute, bundles: Sequence[WayIn]) -> list[Problem]:
    """The same of ways that are asked together. Whoever answers the first otherwise than a request that says
    nothing may mind one part of it, such as its Host: then each part is asked for itself. That the route
    refuses who says nothing is asked where one was served: else it is API-AUTH-015's."""
    plain = refused_plainly(target)
    shut = Protected(route, plain)
    opened, answers = _to_a_route(target, shut, bundles[:1])
    minded = not opened and any(answer.status != plain.status for answer in answers)
    others = [part for bundle in bundles for part in bundle.parts] if minded else bundles[1:]
    opened += _to_a_route(target, shut, others)[0]
    if not opened:
        return []
    guilty = target.notebook.exchanges[-1]
    if not protected(target, [route]):
        target.once(open_to_all(route.path), lambda: True)
        return []
    target.notebook.show(guilty)
    return opened


def open_to_all(path: str) -> tuple[str, ...]:
    """Under which is kept that a route was seen served to who says nothing."""
    return "access", "open to all", path


def _to_a_route(
    target: Target, shut: Protected, ways: Iterable[WayIn]
) -> tuple[list[Problem], list[Exchange]]:
    route = shut.route

    def ask(way: WayIn) -> Exchange:
        return sent(target, way, route.body, tokens=COST)

    def seen(answer: Exchange) -> bool:
        if grants_access(answer):
            return grants_access(answer, decoys_of(target))
        refusals = (shut.plain,)
        if route.body is None or not judged_the_body(answer, refusals):
            return False
        return judged_the_body(answer, (shut.plain, wrongly(target, shut)))

    # a handshake is a GET: a server may wait for more of one that has a body (RFC 6455 section 4.1)
    tried = [
        way.at(route.method, route.path) for way in ways if route.body is None or way.headers != WEBSOCKET
    ]
    problems, answers = _opened(target, tried, ask, seen)
    return [Problem("", f"{what} {route.path} is served: {name}") for what, name in problems], answers


def wrongly(target: Target, shut: Protected) -> Exchange:
    """What a protected route answers to a made-up key, asked once."""
    route = shut.route
    return target.once(
        ("access", "wrong", route.method, route.path),
        lambda: target.gateway.without_key(
            route.method,
            route.path,
            json_body=route.body,
            headers=[("authorization", f"Bearer {made_up()}")],
            tokens=COST,
        ),
    )


def _opened(
    target: Target, ways: Iterable[WayIn], ask: Callable[[WayIn], Exchange], seen: Callable[[Exchange], bool]
) -> tuple[list[tuple[str, str]], list[Exchange]]:
    """(method, what opened) of the ways that did, and all answers. Of a bundle, its parts are named."""
    opened: list[tuple[str, str]] = []
    answers: list[Exchange] = []
    guilty: Exchange | None = None
    for way in ways:
        answer = ask(way)
        answers.append(answer)
        if not seen(answer):
            continue
        guilty = guilty or answer
        parts = []
        for part in way.one_by_one():
            alone = ask(part)
            if seen(alone):
                guilty = alone
                parts.append((way.method, f"{way.name}, by {part.name}"))
            if len(opened) + len(parts) >= ENOUGH:
                break
        opened += parts or [(way.method, way.name)]
        if len(opened) >= ENOUGH:
            break
    if guilty is not None:  # what is shown as the request to ask again is the last one
        target.notebook.show(guilty)
    return opened, answers


def decoys_of(target: Target) -> list[Exchange]:
    """The pages that are open, which a request may have named besides, and what is answered at paths that
    nobody has: as of ``grants_access``."""
    lost = f"no-such-page-{secrets.token_hex(4)}"
    paths = ("/", public_path(target.environment), "/docs", "/ui/", f"/{lost}", f"/v1/{lost}", f"/api/{lost}")
    return target.once(
        ("access", "decoys"), lambda: [target.gateway.without_key("GET", path) for path in paths]
    )
