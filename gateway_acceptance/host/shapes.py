"""The shape of each section of a machine's facts. A machine may say anything: what has another shape counts
as missing, and no check stumbles over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway_acceptance.host.constraints import Address, Count, Limit, Links, Mode, Properties, Status

STRICT = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)
ABSENT: Any = None
"""Of a key that does not always come. Where it comes, it has its type."""


class Shape(BaseModel):
    """What must be there, and of which type."""

    model_config = STRICT


class Part(Shape):
    """Why a part of a section is missing."""

    why: str
    needs: str


Missing = dict[str, Part]


class TreeEntry(Shape):
    """As ``collect.base.entry`` gives it; root's view of a secret file has neither size nor times."""

    path: str
    kind: str
    mode: Mode
    user: str
    group: str
    size: int = ABSENT
    mtime: float = ABSENT
    target: str = ABSENT
    broken: bool = ABSENT
    escapes: bool = ABSENT


class ListedProcess(Shape):
    """A process as others' lists name it."""

    pid: int
    user: str
    comm: str
    unit: str = ABSENT
    cgroup: str = ABSENT


class Owned(ListedProcess):
    """One that is told with its unit."""

    unit: str


class Clock(Shape):
    first: float
    last: float


class MachineNames(Shape):
    name: str
    addresses: list[Address]
    account: str
    processors: Count


class UnitFile(Shape):
    path: str
    text: str
    sha256: str = ABSENT
    entry: TreeEntry | None
    readable: bool
    error: str | None = ABSENT


class Directive(Shape):
    name: str | None
    set: bool | None
    exposure: str | float | None


class Unit(Shape):
    exists: bool
    properties: Properties
    enabled: str
    files: list[UnitFile]
    verify: list[str]
    verify_unseen: list[str] = []
    exposure: float | None
    directives: list[Directive]
    call_groups: dict[str, list[str]]


class NoProcess(Shape):
    pid: Literal[0]
    copies: list[Owned]


class Mount(Shape):
    point: str
    options: list[str]
    kind: str
    source: str
    super: list[str]


class Usage(Shape):
    rss_kb: Count
    cpu_s: float
    at_s: float


class Process(Shape):
    pid: int
    started: float
    cmdline: list[str]
    status: Status
    first_filters: int
    group: str
    groups: list[str]
    limits: dict[str, Annotated[list[Limit], Field(min_length=2, max_length=2)]]
    cgroup: str
    cgroup_limits: dict[str, str]
    members: list[ListedProcess]
    copies: list[Owned]
    missing: Missing
    usage: Usage = ABSENT
    links: Links = ABSENT
    mounts: list[Mount] = ABSENT
    descriptors: Count = ABSENT
    open_files: Count = ABSENT


class Person(Shape):
    name: str
    uid: int
    gid: int
    home: str
    shell: str


class Nobody(Shape):
    entry: None


class AccountFacts(Shape):
    entry: Person
    primary: str
    groups: list[str]
    sys_uid_max: int
    missing: Missing
    password: str = ABSENT
    sudo: list[str] = ABSENT
    keys: list[str] = ABSENT
    processes: list[Owned] = ABSENT


class Socket(Shape):
    proto: str
    address: str
    port: int
    pid: int | None
    process: str | None
    user: str | None
    unit: str | None


class Reach(Shape):
    url: str
    reached: bool
    version: Any
    error: str
    elapsed_s: float = ABSENT
    models: dict[str, str] | None
    dimensions: dict[str, Any]


class Disk(Shape):
    total_mb: int
    free_mb: int
    inodes: int
    free_inodes: int


class Resources(Shape):
    disks: dict[str, Disk]
    memory: dict[str, int]
    journald: dict[str, str]


class Failed(Shape):
    """A request that an access log says failed."""

    at: float
    status: int
    by: str
    what: str


class Journal(Shape):
    lines: Count
    bytes: Count
    first: float | None
    last: float | None = ABSENT
    secrets: list[str]
    failures: list[Failed] = ABSENT
    cut: bool

    @model_validator(mode="after")
    def _lines_have_times(self) -> Self:
        if self.lines and self.first is None:
            raise ValueError("there are lines, and none is the first")
        return self


class Settings(Shape):
    names: list[str]
    values: dict[str, str]
    default_key: bool


class Ollama(Shape):
    version: str | None
    manifests: list[str] | None
    missing: Missing


class PythonEnvironmentFacts(Shape):
    files: Count
    directories: Count
    bytes: Count
    offenders: list[TreeEntry]
    offenders_total: Count


class Tree(Shape):
    exists: bool
    hidden: str = ""
    entries: list[TreeEntry]
    ancestors: list[TreeEntry]
    unreadable: list[str]
    bytes: Count
    cut: bool
    environment: PythonEnvironmentFacts


class SecretFile(Shape):
    path: str
    exists: bool
    entry: TreeEntry | None
    parent: TreeEntry | None


class Access(Shape):
    missing: Missing
    unreadable: list[str] = ABSENT
    unsearchable: list[str] = ABSENT
    writable: list[str] = ABSENT
    secrets_readable: list[str] = ABSENT
    secrets_writable: list[str] = ABSENT


class File(Shape):
    exists: bool
    hidden: str = ""
    entry: TreeEntry = ABSENT
    sha256: str = ABSENT
    size: int = ABSENT
    text: str = ABSENT
    syntax: str = ABSENT
    error: str | None = ABSENT

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.exists and self.error is None and None in (self.size, self.text):
            raise ValueError("it is there, and size or text is not told")
        return self


class LiteralSecret(Shape):
    path: str
    line: int
    what: str
    mode: Mode


class Literals(Shape):
    found: list[LiteralSecret]
    scanned: Count
    unread: list[str]


class NoRepository(Shape):
    root: None
    error: str
    hidden: str = ""


class RepositoryFacts(Shape):
    root: str
    head: str
    branch: str
    remote: str | None
    rewrites: list[list[str]] = ABSENT
    dirty: list[str]
    unread: list[str] = []
    published: bool | None
    declared_known: bool | None


class Startup(Shape):
    name: str
    lines: list[str]


class Python(Shape):
    exists: bool
    hidden: str = ""
    version: str | None
    packages: dict[str, str]
    startup: list[Startup]


SHAPES: Mapping[str, Any] = {
    "clock": Clock,
    "machine": MachineNames,
    "commands": dict[str, str | None],
    "unit": Unit,
    "process": NoProcess | Process,
    "account": Nobody | AccountFacts,
    "sockets": list[Socket],
    "reach": dict[str, Reach],
    "resources": Resources,
    "journal": Journal,
    "settings": Settings,
    "ollama": Ollama,
    "tree": Tree,
    "secrets": list[SecretFile],
    "access": Access,
    "files": dict[str, File],
    "literals": Literals,
    "repository": NoRepository | RepositoryFacts,
    "python": Python,
}
"""Section -> what ``collect`` gives; further keys may come."""
