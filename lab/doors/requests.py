"""Doors that open by the method, the version of HTTP, or the kind of the body."""

from dataclasses import replace

from lab.doors.door import PREFIX, door, says
from lab.faults.access import without_key
from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import CHAT, MODELS
from lab.message import Reply, Request


def _as_get(method: str) -> Fault:
    """The list of models by another method."""

    def before(request: Request) -> Request | Reply:
        opens = request.method == method and not request.authorised and request.at(MODELS)
        return replace(request, as_owner=True, method="GET") if opens else request

    what = f"{method} of the list is routed as GET is, and not guarded"
    return gateway_fault(f"{PREFIX}method-{method.lower()}", what, {}, before=before)


REQUEST_DOORS = (
    *(_as_get(method) for method in ("HEAD", "OPTIONS", "POST", "PUT")),
    door(
        "no-host",
        "HTTP/1.0 without Host is taken for a probe",
        lambda request: without_key(request) and not request.header("host"),
    ),
    door(
        "body-of-text",
        "a body that is called a text is not looked at by the guard",
        says("content-type", "text/plain"),
        CHAT,
    ),
    door(
        "body-of-a-form",
        "a body that is called a form is not looked at by the guard",
        says("content-type", "form"),
        CHAT,
    ),
    door(
        "body-with-a-key",
        "a key in the body is believed",
        lambda request: "api_key" in request.json,
    ),
    door(
        "body-with-a-user",
        "a user in the body is believed",
        lambda request: request.json.get("user") == "admin",
    ),
)
