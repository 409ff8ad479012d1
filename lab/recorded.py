"""An embedded environment whose machines were looked at beforehand, by the host mutation matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gateway_acceptance.embedded import NotStarted, Running
from gateway_acceptance.environment import Environment


class RecordedProvider:
    """Starts nothing: the lab that the looks were taken of is up. options of ``[embedded]``: ``looks``, a
    folder with one ``MACHINE.json`` each, and ``key``, a file with the gateway's key."""

    def acquire(
        self,
        environment: Environment,
        *,
        options: Mapping[str, str],  # noqa: ARG002
        root: Path,  # noqa: ARG002
        say: Callable[[str], None],  # noqa: ARG002
    ) -> Running:
        """See ``gateway_acceptance.embedded.Provider``."""
        assert environment.embedded is not None
        given = environment.embedded.options
        snapshots, key = Path(str(given["looks"])), Path(str(given["key"]))
        missing = [name for name in environment.machines if not (snapshots / f"{name}.json").is_file()]
        if missing:
            raise NotStarted(f"there is no look at {', '.join(missing)} in {snapshots}")
        facts = {name: str(snapshots / f"{name}.json") for name in environment.machines}
        return Running(key.read_text(encoding="utf-8").strip(), _nothing, facts)


PROVIDER = RecordedProvider()


def _nothing() -> None:
    """Nothing was started."""
