"""Where the plugin is plugged in: options, and the hooks of controller and worker where a run judges."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway_acceptance.advisories import load_base
from gateway_acceptance.claims import load_claims
from gateway_acceptance.claims_here import claims_of
from gateway_acceptance.deviations import load_harm
from gateway_acceptance.environment import load_environments
from gateway_acceptance.environment.secrets import secrets_of
from gateway_acceptance.planted import load_planted
from gateway_acceptance.plugin import options, specs, suite_hooks
from gateway_acceptance.plugin.collecting import CollectedOnly, CollectionHooks
from gateway_acceptance.plugin.deciding import STAMPS, stamps_of
from gateway_acceptance.plugin.fixtures import (
    any_gateway,
    async_sdk,
    backend,
    backend_host,
    backend_name,
    chat_model,
    default_key,
    directive,
    disruptor,
    embedding_model,
    environment,
    gateway,
    group,
    host,
    in_smoke,
    live_gateway,
    machine,
    machine_name,
    note,
    picture,
    sdk,
    target,
    waivable,
)
from gateway_acceptance.plugin.permission import misnamed
from gateway_acceptance.plugin.run_inputs import RunInputs
from gateway_acceptance.plugin.worker import STATE, WorkerState
from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.waivers import waivers_for

__all__ = [
    "any_gateway",
    "async_sdk",
    "backend",
    "backend_host",
    "backend_name",
    "chat_model",
    "default_key",
    "directive",
    "disruptor",
    "embedding_model",
    "environment",
    "gateway",
    "group",
    "host",
    "in_smoke",
    "live_gateway",
    "machine",
    "machine_name",
    "note",
    "picture",
    "sdk",
    "target",
    "waivable",
]

NOWHERE = Path("nowhere")
"""The private folder of what only collects: nothing is written."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """What suites may tell the plugin."""
    pluginmanager.add_hookspecs(suite_hooks)
    pluginmanager.add_hookspecs(specs)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Environments and waivers are validated whole, here, before anything else happens."""
    options.add_markers(config)
    if not options.judges(config):
        return
    retrying = options.retrying(config)
    if retrying:
        raise pytest.UsageError(*retrying)
    folder = options.user_folder(config)
    stamps = config.stash.get(STAMPS, None) or (
        {} if config.option.collectonly else stamps_of(config.rootpath)
    )
    try:
        environments = load_environments(options.environment_names(config), folder, os.environ)
        templates = load_claims(config.rootpath / options.CHECKS_ROOT / "claims.toml")
        for each in environments:
            load_base(each.advisory_base)
        claims = {each.name: claims_of(templates, each) for each in environments}
        harms = load_harm(config.rootpath / options.CHECKS_ROOT / "harm.toml")
        waivers = {each.name: waivers_for(each, folder, harms) for each in environments}
        frozen = load_profiles(config.rootpath / options.CHECKS_ROOT / "profiles.toml")
        catalogue = load_planted(config.rootpath / options.CHECKS_ROOT)
        nonce, seal_key = options.nonce_of(config), _seal_key(config)
        known_signers = _known_signers(config)
    except UsageProblem as problem:
        raise pytest.UsageError(*problem.sentences) from None
    wrong = misnamed(environments, config.getoption(options.ALLOW_DISRUPT))
    if wrong:
        raise pytest.UsageError(*wrong)
    runs = not config.option.collectonly or config.getoption(options.PLAN)
    folder = NOWHERE
    if runs:
        folder = _controlled(
            RunInputs(config, environments, waivers, claims, frozen, stamps, seal_key, known_signers)
        )
    else:
        _register(config, CollectedOnly(), "gateway-acceptance-collected-only")
    learning, measuring = config.getoption("--learn-deviations"), config.getoption(options.MEASURE_COSTS)
    state = WorkerState(
        environments,
        folder,
        {} if learning else waivers,
        {template.id for template in templates},
        harms,
        Path(learning) if learning else None,
        lambda: [rule for rules in config.hook.pytest_gateway_rules() for rule in rules],
        catalogue=catalogue,
        measuring=Path(measuring) if measuring else None,
    )
    state.notebook.nonce = nonce
    for each in environments:
        state.redactor.add(f"key of {each.name}", os.environ.get(each.gateway.key_variable or "", ""))
        for name, secret in secrets_of(each, os.environ).items():
            state.redactor.add(name, secret)
    config.stash[STATE] = state
    collection = CollectionHooks(config, state)
    _register(config, collection, "gateway-acceptance-collection")
    if runs:
        from gateway_acceptance.plugin.worker_hooks import WorkerHooks

        _register(config, WorkerHooks(config, state, collection), "gateway-acceptance-worker")


def _controlled(inputs: RunInputs) -> Path:
    """The run's private folder, made here and with it all that hears and writes; in xdist's workers the one
    that they are told."""
    from gateway_acceptance.plugin.controller import Controller
    from gateway_acceptance.plugin.controller_hooks import FOLDER_KEY, ControllerHooks, LastWord
    from gateway_acceptance.plugin.live_screen import watch

    config = inputs.config
    worker_input = getattr(config, "workerinput", None)
    if worker_input is not None:
        return Path(worker_input[FOLDER_KEY])
    controller = Controller(inputs)
    if config.getoption(options.PLAN):
        from gateway_acceptance.plugin.planning import prepare_plan  # no other run needs it

        prepare_plan(config, controller)
    elif not config.option.record_only and not config.option.allure_report_dir:
        config.option.allure_report_dir = str(controller.folder.staging)
    _register(config, LastWord(controller), "gateway-acceptance-last-word")
    _register(config, ControllerHooks(controller), "gateway-acceptance-controller")
    screen = watch(controller)
    if screen is not None:
        _register(config, screen, options.LIVE)
    return controller.folder.path


def _seal_key(config: pytest.Config) -> object:
    """The runner's key that ``--seal-key`` names; None where it names none, and in xdist's workers. Raises
    UsageProblem."""
    given = config.getoption("--seal-key")
    if not given or hasattr(config, "workerinput"):
        return None
    from gateway_acceptance.signoff.keys import load_private

    return load_private(config.invocation_params.dir / given, lambda: None, "--seal-key")


def _known_signers(config: pytest.Config) -> object:
    """Who may have signed earlier releases, by the file that ``--allowed-signers`` names; None without one,
    and in xdist's workers. Raises UsageProblem."""
    given = config.getoption("--allowed-signers")
    if not given or hasattr(config, "workerinput"):
        return None
    from gateway_acceptance.signoff.signers import allowed_in
    from gateway_acceptance.signoff.trusted import known_by

    anchor = config.invocation_params.dir / given
    return known_by(allowed_in(anchor), anchor)


def _register(config: pytest.Config, plugin: object, name: str) -> None:
    """Without a part of it pytest would run the checks and judge nothing: none can be left out."""
    if config.pluginmanager.register(plugin, name) is None:
        raise pytest.UsageError(f"-p no:{name} leaves out what judges the run; take it away")
