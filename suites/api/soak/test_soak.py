"""API-SOAK: what becomes of answers while load is held, and after it (docs/soak.md)."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.soak.hold import at_once, soaked
from suites.api.soak.rules import failing, lost, refused_otherwise, slower


@check(
    "API-SOAK-001",
    "no request fails while the declared load is held",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="environment: soak",
    alone=True,
)
def test_none_fails(target: Target, gateway: GatewayClient, note: Callable[[str, object], None]) -> None:
    """As many as declared are always under way, for as long as declared: what a burst does not show."""
    seen = soaked(target)
    soak, most = target.environment.soak, " (soak.requests: the load ended before its time)"
    ended = most if len(seen.held) >= soak.requests else ""
    load = f"{at_once(target.environment)} at once"
    note("soak.requests", f"{len(seen.held)} in {seen.seconds:.1f} s of {soak.seconds:g}, {load}{ended}")
    problems = lost(seen.held, "requests under load")
    require(problems, blame="gateway", judged={"requests under load": len(seen.held)})


@check(
    "API-SOAK-002",
    "answers take no longer at the end of the load, and after it",
    level=SHOULD,
    effect=SPEND,
    claims="STA-06",
    spec="environment: soak.slower",
    alone=True,
)
def test_no_slower(target: Target, gateway: GatewayClient, note: Callable[[str, object], None]) -> None:
    """What grows with every request makes each one wait for all before it."""
    seen, times = soaked(target), target.environment.soak.slower
    quarter = max(1, len(seen.held) // 4)
    problems = slower(seen.held[:quarter], seen.held[-quarter:], times, "at the end of the load")
    problems += slower(seen.before, seen.after, times, "after the load")
    compared = min(sum(one.served for one in answers) for answers in (seen.before, seen.after))
    require(problems, blame="gateway", judged={"answers one by one": compared})


@check(
    "API-SOAK-003",
    "after many refused requests the gateway refuses and serves as before",
    level=MUST,
    effect=SPEND,
    claims="STA-06",
    spec="environment: soak.failing",
    alone=True,
)
def test_failing_requests_do_no_harm(target: Target, gateway: GatewayClient) -> None:
    """A client with a wrong model in its configuration, or that sends no JSON, asks all night."""
    seen = soaked(target)
    problems = [
        *refused_otherwise(seen.refused_first, seen.refused),
        *lost(seen.after, "requests after them"),
    ]
    require(problems, blame="gateway", judged={"requests that cannot be served": failing(seen.refused)})
