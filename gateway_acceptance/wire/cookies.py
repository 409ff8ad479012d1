"""No cookie of an answer comes back with a later request: each exchange stands alone, and what a target
sets (the key that it echoes, a session, a backend to stick to) would change what is observed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http.cookiejar import CookieJar


def no_cookies() -> CookieJar:
    """A jar that takes no cookie from anybody."""
    from http.cookiejar import CookieJar, DefaultCookiePolicy  # a collection sends nothing

    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))
