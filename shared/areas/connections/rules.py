"""Pure rules of connections: what may stand beside a token, which addresses are ours, what a location is called."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from shared.areas.files.rules import read_url

BASIC: Final = "Basic"  # token_type of a site with an application password: base64 of user:password, never renewed

# A redirect address names one of these; Instagram is connected through Facebook's consent.
CONNECTS: Final = ("google", "facebook", "tiktok", "wordpress")
FLOW_OF: Final = {name: name for name in CONNECTS} | {"instagram": "facebook"}

RESOURCES_OF: Final[dict[str, tuple[str, ...]]] = {
    "google": ("google_location",),
    "facebook": ("facebook_page", "instagram_account"),
    "instagram": ("instagram_account",),
    "tiktok": ("tiktok_account",),
    "wordpress": ("wordpress_site",),
}

# When the schedule renews a vendor's token: so long before its end, and at most so often. Google's end every hour and
# are renewed on use: once a day is enough to learn of a withdrawn consent. Facebook's, once ended, cannot be renewed.
_DAILY: Final = (timedelta(minutes=10), timedelta(hours=20))
RENEWALS: Final[dict[str, tuple[timedelta, timedelta]]] = {
    "google": _DAILY,
    "wordpress": _DAILY,
    "facebook": (timedelta(days=20), timedelta(hours=1)),
    "instagram": (timedelta(days=20), timedelta(hours=1)),
    "tiktok": (timedelta(hours=3), timedelta(hours=1)),
}

_PLACE: Final = ("site_url", "rest_root")  # of an application password
LONGEST_FACTS: Final = 16_000  # bytes
_SECRET_NAME = re.compile(r"token|secret|passw|credential|authorization|api_?key", re.IGNORECASE)
_LOCATION = re.compile(r"(?:accounts/(?P<account>[0-9]{1,40})/)?(?:locations/)?(?P<location>[0-9]{1,40})")
# Clean HTML has "<" before tags alone and double quotes around values: both are read from one end to the other.
_TAG = re.compile(r'<(/?[a-z][a-z0-9]*)(?:[^>"]|"[^"]*")*>')
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


def without_secrets(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What may be kept in clear: everything, at any depth, whose name does not promise a secret."""
    return {name: _clean(value) for name, value in facts.items() if not _SECRET_NAME.search(name)}


def in_its_place(facts: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Edited facts with what is known of where a token goes: who edits them has no right to send it elsewhere."""
    edited = {name: value for name, value in facts.items() if name not in _PLACE}
    return edited | {name: known[name] for name in _PLACE if name in known}


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return without_secrets(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return value


def storable(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts, when they are few enough to keep and PostgreSQL can; ValueError when not."""
    text = json.dumps(facts)
    if len(text) > LONGEST_FACTS:
        raise ValueError(f"must be at most {LONGEST_FACTS} bytes of JSON")
    if "\\u0000" in text:
        raise ValueError("must not contain zero bytes")
    return facts


def location_of(given: str) -> tuple[str, str] | None:
    """Account and number of ``accounts/1/locations/2``, ``locations/2`` or ``2`` (account empty where it is not told);
    None for anything else."""
    found = _LOCATION.fullmatch(given)
    return (found["account"] or "", found["location"]) if found else None


def callback_url(provider: str, base: str) -> str:
    """Where a vendor sends the browser back to, of the site at *base*."""
    return f"{base.rstrip('/')}/api/hub/oauth/{provider}/callback"


def own_callback(provider: str, configured: str, bases: Iterable[str]) -> bool:
    """Whether a configured redirect address is one of ours."""
    return configured in {callback_url(provider, base) for base in bases}


def site_address(given: str) -> str:
    """A site's address as a person types it, in the form we keep: scheme and host in lower case, no slash at the end.
    ValueError for what is no address of a site."""
    text = given if "://" in given else f"https://{given}"
    parts = urlsplit(text.strip())
    port = parts.port  # ValueError when it is none
    if parts.scheme.lower() not in ("https", "http") or not parts.hostname or parts.username or parts.password:
        raise ValueError("must be the address of a site, such as https://example.com")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if not host.isascii() or re.search(r"\s|[\x00-\x1f\x7f]", text):
        raise ValueError("must be the address of a site, such as https://example.com")
    path = parts.path.rstrip("/").removesuffix("/wp-admin").removesuffix("/wp-json")
    return urlunsplit((parts.scheme.lower(), f"{host}:{port}" if port else host, path, "", ""))


def rest_root(facts: Mapping[str, Any]) -> str:
    """Where the REST API of a site with an application password begins."""
    return str(facts.get("rest_root") or f"{str(facts.get('site_url', '')).rstrip('/')}/wp-json/")


def slug_of(title: str, source: str) -> str:
    """The name of a post on its site: the title's words, and letters of *source* that make it the only one."""
    words = _NOT_IN_SLUG.sub("-", title.lower()).strip("-")[:60].rstrip("-")
    mark = _NOT_IN_SLUG.sub("", source.lower())[-12:]
    return f"{words}-{mark}" if words else f"post-{mark}"


def own_images(content: str) -> dict[str, UUID]:
    """The addresses and file ids of the images of clean HTML that are files of ours."""
    sources = (_source_of(tag[0]) for tag in _TAG.finditer(content) if tag[1] == "img")
    found = {source: read_url(source) for source in sources}
    return {source: file_id for source, file_id in found.items() if isinstance(file_id, UUID)}


def with_images(content: str, addresses: Mapping[str, str | None]) -> str:
    """Clean HTML with other addresses for its images. Without those that have none, or that only we could show."""

    def place(tag: re.Match[str]) -> str:
        if tag[1] != "img":
            return tag[0]
        source = _source_of(tag[0])
        address = addresses.get(source) or (source if source.startswith(("https://", "http://")) else "")
        return _ATTRIBUTE.sub(partial(_with_source, address), tag[0]) if address else ""

    return _TAG.sub(place, content)


def _source_of(image: str) -> str:
    return next((html.unescape(one[2]) for one in _ATTRIBUTE.finditer(image) if one[1] == "src"), "")


def _with_source(address: str, attribute: re.Match[str]) -> str:
    return f'src="{html.escape(address)}"' if attribute[1] == "src" else attribute[0]
