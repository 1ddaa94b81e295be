"""What the functions that read a document share: from the upload to the answer."""

from functions.forms import editor
from shared.areas.forms import ai, documents
from shared.areas.forms.builder_models import DocumentTexts, Generated
from shared.errors import Invalid
from shared.runtime import Call, Form


async def read(call: Call, body: Form, kind: ai.Kind) -> Generated:
    """Have the AI read the uploaded document; the document and what was asked are kept."""
    services, who, form_id = call.services, editor(call), call.id("id")
    texts = body.parsed(DocumentTexts)
    names = ("pdf", "images") if kind == "vision" else ("pdf",)
    body.files(*names, at_most=documents.MAX_IMAGES)
    pdfs, images = body.uploads.get("pdf", []), body.uploads.get("images", [])
    if len(pdfs) != 1:
        raise Invalid.field("pdf", "must be one file")
    await ai.admit(call.db, who, form_id, services.settings)
    source = await ai.read_document(kind, pdfs, images, texts.instructions, services.settings)
    run_id = ai.new_run()
    generated = await ai.generate(services.ai, services.settings, source, run_id)
    kept = await ai.keep_source(call.db, services.storage, who, pdfs[0])
    async with call.transaction() as tx:
        await ai.record_run(tx, who, form_id, run_id, source, kept)
    return generated
