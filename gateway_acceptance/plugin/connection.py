"""How one worker sends to an environment: what is allowed, how fast, by which way, and who looks at it."""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway_acceptance.environment import Backend, Environment, product_of
from gateway_acceptance.environment.backend_key import backend_key_of
from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.plugin.backend_silence import BackendSilence
from gateway_acceptance.policy import Budget, budget_file
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotPermitted
from gateway_acceptance.wire.backends import client_of
from gateway_acceptance.wire.breaker import POLL_S, Breaker, Trouble
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.failures import Failures
from gateway_acceptance.wire.ledger import Conduct
from gateway_acceptance.wire.own_load import lateness
from gateway_acceptance.wire.pace import Pace
from gateway_acceptance.wire.route import route_of
from gateway_acceptance.wire.sender import Deadline, Sender
from gateway_acceptance.wire.watch import UniversalRule, Watch


class GatewayConnection:
    """budget: of the run, over all workers; breaker: opens where the gateway is at fault as a whole; watch:
    holds every exchange against the rules; failures: of balanced groups; conduct: all of these, as a sender
    knows them; sender: of everything that asks."""

    def __init__(
        self,
        environment: Environment,
        key: str,
        folder: Path,
        started: float,
        notebook: Notebook,
        rules: Sequence[UniversalRule],
        trouble: Callable[[float], Trouble | None],
    ) -> None:
        """folder, started, rules: as of ``Target``; trouble: what is wrong with the gateway now, asked within
        so many seconds."""
        gateway, policy = environment.gateway, environment.policy
        route = route_of(environment, os.environ)
        for name, value in route.headers:
            if "${" in environment.network.headers[name]:
                notebook.key_places.add(value, name, gateway.url)
        self._key = key
        self.budget = Budget(budget_file(folder, environment.name), policy, started)
        late = 1.0 if environment.embedded is None else lateness()  # what it embeds runs on this machine too
        self.deadline = Deadline(gateway.connect_deadline_s * late, gateway.request_deadline_s * late)
        late_here = lateness if environment.embedded is not None else lambda: 1.0
        self.breaker = Breaker(
            folder / f"trouble-{environment.name}.json",
            gateway.url,
            self._holds_key,
            trouble,
            product_of(gateway).description,
            late_here,
        )
        direct = [one for one in environment.backends if one.direct]
        self._backends = BackendSilence(folder, environment.name, direct, self._answers, late_here)
        self._notebook = notebook
        self.watch = Watch(environment, key, rules)
        self.failures = Failures(
            folder / f"failures-{environment.name}.jsonl", [group.alias for group in environment.groups]
        )
        self._pace = pace = Pace(folder, environment.name, policy, started + policy.seconds)
        self.conduct = Conduct(
            before=[self.breaker.before, self._before_a_backend],
            after=[self.watch.after, self.breaker.after, self.failures.after],
            poll_s=POLL_S,
            silent=self._silent,
            pace=pace,
            route=route,
        )
        self.sender = Sender(notebook, self.budget, self.deadline, conduct=self.conduct)

    def apart(self, notebook: Notebook, question_s: float) -> Sender:
        """A sender with the same budget, pace and way, past rules and breaker: for looks of the suite's own.
        question_s: the longest that one answer is waited for."""
        deadline = Deadline(self.deadline.connect_s, min(question_s, self.deadline.total_s))
        conduct = Conduct(pace=self.conduct.pace, route=self.conduct.route)
        return Sender(notebook, self.budget, deadline, conduct=conduct)

    def _silent(self, url: str, quiet_s: float) -> None:
        """Nothing has come for a while: the gateway is looked at, unless it has told this run to wait. What
        waits holds a place of those that may be asked at once, so the look needs none."""
        if self._pace.soon():
            with self._pace.instead():
                if self.breaker.concerns(url):
                    self.breaker.silent(url, quiet_s)
                elif not self.breaker.suspended:
                    self._backends.silent(url, quiet_s)

    def _before_a_backend(self, asked: Exchange) -> None:
        if not self.breaker.suspended and not self.breaker.concerns(asked.url):
            self._backends.before(asked)

    def _answers(self, backend: Backend, question_s: float) -> bool:
        """Whether a backend says anything at all."""
        kept = self._notebook
        notebook = Notebook(agent=kept.agent, key_places=kept.key_places)
        with contextlib.closing(self.apart(notebook, question_s)) as sender:
            try:
                client_of(backend, sender, None, key_for(backend, kept)).alive()
            except NoAnswer:
                return False
            except (CheckFailed, NotPermitted):
                return True
            finally:
                kept.meter.probed(notebook.meter.case.requests)
        return True

    def of_a_thread(self, notebook: Notebook) -> GatewayConnection:
        """The same with a sender of its own, which writes into that notebook, and uses its connections again
        behind refusals: what it asks tells what they leave there."""
        other = copy.copy(self)
        other.sender = Sender(
            notebook, self.budget, self.deadline, conduct=self.conduct, behind_refusals=True
        )
        return other

    def _holds_key(self, exchange: Exchange) -> bool:
        return any(self._key in value for _, value in exchange.request_headers)


def key_for(backend: Backend, notebook: Notebook) -> str:
    """The key that a backend is asked with, which may stand in its requests alone; empty for none."""
    key = backend_key_of(backend, os.environ)
    notebook.key_places.add(key, BEARER_HEADER, backend.url)
    return key
