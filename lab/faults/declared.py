"""Faults that an endpoint's own folder declares (``suites/api/<endpoint>/endpoint.toml``), as data: the lab
imports no check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway_acceptance.endpoints import EndpointAnswer, EndpointFault, endpoint_folders
from gateway_acceptance.places import data_root
from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import answers
from lab.message import Json, Reply, edit_json, json_reply


def merged(body: Json, patch: Mapping[str, Any]) -> Json:
    """The object after a JSON merge patch (RFC 7396); TOML has no null, so that nothing is taken away."""
    found = dict(body)
    for name, value in patch.items():
        below = found.get(name)
        if isinstance(value, dict):
            value = merged(below if isinstance(below, dict) else {}, value)
        found[name] = value
    return found


def _reply(answer: EndpointAnswer) -> Reply:
    if answer.json_body is not None:
        return json_reply(answer.status, answer.json_body)
    return Reply(answer.status, (("content-type", "text/plain"),), (answer.text.encode(),))


def fault_of(fault: EndpointFault, path: str) -> Fault:
    """The fault as the matrix applies it: to this path alone."""

    def changed(body: Json) -> Json:
        return {name: value for name, value in merged(body, fault.merge).items() if name not in fault.drop}

    return gateway_fault(
        fault.name,
        fault.description,
        fault.detected_by,
        before=None if fault.answer is None else answers(_reply(fault.answer), path),
        after=edit_json(path, change=changed) if fault.merge or fault.drop else None,
    )


FOLDERS = endpoint_folders(data_root() / "suites")
DECLARED_FAULTS = tuple(
    fault_of(fault, folder.endpoint.path) for folder in FOLDERS for fault in folder.endpoint.fault
)
DECLARES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    fault.name: {"gateway": {"endpoints": [folder.name]}}
    for folder in FOLDERS
    for fault in folder.endpoint.fault
}
"""The environment of each promises the endpoint."""
