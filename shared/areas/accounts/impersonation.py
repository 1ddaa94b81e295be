"""An admin signs in as somebody below them, and comes back.

The new session names the admin and the session it came from, and ends with it. Both people's audit trails tell the
beginning and the end. Source: spec api-accounts AU15, AU16.
"""

from __future__ import annotations

from uuid import UUID

from shared.areas.accounts import audit, rules, sessions, store
from shared.areas.accounts.devices import Browser
from shared.areas.accounts.means import Means
from shared.areas.accounts.sessions import SignedIn
from shared.db.database import Executor, Transaction
from shared.errors import Conflict, Forbidden, NotFound, Problem, Unauthorized


async def start(
    tx: Transaction,
    *,
    admin_id: UUID,
    admin_role: str,
    session_id: UUID,
    impersonator_id: UUID | None,
    target_id: UUID,
    browser: Browser,
    means: Means,
) -> SignedIn:
    """A session as *target_id*. NotFound when there is nobody; Forbidden for one's equals and betters."""
    if impersonator_id is not None:
        raise Conflict("Come back to your own account first.", code="ALREADY_IMPERSONATING")
    target = await store.account(tx, target_id)
    if target is None:
        raise NotFound("There is no such user.", code="USER_NOT_FOUND")
    if not rules.may_impersonate(admin_role, target.effective_role):
        raise Forbidden("You may sign in only as somebody whose role is below yours.")
    origin = await store.session(tx, session_id)
    assert origin is not None, "the caller's session was just looked up"
    signed_in = await sessions.open_impersonation(tx, target, browser, means, admin_id=admin_id, origin=origin)
    await _tell_both(tx, "impersonation_start", admin_id, target_id, signed_in.session_id, browser)
    return signed_in


async def stop(
    tx: Transaction, *, user_id: UUID, session_id: UUID, impersonator_id: UUID | None, browser: Browser, means: Means
) -> SignedIn | Problem:
    """Back to the admin's own session, or Unauthorized (returned, so that the end is kept) when that one ended too.
    Raises Conflict when the caller is nobody else."""
    row = await store.session(tx, session_id)
    if impersonator_id is None or row is None:
        raise Conflict("You are signed in as yourself.", code="NOT_IMPERSONATING")
    await store.revoke_session(tx, session_id, means.now, "impersonation_end")
    await _tell_both(tx, "impersonation_end", impersonator_id, user_id, session_id, browser)
    admin, token = await store.account(tx, impersonator_id), rules.new_token()
    origin: UUID | None = row["impersonator_session_id"]
    alive = origin is not None and await store.hand_over(
        tx, origin, rules.token_hash(token), means.now, means.refresh_lifetime
    )
    if admin is None or origin is None or not alive:
        return Unauthorized("Your own session has ended. Please sign in again.", code="SESSION_INVALID")
    return SignedIn(sessions.session_user(admin), origin, token)


async def _tell_both(
    db: Executor, event: str, admin_id: UUID, target_id: UUID, session_id: UUID, browser: Browser
) -> None:
    await audit.record(db, event, browser, user_id=admin_id, session_id=session_id, target=str(target_id))
    await audit.record(db, event, browser, user_id=target_id, session_id=session_id, impersonator=str(admin_id))
