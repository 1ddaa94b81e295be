from typing import Any

from functions.connections import outside
from shared.areas.connections import offers
from shared.areas.connections.models import LocationsQuery
from shared.runtime import Call, endpoint


@endpoint
async def connections_list_google_locations(call: Call, query: LocationsQuery) -> dict[str, Any]:
    """List the locations of a Business Profile account. Spec O20."""
    return await offers.google_locations(outside(call), call.id("id"), query.accountName)
