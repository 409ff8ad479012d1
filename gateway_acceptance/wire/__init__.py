"""Observation of the wire: raw exchanges, the SSE state machine, schemas, the official SDK, attribution."""
