"""The pytest plugin. ``conftest.py`` loads it; all hooks are in ``gateway_acceptance.plugin.hooks``."""
