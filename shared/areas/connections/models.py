"""What goes over the wire for connections."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints

from shared.areas.connections import rules
from shared.areas.text import OptionalText, Text, blank_is_none, without_nul

Provider = Literal["google", "facebook", "instagram", "tiktok", "wordpress"]
ResourceType = Literal["google_location", "facebook_page", "instagram_account", "tiktok_account", "wordpress_site"]

Required = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), AfterValidator(without_nul)
]
Token = Annotated[str | None, Field(max_length=8_000), BeforeValidator(blank_is_none)]
"""A token or password, or None where it was left empty: unchanged."""


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


Moment = Annotated[datetime | None, BeforeValidator(blank_is_none), AfterValidator(_in_utc)]


def _listed(value: object) -> object:
    """A list as it is, or as text with commas or blanks between; anything else (old rows hold objects) is none."""
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return value if isinstance(value, list) else []


Scopes = Annotated[
    list[Annotated[str, Field(max_length=300), AfterValidator(without_nul)]],
    Field(max_length=200),
    BeforeValidator(_listed),
]


def _facts(value: object) -> object:
    return value if isinstance(value, dict) else {}


Facts = Annotated[
    dict[str, Any], BeforeValidator(_facts), AfterValidator(rules.without_secrets), AfterValidator(rules.storable)
]
"""What is known of an account: no secret, and at most 16 KB."""


class CreateProvider(BaseModel):
    """Our app at a vendor (O3)."""

    provider: Provider
    client_id: Required
    client_secret: Required
    redirect_uri: OptionalText = None
    auth_url: OptionalText = None
    token_url: OptionalText = None
    scopes: Scopes = []
    notes: OptionalText = None


class UpdateProvider(BaseModel):
    """Changes of an app (O4). Absent addresses and notes are emptied, as the dashboard's form means it; an absent or
    empty secret stays."""

    provider: Provider | None = None
    client_id: OptionalText = None
    client_secret: Token = None
    redirect_uri: OptionalText = None
    auth_url: OptionalText = None
    token_url: OptionalText = None
    scopes: Scopes | None = None
    is_active: bool | None = None
    notes: OptionalText = None


class CreateConnection(BaseModel):
    """A connection with tokens that somebody brings (O7)."""

    provider: Provider
    provider_account_id: Required
    provider_account_name: OptionalText = None
    access_token: Token = None
    refresh_token: Token = None
    token_type: OptionalText = None
    scope_granted: Scopes = []
    expires_at: Moment = None
    external_metadata: Facts = {}


class UpdateConnection(BaseModel):
    """Changes of a connection (O8): the dashboard sends all that it was shown. Empty tokens stay as they are."""

    provider_account_name: OptionalText = None
    access_token: Token = None
    refresh_token: Token = None
    token_type: OptionalText = None
    scope_granted: Scopes | None = None
    expires_at: Moment = None
    external_metadata: Facts | None = None
    last_error: OptionalText = None


class StartConnect(BaseModel):
    """For which client (O11-14)."""

    clientId: UUID


class Connect(BaseModel):
    """Where the vendor asks for consent."""

    authUrl: str


class CallbackQuery(BaseModel):
    """What a vendor's redirect brings back."""

    code: str = ""
    state: str = ""
    error: str = ""


class LocationsQuery(BaseModel):
    """The Business Profile account to list: ``accounts/<digits>``."""

    accountName: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^accounts/[0-9]{1,40}$")]


class ConnectWordPress(BaseModel):
    """A site with an application password (O25)."""

    clientId: UUID
    siteUrl: Required
    username: Annotated[Required, Field(max_length=200)]
    applicationPassword: Annotated[Required, Field(max_length=500)]


class TestWordPress(BaseModel):
    """Which connection to try (O26)."""

    connectionId: UUID


class AddResource(BaseModel):
    """A location, page or site that the client works with (O29)."""

    resource_type: ResourceType
    resource_id: Required
    resource_name: Required
    resource_username: OptionalText = None
    resource_url: OptionalText = None
    is_primary: bool | None = None


class UpdateResource(BaseModel):
    """Changes of a resource (O30); what is absent stays."""

    resource_name: OptionalText = None
    resource_username: Text | None = None
    resource_url: Text | None = None
    is_primary: bool | None = None
    is_enabled: bool | None = None


class ConnectionBroken(BaseModel):
    """Topic ``connection-broken``."""

    client_id: UUID
    connection_id: UUID


class Withdraw(BaseModel):
    """Task ``connections_withdraw``: a row of ``oauth_withdrawals``."""

    withdrawal_id: UUID


class PublishPost(BaseModel):
    """Task ``connections_publish_post``: a row of ``wordpress_posts``."""

    post_id: UUID
