"""Functions of the leads area: calls from CTM, their labels and ratings, and what people keep about them."""

from shared.areas.leads.outside import Outside
from shared.areas.pauses import Pauses
from shared.runtime import log
from shared.runtime.context import Context


def outside(context: Context) -> Outside:
    """What the use cases reach beyond the database, from this instance's services."""
    services = context.services
    known = services.settings
    return Outside(
        db=services.db,
        transaction=context.transaction,
        ctm=services.ctm,
        ai=services.ai,
        ai_slots=services.ai_slots,
        classifier_model=known.vertex_classifier_model,
        documents=services.firestore,
        pauses=Pauses(services.firestore, log.warning, "ctm"),
        key_ring=services.key_ring,
        warn=log.warning,
        overlap_days=known.ctm_overlap_days,
        deep_days=known.ctm_deep_days,
        full_days=known.ctm_full_sync_days,
    )
