"""A witness beside the approver: a runner's key signs the seal of a run when it ends (docs/evidence.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway_acceptance.documents import Unreadable, content_of
from gateway_acceptance.record_model import Record
from gateway_acceptance.seal import SEAL, WITNESS
from gateway_acceptance.signoff.allowed import Allowed, why_no_key
from gateway_acceptance.signoff.keys import PrivateKey, PublicKey, blob_of, fingerprint, kind_of
from gateway_acceptance.signoff.sshsig import BadSignature, sign_file, signer_of

RUN_NAMESPACE = "gateway-acceptance-run"
"""Of the SSH signature: a runner's key signs runs, and no sign-off."""
SMALL = 1 << 20


@dataclass(frozen=True, slots=True)
class SealSignature:
    """Whose signature the seal of a run has; None where it has none; problem: what is wrong with it."""

    signer: PublicKey | None = None
    problem: str = ""

    @property
    def document(self) -> dict[str, str] | None:
        """As ``signoff.json`` names the runner's key."""
        if self.signer is None:
            return None
        return {"kind": kind_of(self.signer), "fingerprint": fingerprint(self.signer)}


def bear_witness(directory: Path, key: PrivateKey) -> None:
    """Sign the seal of a run's directory. Raises OSError."""
    text = sign_file(key, (directory / SEAL).read_bytes(), RUN_NAMESPACE)
    (directory / WITNESS).write_text(text, encoding="ascii")


def witness_of(directory: Path) -> SealSignature:
    """Who signed the seal of a run's directory, or of the report in a sign-off."""
    path = directory / WITNESS
    if not path.exists() and not path.is_symlink():
        return SealSignature()
    try:
        text = content_of(path, SMALL).decode("ascii")
        return SealSignature(signer_of(text, content_of(directory / SEAL), RUN_NAMESPACE))
    except (Unreadable, UnicodeDecodeError) as error:
        return SealSignature(problem=f"{WITNESS} cannot be read: {error}")
    except BadSignature as error:
        return SealSignature(problem=f"{WITNESS} does not sign {SEAL}: {error}")


def unwitnessed(
    witness: SealSignature,
    lines: Sequence[Allowed],
    record: Record,
    approver: PublicKey | None,
    now: datetime,
) -> list[str]:
    """Why a run is not proven by a runner that is allowed, a sentence each. lines: of the file of runners;
    approver: whose key must be another."""
    if witness.problem:
        return [witness.problem]
    if witness.signer is None:
        return [f"the run {record.run.id} has no {WITNESS}; run again with --seal-key on a runner"]
    ended = datetime.fromisoformat(record.run.ended)
    moments = {"at the end of the run": ended, "now": now}
    why = why_no_key(lines, RUN_NAMESPACE, witness.signer, moments)
    if why:
        return [f"the run's seal is signed by {fingerprint(witness.signer)}: {why}"]
    if approver is not None and blob_of(approver) == blob_of(witness.signer):
        return ["the runner that signed the seal has the approver's key; who approves must not be who proves"]
    return []
