from typing import Any

from shared.areas.journeys import template
from shared.runtime import Call, endpoint


@endpoint
async def journeys_show_template(call: Call) -> dict[str, Any]:
    """Show the client's template, the default one until they save their own. Spec J1."""
    return {"template": await template.of(call.db, call.subject_id)}
