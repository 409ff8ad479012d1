"""What a LiteLLM with a database needs beside itself: PostgreSQL, Prisma's engine and its client."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from packaging.version import Version

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.locked_install import InstallFailedError, run
from gateway_acceptance.report.node import NoNodeError, node
from lab.debian import needed
from lab.hosts.tools import command
from lab.installed import READY, tree_stands
from lab.litellm.install import ensure_litellm
from lab.npm import npm_ci

HERE = Path(__file__).parent
DEBIAN = Path("/usr/lib/postgresql")
PROGRAMS = ("initdb", "postgres", "psql")


@dataclass(frozen=True, slots=True)
class Installed:
    """litellm: its executable; programs: the folder of PostgreSQL's; libraries: where they find what is
    unpacked beside them, or empty; modules: the folder with node_modules; engine: the program that LiteLLM's
    client starts."""

    litellm: str
    programs: str
    libraries: str
    modules: str
    engine: str

    @classmethod
    def read(cls, path: Path) -> Installed:
        """What ``ensure_database`` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def ensure_database(root: Path, version: str, say: Callable[[str], None]) -> Path:
    """A LiteLLM whose client of the database is generated, and what it needs; installed once below
    ``root/.lab``. Returns the file that ``Installed`` reads. Raises NotStarted."""
    folder = root / ".lab" / "database"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # another run may be installing the same
        programs, libraries = ensure_postgresql(folder, say)
        modules = _modules(folder, say)
        litellm = ensure_litellm(root, f"{version}-database", say)
        engine = _engine(folder, modules)
        _client(litellm, modules, engine, say)
        found = Installed(str(litellm), str(programs), libraries, str(modules), str(engine))
        path = folder / f"{version}.json"
        path.write_text(json.dumps(asdict(found)), encoding="utf-8")
    return path


def ensure_postgresql(folder: Path, say: Callable[[str], None], debian: Path = DEBIAN) -> tuple[Path, str]:
    """The folder of PostgreSQL's programs and of libraries beside it: this machine's, where it has them, else
    Debian's packages, unpacked below ``folder`` and installed nowhere. Raises NotStarted."""
    found = _programs(debian)
    if found is not None:
        return found, ""
    unpacked = folder / "postgresql"
    if not (tree_stands(unpacked) and _programs(unpacked / "usr" / "lib" / "postgresql")):
        say("fetching PostgreSQL (Debian's packages), once ...")
        shutil.rmtree(unpacked, ignore_errors=True)
        packages = unpacked / "packages"
        packages.mkdir(parents=True)
        names = _server_packages()
        command(["apt-get", "download", *names], cwd=packages)
        for package in sorted(packages.glob("*.deb")):
            command(["dpkg-deb", "-x", str(package), str(unpacked)])
        shutil.rmtree(packages)
        (unpacked / READY).touch()
    found = _programs(unpacked / "usr" / "lib" / "postgresql")
    if found is None:
        raise NotStarted(f"Debian's packages of PostgreSQL hold no {', '.join(PROGRAMS)}")
    libraries = sorted({str(one.parent) for one in unpacked.rglob("*.so*")})
    return found, ":".join(libraries)


def _programs(below: Path) -> Path | None:
    """The newest server's folder of programs."""
    folders = sorted(below.glob("[0-9]*/bin"), key=lambda one: Version(one.parent.name))
    complete = [one for one in folders if all((one / name).exists() for name in PROGRAMS)]
    return complete[-1] if complete else None


def _server_packages() -> list[str]:
    """Debian's packages of the server and its client, and of the libraries that this machine lacks."""
    named, there = needed("postgresql")
    wanted = {name for name in named if re.match(r"^(postgresql(-client)?-\d+|lib.+)$", name)}
    if not any(name.startswith("postgresql-") for name in wanted):
        raise NotStarted("apt knows no postgresql: is this Debian or a relative of it?")
    return sorted(name for name in wanted if name.startswith("postgresql") or name not in there)


def _modules(folder: Path, say: Callable[[str], None]) -> Path:
    lock = HERE / "package-lock.json"
    mark = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    modules = folder / f"npm-{mark}"
    if not tree_stands(modules, "node_modules/prisma/build/index.js"):
        say("installing Prisma's engine (locked), once ...")
        shutil.rmtree(modules, ignore_errors=True)
        modules.mkdir()
        for file in (lock, HERE / "package.json"):
            shutil.copy(file, modules)
        npm_ci(modules, "Prisma's engine")
        (modules / READY).touch()
    return modules


def _engine(folder: Path, modules: Path) -> Path:
    """A program that starts the engine under the project's own Node. Raises NotStarted."""
    try:
        called = shlex.join([str(node()), str(HERE / "engine.cjs")])
    except NoNodeError as error:
        raise NotStarted(f"LiteLLM's database cannot be reached: {error}") from None
    script = folder / "query-engine"
    lines = ("#!/bin/sh", f"export ENGINE_MODULES={shlex.quote(str(modules))}", f'exec {called} "$@"')
    part = script.with_suffix(".part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.chmod(0o755)
    part.replace(script)
    return script


def _client(litellm: Path, modules: Path, engine: Path, say: Callable[[str], None]) -> None:
    """Generate Prisma's client from LiteLLM's own schema, into LiteLLM's environment; once."""
    ready = litellm.parents[1] / ".client-generated"
    if ready.exists():
        return
    say("generating LiteLLM's client of the database, once ...")
    schema = ready.with_name("schema.prisma")
    text = packaged(litellm, "schema.prisma").read_text(encoding="utf-8")
    # of other platforms there would be programs to fetch
    schema.write_text(re.sub(r"(?m)^\s*binaryTargets\s*=.*$", "", text), encoding="utf-8")
    script = modules / "node_modules" / "prisma" / "build" / "index.js"
    variables = client_variables(litellm, engine, dict(os.environ))
    try:
        run([str(node()), str(script), "generate", "--schema", str(schema)], variables)
        folder = next(litellm.parents[1].glob("lib/python*/site-packages/prisma"))
        # compiled here, once: it is eleven megabytes, and takes longer than a start may
        run([str(litellm.with_name("python")), "-m", "compileall", "-q", str(folder)], variables)
    except InstallFailedError as failed:
        raise NotStarted(f"Prisma's client cannot be generated: {failed.reason}", failed.detail) from None
    ready.touch()


def client_variables(litellm: Path, engine: Path, variables: dict[str, str]) -> dict[str, str]:
    """Variables under which Prisma's programs fetch nothing. The engine of schemas is on no registry; nothing
    here needs it: migrations are SQL, and psql lays them."""
    path = os.pathsep.join([str(litellm.parent), str(node().parent), variables.get("PATH", os.defpath)])
    return {
        **variables,
        "PATH": path,
        "PRISMA_QUERY_ENGINE_BINARY": str(engine),
        "PRISMA_SCHEMA_ENGINE_BINARY": shutil.which("false") or "/bin/false",
        "PRISMA_CLI_QUERY_ENGINE_TYPE": "binary",
        "PRISMA_HIDE_UPDATE_MESSAGE": "1",
        "CHECKPOINT_DISABLE": "1",
    }


def packaged(litellm: Path, name: str) -> Path:
    """A file or folder of ``litellm-proxy-extras``, which ships LiteLLM's schema. Raises NotStarted."""
    found = sorted(litellm.parents[1].glob(f"lib/python*/site-packages/litellm_proxy_extras/{name}"))
    if not found:
        raise NotStarted(f"litellm-proxy-extras of {litellm.parents[1].name} has no {name}")
    return found[0]
