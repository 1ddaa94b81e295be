"""What goes over the wire of the blog area, and what it asks of the AI."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from shared.areas import ports
from shared.areas.text import blank_is_none, without_nul

Status = Literal["draft", "published"]
AspectRatio = Literal["1:1", "3:4", "4:3", "9:16", "16:9"]

Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), AfterValidator(without_nul)
]
Content = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=12_000_000), AfterValidator(without_nul)
]
"""HTML; images may be inside of it as data."""


class NewPost(BaseModel):
    """A post to keep. What HTML may not hold is taken out of the content."""

    title: Title
    content: Content
    status: Status = "draft"


class PostChanges(BaseModel):
    """What is absent stays."""

    title: Title | None = None
    content: Content | None = None
    status: Status | None = None

    @model_validator(mode="after")
    def _require_one(self) -> PostChanges:
        if self.title is None and self.content is None and self.status is None:
            raise ValueError("there is nothing to change")
        return self


class DraftWanted(BaseModel):
    """What to write about."""

    title: Title


class ImageWanted(BaseModel):
    """What to draw, and how."""

    title: Title
    style: Annotated[
        Annotated[str, Field(max_length=200), AfterValidator(without_nul)] | None, BeforeValidator(blank_is_none)
    ] = None
    aspect_ratio: Annotated[AspectRatio, Field(alias="aspectRatio")] = "16:9"


class Picture(Protocol):
    """A drawn image (``gcp.vertex.Image``)."""

    @property
    def mime_type(self) -> str: ...
    @property
    def data(self) -> bytes: ...


class Ai(ports.Ai, Protocol):
    """Whoever writes and draws (``gcp.vertex.Ai``)."""

    async def image(self, prompt: str, *, aspect_ratio: str) -> Picture: ...
