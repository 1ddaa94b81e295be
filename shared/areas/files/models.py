"""What a file is to the areas that keep some."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from pydantic import BaseModel

Audience = Literal["owner", "staff", "signed_in", "public", "area"]
"""Who may see a file: its owner and admins; staff; anybody signed in; anybody; whoever its area lets in, only there."""


class Upload(Protocol):
    """A file as it arrives (``runtime.multipart.File``); name and content type are the sender's words."""

    @property
    def name(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def data(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file of our own making, or one whose content was checked: the content type is true."""

    name: str
    content_type: str
    data: bytes


class Stream(Protocol):
    """An object being read (``gcp.storage.Stream``)."""

    @property
    def size(self) -> int | None: ...
    def chunks(self) -> AsyncIterator[bytes]: ...
    async def close(self) -> None: ...
    async def read(self) -> bytes: ...


class Bucket(Protocol):
    """Where the bytes are (``gcp.storage.Storage``)."""

    async def put(self, name: str, data: bytes, *, content_type: str) -> None: ...
    async def open(self, name: str) -> Stream | None: ...
    async def delete(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where new files belong. ``folder``: docs, brand, avatars, …; ``owner_id``: whose they are, None for nobody's."""

    folder: str
    audience: Audience
    owner_id: UUID | None
    created_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file in the bucket. Until its area's transaction calls ``attach`` it counts as left behind."""

    id: UUID
    name: str
    url: str
    content_type: str
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who asks for a file."""

    id: UUID
    is_admin: bool
    is_staff: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file to be sent, and the headers that keep a browser from doing more than showing it."""

    stream: Stream
    headers: dict[str, str]


class DeleteObjects(BaseModel):
    """The work of ``files_delete``."""

    objects: list[str]
