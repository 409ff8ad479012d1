"""Which release the gateway says it is, and what the advisory base says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway_acceptance.advisories import (
    AdvisoryFinding,
    Base,
    NotComparable,
    comparable,
    concerning,
    load_base,
)
from gateway_acceptance.environment import Environment, product_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from gateway_acceptance.wire.exchange import Exchange
from suites.api.observations import listed_models

DESCRIPTION = "/openapi.json"
DECLARED = "gateway.version"


def base_of(environment: Environment) -> Base:
    """The advisory base that judges an environment."""
    return load_base(environment.advisory_base)


def package_of(environment: Environment, base: Base) -> tuple[str, str]:
    """(ecosystem, name) of the gateway's product. Raises NotApplicable for a product without published
    advisories, Untestable where the base knows none of it."""
    package = product_of(environment.gateway).package
    if package is None:
        raise NotApplicable(
            f"the environment's product is {environment.gateway.product}; no advisories of it are published",
            declared="gateway.product",
        )
    if not base.of(*package):
        raise Untestable(
            f"the advisory base ({base.origin}) knows nothing of {package[1]}",
            "update it: gateway-acceptance advisories update FILE",
        )
    return package


def reported_versions(target: Target) -> dict[str, str]:
    """Every version that the gateway tells, by where: a header of an answer, its readiness, and where neither
    has one its published description (which takes LiteLLM a second to write)."""
    product = target.gateway.product
    found: dict[str, str] = {}
    if product.version_header:
        header = listed_models(target).header(product.version_header)
        found |= {product.version_header: header} if header else {}
    readiness = target.preflight().version
    found |= {"readiness": readiness} if readiness else {}
    if not found:
        described = _described(target.gateway.get(DESCRIPTION, key=None))
        found |= {DESCRIPTION: described} if described else {}
    return found


def _described(answer: Exchange) -> str:
    try:
        document = answer.json() if answer.status == 200 else None
    except CheckFailed:
        return ""
    information = document.get("info") if isinstance(document, Mapping) else None
    version = information.get("version") if isinstance(information, Mapping) else None
    return version if isinstance(version, str) else ""


def known_versions(
    reported: Mapping[str, str], environment: Environment, ecosystem: str
) -> dict[str, list[str]]:
    """version -> where it stands: as told, or as the environment declares it where nothing that can be
    compared is told. Raises Untestable."""
    found: dict[str, list[str]] = {}
    for where, version in reported.items():
        if _comparable(ecosystem, version):
            found.setdefault(version, []).append(where)
    declared = environment.gateway.version
    if not found and declared and _comparable(ecosystem, declared):
        found[declared] = [DECLARED]
    if not found:
        seen = ", ".join(f"{where} {version[:40]!r}" for where, version in reported.items()) or "none at all"
        raise Untestable(
            f"the gateway tells no version that can be compared ({seen})",
            f"declare the release that runs there as gateway.version in {environment.source.name}",
        )
    return found


def _comparable(ecosystem: str, version: str) -> bool:
    try:
        comparable(ecosystem, version)
    except NotComparable:
        return False
    return True


def findings_of(
    base: Base, package: tuple[str, str], versions: Iterable[str], environment: Environment
) -> list[AdvisoryFinding]:
    """What concerns any of these versions, each advisory once per version."""
    without = environment.advisories.without
    return [one for version in versions for one in concerning(base, *package, version, without)]
