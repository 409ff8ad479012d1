"""A runner's key signs the seal of a run; who approves is not who proves."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from gateway_acceptance.run_directory import record_at
from gateway_acceptance.signoff.allowed import line_of, read_allowed
from gateway_acceptance.signoff.keys import public_line
from gateway_acceptance.signoff.layout import NAMESPACE
from gateway_acceptance.signoff.sshsig import sign_file
from gateway_acceptance.signoff.verify import verify
from gateway_acceptance.signoff.witness import RUN_NAMESPACE, bear_witness, unwitnessed, witness_of
from tests.unit.signing import SIGNED, Ground, ground, private_key, rehash, resign, signed


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return ground(tmp_path_factory.mktemp("witnessed") / "project")


def test_a_run_that_a_runner_sealed(base: Ground, tmp_path: Path) -> None:
    runner, approver = private_key(base.key("runner")), private_key(base.key("approver"))
    stranger = private_key(base.key("stranger"))
    run = base.run()
    record = record_at(run)

    def wrong(text: str, by: object = approver.public_key(), directory: Path = run) -> list[str]:
        lines, _ = read_allowed(text)
        return unwitnessed(witness_of(directory), lines, record, by, SIGNED)  # type: ignore[arg-type]

    line = line_of("ci", RUN_NAMESPACE, runner.public_key())
    assert wrong(line) == [f"the run {run.name} has no seal.json.sig; run again with --seal-key on a runner"]
    bear_witness(run, runner)
    assert wrong(line) == []
    assert wrong(f"ci {public_line(runner.public_key())}") == []
    for text, words in (
        (line_of("ci", RUN_NAMESPACE, stranger.public_key()), "it is none of the keys there"),
        (line_of("ci", NAMESPACE, runner.public_key()), "may not be used for gateway-acceptance-run there"),
        (f'ci valid-before="20260101Z" {public_line(runner.public_key())}', "was not valid there at the end"),
    ):
        assert words in wrong(text)[0]
    assert wrong(line, runner.public_key()) == [
        "the runner that signed the seal has the approver's key; who approves must not be who proves"
    ]
    whole = signed(base, run, approver, tmp_path / "signoff")
    assert verify(whole, SIGNED).findings == []
    document = json.loads((whole / "signoff.json").read_text(encoding="utf-8"))
    assert document["runner"]["kind"] == "ssh-ed25519"
    assert "Run sealed by" in (whole / "signoff.html").read_text(encoding="utf-8")
    assert wrong(line, directory=whole / "report") == []

    sealed_by_another = tmp_path / "another"
    shutil.copytree(whole, sealed_by_another)
    bear_witness(sealed_by_another / "report", stranger)
    rehash(sealed_by_another)
    bear_witness(sealed_by_another / "report", stranger)
    rehash(sealed_by_another)
    resign(sealed_by_another, approver)
    found = "\n".join(verify(sealed_by_another, SIGNED).findings)
    assert "signoff.json names another runner than signed report/seal.json" in found

    edited = tmp_path / "edited"
    shutil.copytree(run, edited)
    seal = (edited / "seal.json").read_text(encoding="utf-8")
    (edited / "seal.json").write_text(seal + "\n", encoding="utf-8")
    assert witness_of(edited).problem.startswith("seal.json.sig does not sign seal.json: it is not of this")
    text = sign_file(runner, seal.encode(), NAMESPACE)
    (edited / "seal.json.sig").write_text(text, encoding="ascii")
    assert "it is of the namespace 'gateway-acceptance-signoff'" in wrong(line, directory=edited)[0]


@pytest.mark.parametrize("content", [b"", b"\xff", b"-----BEGIN SSH SIGNATURE-----\n"])
def test_what_is_no_signature_of_a_seal(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "seal.json").write_text("{}", encoding="utf-8")
    (tmp_path / "seal.json.sig").write_bytes(content)
    assert witness_of(tmp_path).problem.startswith("seal.json.sig ")
    assert timedelta(0) == timedelta()
