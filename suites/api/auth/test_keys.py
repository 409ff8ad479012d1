"""API-AUTH: keys that are nearly right, at the wrong place, or of the wrong form get nobody in."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, NotApplicable, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.auth.nearly import nearly
from suites.api.auth.places import counted, in_cookie, in_query, of_schemes
from suites.api.auth.rules import (
    SPEC,
    halved,
    made_up,
    not_refused,
    refusal_shape,
    refused_among,
    sibling,
)
from suites.api.auth.tried import (
    refused_plainly,
    require_refused,
    served,
    tried,
    tried_route,
    tried_without_key,
)
from suites.api.exposure.printed import printed_forms

ODD_KEYS = {"a very long key": "sk-" + "a" * 5000, "a key with SQL": "sk-' OR '1'='1", "null": "null"}


@check(
    "API-AUTH-005",
    "an empty key is refused",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec=SPEC,
)
def test_empty_key(target: Target, live_gateway: GatewayClient) -> None:
    """An application whose variable is unset sends the scheme and nothing after it. An empty comparison must
    not succeed."""
    problems = []
    for what, value in (("only the scheme", "Bearer"), ("an empty header", "")):
        answer = tried(target, key=None, headers=[("authorization", value)])
        problems += not_refused(answer, what)
    require_refused(target, problems)


@check(
    "API-AUTH-006",
    "a truncated key is refused",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec=SPEC,
)
def test_truncated_key(target: Target, gateway: GatewayClient) -> None:
    """The first half of the right key: keys are compared whole, not as far as they were sent."""
    require_refused(target, not_refused(tried(target, key=halved(target.key)), "half of the key"))


@check(
    "API-AUTH-007",
    "the right key with something after it is refused",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec=SPEC,
)
def test_extended_key(target: Target, gateway: GatewayClient) -> None:
    """Keys are compared whole, not as far as the stored one goes (as bcrypt does after 72 bytes)."""
    require_refused(target, not_refused(tried(target, key=f"{target.key}x"), "the key and one letter"))


@check(
    "API-AUTH-008",
    "the key counts only as a bearer token",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="RFC 6750 section 2.1",
)
def test_other_schemes(target: Target, live_gateway: GatewayClient) -> None:
    """A made-up value as Basic credentials, under a foreign scheme, and without any scheme: none is let in
    unchecked. Whether the right key counts there too, API-AUTH-019 asks."""
    answers = of_schemes(target, made_up())
    require_refused(
        target, [problem for what, answer in answers.items() for problem in not_refused(answer, what)]
    )


@check(
    "API-AUTH-009",
    "a key in the URL gets nobody in",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="RFC 6750 section 5.3",
)
def test_key_in_the_query(target: Target, live_gateway: GatewayClient) -> None:
    """URLs end in logs, histories and Referer headers; a gateway that takes keys from them spreads them.
    Asked with a made-up value: the answer is that of no key, not that of a wrong one."""
    key = made_up()
    require_refused(target, counted(target, in_query(target, key), key))


@check(
    "API-AUTH-010",
    "a key in a cookie gets nobody in",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="OWASP CSRF",
)
def test_key_in_a_cookie(target: Target, live_gateway: GatewayClient) -> None:
    """Browsers send cookies along with requests of foreign pages: an API that takes keys from them can be
    used by every page that its users open. Asked as API-AUTH-009."""
    key = made_up()
    require_refused(target, counted(target, in_cookie(target, key), key))


@check(
    "API-AUTH-011",
    "the scheme's name may be written in any case",
    level=SHOULD,
    effect=READ,
    claims="FUN-04",
    spec="RFC 9110 section 11.1",
)
def test_scheme_case(target: Target, gateway: GatewayClient) -> None:
    """``bearer`` is ``Bearer``: some HTTP libraries write it so."""
    if target.environment.gateway.key_header != BEARER_HEADER:
        raise NotApplicable("the environment's key is no bearer token", declared="gateway.key_header")
    answer = tried(target, key=None, headers=[("authorization", f"bearer {target.key}")])
    if answer.status != 200:
        raise CheckFailed(
            f"expected 200 with the scheme 'bearer', got {answer.status}: {answer.text[:200]}",
            blame="gateway",
        )


@check(
    "API-AUTH-012",
    "the answer to a wrong key does not tell how much of it is right",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="CWE-204",
)
def test_prefix_is_not_revealed(target: Target, gateway: GatewayClient) -> None:
    """A key that shares its first half with the right one is answered as any other: same status, same words;
    request ids and times aside. How long an answer takes is not compared: microseconds over a network take
    more requests than a nightly budget has to be told from chance without false alarms."""
    near, far = sibling(target.key), made_up()
    answers = {key: tried(target, key=key) for key in (near, far)}
    refusals = refused_among(answers.values())
    judged(refusals=refusals)
    if not refusals:
        return  # served to everybody: two answers of a model say nothing of keys
    of_near, of_far = (refusal_shape(answer, key) for key, answer in answers.items())
    if of_near != of_far:
        raise CheckFailed(
            f"a wrong key that begins as the right one gets another answer than any wrong key: "
            f"{of_near} instead of {of_far}",
            blame="gateway",
        )


@check(
    "API-AUTH-013",
    "the refusal of a key does not repeat the key",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="RFC 6750 section 5.3: safeguard bearer tokens; litellm issue 39757",
)
def test_key_is_not_echoed(target: Target, live_gateway: GatewayClient) -> None:
    """Neither the key nor its SHA-256, by which it is found in the database: error messages end in logs."""
    key = made_up()
    answer = tried(target, key=key)
    judged(refusals=refused_among([answer]))
    shown = answer.text + "\n".join(f"{name}: {value}" for name, value in answer.headers)
    found = [what for what, form in printed_forms(key).items() if form in shown]
    if found:
        raise CheckFailed(f"the refusal of {answer.url} repeats {' and '.join(found)}", blame="gateway")


@check(
    "API-AUTH-014",
    "a key of any form is refused as a wrong key",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec=SPEC,
)
def test_odd_keys(target: Target, live_gateway: GatewayClient) -> None:
    """Overlong, hostile, and what broken clients send: refused without an internal error."""
    problems = []
    for what, key in ODD_KEYS.items():
        problems += not_refused(tried(target, key=key), what)
    require_refused(target, problems)


@check(
    "API-AUTH-022",
    "only the whole key is the key",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="CWE-187; CWE-178",
)
def test_nearly_the_key(target: Target, gateway: GatewayClient) -> None:
    """A part of it, another case, its length, its first or last characters with others: what products show of
    a key in consoles and logs, and index it by, must not be enough. In the declared header alone; nothing of
    the answers is kept."""
    values = nearly(target.key)
    name = target.environment.gateway.key_header
    scheme = "Bearer " if name == BEARER_HEADER else ""
    problems = [
        Problem("", f"{tried_route(target)} is served to a key that is {what}")
        for what, value in values.items()
        if served(target, tried_without_key(target, headers=[(name, scheme + value)]))
    ]
    if problems:
        refused_plainly(target)
    require(problems, blame="gateway", judged={"keys that are nearly right": len(values)})
