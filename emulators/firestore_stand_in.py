"""A stand-in for the Firestore emulator, for machines without Java: what ``AsyncClient`` needs, in memory.

Transactions are optimistic: a commit is ABORTED if anything the transaction read has changed since, and the client
tries again. (The official emulator locks instead; both end in the same documents.) Left out: Listen, pipelines, vector
search, indexes, time travel.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cmp_to_key, partial
from itertools import count
from typing import Any

import grpc
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    BeginTransactionRequest,
    BeginTransactionResponse,
    CommitRequest,
    CommitResponse,
    Document,
    ListCollectionIdsRequest,
    ListCollectionIdsResponse,
    ListDocumentsRequest,
    ListDocumentsResponse,
    RollbackRequest,
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
    RunQueryResponse,
    StructuredQuery,
    Value,
    WriteResult,
)
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp

from emulators.faults import Faults
from emulators.firestore_values import (
    NAME_FIELD,
    get,
    matches,
    path_of,
    put,
    remove,
    sort_key,
    unequal_fields,
    value_in,
)
from emulators.grpc_service import LocalServer, Method, Refused, already_exists, invalid, not_found, page, service

NAME = "firestore"
SERVICE = "google.firestore.v1.Firestore"
PAGE = 300
LARGEST_DOCUMENT = 1024 * 1024  # bytes
LARGEST_COMMIT = 500  # writes
TRANSACTION_LIFETIME_S = 270.0
DESCENDING = StructuredQuery.Direction.DESCENDING

DATABASE = re.compile(r"projects/[^/]+/databases/[^/]+")
DOCUMENT = re.compile(r"(projects/[^/]+/databases/[^/]+)/documents((?:/[^/]+/[^/]+)+)")
RESERVED = re.compile(r"__.*__")

Reader = Callable[[], Any]  # what a transaction saw, to be seen again when it commits


@dataclass(slots=True)
class Transaction:
    read_only: bool
    began: float = field(default_factory=time.monotonic)
    reads: list[tuple[Reader, Any]] = field(default_factory=list)

    def saw(self, reader: Reader) -> None:
        self.reads.append((reader, reader()))

    def holds(self) -> bool:
        return all(reader() == seen for reader, seen in self.reads)


class FirestoreStandIn:
    """gRPC ``google.firestore.v1.Firestore`` on a free loopback port; every project and database exists, empty."""

    def __init__(self, faults: Faults):
        self._faults = faults
        self._server = LocalServer()
        self._documents: dict[str, Any] = {}
        self._transactions: dict[bytes, Transaction] = {}
        self._transaction_ids = count(1)
        self._last_us = 0

    async def start(self) -> int:
        methods = {
            "BatchGetDocuments": Method(BatchGetDocumentsRequest.pb(), self._batch_get, streams=True),
            "ListDocuments": Method(ListDocumentsRequest.pb(), self._list_documents),
            "ListCollectionIds": Method(ListCollectionIdsRequest.pb(), self._list_collections),
            "RunQuery": Method(RunQueryRequest.pb(), self._run_query, streams=True),
            "RunAggregationQuery": Method(RunAggregationQueryRequest.pb(), self._aggregate, streams=True),
            "BeginTransaction": Method(BeginTransactionRequest.pb(), self._begin),
            "Commit": Method(CommitRequest.pb(), self._commit),
            "Rollback": Method(RollbackRequest.pb(), self._rollback),
        }
        return await self._server.start(service(SERVICE, NAME, self._faults, methods))

    async def stop(self) -> None:
        await self._server.stop()
        self._documents, self._transactions = {}, {}

    # Reading

    async def _batch_get(self, request: Any) -> AsyncIterator[Any]:
        transaction, begun = self._transaction_of(request)
        read_time = self._now()
        if begun:
            yield BatchGetDocumentsResponse.pb()(transaction=begun, read_time=read_time)
        for name in request.documents:
            check_document_name(name)
            if transaction is not None:
                transaction.saw(partial(self._version, name))
            answer = BatchGetDocumentsResponse.pb()(read_time=read_time)
            document = self._documents.get(name)
            if document is None:
                answer.missing = name
            else:
                answer.found.CopyFrom(masked(document, request))
            yield answer

    async def _list_documents(self, request: Any) -> Any:
        prefix = f"{request.parent}/{request.collection_id}/"
        names = set(self._children(prefix))
        if request.show_missing:  # documents that are not there, but have some below them
            names |= {prefix + name[len(prefix) :].split("/")[0] for name in self._documents if name.startswith(prefix)}
        if request.order_by:
            raise Refused(grpc.StatusCode.UNIMPLEMENTED, "ListDocuments.order_by needs the official emulator")
        chosen, token = page(sorted(names), request, PAGE)
        answer = ListDocumentsResponse.pb()(next_page_token=token)
        for name in chosen:
            document = self._documents.get(name)
            answer.documents.append(Document.pb()(name=name) if document is None else masked(document, request))
        return answer

    async def _list_collections(self, request: Any) -> Any:
        prefix = f"{request.parent}/"
        below = (name[len(prefix) :].split("/")[0] for name in self._documents if name.startswith(prefix))
        chosen, token = page(sorted(set(below)), request, PAGE)
        return ListCollectionIdsResponse.pb()(collection_ids=chosen, next_page_token=token)

    async def _run_query(self, request: Any) -> AsyncIterator[Any]:
        transaction, begun = self._transaction_of(request)
        parent, query, read_time = request.parent, request.structured_query, self._now()
        if begun:
            yield RunQueryResponse.pb()(transaction=begun)
        found = self._query(parent, query)
        if transaction is not None:
            transaction.saw(lambda: [self._version(each.name) for each in self._query(parent, query)])
        for document in found:
            yield RunQueryResponse.pb()(document=projected(document, query), read_time=read_time)
        if not found:
            yield RunQueryResponse.pb()(read_time=read_time)

    async def _aggregate(self, request: Any) -> AsyncIterator[Any]:
        transaction, begun = self._transaction_of(request)
        parent, wanted = request.parent, request.structured_aggregation_query
        found = self._query(parent, wanted.structured_query)
        if transaction is not None:
            transaction.saw(lambda: [self._version(each.name) for each in self._query(parent, wanted.structured_query)])
        answer = RunAggregationQueryResponse.pb()(read_time=self._now(), transaction=begun)
        for number, aggregation in enumerate(wanted.aggregations, start=1):
            answer.result.aggregate_fields[aggregation.alias or f"field_{number}"].CopyFrom(
                aggregate(found, aggregation)
            )
        yield answer

    def _query(self, parent: str, query: Any) -> list[Any]:
        """The documents a StructuredQuery finds, in its order."""
        if len(query.from_) != 1:
            raise invalid("A query has exactly one collection selector.")
        orders = implied_orders(query)
        found = [
            document
            for document in self._candidates(parent, query.from_[0])
            if matches(document, query.where) and all(value_in(document, path) is not None for path, _ in orders)
        ]
        found.sort(key=cmp_to_key(lambda a, b: compare(position(a, orders), position(b, orders), orders)))
        if query.HasField("start_at"):
            found = [each for each in found if _beyond(each, query.start_at, orders)]
        if query.HasField("end_at"):
            found = [each for each in found if not _beyond(each, query.end_at, orders)]
        found = found[query.offset :]
        return found[: query.limit.value] if query.HasField("limit") else found

    def _candidates(self, parent: str, selector: Any) -> Iterator[Any]:
        if not selector.all_descendants:
            for name in self._children(f"{parent}/{selector.collection_id}/"):
                yield self._documents[name]
            return
        for name, document in self._documents.items():
            if name.startswith(f"{parent}/") and name.split("/")[-2] == selector.collection_id:
                yield document

    def _children(self, prefix: str) -> Iterator[str]:
        return (name for name in self._documents if name.startswith(prefix) and "/" not in name[len(prefix) :])

    def _version(self, name: str) -> Any:
        document = self._documents.get(name)
        return None if document is None else (name, document.update_time.ToNanoseconds())

    # Transactions

    async def _begin(self, request: Any) -> Any:
        if not DATABASE.fullmatch(request.database):
            raise invalid(f"Invalid database name: {request.database!r}")
        return BeginTransactionResponse.pb()(transaction=self._begin_with(request.options))

    def _begin_with(self, options: Any) -> bytes:
        oldest = time.monotonic() - TRANSACTION_LIFETIME_S
        self._transactions = {key: each for key, each in self._transactions.items() if each.began > oldest}
        key = b"transaction-%d" % next(self._transaction_ids)
        self._transactions[key] = Transaction(read_only=options.HasField("read_only"))
        return key

    def _transaction_of(self, request: Any) -> tuple[Transaction | None, bytes]:
        """The transaction a read belongs to, and its id if the read began it."""
        match request.WhichOneof("consistency_selector"):
            case "new_transaction":
                begun = self._begin_with(request.new_transaction)
                return self._transactions[begun], begun
            case "transaction":
                return self._open_transaction(request.transaction), b""
            case "read_time":
                raise Refused(grpc.StatusCode.UNIMPLEMENTED, "Reads in the past need the official emulator.")
        return None, b""

    def _open_transaction(self, key: bytes) -> Transaction:
        if key not in self._transactions:
            raise invalid("Invalid transaction: it was never begun, or has ended.")
        return self._transactions[key]

    async def _rollback(self, request: Any) -> Any:
        self._open_transaction(request.transaction)
        del self._transactions[request.transaction]
        return Empty()

    # Writing

    async def _commit(self, request: Any) -> Any:
        if len(request.writes) > LARGEST_COMMIT:
            raise invalid(f"A commit has at most {LARGEST_COMMIT} writes.")
        if request.transaction:
            transaction = self._open_transaction(request.transaction)
            if transaction.read_only and request.writes:
                raise invalid("Cannot modify entities in a read-only transaction.")
            if not transaction.holds():
                raise Refused(grpc.StatusCode.ABORTED, "The transaction's reads are out of date; try again.")
        now = self._now()
        changed: dict[str, Any] = {}
        answer = CommitResponse.pb()(commit_time=now)
        for write in request.writes:
            answer.write_results.append(self._write(write, changed, now))
        self._transactions.pop(request.transaction, None)  # One refused above stays: the client rolls it back.
        for name, document in changed.items():
            if document is None:
                self._documents.pop(name, None)
            else:
                self._documents[name] = document
        return answer

    def _write(self, write: Any, changed: dict[str, Any], now: Any) -> Any:
        """Apply one write over *changed*, the state this commit has made so far; return its WriteResult."""
        kind = write.WhichOneof("operation")
        name = {"update": write.update.name, "delete": write.delete, "transform": write.transform.document}.get(
            kind, ""
        )
        check_document_name(name)
        before = changed[name] if name in changed else self._documents.get(name)
        check_precondition(name, before, write.current_document)
        result = WriteResult.pb()()
        if kind == "delete":
            changed[name] = None
            return result
        after = Document.pb()(name=name, create_time=now)
        if before is not None:
            after.CopyFrom(before)
        if kind == "update":
            overwrite(after, write)
        transforms = write.transform.field_transforms if kind == "transform" else write.update_transforms
        result.transform_results.extend(transform(after, each, now) for each in transforms)
        if after.ByteSize() > LARGEST_DOCUMENT:
            raise invalid(f"Document {name} exceeds the maximum of {LARGEST_DOCUMENT} bytes.")
        if before is None or after.fields != before.fields:
            after.update_time.CopyFrom(now)
        result.update_time.CopyFrom(after.update_time)
        changed[name] = after
        return result

    def _now(self) -> Any:
        """The time, to the microsecond and later than every time given before."""
        self._last_us = max(time.time_ns() // 1000, self._last_us + 1)
        now = Timestamp()
        now.FromMicroseconds(self._last_us)
        return now


def check_document_name(name: str) -> None:
    match = DOCUMENT.fullmatch(name)
    if match is None:
        raise invalid(f"Document name {name!r} is not valid.")
    for part in match[2].split("/"):
        if part in {".", ".."} or RESERVED.fullmatch(part):
            raise invalid(f"Resource id {part!r} is invalid because it is reserved.")


def check_precondition(name: str, before: Any, precondition: Any) -> None:
    match precondition.WhichOneof("condition_type"):
        case "exists" if precondition.exists and before is None:
            raise not_found(f"No document to update: {name}")
        case "exists" if not precondition.exists and before is not None:
            raise already_exists(f"Document already exists: {name}")
        case "update_time" if before is None:
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, f"No document to update: {name}")
        case "update_time" if before.update_time != precondition.update_time:
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, f"The stored version does not match: {name}")


def overwrite(document: Any, write: Any) -> None:
    """Put the update's fields in *document*: all of them or, with a mask, the masked ones."""
    for field_name in write.update.fields:
        if not field_name or RESERVED.fullmatch(field_name):
            raise invalid(f"field name {field_name!r} is reserved")
    if not write.HasField("update_mask"):
        document.ClearField("fields")
        document.MergeFrom(Document.pb()(fields=write.update.fields))
        return
    for text in write.update_mask.field_paths:
        path = path_of(text)
        value = get(write.update.fields, path)
        if value is None:
            remove(document.fields, path)
        else:
            put(document.fields, path, value)


def transform(document: Any, change: Any, now: Any) -> Any:
    """Apply one FieldTransform; return what its result reports."""
    path = path_of(change.field_path)
    before = get(document.fields, path)
    match change.WhichOneof("transform_type"):
        case "set_to_server_value":
            after = Value.pb()(timestamp_value=to_milliseconds(now))
            reported = after
        case "increment":
            reported = after = added(before, change.increment)
        case "maximum":
            reported = after = largest(before, change.maximum, sign=1)
        case "minimum":
            reported = after = largest(before, change.minimum, sign=-1)
        case "append_missing_elements":
            after = array(united(elements(before), change.append_missing_elements.values))
            reported = Value.pb()(null_value=0)
        case "remove_all_from_array":
            unwanted = [sort_key(each) for each in change.remove_all_from_array.values]
            after = array(each for each in elements(before) if sort_key(each) not in unwanted)
            reported = Value.pb()(null_value=0)
        case _:
            raise invalid("A field transform must say what to do.")
    kept = Value.pb()()
    kept.CopyFrom(after)
    put(document.fields, path, kept)
    return reported


def to_milliseconds(now: Any) -> Any:
    """Request time, as Firestore writes it into documents: whole milliseconds."""
    rounded = Timestamp()
    rounded.FromMilliseconds(now.ToMilliseconds())
    return rounded


def number(value: Any | None) -> int | float | None:
    match value.WhichOneof("value_type") if value is not None else None:
        case "integer_value":
            return int(value.integer_value)  # type: ignore[union-attr]
        case "double_value":
            return float(value.double_value)  # type: ignore[union-attr]
    return None


def added(before: Any | None, increment: Any) -> Any:
    """The sum; what is not a number counts as absent, and whole numbers stop at 64 bits."""
    start, step = number(before), number(increment)
    if step is None:
        raise invalid("An increment must be a number.")
    total = step if start is None else start + step
    if isinstance(total, float):
        return Value.pb()(double_value=total)
    return Value.pb()(integer_value=max(-(2**63), min(total, 2**63 - 1)))


def largest(before: Any | None, other: Any, *, sign: int) -> Any:
    mine, its = number(before), number(other)
    if its is None:
        raise invalid("maximum and minimum take a number.")
    return before if mine is not None and mine * sign >= its * sign else other


def elements(value: Any | None) -> list[Any]:
    return list(value.array_value.values) if value is not None else []


def united(start: list[Any], more: Iterable[Any]) -> list[Any]:
    known = [sort_key(each) for each in start]
    result = list(start)
    for each in more:
        if sort_key(each) not in known:
            known.append(sort_key(each))
            result.append(each)
    return result


def array(values: Iterable[Any]) -> Any:
    made = Value.pb()()
    made.array_value.SetInParent()
    made.array_value.values.extend(values)
    return made


def masked(document: Any, request: Any) -> Any:
    """The document, or of it the fields that the request's mask names."""
    return only(document, request.mask.field_paths) if request.HasField("mask") else document


def projected(document: Any, query: Any) -> Any:
    return only(document, [each.field_path for each in query.select.fields]) if query.HasField("select") else document


def only(document: Any, paths: Iterable[str]) -> Any:
    part = Document.pb()(name=document.name, create_time=document.create_time, update_time=document.update_time)
    for path in map(path_of, paths):
        if path != (NAME_FIELD,) and (value := get(document.fields, path)) is not None:
            put(part.fields, path, value)
    return part


# The order of a query's results

Orders = list[tuple[tuple[str, ...], bool]]  # field path, descending


def implied_orders(query: Any) -> Orders:
    """What the query orders by, said and unsaid: its own, then fields under inequalities, then the document's name."""
    orders = [(path_of(each.field.field_path), each.direction == DESCENDING) for each in query.order_by]
    descending = orders[-1][1] if orders else False
    unsaid = sorted(path_of(text) for text in set(unequal_fields(query.where)))
    for path in [*unsaid, (NAME_FIELD,)]:
        if path not in [known for known, _ in orders]:
            orders.append((path, descending))
    return orders


def position(document: Any, orders: Orders) -> list[Any]:
    return [sort_key(value_in(document, path)) for path, _ in orders]


def compare(a: list[Any], b: list[Any], orders: Orders) -> int:
    """-1, 0 or 1 for *a* before, at or after *b*; only as many fields count as both have."""
    for mine, its, (_, descending) in zip(a, b, orders, strict=False):
        if mine != its:
            return 1 if (mine > its) != descending else -1
    return 0


def _beyond(document: Any, cursor: Any, orders: Orders) -> bool:
    """Whether *document* lies after the cursor; ``before`` puts the cursor before its own position, not after."""
    order = compare(position(document, orders), [sort_key(value) for value in cursor.values], orders)
    if order == 0:
        return bool(cursor.before)
    return order > 0


def aggregate(found: list[Any], aggregation: Any) -> Any:
    """The Value of a count, sum or average."""
    kind = aggregation.WhichOneof("operator")
    if kind == "count":
        up_to = aggregation.count.up_to.value if aggregation.count.HasField("up_to") else len(found)
        return Value.pb()(integer_value=min(len(found), up_to))
    path = path_of(getattr(aggregation, kind).field.field_path)
    numbers = [n for n in (number(get(document.fields, path)) for document in found) if n is not None]
    if kind == "avg":
        return Value.pb()(double_value=sum(numbers) / len(numbers)) if numbers else Value.pb()(null_value=0)
    total = sum(numbers)
    return Value.pb()(double_value=total) if isinstance(total, float) else Value.pb()(integer_value=total)
