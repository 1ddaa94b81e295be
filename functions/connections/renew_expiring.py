from functions.connections import outside
from shared.areas.connections import upkeep
from shared.runtime import Job, log, schedule


@schedule
async def connections_renew_expiring(job: Job) -> None:
    """Renew the tokens that would end soon, and learn early of consents that were withdrawn."""
    log.info("tokens_renewed", count=await upkeep.renew_expiring(outside(job)))
