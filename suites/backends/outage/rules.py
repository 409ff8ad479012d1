"""What must hold of a program of outages, each rule a pure function from what was seen to what was wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway_acceptance.disruptor import OutageKind
from gateway_acceptance.environment import Environment
from gateway_acceptance.outage.program import ObservedRequest, Program, RequestKind
from gateway_acceptance.wire.schema import error_problems
from gateway_acceptance.wire.stream import DONE, ChatStream, read_chat_stream
from gateway_acceptance.wire.strict_json import parse_json_text
from suites.api.errors.leaks import Leak, LeakKind, leaks_in, leaks_of_answer
from suites.backends.outage.obedience import anothers, obeys, said
from suites.backends.outage.stage import SLACK_S

SHOWN = 160
WHERE_ERRORS_BEGIN = 400


@dataclass(frozen=True, slots=True)
class Broken:
    """One violation: what was seen, in words, and the request (None where there is no single one). topic: the
    kind of violation within its rule. The smallest of each is told, so that what is accepted of one kind
    hides none of another."""

    words: str
    seen: ObservedRequest | None = None
    topic: str = ""


Rule = Callable[[Program, Environment, str], Iterator[Broken]]
"""The program, the environment, its key."""


def outlived(program: Program, environment: Environment, _: str) -> Iterator[Broken]:
    """A request took longer than patience and retries allow."""
    promised = environment.outage
    limit = promised.patience_s * (1 + promised.retries) + SLACK_S
    for seen in program.seen:
        if seen.took_s > limit or "no answer within" in seen.error or "not complete within" in seen.error:
            text = seen.error or f"answered with {seen.status}"
            yield Broken(
                f"{_who(seen)} took {seen.took_s:.1f} s ({text}); promised are {promised.patience_s:g} s "
                f"for each of {1 + promised.retries} attempts",
                seen,
            )


def wrongly_served(program: Program, environment: Environment, _: str) -> Iterator[Broken]:
    """A success that nobody who lives can have given."""
    for seen in program.seen:
        if not seen.served or seen.way is RequestKind.LIVENESS:
            continue
        away = {name: kind for name, kind in program.away(seen).items() if not kind.serves}
        declared = list(dict.fromkeys(one.backend for one in environment.deployments_of(seen.alias)))
        if seen.witness and seen.witness not in declared:
            yield Broken(
                f"{_who(seen)} was served by {seen.witness}; declared for it: {', '.join(declared)}",
                seen,
                "another",
            )
        elif seen.witness in away:
            yield Broken(
                f"{_who(seen)} was served by {seen.witness}, which was away ({away[seen.witness].value})",
                seen,
                "away",
            )
        elif set(declared) <= set(away):
            words = f"{_who(seen)} was answered with 200 while all of its backends were away"
            yield Broken(words, seen, "nobody")
        elif anothers(program, seen):
            words = f"{_who(seen)} was answered with something else, another's answer: {said(seen)[:SHOWN]!r}"
            yield Broken(words, seen, "content")
        elif (
            seen.way is RequestKind.CHAT
            and seen.expects not in said(seen)
            and obeys(program, environment, seen.alias)
        ):
            words = f"{_who(seen)} was answered with something else: {said(seen)[:SHOWN]!r}"
            yield Broken(words, seen, "content")
    for mark, counted in program.counted.items():
        claimed = [seen for seen in program.seen if seen.mark == mark and seen.served]
        counts = {name: sum(models.values()) for name, models in counted.items()}
        for name, number in Counter(seen.witness for seen in claimed if seen.witness).items():
            if name in counts and counts[name] < number:
                yield Broken(
                    f"{number} answers claim to be of {name}, which counted {counts[name]} such requests",
                    claimed[0],
                    "counts",
                )


def over_asked(program: Program, environment: Environment, _: str) -> Iterator[Broken]:
    """The backends were asked more often than requests and retries explain. One that broke connections is
    left out: a client's transport tries another connection, and nobody was served by the first."""
    attempts = 1 + environment.outage.retries
    for mark, counted in program.counted.items():
        asked = [seen for seen in program.seen if seen.mark == mark]
        broke = {
            span.backend
            for span in program.spans
            if span.kind in (OutageKind.KILL, OutageKind.REFUSE) and any(span.touches(seen) for seen in asked)
        }
        total = sum(sum(models.values()) for name, models in counted.items() if name not in broke)
        if total > len(asked) * attempts:
            yield Broken(
                f"the backends were asked {total} times for {len(asked)} requests; {attempts} attempts each "
                "are declared",
                asked[0],
            )


def gateway_suffered(program: Program, environment: Environment, _: str) -> Iterator[Broken]:
    """The gateway itself, or an alias whose backends were well, did not answer."""
    for seen in program.seen:
        if seen.way is RequestKind.LIVENESS:
            if seen.status != 200:
                yield Broken(f"{seen.alias} answered {seen.status or seen.error}", seen, "liveness")
            elif seen.answered_s > environment.bounds.health_s:
                yield Broken(f"{seen.alias} took {seen.answered_s:.1f} s", seen, "slow liveness")
            continue
        if not seen.served and not _concerned(program, environment, seen):
            text = seen.error or f"{seen.status} {_text(seen)}"
            yield Broken(f"{_who(seen)}, whose backends were well, got {text}", seen, "others")


def not_revived(program: Program, _: Environment, __: str) -> Iterator[Broken]:
    """After it, an alias was not served again."""
    if program.unsettled:
        yield Broken(program.unsettled)


def leaked(program: Program, environment: Environment, _: str) -> Iterator[Broken]:
    """After it, the gateway still held what outages had taken: slots, or a connection for each failure."""
    for name, after in program.after.items():
        before = program.before[name]
        if after.slots > before.slots:
            yield Broken(
                f"{name} has {after.slots} requests under way {SLACK_S:g} s after the last one was over",
                topic="slots",
            )
        most = before.connections + environment.bounds.concurrency
        if after.connections > most:
            yield Broken(
                f"{after.connections} connections to {name} are open, {before.connections} were before; "
                f"{environment.bounds.concurrency} requests at once need no more than {most}",
                topic="connections",
            )


def malformed_error(program: Program, _: Environment, __: str) -> Iterator[Broken]:
    """An error that is no envelope, or none at all."""
    for seen in program.seen:
        if seen.way is RequestKind.LIVENESS or seen.served:
            continue
        if seen.exchange is None:
            if seen.way is not RequestKind.STREAM and "no answer within" not in seen.error:
                yield Broken(f"{_who(seen)}: {seen.error}", seen, "none")
            continue
        answer = seen.exchange
        if (answer.status or 0) < WHERE_ERRORS_BEGIN:
            yield Broken(f"{_who(seen)} got {answer.status} instead of an error", seen, "no error")
        problems = error_problems(400, answer.headers, answer.body)  # that it is a 5xx is right here
        for problem in problems:
            if problem.level.value == "MUST":
                yield Broken(f"{_who(seen)} got {answer.status}: {problem}", seen, problem.rule)


def information_leak(program: Program, environment: Environment, key: str) -> Iterator[Broken]:
    """An error told of the inside: an answer that is one, or a frame of one in a stream that had begun."""
    for seen in program.seen:
        if seen.exchange is None:
            continue
        if seen.served:
            leaks = leaks_in("\n".join(_frames_of_errors(seen)), environment, key)
            where = "an error in mid-stream"
        else:
            leaks, where = leaks_of_answer(seen.exchange, environment, key), f"an error ({seen.status})"
        for leak in leaks:
            kind = f"{_kind(leak, environment)} in {where}"
            yield Broken(f"{kind}: {leak.seen}", seen, kind)


def _kind(leak: Leak, environment: Environment) -> str:
    """In words; who accepts that a backend's address is told has accepted no other."""
    backends = {urlsplit(url).hostname for backend in environment.backends for url in backend.urls}
    of_backend = leak.kind is LeakKind.ADDRESS and leak.seen.split(":")[0] in backends
    return "address of a backend" if of_backend else leak.kind.value


def comparable_streams(program: Program, environment: Environment) -> list[ObservedRequest]:
    """The streams whose words can be held against what was asked."""
    streams = [
        seen for seen in program.seen if seen.way is RequestKind.STREAM and seen.served and seen.exchange
    ]
    able = {alias: obeys(program, environment, alias) for alias in {seen.alias for seen in streams}}
    return [seen for seen in streams if able[seen.alias]]


def truncated_stream_marked_complete(program: Program, environment: Environment, _: str) -> Iterator[Broken]:
    """A stream whose backend broke off ended as if it were whole, or with words that nobody said. Of a model
    that does not repeat what it is told nobody knows where its words end."""
    for seen in comparable_streams(program, environment):
        assert seen.exchange is not None
        answer = seen.exchange
        stream = read_chat_stream(answer.status or 0, answer.headers, answer.chunks)
        text = stream.text()
        if not seen.expects.startswith(text):
            words = f"a broken stream of {seen.alias} goes on with other words: {text[-60:]!r}"
            yield Broken(words, seen, "words")
        elif text != seen.expects and stream.error is None and _ended(stream):
            reason = stream.finish_reasons.get(0)
            ending = " and [DONE]" if stream.done_at is not None else ""
            ends = f"ends as if it were whole, with {reason!r}{ending}"
            progress = f"after {len(text)} of {len(seen.expects)} characters"
            yield Broken(f"a broken stream of {seen.alias} {ends}, {progress}", seen, ends)


def late_when_dead(program: Program, environment: Environment, _: str) -> Iterator[Broken]:
    """All backends of an alias refuse: the error must come at once, as an envelope."""
    for seen in program.seen:
        if seen.way is RequestKind.LIVENESS:
            continue
        away = program.away(seen)
        declared = {one.backend for one in environment.deployments_of(seen.alias)}
        if not declared <= set(away) or any(kind.serves or kind.keeps_waiting for kind in away.values()):
            continue
        limit = environment.bounds.first_token_s
        if seen.served:
            yield Broken(f"{_who(seen)} got 200 though all of its backends were away", seen, "nobody")
        elif seen.took_s > limit:
            words = f"{_who(seen)} waited {seen.took_s:.1f} s for its error; {limit:g} s at most"
            yield Broken(words, seen, "late")
        else:
            alone = Program(seen=[seen])
            yield from malformed_error(alone, environment, "")


def _concerned(program: Program, environment: Environment, seen: ObservedRequest) -> bool:
    """Whether a backend of the alias was away, or may still have been left out after that."""
    declared = {one.backend for one in environment.deployments_of(seen.alias)}
    budget = environment.outage.cooldown_s + SLACK_S
    return any(
        span.backend in declared and span.asked <= seen.ended and seen.begun <= span.restored + budget
        for span in program.spans
    )


def _who(seen: ObservedRequest) -> str:
    return f"a {seen.way.value} request to {seen.alias}"


def _text(seen: ObservedRequest) -> str:
    return seen.exchange.text[:SHOWN] if seen.exchange is not None else ""


def _frames_of_errors(seen: ObservedRequest) -> list[str]:
    """What a stream says beside its chunks and ``[DONE]``: the status was 200 before anything failed."""
    if seen.way is not RequestKind.STREAM or seen.exchange is None:
        return []
    answer = seen.exchange
    said = [event.data for event in read_chat_stream(200, answer.headers, answer.chunks).events]
    return [data for data in said if data != DONE and not _is_chunk(parse_json_text(data)[0])]


def _is_chunk(data: object) -> bool:
    return isinstance(data, dict) and "choices" in data and data.get("error") is None


def _ended(stream: ChatStream) -> bool:
    """Whether it claims to be whole."""
    return bool(stream.finish_reasons) or stream.done_at is not None


RULES: dict[str, Rule] = {
    "outlived": outlived,
    "wrongly served": wrongly_served,
    "over-asked": over_asked,
    "gateway suffered": gateway_suffered,
    "not revived": not_revived,
    "leaked": leaked,
    "malformed error": malformed_error,
    "information leak": information_leak,
    "truncated stream marked complete": truncated_stream_marked_complete,
    "late when dead": late_when_dead,
}
"""By the name under which checks ask for them."""
