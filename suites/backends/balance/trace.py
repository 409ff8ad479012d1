"""The failing request after which a deployment may have been cooling down, where somebody tells of it.

Asked only once a sample looks like a cooldown: the run's own failures, draws of the second sample that were
refused, what the gateway counts for Prometheus, and the access logs in the journals of the declared
machines. None of them is needed: where nobody tells, the message says whom was asked.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway_acceptance.balance.second_look import SLACK
from gateway_acceptance.environment import Backend
from gateway_acceptance.environment.model import GATEWAY_MACHINE
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import Inconclusive, NoAnswer
from gateway_acceptance.wire.attribution import name_of
from gateway_acceptance.wire.failures import FailedRequest
from suites.backends.balance.cooldown import Second
from suites.backends.balance.evaluation import Evaluation

SHOWN = 3
"""Failing requests that a message names of each who tells."""
CLOCK_S = 60.0
"""A machine whose clock, at its look, is off by more was looked at before: by an embedded environment."""
COOLED = re.compile(
    r"^litellm_deployment_cooled_down_total\{(?P<labels>.*)\} "
    r"(?P<value>\d{1,15}(?:\.\d{1,15})?(?:e\+\d{1,2})?)(?:\s|$)",
    re.MULTILINE,
)
LABEL = re.compile(r'(?<!\w)(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass
class Trace:
    """known: what is known of failing requests, in words; silent: who was asked in vain, and why."""

    known: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """For people, whichever of both it is."""
        if self.known:
            return f"the failing request: {'; '.join(self.known)}"
        return f"nobody tells of a failing request: {', '.join(self.silent)}"


def traced(target: Target, alias: str, since: float, refused: Sequence[str] = ()) -> Trace:
    """What can be known of requests that failed since a moment (Unix seconds). refused: what draws of a
    later sample got instead of an answer. Raises NotPermitted."""
    found = Trace()
    _add(found, _own(target.failures.of(alias), since), "this run had none")
    found.known += [f"a later draw got no answer: {one}" for one in refused[:SHOWN]]
    _ask_for_counts(target, found)
    machines = [name for name in _machines(target, alias) if name in target.environment.machines]
    for name in machines:
        _ask_journal(target, name, since, found)
    if not machines:
        found.silent.append("no machine is declared whose journal could be read")
    return found


def suspected(target: Target, first: Evaluation, second: Second, reason: str, words: str) -> Inconclusive:
    """The verdict where a cooldown may explain what the first sample shows. words: what it shows. Raises
    NotPermitted."""
    cooldown_s = target.environment.outage.cooldown_s * SLACK
    begun = min((draw.at for draw in first.sample.draws if draw.at), default=time.time())
    trace = traced(target, first.null.alias, begun - cooldown_s, second.refused)
    return Inconclusive(
        f"a deployment may have been cooling down: {reason}; {trace.words}; the first sample: {words}"
    )


def _add(found: Trace, lines: Sequence[str], else_silent: str) -> None:
    found.known += lines
    if not lines:
        found.silent.append(else_silent)


def _own(failures: Iterable[FailedRequest], since: float) -> list[str]:
    return [one.words for one in failures if one.at >= since][-SHOWN:]


def _ask_for_counts(target: Target, found: Trace) -> None:
    path = target.gateway.product.metrics
    if path is None:
        found.silent.append("no route of this gateway is known that counts cooldowns")
        return
    try:
        answer = target.gateway.get(path)
    except NoAnswer as failure:
        found.silent.append(f"{path} gave no answer ({failure})")
        return
    if answer.status != 200:
        found.silent.append(f"{path} answers {answer.status}")
        return
    counted = cooldowns(answer.text, target.environment.backends)
    lines = [f"{path} counts {number} cooldowns of {who} since the start" for who, number in counted.items()]
    _add(found, lines[:SHOWN], f"{path} counts no cooldown")


def cooldowns(text: str, backends: Sequence[Backend]) -> dict[str, int]:
    """``backend (status)`` -> how often LiteLLM's Prometheus callback says that it cooled down."""
    found: Counter[str] = Counter()
    for line in COOLED.finditer(text):
        labels = dict(LABEL.findall(line["labels"]))
        number = float(line["value"])
        if number >= 1:
            who = name_of(labels.get("api_base", ""), backends) or labels.get("model_id", "somebody")
            found[f"{who} ({labels.get('exception_status', 'no status')})"] += int(number)
    return dict(found)


def _machines(target: Target, alias: str) -> list[str]:
    """The gateway's, then those of the group's backends."""
    members = target.environment.group(alias).deployments
    return [GATEWAY_MACHINE, *dict.fromkeys(member.backend for member in members)]


def _ask_journal(target: Target, name: str, since: float, found: Trace) -> None:
    try:
        sections = target.machines.refresh(name, ("journal",))
    except NoFacts as failure:
        found.silent.append(f"{name} cannot be looked at ({failure.why})")
        return
    journal, clock = sections.get("journal", {}), sections.get("clock", {})
    if "value" not in journal or "value" not in clock:
        found.silent.append(f"the journal of {name} is not to be had")
        return
    ahead = float(clock["value"]["last"]) - time.time()  # the machine's own clock may be off
    if abs(ahead) > CLOCK_S:
        found.silent.append(f"what is known of the journal of {name} is not of this moment")
        return
    _add(found, in_journal(name, journal["value"], since + ahead), f"the journal of {name} tells of none")


def in_journal(name: str, journal: Mapping[str, Any], since: float) -> list[str]:
    """The newest failing requests that a journal tells of since a moment of the machine's clock."""
    return [
        f"the journal of {name} at {time.strftime('%H:%M:%SZ', time.gmtime(one['at']))}: {one['by']} got "
        f"{one['status']} to {one['what']}"
        for one in journal.get("failures") or []
        if one["at"] >= since
    ][-SHOWN:]
