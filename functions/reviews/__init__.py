"""Functions of the reviews area: reviews from Google, replies to them, requests for them, and rules."""

from shared.areas.connections.outside import Outside as Connections
from shared.areas.emails.templates import Site
from shared.areas.pauses import Pauses
from shared.areas.reviews.outside import Outside
from shared.runtime import log
from shared.runtime.context import Context


def outside(context: Context) -> Outside:
    """What the use cases reach beyond the database, from this instance's services."""
    services = context.services
    known = services.settings
    return Outside(
        db=services.db,
        transaction=context.transaction,
        connections=Connections(
            db=services.db,
            transaction=context.transaction,
            key_ring=services.key_ring,
            vendor=services.oauth_vendor,
            warn=log.warning,
        ),
        google=services.google_business,
        ai=services.ai,
        ai_slots=services.ai_slots,
        model=known.vertex_model,
        pauses=Pauses(services.firestore, log.warning, "google business"),
        key_ring=services.key_ring,
        site=Site(known.app_base_url, known.client_app_url),
        warn=log.warning,
    )
