"""What releases of products do by themselves: learned by running them clean, kept as package data.

Files: ``products/<product>/deviations/<version>[-<variant>].json``; in ``deviations/<upstream>/`` what a
release shows before such upstreams. A failing case is covered where each of its problems, made general, is
one that the release showed of the same check. Design: docs/deviations.md. Pure but for the files.
"""

from __future__ import annotations

import fnmatch
import json
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from gateway_acceptance.environment import Environment
from gateway_acceptance.usage import UsageProblem

FORMAT = 1
PRODUCTS = Path(__file__).parent / "products"
FOLDER = "deviations"

STATUSES = frozenset(
    {
        *(200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308),
        *(*range(400, 418), 421, 422, 423, 424, 425, 426, 428, 429, 431, 451),
        *range(500, 512),
    }
)
"""Numbers that stay as they are: what a refusal says is not a matter of chance."""
URL = re.compile(r"https?://[^\s\"'<>)\]]+")
ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b")
IDENTIFIER = re.compile(
    r"\b(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{12,}|"
    r"(?:chatcmpl|cmpl|call|resp|msg|req|file|sk)[-_][A-Za-z0-9_-]{4,})|(?<=\bcall \")[^\s\"<]+(?=\")"
)
FILE = re.compile(r"(?:/[\w.@+ -]+)+/[\w.@+-]+\.(?:py|so|pyx|json|yaml)\b")
NUMBER = re.compile(r"(?<![\w<])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w>])")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*(?:"|$)|(?<!\w)\'(?:[^\'\\]|\\.)*\'(?!\w)')
"""Quoted text; where a long message was cut, to its end. Of several words it is what people or models say."""
BODY = re.compile(r'\{\s*\\?".*')
"""A body, quoted whole or in part: how much of it fits depends on the length of names and paths."""
NAME = r"(?:'<(?:model|upstream|backend)>'|<(?:model|upstream|backend)>)"
NAMES = re.compile(rf"{NAME}(?:, {NAME})*")
ODD = re.compile(r"[^a-zA-Z]")
TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?")
RULE = re.compile(r"([a-z][\w-]*\.[^\s:]+): ")
"""How a problem begins that names its rule."""
MORE = re.compile(RULE.pattern + r"and \d+ more like these\b")
"""What a reader says of a rule that is broken so often that the rest is only counted: how often hangs on the
length of an answer."""
CUT = re.compile(r"\s*(?:…|\.\.\.)?\s*\(cut\)$|…$")
LEARNED = "learned by its twin, the same release, started beside this run"
"""The note of what no file tells, but a twin in the lab."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """What a release does by itself against one check. problems: what it showed, made general; level: of the
    check, MUST breaks clients; title: of the check; link: what is known upstream, or empty."""

    check: str
    level: str
    title: str
    problems: frozenset[str]
    link: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """One file. learned: the UTC date; checks: how many were executed to learn it."""

    product: str
    version: str
    variant: str
    learned: str
    checks: int
    deviations: tuple[Deviation, ...]

    @property
    def name(self) -> str:
        """``1.106.2`` or ``1.106.2-prisma``"""
        return file_name(self.version, self.variant)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the release that a run judges. judged_by: the releases whose files are used; note: why
    these, where it is not just the release itself."""

    product: str
    version: str
    variant: str
    judged_by: tuple[str, ...] = ()
    note: str = ""
    deviations: Mapping[str, Deviation] = field(default_factory=dict)

    def covers(self, check: str, problem: str, names: Mapping[str, str]) -> bool:
        """Whether a problem of a check is what the release does by itself. names: as of ``names_of``; one
        that is a plain word ("chat") may stand in a problem by itself and mean no model."""
        known = self.deviations.get(check)
        if known is None:
            return False
        odd = {name: stands for name, stands in names.items() if ODD.search(name)}
        lines = [line for line in problem.splitlines() if line.strip()]
        rules = {found[1] for one in known.problems if (found := RULE.match(one))}
        return all(
            any(general(line, some) in known.problems for some in (names, odd, {}))
            or ((more := MORE.match(line.strip())) is not None and more[1] in rules)
            for line in lines
        )


@dataclass(frozen=True, slots=True)
class Harm:
    """What no release may do, whatever it does by itself. checks: patterns of ids; problems: a regular
    expression, None for every problem of these; harm: ``opens a door``, ``leaks``, ``loses data``."""

    checks: tuple[str, ...]
    harm: str
    problems: re.Pattern[str] | None = None

    def forbids(self, check: str, problem: str) -> bool:
        """Whether the problem of the check can never be a deviation."""
        if not any(fnmatch.fnmatchcase(check, pattern) for pattern in self.checks):
            return False
        return self.problems is None or self.problems.search(problem) is not None


def about(harms: Collection[Harm], check: str) -> str:
    """The harm that a check looks for by what it is, whatever its problem; or nothing."""
    own = (one for one in harms if one.checks != ("*",))
    return next(
        (one.harm for one in own if any(fnmatch.fnmatchcase(check, pattern) for pattern in one.checks)),
        "",
    )


def names_of(environment: Environment) -> dict[str, str]:
    """An environment's own names -> what stands for them, so that what one deployment showed fits another."""
    names = {backend.name: "<backend>" for backend in environment.backends}
    names |= {served.upstream: "<upstream>" for _, served in environment.deployments if served.declared}
    names |= {name.partition(":")[0]: stands for name, stands in names.items() if ":" in name}
    names |= dict.fromkeys(environment.aliases, "<model>")
    return dict(sorted(names.items(), key=lambda pair: -len(pair[0])))


def general(line: str, names: Mapping[str, str]) -> str:
    """One line of a problem without what changes from run to run and from deployment to deployment:
    addresses, names, ids, times and other numbers (but HTTP statuses), files, bodies, what people or models
    say. What is general already stays as it is."""
    text = CUT.sub("", line.strip())
    text = BODY.sub("<body>", text)
    text = TIME.sub("<time>", URL.sub("<url>", text))
    for name, stands in names.items():
        text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", stands, text)
    for pattern, stands in ((IDENTIFIER, "<id>"), (ADDRESS, "<address>"), (FILE, "<file>")):
        text = pattern.sub(stands, text)
    text = QUOTED.sub(lambda found: "<text>" if re.search(r"\s", found[0]) else found[0], text)
    text = NAMES.sub("<name>", text)
    text = NUMBER.sub(lambda found: found[0] if _is_status(found[0]) else "<n>", text)
    return re.sub(r"\s+", " ", text).strip()


def general_lines(problem: str, names: Mapping[str, str]) -> list[str]:
    """The lines of a problem that say something, made general."""
    return [text for line in problem.splitlines() if (text := general(line, names))]


def file_name(version: str, variant: str) -> str:
    """A release's name among the files."""
    return f"{version}-{variant}" if variant else version


def releases(product: str, root: Path = PRODUCTS, upstream: str = "") -> list[tuple[str, str]]:
    """(version, variant) of every file of a product, oldest first. upstream: of those learned before it."""
    names = [path.stem for path in (root / product / FOLDER / upstream).glob("*.json")]
    pairs = [(name.partition("-")[0], name.partition("-")[2]) for name in names]
    return sorted(pairs, key=lambda pair: (Version(pair[0]), pair[1]))


def read_release(
    product: str, version: str, variant: str, root: Path = PRODUCTS, upstream: str = ""
) -> Release:
    """One file. upstream: as of ``releases``. Raises UsageProblem where it is none of ours."""
    path = root / product / FOLDER / upstream / f"{file_name(version, variant)}.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Release(
            document["product"],
            document["version"],
            document["variant"],
            document["learned"],
            document["checks"],
            tuple(
                Deviation(
                    entry["check"],
                    entry["level"],
                    entry["title"],
                    frozenset(entry["problems"]),
                    entry.get("link", ""),
                )
                for entry in document["deviations"]
            ),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageProblem([f"{path}: is no file of deviations ({error}); learn it anew"]) from None


def write_release(release: Release, root: Path = PRODUCTS, upstream: str = "") -> Path:
    """Write its file, the same for the same release; links that stood there for a check stay. upstream: as of
    ``releases``."""
    path = root / release.product / FOLDER / upstream / f"{release.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    document: dict[str, Any] = {
        "format": FORMAT,
        "product": release.product,
        "version": release.version,
        "variant": release.variant,
        "learned": release.learned,
        "checks": release.checks,
        "deviations": [
            {
                "check": one.check,
                "level": one.level,
                "title": one.title,
                **({"link": one.link} if one.link else {}),
                "problems": sorted(one.problems),
            }
            for one in sorted(release.deviations, key=lambda one: one.check)
        ],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def known_of(
    product: str,
    version: str,
    variant: str | None,
    root: Path = PRODUCTS,
    upstreams: Collection[str] = (),
) -> Known:
    """What is known of a release. variant: None where nobody declared it: then of all its variants;
    upstreams: what else it stands before (``Environment.spoken``), by the nearest versions learned so.

    Of a version without a file, what the nearest ones on both sides do; the note says so.
    """
    listed = releases(product, root)
    if not listed:
        return Known(product, version, variant or "")
    if not version:
        return Known(product, "", variant or "", note=f"the version of {product} is not known: no deviation")
    versions = _nearest(version, list(dict.fromkeys(one for one, _ in listed)))
    if not versions:
        note = f"{version!r} is no version that could be compared: no deviation"
        return Known(product, version, variant or "", note=note)
    used = [pair for pair in listed if pair[0] in versions and variant in (None, pair[1])]
    found = [read_release(product, *pair, root) for pair in used]
    notes = []
    if versions != [version]:
        notes.append(f"no file of {product} {version}: judged by {' and '.join(versions)}")
    if variant is None and len({pair[1] for pair in used}) > 1:
        notes.append("its variant is not declared (gateway.variant): judged by all of them")
    if variant is not None and not used:
        notes.append(f"no file of the variant {variant or 'without extras'!r}")
    names = [release.name for release in found]
    for upstream in upstreams:
        before = known_before(product, version, upstream, root)
        nearest = [release.version for release in before]
        if nearest not in ([], [version]):
            notes.append(f"before {upstream} upstreams: judged by {' and '.join(nearest)}")
        found += before
        names += [f"{one} before {upstream}" for one in nearest]
    return Known(
        product,
        version,
        variant or "",
        tuple(names),
        "; ".join(notes),
        merged(deviation for release in found for deviation in release.deviations),
    )


def known_before(product: str, version: str, upstream: str, root: Path = PRODUCTS) -> list[Release]:
    """What the nearest versions that were learned before an upstream do there, oldest first."""
    nearest = _nearest(version, [one for one, _ in releases(product, root, upstream)])
    return [read_release(product, one, "", root, upstream) for one in nearest]


def known_of_any(product: str, root: Path = PRODUCTS) -> Known:
    """What one release of a product or another does: what may be its own where nobody knows which it is."""
    found = [read_release(product, *pair, root) for pair in releases(product, root)]
    return Known(product, "", "", deviations=merged(one for release in found for one in release.deviations))


def merged(deviations: Iterable[Deviation]) -> dict[str, Deviation]:
    """By check; what several releases show is all of it."""
    found: dict[str, Deviation] = {}
    for one in deviations:
        known = found.get(one.check)
        problems = one.problems | (known.problems if known else frozenset())
        link = one.link or (known.link if known else "")
        found[one.check] = Deviation(one.check, one.level, one.title, problems, link)
    return found


def load_harm(path: Path) -> tuple[Harm, ...]:
    """Read ``suites/harm.toml``; an absent file holds none. Raises UsageProblem."""
    if not path.exists():
        return ()
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["never"]
        return tuple(
            Harm(
                tuple(entry["checks"]),
                entry["harm"],
                re.compile(entry["problems"]) if "problems" in entry else None,
            )
            for entry in entries
        )
    except (OSError, ValueError, KeyError, TypeError, re.error) as error:
        raise UsageProblem([f"{path}: cannot be read: {error}; correct the file"]) from None


def forbidden(harms: Collection[Harm], check: str, problem: str) -> str:
    """The harm that keeps a problem from being a deviation, or nothing."""
    return next((one.harm for one in harms if one.forbids(check, problem)), "")


def _nearest(version: str, listed: Sequence[str]) -> list[str]:
    """The version itself, or its neighbours below and above. listed: oldest first."""
    try:
        wanted = Version(version)
    except InvalidVersion:
        return []
    same = [one for one in listed if Version(one) == wanted]
    below = [one for one in listed if Version(one) < wanted][-1:]
    above = [one for one in listed if Version(one) > wanted][:1]
    return same or [*below, *above]


def _is_status(text: str) -> bool:
    return text.isdecimal() and int(text) in STATUSES
