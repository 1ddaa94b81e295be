"""What the task platform reads from requests. Texts are trimmed before their length counts. Source: spec api-tasks."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    model_validator,
)

from shared.areas.text import EmailAddress, blank_is_none, without_nul

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _day(value: object) -> object:
    if value is None or isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("must be a date such as 2026-01-31, or null")


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(without_nul)
]
ItemName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(without_nul)
]
Status = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(without_nul)
]
Day = Annotated[date | None, BeforeValidator(_day)]
"""A day as YYYY-MM-DD, or null for none."""
Description = Annotated[str, Field(max_length=2_000), AfterValidator(without_nul)]
Color = Annotated[str, StringConstraints(pattern=r"^#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$")]
Place = Annotated[int, Field(ge=0, le=1_000_000)]
Role = Literal["admin", "member"]
DEFAULT_STATUS = "To Do"


class _Change(BaseModel):
    """A body of which only the given fields are changed; at least one must be."""

    @model_validator(mode="after")
    def _require_one(self) -> _Change:
        if not self.given:
            raise ValueError("there is nothing to change")
        return self

    @property
    def given(self) -> dict[str, object]:
        """The fields that the body has, by name."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class CreateWorkspace(BaseModel):
    name: Name


class WhichPerson(BaseModel):
    """A person by id or by address; the id counts when both are given."""

    user_id: Annotated[UUID | None, BeforeValidator(blank_is_none)] = None
    email: Annotated[EmailAddress | None, BeforeValidator(blank_is_none)] = None

    @model_validator(mode="after")
    def _require_one(self) -> WhichPerson:
        if self.user_id is None and self.email is None:
            raise ValueError("give user_id or email")
        return self


class AddMember(WhichPerson):
    role: Role = "member"


class ChangeMember(BaseModel):
    role: Role


class SearchQuery(BaseModel):
    q: Annotated[str, Field(max_length=200)] = ""


class CreateBoard(BaseModel):
    name: Name
    description: Description | None = None


class ChangeBoard(_Change):
    """``workspace_id``: move the board, with all that it has, into another workspace."""

    name: Name = ""
    description: Description | None = None
    workspace_id: UUID = UUID(int=0)


class CreateGroup(BaseModel):
    """``order_index``: by default after the last one."""

    name: Name
    order_index: Place | None = None


class ChangeGroup(_Change):
    name: Name = ""
    order_index: Place = 0


class CreateLabel(BaseModel):
    label: Status
    color: Color = "#808080"
    order_index: Place | None = None
    is_done_state: bool = False


class ChangeLabel(_Change):
    label: Status = ""
    color: Color = ""
    order_index: Place = 0
    is_done_state: bool = False


class CreateItem(BaseModel):
    """``group_id``: where the path does not name the group."""

    name: ItemName
    status: Status = DEFAULT_STATUS
    due_date: Day = None
    is_voicemail: bool = False
    needs_attention: bool = False
    group_id: UUID | None = None


class ChangeItem(_Change):
    """``group_id``: move the item. ``updated_at``: that of the item which the person saw; a 409 when it is another."""

    name: ItemName = ""
    status: Status = ""
    due_date: Day = None
    is_voicemail: bool = False
    needs_attention: bool = False
    group_id: UUID = UUID(int=0)
    updated_at: AwareDatetime | None = None

    @property
    def given(self) -> dict[str, object]:
        return {name: value for name, value in super().given.items() if name != "updated_at"}


class CreateSubitem(BaseModel):
    name: ItemName
    status: Status = DEFAULT_STATUS
    due_date: Day = None


class ChangeSubitem(_Change):
    name: ItemName = ""
    status: Status = ""
    due_date: Day = None


class PostUpdate(BaseModel):
    content: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), AfterValidator(without_nul)
    ]


class Updates(BaseModel):
    """Some updates, by id."""

    update_ids: Annotated[list[UUID], Field(min_length=1, max_length=1_000)]
