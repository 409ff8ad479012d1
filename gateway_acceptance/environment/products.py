"""What is known of gateway products, so that an environment file need not repeat it.

Read from ``products/<product>/product.toml``, which names its sources. Most of it can be overridden in
``[gateway]``.
"""

from __future__ import annotations

import json
import tomllib

from gateway_acceptance.environment.model import Gateway
from gateway_acceptance.environment.product_names import ANY_OTHER, KNOWN, PRODUCT_NAMES, PRODUCTS_FOLDER
from gateway_acceptance.environment.table import Table


class Product(Table):
    """liveness, readiness: paths that need no key; description: of its OpenAPI description; served_by: the
    header naming the backend's base URL; key_setting: the variable of the service that holds its key;
    version_key: of the readiness body, or else of version_path's body (asked with the key), the product's
    version; version_described: whether ``info.version`` of its OpenAPI description is; deployments_path: its
    own list of deployments, in LiteLLM's form; deployment_id: the header with the id of the deployment that
    served, which can be asked for as ``model``; version_header: of answers; package: (ecosystem, name) by
    which advisories speak of it, None where nobody publishes any; open_paths: what it leaves open whatever is
    configured, without its debug routes; metrics: where it counts for Prometheus, if it is told to; settings:
    variables of its service that are no secrets."""

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
    settings: tuple[str, ...] = ()


def _read(name: str) -> Product:
    content = tomllib.loads((PRODUCTS_FOLDER / name / KNOWN).read_text(encoding="utf-8"))
    return Product.model_validate_json(json.dumps(content))


PRODUCTS = {**{name: _read(name) for name in PRODUCT_NAMES if name != ANY_OTHER}, ANY_OTHER: Product()}


BACKEND_PACKAGES = {"ollama": ("Go", "github.com/ollama/ollama")}
"""(ecosystem, name) by which advisories speak of a backend's product."""


def product_of(gateway: Gateway) -> Product:
    """The gateway's product with the environment's own words on top; unknown products know nothing."""
    known = PRODUCTS.get(gateway.product, Product())
    return known.model_copy(
        update={
            "liveness": gateway.liveness_path or known.liveness,
            "readiness": gateway.readiness_path or known.readiness,
            "description": (
                known.description if gateway.description_path is None else gateway.description_path or None
            ),
            "served_by": gateway.served_by_header or known.served_by,
        }
    )
