"""Machines observed: one remote command collects the facts, checks judge them afterwards."""
