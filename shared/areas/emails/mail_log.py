"""The mail log as admins read it. Source: spec api-accounts §9."""

from __future__ import annotations

import json
from uuid import UUID

from shared.areas.emails import log_store
from shared.areas.emails.models import LogQuery
from shared.db.database import Executor
from shared.errors import NotFound

# How a mail may look inside the page that shows it; where it stands is not its own to say.
_LOOKS = {
    *("background", "background-color", "border", "border-collapse", "border-radius", "color", "display", "font"),
    *("font-family", "font-size", "font-style", "font-weight", "height", "letter-spacing", "line-height", "margin"),
    *("max-width", "padding", "text-align", "text-decoration", "vertical-align", "width"),
}


async def list_logs(db: Executor, query: LogQuery) -> str:
    """A page of the mail log as JSON text, newest first."""
    return await log_store.page(db, query)


async def show_log(db: Executor, log_id: UUID) -> str:
    """One mail of the log in full as JSON text, its HTML without anything that could run; NotFound."""
    row = await log_store.detail(db, log_id)
    if row is None:
        raise NotFound("There is no such mail in the log.")
    safe = harmless(row["html_body"]) if row["html_body"] is not None else None
    return json.dumps({**json.loads(row["row"]), "html_body": safe})


async def count_logs(db: Executor, *, days: int) -> str:
    """Mails by type and status in the last *days* (1 to 365) as JSON text."""
    return await log_store.counts(db, days=max(1, min(days, 365)))


def harmless(page: str) -> str:
    """A mail's HTML as a page may show it: formatting stays; scripts, forms, frames, handlers and layers go."""
    import nh3

    style = {"style", "align", "width", "height", "bgcolor", "border", "cellpadding", "cellspacing", "role"}
    return nh3.clean(
        page,
        attributes={"*": style, "a": {"href", "title"}, "img": {"src", "alt"}},
        url_schemes={"http", "https", "mailto"},
        filter_style_properties=_LOOKS,
    )
