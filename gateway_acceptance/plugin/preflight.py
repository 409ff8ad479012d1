"""What a gateway is found to be before the first check: whether it can be asked at all, and by this key."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from gateway_acceptance.verdict import CheckFailed, NoAnswer
from gateway_acceptance.wire.breaker import Trouble
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient

LONGEST_LOOK_S = 10.0
"""Seconds for one question: these are answered from memory."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found before the first check. silent, refused: why nothing can be asked, and why nothing with
    the environment's key, in words; empty where all is well; mend: what to do about it; models: the ids that
    it lists, sorted, with commas between; None where it lists none."""

    silent: str = ""
    refused: str = ""
    version: str = ""
    models: str | None = None
    mend: str = ""

    @property
    def trouble(self) -> Trouble | None:
        """What keeps the gateway as a whole from being judged."""
        if self.silent:
            return Trouble(self.silent, self.mend or "start it, then run again")
        return Trouble(self.refused, self.mend) if self.refused else None


def looked_at(gateway: GatewayClient) -> Preflight:
    """Ask it: its readiness, without a key; its models, with the key; its version."""
    product = gateway.product
    start = "start it, then run again"
    try:
        answer = gateway.get(product.readiness or product.liveness or "/v1/models", key=None)
    except NoAnswer as failure:
        return _no_answer(failure)
    found = Preflight(version=_version(answer, product.version_key))
    try:
        listed = gateway.models()
    except NoAnswer as failure:
        return replace(_no_answer(failure), version=found.version)
    asked, status = f"GET /v1/models: {listed.status}", listed.status or 0
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        variable = gateway.environment.gateway.key_variable
        source = f"correct the key in {variable}" if variable else "restart the lab"
        seen = f"{asked} {listed.text[:200]}"
        return replace(found, refused=f"the gateway refuses the environment's key ({seen})", mend=source)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        later = listed.header("retry-after")
        wait = f"wait {later} s, as it asks" if (later or "").isdecimal() else "wait"
        mend = f"{wait}, or raise the limits of the key; policy.requests_per_second sets a pace"
        return replace(
            found, silent=f"the gateway refuses every request as one too many ({asked})", mend=mend
        )
    if status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
        return replace(found, silent=f"the gateway is unavailable ({asked} {listed.text[:120]})", mend=start)
    if 300 <= status < 400:
        place = (listed.header("location") or "nowhere")[:120]
        mend = "name the place that answers as gateway.url; the key is sent nowhere else"
        return replace(found, silent=f"the gateway sends everybody elsewhere ({asked} to {place})", mend=mend)
    found = replace(found, models=_model_ids(listed))
    if not found.version and product.version_path:
        with contextlib.suppress(NoAnswer):
            found = replace(found, version=_version(gateway.get(product.version_path), product.version_key))
    return found


def _no_answer(failure: NoAnswer) -> Preflight:
    words, mend = str(failure), "start it, then run again"
    if "cannot be resolved" in words or "was not resolved" in words:
        mend = "correct gateway.url, or the resolver of this machine"
    elif ": TLS: " in words:
        mend = "then run again"
    elif "within" in words:
        mend = "look whether it hangs or a firewall drops what is sent to it, then run again"
    return Preflight(silent=f"the gateway does not answer ({words})", mend=mend)


def _model_ids(answer: Exchange) -> str | None:
    try:
        body = answer.json()
    except CheckFailed:
        return None
    entries = body.get("data") if isinstance(body, Mapping) else None
    if answer.status != 200 or not isinstance(entries, list):
        return None
    return ", ".join(sorted(str(entry.get("id")) for entry in entries if isinstance(entry, Mapping)))


def _version(answer: Exchange, key: str | None) -> str:
    try:
        body = answer.json()
    except CheckFailed:
        return ""
    value = body.get(key) if key and isinstance(body, Mapping) else None
    return value if isinstance(value, str) else ""
