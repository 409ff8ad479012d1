"""Command line, markers, and which runs concern us at all."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

import pytest

from gateway_acceptance.check import PROFILES, Effect, Level
from gateway_acceptance.places import runs_of
from gateway_acceptance.usage import UsageProblem

CHECKS_ROOT = "suites"
USER_FOLDER = pytest.StashKey[Path]()
"""Where the packaged checks run: the folder that pytest was started in. In a project the root is both."""
ENV_VARIABLE = "GATEWAY_ACCEPTANCE_ENV"
RETRYING = ("rerunfailures", "flaky", "pytest-retry", "pytest_retry")
"""Names under which such plugins are registered."""
PLAN = "--plan"
MEASURE_COSTS = "--measure-costs"
ALLOW_DISRUPT = "--allow-disrupt"
SIGNERS_VARIABLE = "GATEWAY_ACCEPTANCE_ALLOWED_SIGNERS"
SEAL_KEY_VARIABLE = "GATEWAY_ACCEPTANCE_SEAL_KEY"
NONCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{5,63}")
LITELLM_VARIABLE = "GATEWAY_ACCEPTANCE_LITELLM"
LIVE = "gateway-acceptance-live"
"""The plugin that draws a run while it goes on; none where nobody watches."""


def add_options(parser: pytest.Parser) -> None:
    """``--env``, ``--litellm``, ``--run-dir`` and ``--no-report``."""
    group = parser.getgroup("gateway acceptance")
    group.addoption(
        "--env",
        action="append",
        default=None,
        metavar="NAME|FILE",
        help="the environment to judge: a name in environments/, or the path of a TOML file; may be given "
        f"several times (default: ${ENV_VARIABLE}, or local)",
    )
    group.addoption(
        "--litellm",
        default=os.environ.get(LITELLM_VARIABLE),
        metavar="VERSION",
        help="the LiteLLM that embedded environments run: a version, or 'latest' for the newest locked one "
        f"(default: ${LITELLM_VARIABLE}, or what the environment declares)",
    )
    group.addoption(
        "--runs",
        default=None,
        metavar="DIR",
        help="where run directories are written (default: reports/runs)",
    )
    group.addoption(
        ALLOW_DISRUPT,
        action="append",
        default=[],
        metavar="NAME",
        help="let checks take something down in the production environment NAME, whose policy.effects must "
        "permit 'disrupt' as well; may be given several times",
    )
    group.addoption(
        "--twin",
        action="store_true",
        default=False,
        help="of a release without a file of deviations: start the same release beside in the lab, clean, "
        "run the same checks, and judge by what it shows",
    )
    group.addoption("--record-only", action="store_true", default=False, help=argparse.SUPPRESS)
    group.addoption(
        "--nonce",
        default=None,
        metavar="WORD",
        help="a word that somebody made up just before: it goes into the record, the User-Agent and the "
        "user field of prompts, so that the target's logs hold it",
    )
    group.addoption(
        "--seal-key",
        default=os.environ.get(SEAL_KEY_VARIABLE),
        metavar="FILE",
        help="a runner's private SSH key, without a passphrase, that signs the run's seal when it ends "
        f"(default: ${SEAL_KEY_VARIABLE}, or none)",
    )
    group.addoption(
        "--allowed-signers",
        default=os.environ.get(SIGNERS_VARIABLE),
        metavar="FILE",
        help="who may have signed earlier releases, as ssh-keygen has it: the tracker compares with none but "
        f"theirs (default: ${SIGNERS_VARIABLE}, or none: the release compared with is called unverified)",
    )
    group.addoption(
        PLAN,
        action="store_true",
        default=False,
        help="print what the run would cost (requests, tokens, commands, time by suite) and send nothing",
    )
    group.addoption(MEASURE_COSTS, default=None, metavar="FILE", help=argparse.SUPPRESS)
    group.addoption("--learn-deviations", default=None, metavar="FILE", help=argparse.SUPPRESS)
    group.addoption("--learn-planted", default=None, metavar="FILE", help=argparse.SUPPRESS)
    group.addoption(
        "--no-live",
        action="store_true",
        default=False,
        help="on a terminal, write pytest's own lines instead of the screen that shows the run while it goes "
        "on; -v, -s, CI and pipes have them anyway",
    )
    group.addoption(
        "--no-report",
        action="store_true",
        default=False,
        help="write the record and its text views, but do not build the HTML report",
    )


def add_markers(config: pytest.Config) -> None:
    """Make the metadata of checks selectable by ``-m``."""
    config.addinivalue_line("markers", "check(info): this test is a check (see gateway_acceptance.check)")
    for profile in PROFILES:
        config.addinivalue_line("markers", f"{profile}: checks of the profile {profile}")
    for level in Level:
        config.addinivalue_line("markers", f"{level.value.lower()}: checks of level {level.value}")
    for effect in Effect:
        config.addinivalue_line("markers", f"{effect.value}: checks whose effect is {effect.value}")


def environment_names(config: pytest.Config) -> list[str]:
    """What ``--env`` says, or its default."""
    given: list[str] | None = config.getoption("--env")
    return given or os.environ.get(ENV_VARIABLE, "local").split(",")


def judges(config: pytest.Config) -> bool:
    """Whether the arguments can select checks: ``pytest tests`` is no run of the suite."""
    checks = config.rootpath / CHECKS_ROOT
    if not checks.is_dir():
        return False
    for argument in config.args:
        path = (config.invocation_params.dir / argument.split("::", 1)[0]).resolve()
        if path == checks or path.is_relative_to(checks) or checks.is_relative_to(path):
            return True
    return False


def nonce_of(config: pytest.Config) -> str:
    """What ``--nonce`` says, or nothing. Raises UsageProblem."""
    given: str | None = config.getoption("--nonce")
    if given and not NONCE.fullmatch(given):
        raise UsageProblem([f"--nonce {given!r} is no word; use 6 to 64 letters, digits and . _ -"])
    return given or ""


def narrowed(config: pytest.Config) -> list[str]:
    """The options that make a run smaller than its profile, as they were given."""
    option = config.option
    found = []
    if option.keyword:
        found.append(f"-k {option.keyword!r}")
    if getattr(option, "deselect", None):
        found.append("--deselect")
    if getattr(option, "lf", False):
        found.append("--last-failed")
    if getattr(option, "ignore", None) or getattr(option, "ignore_glob", None):
        found.append("--ignore")
    if option.maxfail:
        found.append(f"--maxfail {option.maxfail}")
    checks = config.rootpath / CHECKS_ROOT
    for argument in config.args:
        path = (config.invocation_params.dir / argument.split("::", 1)[0]).resolve()
        if "::" in argument or not checks.is_relative_to(path):
            found.append(argument.removeprefix(f"{config.rootpath}{os.sep}"))
    return found


def retrying(config: pytest.Config) -> list[str]:
    """A sentence for each plugin that runs failed tests again: retries are not evidence."""
    return [
        f"the plugin {name} runs failed checks again, and a retry is no evidence; "
        f"uninstall it, or run with -p no:{name}"
        for name in RETRYING
        if config.pluginmanager.has_plugin(name)
    ]


def profile_of(config: pytest.Config) -> str | None:
    """The profile that ``-m`` names; no ``-m`` at all is the widest; any other expression is none."""
    expression = config.option.markexpr.strip()
    if not expression:
        return PROFILES[-1]
    return expression if expression in PROFILES else None


def runs_root(config: pytest.Config) -> Path:
    """Where run directories go."""
    given: str | None = config.getoption("--runs")
    return (config.invocation_params.dir / given) if given else runs_of(user_folder(config))


def user_folder(config: pytest.Config) -> Path:
    """Where environment files, waivers and reports of the run are."""
    return config.stash.get(USER_FOLDER, config.rootpath)
