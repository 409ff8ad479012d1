"""What is logged while a run goes on holds no key, wherever pytest is told to write it."""

from __future__ import annotations

from tests.plugin.gateway import KEY
from tests.plugin.project import ALIVE, Project, a_check

LOGGING = """
import logging, os
key = os.environ['MINI_KEY']
logger = logging.getLogger('somebody')
logger.debug('with %s', key)
try:
    raise ValueError(key)
except ValueError:
    logger.exception('it failed')
_hooks = request.config.hook
_hooks.pytest_assertion_pass(item=request.node, lineno=1, orig=key, expl=key)
"""


def test_no_log_holds_the_key(project: Project) -> None:
    project.checks(ALIVE, a_check(1, LOGGING, "environment, request"))
    log, debug = project.root / "log", project.root / "debug"
    run = project.run(
        f"--log-file={log}", "--log-file-level=DEBUG", f"--debug={debug}",
        "-o", "log_cli=true", "-o", "log_cli_level=DEBUG",
    )  # fmt: skip
    written = log.read_text("utf-8")
    assert "with [redacted:key of mini]" in written
    assert "ValueError: [redacted:key of mini]" in written
    assert "expl: [redacted:key of mini]" in debug.read_text("utf-8")
    assert KEY not in written + debug.read_text("utf-8") + run.output
    assert run.verdict("API-T-001") == "passed"
