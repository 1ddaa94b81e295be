from shared.areas.tasks import automations
from shared.runtime import Call, endpoint


@endpoint
async def tasks_delete_automation(call: Call) -> dict[str, bool | str]:
    """Delete an automation, a board's or everybody's; the log of its runs stays. Spec api-tasks §9."""
    async with call.transaction() as tx:
        scope = await automations.remove(tx, call, call.id("automationId"))
    return {"ok": True, "scope": scope}
