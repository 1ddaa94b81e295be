"""Reads what a request brings: bounded in size, checked against its model, errors that name the field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.errors import Invalid, TooLarge

if TYPE_CHECKING:
    from starlette.requests import Request

Model = TypeVar("Model", bound=BaseModel)

_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


async def read_bytes(request: Request, *, limit: int) -> bytes:
    """The whole body; TooLarge as soon as it is known to exceed *limit* bytes."""
    too_large = TooLarge(f"The request body is larger than {limit // 1024} kB.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)


def parse_json(body: bytes, model: type[Model]) -> Model:
    """*body* as *model*; Invalid names every wrong field. An empty body counts as an empty object."""
    try:
        parsed = model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise invalid(error, "body") from None
    if b"\\u0000" in body:
        refuse_nul(parsed.model_dump())
    return parsed


def parse_object(body: bytes) -> dict[str, Any]:
    """*body* as any JSON object."""
    try:
        parsed = _OBJECT.validate_json(body or b"{}")
    except ValidationError as error:
        raise invalid(error, "body") from None
    if b"\\u0000" in body:
        refuse_nul(parsed)
    return parsed


def parse_values(values: dict[str, Any], model: type[Model], where: str) -> Model:
    """Text values (a query string) as *model*."""
    try:
        parsed = model.model_validate(values)
    except ValidationError as error:
        raise invalid(error, where) from None
    if any("\x00" in str(value) for value in values.values()):
        refuse_nul(parsed.model_dump())
    return parsed


def refuse_nul(value: object, field: str = "") -> None:
    """PostgreSQL keeps no NUL in a text, so no text of ours may have one; Invalid names the field that has."""
    if isinstance(value, str) and "\x00" in value:
        raise Invalid.field(field or "body", "has a NUL character, which no text may have")
    children: Iterable[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        children = value.items()
    elif isinstance(value, list | tuple):
        children = enumerate(value)
    for key, child in children:
        inner = f"{field}.{key}" if field else str(key)
        refuse_nul(key, inner)
        refuse_nul(child, inner)


def invalid(error: ValidationError, where: str) -> Invalid:
    """A 400 from pydantic's findings; never repeats what was sent."""
    errors = []
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        field = ".".join(str(part) for part in found["loc"]) or where
        message = found["msg"].removeprefix("Value error, ")
        if found["type"] == "json_invalid":
            message = "is not valid JSON"
        errors.append({"field": field, "message": message})
    text = "; ".join(f"{one['field']}: {one['message']}" for one in errors[:10])
    return Invalid(text, errors=errors)
