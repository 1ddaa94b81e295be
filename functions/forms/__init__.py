"""Forms: as visitors of other sites meet them, and the builder that staff make them with."""

from shared.areas.forms.audit import Editor
from shared.areas.forms.service import Visitor
from shared.runtime import Call


def visitor(call: Call) -> Visitor:
    """Who is asking, as far as the request tells."""
    headers = call.request.headers
    return Visitor(ip=call.ip, user_agent=call.user_agent, origin=headers.get("origin"), referer=headers.get("referer"))


def editor(call: Call) -> Editor:
    """The member of staff who is asking."""
    user = call.user
    return Editor(
        id=user.id,
        is_admin=user.is_admin,
        ip=call.ip,
        user_agent=call.user_agent,
        impersonator_id=user.impersonator_id,
    )
