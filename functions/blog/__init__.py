"""Functions of the blog area: clients' posts, and what the AI suggests for them."""

from shared.areas.blog.service import Outside
from shared.areas.emails.templates import Site
from shared.runtime.context import Context


def outside(context: Context) -> Outside:
    """What the use cases reach beyond the database, from this instance's services."""
    services = context.services
    return Outside(
        db=services.db,
        transaction=context.transaction,
        bucket=services.storage,
        site=Site(services.settings.app_base_url, services.settings.client_app_url),
        key_ring=services.key_ring,
    )
