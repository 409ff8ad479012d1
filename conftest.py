"""Loads the plugin, nothing else."""

pytest_plugins = ["gateway_acceptance.plugin.hooks"]
