from functions.forms.reading import read
from shared.areas.forms.builder_models import Generated
from shared.runtime import Call, Form, endpoint


@endpoint
async def forms_read_pdf_layout(call: Call, body: Form) -> Generated:
    """A form from the pages of a PDF, with the place of each question. Spec api-forms F15."""
    return await read(call, body, "layout")
