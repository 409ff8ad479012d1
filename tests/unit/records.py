"""Small records by hand, as the controller would write them (docs/architecture.md, "The record")."""

from __future__ import annotations

from collections import Counter
from typing import Any

from gateway_acceptance.verdict import EXECUTED, Verdict, worst

PASSED, FAILED = Verdict.PASSED, Verdict.FAILED

SECTIONS = {
    "FUN": "Validated Functionality",
    "STA": "Current Status",
    "MOD": "Available Models",
    "SEC": "Security Requirements",
    "SYS": "System Configuration",
    "RES": "Resource Utilisation",
    "INF": "Infrastructure Setup",
    "OPS": "Infrastructure Setup",
}


def exchange(url: str = "http://127.0.0.1:4000/v1/chat/completions", **fields: Any) -> dict[str, Any]:
    """One request and its answer."""
    return {
        "method": "POST",
        "url": url,
        "status": 200,
        "error": None,
        "elapsed_s": 0.31,
        "first_byte_s": 0.3,
        "served_by": "llm-01",
        "curl": f"curl -sS {url} -H 'Authorization: Bearer [redacted]' -d '{{\"model\": \"hx-chat\"}}'",
        "request": '{"model": "hx-chat"}',
        "response": '{"object": "chat.completion"}',
        "headers": {"content-type": "application/json"},
        **fields,
    }


def case(nodeid: str, verdict: str = PASSED, message: str = "", **fields: Any) -> dict[str, Any]:
    """One parametrised run of a check."""
    return {
        "nodeid": nodeid,
        "parameters": {"environment": "lab"},
        "verdict": str(verdict),
        "message": message,
        "blame": "",
        "waiver": None,
        "started": "2026-03-01T10:00:01.250Z",
        "duration_s": 0.5,
        "requests": 1,
        "evidence": [],
        "facts": {},
        "pictures": {},
        "detail": "",
        **fields,
    }


def check(check_id: str, *cases: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """One check; its verdict is the worst of its cases. Without cases: one that passed."""
    own = list(cases) or [case(f"suites/test_it.py::test_{check_id}[lab]")]
    verdict = worst(Verdict(one["verdict"]) for one in own)
    return {
        "id": check_id,
        "title": f"the title of {check_id}",
        "level": "MUST",
        "effect": "spend",
        "suite": {"API": "api", "HOST": "host", "BACKEND": "backends"}.get(check_id.split("-")[0], "api"),
        "claims": [],
        "profiles": ["nightly", "release"],
        "spec": "",
        "verdict": str(verdict),
        "cases": own,
        **fields,
    }


def claim(claim_id: str, checks: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """One claim, judged by the checks that name it."""
    own = [one for one in checks if claim_id in one["claims"]]
    executed = [one for one in own if one["verdict"] in EXECUTED]
    verdict = worst(Verdict(one["verdict"]) for one in own) if executed else None
    return {
        "id": claim_id,
        "section": SECTIONS[claim_id[:3]],
        "text": f"the text of {claim_id}",
        "mend": "",
        "about": None,
        "verdict": str(verdict or "not verified"),
        "checks": [one["id"] for one in own],
        "proven": "2026-03-01T10:00:02Z" if verdict in (Verdict.PASSED, Verdict.WAIVED) else None,
        **fields,
    }


def waiver(waiver_id: str = "W", **fields: Any) -> dict[str, Any]:
    """One waiver in scope, used."""
    return {
        "id": waiver_id,
        "check": "API-A-001",
        "parameters": {},
        "scope": {"environments": ["lab"], "product": None, "versions": None},
        "observed": "x+",
        "reason": "r",
        "link": "https://example.org/1",
        "owner": "o",
        "opened": "2026-01-01",
        "expires": "2026-12-31",
        "renewals": 0,
        "in_scope": True,
        "used": True,
        "stale": False,
        "expired": False,
        "expires_soon": False,
        **fields,
    }


def forced(part: Any, value: object, *place: int | str) -> Any:
    """A part of a record with one value at a place below it that no record may have: what a view does even
    then."""
    if not place:
        return value
    step, *rest = place
    if isinstance(step, int):
        return [forced(one, value, *rest) if number == step else one for number, one in enumerate(part)]
    return part.model_copy(update={step: forced(getattr(part, step), value, *rest)})


def record(*checks: dict[str, Any], claims: tuple[str, ...] = (), **run: Any) -> dict[str, Any]:
    """A whole record's document over some checks; ``claims`` are claimed beside those that they name."""
    listed = list(checks)
    cases = [one for each in listed for one in each["cases"]]
    named = dict.fromkeys([name for each in listed for name in each["claims"]] + list(claims))
    red = any(Verdict(one["verdict"]).red for one in cases)
    return {
        "format": 2,
        "run": {
            "id": "20260301T100000Z-lab-4f1c",
            "environment": "lab",
            "kind": "embedded",
            "profile": "nightly",
            "selection": {"marker": "nightly", "narrowed": [], "arguments": []},
            "started": "2026-03-01T10:00:00Z",
            "ended": "2026-03-01T10:00:30Z",
            "state": "NIGHTLY FAILED" if red else "NIGHTLY PASSED",
            "headline": "the headline",
            "reasons": [],
            "exit_code": int(red),
            "suite": {"version": "0.1.0", "commit": "abc1234", "dirty": False},
            "tools": {"python": "3.11.7", "pytest": "9.2.0"},
            **run,
        },
        "target": {
            "gateway_url": "http://127.0.0.1:4000",
            "product": "litellm",
            "product_version": "1.106.2",
            "fingerprint": {"start": None, "end": None},
            "facts": {},
        },
        "environment": {
            "models": [
                {
                    "alias": "emb-light",
                    "kind": "embedding",
                    "backend": "orc",
                    "upstream": "all-minilm",
                    "dimensions": 384,
                },
                {
                    "alias": "hx-chat",
                    "kind": "chat",
                    "backend": "llm-01, llm-02",
                    "upstream": "llama3.2:3b, phi3:latest",
                    "dimensions": None,
                },
            ],
            "groups": [
                {
                    "alias": "hx-chat",
                    "kind": "chat",
                    "strategy": "simple-shuffle",
                    "deployments": [
                        {"backend": "llm-01", "upstream": "llama3.2:3b", "weight": 1},
                        {"backend": "llm-02", "upstream": "phi3:latest", "weight": 1},
                    ],
                }
            ],
            "backends": [{"name": "llm-01", "url": "http://127.0.0.2:11434"}],
            "host": None,
            "policy": {"effects": ["read", "spend"], "requests": 1000, "tokens": 10000, "seconds": 600},
        },
        "checks": listed,
        "claims": [claim(name, listed) for name in named],
        "waivers": [],
        "basis": {
            "frozen": [],
            "broken": [],
            "interrupted": "",
            "unfinished": False,
            "untrusted": None,
            "elapsed_s": 30.0,
            "today": "2026-03-01",
        },
        "totals": {
            **Counter(one["verdict"] for one in cases),
            "checks_executed": sum(one["verdict"] in EXECUTED for one in listed),
            "checks_selected": len(listed),
            "requests": 12,
            "tokens": 345,
        },
    }
