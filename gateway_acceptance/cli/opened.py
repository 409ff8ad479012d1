"""An environment made ready for one command, as a run has it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway_acceptance.embedded import provider_of
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.secrets import key_of, secrets_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.wire.exchange import Notebook


@contextmanager
def opened(
    environment: Environment, root: Path, litellm: str, agent: str
) -> Iterator[tuple[Target, Redactor]]:
    """The environment as a run would have it, for one command. agent: what it calls itself. Raises
    NotStarted."""
    running = None
    if environment.embedded is None:
        key = key_of(environment, os.environ)
    else:
        running = provider_of(environment).acquire(
            environment, options={"litellm": litellm}, root=root, say=lambda text: print(f"# {text}")
        )
        key = running.key
    try:
        with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
            notebook = Notebook(agent=agent)
            target = Target(environment, key, Path(folder), time.time(), notebook)
            try:
                yield target, Redactor({"the gateway's key": key, **secrets_of(environment, os.environ)})
            finally:
                target.close()
    finally:
        if running is not None:
            running.release()
