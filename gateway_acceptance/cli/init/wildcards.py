"""Names that a gateway lists because one entry of its configuration stands for many (``openai/*``).

LiteLLM lists each name of its price list that such an entry covers, a hundred and more, whether the server
behind has the model or not. Only what somebody serves can be judged, so only that is declared. Pure.
"""

from __future__ import annotations

from gateway_acceptance.cli.init.found import Alias, Found
from gateway_acceptance.wire.backends import full_name

WILDCARD = "it is a wildcard"
"""How the reason begins why one is left out."""


def set_aside(found: Found, asked_for: tuple[str, ...] = ()) -> None:
    """Take the names of wildcards out of ``found.aliases``, but those whose model the server behind lists and
    those asked_for; ``found.left_out`` has the pattern of each instead."""
    for names in _by_entry(found).values():
        gone = [alias for alias in names if alias.name not in asked_for and not _served(alias, found)]
        if not gone:
            continue
        found.aliases = [alias for alias in found.aliases if alias not in gone]
        pattern = _pattern([alias.name for alias in names])
        covered = [left for left in found.left_out if left[0].startswith(pattern[:-1])]
        found.left_out = [left for left in found.left_out if left not in covered]
        why = (
            f"{WILDCARD}: listed for it, and not known to be served: {len(gone) + len(covered)}; "
            "declare those that clients use as models (init --model NAME does)"
        )
        found.left_out.append((pattern, why))


def _by_entry(found: Found) -> dict[str, list[Alias]]:
    """The aliases of each entry that stands for several models, by the gateway's id of it."""
    entries: dict[str, list[Alias]] = {}
    for alias in found.aliases:
        if len(alias.members) == 1 and alias.member.entry:
            entries.setdefault(alias.member.entry, []).append(alias)
    return {entry: names for entry, names in entries.items() if _stands_for_many(names, found)}


def _stands_for_many(names: list[Alias], found: Found) -> bool:
    """Several models, or one that is called as the provider calls it and that the server behind has not: the
    only one of the price list. Other names of one model are none."""
    if len({alias.member.upstream for alias in names}) > 1:
        return True
    alias = names[0]
    known = found.backend(alias.member.backend).models if alias.member.backend else None
    called = alias.name.partition("/")[2] == alias.member.upstream
    return len(names) == 1 and called and known is not None and not _served(alias, found)


def _served(alias: Alias, found: Found) -> bool:
    if not alias.member.backend:
        return False
    return full_name(alias.member.upstream) in (found.backend(alias.member.backend).models or ())


def _pattern(names: list[str]) -> str:
    """What all names of an entry have in common, up to the last slash."""
    first, last = min(names), max(names)
    pairs = enumerate(zip(first, last, strict=False))
    shared = next((at for at, (one, other) in pairs if one != other), min(len(first), len(last)))
    return f"{first[: first.rfind('/', 0, shared) + 1]}*"
