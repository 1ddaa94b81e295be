"""Headers on every answer: CORS, Content-Security-Policy and the other protections.

Two policies. ``dashboard``: credentials for our own origins only. ``embeddable``: what visitors of other sites load;
never credentials, any origin. An origin that may not call gets an answer without CORS headers, which its browser
refuses. Source: spec api-reviews-webhooks-jobs §5.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from shared.config import Settings

if TYPE_CHECKING:
    from starlette.requests import Request

_PROTECTION = {
    "Origin-Agent-Cluster": "?1",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=15552000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "X-Download-Options": "noopen",
    "X-Permitted-Cross-Domain-Policies": "none",
    "X-XSS-Protection": "0",
}
_METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"
_MAX_AGE = "600"
_JSDELIVR = "https://cdn.jsdelivr.net"


def told(request: Request, name: bytes) -> str | None:
    """The request's header *name* (lower case). What every call asks for: several times faster than its mapping."""
    for given, value in request.scope["headers"]:
        if given == name:
            return value.decode("latin-1")  # type: ignore[no-any-return]
    return None


@lru_cache(maxsize=8)
def content_security_policy(settings: Settings) -> str:
    """The default policy: our own things, the fonts and scripts the dashboard uses, and the configured hosts."""
    fonts = "https://fonts.googleapis.com"
    directives = {
        "default-src": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
        "script-src": ["'self'", _JSDELIVR],
        "script-src-elem": ["'self'", _JSDELIVR],
        "style-src": ["'self'", "'unsafe-inline'", fonts, _JSDELIVR],
        "style-src-elem": ["'self'", "'unsafe-inline'", fonts, _JSDELIVR],
        "font-src": ["'self'", "https://fonts.gstatic.com", "data:"],
        "img-src": ["'self'", "data:", "blob:", *settings.csp_img_src],
        "connect-src": ["'self'", fonts, "https://fonts.gstatic.com", _JSDELIVR],
        "worker-src": ["'self'", "blob:", _JSDELIVR],
        "child-src": ["'self'", "blob:"],
        "frame-src": ["'self'", *settings.csp_frame_src],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def protection(settings: Settings, *, embeddable: bool) -> dict[str, str]:
    """The protecting headers; a handler's own headers win over them."""
    if embeddable:
        return {**_PROTECTION, "Cross-Origin-Resource-Policy": "cross-origin"}
    return {
        **_PROTECTION,
        "Content-Security-Policy": content_security_policy(settings),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "SAMEORIGIN",
    }


def cors(settings: Settings, origin: str | None, *, embeddable: bool) -> dict[str, str]:
    """What tells the browser that a page of *origin* may read this answer."""
    if embeddable:
        return {"Access-Control-Allow-Origin": "*"}
    if origin is None or origin.rstrip("/") not in settings.allowed_origins:
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Content-Disposition, Retry-After, X-Request-Id",
        "Vary": "Origin",
    }


def preflight(allowed: dict[str, str], requested: str | None) -> dict[str, str]:
    """The answer to a preflight whose origin got the headers *allowed*; *requested*: the header names it asks for."""
    if "Access-Control-Allow-Origin" not in allowed:
        return allowed
    return {
        **allowed,
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": requested or "content-type",
        "Access-Control-Max-Age": _MAX_AGE,
    }


@lru_cache(maxsize=64)
def lines(settings: Settings, origin: str | None, *, embeddable: bool) -> tuple[tuple[bytes, bytes], ...]:
    """What every answer to a page of *origin* carries, as the server sends it: made once, not for each answer."""
    given = {
        **protection(settings, embeddable=embeddable),
        **cors(settings, origin, embeddable=embeddable),
        "Cache-Control": "no-store",
    }
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given.items())
