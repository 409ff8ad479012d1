"""Machines observed: one remote command gathers the facts, checks judge them afterwards."""
