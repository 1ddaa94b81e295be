"""Forms on other people's pages."""

from shared.areas.forms.service import Visitor
from shared.runtime import Call


def visitor(call: Call) -> Visitor:
    """Who is asking, as far as the request tells."""
    headers = call.request.headers
    return Visitor(ip=call.ip, user_agent=call.user_agent, origin=headers.get("origin"), referer=headers.get("referer"))
