"""The ways in that lie in the address of a request: what Host can say, and how a path can be spelt.

``public`` is a path that is open on this gateway.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from gateway_acceptance.environment import Environment
from suites.api.access.said import public_path
from suites.api.access.way import WayIn
from suites.api.auth.tried import LIST

ROOTS = (
    "/api", "/openai", "/litellm", "/proxy", "/internal", "/ui", "/v1", "/admin", "/public", "/gateway",
    "/ollama", "/llm", "/ai", "/dev", "/backend", "/passthrough", "/inference", "/default",
)  # fmt: skip
"""What gateways put before their paths, or serve pages below."""


def of_host(environment: Environment) -> list[WayIn]:
    """Host in every shape, and the target in absolute form."""
    parts = urlsplit(environment.gateway.url)
    place, public = parts.netloc, public_path(environment)
    name = f"[{parts.hostname}]" if "[" in place else parts.hostname or ""
    shapes = {
        "a path": f"{place}{public}",
        "a path and a query": f"{place}{public}?",
        "a path and a fragment": f"{place}{public}#",
        "a query": f"{place}?",
        "the front page and a query": f"{place}/?",
        "the front page and a fragment": f"{place}/#",
        "a fragment": f"{place}#",
        "a backslash": f"{place}\\{public}?",
        "a semicolon": f"{place}{public};",
        "an encoded query": f"{place}{public}%3f",
        "an encoded slash": f"{place}%2f{public[1:]}%3f",
        "a null": f"{place}{public}%00",
        "a scheme": f"http://{place}{public}?",
        "user information": f"x@{place}{public}?",
        "userinfo alone": f"{place}@localhost",
        "a user before the place": f"admin@{place}",
        "a path of another place": f"localhost{public}?",
        "a wrong port": f"{name}:1",
        "no number for a port": f"{name}:x/?",
        "no port": name,
        "an empty port": f"{name}:",
        "nothing": "",
        "a space": f"{place} x",
        "a list": f"{place}, localhost",
        "capitals and a dot": f"{name.upper()}.:{parts.port or 80}",
        "localhost": "localhost",
        "localhost and the port": f"localhost:{parts.port or 80}",
        "127.0.0.1": "127.0.0.1",
        "no address": "0.0.0.0",  # noqa: S104  (a value of Host; nothing listens there)
        "the loopback of IPv6": "[::1]",
        "a broken address": "[::1",
        "a name of the inside": "gateway.internal",
        "a name of a cluster": "litellm.default.svc.cluster.local",
        "a console's name": "admin.gateway.example",
        "a name of containers": "host.docker.internal",
        "a private address": "10.0.0.1",
        "the address of metadata": "169.254.169.254",
        "a backend": urlsplit(environment.backends[0].url).netloc if environment.backends else "ollama",
        "a stranger": "gateway.example",
        "a very long name": f"{'a' * 250}.example",
    }
    found = [WayIn(f"Host with {what}", hosts=[host]) for what, host in shapes.items()]
    found += [
        WayIn("two Hosts", hosts=[place, f"{place}{public}?"]),
        WayIn("two Hosts, the strange one first", hosts=[f"{place}{public}?", place]),
        WayIn("two Hosts, one of them localhost", hosts=[place, "localhost"]),
        WayIn("two equal Hosts", hosts=[place, place]),
        WayIn("no Host", hosts=[]),
        WayIn("the absolute form", target=f"http://{place}{LIST}"),
        WayIn("the absolute form of another host", target=f"http://localhost{LIST}"),
        WayIn("the absolute form of HTTPS", target=f"https://{place}{LIST}"),
        WayIn("the absolute form and a strange Host", target=f"http://{place}{LIST}", hosts=[f"{place}/?"]),
        WayIn("the absolute form and Host localhost", target=f"http://{place}{LIST}", hosts=["localhost"]),
        WayIn("the absolute form without Host", target=f"http://{place}{LIST}", hosts=[]),
        WayIn("the absolute form with a user", target=f"http://admin@{place}{LIST}"),
    ]
    return [
        *found,
        *(
            WayIn(f"the absolute form of the backend {one.name}", target=f"{one.url.rstrip('/')}{LIST}")
            for one in environment.backends
        ),
    ]


def of_spellings(environment: Environment) -> list[WayIn]:
    """The list of models in other words, and below other roots."""
    targets = [*spelled(LIST, public_path(environment)), *_other_names()]
    return [WayIn(f"the target {target}", target=target) for target in dict.fromkeys(targets)]


def spelled(path: str, public: str) -> list[str]:
    """One path in other words. path, public: both begin with a slash; the public one is open."""
    head, _, rest = path[1:].partition("/")
    tail = f"/{rest}" if rest else ""
    up = "/.." * public.count("/")
    first, last = f"%{ord(path[1]):02x}", f"%{ord(path[-1]):02x}"
    found = [
        f"/{path}", f"//{path}", f"/.{path}", f"/{head}/.{tail}", f"/{head}/{tail}", f"/x/..{path}",
        f"/x/..;{path}",
        f"/%2e{path}", f"/x/%2e%2e{path}", f"/x%2f..{path}", f"/;{path}", f"/;x=y{path}",
        f"/{head};x=y{tail}",
        f"{public}{up}{path}", f"{public}{up.replace('..', '..;')}{path}",
        f"{public}{up.replace('/', '%2f')}{path}",
        f"{public}/..%2f..%2f..{path}", f"{public}{up.replace('.', '%2e')}{path}", f"{public}%00{path}",
        f"{public};{path}",
        f"/docs/..;{path}", f"/ui/..{path}", f"/static/..{path}", f"/public/..{path}",
        f"/.well-known/..{path}",
        f"/{first}{path[2:]}", f"{path[:-1]}{last}", f"/{head}%2f{rest}", f"/{head}%252f{rest}",
        f"/{head}%c0%af{rest}",
        f"/{head}\\{rest}", f"\\{head}\\{rest}", f"/%5c{path[1:]}",
        f"{path}/", f"{path}//", f"{path}/.", f"{path}/./", f"{path}/x/..", f"{path}/%2e", f"{path}.",
        f"{path}.json", f"{path}.css",
        f"{path}%00", f"{path}%00{public}", f"{path}%20", f"{path}%09", f"{path}%0a", f"{path}%0d%0a",
        f"{path}%2f", f"{path}~",
        f"{path}:list", f"{path}@localhost", f"{path}.xml", f"{path}/%2e%2e/{path.rpartition('/')[2]}",
        f"{path}%e2%80%8b", f"{'/x/..' * 400}{path}", f"{path[:-1]}{quote(chr(0xFEE0 + ord(path[-1])))}",
        f"/{head}%u002f{rest}",
        f"{path}.js", f"{path}.html", f"{path}/x.css", f"{path}/x.png", f"{path};x.css", f"{path}%3bx",
        f"{path}+", f"{path},", f"{path}'", f"{path}%ef%bc%8f", f"{public}{path}",
        f"{path};", f"{path};{public}", f"{path};x=y", f"{path}?", f"{path}??", f"{path}?{public}",
        f"{path}#", f"{path}#{public}",
        f"{path}%3f{public}", f"{path}%23{public}", f"{path}&", f"{path}*",
        f"/{head.upper()}{tail}", f"/{head}{tail.upper()}", path.title(), path.upper(),
        path[1:], f"//localhost{path}", f"///{path[1:]}",
    ]  # fmt: skip
    return [target for target in dict.fromkeys(found) if target != path]


def _other_names() -> list[str]:
    """Below other roots, or none."""
    bare = LIST.removeprefix("/v1")
    names = [
        bare,
        f"/{bare}",
        f"{bare}/",
        f"/v0{bare}",
        f"/v2{bare}",
        f"/v1beta{bare}",
        "/engines",
        "/v1/engines",
    ]
    return [*names, *(root + path for root in ROOTS for path in (LIST, bare) if root + path != LIST)]
