"""A spec's words become links where they name a public page, and nothing where they do not."""

from __future__ import annotations

import pytest

from gateway_acceptance.cli.catalogue import collect
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.report.spec_links import spec_links

LITELLM = "https://github.com/BerriAI/litellm/issues/"


@pytest.mark.parametrize(
    ("spec", "urls"),
    [
        ("RFC 9110 section 15.5.5", ["https://www.rfc-editor.org/rfc/rfc9110#section-15.5.5"]),
        ("RFC 8259, 7: strings", ["https://www.rfc-editor.org/rfc/rfc8259#section-7"]),
        ("RFC 8259", ["https://www.rfc-editor.org/rfc/rfc8259"]),
        ("CWE-22", ["https://cwe.mitre.org/data/definitions/22.html"]),
        ("systemd.exec(5) User, Group", ["https://man7.org/linux/man-pages/man5/systemd.exec.5.html"]),
        ("openai:guides/error-codes 401", ["https://platform.openai.com/docs/guides/error-codes"]),
        ("openai:Model.created", ["https://github.com/openai/openai-openapi"]),
        ("docs.litellm.ai/docs/proxy/prod: LITELLM_LOG", ["https://docs.litellm.ai/docs/proxy/prod"]),
        (
            "ollama issues 16236, 11941",
            [f"https://github.com/ollama/ollama/issues/{n}" for n in (16236, 11941)],
        ),
        ("clients merge by it (LiteLLM #36700, #38098)", [f"{LITELLM}{n}" for n in (36700, 38098)]),
        ("litellm pull request 26941", [f"{LITELLM}26941"]),
        ("LiteLLM #1; openai:Model; LiteLLM #1", ["https://github.com/openai/openai-openapi", f"{LITELLM}1"]),
        ("", []),
        ("bounds.health_s", []),
        ("deployment: known paths; surrogate pairs", []),
    ],
)
def test_where_a_spec_leads(spec: str, urls: list[str]) -> None:
    assert [link.url for link in spec_links(spec)] == urls


def test_a_report_is_no_norm() -> None:
    links = spec_links("RFC 8259; LiteLLM #7")
    assert [(link.name, link.issue) for link in links] == [("RFC 8259", False), ("LiteLLM #7", True)]


def test_most_checks_of_the_catalogue_lead_somewhere() -> None:
    specs = [check.spec for check in collect(project_root()).checks if check.spec]
    linked = [spec for spec in specs if spec_links(spec)]
    assert len(linked) > 0.7 * len(specs)
