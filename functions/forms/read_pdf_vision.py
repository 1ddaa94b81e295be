from functions.forms.reading import read
from shared.areas.forms.builder_models import Generated
from shared.runtime import Call, Form, endpoint


@endpoint
async def forms_read_pdf_vision(call: Call, body: Form) -> Generated:
    """A form from the pages of a PDF and pictures of them, compared with the PDF's own words. Spec api-forms F14."""
    return await read(call, body, "vision")
