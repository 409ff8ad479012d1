"""Where an environment's secrets come from: its key, the secret headers and the proxy's credentials.

They are looked up once, on the machine that runs, and never stand in a file of the suite. What is wrong with
one is a sentence before anything is sent; no sentence holds what was found.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import ssl
import stat
import subprocess
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from gateway_acceptance.environment.model import Environment
from gateway_acceptance.redaction import SHORTEST_SECRET
from gateway_acceptance.usage import UsageProblem

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
WORD = re.compile(r"[a-z_]{1,24}")
"""A key that reads like a word, and may be the name of a field of ours."""
HEADER_SAFE = re.compile(r"[\x21-\x7e]+")
"""What a key may consist of: a header can carry it. A copied line end would look like a dead gateway."""
LONGEST_KEY = 8 * 1024
"""Bytes: no server takes a longer header."""
COMMAND_S = 10.0
"""Seconds that a key's command may take."""
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def key_of(environment: Environment, variables: Mapping[str, str]) -> str:
    """The key of an environment that is not embedded. Raises UsageProblem, with one sentence."""
    gateway = environment.gateway
    if gateway.key_variable is not None:
        key, named = variables.get(gateway.key_variable, ""), gateway.key_variable
        if not key:
            raise UsageProblem(
                [f"{environment.source}: gateway.key_variable names {named}, which is not set"]
            )
        place, fix = f"gateway.key_variable names {named}, whose value", f"export {named} without them"
    elif gateway.key_file is not None:
        path = beside(environment, gateway.key_file)
        key, place = _read(environment, path), f"gateway.key_file names {path}, whose content"
        fix = "write the key alone into it, on one line"
    else:
        command = gateway.key_command or ("",)
        key = _printed(environment, command)
        place, fix = f"gateway.key_command ({command[0]}) prints a key that", "let it print the key alone"
    wrong = unfit(key, fix)
    if wrong:
        raise UsageProblem([f"{environment.source}: {place} {wrong}"])
    return key


def unfit(key: str, fix: str) -> str:
    """What makes a key unfit, as the end of a sentence, or nothing. fix: of characters that no header can
    carry."""
    if not HEADER_SAFE.fullmatch(key):
        return f"holds spaces, line ends or other characters that no header can carry; {fix}"
    if len(key) < SHORTEST_SECRET:
        return (
            f"has fewer than {SHORTEST_SECRET} characters: it could not be told from ordinary words and kept "
            "out of what is written; give the gateway a longer key"
        )
    if WORD.fullmatch(key):
        return (
            "is a plain word: it could not be kept out of what is written; give the gateway a key of random "
            "characters"
        )
    return ""


def beside(environment: Environment, path: Path) -> Path:
    """A path of an environment's file, from the folder of that file."""
    return environment.source.parent / path.expanduser()


def _read(environment: Environment, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_KEY + 1)
    except OSError as error:
        raise UsageProblem(
            [
                f"{environment.source}: gateway.key_file: {path} cannot be read ({error.strerror}); "
                "check the path and its permissions"
            ]
        ) from None
    return _one_key(environment, content, f"gateway.key_file: {path}")


def _one_key(environment: Environment, content: bytes, place: str) -> str:
    if len(content) > LONGEST_KEY:
        raise UsageProblem(
            [f"{environment.source}: {place} holds more than {LONGEST_KEY} bytes, which is no key"]
        )
    key = content.decode("utf-8-sig", errors="replace").rstrip("\r\n")
    if not key:
        raise UsageProblem([f"{environment.source}: {place} holds nothing; write the gateway's key into it"])
    return key


def _printed(environment: Environment, command: tuple[str, ...]) -> str:
    """What a program prints; it is asked without a terminal, and what it says besides is not kept: there may
    be a secret in it."""
    place = f"{environment.source}: gateway.key_command ({command[0]})"
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=environment.source.parent,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageProblem([f"{place} cannot be started ({why}); correct it"]) from None
    try:
        content = _bounded(process, time.monotonic() + COMMAND_S)
        if content is None:
            raise UsageProblem(
                [
                    f"{place} was not done within {COMMAND_S:g} s; run it by hand: here it gets no "
                    "terminal to ask on"
                ]
            )
        if len(content) <= LONGEST_KEY and process.returncode:
            raise UsageProblem(
                [f"{place} failed with exit status {process.returncode}; run it by hand to see what it says"]
            )
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    return _one_key(environment, content, f"gateway.key_command ({command[0]}) prints what")


def _bounded(process: subprocess.Popen[bytes], by: float) -> bytes | None:
    """What it prints up to its end, or one byte more than a key may have; None where time is over."""
    assert process.stdout is not None
    content = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        while len(content) <= LONGEST_KEY:
            left = by - time.monotonic()
            if left <= 0 or not waiting.select(left):
                return None
            piece = os.read(process.stdout.fileno(), LONGEST_KEY + 1)
            if not piece:
                try:
                    process.wait(max(0.0, by - time.monotonic()))
                except subprocess.TimeoutExpired:
                    return None
                break
            content += piece
    return content


def headers_of(environment: Environment, variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """The headers that each request to the gateway carries, with their secrets in."""
    return [
        (name, VARIABLE.sub(lambda match: variables.get(match[1], ""), text))
        for name, text in environment.network.headers.items()
    ]


def proxy_credentials(environment: Environment, variables: Mapping[str, str]) -> tuple[str, str] | None:
    """User and password for the proxy, where the environment names any."""
    named = environment.network.proxy_credentials_variable
    if named is None:
        return None
    user, _, password = variables.get(named, "").partition(":")
    return user, password


def limited_key_problems(environment: Environment, variables: Mapping[str, str]) -> list[str]:
    """A sentence where the limited key that is declared is not there, unfit, or no other than the gateway's
    own."""
    limited = environment.gateway.limited_key
    if limited is None:
        return []
    name = limited.key_variable
    named = f"{environment.source}: gateway.limited_key.key_variable names {name}"
    key = variables.get(name, "")
    if not key and environment.embedded is not None:
        return []  # whoever starts the gateway lets it make one
    if not key:
        return [f"{named}, which is not set; export {name} with the limited key"]
    if key == variables.get(environment.gateway.key_variable or ""):
        return [f"{named}, which holds the gateway's own key; export {name} with the limited one"]
    wrong = unfit(key, f"export {name} without them")
    return [f"{named}, whose value {wrong}"] if wrong else []


def secrets_of(environment: Environment, variables: Mapping[str, str]) -> dict[str, str]:
    """Every other secret by the name that may be shown: the limited key, keys of backends, values of headers,
    the proxy's password."""
    found = {}
    if environment.gateway.limited_key is not None:
        key = variables.get(environment.gateway.limited_key.key_variable, "")
        found[f"limited key of {environment.name}"] = key
    for backend in environment.backends:
        if backend.key_variable is not None:
            name = f"key of {backend.name} behind {environment.name}"
            found[name] = variables.get(backend.key_variable, "")
    for name, text in environment.network.headers.items():
        for variable in VARIABLE.findall(text):
            found[f"{variable} in the header {name} of {environment.name}"] = variables.get(variable, "")
    credentials = proxy_credentials(environment, variables)
    if credentials is not None:
        found[f"password of the proxy of {environment.name}"] = credentials[1]
        found[f"credentials of the proxy of {environment.name}"] = ":".join(credentials)
    return found


def network_problems(environment: Environment, variables: Mapping[str, str]) -> list[str]:
    """A sentence for each thing of its network that this machine does not have."""
    found = []
    for name, text in environment.network.headers.items():
        for variable in VARIABLE.findall(text):
            found += _secret_problems(
                f"network.headers.{name} needs the variable {variable}", variables.get(variable)
            )
    named = environment.network.proxy_credentials_variable
    credentials = variables.get(named or "")
    if named is not None and (not credentials or ":" not in credentials.strip(":")):
        found.append(
            f"network.proxy_credentials_variable names {named}, which does not hold "
            f"USER:PASSWORD; export {named} so"
        )
    found += _file_problems(environment)
    return [f"{environment.source}: {one}" for one in found]


def _secret_problems(place: str, value: str | None) -> list[str]:
    if not value:
        return [f"{place}, which is not set; export it"]
    if not re.fullmatch(r"[\x20-\x7e]+", value):
        return [f"{place}, whose value no header can carry (ASCII, no line ends); correct it"]
    if len(value) < SHORTEST_SECRET:
        return [
            f"{place}, whose value has fewer than {SHORTEST_SECRET} characters: it could not be kept out of "
            "what is written; where it is no secret, write it into the file itself"
        ]
    return []


def _file_problems(environment: Environment) -> list[str]:
    network, found = environment.network, []
    for name in ("ca_file", "client_certificate", "client_key"):
        given = getattr(network, name)
        if given is None:
            continue
        path = beside(environment, given)
        try:
            path.read_bytes()
        except OSError as error:
            found.append(f"network.{name}: {path} cannot be read ({error.strerror}); check the path")
    return found or _tls_problems(environment)


def _tls_problems(environment: Environment) -> list[str]:
    if environment.network.ca_file is not None:
        path = beside(environment, environment.network.ca_file)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except ssl.SSLError:
            return [f"network.ca_file: {path} holds no certificate in PEM; name the file of the CA itself"]
    try:
        tls_context(environment)
    except ssl.SSLError as error:
        reason = (error.reason or "").replace("_", " ").lower()
        network = environment.network
        if reason == "key values mismatch":
            return ["network.client_key is not the key of network.client_certificate; name the one that is"]
        named = [name for name in ("ca_file", "client_certificate", "client_key") if getattr(network, name)]
        which = " or ".join(f"network.{name}" for name in named)
        return [f"{which}: this is no PEM as it is needed ({reason or 'not understood'}); write it so"]
    except UsageProblem as problem:
        return list(problem.sentences)
    return []


def system_trust() -> ssl.SSLContext:
    """What the system trusts, and nothing shown: read once, for it takes longer than a request."""
    return _trust(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _trust(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    return ssl.create_default_context()


def tls_context(environment: Environment) -> ssl.SSLContext:
    """What is trusted and shown in a TLS handshake. Raises ssl.SSLError, OSError, UsageProblem."""
    network = environment.network
    if network.ca_file is None and network.client_certificate is None:
        return system_trust()
    return fresh(environment)


def fresh(environment: Environment) -> ssl.SSLContext:
    """The same, shared with nobody. Raises as ``tls_context``."""
    network = environment.network
    context = ssl.create_default_context()
    if network.ca_file is not None:
        context.load_verify_locations(beside(environment, network.ca_file))
        # a private CA is often made by hand, without what RFC 5280 asks for and browsers do not
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", ssl.VerifyFlags(0))
    if network.client_certificate is not None:

        def asked() -> str:
            raise UsageProblem(
                [
                    "network.client_key is encrypted, and nobody is asked for its password; "
                    "name a key without one that you alone can read"
                ]
            )

        key = network.client_key or network.client_certificate
        context.load_cert_chain(
            beside(environment, network.client_certificate), beside(environment, key), asked
        )
    return context


def file_notes(environment: Environment) -> list[str]:
    """A sentence for each file with a secret that others than its owner may read."""
    network, found = environment.network, []
    held = {"network.client_key": network.client_key if network.client_certificate else None}
    if network.client_certificate is not None and network.client_key is None:
        held["network.client_certificate"] = network.client_certificate  # the key is in it
    if environment.embedded is None:
        held["gateway.key_file"] = environment.gateway.key_file
    for name, given in held.items():
        if given is None:
            continue
        path = beside(environment, given)
        with contextlib.suppress(OSError):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & OTHERS:
                found.append(
                    f"{environment.source}: {name}: others than its owner may use {path} "
                    f"(mode {mode:04o}); chmod 600 it"
                )
    return found
