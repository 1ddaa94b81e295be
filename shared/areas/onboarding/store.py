"""SQL over what onboarding shows and saves; links have their own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.areas.clients.models import ACCESS_FLAGS, REQUIRES
from shared.areas.onboarding.models import CONTACT, STATUSES
from shared.db.database import Executor, Record

_TEXTS = (*CONTACT, *STATUSES, "google_ads_account_id", "client_identifier_value", "ai_prompt", "website_forms_notes")
_PROFILE = ", ".join(
    [f"coalesce(p.{name}, '') as {name}" for name in _TEXTS]
    + [f"coalesce(p.{name}, true) as {name}" for name in REQUIRES]
    + [f"coalesce(p.{name}, false) as {name}" for name in ACCESS_FLAGS]
)


async def state(db: Executor, user_id: UUID) -> Record | None:
    """``user``, ``profile`` and ``services`` of §Onboarding, and the user's role; None when there is no such user."""
    return await db.fetchrow(
        f"""
        select u.role,
            json_build_object('id', u.id, 'email', u.email, 'first_name', u.first_name, 'last_name', u.last_name,
                'avatar_url', u.avatar_url, 'has_password', u.password_hash is not null) as user,
            (select row_to_json(profile) from (
                select {_PROFILE}, coalesce(p.monthly_revenue_goal::text, '') as monthly_revenue_goal,
                    p.client_type, p.client_subtype, iso(p.onboarding_completed_at) as onboarding_completed_at,
                    p.onboarding_draft_json, iso(p.onboarding_draft_saved_at) as onboarding_draft_saved_at
            ) profile) as profile,
            (select coalesce(json_agg(json_build_object('id', s.id, 'name', s.name, 'description', s.description,
                'base_price', s.base_price::text, 'active', s.active) order by lower(s.name), s.id), '[]')
             from services s where s.user_id = u.id) as services
        from users u left join client_profiles p on p.user_id = u.id where u.id = $1
        """,  # noqa: S608  the columns are ours
        user_id,
    )


async def save_draft(db: Executor, user_id: UUID, draft: Any) -> None:
    await db.execute(
        """
        insert into client_profiles (user_id, onboarding_draft_json, onboarding_draft_saved_at) values ($1, $2, now())
        on conflict (user_id) do update set onboarding_draft_json = excluded.onboarding_draft_json,
            onboarding_draft_saved_at = now(), updated_at = now()
        """,
        user_id,
        draft,
    )


async def complete(db: Executor, user_id: UUID) -> None:
    await db.execute(
        """
        insert into client_profiles (user_id, onboarding_completed_at) values ($1, now())
        on conflict (user_id) do update set onboarding_completed_at = now(), onboarding_draft_json = null,
            onboarding_draft_saved_at = null, updated_at = now()
        """,
        user_id,
    )


async def set_verified(db: Executor, user_id: UUID) -> None:
    """The user reads the mail of their address: they came by a link that was sent there."""
    await db.execute("update users set email_verified_at = coalesce(email_verified_at, now()) where id = $1", user_id)
