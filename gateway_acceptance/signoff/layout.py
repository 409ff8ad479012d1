"""What a sign-off's directory holds, and what binds what (docs/signoff.md)."""

from __future__ import annotations

from pathlib import Path

NAMESPACE = "gateway-acceptance-signoff"
"""Of the SSH signature: one made for anything else is none of a sign-off."""

SIGNOFF = "signoff.json"
SIGNATURE = "signoff.json.sig"
TIMESTAMP = "signoff.json.tsr"
"""An authority's time-stamp of the signature, where one was asked for (RFC 3161)."""
ATTESTATION = "attestation.dsse.json"
MANIFEST = "manifest.json"
RECORD = "record.json"
ALLOWED = "allowed_signers"
PUBLIC_KEY = "approver.pub"
PAGE = "signoff.html"
PDF = "signoff.pdf"
REPORT = "report"
RESULTS = "allure-results"
PACKED = f"{RESULTS}.tar.xz"

UNLISTED = (SIGNOFF, SIGNATURE, ATTESTATION, MANIFEST)
ASIDE = (*UNLISTED, TIMESTAMP)
"""Not in the manifest: it is bound by signoff.json, that by its signature; the attestation signs itself."""
LISTED = (RECORD, ALLOWED, PUBLIC_KEY, PAGE, PDF)
"""Files that every manifest holds, beside those of the report."""

SIGNOFFS = Path("reports/signoffs")
"""Where sign-offs land: ENVIRONMENT/RELEASE below it."""
