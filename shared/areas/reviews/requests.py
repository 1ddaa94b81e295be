"""Asks customers for reviews: a mail with a link that we follow, or the link alone.

Nobody is asked twice within a month, nor after they said no; the mail says how to. Messages are a person's words and a
customer's name: both are escaped. Source: spec api-reviews §1 "create request".
"""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.reviews import locations, request_store, rules, settings_store
from shared.areas.reviews.models import CreateRequest, ListRequests
from shared.areas.reviews.outside import Outside
from shared.db import counters
from shared.db.counters import Limit
from shared.db.database import Database, Executor
from shared.errors import Conflict, Invalid, NotFound

NO_REQUEST = "There is no such request."
REQUESTS = Limit("review-requests", 60, 3600)  # an hour, for each client
ASK_AGAIN_DAYS = 30
NO_SMS = "Text messages are not available."


async def list_requests(db: Database, owner: UUID, query: ListRequests, *, base: str) -> str:
    return await request_store.page(db, owner, f"{base}/r/", page=query.page, limit=query.limit, status=query.status)


async def show(db: Executor, owner: UUID, request_id: UUID, *, base: str) -> str:
    found = await request_store.show(db, owner, f"{base}/r/", request_id)
    if found is None:
        raise NotFound(NO_REQUEST)
    return found


async def create(outside: Outside, owner: UUID, wish: CreateRequest, *, by: UUID) -> str:
    """Keep a request and, by mail, send it. A text message is kept as failed: nobody sends any."""
    email = wish.customerEmail or ""
    await counters.spend(outside.db, (REQUESTS, str(owner)))
    if wish.deliveryMethod == "email":
        await _require_may_mail(outside.db, owner, email)
    if wish.deliveryMethod == "sms" and not wish.customerPhone:
        raise Invalid.field("customerPhone", "is missing")
    wishes = await settings_store.wishes(outside.db, owner)
    location_id, link = await _link(outside, owner, wish.locationId, wishes["link_base"])
    business = wishes["business_name"] or ""
    message = wish.customMessage or rules.filled(
        wishes["request_template"] or "",
        {
            "customer_name": wish.customerName or "",
            "business_name": business,
            "name": wish.customerName or "",
            "review_link": link,
        },
    )
    base, token = outside.site.app_base_url.rstrip("/"), secrets.token_urlsafe(18)
    async with outside.transaction() as tx:
        if wish.deliveryMethod == "email":  # again, now that no other request of this client can come between
            await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"review-request {owner} {email}")
            await _require_not_lately(tx, owner, email)
        request_id = await request_store.insert(
            tx,
            owner,
            {
                "oauth_resource_id": location_id,
                "customer_name": wish.customerName,
                "customer_email": wish.customerEmail,
                "customer_phone": wish.customerPhone,
                "delivery_method": wish.deliveryMethod,
                "review_link": link,
                "custom_message": message or None,
                "status": "failed" if wish.deliveryMethod == "sms" else "pending",
                "error_message": NO_SMS if wish.deliveryMethod == "sms" else None,
                "link_token": token,
                "created_by": by,
            },
        )
        if wish.deliveryMethod == "email":
            said = templates.review_request(
                name=wish.customerName or "",
                business=business,
                message=message,
                url=f"{base}/r/{token}",
                stop_url=f"{base}/r/{token}/stop",
                app_base_url=base,
            )
            mail = Mail(
                type="review_request",
                to=email,
                to_name=wish.customerName or "",
                subject=said.subject,
                text=said.text,
                html=said.html,
                client_id=owner,
                triggered_by_id=by,
                review_request_id=request_id,
                metadata={"review_request_id": str(request_id)},
                message_key=f"review_request_{request_id}",
                unsubscribe_url=f"{base}/r/{token}/stop",
            )
            await emails.queue(tx, mail, outside.key_ring)
    return await show(outside.db, owner, request_id, base=base)


async def follow(db: Executor, token: str) -> str:
    """Where a tracked link leads."""
    link = await request_store.click(db, token)
    if link is None or not link.startswith("https://"):
        raise NotFound("This link does not lead anywhere.")
    return link


async def business_of(db: Executor, token: str) -> str:
    row = await request_store.business_of(db, token)
    if row is None:
        raise NotFound("This link does not lead anywhere.")
    return str(row["business"])


async def stop(db: Executor, token: str) -> None:
    if not await request_store.stop(db, token):
        raise NotFound("This link does not lead anywhere.")


async def _require_may_mail(db: Database, owner: UUID, email: str) -> None:
    if not email:
        raise Invalid.field("customerEmail", "is missing")
    if await request_store.wants_none(db, owner, email):
        raise Conflict("This person does not want to be asked by mail.", code="UNSUBSCRIBED")
    await _require_not_lately(db, owner, email)


async def _require_not_lately(db: Executor, owner: UUID, email: str) -> None:
    if await request_store.asked_lately(db, owner, email, ASK_AGAIN_DAYS):
        raise Conflict(f"This person was asked within the last {ASK_AGAIN_DAYS} days.", code="ASKED_LATELY")


async def _link(outside: Outside, owner: UUID, location_id: UUID | None, own: str | None) -> tuple[UUID | None, str]:
    """The location asked about, and where its reviews are written."""
    chosen: list[Any] = await locations.chosen(outside, owner)
    location = next((one for one in chosen if one["id"] == location_id), None)
    if location_id is not None and location is None:
        raise Invalid.field("locationId", "must be a location of this client that is in use")
    if location is None and chosen:
        location = chosen[0]
    if location is None:
        if own:
            return None, own
        raise Conflict("Connect a Google location, or set a review link in the settings.", code="NOT_CONNECTED")
    return location["id"], await locations.review_link(outside, owner, location, own)
