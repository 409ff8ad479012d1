"""Published holes of versions: an offline base in OSV's form, and what of it concerns a version.

Design: docs/advisories.md. Everything here is pure but for reading and writing the base's file.
"""

from gateway_acceptance.advisories.base import Advisory, Base, load_base
from gateway_acceptance.advisories.evaluate import AdvisoryFinding, clear_from, concerning
from gateway_acceptance.advisories.versions import NotComparable, comparable

__all__ = [
    "Advisory",
    "AdvisoryFinding",
    "Base",
    "NotComparable",
    "clear_from",
    "comparable",
    "concerning",
    "load_base",
]
