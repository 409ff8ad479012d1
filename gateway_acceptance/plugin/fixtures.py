"""What checks ask for. Premises are in the name: ``gateway`` answers and accepts the key."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from gateway_acceptance.check import SMOKE
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.model import GATEWAY_MACHINE
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.picture import harmless
from gateway_acceptance.plugin.options import user_folder
from gateway_acceptance.plugin.parametrise import AXES, DECLARED_BY, NONE_DECLARED, check_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.worker import STATE
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from gateway_acceptance.wire.gateway import GatewayClient

if TYPE_CHECKING:  # the official SDK takes longer to import than a smoke takes to be collected
    import openai

    from gateway_acceptance.disruptor import Disruptor
    from gateway_acceptance.wire.backends import BackendClient
    from gateway_acceptance.wire.sdk import AsyncSdk, Got


@pytest.fixture(scope="session")
def environment(request: pytest.FixtureRequest) -> Environment:
    """The environment that this case judges."""
    return request.config.stash[STATE].environment(request.param)


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, environment: Environment) -> Target:
    """The environment made ready: clients, budget, shared observations."""
    return request.config.stash[STATE].target(environment)


@pytest.fixture
def any_gateway(target: Target) -> GatewayClient:
    """The gateway without any premise; only for checks of the premises themselves. Where it is dead, silent
    or ill as a whole they fail, with the cause and its fix."""
    found = target.preflight()
    if found.silent:
        raise CheckFailed(str(found.trouble), blame="gateway")
    return target.gateway


@pytest.fixture
def live_gateway(target: Target) -> GatewayClient:
    """The gateway; untestable where it gives no answer at all."""
    target.require_answer()
    return target.gateway


@pytest.fixture
def gateway(target: Target) -> GatewayClient:
    """The gateway; untestable where it gives no answer or refuses the environment's key."""
    target.require_key()
    return target.gateway


@pytest.fixture
def sdk(target: Target) -> openai.OpenAI:
    """The official SDK with strict validation and no retries; premises as of ``gateway``."""
    target.require_key()
    return target.sdk


@pytest.fixture
def async_sdk(target: Target) -> AsyncSdk:
    """The official asynchronous SDK, as honest as ``sdk``; premises as of ``gateway``."""
    target.require_key()
    from gateway_acceptance.wire.sdk import async_sdk_client

    def run(use: Callable[[openai.AsyncOpenAI], Awaitable[Got]]) -> Got:
        async def used() -> Got:
            async with async_sdk_client(
                target.environment, target.key, target.notebook, target.budget, conduct=target.conduct
            ) as client:
                return await use(client)

        import asyncio  # the checks that ask so are few

        return asyncio.run(used())

    return run


@pytest.fixture
def note(target: Target) -> Callable[[str, object], None]:
    """``note("dimensions", 1024)``: a measured fact, for the tracker."""

    def noted(name: str, value: object) -> None:
        target.notebook.facts[name] = str(value)

    return noted


@pytest.fixture
def picture(target: Target) -> Callable[[str, str], None]:
    """``picture("who served what", svg)``: a drawing for tracker and report, an SVG document that loads
    nothing; raises ValueError for one that is none."""

    def drawn(name: str, svg: str) -> None:
        target.notebook.pictures[name] = harmless(svg)

    return drawn


@pytest.fixture
def waivable(request: pytest.FixtureRequest, gateway: GatewayClient) -> bool:
    """Whether a waiver speaks of this case; then a violation must not end the search for others, which the
    waiver does not accept."""
    assert gateway  # it told its version, which is a waiver's scope
    from gateway_acceptance.plugin.outcome import waivers_of  # of runs, not of collections

    check = check_of(request.node)
    return check is not None and bool(waivers_of(check.id, request.node, request.config.stash[STATE]))


@pytest.fixture
def in_smoke(request: pytest.FixtureRequest) -> bool:
    """Whether the run is a smoke: what is promised of every model may then be asked of one."""
    marked: str = request.config.option.markexpr
    return marked.strip() == SMOKE


@pytest.fixture
def disruptor(request: pytest.FixtureRequest, environment: Environment) -> Iterator[Disruptor]:
    """Who takes backends away, for a check of effect ``disrupt``; everything is given back when it ends.
    Untestable where the environment has none."""
    from gateway_acceptance.embedded import NotStarted, disruptor_of  # few checks ask for it

    try:
        opened = disruptor_of(environment, user_folder(request.config))
    except NotStarted as failure:
        raise Untestable(failure.sentence, "start the lab anew: gateway-acceptance lab down") from None
    if opened is None:
        raise Untestable(
            f"nobody can take the backends of {environment.name} away",
            f"take 'disrupt' out of policy.effects of {environment.source.name}",
        )
    with contextlib.closing(opened):
        yield opened


@pytest.fixture(scope="session")
def chat_model(request: pytest.FixtureRequest) -> str:
    """The alias of a chat model; balanced groups are among them."""
    return _declared("chat_model", request.param)


@pytest.fixture(scope="session")
def embedding_model(request: pytest.FixtureRequest) -> str:
    """The alias of an embedding model."""
    return _declared("embedding_model", request.param)


@pytest.fixture(scope="session")
def group(request: pytest.FixtureRequest) -> str:
    """The alias of a balanced group."""
    return _declared("group", request.param)


@pytest.fixture(scope="session")
def default_key(request: pytest.FixtureRequest) -> str:
    """A key that is known to the world, and must not be accepted."""
    return _declared("default_key", request.param)


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest, target: Target) -> BackendClient:
    """A backend asked directly."""
    return target.backend(_declared("backend", request.param))


@pytest.fixture(scope="session")
def backend_name(request: pytest.FixtureRequest) -> str:
    """A declared backend, be it to be asked from here or not."""
    return _declared("backend_name", request.param)


@pytest.fixture(scope="session")
def machine_name(request: pytest.FixtureRequest) -> str:
    """The name of a declared machine, without any premise; only for the check that it can be looked at."""
    return _declared("machine_name", request.param)


@pytest.fixture(scope="session")
def machine(request: pytest.FixtureRequest, target: Target) -> MachineFacts:
    """What was seen of a declared machine: the gateway's, and each backend's where it is declared."""
    return target.machine(_declared("machine", request.param))


@pytest.fixture(scope="session")
def host(target: Target) -> MachineFacts:
    """What was seen of the gateway's own machine."""
    if target.environment.host is None:
        raise NotApplicable("the environment declares no [host]", declared="host")
    return target.machine(GATEWAY_MACHINE)


@pytest.fixture(scope="session")
def backend_host(request: pytest.FixtureRequest, target: Target) -> MachineFacts:
    """What was seen of a backend's machine."""
    return target.machine(_declared("backend_host", request.param))


@pytest.fixture(scope="session")
def directive(request: pytest.FixtureRequest, target: Target) -> tuple[MachineFacts, str]:
    """A machine, and the name of a hardening directive that is declared for its unit."""
    name, word = _declared("directive", request.param).split(" ", 1)
    return target.machine(name), word


def _declared(axis: str, value: str) -> str:
    if value == NONE_DECLARED:
        raise NotApplicable(f"the environment declares no {AXES[axis][0]}", declared=DECLARED_BY[axis])
    return value
