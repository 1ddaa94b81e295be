"""SQL over users, sessions, devices, challenges and mailed tokens. Times are arguments; every list is its owner's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.areas.accounts.rules import effective
from shared.db.database import Executor, Record

# --- accounts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user with what sign-in asks about them."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    role: str
    avatar_url: str | None
    created_at: datetime
    password_hash: str | None
    password_changed_at: datetime | None
    auth_provider: str
    email_verified_at: datetime | None
    locked_until: datetime | None
    failed_login_count: int
    onboarding_completed_at: datetime | None
    activated_at: datetime | None
    email_otp_enabled: bool
    totp_enabled: bool
    totp_secret_encrypted: str | None
    totp_last_step: int | None
    webauthn_enabled: bool
    preferred_method: str
    require_mfa_always: bool
    backup_codes_left: int

    @property
    def effective_role(self) -> str:
        return effective(self.role)

    @property
    def is_local(self) -> bool:
        return self.auth_provider == "local"


_ACCOUNT = """
select u.id, u.email::text as email, u.first_name, u.last_name, coalesce(nullif(u.role, ''), 'client') as role,
       u.avatar_url, u.created_at, u.password_hash, u.password_changed_at, u.auth_provider, u.email_verified_at,
       u.locked_until, u.failed_login_count, p.onboarding_completed_at, p.activated_at,
       coalesce(m.email_otp_enabled, false) as email_otp_enabled, coalesce(m.totp_enabled, false) as totp_enabled,
       m.totp_secret_encrypted, m.totp_last_step, coalesce(m.webauthn_enabled, false) as webauthn_enabled,
       coalesce(m.preferred_method, 'email') as preferred_method,
       coalesce(m.require_mfa_always, false) as require_mfa_always,
       coalesce(cardinality(m.backup_code_hashes), 0) as backup_codes_left
from users u
left join client_profiles p on p.user_id = u.id
left join user_mfa_settings m on m.user_id = u.id
"""


async def account_by_email(db: Executor, email: str) -> Account | None:
    return _account(await db.fetchrow(f"{_ACCOUNT} where lower(u.email) = lower($1)", email))


async def account(db: Executor, user_id: UUID) -> Account | None:
    return _account(await db.fetchrow(f"{_ACCOUNT} where u.id = $1", user_id))


async def lock_account(db: Executor, user_id: UUID) -> Account | None:
    """The account, which nobody else changes until the transaction ends. Take this lock before any other."""
    return _account(await db.fetchrow(f"{_ACCOUNT} where u.id = $1 for no key update of u", user_id))


async def lock_challenged(db: Executor, challenge_id: UUID) -> Account | None:
    """The account of a challenge, as ``lock_account``; None when there is no such challenge."""
    owner = "(select user_id from mfa_challenges where id = $1)"
    return _account(await db.fetchrow(f"{_ACCOUNT} where u.id = {owner} for no key update of u", challenge_id))


def _account(row: Record | None) -> Account | None:
    return None if row is None else Account(**dict(row))


async def add_account(
    db: Executor,
    *,
    email: str,
    first_name: str,
    last_name: str,
    password_hash: str | None,
    provider: str,
    verified_at: datetime | None,
    avatar_url: str | None = None,
) -> UUID | None:
    """Add a client; None when the address has an account."""
    user_id: UUID | None = await db.fetchval(
        """
        with added as (
            insert into users (email, first_name, last_name, password_hash, role, auth_provider, email_verified_at,
                               password_changed_at, avatar_url)
            values ($1, left($2, 60), left($3, 60), $4, 'client', $5, $6,
                    case when $4::text is not null then now() end, $7)
            on conflict do nothing returning id
        ), profile as (
            insert into client_profiles (user_id) select id from added
        ), mfa as (
            insert into user_mfa_settings (user_id, email_otp_enabled) select id, true from added
        )
        select id from added
        """,
        email, first_name, last_name, password_hash, provider, verified_at, avatar_url,
    )  # fmt: skip
    return user_id


async def note_failure(db: Executor, user_id: UUID, locked_until: datetime | None) -> None:
    """Count a wrong password. Of failures at the same instant one may lock, whichever comes last."""
    await db.execute(
        """update users set failed_login_count = failed_login_count + 1, locked_until = greatest(locked_until, $2)
           where id = $1""",
        user_id,
        locked_until,
    )


async def note_sign_in(db: Executor, user_id: UUID, now: datetime) -> None:
    await db.execute(
        """update users set last_login_at = $2, login_count = login_count + 1, failed_login_count = 0,
           locked_until = null where id = $1""",
        user_id,
        now,
    )


async def replace_hash(db: Executor, user_id: UUID, old: str, new: str) -> None:
    """Store the same password's better hash, unless the password changed meanwhile."""
    await db.execute("update users set password_hash = $3 where id = $1 and password_hash = $2", user_id, old, new)


async def set_password(db: Executor, user_id: UUID, password_hash: str | None, now: datetime) -> None:
    """A new password ends a lock, which was about the old one."""
    await db.execute(
        """update users set password_hash = $2, password_changed_at = $3, failed_login_count = 0, locked_until = null,
           updated_at = $3 where id = $1""",
        user_id,
        password_hash,
        now,
    )


async def set_verified(db: Executor, user_id: UUID, now: datetime) -> None:
    await db.execute("update users set email_verified_at = coalesce(email_verified_at, $2) where id = $1", user_id, now)


# --- sessions ---------------------------------------------------------------------------------------------------------


async def add_session(db: Executor, columns: dict[str, Any]) -> None:
    """Add a session; the columns' names are the caller's own words, never a request's."""
    names = list(columns)
    places = ", ".join(f"${index}" for index in range(1, len(names) + 1))
    await db.execute(
        f"insert into user_sessions ({', '.join(names)}) values ({places})",  # noqa: S608
        *columns.values(),
    )


ROTATE = """
with rotated as (
    update user_sessions s set
        refresh_token_hash = $2, last_activity_at = $3, ip_address = $5, user_agent = $6,
        refresh_expiry_at = least($3 + $4::interval, s.absolute_expiry_at)
    where s.refresh_token_hash = $1 and s.revoked_at is null and s.refresh_expiry_at > $3 and s.absolute_expiry_at > $3
    returning s.id, s.user_id, s.impersonator_id
), retired as (
    insert into retired_refresh_tokens (token_hash, session_id, retired_at) select $1, id, $3 from rotated
)
select r.id as session_id, r.impersonator_id, u.id, u.email::text as email, u.first_name, u.last_name, u.avatar_url,
       coalesce(nullif(u.role, ''), 'client') as role, u.created_at, p.onboarding_completed_at, p.activated_at
from rotated r
join users u on u.id = r.user_id
left join client_profiles p on p.user_id = u.id
"""


async def rotate(
    db: Executor,
    *,
    old_hash: str,
    new_hash: str,
    now: datetime,
    lifetime: timedelta,
    ip: str,
    user_agent: str,
) -> Record | None:
    """Exchange the current refresh token of a living session, in one statement: of two callers one gets the row."""
    return await db.fetchrow(ROTATE, old_hash, new_hash, now, lifetime, ip, user_agent)


async def session_of_token(db: Executor, token_hash: str) -> Record | None:
    """The session of a refresh token, current (``retired_at`` is null) or exchanged before."""
    return await db.fetchrow(
        """
        select s.id, s.user_id, s.refresh_token_hash, s.refresh_token_family, s.revoked_at, s.refresh_expiry_at,
               s.absolute_expiry_at, s.impersonator_id, s.impersonator_session_id, t.retired_at
        from (
            select id, null::timestamptz as retired_at from user_sessions where refresh_token_hash = $1
            union all
            select session_id, retired_at from retired_refresh_tokens where token_hash = $1
        ) t join user_sessions s on s.id = t.id
        """,
        token_hash,
    )


_REVOKE = """
update user_sessions set revoked_at = $2, revoked_reason = $3
where revoked_at is null and """


async def revoke_session(db: Executor, session_id: UUID, now: datetime, reason: str) -> int:
    """End one session, with the impersonations that started from it."""
    return await db.execute(f"{_REVOKE} (id = $1 or impersonator_session_id = $1)", session_id, now, reason)


async def revoke_family(db: Executor, family: UUID, now: datetime, reason: str) -> int:
    return await db.execute(f"{_REVOKE} refresh_token_family = $1", family, now, reason)


async def revoke_sessions(db: Executor, user_id: UUID, now: datetime, reason: str, *, but: UUID | None = None) -> int:
    """End every session of a user and every impersonation by them, except *but*."""
    return await db.execute(
        f"{_REVOKE} (user_id = $1 or impersonator_id = $1) and ($4::uuid is null or id <> $4)",
        user_id,
        now,
        reason,
        but,
    )


async def own_session(db: Executor, user_id: UUID, session_id: UUID) -> bool:
    found: bool = await db.fetchval(
        "select exists (select from user_sessions where id = $2 and user_id = $1 and revoked_at is null)",
        user_id,
        session_id,
    )
    return found


async def session(db: Executor, session_id: UUID) -> Record | None:
    return await db.fetchrow(
        """select id, user_id, impersonator_id, impersonator_session_id, device_id, created_at, revoked_at,
           refresh_expiry_at, absolute_expiry_at from user_sessions where id = $1""",
        session_id,
    )


async def hand_over(db: Executor, session_id: UUID, token_hash: str, now: datetime, lifetime: timedelta) -> bool:
    """Give a living session a new refresh token; the old one is retired, so that its use by a thief shows."""
    alive: bool = await db.fetchval(
        """
        with old as (
            select id, refresh_token_hash from user_sessions
            where id = $1 and revoked_at is null and refresh_expiry_at > $3 and absolute_expiry_at > $3
            for update
        ), handed as (
            update user_sessions s set refresh_token_hash = $2, last_activity_at = $3,
                refresh_expiry_at = least($3 + $4::interval, s.absolute_expiry_at)
            from old where s.id = old.id
        ), retired as (
            insert into retired_refresh_tokens (token_hash, session_id, retired_at)
            select refresh_token_hash, id, $3 from old
        )
        select exists (select from old)
        """,
        session_id, token_hash, now, lifetime,
    )  # fmt: skip
    return alive


async def list_sessions(db: Executor, user_id: UUID, current: UUID, now: datetime) -> str:
    """``{"sessions": […]}`` as JSON text, the most recently used first."""
    text: str = await db.fetchval(
        """
        select json_build_object('sessions', coalesce(json_agg(json_build_object(
            'id', id, 'deviceName', coalesce(device_name, 'Unknown browser'), 'ipAddress', host(ip_address),
            'location', coalesce(nullif(concat_ws(', ', city, country_code), ''), 'Unknown'),
            'lastActivity', iso(last_activity_at), 'createdAt', iso(created_at),
            'isTrusted', is_trusted and trusted_until > $3, 'isCurrent', id = $2
        ) order by last_activity_at desc, id), '[]'::json))::text
        from user_sessions
        where user_id = $1 and revoked_at is null and refresh_expiry_at > $3 and absolute_expiry_at > $3
        """,
        user_id,
        current,
        now,
    )
    return text


# --- devices ----------------------------------------------------------------------------------------------------------


async def signs(
    db: Executor, user_id: UUID, *, device_id: UUID, proof: str, fingerprint: str, network: str, now: datetime
) -> Record:
    """What is known of a device and a network for a user, in one statement."""
    row = await db.fetchrow(
        """
        select d.id is not null as trusted, coalesce(d.device_fingerprint = $4, false) as same_fingerprint,
               coalesce(s.known_device, false) as known_device, coalesce(s.known_network, false) as known_network,
               s.last_activity_at
        from (select bool_or(device_id = $2) as known_device, bool_or(ip_address <<= $5::text::inet) as known_network,
                     max(last_activity_at) as last_activity_at
              from user_sessions where user_id = $1 and impersonator_id is null) s
        left join user_trusted_devices d on d.user_id = $1 and d.device_id = $2 and d.token_hash = $3
              and d.revoked_at is null and d.expires_at > $6
        """,
        user_id, device_id, proof, fingerprint, network, now,
    )  # fmt: skip
    assert row is not None, "an aggregate always has a row"
    return row


async def trust(
    db: Executor,
    user_id: UUID,
    *,
    device_id: UUID,
    proof: str,
    fingerprint: str,
    name: str,
    now: datetime,
    until: datetime,
) -> None:
    await db.execute(
        """
        insert into user_trusted_devices (
            user_id, device_id, token_hash, device_fingerprint, device_name, trusted_at, expires_at, last_used_at)
        values ($1, $2, $3, $4, $5, $6, $7, $6)
        on conflict (user_id, device_id) do update set
            token_hash = excluded.token_hash, device_fingerprint = excluded.device_fingerprint,
            device_name = excluded.device_name, trusted_at = excluded.trusted_at, expires_at = excluded.expires_at,
            last_used_at = excluded.last_used_at, revoked_at = null
        """,
        user_id, device_id, proof, fingerprint, name, now, until,
    )  # fmt: skip


async def use_device(db: Executor, user_id: UUID, device_id: UUID, now: datetime) -> None:
    await db.execute(
        "update user_trusted_devices set last_used_at = $3 where user_id = $1 and device_id = $2",
        user_id,
        device_id,
        now,
    )


async def forget_device(db: Executor, user_id: UUID, device_id: UUID, now: datetime) -> bool:
    return bool(
        await db.execute(
            """update user_trusted_devices set revoked_at = $3, token_hash = null
               where user_id = $1 and device_id = $2 and revoked_at is null""",
            user_id,
            device_id,
            now,
        )
    )


async def forget_devices(db: Executor, user_id: UUID, now: datetime, *, but: UUID | None = None) -> None:
    """Trust none of a user's devices any longer, except *but*."""
    await db.execute(
        """update user_trusted_devices set revoked_at = $2, token_hash = null
           where user_id = $1 and revoked_at is null and ($3::uuid is null or device_id <> $3)""",
        user_id,
        now,
        but,
    )


async def list_devices(db: Executor, user_id: UUID, now: datetime) -> str:
    """``{"devices": […]}`` as JSON text: those trusted now, the newest first."""
    text: str = await db.fetchval(
        """
        select json_build_object('devices', coalesce(json_agg(json_build_object(
            'id', id, 'deviceId', device_id, 'deviceName', coalesce(device_name, 'Unknown browser'),
            'trustedAt', iso(trusted_at), 'expiresAt', iso(expires_at), 'lastUsedAt', iso(last_used_at)
        ) order by trusted_at desc, id), '[]'::json))::text
        from user_trusted_devices where user_id = $1 and revoked_at is null and expires_at > $2
        """,
        user_id,
        now,
    )
    return text


# --- one-time codes ---------------------------------------------------------------------------------------------------


async def add_challenge(
    db: Executor,
    *,
    challenge_id: UUID,
    user_id: UUID,
    method: str,
    otp_hash: str | None,
    now: datetime,
    expires_at: datetime,
    max_attempts: int,
    reason: str,
    ip: str,
    user_agent: str,
) -> None:
    """Add a challenge, in place of the user's older ones."""
    await end_challenges(db, user_id, now)
    await db.execute(
        """
        insert into mfa_challenges (id, user_id, challenge_type, otp_hash, created_at, expires_at, max_attempts,
                                    trigger_reason, ip_address, user_agent, mails_sent)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, case when $4::text is null then 0 else 1 end)
        """,
        challenge_id, user_id, method, otp_hash, now, expires_at, max_attempts, reason, ip, user_agent,
    )  # fmt: skip


async def end_challenges(db: Executor, user_id: UUID, now: datetime) -> None:
    """No code that is under way signs the user in any more."""
    await db.execute(
        "update mfa_challenges set expires_at = $2 where user_id = $1 and verified_at is null and expires_at > $2",
        user_id,
        now,
    )


async def lock_challenge(db: Executor, challenge_id: UUID) -> Record | None:
    """The challenge; whoever else tries it waits until the transaction ends."""
    return await db.fetchrow(
        """select id, user_id, challenge_type, otp_hash, expires_at, verified_at, attempts, max_attempts,
           trigger_reason, mails_sent from mfa_challenges where id = $1 for update""",
        challenge_id,
    )


async def count_attempt(db: Executor, challenge_id: UUID) -> None:
    await db.execute("update mfa_challenges set attempts = attempts + 1 where id = $1", challenge_id)


async def end_challenge(db: Executor, challenge_id: UUID, now: datetime) -> None:
    await db.execute("update mfa_challenges set verified_at = $2, otp_hash = null where id = $1", challenge_id, now)


async def renew_code(db: Executor, challenge_id: UUID, otp_hash: str) -> None:
    await db.execute(
        "update mfa_challenges set otp_hash = $2, mails_sent = mails_sent + 1 where id = $1", challenge_id, otp_hash
    )


async def offer_totp(db: Executor, user_id: UUID, sealed_secret: str, now: datetime) -> None:
    """Keep a secret that the person has yet to confirm."""
    await db.execute(
        """
        insert into user_mfa_settings (user_id, email_otp_enabled, totp_secret_encrypted, updated_at)
        values ($1, false, $2, $3)
        on conflict (user_id) do update set totp_secret_encrypted = $2, totp_last_step = null, updated_at = $3
        where not user_mfa_settings.totp_enabled
        """,
        user_id,
        sealed_secret,
        now,
    )


async def enable_totp(db: Executor, user_id: UUID, step: int, backup_hashes: list[str], now: datetime) -> None:
    await db.execute(
        """update user_mfa_settings set totp_enabled = true, preferred_method = 'totp', totp_last_step = $2,
           backup_code_hashes = $3, updated_at = $4 where user_id = $1""",
        user_id,
        step,
        backup_hashes,
        now,
    )


async def disable_totp(db: Executor, user_id: UUID, now: datetime) -> None:
    await db.execute(
        """update user_mfa_settings set totp_enabled = false, preferred_method = 'email', totp_secret_encrypted = null,
           totp_last_step = null, backup_code_hashes = '{}', updated_at = $2 where user_id = $1""",
        user_id,
        now,
    )


async def renew_backup_codes(db: Executor, user_id: UUID, hashes: list[str], now: datetime) -> None:
    await db.execute(
        "update user_mfa_settings set backup_code_hashes = $2, updated_at = $3 where user_id = $1", user_id, hashes, now
    )


async def spend_step(db: Executor, user_id: UUID, step: int) -> bool:
    """Accept an authenticator code's step; False when that or a later one was accepted before."""
    return bool(
        await db.execute(
            """update user_mfa_settings set totp_last_step = $2
               where user_id = $1 and totp_enabled and coalesce(totp_last_step, -1) < $2""",
            user_id,
            step,
        )
    )


async def spend_backup_code(db: Executor, user_id: UUID, code_hash: str) -> bool:
    """Use up a backup code; False when there is none like it (any more)."""
    return bool(
        await db.execute(
            """update user_mfa_settings set backup_code_hashes = array_remove(backup_code_hashes, $2)
               where user_id = $1 and totp_enabled and $2 = any(backup_code_hashes)""",
            user_id,
            code_hash,
        )
    )


async def change_mfa(
    db: Executor, user_id: UUID, *, always: bool | None, email_otp: bool | None, preferred: str | None, now: datetime
) -> None:
    await db.execute(
        """
        insert into user_mfa_settings (user_id, email_otp_enabled, require_mfa_always, preferred_method, updated_at)
        values ($1, coalesce($3, false), coalesce($2, false), coalesce($4, 'email'), $5)
        on conflict (user_id) do update set
            require_mfa_always = coalesce($2, user_mfa_settings.require_mfa_always),
            email_otp_enabled = coalesce($3, user_mfa_settings.email_otp_enabled),
            preferred_method = coalesce($4, user_mfa_settings.preferred_method), updated_at = $5
        """,
        user_id, always, email_otp, preferred, now,
    )  # fmt: skip


# --- mailed links -----------------------------------------------------------------------------------------------------


async def add_reset_token(db: Executor, user_id: UUID, token_hash: str, expires_at: datetime) -> None:
    """Add a token in place of the user's older ones."""
    await void_reset_tokens(db, user_id)
    await db.execute(
        "insert into password_reset_tokens (user_id, token_hash, expires_at) values ($1, $2, $3)",
        user_id,
        token_hash,
        expires_at,
    )


async def void_reset_tokens(db: Executor, user_id: UUID) -> None:
    await db.execute("update password_reset_tokens set used_at = now() where user_id = $1 and used_at is null", user_id)


async def owner_of_reset_token(db: Executor, token_hash: str, now: datetime) -> UUID | None:
    owner: UUID | None = await db.fetchval(
        "select user_id from password_reset_tokens where token_hash = $1 and used_at is null and expires_at > $2",
        token_hash,
        now,
    )
    return owner


async def spend_reset_token(db: Executor, token_hash: str, now: datetime) -> UUID | None:
    """Use up a token; its owner, or None when it is unknown, used or expired."""
    owner: UUID | None = await db.fetchval(
        """update password_reset_tokens set used_at = $2
           where token_hash = $1 and used_at is null and expires_at > $2 returning user_id""",
        token_hash,
        now,
    )
    return owner


async def add_verification_token(
    db: Executor, user_id: UUID, email: str, token_hash: str, expires_at: datetime
) -> None:
    """Add a token for one address, in place of the user's older ones."""
    await db.execute("delete from email_verification_tokens where user_id = $1 and verified_at is null", user_id)
    await db.execute(
        "insert into email_verification_tokens (user_id, token_hash, email, expires_at) values ($1, $2, $3, $4)",
        user_id, token_hash, email, expires_at,
    )  # fmt: skip


async def spend_verification_token(db: Executor, token_hash: str, now: datetime) -> UUID | None:
    """Use up a token; its owner, or None when it is unknown, used, expired, or of an address no longer theirs."""
    owner: UUID | None = await db.fetchval(
        """
        update email_verification_tokens t set verified_at = $2
        from users u
        where t.token_hash = $1 and t.verified_at is null and t.expires_at > $2
          and u.id = t.user_id and lower(u.email) = lower(t.email)
        returning t.user_id
        """,
        token_hash,
        now,
    )
    return owner


# --- identities of other providers ------------------------------------------------------------------------------------


async def user_of_identity(db: Executor, provider: str, subject: str) -> UUID | None:
    user_id: UUID | None = await db.fetchval(
        "select user_id from user_oauth_identities where provider = $1 and provider_user_id = $2", provider, subject
    )
    return user_id


async def keep_identity(
    db: Executor,
    user_id: UUID,
    *,
    provider: str,
    subject: str,
    email: str,
    name: str,
    picture: str | None,
    now: datetime,
) -> None:
    await db.execute(
        """
        insert into user_oauth_identities (user_id, provider, provider_user_id, provider_email,
                                           provider_email_verified, provider_name, provider_picture, last_login_at)
        values ($1, $2, $3, $4, true, $5, $6, $7)
        on conflict (provider, provider_user_id) do update set
            provider_email = excluded.provider_email, provider_name = excluded.provider_name,
            provider_picture = excluded.provider_picture, last_login_at = excluded.last_login_at
        """,
        user_id, provider, subject, email, name, picture, now,
    )  # fmt: skip


# --- clean-up ---------------------------------------------------------------------------------------------------------

_KEPT = (
    # table, when a row was over, days that it is kept from then on
    ("user_sessions", "coalesce(revoked_at, least(refresh_expiry_at, absolute_expiry_at))", 30),
    ("retired_refresh_tokens", "retired_at", 90),
    ("mfa_challenges", "expires_at", 1),
    ("auth_rate_limits", "greatest(last_attempt_at, locked_until)", 1),
    ("password_reset_tokens", "expires_at", 7),
    ("email_verification_tokens", "expires_at", 7),
    ("user_trusted_devices", "coalesce(revoked_at, expires_at)", 90),
    ("security_audit_log", "created_at", 365),
)


async def purge(db: Executor, now: datetime, *, at_once: int = 5000) -> dict[str, int]:
    """Delete what is over, in statements of *at_once* rows: a backlog outlasts the limit of one. Rows by table."""
    counts = {}
    for table, over_at, days in _KEPT:
        is_over = f"{over_at} < $1::timestamptz - make_interval(days => $2)"
        some = f"select ctid from {table} where {is_over} limit $3"  # noqa: S608
        statement = f"delete from {table} where ctid = any(array({some}))"  # noqa: S608
        deleted = counts[table] = await db.execute(statement, now, days, at_once)
        while deleted == at_once:
            deleted = await db.execute(statement, now, days, at_once)
            counts[table] += deleted
    return counts
