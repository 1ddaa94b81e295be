"""What goes over the wire for dead work."""

from __future__ import annotations

from pydantic import BaseModel, Field


class DeadListQuery(BaseModel):
    """Which page of the list; the newest dead work comes first."""

    limit: int = Field(default=50, ge=1, le=200)
    offset: int = Field(default=0, ge=0)


class Resent(BaseModel):
    """A dead piece of work is on its way again."""

    resent: bool = True
