"""What is known of gateway products, so that an environment file need not repeat it.

Every entry can be overridden in ``[gateway]``. Sources: LiteLLM's documentation and answers observed from
1.74.15 and 1.106.2, Portkey's from 1.15.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway_acceptance.environment.model import Gateway


@dataclass(frozen=True, slots=True)
class Product:
    """liveness, readiness: paths that need no key; description: of its OpenAPI description; served_by: the
    header naming the backend's base URL; key_setting: the variable of the service that holds its key;
    version_key: of the readiness body, or else of version_path's body (asked with the key), the product's
    version; version_described: whether ``info.version`` of its OpenAPI description is; deployments_path: its
    own list of deployments, in LiteLLM's form; deployment_id: the header with the id of the deployment that
    served, which can be asked for as ``model``; version_header: of answers; package: (ecosystem, name) by
    which advisories speak of it, None where nobody publishes any; open_paths: what it leaves open whatever is
    configured, without its debug routes; metrics: where it counts for Prometheus, if it is told to."""

    liveness: str | None = None
    readiness: str | None = None
    description: str | None = None
    served_by: str | None = None
    version_path: str | None = None
    version_key: str | None = None
    version_described: bool = False
    deployments_path: str | None = None
    deployment_id: str | None = None
    key_setting: str | None = None
    version_header: str | None = None
    package: tuple[str, str] | None = None
    open_paths: tuple[str, ...] = ()
    metrics: str | None = None


PRODUCTS = {
    "litellm": Product(
        liveness="/health/liveliness",
        readiness="/health/readiness",
        description="/openapi.json",
        served_by="x-litellm-model-api-base",
        version_path="/health/readiness/details",
        version_key="litellm_version",
        version_described=True,
        deployments_path="/v1/model/info",
        deployment_id="x-litellm-model-id",
        key_setting="LITELLM_MASTER_KEY",
        version_header="x-litellm-version",
        package=("PyPI", "litellm"),
        metrics="/metrics/",  # without the last slash it answers with a redirection
        open_paths=(
            *("/", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/routes", "/test", "/config/yaml"),
            *("/ui/*", "/fallback/login", "/sso/key/generate", "/get_image", "/get_favicon"),
            *("/get/ui_theme_settings", "/public/*", "/.well-known/*"),
            *("/litellm/.well-known/litellm-ui-config", "/health/liveliness", "/health/liveness"),
            "/health/readiness",
        ),
    ),
    "portkey": Product(liveness="/", open_paths=("/",)),
    "openai-compatible": Product(),
}


BACKEND_PACKAGES = {"ollama": ("Go", "github.com/ollama/ollama")}
"""(ecosystem, name) by which advisories speak of a backend's product."""


def product_of(gateway: Gateway) -> Product:
    """The gateway's product with the environment's own words on top; unknown products know nothing."""
    known = PRODUCTS.get(gateway.product, Product())
    return replace(
        known,
        liveness=gateway.liveness_path or known.liveness,
        readiness=gateway.readiness_path or known.readiness,
        description=(
            known.description if gateway.description_path is None else gateway.description_path or None
        ),
        served_by=gateway.served_by_header or known.served_by,
    )
