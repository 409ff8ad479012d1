"""Gateways of others that install from PyPI or npm, by their locks: docs/other-gateways.md."""
