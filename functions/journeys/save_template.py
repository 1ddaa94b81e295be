from typing import Any

from shared.areas.journeys import template
from shared.areas.journeys.models import SaveTemplate
from shared.runtime import Call, endpoint


@endpoint
async def journeys_save_template(call: Call, body: SaveTemplate) -> dict[str, Any]:
    """Make the steps the client's template; rows without a label are dropped. Spec J2."""
    async with call.transaction() as tx:
        return {"template": await template.save(tx, call.subject_id, body)}
