"""What a mail is to the areas that send one, and what the vendor later says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from pydantic import BaseModel, Field

from shared.areas.queries import From, PageNumber, PageSize, To
from shared.areas.text import EmailAddress, LongText, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to one recipient.

    ``message_key`` names it in the business (``email_<submission>_<recipient>``): a second mail of the same key is the
    same mail. ``client_id``: whose business it is about; ``triggered_by_id``: who caused it. ``unsubscribe_url``:
    where a POST without anything ends mails of this kind; only for mails that their recipient did not ask for.
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
    unsubscribe_url: str | None = None


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


class LogQuery(BaseModel):
    """Which mails of the log: ``all`` filters nothing; a page or limit out of range counts as the nearest in range."""

    page: PageNumber = 1
    limit: PageSize = 50
    email_type: Text = "all"
    status: Text = "all"
    search: Text = ""
    date_from: From = None
    date_to: To = None

    @property
    def chosen_type(self) -> str | None:
        return self.email_type if self.email_type not in ("", "all") else None

    @property
    def chosen_status(self) -> str | None:
        return self.status if self.status not in ("", "all") else None


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
