"""What goes over the wire for onboarding: the eight steps with their fields."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, Field, StringConstraints

from shared.areas.brand.models import BrandTexts
from shared.areas.clients.models import ACCESS_FLAGS, AccessFlags, ServiceGiven
from shared.areas.text import Money, OptionalText, blank_is_none, without_nul

Website = Literal["provided", "will_provide", "someone_else_will_provide", "not_sure", "need_help"]
Ga4 = Literal[
    "provided", "will_provide", "no_ga4_setup", "agency_controls_ga4", "not_ga4", "not_running_ga4", "need_help"
]
GoogleAds = Literal[
    "provided",
    "will_provide",
    "no_google_ads_account",
    "no_google_ads_history",
    "agency_owns_google_ads",
    "not_running_google_ads",
    "not_sure",
    "need_help",
]
Meta = Literal[
    "provided_access",
    "will_provide_access",
    "no_social_accounts",
    "no_meta_ads_history",
    "agency_owns_ad_account",
    "not_running_meta",
    "not_sure",
    "need_help",
]
Forms = Literal["provided", "will_provide", "need_help"]

CONTACT: Final = (
    *("call_tracking_main_number", "front_desk_emails", "office_admin_name", "office_admin_email"),
    *("office_admin_phone", "form_email_recipients"),
)
STATUSES: Final = (
    *("website_access_status", "ga4_access_status", "google_ads_access_status", "meta_access_status"),
    "website_forms_details_status",
)
# Access steps: the switch of the client's profile that asks for one → its status field.
ACCESS_STEPS: Final = {
    "requires_website_access": "website_access_status",
    "requires_ga4_access": "ga4_access_status",
    "requires_google_ads_access": "google_ads_access_status",
    "requires_meta_access": "meta_access_status",
    "requires_forms_step": "website_forms_details_status",
}

DisplayName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=121), AfterValidator(without_nul)
]
Password = Annotated[str, Field(max_length=1000), AfterValidator(without_nul)]


class Fields(AccessFlags):
    """Whatever the steps collect; what is absent is left alone."""

    display_name: Annotated[DisplayName | None, BeforeValidator(blank_is_none)] = None
    monthly_revenue_goal: Money = None
    call_tracking_main_number: OptionalText = None
    front_desk_emails: OptionalText = None
    office_admin_name: OptionalText = None
    office_admin_email: OptionalText = None
    office_admin_phone: OptionalText = None
    form_email_recipients: OptionalText = None
    website_access_status: Annotated[Website | None, BeforeValidator(blank_is_none)] = None
    ga4_access_status: Annotated[Ga4 | None, BeforeValidator(blank_is_none)] = None
    google_ads_access_status: Annotated[GoogleAds | None, BeforeValidator(blank_is_none)] = None
    google_ads_account_id: OptionalText = None
    meta_access_status: Annotated[Meta | None, BeforeValidator(blank_is_none)] = None
    website_forms_details_status: Annotated[Forms | None, BeforeValidator(blank_is_none)] = None
    client_identifier_value: OptionalText = None
    brand: BrandTexts | None = None
    services: Annotated[list[ServiceGiven], Field(max_length=200)] | None = None


_FORM_FLAGS = tuple(name for name in ACCESS_FLAGS if name.startswith("website_forms_"))
# Step → its fields. Source: seeds DATA_FLOWS §1, "Onboarding Steps".
STEPS: Final[dict[str, tuple[str, ...]]] = {
    "profile": ("display_name", "monthly_revenue_goal", "client_identifier_value", *CONTACT),
    "services": ("services",),
    "brand": ("brand",),
    "website_access": ("website_access_status", "website_access_provided", "website_access_understood"),
    "ga4": ("ga4_access_status", "ga4_access_provided", "ga4_access_understood"),
    "google_ads": (
        *("google_ads_access_status", "google_ads_account_id"),
        *("google_ads_access_provided", "google_ads_access_understood"),
    ),
    "meta": ("meta_access_status", "meta_access_provided", "meta_access_understood"),
    "forms": ("website_forms_details_status", "website_forms_notes", *_FORM_FLAGS),
}
Step = Literal["profile", "services", "brand", "website_access", "ga4", "google_ads", "meta", "forms"]


class Save(BaseModel):
    """Save a draft of the wizard, the fields of one step, or both. The draft is the dashboard's own business."""

    draft: Annotated[dict[str, Any] | None, Field(validation_alias=AliasChoices("draft", "draftJson"))] = None
    step: Step | None = None
    data: Fields | None = None


class Complete(Fields):
    """The last step: everything at once."""

    display_name: DisplayName
    password: Annotated[Password | None, BeforeValidator(blank_is_none)] = Field(default=None, repr=False)
    current_password: Annotated[Password | None, BeforeValidator(blank_is_none)] = Field(default=None, repr=False)


class Activate(BaseModel):
    """The first step by link: a name and a password."""

    display_name: DisplayName
    password: Password = Field(min_length=1, repr=False)


class Finish(BaseModel):
    """The work of ``onboarding_finish``."""

    user_id: UUID


class Completed(BaseModel):
    message: str = "Onboarding complete."
    user_id: UUID
