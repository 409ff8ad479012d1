"""API-STREAM: clients that go away in mid-stream; users do it all the time."""

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.backends import Offer
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.meter import Chance
from suites.api.asking import last_direct_chat, single_chat
from suites.api.streams.leaving import MOST_REQUESTS, health_problems, leave, slot_freed

SEVERAL = 4


@check(
    "API-STREAM-090",
    "the gateway stays healthy after a client disconnects in mid-stream",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="RFC 9110 section 2.1: requests are independent of each other",
)
def test_one_leaves(target: Target, gateway: GatewayClient) -> None:
    """It is alive, and the same model answers the next request within the declared bound."""
    alias = single_chat(target.environment).alias
    leave(target, alias)
    require(health_problems(target, alias), blame="gateway")


@check(
    "API-STREAM-091",
    "several clients that leave one after the other leave the gateway well",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="RFC 9110 section 2.1: requests are independent of each other",
)
def test_several_leave(target: Target, gateway: GatewayClient) -> None:
    """What leaks with each of them (connections, permits of a limit) shows after a few."""
    alias = single_chat(target.environment).alias
    for _ in range(SEVERAL):
        leave(target, alias)
    require(health_problems(target, alias), blame="gateway")


@check(
    "API-STREAM-092",
    "a client that leaves in mid-stream frees the backend's slot",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="environment: bounds.concurrency; LiteLLM #30244: the backend goes on for nobody; ollama sched.go",
)
def test_slot_freed(target: Target, gateway: GatewayClient) -> None:
    """A backend serves few requests at a time. One that goes on for a client that has left takes the place of
    one that waits. Ollama shows it: a model's time until unloading begins anew when its last request ends."""
    model = last_direct_chat(target.environment)
    target.backend(model.backend).require(Offer.IDLE_MARK)
    with target.notebook.meter.chance(Chance.WAIT, MOST_REQUESTS):
        slot_freed(target, model)
