from uuid import UUID

from pydantic import BaseModel

from shared.areas.emails import service as emails
from shared.areas.forms import processing
from shared.runtime import Job, task


class ProcessSubmission(BaseModel):
    """The work: one accepted submission."""

    submission_id: UUID


@task
async def forms_process(job: Job, body: ProcessSubmission) -> None:
    """Classify a submission, record it in CTM and mail it, each once. Seeds DATA_FLOWS §6."""
    services = job.services
    outside = processing.Outside(
        ai=services.ai,
        classifier_model=services.settings.vertex_classifier_model,
        ctm=services.ctm,
        sending=await emails.sending(services),
        app_base_url=services.settings.app_base_url,
    )
    await processing.process(job.db, outside, body.submission_id)
