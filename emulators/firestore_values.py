"""Firestore's values: their order, their place in a document, and the filters over them.

Works on the plain protobuf ``Value``. The order across types is that of
firebase.google.com/docs/firestore/manage-data/data-types#value_type_ordering.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from google.cloud.firestore_v1.field_path import FieldPath
from google.cloud.firestore_v1.types import StructuredQuery, Value

from emulators.grpc_service import invalid

Key = tuple[Any, ...]

NAME_FIELD = "__name__"
FieldFilter = StructuredQuery.FieldFilter.Operator
UnaryFilter = StructuredQuery.UnaryFilter.Operator
Composite = StructuredQuery.CompositeFilter.Operator

RANGES: dict[int, Callable[[Any, Any], bool]] = {
    FieldFilter.LESS_THAN: lambda a, b: a < b,
    FieldFilter.LESS_THAN_OR_EQUAL: lambda a, b: a <= b,
    FieldFilter.GREATER_THAN: lambda a, b: a > b,
    FieldFilter.GREATER_THAN_OR_EQUAL: lambda a, b: a >= b,
}
UNEQUAL = {*RANGES, FieldFilter.NOT_EQUAL, FieldFilter.NOT_IN}
UNARY_UNEQUAL = {UnaryFilter.IS_NOT_NULL, UnaryFilter.IS_NOT_NAN}


def sort_key(value: Any) -> Key:
    """A tuple that sorts as Firestore sorts; its first member is the rank of the value's type."""
    kind = value.WhichOneof("value_type")
    match kind:
        case None | "null_value":
            return (0,)
        case "boolean_value":
            return (1, value.boolean_value)
        case "integer_value":
            return (2, 1, value.integer_value)
        case "double_value":
            return (2, 0) if math.isnan(value.double_value) else (2, 1, value.double_value)
        case "timestamp_value":
            return (3, value.timestamp_value.seconds, value.timestamp_value.nanos)
        case "string_value":
            return (4, value.string_value.encode())
        case "bytes_value":
            return (5, value.bytes_value)
        case "reference_value":
            return (6, value.reference_value.split("/"))
        case "geo_point_value":
            return (7, value.geo_point_value.latitude, value.geo_point_value.longitude)
        case "array_value":
            return (8, [sort_key(each) for each in value.array_value.values])
        case "map_value":
            fields = value.map_value.fields
            return (9, [(name.encode(), sort_key(fields[name])) for name in sorted(fields)])
    raise invalid(f"The stand-in does not know values of type {kind}.")


def path_of(text: str) -> tuple[str, ...]:
    """The parts of a field path as the API writes it, back-ticks undone."""
    try:
        return tuple(FieldPath.from_api_repr(text).parts)
    except ValueError as error:
        raise invalid(f"Invalid field path: {text!r}") from error


def get(fields: Any, path: Iterable[str]) -> Any | None:
    """The value at *path*, or None."""
    value = None
    for part in path:
        if fields is None or part not in fields:
            return None
        value = fields[part]
        fields = value.map_value.fields if value.WhichOneof("value_type") == "map_value" else None
    return value


def put(fields: Any, path: tuple[str, ...], value: Any) -> None:
    """Set the value at *path*, making maps on the way and replacing what is not a map."""
    for part in path[:-1]:
        inner = fields[part]
        if inner.WhichOneof("value_type") != "map_value":
            inner.Clear()
            inner.map_value.SetInParent()
        fields = inner.map_value.fields
    fields[path[-1]].CopyFrom(value)


def remove(fields: Any, path: tuple[str, ...]) -> None:
    """Remove the value at *path*, if it is there."""
    parent = fields if len(path) == 1 else None
    if len(path) > 1 and (holder := get(fields, path[:-1])) is not None:
        parent = holder.map_value.fields if holder.WhichOneof("value_type") == "map_value" else None
    if parent is not None and path[-1] in parent:
        del parent[path[-1]]


def value_in(document: Any, path: tuple[str, ...]) -> Any | None:
    """A field of *document*, where ``__name__`` is the document itself."""
    if path == (NAME_FIELD,):
        return Value.pb()(reference_value=document.name)
    return get(document.fields, path)


def matches(document: Any, condition: Any) -> bool:
    """Whether *document* passes a StructuredQuery.Filter."""
    match condition.WhichOneof("filter_type"):
        case "composite_filter":
            combine = any if condition.composite_filter.op == Composite.OR else all
            return combine(matches(document, each) for each in condition.composite_filter.filters)
        case "unary_filter":
            return _passes_unary(document, condition.unary_filter)
        case "field_filter":
            return _passes(document, condition.field_filter)
    return True


def unequal_fields(condition: Any) -> list[str]:
    """The field paths under inequality filters, which a query orders by even when it does not say so."""
    match condition.WhichOneof("filter_type"):
        case "composite_filter":
            return [path for each in condition.composite_filter.filters for path in unequal_fields(each)]
        case "unary_filter" if condition.unary_filter.op in UNARY_UNEQUAL:
            return [condition.unary_filter.field.field_path]
        case "field_filter" if condition.field_filter.op in UNEQUAL:
            return [condition.field_filter.field.field_path]
    return []


def _passes_unary(document: Any, condition: Any) -> bool:
    value = value_in(document, path_of(condition.field.field_path))
    if value is None:
        return False
    is_null, is_nan = sort_key(value) == (0,), sort_key(value) == (2, 0)
    return {
        UnaryFilter.IS_NULL: is_null,
        UnaryFilter.IS_NOT_NULL: not is_null,
        UnaryFilter.IS_NAN: is_nan,
        UnaryFilter.IS_NOT_NAN: not is_nan and not is_null,
    }[condition.op]


def _passes(document: Any, condition: Any) -> bool:
    value = value_in(document, path_of(condition.field.field_path))
    if value is None:
        return False
    key, wanted, op = sort_key(value), sort_key(condition.value), condition.op
    if op in RANGES:  # a range holds values of its own type only
        return bool(key[0] == wanted[0] and RANGES[op](key, wanted))
    match op:
        case FieldFilter.EQUAL:
            return key == wanted
        case FieldFilter.NOT_EQUAL:
            return key not in (wanted, (0,))
        case FieldFilter.IN:
            return key in wanted[1]
        case FieldFilter.NOT_IN:
            return key != (0,) and key not in wanted[1]
        case FieldFilter.ARRAY_CONTAINS:
            return key[0] == 8 and wanted in key[1]
        case FieldFilter.ARRAY_CONTAINS_ANY:
            return key[0] == 8 and any(each in key[1] for each in wanted[1])
    raise invalid(f"Unknown filter operator {op}.")
