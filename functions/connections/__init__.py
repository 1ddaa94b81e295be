"""Functions of the connections area: clients' accounts at Google, Facebook, Instagram, TikTok and WordPress."""

from uuid import UUID

from shared.areas.blog import rules as blog
from shared.areas.connections import consents
from shared.areas.connections.outside import Outside, Surroundings
from shared.areas.connections.publishing import Blogs
from shared.areas.connections.wordpress import Sites
from shared.areas.files import service as files
from shared.areas.files.models import NewFile
from shared.runtime import Call, log
from shared.runtime.context import Context


def outside(context: Context) -> Outside:
    """What the use cases reach beyond the database, from this instance's services."""
    services = context.services
    return Outside(
        db=services.db,
        transaction=context.transaction,
        key_ring=services.key_ring,
        vendor=services.oauth_vendor,
        warn=log.warning,
    )


def surroundings(context: Context) -> Surroundings:
    """Where we are, and which addresses are whose."""
    settings = context.services.settings
    own = settings.app_base_url.rstrip("/")
    dashboard = (settings.client_app_url or own).rstrip("/")
    return Surroundings(
        bases=(own, dashboard),
        dashboard=dashboard,
        origins_of=context.services.oauth_origins,
    )


def sites(context: Context) -> Sites:
    """WordPress sites with an application password."""
    from shared.integrations.wordpress.site import basic

    services = context.services
    return Sites(find=services.find_wordpress, site=services.wordpress_site, credentials=basic)


def blogs(context: Context) -> Blogs:
    """WordPress sites as places to publish."""
    from shared.integrations.wordpress.posts import Draft, Picture

    services = context.services

    async def image(owner: UUID, file_id: UUID) -> NewFile | None:
        return await files.read_public(services.db, services.storage, file_id, owner, folder=blog.FOLDER)

    return Blogs(site=services.wordpress_site, draft=Draft, picture=Picture, image=image)


def provider_of(call: Call) -> str:
    """The vendor that a connect flow's address names, as its last part but one."""
    return consents.flow(call.request.url.path.split("/")[-2])
