"""``gateway-acceptance abilities``: what each chat model shows, as the lines of its environment file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from gateway_acceptance.cli.abilities_asked import (
    MOST_REQUESTS,
    QUESTIONS,
    REASONING_TOKENS,
    UNASKED,
    AbilityProbe,
    Message,
    message_text,
    thoughts,
)
from gateway_acceptance.cli.opened import opened
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.environment import (
    Ability,
    Model,
    ModelKind,
    load_environment,
    missing_variables,
)
from gateway_acceptance.environment.secrets import file_notes
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.usage import EXIT_NOT_READY, EXIT_READY, UsageProblem
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotPermitted, Untestable
from gateway_acceptance.wire.exchange import Exchange


def add_abilities_command(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    command = commands.add_parser(
        "abilities",
        help="measure what each chat model can do, and print the lines to declare it by",
        description="Ask each chat model through the gateway, within the environment's policy and budget, "
        f"{MOST_REQUESTS} requests each at most, and print its abilities as lines of the file "
        "(docs/abilities.md). An embedded environment is started for it, where it does not run.",
    )
    command.add_argument("--env", required=True, metavar="NAME|FILE", help="which environment")
    command.add_argument("--litellm", metavar="VERSION", help="the LiteLLM that embedded environments run")
    command.set_defaults(run=_abilities)


@dataclass
class MeasuredAbilities:
    """What one model showed. missing: what it did not show, and how it answered instead; undecided: what
    could not be told, and why; silent: why it was asked no further, or empty."""

    alias: str
    shown: set[Ability] = field(default_factory=set)
    missing: dict[Ability, str] = field(default_factory=dict)
    undecided: dict[Ability, str] = field(default_factory=dict)
    silent: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything that is asked was told."""
        return not self.silent and not self.undecided


def _abilities(arguments: argparse.Namespace) -> int:
    root = project_root()
    environment = load_environment(arguments.env, root, os.environ)
    models = [model for model in environment.models if model.kind is ModelKind.CHAT]
    problems = missing_variables(environment, os.environ)
    if not problems and not models:
        problems = [
            f"{environment.source}: it declares no chat model of its own alias; add it to [[models]] first"
        ]
    if not problems and "spend" not in environment.policy.effects:
        problems = [
            f"{environment.source}: policy.effects does not allow 'spend', and asking a model costs tokens; "
            "allow it, or declare models.abilities by hand"
        ]
    if problems:
        raise UsageProblem(problems)
    for note in [*environment.notes, *file_notes(environment)]:
        print(f"# {note}")
    code = EXIT_READY
    with opened(environment, root, arguments.litellm or "", "abilities") as (target, redact):
        try:
            target.require_key()
            for model in models:
                measured = measure(target, model)
                code = max(code, EXIT_READY if measured.complete else EXIT_NOT_READY)
                print(redact("\n".join(lines(model, measured))), flush=True)
        except Untestable as failure:
            return _said(redact(f"{failure.missing}; {failure.provide}"))
        except NotPermitted as failure:
            return _said(redact(f"{failure}; raise it in {environment.source} and measure again"))
        except CheckFailed as failure:  # the circuit opened: the gateway fell ill as a whole
            return _said(redact(str(failure)))
        spent = target.budget.spent
        print(f"# {environment.name}: {spent.requests} requests, at most {spent.tokens} tokens")
    return code


def _said(sentence: str) -> int:
    sys.stderr.write(f"gateway-acceptance: {sentence}\n")
    return EXIT_NOT_READY


def measure(target: Target, model: Model) -> MeasuredAbilities:
    """Ask one model, at most MOST_REQUESTS times. Raises NotPermitted when over budget; CheckFailed and
    Untestable where the gateway as a whole is found ill meanwhile."""
    found = MeasuredAbilities(model.alias)
    again: tuple[AbilityProbe, str] | None = None
    for number, question in enumerate(QUESTIONS):
        try:
            answer = _asked(target, found, question, first=number == 0)
        except NoAnswer as failure:
            found.silent = f"no answer: {failure}"
            return found
        message, why = _read(answer, found)
        if message is None and number == 0:
            found.silent = why
            return found
        for ability, shows in question.shows.items():
            if message is not None and shows(message):
                found.shown.add(ability)
            elif _says_nothing_of_the_model(answer):
                found.undecided[ability] = why
            else:
                found.missing[ability] = why
        if message is not None and message_text(message):
            again = (question, message_text(message))
    _measure_sameness(target, found, again)
    if Ability.REASONING not in found.shown:
        found.missing[Ability.REASONING] = "no answer tells of any"
    return found


def _measure_sameness(
    target: Target, found: MeasuredAbilities, again: tuple[AbilityProbe, str] | None
) -> None:
    """Whether the last question with a text is answered in the same words when it is asked again."""
    if again is None:
        found.missing[Ability.SEED] = "it gave no text to compare"
        return
    question, before = again
    try:
        answer = _asked(target, found, question)
    except NoAnswer as failure:
        found.silent = f"no answer: {failure}"
        return
    message, why = _read(answer, found)
    if message is not None and message_text(message) == before:
        found.shown.add(Ability.SEED)
    elif _says_nothing_of_the_model(answer):
        found.undecided[Ability.SEED] = why
    else:
        found.missing[Ability.SEED] = "it says something else when it is asked again" if message else why


def _says_nothing_of_the_model(answer: Exchange) -> bool:
    """A limit, or a failure on the way: asked another time, it may show what it did not."""
    return answer.status == HTTPStatus.TOO_MANY_REQUESTS or (answer.status or 0) >= 500


def _asked(
    target: Target, found: MeasuredAbilities, question: AbilityProbe, *, first: bool = False
) -> Exchange:
    thinks = first or Ability.REASONING in found.shown or target.environment.thinks(found.alias)
    return target.gateway.chat(
        found.alias,
        question.messages,
        temperature=0,
        max_tokens=question.tokens + (REASONING_TOKENS if thinks else 0),
        **question.parameters,
    )


def _read(answer: Exchange, found: MeasuredAbilities) -> tuple[Message | None, str]:
    """The message of an answer, None where it has none; and what is said of it where it shows nothing."""
    if answer.status != 200:
        return None, f"it is answered with {answer.status}"
    try:
        document = answer.json()
    except CheckFailed:
        return None, "its answer is no JSON"
    choices = document.get("choices") if isinstance(document, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        return None, "its answer is no chat completion"
    if thoughts(document, message):
        found.shown.add(Ability.REASONING)
        if choice.get("finish_reason") == "length" and not message_text(message):
            return message, "it spent its limit on reasoning"
    return message, "it answers otherwise"


def lines(model: Model, found: MeasuredAbilities) -> list[str]:
    """One entry of an environment file: valid TOML, to be pasted into the model's own ``[[models]]``."""
    head = ["[[models]]", f"alias = {json.dumps(found.alias)}"]
    if found.silent:
        return [*head, f"# not measured: {_one_line(found.silent)}", ""]
    declared = set(model.abilities or ())
    kept = [ability for ability in UNASKED if ability in declared]
    words = [ability.value for ability in Ability if ability in found.shown or ability in kept]
    said = [f"abilities = {json.dumps(words)}"]
    for ability in Ability:
        if ability in found.missing and (ability is not Ability.REASONING or ability in declared):
            how = "declared, not shown" if ability in declared else "not shown"
            said.append(f"# {how}: {ability.value} ({_one_line(found.missing[ability])})")
        if ability in found.undecided:
            said.append(f"# not measured: {ability.value} ({_one_line(found.undecided[ability])})")
    said += [f"# not asked: {ability.value}, kept as it is declared" for ability in kept]
    others = [ability.value for ability in UNASKED if ability not in kept]
    said += [f"# not asked: {', '.join(others)}"] if others else []
    return [*head, *said, ""]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
