"""What a mail is to the areas that send one, and what the vendor later says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Protocol
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, ValidationInfo, field_validator

from shared.areas.text import EmailAddress, LongText, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to one recipient.

    ``message_key`` names it in the business (``email_<submission>_<recipient>``): a second mail of the same key is the
    same mail. ``client_id``: whose business it is about; ``triggered_by_id``: who caused it.
    """

    type: str  # of the seeds' list, DATA_FLOWS §8
    to: str
    subject: str
    text: str
    html: str | None = None
    to_name: str = ""
    client_id: UUID | None = None
    triggered_by_id: UUID | None = None
    review_request_id: UUID | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    message_key: str | None = None


class MailEvent(Protocol):
    """What the vendor's webhook says, in our words (``integrations.mailgun.webhook`` makes it)."""

    @property
    def event_id(self) -> str: ...

    @property
    def message_id(self) -> str | None: ...  # with angle brackets

    @property
    def name(self) -> str: ...  # the vendor's own word

    @property
    def kind(self) -> str: ...

    @property
    def occurred_at(self) -> datetime: ...

    def details_json(self) -> Mapping[str, Any]: ...


class SendMail(BaseModel):
    """The work of ``emails_send``."""

    email_log_id: UUID


class TrackMail(BaseModel):
    """The fact of topic ``mail-event``: this event of Mailgun's is stored."""

    event_id: str


class Received(BaseModel):
    """The webhook's answer."""

    received: bool = True
    event: str | None = None
    logId: UUID | None = None
    skipped: str | None = None


def _moment(text: str, *, last: bool) -> datetime:
    """A moment in UTC; of a date alone the first, or with *last* the last."""
    try:
        moment = datetime.combine(date.fromisoformat(text), time.max if last else time.min)
    except ValueError:
        moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


class LogQuery(BaseModel):
    """Which mails of the log: ``all`` filters nothing; a page or limit out of range counts as the nearest in range."""

    page: int = 1
    limit: int = 50
    email_type: Text = "all"
    status: Text = "all"
    search: Text = ""
    date_from: AwareDatetime | None = None
    date_to: AwareDatetime | None = None

    @field_validator("date_from", "date_to", mode="before")
    @classmethod
    def _read_date(cls, value: object, info: ValidationInfo) -> object:
        """A date without a time is all of that day; without a zone it is UTC's."""
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return _moment(value.strip(), last=info.field_name == "date_to")
        except (ValueError, OverflowError):
            raise ValueError("is not a date such as 2026-01-31") from None

    @field_validator("page")
    @classmethod
    def _clamp_page(cls, value: int) -> int:
        return max(1, min(value, 1_000_000))

    @field_validator("limit")
    @classmethod
    def _clamp_limit(cls, value: int) -> int:
        return max(1, min(value, 100))

    @property
    def chosen_type(self) -> str | None:
        return self.email_type if self.email_type not in ("", "all") else None

    @property
    def chosen_status(self) -> str | None:
        return self.status if self.status not in ("", "all") else None

    @property
    def pattern(self) -> str | None:
        """The search as a pattern of LIKE in which its own wildcards mean themselves."""
        words = self.search.strip()
        escaped = re.sub(r"([\\%_])", r"\\\1", words)
        return f"%{escaped}%" if words else None


class StatsQuery(BaseModel):
    """How many days back; out of 1 to 365 counts as the nearest."""

    days: int = 30


class TestMail(BaseModel):
    """A mail to see that mail works."""

    to: EmailAddress
    subject: Annotated[Text, Field(min_length=1, max_length=200)] = "Test mail from Anchor"
    text: Annotated[LongText, Field(min_length=1)] = "This is a test mail."
    html: LongText | None = None


class Queued(BaseModel):
    """A mail is logged and on its way."""

    id: UUID
    message: str
