"""What hangs on Allure's results: the exchanges of the record, and the files that allure-pytest left."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway_acceptance.record_model import RecordedCase, RecordedExchange
from gateway_acceptance.report.reading import milliseconds, printable

TEXT = "text/plain"
SVG = "image/svg+xml"


class Attachments:
    """Writes attachments into one folder of results; equal contents are one file."""

    def __init__(self, staging: Path, out: Path, redact: Callable[[str], str]) -> None:
        self._staging, self._out, self._redact = staging, out, redact

    def copied(self, listed: Iterable[Mapping[str, Any]] | None) -> list[dict[str, str]]:
        """The attachments of a raw result that are still there, text redacted."""
        return [one for one in (self._copy(entry) for entry in listed or ()) if one]

    def copied_steps(self, listed: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
        """The steps of a raw result, with their attachments copied."""
        return [
            {
                **step,
                "steps": self.copied_steps(step.get("steps")),
                "attachments": self.copied(step.get("attachments")),
            }
            for step in listed or ()
        ]

    def exchange_steps(self, case: RecordedCase) -> list[dict[str, Any]]:
        """One step per exchange, named by what it was, with the curl command and the whole exchange."""
        return [self._exchange_step(case, seen) for seen in case.evidence]

    def pictures(self, case: RecordedCase) -> list[dict[str, str]]:
        """What the check drew."""
        return [self._file(name, svg, SVG, "svg") for name, svg in (case.pictures).items()]

    def _exchange_step(self, case: RecordedCase, seen: RecordedExchange) -> dict[str, Any]:
        start = milliseconds(case.started) if case.started else 0
        attached = [self._text("exchange", _exchange_text(seen))]
        if seen.curl:
            attached.insert(0, self._text("curl", str(seen.curl)))
        return {
            "name": _exchange_line(seen),
            "status": "broken" if seen.status is None else "passed",
            "stage": "finished",
            "start": start,
            "stop": start + round((seen.elapsed_s or 0) * 1000),
            "attachments": attached,
        }

    def _text(self, name: str, text: str) -> dict[str, str]:
        return self._file(name, text, TEXT, "txt")

    def _file(self, name: str, text: str, kind: str, ending: str) -> dict[str, str]:
        content = self._redact(printable(text))
        digest = hashlib.sha256(content.encode()).hexdigest()[:32]
        source = f"{uuid.UUID(digest)}-attachment.{ending}"
        path = self._out / source
        if not path.exists():
            path.write_text(content, encoding="utf-8")
        return {"name": name, "source": source, "type": kind}

    def _copy(self, entry: Mapping[str, Any]) -> dict[str, str] | None:
        source = Path(str(entry.get("source") or "")).name
        path = self._staging / source
        if not source or not path.is_file():
            return None
        content = path.read_bytes()
        with contextlib.suppress(UnicodeDecodeError):  # no text, for example an image
            content = self._redact(content.decode()).encode()
        (self._out / source).write_bytes(content)
        return {
            "name": str(entry.get("name") or source),
            "source": source,
            "type": str(entry.get("type") or TEXT),
        }


def _exchange_line(seen: RecordedExchange) -> str:
    """``POST /v1/chat/completions → 200 in 0.310 s, served by llm-01``"""
    path = urlsplit(str(seen.url)).path or "/"
    outcome = seen.status if seen.status is not None else seen.error or "no answer"
    took = f" in {seen.elapsed_s:.3f} s" if seen.elapsed_s is not None else ""
    served = f", served by {seen.served_by}" if seen.served_by else ""
    return printable(f"{seen.method} {path} → {outcome}{took}{served}")


def _exchange_text(seen: RecordedExchange) -> str:
    """The exchange as a person reads it; request and response are redacted and cut by the record already."""
    first_byte = f", first byte after {seen.first_byte_s:.3f} s" if seen.first_byte_s is not None else ""
    lines = [f"{seen.method} {seen.url}", _exchange_line(seen) + first_byte]
    if seen.error:
        lines.append(f"error: {seen.error}")
    headers = [f"{name}: {value}" for name, value in seen.headers.items()]
    parts = [
        "\n".join(lines),
        f"--- request\n{seen.request or '(no body)'}",
        "--- response\n" + "\n".join([*headers, "", str(seen.response or "(no body)")]),
    ]
    return "\n\n".join(parts) + "\n"
