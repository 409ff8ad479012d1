"""What an endpoint beyond models, chat and embeddings brings: ``suites/api/<endpoint>/endpoint.toml``.

The folder is named as an environment's ``[gateway] endpoints`` names it: by the last part of its path. Beside
the file lie its checks and, as ``<object>.json``, the schemas of what it answers with.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from gateway_acceptance.environment.load import describe
from gateway_acceptance.environment.table import Name, Table
from gateway_acceptance.usage import UsageProblem

FILE = "endpoint.toml"
Words = Annotated[str, Field(min_length=1)]


class EndpointAnswer(Table):
    """What a faulty gateway answers by itself: JSON, or a text that is none."""

    status: Annotated[int, Field(ge=100, le=599)] = 200
    json_body: Annotated[dict[str, Any] | None, Field(alias="json")] = None
    text: str = ""


class EndpointFault(Table):
    """One defect of the endpoint, for the mutation matrix. detected_by: check id -> regular expression of its
    message; answer: instead of the gateway's own; merge: what its answer's object says otherwise, as a JSON
    merge patch (RFC 7396); drop: keys that the object loses."""

    name: Name
    description: Words
    detected_by: Annotated[dict[str, Words], Field(min_length=1)]
    answer: EndpointAnswer | None = None
    merge: dict[str, Any] = Field(default_factory=dict)
    drop: tuple[Words, ...] = ()


class Endpoint(Table):
    """path: where it is asked; section: its heading in docs/coverage.md; statement: its promises, as in
    ``suites/coverage.toml`` without their ``endpoint``."""

    path: Annotated[str, Field(pattern=r"^/[a-z0-9/_-]+$")]
    section: Words
    statement: tuple[dict[str, Any], ...] = ()
    fault: tuple[EndpointFault, ...] = ()


@dataclass(frozen=True, slots=True)
class EndpointFolder:
    """name: the folder's, and the endpoint's; file: what was read."""

    name: str
    file: Path
    endpoint: Endpoint


def endpoint_folders(suites: Path) -> list[EndpointFolder]:
    """The endpoints that have a folder of their own, by name. Raises UsageProblem with a sentence for each
    mistake."""
    found = [_read(path) for path in endpoint_files(suites)]
    wrong = [
        f"{one.file}: path {one.endpoint.path!r} does not end with /{one.name}; name the folder after it"
        for one in found
        if not one.endpoint.path.endswith(f"/{one.name}")
    ]
    wrong += [
        f"{one.file}: the fault {fault.name!r} changes nothing; give it answer, merge or drop"
        for one in found
        for fault in one.endpoint.fault
        if fault.answer is None and not fault.merge and not fault.drop
    ]
    if wrong:
        raise UsageProblem(wrong)
    return found


def endpoint_files(suites: Path) -> list[Path]:
    """Their files, by name."""
    return sorted(suites.glob(f"api/*/{FILE}"))


def _read(path: Path) -> EndpointFolder:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageProblem([f"{path}: cannot be read as TOML: {error}; correct the file"]) from None
    try:
        endpoint = Endpoint.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        raise UsageProblem(describe(path, document, error, table=Endpoint)) from None
    return EndpointFolder(path.parent.name, path, endpoint)
