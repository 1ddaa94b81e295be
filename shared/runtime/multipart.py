"""Reads a multipart form: bounded in bytes, parts and field sizes before anything of it is kept.

Parsing is Starlette's (python-multipart); parts beyond a megabyte wait on disk until they are whole.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.errors import Invalid, TooLarge
from shared.runtime.bodies import Model, parse_values

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_FILES = 20
MAX_FIELDS = 100
MAX_FIELD_BYTES = 100 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """One file as it was sent: its name and content type are the sender's words."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """A form's texts and files by field name, in the order they came. Handlers ask for it as ``body: Form``."""

    texts: dict[str, list[str]]
    uploads: dict[str, list[File]]

    def text(self, name: str) -> str | None:
        """The last text of a field; None when it was not sent."""
        return self.texts[name][-1] if self.texts.get(name) else None

    def values(self) -> dict[str, str | list[str]]:
        """The texts as a model reads them: a repeated field is a list."""
        return {name: found[0] if len(found) == 1 else found for name, found in self.texts.items()}

    def parsed(self, model: type[Model]) -> Model:
        """The texts as *model*; Invalid names every wrong field."""
        return parse_values(self.values(), model, "body")

    def files(self, *names: str, at_most: int) -> list[File]:
        """The files of the fields *names*; Invalid for one with more than *at_most*, and for files elsewhere."""
        for name, found in self.uploads.items():
            if name not in names:
                raise Invalid.field(name, "takes no file")
            if len(found) > at_most:
                raise Invalid.field(name, f"takes at most {at_most} file{'s' if at_most > 1 else ''}")
        return [file for name in names for file in self.uploads.get(name, [])]


def is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "multipart/form-data"


async def read(request: Request, *, limit: int) -> Form:
    """The form of *request*; Invalid when it is none, TooLarge as soon as it is known to exceed *limit* bytes."""
    from starlette.formparsers import MultiPartException, MultiPartParser

    if not is_multipart(request):
        raise Invalid.field("body", "must be multipart/form-data")
    parser = MultiPartParser(
        request.headers,
        _bounded(request, limit),
        max_files=MAX_FILES,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    )
    try:
        parsed = await parser.parse()
    except MultiPartException as error:
        raise Invalid.field("body", error.message) from None
    texts: dict[str, list[str]] = {}
    uploads: dict[str, list[File]] = {}
    try:
        for name, value in parsed.multi_items():
            if isinstance(value, str):
                texts.setdefault(name, []).append(value)
            elif value.filename or value.size:  # a browser sends an empty part for a file field left empty
                file = File(value.filename or "", value.content_type or "", await value.read())
                uploads.setdefault(name, []).append(file)
    finally:
        await parsed.close()
    return Form(texts, uploads)


async def _bounded(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    too_large = TooLarge(f"The upload is larger than {limit // 1024 // 1024} MB.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > limit:
            raise too_large
        yield chunk
