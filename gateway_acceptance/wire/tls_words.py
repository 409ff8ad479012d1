"""What is wrong with a TLS connection, in words, each with its fix (docs/networks.md)."""

from __future__ import annotations

import ssl

EXPIRED, NOT_YET_VALID, WRONG_NAME, WRONG_ADDRESS = 10, 9, 62, 64
NAME_THE_CA = "name that CA's file as network.ca_file"
UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21, 27})
"""Codes of OpenSSL (openssl-verification-options(1), X509_V_ERR_*)."""


def tls_words(error: BaseException, host: str) -> str:
    """What is wrong with the TLS of a host, and how to fix it, in a sentence."""
    alert = alert_words(error, host)
    if alert:
        return alert
    seen = _ssl_error(error)
    if isinstance(seen, ssl.SSLCertVerificationError):
        code = seen.verify_code
        if code == EXPIRED:
            return f"TLS: the certificate of {host} has expired; renew it"
        if code == NOT_YET_VALID:
            return f"TLS: the certificate of {host} is not valid yet; look at both clocks"
        if code in (WRONG_NAME, WRONG_ADDRESS):
            return f"TLS: the certificate is not one of {host} (wrong name); use the name that it holds"
        if code in UNKNOWN_ISSUER:
            return f"TLS: the certificate of {host} is of an unknown CA; {NAME_THE_CA}"
        return f"TLS: the certificate of {host} is refused: {seen.verify_message}"
    if isinstance(seen, ssl.SSLError):
        reason = (seen.reason or str(seen)).replace("_", " ").lower()
        return f"TLS: no handshake with {host}: {reason}"
    return f"TLS: no handshake with {host}: the connection was closed"


ALERTS = {
    "CERTIFICATE_REQUIRED": "asks for a client certificate; name one as network.client_certificate",
    "ALERT_UNKNOWN_CA": "does not know the CA of network.client_certificate; take one of a CA that it trusts",
    "ALERT_CERTIFICATE_EXPIRED": "says that network.client_certificate has expired; renew it",
    "ALERT_CERTIFICATE_REVOKED": "says that network.client_certificate is revoked; take another one",
    "ALERT_CERTIFICATE_UNKNOWN": "refuses network.client_certificate; look into its log why",
    "ALERT_BAD_CERTIFICATE": "refuses network.client_certificate; look into its log why",
    "ALERT_ACCESS_DENIED": "lets nobody with network.client_certificate in; look into its log why",
    "ALERT_PROTOCOL_VERSION": "speaks no version of TLS that is still secure; let it offer TLS 1.2 or 1.3",
    "UNSUPPORTED_PROTOCOL": "speaks no version of TLS that is still secure; let it offer TLS 1.2 or 1.3",
    "UNRECOGNIZED_NAME": "serves no such name (SNI); use the name that it serves",
}
"""Part of OpenSSL's name of a reason -> what a server means by it (RFC 8446, section 6.2)."""


def alert_words(error: BaseException, host: str) -> str:
    """What a server has said of us while it ended the connection, or nothing."""
    seen = _ssl_error(error)
    if seen is None or isinstance(seen, ssl.SSLCertVerificationError):
        return ""
    reason = seen.reason or ""
    return next((f"TLS: {host} {words}" for name, words in ALERTS.items() if name in reason), "")


def after_the_handshake(host: str) -> str:
    """What is said where a connection breaks before its first answer: of TLS 1.3 a client learns only then
    that its certificate is not liked, and not always."""
    return (
        f"TLS: {host} ended the connection right after the handshake; if it asks for a client certificate, "
        "name one that it accepts as network.client_certificate"
    )


def _ssl_error(error: BaseException) -> ssl.SSLError | None:
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, ssl.SSLError):
        seen = seen.__cause__ or seen.__context__
    return seen
