from shared.areas.forms import submissions
from shared.runtime import Job, log, schedule

BATCHES = 200  # of one run; what is left waits for the next


@schedule
async def forms_purge(job: Job) -> None:
    """Delete submissions past their form's retention, and old PDFs, a batch a commit. Daily."""
    total_submissions = total_pdfs = 0
    for _ in range(BATCHES):
        async with job.transaction() as tx:
            submitted, pdfs = await submissions.purge_batch(tx)
        total_submissions, total_pdfs = total_submissions + submitted, total_pdfs + pdfs
        if not submitted and not pdfs:
            break
    log.info("forms_purged", submissions=total_submissions, pdfs=total_pdfs)
