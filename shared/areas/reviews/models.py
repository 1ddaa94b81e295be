"""What the reviews area reads from requests and messages, and what it asks of Google."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, StringConstraints, field_validator
from pydantic.fields import FieldInfo

from shared.areas.queries import From, PageNumber, PageSize, To, in_range
from shared.areas.reviews.rules import Priority
from shared.areas.text import EmailAddress, OptionalLongText, OptionalText, blank_is_none

Tone = Literal["professional", "friendly", "casual", "formal", "empathetic"]
Sentiment = Literal["positive", "neutral", "negative", "mixed"]
Action = Literal["draft", "auto_send", "flag", "notify"]


class Review(Protocol):
    """One review as Google tells it (``integrations.google_business.records.ReviewRecord``)."""

    @property
    def name(self) -> str: ...
    @property
    def rating(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def reviewer(self) -> str: ...
    @property
    def photo_url(self) -> str | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def updated_at(self) -> datetime: ...
    @property
    def reply(self) -> str | None: ...
    @property
    def replied_at(self) -> datetime | None: ...
    @property
    def raw(self) -> Mapping[str, Any]: ...


class Page(Protocol):
    @property
    def reviews(self) -> Sequence[Review]: ...
    @property
    def next_token(self) -> str: ...
    @property
    def total(self) -> int: ...
    @property
    def unreadable(self) -> int: ...


class Account(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...


class Location(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def review_url(self) -> str: ...
    @property
    def raw(self) -> Mapping[str, Any]: ...


class Google(Protocol):
    """Business Profile, as one access token sees it (``integrations.google_business.client``)."""

    async def accounts(self) -> Sequence[Account]: ...

    async def locations(self, account: str) -> Sequence[Location]: ...

    async def location(self, number: str) -> Location: ...

    async def reviews(self, location: str, page_token: str = "") -> Page: ...

    async def review(self, name: str) -> Review | None: ...

    async def reply(self, name: str, comment: str) -> None: ...


# --- requests ---------------------------------------------------------------------------------------------------------


def _only_true(value: object) -> object:
    """A filter of yes or no: empty filters nothing."""
    value = blank_is_none(value)
    return value.strip().lower() if isinstance(value, str) else value


def _default_if_null(default: Any) -> BeforeValidator:
    """The panel sends null when a field is cleared: that asks for the default."""
    return BeforeValidator(lambda value: default if value is None else value)


Filter = Annotated[bool | None, BeforeValidator(_only_true)]
OptionalId = Annotated[UUID | None, BeforeValidator(blank_is_none)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Reply = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4096)]


class ListReviews(BaseModel):
    page: PageNumber = 1
    limit: PageSize = 20
    sortBy: Literal["review_created_at", "rating", "reviewer_name", "priority", "updated_at"] = "review_created_at"
    sortOrder: Annotated[Literal["ASC", "DESC"], BeforeValidator(lambda value: str(value).upper())] = "DESC"
    rating: Annotated[Annotated[int, Field(ge=1, le=5)] | None, BeforeValidator(blank_is_none)] = None
    hasResponse: Filter = None
    isFlagged: Filter = None
    response_status: Annotated[Literal["pending", "responded"] | None, BeforeValidator(blank_is_none)] = None
    priority: Annotated[Priority | None, BeforeValidator(blank_is_none)] = None
    sentimentLabel: Annotated[Sentiment | None, BeforeValidator(blank_is_none)] = None
    search: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    locationId: OptionalId = None
    dateFrom: From = None
    dateTo: To = None

    @property
    def responded(self) -> bool | None:
        """Whether there has to be a response; ``response_status`` is the other name of the same filter."""
        return self.hasResponse if self.response_status is None else self.response_status == "responded"


class Statistics(BaseModel):
    days: Annotated[int, in_range(1, 3650)] = 30


class StartSync(BaseModel):
    forceFullSync: bool = False


class FlagReview(BaseModel):
    flagged: bool
    reason: OptionalText = None


class SetPriority(BaseModel):
    priority: Priority


class SaveNotes(BaseModel):
    notes: OptionalLongText = None


class DraftResponse(BaseModel):
    """How to write; what is not said comes from the client's settings."""

    tone: Annotated[Tone | None, BeforeValidator(blank_is_none)] = None
    includeBusinessName: bool | None = None
    includeReviewerName: bool | None = None
    customInstructions: OptionalText = None
    maxLength: Annotated[int, _default_if_null(500), Field(ge=50, le=4000)] = 500


class SendResponse(BaseModel):
    """A reply, under either name."""

    text: Reply = Field(validation_alias=AliasChoices("response", "responseText", "text"))


class EditDraft(BaseModel):
    text: Reply


class DiscardDraft(BaseModel):
    notes: OptionalText = None


class ListRequests(BaseModel):
    page: PageNumber = 1
    limit: PageSize = 20
    status: Annotated[
        Literal["pending", "sent", "delivered", "opened", "clicked", "completed", "failed", "bounced"] | None,
        BeforeValidator(blank_is_none),
    ] = None


class CreateRequest(BaseModel):
    deliveryMethod: Literal["email", "sms", "link_only"]
    customerName: Annotated[Line | None, BeforeValidator(blank_is_none)] = None
    customerEmail: Annotated[EmailAddress | None, BeforeValidator(blank_is_none)] = None
    customerPhone: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[+0-9 ()./-]{5,40}$")] | None,
        BeforeValidator(blank_is_none),
    ] = None
    customMessage: OptionalText = None
    locationId: OptionalId = None


def _https(value: object) -> object:
    value = blank_is_none(value)
    if isinstance(value, str) and not value.strip().startswith("https://"):
        raise ValueError("must begin with https://")
    return value.strip() if isinstance(value, str) else value


_Signature = Annotated[str, StringConstraints(max_length=300)]
_Stars = Annotated[int, Field(ge=0, le=5)] | None


class SaveSettings(BaseModel):
    """What may be set. A cleared number is its default; one that is still being typed is taken as it is."""

    auto_sync_enabled: Annotated[bool, _default_if_null(True)] = True
    sync_interval_minutes: Annotated[int, _default_if_null(60), Field(ge=0, le=43_200)] = 60
    auto_flag_threshold: _Stars = 3
    auto_flag_keywords: Annotated[list[Word], _default_if_null([]), Field(max_length=50)] = []
    notify_new_reviews: Annotated[bool, _default_if_null(True)] = True
    notify_negative_reviews: Annotated[bool, _default_if_null(True)] = True
    negative_review_threshold: _Stars = 3
    notification_emails: Annotated[list[EmailAddress], _default_if_null([]), Field(max_length=20)] = []
    default_response_tone: Annotated[Tone, _default_if_null("professional")] = "professional"
    include_business_name_in_response: Annotated[bool, _default_if_null(True)] = True
    include_reviewer_name_in_response: Annotated[bool, _default_if_null(True)] = True
    response_signature: Annotated[_Signature | None, BeforeValidator(blank_is_none)] = None
    ai_drafting_enabled: Annotated[bool, _default_if_null(True)] = True
    ai_auto_draft_positive: Annotated[bool, _default_if_null(False)] = False
    ai_auto_draft_negative: Annotated[bool, _default_if_null(False)] = False
    default_review_request_template: OptionalText = None
    review_link_base_url: Annotated[OptionalText, BeforeValidator(_https)] = None


def _both(name: str) -> FieldInfo:
    """A field under its snake_case name and the panel's camelCase one."""
    head, *tail = name.split("_")
    info: FieldInfo = Field(validation_alias=AliasChoices(head + "".join(word.title() for word in tail), name))
    return info


_Rating = Annotated[int, Field(ge=1, le=5)] | None
_Limit = Annotated[int, Field(ge=1, le=10_000)] | None
_Words = Annotated[list[Word], _default_if_null([]), Field(max_length=50)]


class SaveRule(BaseModel):
    """A rule, whole or in parts: what is not given stays, or is the default of a new one."""

    name: Annotated[Line, _both("name")] = ""
    action_type: Annotated[Action, _both("action_type")] = "draft"
    description: Annotated[OptionalText, _both("description")] = None
    is_active: Annotated[bool, _both("is_active")] = False
    min_rating: Annotated[_Rating, _both("min_rating")] = None
    max_rating: Annotated[_Rating, _both("max_rating")] = None
    sentiment_filter: Annotated[
        list[Sentiment], _default_if_null([]), Field(max_length=4), _both("sentiment_filter")
    ] = []
    keyword_triggers: Annotated[_Words, _both("keyword_triggers")] = []
    keyword_exclusions: Annotated[_Words, _both("keyword_exclusions")] = []
    location_ids: Annotated[list[UUID], _default_if_null([]), Field(max_length=200), _both("location_ids")] = []
    response_template: Annotated[OptionalText, _both("response_template")] = None
    use_ai_personalization: Annotated[bool, _both("use_ai_personalization")] = True
    ai_tone: Annotated[Tone, _default_if_null("professional"), _both("ai_tone")] = "professional"
    requires_approval: Annotated[bool, _both("requires_approval")] = True
    approval_threshold_rating: Annotated[_Stars, _both("approval_threshold_rating")] = 3
    notify_on_trigger: Annotated[bool, _both("notify_on_trigger")] = False
    notification_emails: Annotated[
        list[EmailAddress], _default_if_null([]), Field(max_length=20), _both("notification_emails")
    ] = []
    delay_minutes: Annotated[int, _default_if_null(0), Field(ge=0, le=10_080), _both("delay_minutes")] = 0
    daily_limit: Annotated[_Limit, _both("daily_limit")] = None
    hourly_limit: Annotated[_Limit, _both("hourly_limit")] = None
    priority: Annotated[int, Field(ge=-1000, le=1000), _both("priority")] = 0

    def given(self) -> dict[str, Any]:
        """The columns that were sent, as they are stored."""
        told = self.model_dump(include=self.model_fields_set)
        if "location_ids" in told:
            told["location_ids"] = [str(one) for one in told["location_ids"]]
        return told


class ListLogs(BaseModel):
    page: PageNumber = 1
    limit: PageSize = 50
    reviewId: OptionalId = None
    actionType: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""

    @field_validator("actionType")
    @classmethod
    def _no_nul(cls, text: str) -> str:
        return text.replace("\x00", "")


# --- messages ---------------------------------------------------------------------------------------------------------


class SyncDue(BaseModel):
    """Topic ``reviews-sync-due``: a location's reviews should be read. ``full``: all of them."""

    client_id: UUID
    location_id: UUID
    full: bool = False


class Evaluate(BaseModel):
    """A review is new, or was edited. ``version``: Google's time of the change."""

    client_id: UUID
    review_id: UUID
    version: datetime


class CatchUp(BaseModel):
    """A client has older reviews whose mood nobody has judged."""

    client_id: UUID


class RunRule(BaseModel):
    """A rule matched a review; what it is to do is in its log row."""

    client_id: UUID
    review_id: UUID
    log_id: UUID
    version: datetime


class SendReply(BaseModel):
    """A reply should be at Google."""

    client_id: UUID
    review_id: UUID
