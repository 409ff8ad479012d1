"""The tracker's templates over environments: the reference deployment's word for word, another's its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.claims import Claim, ClaimsError, load_claims
from gateway_acceptance.claims_here import SMALLEST, Here, claims_of, unknown_evidence
from gateway_acceptance.environment import load_environment
from tests.unit.declared import environment

ROOT = Path(__file__).parents[2]
TEMPLATES = load_claims(ROOT / "suites" / "claims.toml")
REFERENCE = json.loads((Path(__file__).parent / "reference_claims.json").read_text(encoding="utf-8"))
OLLAMA = {"name": "only", "url": "http://127.0.0.1:11434"}
CHAT = {"alias": "talk", "kind": "chat", "backend": "only", "upstream": "tiny"}


def small(**tables: Any) -> Here:
    """Of two chat models on one backend, without a host."""
    given = {"backends": [OLLAMA], "models": [CHAT, {**CHAT, "alias": "write"}], "groups": [], **tables}
    return claims_of(TEMPLATES, environment(**given))


def texts(here: Here) -> dict[str, str]:
    return {claim.id: claim.text for claim in here.claims}


@pytest.mark.parametrize("name", ["lab", "production", "staging"])
def test_the_reference_deployments_claims_are_word_for_word_what_they_were(name: str) -> None:
    here = claims_of(TEMPLATES, load_environment(name, ROOT, os.environ))
    assert here.absent == ()
    told = {
        claim.id: {
            "id": claim.id,
            "section": claim.section,
            "text": claim.text,
            **({"fix": claim.fix} if claim.fix else {}),
            **({"about": claim.about} if claim.about else {}),
        }
        for claim in here.claims
    }
    assert [told[one["id"]] for one in REFERENCE] == REFERENCE
    assert [name for name in told if name in {one["id"] for one in REFERENCE}] == [
        one["id"] for one in REFERENCE
    ]


def test_a_small_deployment_speaks_of_its_own_models_and_backend() -> None:
    told = texts(small())
    assert told["MOD-01"] == "The chat model talk is available"
    assert told["MOD-02"] == "The chat model write is available"
    assert told["MOD-08"] == "Two models are configured, both chat: the declared ones and no others"
    assert told["STA-03"] == "The Ollama server is reachable"
    assert told["SYS-03"] == "The backend only answers at its declared address"
    assert not {"MOD-03", "SYS-04", "FUN-02", "FUN-05", "INF-01", "STA-01"} & set(told)
    assert not [text for text in told.values() if "hx-" in text or "seven" in text.lower() or "{" in text]


def test_what_is_not_declared_is_not_part_and_says_why() -> None:
    absent = {one.id: one for one in small().absent}
    assert absent["STA-01"].why == "no [host] is declared"
    assert absent["OPS-01"].why == "no [host] is declared", "once"
    assert absent["FUN-02"].why == "no embedding model is declared"
    assert absent["FUN-05"].why == "no balanced group is declared"
    assert not [one for one in absent.values() if "{" in one.text]


CHAT_ALONE = {"alias": "talk", "kind": "chat"}


def test_holes_are_no_statement_where_none_are_published_of_anything_in_use() -> None:
    """A base that is recent proves nothing of a gateway that it does not know: the claim was green for it."""
    gateway = {"url": "http://127.0.0.1:4000", "key_variable": "MINI_KEY", "product": "openai-compatible"}
    alone = small(gateway=gateway, backends=[], models=[CHAT_ALONE])
    assert "SEC-08" in {one.id for one in alone.absent}
    assert "SEC-08" in texts(small(gateway=gateway)), "Ollama's are"
    assert "SEC-08" in texts(
        small(gateway={**gateway, "product": "litellm"}, backends=[], models=[CHAT_ALONE])
    )


def test_a_host_that_declares_less_has_fewer_claims() -> None:
    host = {"uri": "ssh://machine", "unit": "gw.service", "user": "gw", "tree": "/opt/gw"}
    here = small(host=host)
    absent = {one.id: one.why for one in here.absent}
    assert absent["INF-04"] == "host.deployment_script is not declared"
    told = {claim.id: claim for claim in here.claims}
    assert told["STA-04"].text == "The service is hardened: it runs as the dedicated user gw, not as root"
    assert told["SEC-01"].fix == "sudo chown -R root:gw /opt/gw/"


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ([CHAT], "One model is configured, a chat model: the declared one and no other"),
        (
            [CHAT, {**CHAT, "alias": "vec", "kind": "embedding", "dimensions": 8}],
            "Two models are configured, one chat and one embedding: the declared ones and no others",
        ),
        (
            [{**CHAT, "alias": f"m{number}"} for number in range(13)],
            "13 models are configured, all 13 chat: the declared ones and no others",
        ),
    ],
)
def test_models_are_counted_in_words(models: list[dict[str, Any]], said: str) -> None:
    assert texts(small(models=models))["MOD-08"] == said


def test_numbers_that_other_claims_have_are_passed_over() -> None:
    told = texts(small(models=[{**CHAT, "alias": f"m{number}"} for number in range(9)]))
    assert told["MOD-08"].startswith("Nine models")
    assert told["MOD-09"] == "The chat model m7 is available"
    assert told["MOD-10"] == "The chat model m8 is available"
    backends = [{**OLLAMA, "name": f"b{number}"} for number in range(4)]
    told = texts(small(backends=backends, models=[{**CHAT, "backend": "b0"}]))
    assert told["SYS-05"] == "The backend b2 answers at its declared address"
    assert told["SYS-11"] == "The backend b3 answers at its declared address"
    assert told["STA-03"] == "All four Ollama servers are reachable"


def test_a_closed_backend_is_claimed_for_the_gateway_by_what_the_gateway_serves_of_it() -> None:
    here = small(backends=[{**OLLAMA, "direct": False}])
    claim = {one.id: one for one in here.claims}["STA-03"]
    assert claim.text == "The Ollama server is reachable for the gateway"
    assert claim.checks == ("API-MODELS-008", "API-MODELS-009")
    assert "SYS-03" not in texts(here), "nobody looks at its address"
    assert {one.id: one for one in small().claims}["STA-03"].checks == ()


def test_the_gateways_machine_sees_a_closed_backends_address() -> None:
    host = {"uri": "ssh://machine", "unit": "gw.service", "user": "gw", "tree": "/opt/gw"}
    told = texts(small(backends=[{**OLLAMA, "direct": False}], host=host))
    assert told["SYS-03"] == "The backend only answers the gateway at its declared address"


def test_without_a_backend_there_is_no_claim_of_one() -> None:
    here = small(backends=[], models=[CHAT_ALONE])
    assert {one.id: one.why for one in here.absent}["STA-03"] == "no backend is declared"


def test_nothing_of_the_smallest_set_can_be_left_out() -> None:
    needy = {template.id for template in TEMPLATES if template.needs}
    assert set(SMALLEST) <= {template.id for template in TEMPLATES} - needy
    assert set(SMALLEST) <= set(texts(small()))


def own(tmp_path: Path, text: str) -> Here:
    (tmp_path / "claims.toml").write_text(text, encoding="utf-8")
    declared = environment(claims="claims.toml").model_copy(update={"source": tmp_path / "mine.toml"})
    return claims_of(TEMPLATES, declared)


OWN = """
[[claim]]
id = "OWN-01"
section = "What the helpdesk was promised"
text = "Answers stream"
checks = ["API-STREAM-001"]
"""


def test_an_operator_adds_claims_of_their_own(tmp_path: Path) -> None:
    here = own(tmp_path, OWN)
    assert here.claims[-1] == Claim(
        "OWN-01", "What the helpdesk was promised", "Answers stream", checks=("API-STREAM-001",)
    )
    assert unknown_evidence(here, ["API-STREAM-001"]) == []
    assert unknown_evidence(here, ["API-STREAM-002"]) == [
        "the claim OWN-01 names the check API-STREAM-001, which does not exist, "
        "did you mean 'API-STREAM-002'?; correct it"
    ]


def test_an_own_claim_about_nobody_is_refused(tmp_path: Path) -> None:
    assert own(tmp_path, OWN + 'about = "chat-one"\n').claims[-1].about == "chat-one"
    said = r"OWN-01 is about 'chat-oen', which is no model, group or backend of mini, did you mean 'chat-one'"
    with pytest.raises(ClaimsError, match=said):
        own(tmp_path, OWN + 'about = "chat-oen"\n')


def test_an_own_claim_that_is_no_claim_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClaimsError, match=r"OWN-01.*checks is missing"):
        own(tmp_path, OWN.replace('checks = ["API-STREAM-001"]', ""))
    with pytest.raises(ClaimsError, match="FUN-01 is one of the suite's own claims"):
        own(tmp_path, OWN.replace("OWN-01", "FUN-01"))
    with pytest.raises(ClaimsError, match="checks must be a list of texts"):
        own(tmp_path, OWN.replace('["API-STREAM-001"]', '"API-STREAM-001"'))


def test_a_stricter_tree_is_claimed_as_it_is_declared() -> None:
    machine = {"uri": "ssh://gw", "unit": "hx.service", "user": "hx", "tree": "/opt/hx/gateway"}
    strict = {"owner_group": "root", "file_mode": "0640", "directory_mode": "0750", "script_mode": "0750"}
    said = {
        name: {claim.text for claim in claims_of(TEMPLATES, environment(host={**machine, **more})).claims}
        for name, more in (("usual", {"directories": ["a"]}), ("strict", {"directories": ["a"], **strict}))
    }
    assert "Every directory of the structure has mode 755" in said["usual"]
    assert "Every directory of the structure has mode 750" in said["strict"]
    assert any("belongs to root:hx" in text for text in said["usual"])
    assert any("belongs to root:root" in text for text in said["strict"])
