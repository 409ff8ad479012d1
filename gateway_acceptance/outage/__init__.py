"""Outages: what was seen while backends were away, what may be expected of it, and how it is drawn."""
