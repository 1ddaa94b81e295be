from functions.forms import visitor
from shared.areas.forms import service
from shared.areas.forms.models import FileSent, FileTaken
from shared.runtime import Call, Form, endpoint


@endpoint(status=201)
async def forms_upload_file(call: Call, body: Form) -> FileTaken:
    """Take a visitor's file before the answers that name it. Seed DATA_FLOWS §6 (field type file)."""
    services = call.services
    return await service.take_file(
        call.db,
        services.storage,
        call.id("form_id"),
        body.parsed(FileSent),
        body.files("file", at_most=1),
        visitor(call),
        key=await services.key("JWT_SECRET"),
        ring=await services.key_ring(),
    )
