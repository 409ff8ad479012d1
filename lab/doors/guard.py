"""The guard that has the hole: it refuses every stranger whom its door does not let in, without asking the
gateway behind it, which is slow to refuse. So a family of two thousand requests costs seconds per door."""

from __future__ import annotations

from dataclasses import replace

from lab.doors.door import PREFIX
from lab.faults.model import Fault, gateway_fault
from lab.message import Reply, Request, envelope

PUBLIC = (
    "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/routes", "/test", "/config/yaml", "/fallback/login",
    "/sso/key/generate", "/get_image", "/get_favicon", "/get/ui_theme_settings",
    "/litellm/.well-known/litellm-ui-config", "/health/liveliness", "/health/liveness", "/health/readiness",
)  # fmt: skip
PUBLIC_BELOW = ("/ui/", "/public/", "/.well-known/")
"""What LiteLLM leaves open, as ``environments/local.toml`` declares it."""
REFUSED = envelope(401, "No api key passed in.", "auth_error")


def guarded(door: Fault) -> Fault:
    """The same door in such a guard."""
    opens, after = door.before, door.after
    if opens is None:
        raise ValueError(f"{door.name} opens to nobody")

    def before(request: Request) -> Request | Reply:
        seen = opens(request)
        in_small_letters = request.header("authorization").startswith("bearer ")  # the gateway reads that
        if (
            isinstance(seen, Reply)
            or seen.as_owner
            or seen.authorised
            or in_small_letters
            or _public(request)
        ):
            return seen
        return after(request, REFUSED) if after else REFUSED

    return replace(door, before=before)


def _public(request: Request) -> bool:
    path = request.path.partition("?")[0]
    return path in ("/", *PUBLIC) or (path.startswith(PUBLIC_BELOW) and ".." not in path)


def _nobody(request: Request) -> Request:
    return request


WITHOUT_A_HOLE = guarded(gateway_fault(f"{PREFIX}that-is-shut", "a guard without a hole", {}, before=_nobody))
