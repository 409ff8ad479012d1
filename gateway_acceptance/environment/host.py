"""What an environment file declares of machines: the gateway's (``[host]``) and the backends'
(``[backends.host]``). What is not declared is not checked, and says so (not applicable)."""

from __future__ import annotations

import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic.functional_validators import AfterValidator

from gateway_acceptance.environment.table import Table

URI_SCHEMES = ("ssh", "safe-ssh", "paramiko", "local", "docker", "podman")
"""The connection backends of testinfra that suit a machine."""


def _uri(value: str) -> str:
    if "${" in value:
        return value
    parts = urlsplit(value)
    if parts.scheme not in URI_SCHEMES:
        raise ValueError(f"is not a testinfra URI such as ssh://host (known: {', '.join(URI_SCHEMES)})")
    if parts.password is not None:
        raise ValueError("must not hold a password: use a key, named in your ssh_config")
    return value


def _absolute(value: str) -> str:
    if not value.startswith("/") or ".." in value.split("/"):
        raise ValueError("is not an absolute path without '..'")
    if not re.fullmatch(r"[^\s\"'#\\]+", value):  # it becomes a word of sudo rules and of commands to paste
        raise ValueError("must hold no blanks, quotes, backslashes or #")
    return value if value == "/" else value.rstrip("/")


def _relative(value: str) -> str:
    if value.startswith("/") or not value or ".." in value.split("/"):
        raise ValueError("is not a path below the tree (relative, without '..')")
    return value.rstrip("/")


def _socket(value: str) -> str:
    if not re.fullmatch(r"(\*|\[[0-9a-f:]*\]|[0-9.]+):[0-9]{1,5}(/udp)?", value):
        raise ValueError("is not ADDRESS:PORT (such as 0.0.0.0:4000, [::]:22, *:22, or 127.0.0.1:323/udp)")
    return value


Uri = Annotated[str, AfterValidator(_uri)]
AbsolutePath = Annotated[str, AfterValidator(_absolute)]
RelativePath = Annotated[str, AfterValidator(_relative)]
Socket = Annotated[str, AfterValidator(_socket)]
Account = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$")]
Setting = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Command = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]


def _at_most(most: int, least: int, example: str) -> AfterValidator:
    def mode(value: str) -> str:
        if not re.fullmatch(r"0[0-7]{3}", value) or int(value, 8) & ~most or int(value, 8) & least != least:
            raise ValueError(f"is not a mode such as {example}, with no right beyond {most:04o}")
        return value

    return AfterValidator(mode)


FileMode = Annotated[str, _at_most(0o644, 0o400, "0644 or 0640")]
DirectoryMode = Annotated[str, _at_most(0o755, 0o500, "0755 or 0750")]
Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Machine(Table):
    """A machine and the one service that matters on it.

    uri: as testinfra reaches it; ssh_config: an OpenSSH client configuration for it, relative to the
    environment file; name, address: what the machine itself must have; clock_s: the most its clock may be
    off, in seconds; stable_s: how long the service must have run without a restart, in seconds; listens: the
    sockets of the unit; also_listens: every other socket that may be open; hardening: directive of the unit
    -> wanted value, as ``systemctl show`` prints it; exposure: the most that ``systemd-analyze security`` may
    say (0 to 10); free_disk_mb, free_memory_mb: what must be left; log_mb_per_day: the most its journal may
    grow.
    """

    uri: Uri
    ssh_config: str | None = None
    name: str | None = None
    address: str | None = None
    clock_s: Annotated[float, Field(gt=0)] = 2.0
    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9:_.@-]+\.service$")]
    user: Account
    group: Account | None = None
    groups: tuple[Account, ...] = ()
    stable_s: Annotated[float, Field(gt=0)] = 60.0
    listens: tuple[Socket, ...] = ()
    also_listens: tuple[Socket, ...] = ()
    hardening: dict[str, str] = Field(default_factory=dict)
    exposure: Annotated[float, Field(gt=0, le=10)] | None = None
    free_disk_mb: Annotated[int, Field(gt=0)] = 1024
    free_memory_mb: Annotated[int, Field(gt=0)] = 256
    log_mb_per_day: Annotated[int, Field(gt=0)] | None = None

    @property
    def own_group(self) -> str:
        """The service's group: as declared, or of the user's own name."""
        return self.group or self.user


class Repository(Table):
    """The git work tree that the deployment is. remote: its origin; commit: what must be checked out."""

    remote: str | None = None
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")] | None = None


class Host(Machine):
    """The gateway's machine.

    tree: the base directory; all other paths are below it and relative, but those of secrets. directories:
    each that must be there; owner, owner_group, file_mode, directory_mode, script_mode: of the whole tree, by
    default root, the service's group, 0644, 0755 and 0755; stricter ones may be declared; development_user,
    development_paths: the ownership that development left behind. digests, sizes: of files, where they are
    pinned. settings: variables of the secrets' files that are no secrets, beside the product's own: their
    values are read, of all others only the names. tree_mb, environment_mb: disk bounds without and with the
    virtual environment.
    """

    tree: AbsolutePath
    owner: Account = "root"
    owner_group: Account | None = None
    file_mode: FileMode = "0644"
    directory_mode: DirectoryMode = "0755"
    script_mode: DirectoryMode = "0755"
    directories: tuple[RelativePath, ...] = ()
    deployment_script: RelativePath | None = None
    service_scripts: tuple[RelativePath, ...] = ()
    configuration: RelativePath | None = None
    documentation: RelativePath | None = None
    working_directory: RelativePath | None = None
    virtual_environment: RelativePath | None = None
    writable: tuple[RelativePath, ...] = ()
    secrets: tuple[AbsolutePath, ...] = ()
    settings: tuple[Setting, ...] = ()
    needed_commands: tuple[Command, ...] = ()
    development_user: Account | None = None
    development_paths: tuple[RelativePath, ...] = ()
    repository: Repository | None = None
    digests: dict[RelativePath, Sha256] = Field(default_factory=dict)
    sizes: dict[RelativePath, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    tree_mb: Annotated[int, Field(gt=0)] | None = None
    environment_mb: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _files_are_below_the_tree(self) -> Self:
        if self.tree.count("/") < 2:
            raise ValueError(f"host.tree {self.tree} is too near the root to be one deployment's own")
        if self.owner == self.user:
            raise ValueError(
                f"host.owner {self.owner} is the service's own account, which could write all of it"
            )
        return self

    @property
    def tree_group(self) -> str:
        """The group of the tree: as declared, or the service's."""
        return self.owner_group or self.own_group

    @property
    def scripts(self) -> tuple[str, ...]:
        """Every declared script, the deployment script first."""
        first = (self.deployment_script,) if self.deployment_script else ()
        return (*first, *self.service_scripts)


class BackendHost(Machine):
    """A backend's machine. models: the directory where it keeps its models; version: the product's."""

    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9:_.@-]+\.service$")] = "ollama.service"
    user: Account = "ollama"
    models: AbsolutePath | None = None
    version: str | None = None
