"""The facts of one machine, as its checks read them."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway_acceptance.environment.host import Machine
from gateway_acceptance.host.extent import extent
from gateway_acceptance.host.privileges import Privilege, rule_for
from gateway_acceptance.subjects import SUBJECTS
from gateway_acceptance.verdict import Untestable

BEGIN, END = "<<<facts ", " facts>>>"
MOST_BYTES = 32 << 20
"""Of a machine's facts, unpacked: 5000 entries of a tree and 64 KiB of each declared file are far below."""


class NoFacts(Exception):  # noqa: N818
    """A machine could not be looked at: one sentence, and how to fix it."""

    def __init__(self, why: str, fix: str) -> None:
        self.why, self.fix = why, fix
        super().__init__(f"{why}; {fix}")


class FactsProgramFailed(Exception):  # noqa: N818
    """The suite's own program failed on the machine: our error, never the machine's."""


def unpacked(text: str) -> dict[str, Any]:
    """The sections that the program printed; one of another shape than it gives is missing. Raises NoFacts
    where the text holds none."""
    from gateway_acceptance.host.formed import well_formed  # many smokes look at no machine

    begin, end = text.find(BEGIN), text.rfind(END)
    if begin < 0 or end < begin:
        shown = " ".join(text.split())[:200] or "nothing"
        raise NoFacts(
            f"the machine answered without facts: {shown}", "look at what its login prints and at its python3"
        )
    try:
        document = json.loads(_inflated(base64.b64decode(text[begin + len(BEGIN) : end])))
    except (ValueError, zlib.error, RecursionError) as broken:
        document = broken
    if not isinstance(document, dict):
        raise NoFacts(
            f"the machine's facts came broken, {end - begin} characters of them ({document!r})"[:200],
            "look whether the connection to it holds, and what its login and its shell print",
        )
    return well_formed(document)


def _inflated(packed: bytes) -> bytes:
    """What was packed. Raises ValueError where it is too large for facts, before it fills the memory."""
    inflating = zlib.decompressobj()
    content = inflating.decompress(packed, MOST_BYTES)
    if inflating.unconsumed_tail:
        raise ValueError(f"more than {MOST_BYTES >> 20} MiB")
    if not inflating.eof:
        raise ValueError("cut off")
    return content


@dataclass(frozen=True)
class MachineFacts:
    """What was seen of one machine.

    name: ``gateway`` or a backend's name; sections: as ``collect.main.collected`` gives them; asked,
    answered: the suite's own clock around the command, in seconds since the epoch.
    """

    name: str
    declared: Machine
    sections: Mapping[str, Any]
    privileges: Sequence[Privilege] = ()
    asked: float = 0.0
    answered: float = 0.0
    account: str = field(default="the suite's account")

    def __getitem__(self, section: str) -> Any:
        """A section's value. Raises Untestable where it could not be had, with the rule that provides it."""
        found = self.sections.get(section)
        if found is None:
            raise KeyError(section)
        if "value" in found:
            held = extent(section, found["value"], self.declared) or {"facts": 1}
            for kind, count in held.items():
                SUBJECTS.observe(f"{kind} of {self.name}", count)
            return found["value"]
        if found.get("ours"):
            raise FactsProgramFailed(f"{self.name}: {section}: {found['missing']}")
        raise self._untestable(section, found["missing"], found["needs"])

    def part(self, section: str, name: str) -> Any:
        """A field of a section that may be missing alone (``process.links``, ``account.sudo``)."""
        value = self[section]
        missing = value.get("missing", {}).get(name)
        if missing is not None:
            raise self._untestable(f"{section}.{name}", missing["why"], missing["needs"])
        if name not in value:
            raise self._untestable(f"{section}.{name}", "the machine's facts do not tell it", "")
        return value[name]

    def _untestable(self, what: str, why: str, needs: str) -> Untestable:
        wanted = next((privilege for privilege in self.privileges if privilege.name == needs), None)
        fix = "look at the machine"
        if wanted is not None:
            fix = f"allow it there with the sudo rule: {rule_for(self.account, wanted)}"
            fix += " (a pattern: needs sudo 1.9.10 or newer)" if wanted.pattern else ""
        return Untestable(f"{self.name}: {what} is not to be had ({why})", fix)
