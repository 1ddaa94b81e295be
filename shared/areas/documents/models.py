"""What goes over the wire for documents."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from shared.areas.text import LongText, Text

Texts = Annotated[list[Text], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class UploadForClient(BaseModel):
    """The texts beside the files of an upload for a client."""

    user_id: UUID
    doc_label: Text = ""
    for_review: bool = False


class SharedTexts(BaseModel):
    """The texts beside the files of a shared upload, one or many of each."""

    labels: Texts = []
    descriptions: Texts = []


class ReviewRequest(BaseModel):
    """Ask a client to review a document (``pending``), or take the request back."""

    user_id: UUID
    doc_id: UUID
    review_action: Literal["pending", "clear", "none"] = "clear"


class ClientOnly(BaseModel):
    """Whose document it is."""

    user_id: UUID


class SharedEdit(BaseModel):
    """A shared document's texts. Absent label or order stay; an absent description is emptied."""

    label: Text | None = None
    description: LongText | None = None
    sort_order: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None


class Position(BaseModel):
    id: UUID
    sort_order: Annotated[int, Field(ge=-(2**31), lt=2**31)]


class Order(BaseModel):
    """New places of shared documents."""

    order: Annotated[list[Position], Field(max_length=1000)]
