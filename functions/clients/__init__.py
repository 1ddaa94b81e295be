"""Clients and staff accounts, as admins keep them."""

from datetime import timedelta

from shared.areas.clients.audit import Actor
from shared.areas.onboarding.links import Mailing
from shared.runtime import Call


def actor(call: Call) -> Actor:
    """Who is doing this, for the audit trail."""
    user = call.user
    return Actor(
        id=user.id, role=user.effective_role, ip=call.ip, user_agent=call.user_agent, session_id=user.session_id
    )


def mailing(call: Call) -> Mailing:
    """What mails about accounts need."""
    settings = call.services.settings
    return Mailing(
        app_base_url=settings.app_base_url,
        key_ring=call.services.key_ring,
        lifetime=timedelta(hours=settings.onboarding_link_lifetime_h),
    )
