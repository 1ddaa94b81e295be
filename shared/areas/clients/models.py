"""What goes over the wire for clients, and the columns of a client's profile by what they are for."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, field_validator

from shared.areas.clients import rules
from shared.areas.clients.rules import ServiceItem
from shared.areas.text import (
    BlankText,
    EmailAddress,
    LongText,
    Money,
    OptionalLongText,
    OptionalText,
    blank_is_none,
    without_nul,
)

Role = Literal["superadmin", "admin", "team", "client"]
Package = Literal["Essentials", "Growth", "Accelerate", "Custom"]

ACCESS_FLAGS: Final = (
    *("website_access_provided", "website_access_understood", "ga4_access_provided", "ga4_access_understood"),
    *("google_ads_access_provided", "google_ads_access_understood", "meta_access_provided", "meta_access_understood"),
    *("website_forms_details_provided", "website_forms_details_understood", "website_forms_uses_third_party"),
    *("website_forms_uses_hipaa", "website_forms_connected_crm", "website_forms_custom"),
)
REQUIRES: Final = (
    *("requires_website_access", "requires_ga4_access", "requires_google_ads_access", "requires_meta_access"),
    "requires_forms_step",
)


def _legacy_role(value: object) -> object:
    return "admin" if value == "editor" else blank_is_none(value)


def _https(value: str | None) -> str | None:
    if value is not None and not value.startswith("https://"):
        raise ValueError("must be an address that begins with https://")
    return value


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=121), AfterValidator(without_nul)
]
OptionalRole = Annotated[Role | None, BeforeValidator(_legacy_role)]
OptionalPackage = Annotated[Package | None, BeforeValidator(blank_is_none)]
OptionalId = Annotated[UUID | None, BeforeValidator(blank_is_none)]


class AccessFlags(BaseModel):
    """What the client said about access to their accounts; an absent or null flag says nothing."""

    website_access_provided: bool | None = None
    website_access_understood: bool | None = None
    ga4_access_provided: bool | None = None
    ga4_access_understood: bool | None = None
    google_ads_access_provided: bool | None = None
    google_ads_access_understood: bool | None = None
    meta_access_provided: bool | None = None
    meta_access_understood: bool | None = None
    website_forms_details_provided: bool | None = None
    website_forms_details_understood: bool | None = None
    website_forms_uses_third_party: bool | None = None
    website_forms_uses_hipaa: bool | None = None
    website_forms_connected_crm: bool | None = None
    website_forms_custom: bool | None = None
    website_forms_notes: LongText | None = None

    def flag_columns(self) -> dict[str, Any]:
        """The columns that were given a value."""
        names = (*ACCESS_FLAGS, "website_forms_notes")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


class CreateClient(BaseModel):
    """A new account. Its invitation is mailed unless ``send_email`` is false (clients only)."""

    email: EmailAddress
    name: BlankText = ""
    first_name: BlankText = ""
    last_name: BlankText = ""
    role: OptionalRole = "client"
    client_package: OptionalPackage = None
    client_type: OptionalText = None
    client_subtype: OptionalText = None
    send_email: bool = True

    @property
    def display_name(self) -> str:
        given = self.name.strip() or f"{self.first_name} {self.last_name}".strip()
        return given or self.email.partition("@")[0]


# Set to what is given, null included; left alone when absent.
SETTINGS: Final = (
    *("client_type", "client_subtype", "client_package", "looker_url", "monday_board_id", "monday_group_id"),
    *("monday_active_group_id", "monday_completed_group_id", "client_identifier_value", "task_workspace_id"),
    *("board_prefix", "account_manager_person_id", "ai_prompt", "ctm_account_number"),
)


class UpdateClient(AccessFlags):
    """An admin's changes to an account. What is absent stays.

    CTM's key and secret are never sent out, so blank means keep; emptying the account number forgets both.
    """

    display_name: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=121)] = None
    user_email: Annotated[EmailAddress | None, BeforeValidator(blank_is_none)] = None
    role: OptionalRole = None
    client_type: OptionalText = None
    client_subtype: OptionalText = None
    client_package: OptionalPackage = None
    looker_url: Annotated[OptionalText, AfterValidator(_https)] = None
    monday_board_id: OptionalText = None
    monday_group_id: OptionalText = None
    monday_active_group_id: OptionalText = None
    monday_completed_group_id: OptionalText = None
    client_identifier_value: OptionalText = None
    task_workspace_id: OptionalId = None
    board_prefix: OptionalText = None
    account_manager_person_id: OptionalText = None
    ai_prompt: OptionalLongText = None
    ctm_account_number: OptionalText = None
    ctm_api_key: OptionalText = Field(default=None, repr=False)
    ctm_api_secret: OptionalText = Field(default=None, repr=False)
    auto_star_enabled: bool | None = None
    requires_website_access: bool | None = None
    requires_ga4_access: bool | None = None
    requires_google_ads_access: bool | None = None
    requires_meta_access: bool | None = None
    requires_forms_step: bool | None = None

    @field_validator("display_name")
    @classmethod
    def _printable(cls, value: str | None) -> str | None:
        return without_nul(value) if value else None

    def columns(self) -> dict[str, Any]:
        """The profile's columns to write, without CTM's secrets."""
        given: dict[str, Any] = {name: getattr(self, name) for name in SETTINGS if name in self.model_fields_set}
        switches = ("auto_star_enabled", *REQUIRES)
        chosen = {name: getattr(self, name) for name in switches if getattr(self, name) is not None}
        return {**given, **chosen, **self.flag_columns()}


class DeleteQuery(BaseModel):
    delete_board: bool = False


ServiceName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(without_nul)
]
Price = Annotated[Decimal | None, BeforeValidator(rules.price)]


class ServiceGiven(BaseModel):
    """One service of a list; an unreadable price counts as none."""

    id: OptionalId = None
    name: ServiceName
    description: OptionalText = None
    base_price: Price = None
    active: bool = True

    def item(self) -> ServiceItem:
        return ServiceItem(
            id=self.id,
            name=rules.title(self.name),
            description=self.description,
            base_price=self.base_price,
            active=self.active,
        )


class SaveServices(BaseModel):
    services: Annotated[list[ServiceGiven], Field(max_length=200)]


class AddPresets(BaseModel):
    services: Annotated[list[ServiceName], Field(min_length=1, max_length=200)]


class AddService(BaseModel):
    """A service for the client's own list; a price of 0 is a price."""

    name: ServiceName
    description: OptionalText = None
    base_price: Money = None
    active: bool = True

    def item(self) -> ServiceItem:
        return ServiceItem(
            id=None, name=self.name, description=self.description, base_price=self.base_price, active=self.active
        )


class UpdateService(BaseModel):
    """What is absent stays; null empties description and price."""

    name: ServiceName | None = None
    description: OptionalText = None
    base_price: Money = None
    active: bool | None = None

    def columns(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in told.items() if value is not None or name not in ("name", "active")}
