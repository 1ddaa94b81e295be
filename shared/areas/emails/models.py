"""A mail as we compose it, and what we know became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Content:
    """What a mail says. Both bodies say the same."""

    subject: str
    text: str
    html: str


class MailHappening(Protocol):
    """One event of one mail, in the normal form that the mail vendor's webhook module gives."""

    @property
    def event_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def code(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def details(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """The tracking columns of ``email_logs``. ``status``: pending, sent, failed, delivered, bounced or complained."""

    status: str = "pending"
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    open_count: int = 0
    clicked_at: datetime | None = None
    click_count: int = 0
    bounced_at: datetime | None = None
    bounce_type: str | None = None
    bounce_code: str | None = None
    error_message: str | None = None
    complained_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    delivery_status: Mapping[str, Any] = field(default_factory=dict)
