"""What the contract promises, one statement each (``suites/coverage.toml``, and ``endpoint.toml`` of an
endpoint's folder): proven by checks, or why not."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_acceptance.check import Check
from gateway_acceptance.coverage_entry import Statement, entry_mistakes, is_words
from gateway_acceptance.endpoints import EndpointFolder, endpoint_folders
from gateway_acceptance.environment.load import nearest
from gateway_acceptance.usage import UsageProblem

KEYS = ("endpoints", "reasons", "statement")


class CoverageError(UsageProblem):
    """What is wrong with the file of statements: one sentence per mistake, with file, entry and fix."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """endpoints: the sections, in their order; reasons: short name -> why statements have no check."""

    endpoints: tuple[str, ...]
    reasons: Mapping[str, str]
    statements: tuple[Statement, ...]

    def of(self, endpoint: str) -> list[Statement]:
        """The statements of one endpoint, in the file's order."""
        return [statement for statement in self.statements if statement.endpoint == endpoint]

    def beyond(self, checks: Iterable[Check]) -> list[Check]:
        """The checks that no statement names."""
        named = {check_id for statement in self.statements for check_id in statement.checks}
        return [check for check in checks if check.id not in named]


def load_coverage(path: Path, known: Collection[str]) -> Coverage:
    """Read all statements, in the file's order, then those of endpoints with folders of their own beside it.
    known: the ids of all checks there are.

    Raises UsageProblem with one sentence per mistake.
    """
    document = _read(path)
    mistakes = [
        f"unknown key {key!r}{nearest(key, KEYS)}; known are: {', '.join(KEYS)}"
        for key in document
        if key not in KEYS
    ]
    endpoints, reasons = document.get("endpoints"), document.get("reasons")
    if not isinstance(endpoints, list) or not endpoints or not all(map(is_words, endpoints)):
        mistakes.append("endpoints must be a list of texts that are not empty; add it")
        endpoints = []
    if not isinstance(reasons, dict) or not all(map(is_words, reasons.values())):
        mistakes.append("reasons must be a table of texts that are not empty; add it")
        reasons = {}
    listed = document.get("statement")
    if not isinstance(listed, list) or not listed:
        raise _error(path, [*mistakes, "there is no statement; add [[statement]] entries"])
    folders = endpoint_folders(path.parent)
    endpoints = [*endpoints, *(one.endpoint.section for one in folders)]
    entries = [*_numbered(path, listed), *(one for folder in folders for one in _of_folder(folder))]
    sentences = [f"{path}: {mistake}" for mistake in mistakes]
    first_at: dict[str, str] = {}
    for file, number, entry in entries:
        if not isinstance(entry, dict):
            sentences.append(f"{file}: entry {number} is no table; write it as [[statement]]")
            continue
        name = entry.get("id")
        place = f"{file}: entry {number} ({name})" if isinstance(name, str) else f"{file}: entry {number}"
        found = entry_mistakes(entry, endpoints, reasons, known)
        sentences += [f"{place}: {mistake}" for mistake in found]
        own = f"entry {number}" + ("" if file == path else f" of {file}")
        if isinstance(name, str) and first_at.setdefault(name, own) != own:
            sentences.append(f"{place}: {first_at[name]} has the same id; give each statement its own")
    if sentences:
        raise CoverageError(sentences)
    statements = tuple(
        Statement(**{**entry, "checks": tuple(entry.get("checks", ()))})  # every key was judged above
        for _, _, entry in entries
    )
    idle = [name for name in endpoints if all(name != statement.endpoint for statement in statements)]
    idle += [name for name in reasons if all(name != statement.reason for statement in statements)]
    if idle:
        raise _error(path, [f"{name!r} is used by no statement; take it out" for name in idle])
    return Coverage(tuple(endpoints), reasons, statements)


def _numbered(file: Path, listed: Sequence[Any]) -> list[tuple[Path, int, Any]]:
    """Each entry with its file and its place there, counted from one."""
    return [(file, number, entry) for number, entry in enumerate(listed, start=1)]


def _of_folder(folder: EndpointFolder) -> list[tuple[Path, int, Any]]:
    section = folder.endpoint.section
    return _numbered(folder.file, [{**entry, "endpoint": section} for entry in folder.endpoint.statement])


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _error(path, [f"cannot be read ({error.strerror}); check the path"]) from None
    except UnicodeDecodeError:
        raise _error(path, ["is not UTF-8 text; save it as UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise _error(path, [f"is not valid TOML: {error}; correct that line"]) from None


def _error(path: Path, mistakes: Sequence[str]) -> CoverageError:
    return CoverageError([f"{path}: {mistake}" for mistake in mistakes])


RUNS_ON = (
    "What an environment declares of every model is asked of every alias: that it answers whole, exact",
    "texts, each ability (`API-CHAT-067`), vectors, who serves it, in streams too. Every other answer of a",
    "run, whoever asked for it, is held against the rules that apply to all ([every",
    "exchange](every-exchange.md)): one exchange serves many rules. What does not differ by alias is asked",
    "of one. Whether a check that is run over nothing asks a model is measured (`suites/costs.json`).",
)
"""Above the table of what each check runs on."""


def coverage_page(
    coverage: Coverage, checks: Sequence[Check], on: Sequence[tuple[str, Sequence[str]]] = ()
) -> str:
    """``docs/coverage.md``: every statement with its checks, or why it has none. checks: all there are."""
    beyond = coverage.beyond(checks)
    lines = [
        "# Coverage",
        "",
        "Generated by `make docs` from `suites/coverage.toml` and the endpoints' folders; do not edit.",
        "",
        "What OpenAI's contract promises, one statement each, and the checks that fail where the promise is",
        "broken; where the check's title says *or refused*, an honest refusal is accepted too. Whether it is",
        "kept in an environment is said by the runs there ([the tracker](tracker.md)), not here; an endpoint",
        "that an environment does not declare is *not applicable* there.",
        "",
        f"**{requirements_line(checks)}** A requirement is a clause that somebody else wrote (of OpenAI's",
        "description, a standard, a manual, the environment's file) and that checks cite; an assertion is a",
        "check of one of them, and most clauses are asserted in several ways.",
        "",
        *_summary(coverage, len(beyond)),
    ]
    for endpoint in coverage.endpoints:
        lines += ["", f"## {endpoint}", ""]
        lines += header_of(*("statement", "what is promised", "source", "checks, or why there is none"))
        lines += [
            row_of(f"`{each.id}`", each.text, f"`{each.source}`", _proof(each))
            for each in coverage.of(endpoint)
        ]
    lines += ["", "## Beyond the specification", ""]
    lines += [
        "Checks of what no statement promises: what a deployment needs, and what clients rely on.",
        "",
    ]
    lines += header_of(*("check", "what it proves", "source"))
    lines += [row_of(f"`{each.id}`", each.title, f"`{each.spec}`" if each.spec else "") for each in beyond]
    if on:
        lines += ["", "## What each check runs on", ""]
        lines += [*RUNS_ON, ""]
        lines += header_of(*("runs on", "how many", "checks"))
        lines += [row_of(words, str(len(ids)), ", ".join(f"`{one}`" for one in ids)) for words, ids in on]
    return "\n".join(lines) + "\n"


def requirements_line(checks: Sequence[Check]) -> str:
    """How many clauses the checks cite, and how many checks assert them."""
    clauses = {part.strip() for check in checks for part in check.spec.split(";") if part.strip()}
    return f"{len(clauses)} requirements, {len(checks)} assertions."


def summary_line(coverage: Coverage) -> str:
    """How many statements there are, and how many have checks."""
    covered = sum(1 for statement in coverage.statements if statement.checks)
    count = len(coverage.statements)
    return f"{count} statements, {covered} covered by checks, {count - covered} not"


def _summary(coverage: Coverage, beyond: int) -> list[str]:
    lines = [f"**{summary_line(coverage)}.** {beyond} checks are beyond the specification.", ""]
    lines += header_of(*("endpoint", "statements", "covered", "not"))
    for endpoint in coverage.endpoints:
        statements = coverage.of(endpoint)
        covered = sum(1 for statement in statements if statement.checks)
        lines.append(row_of(endpoint, str(len(statements)), str(covered), str(len(statements) - covered)))
    counts = Counter(statement.reason for statement in coverage.statements)
    lines += ["", *header_of(*("why not", "statements", "that is"))]
    lines += [row_of(f"*{name}*", str(counts[name]), text) for name, text in coverage.reasons.items()]
    return lines


def _proof(statement: Statement) -> str:
    if statement.checks:
        return ", ".join(f"`{check_id}`" for check_id in statement.checks)
    return f"*{statement.reason}*" + (f": {statement.detail}" if statement.detail else "")


def header_of(*names: str) -> list[str]:
    """The first two lines of a Markdown table."""
    return [row_of(*names), "|" + "---|" * len(names)]


def row_of(*cells: str) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
