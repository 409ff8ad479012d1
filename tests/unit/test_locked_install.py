"""What an installer is told, and what is shown of its failure."""

from __future__ import annotations

import os

import pytest
from packaging.requirements import Requirement

from gateway_acceptance.locked_install import InstallFailedError, neutral, reason_of, split
from lab.litellm.resolve import lock_of, needs_of_extra, resolved

PIP = """\
WARNING: Retrying (Retry(total=4)) after connection broken
WARNING: The directory '/root/.cache/pip' is not owned by the current user.
ERROR: Could not find a version that satisfies the requirement alpha==1 (from versions: 2)
ERROR: No matching distribution found for alpha==1
[notice] A new release of pip is available
"""
HASHES = """\
ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.
    alpha==1 from http://127.0.0.1/alpha:
        Expected sha256 00
             Got        11

WARNING: something else
"""
UV = """\
  × No solution found when resolving dependencies:
  ╰─▶ Because there is no version of alpha==1 and you require alpha==1, it cannot be.
"""
NPM = """\
npm warn deprecated left-pad@1.0.0
npm error code EAI_AGAIN
npm error request to http://127.0.0.1/ failed
"""


@pytest.mark.parametrize(
    ("output", "first", "rest"),
    [
        (
            PIP,
            "ERROR: Could not find a version that satisfies the requirement alpha==1 (from versions: 2)",
            ["ERROR: No matching distribution found for alpha==1"],
        ),
        (
            HASHES,
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            [
                "    alpha==1 from http://127.0.0.1/alpha:",
                "        Expected sha256 00",
                "             Got        11",
            ],
        ),
        (UV, "× No solution found when resolving dependencies:", [UV.splitlines()[1]]),
        (NPM, "npm error code EAI_AGAIN", ["npm error request to http://127.0.0.1/ failed"]),
        ("WARNING: a\nSegmentation fault\n", "Segmentation fault", []),
        ("WARNING: a\n", "WARNING: a", []),
        ("", "it said nothing", []),
    ],
    ids=["pip", "hashes", "uv", "npm", "no reason", "warnings only", "nothing"],
)
def test_the_reason_stands_first_and_warnings_nowhere(output: str, first: str, rest: list[str]) -> None:
    assert reason_of(output) == (first, "\n".join(rest))


CONFIGURED = """\
:env:.constraint='/etc/constraints.txt'
global.constraint='/etc/constraints.txt'
global.index-url='https://user:word@127.0.0.1/simple'
global.extra-index-url='http://127.0.0.1:2/a\\nhttp://127.0.0.1:3/b'
global.timeout='5'
install.timeout='7'
install.user='true'
install.no-build-isolation='false'
a line that is none
"""


def test_indexes_and_certificates_stay_and_nothing_else() -> None:
    variables = {
        **{"PATH": "/bin", "SSL_CERT_FILE": "/ca.pem", "PYTHONPATH": "/elsewhere", "PYTHONWARNINGS": "error"},
        **{"PIP_CERT": "/ca.pem", "PIP_TIMEOUT": "9", "PIP_TARGET": "/elsewhere", "PIP_PRE": "1"},
        **{"UV_INDEX_URL": "http://127.0.0.1", "UV_CONSTRAINT": "c.txt", "UV_PRERELEASE": "allow"},
    }
    assert neutral(variables, CONFIGURED) == {
        **{"PATH": "/bin", "SSL_CERT_FILE": "/ca.pem", "PIP_CERT": "/ca.pem"},
        "PIP_INDEX_URL": "https://user:word@127.0.0.1/simple",
        "PIP_EXTRA_INDEX_URL": "http://127.0.0.1:2/a http://127.0.0.1:3/b",
        "PIP_TIMEOUT": "9",
        "UV_INDEX_URL": "http://127.0.0.1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }


def test_what_has_no_wheel_is_taken_out_of_the_lock() -> None:
    lock = (
        "alpha==1 \\\n    --hash=sha256:aa\nbeta[more]==2 \\\n    --hash=sha256:bb\nc==3 --hash=sha256:cc\n"
    )
    wheels, built = split(lock, ["beta"])
    assert built == "beta[more]==2 \\\n    --hash=sha256:bb\n"
    assert wheels == lock.replace(built, "")
    assert split(lock, []) == (lock, "")


def test_what_a_version_resolved_to_is_a_lock() -> None:
    def item(name: str, version: str, digest: str) -> dict[str, object]:
        return {
            "metadata": {"name": name, "version": version},
            "download_info": {"archive_info": {"hashes": {"sha256": digest}}},
        }

    report = {"version": "1", "install": [item("litellm", "1.90.7", "bb"), item("Jinja2", "3.1.6", "aa")]}
    assert lock_of(report) == (
        "jinja2==3.1.6 \\\n    --hash=sha256:aa\nlitellm==1.90.7 \\\n    --hash=sha256:bb\n"
    )


PINNED = [
    'litellm-proxy==2.0 ; extra == "proxy"',
    'litellm_proxy-extras==0.4.1.post1 ; extra == "proxy"',
    'fastapi>=1 ; extra == "proxy"',
    'granian>=9 ; python_full_version < "3" and extra == "proxy"',
    'prisma<1 ; extra == "extra-proxy"',
    "httpx>=0.28",
]


class Index:
    """What pip would make of an index. absent: name -> the specifier that no release fits; of a name without
    one there is no release at all."""

    def __init__(self, **absent: str) -> None:
        self.absent, self.asked = absent, list[tuple[str, ...]]()

    def report(self, *wanted: str) -> dict[str, object]:
        self.asked.append(wanted)
        needs = PINNED if wanted == ("litellm[proxy]==2.0",) else wanted
        for need in map(Requirement, needs if wanted[0] != "--no-deps" else ()):
            name = need.name.replace("-", "_")
            if name in self.absent and self.absent[name] in ("", str(need.specifier)):
                raise InstallFailedError(
                    f"ERROR: Could not find a version that satisfies the requirement {need}",
                    f"ERROR: No matching distribution found for {need}",
                )
        item = {
            "metadata": {"name": "litellm", "version": "2.0", "requires_dist": PINNED},
            "download_info": {"archive_info": {"hashes": {"sha256": "aa"}}},
        }
        return {"version": "1", "install": [item]}


def test_a_release_whose_own_companions_the_index_lacks_is_installed_all_the_same() -> None:
    """As 1.110.2: of one companion there is no release, of the other only older ones."""
    index = Index(litellm_proxy="", litellm_proxy_extras="==0.4.1.post1")
    lock, instead = resolved("2.0", index.report)
    assert lock == "litellm==2.0 \\\n    --hash=sha256:aa\n"
    assert index.asked[-1] == ("litellm==2.0", "litellm-proxy-extras<=0.4.1.post1", "fastapi>=1")
    assert instead == [
        "the index has no litellm-proxy: left out",
        "the index has no litellm-proxy-extras==0.4.1.post1: the nearest older release is taken",
    ]


def test_what_else_does_not_resolve_is_refused_with_its_reason() -> None:
    index = Index(fastapi=">=1")
    with pytest.raises(InstallFailedError, match="requirement fastapi"):
        resolved("2.0", index.report)
    assert index.asked == [("litellm[proxy]==2.0",)]


def test_what_the_extra_adds() -> None:
    assert [str(one) for one in needs_of_extra(Index().report("--no-deps", "litellm==2.0"))] == [
        "litellm-proxy==2.0",
        "litellm-proxy-extras==0.4.1.post1",
        "fastapi>=1",
    ]
