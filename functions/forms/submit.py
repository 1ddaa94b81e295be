from contextlib import nullcontext

from functions.forms import visitor
from shared.areas.forms import service
from shared.areas.forms.models import Submission, SubmissionAccepted
from shared.runtime import Call, endpoint


@endpoint(status=201)
async def forms_submit(call: Call, body: Submission) -> SubmissionAccepted:
    """Take what a visitor sends through a published form; it is processed by forms_process. Spec api-forms P6."""
    sender = visitor(call)
    key = await call.services.key("JWT_SECRET")
    checked = await service.check(call.db, call.id("form_id"), body, sender, key=key)
    base = call.services.settings.app_base_url
    async with call.transaction() if checked.files else nullcontext(call.db) as db:
        accepted, work = await service.accept(db, checked, body, sender, call.services.key_ring, app_base_url=base)
    await call.send(work)
    return accepted
