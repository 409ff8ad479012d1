"""Where the requirement stands that a check's ``spec`` names, and what was reported upstream about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

ISSUES = {
    "litellm": "https://github.com/BerriAI/litellm/issues/",
    "ollama": "https://github.com/ollama/ollama/issues/",
}
"""GitHub leads from an issue's address to the pull request of that number."""

REPORTED = re.compile(r"\b(litellm|ollama) (?:#|issues? |pull requests? )(\d+(?:, #?\d+)*)", re.IGNORECASE)

PLACES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"\bRFC (\d+)(?:(?: section |, )(\d+(?:\.\d+)*))"),
        r"https://www.rfc-editor.org/rfc/rfc\1#section-\2",
    ),
    (re.compile(r"\bRFC (\d+)(?!(?: section |, )?\d)"), r"https://www.rfc-editor.org/rfc/rfc\1"),
    (re.compile(r"\bCWE-(\d+)"), r"https://cwe.mitre.org/data/definitions/\1.html"),
    (re.compile(r"\b((?:docs\.[a-z]+\.[a-z]+|github\.com)(?:/[\w.-]+)*[\w-])"), r"https://\1"),
    (re.compile(r"\b([a-z][\w.@-]*)\(([1-8])\)"), r"https://man7.org/linux/man-pages/man\2/\1.\2.html"),
    (re.compile(r"^openai:(guides/[\w-]+)"), r"https://platform.openai.com/docs/\1"),
    (re.compile(r"^(?:openai:|openai-openapi )(?!guides)"), "https://github.com/openai/openai-openapi"),
    (re.compile(r"^openai-python[: ]"), "https://github.com/openai/openai-python"),
    (re.compile(r"^openai-node "), "https://github.com/openai/openai-node"),
    (re.compile(r"^litellm:"), "https://docs.litellm.ai"),
    (re.compile(r"^ollama:"), "https://github.com/ollama/ollama/blob/main/docs/api.md"),
    (re.compile(r"^WHATWG HTML 9\.2"), "https://html.spec.whatwg.org/multipage/server-sent-events.html"),
    (re.compile(r"^Fetch: CORS"), "https://fetch.spec.whatwg.org/#http-cors-protocol"),
)
"""What a part of a spec looks like, and the page it stands on."""


@dataclass(frozen=True, slots=True)
class SpecLink:
    """name: the words of the spec; url: https; issue: whether it is a report upstream, not a norm."""

    name: str
    url: str
    issue: bool = False


def spec_links(spec: str) -> list[SpecLink]:
    """The links of a spec, each address once, norms first; a part that names no public page has none."""
    norms, reports = [], []
    for part in (one.strip() for one in spec.split(";")):
        for pattern, page in PLACES:
            norms += [SpecLink(part, found.expand(page)) for found in pattern.finditer(part)]
        for found in REPORTED.finditer(part):
            product = found[1].lower()
            reports += [
                SpecLink(f"{found[1]} #{number}", ISSUES[product] + number, issue=True)
                for number in re.findall(r"\d+", found[2])
            ]
    return list({link.url: link for link in reversed([*norms, *reports])}.values())[::-1]
