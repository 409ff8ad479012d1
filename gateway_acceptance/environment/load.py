"""From ``--env`` to a validated environment, or to sentences that say what is wrong and how to fix it."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway_acceptance.environment.backend_key import backend_key_problems
from gateway_acceptance.environment.base_url import as_understood
from gateway_acceptance.environment.model import Environment, known_keys
from gateway_acceptance.environment.secrets import VARIABLE, limited_key_problems, network_problems, unfit
from gateway_acceptance.environment.table import Table
from gateway_acceptance.places import environments_of
from gateway_acceptance.usage import UsageProblem

NAMES_OF_SECRETS = ("key_variable", "proxy_credentials_variable")
"""Keys that name a variable: who mistakes them writes the secret itself there, and nothing shows it."""
SECRET_PLACE = ("network", "headers")
"""Where a variable stands for a secret: it is looked up when it is sent, and the environment does not
hold it."""


def load_environments(names: Sequence[str], root: Path, variables: Mapping[str, str]) -> list[Environment]:
    """Read every named environment. Raises UsageProblem with one sentence per mistake, of all files."""
    sentences: list[str] = []
    environments: list[Environment] = []
    for name in names:
        try:
            environments.append(load_environment(name, root, variables))
        except UsageProblem as problem:
            sentences.extend(problem.sentences)
    loaded = [environment.name for environment in environments]
    for name in sorted({name for name in loaded if loaded.count(name) > 1}):
        sentences.append(f"--env: the environment {name!r} is given more than once; give each one once")
    if sentences:
        raise UsageProblem(sentences)
    return environments


def load_environment(name: str, root: Path, variables: Mapping[str, str]) -> Environment:
    """Read one environment: a name in ``environments/`` or the path of a TOML file.

    ``${NAME}`` in any string is replaced by the variable where it is set, and left for ``missing_variables``
    where it is not: collecting needs neither addresses nor secrets. Raises UsageProblem.
    """
    path = _path_of(name, root)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageProblem(
            [f"{path}: cannot be read ({reason}); check the path and its permissions"]
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem([f"{path}: is not valid TOML: {error}; correct that line"]) from None
    if "source" in document:
        raise UsageProblem([f"{path}: the key 'source' is set by the suite itself; remove it"])
    try:
        complete = {**_substituted(document, variables), "source": str(path)}
        _keep_secret(complete, document)
        environment = Environment.model_validate_json(json.dumps(complete, default=str))
    except ValidationError as error:
        raise UsageProblem(describe(path, document, error, table=Environment)) from None
    notes = _understood_urls(complete, environment)
    return environment.with_notes([f"{path}: {note}" for note in notes])


def _understood_urls(complete: Mapping[str, Any], environment: Environment) -> list[str]:
    """What is to be said of the URLs that were understood otherwise than they were written."""
    notes = as_understood(complete["gateway"].get("url"), environment.gateway.url)
    for written, backend in zip(complete.get("backends", ()), environment.backends, strict=True):
        place = f"the url of the backend {backend.name}"
        notes += as_understood(written.get("url"), backend.url, place)
        if backend.gateway_url is not None:
            notes += as_understood(written.get("gateway_url"), backend.gateway_url, f"gateway_{place[4:]}")
    return notes


def missing_variables(environment: Environment, variables: Mapping[str, str]) -> list[str]:
    """One sentence for each variable that a run against the environment needs and that is not set."""
    sentences = []
    document = environment.model_dump(mode="json", exclude={"source"})
    for location, text in _strings(document, ()):
        for variable in VARIABLE.findall(text):
            if location[:2] == SECRET_PLACE:
                continue
            sentences.append(
                f"{environment.source}: {_place(document, location)} needs the variable {variable}, "
                f"which is not set; run with {variable}=..."
            )
    key = environment.gateway.key_variable
    fault = key_fault(key, variables) if environment.embedded is None and key is not None else ""
    if fault:
        sentences.append(f"{environment.source}: gateway.key_variable names {key}, {fault}")
    return [
        *sentences,
        *limited_key_problems(environment, variables),
        *backend_key_problems(environment, variables),
        *network_problems(environment, variables),
    ]


def key_fault(variable: str, variables: Mapping[str, str]) -> str:
    """What is wrong with the key that a variable holds, and the fix: the end of a sentence, or nothing."""
    key = variables.get(variable)
    if not key:
        return f"which is not set; export {variable} with the gateway's key"
    wrong = unfit(key, f"export {variable} without them")
    return f"whose value {wrong}" if wrong else ""


def names_in(root: Path) -> list[str]:
    """The environments that the project brings, by name."""
    reserved = {"waivers", "claims"}
    return sorted(path.stem for path in (root / "environments").glob("*.toml") if path.stem not in reserved)


def _path_of(name: str, root: Path) -> Path:
    if name.endswith(".toml") or os.sep in name:
        path = Path(name).expanduser()
        if not path.is_file():
            raise UsageProblem([f"--env {name}: there is no such file; give a name or a TOML file's path"])
        return path
    known = _named(root)
    if name not in known:
        hint = nearest(name, list(known))
        raise UsageProblem(
            [
                f"--env {name}: no such environment{hint}; known are: {', '.join(sorted(known))}. "
                f"Write {root / 'environments' / name}.toml, or give a file: --env=FILE"
            ]
        )
    return known[name]


def _named(root: Path) -> dict[str, Path]:
    """Environment files by name: those of the folder, and the embedded ones that came with the package."""
    own, *packaged = environments_of(root)
    helping = [path for folder in packaged for path in sorted(folder.glob("*.toml")) if _is_embedded(path)]
    return {
        **{path.stem: path for path in helping},
        **{name: own / f"{name}.toml" for name in names_in(root)},
    }


def _is_embedded(path: Path) -> bool:
    """Whether a file that came with the package is a lab, and no example of somebody's deployment."""
    return "embedded" in tomllib.loads(path.read_text(encoding="utf-8-sig"))


def _substituted(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: variables.get(match[1]) or match[0], value)
    if isinstance(value, dict):
        return {key: _substituted(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_substituted(item, variables) for item in value]
    return value


def _keep_secret(complete: dict[str, Any], document: Mapping[str, Any]) -> None:
    """Headers as they are written: their variables are secrets."""
    table, name = SECRET_PLACE
    written = document.get(table)
    if isinstance(written, dict) and name in written:
        complete[table] = {**complete[table], name: written[name]}


def _strings(value: Any, location: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], str]]:
    """Every string below a value, with its place."""
    if isinstance(value, str):
        return [(location, value)]
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    return [found for key, item in members for found in _strings(item, (*location, key))]


def describe(
    path: Path,
    document: Mapping[str, Any],
    error: ValidationError,
    *,
    table: type[Table],
    prefix: tuple[str, ...] = (),
) -> list[str]:
    """One sentence per mistake that pydantic found in a TOML file: file, key, fix.

    table: the model that the document (or each entry below ``prefix``) was validated against.
    """
    return [_sentence(path, document, detail, table, prefix) for detail in error.errors(include_url=False)]


def _sentence(
    path: Path, document: Mapping[str, Any], detail: Any, table: type[Table], prefix: tuple[str, ...]
) -> str:
    location = tuple(detail["loc"])
    place = _place(document, (*prefix, *location))
    match detail["type"]:
        case "extra_forbidden":
            known = known_keys(table, location[:-1])
            hint = nearest(str(location[-1]), known)
            return f"{path}: unknown key {place}{hint}; known here are: {', '.join(known)}"
        case "missing":
            return f"{path}: {place} is missing; add it"
        case "value_error":
            reason = str(detail["ctx"]["error"])
            return f"{path}: {place} {reason}" if location else f"{path}: {reason}"
        case _ if location and location[-1] in NAMES_OF_SECRETS:
            return f"{path}: {place} is not the name of a variable; export the secret, and write that name"
        case _:
            message = str(detail["msg"])
            found = _shown(detail.get("input"))
            return f"{path}: {place}: {message[:1].lower()}{message[1:]} (found {found}); correct it"


def _place(document: Mapping[str, Any], location: tuple[Any, ...]) -> str:
    """``models[2] (alias 'emb').dimensions``: a place that a person finds in their file."""
    text = ""
    value: Any = document
    for part in location:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            value = None
        if isinstance(part, int):
            named = value.get("alias") or value.get("name") if isinstance(value, dict) else None
            text += f"[{part + 1}]" + (f" ({named})" if named else "")
        else:
            text += f".{part}" if text else str(part)
    return text


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def nearest(name: str, known: Sequence[str]) -> str:
    """`, did you mean 'x'?` for the nearest known name, or nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""
