from functions.forms import editor
from shared.areas.forms import builder
from shared.areas.forms.builder_models import StatsQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_show_stats(call: Call, query: StatsQuery) -> Json:
    """How often a form was seen, begun and sent, day by day."""
    return Json(await builder.show_stats(call.db, editor(call), call.id("id"), days=query.days))
