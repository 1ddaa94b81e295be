from functions.leads import outside
from shared.areas.leads import labelling
from shared.areas.leads.models import CallIngested
from shared.errors import VendorError
from shared.runtime import Job, event


@event
async def leads_classify(job: Job, body: CallIngested) -> None:
    """Classify one call, once for each version of its words; a failure is tried again by Pub/Sub."""
    world = outside(job)
    row = await labelling.claim(world, body)
    if row is None:
        return
    client = await labelling.client_of(world, body.owner_id)
    try:
        found = await labelling.ask(world, client, row)
        async with job.finish() as tx:
            await labelling.keep(tx, client, row, found)
    except VendorError as error:
        await labelling.give_back(world, body, error)
        raise
