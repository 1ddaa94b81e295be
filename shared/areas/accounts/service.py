"""What other areas ask of accounts.

``open_session`` for somebody who has proven who they are, ``revoke_all`` for a change of role or address,
``change_password`` where an area's own form sets one, ``mail_verification`` and ``void_reset_links`` for a new address.
"""

from __future__ import annotations

from uuid import UUID

from shared.areas.accounts import passwords, store
from shared.areas.accounts.devices import Browser, recognise
from shared.areas.accounts.links import mail_verification, set_password, weak, weaknesses
from shared.areas.accounts.means import Jar, Means, means
from shared.areas.accounts.models import Session, SessionUser
from shared.areas.accounts.sessions import SignedIn, open_session, revoke_all, session_user
from shared.areas.accounts.store import Account, account
from shared.areas.accounts.store import void_reset_tokens as void_reset_links
from shared.db.database import Executor, Transaction
from shared.errors import NotFound

__all__ = [
    "Account",
    "Browser",
    "Jar",
    "Means",
    "Session",
    "SessionUser",
    "SignedIn",
    "account",
    "change_password",
    "hash_password",
    "mail_verification",
    "means",
    "open_session",
    "purge",
    "recognise",
    "revoke_all",
    "session_user",
    "void_reset_links",
]


async def hash_password(db: Executor, user_id: UUID, password: str, outside: Means) -> str:
    """The hash of a new password; Invalid ``WEAK_PASSWORD`` when the policy refuses it. Call outside a transaction."""
    found = await account(db, user_id)
    if found is None:
        raise NotFound("There is no such user.", code="USER_NOT_FOUND")
    errors = weaknesses(password, found, outside)
    if errors:
        raise weak(errors)
    return await passwords.make_hash(password)


async def change_password(
    tx: Transaction,
    user_id: UUID,
    password_hash: str,
    browser: Browser | None,
    outside: Means,
    *,
    keep: UUID | None = None,
) -> None:
    """Store a new password. Ends every session of the user but *keep*, the one in which its owner changed it."""
    found = await store.lock_account(tx, user_id)
    if found is None:
        raise NotFound("There is no such user.", code="USER_NOT_FOUND")
    await set_password(tx, found, password_hash, browser, outside, keep=keep)


async def purge(db: Executor, outside: Means) -> dict[str, int]:
    """Delete ended sessions, spent challenges and tokens, old limits, and audit events older than a year."""
    return await store.purge(db, outside.now)
