"""What an installer is told, and what is shown of its failure."""

from __future__ import annotations

import os

import pytest

from gateway_acceptance.locked_install import neutral, reason_of, split
from lab.litellm.install import lock_of

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
