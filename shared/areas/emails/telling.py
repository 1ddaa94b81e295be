"""What telling people of something by mail needs, from the running instance."""

from __future__ import annotations

from dataclasses import dataclass

from shared.areas.emails.templates import Site
from shared.areas.ports import GetKeyRing, Instance


@dataclass(frozen=True, slots=True)
class Telling:
    """Where our pages are, and the keys that mails are sealed with."""

    site: Site
    key_ring: GetKeyRing


def telling(instance: Instance) -> Telling:
    chosen = instance.settings
    return Telling(Site(chosen.app_base_url, chosen.client_app_url), instance.key_ring)
