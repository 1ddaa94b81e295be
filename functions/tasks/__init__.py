"""The task platform of the agency's staff."""

from datetime import UTC, date, datetime

from shared.areas.tasks.thinking import Thinking
from shared.areas.tasks.time_rules import today
from shared.runtime import log
from shared.runtime.context import Context
from shared.runtime.services import Services


def agency_day(services: Services) -> date:
    """The day that it is where the agency works."""
    return today(services.settings.agency_zone, datetime.now(UTC))


def thinking(context: Context) -> Thinking:
    """What having the AI write takes, from this instance's services."""
    services = context.services
    known = services.settings
    return Thinking(
        db=services.db,
        transaction=context.transaction,
        ai=services.ai,
        ai_slots=services.ai_slots,
        model=known.vertex_model,
        timeout_s=known.vertex_writing_timeout_s,
        zone=known.agency_zone,
        now=lambda: datetime.now(UTC),
        warn=log.warning,
    )
