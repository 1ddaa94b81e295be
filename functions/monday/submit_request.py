from typing import Any

from functions.monday import outside
from shared.areas.monday import requests
from shared.areas.monday.models import SubmitRequest
from shared.runtime import Call, Form, endpoint


@endpoint
async def monday_submit_request(call: Call, body: SubmitRequest, form: Form) -> dict[str, Any]:
    """Ask the agency for something: JSON, or a form with the file ``attachment``. Spec api-leads M8."""
    reached = outside(call)
    uploads = form.files("attachment", at_most=1)
    attachment = await requests.keep(reached, uploads, owner_id=call.subject_id, by=call.user.id)
    return await requests.submit(reached, call.subject_id, body, attachment)
