"""Functions of the monday area: its settings, clients' requests, and the two-way sync of tasks."""

from datetime import timedelta

from shared.areas.emails.templates import Site
from shared.areas.monday.outside import Outside
from shared.runtime import log
from shared.runtime.context import Context


def outside(context: Context) -> Outside:
    """What the use cases reach beyond the database, from this instance's services."""
    services = context.services
    known = services.settings
    return Outside(
        db=services.db,
        transaction=context.transaction,
        connect=services.monday,
        documents=services.firestore,
        bucket=services.storage,
        key_ring=services.key_ring,
        site=Site(known.app_base_url, known.client_app_url),
        account_url=known.monday_account_url,
        submit_timeout_s=known.monday_submit_timeout_s,
        look_every=timedelta(seconds=known.monday_look_every_s),
        warn=log.warning,
    )
