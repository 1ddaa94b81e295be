"""Firestore: one contract for the official emulator and for our stand-in, through Google's own async client."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ServiceUnavailable,
)
from google.cloud import firestore
from google.cloud.firestore_v1.async_transaction import AsyncTransaction
from google.cloud.firestore_v1.base_query import And, FieldFilter, Or

from emulators.faults import Fault, Faults
from emulators.firestore import Firestore


@pytest.fixture(scope="module")
async def emulator(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firestore]:
    emulator = Firestore(state_dir=tmp_path_factory.mktemp("firestore"), faults=Faults(), env=environ)
    await emulator.start()
    if emulator.status.kind == "stand-in" and environ.get("ANCHOR_EMULATORS") != "stand-in":
        await emulator.stop()
        pytest.skip(f"no official emulator: {emulator.status.note}")
    yield emulator
    await emulator.stop()


@pytest.fixture
async def db(emulator: Firestore, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[firestore.AsyncClient]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.env["FIRESTORE_EMULATOR_HOST"])
    client = firestore.AsyncClient(project=f"anchor-{uuid.uuid4().hex[:8]}")
    yield client
    await client._firestore_api.transport.close()


@pytest.fixture
def doc(db: firestore.AsyncClient) -> Any:
    return db.collection("states").document("one")


async def content(document: Any) -> dict[str, Any] | None:
    return (await document.get()).to_dict()


async def test_a_document_comes_back_as_it_was_written(doc: Any) -> None:
    """Every type we store, and the times of the document."""
    when = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)
    written = {
        "text": "grün",
        "number": 7,
        "float": 1.5,
        "yes": True,
        "nothing": None,
        "bytes": b"\x00\xff",
        "when": when,
        "list": [1, "two", {"three": 3}],
        "map": {"a": {"b": 1}, "with.dot": 2},
        "empty": {},
        "none": [],
    }
    await doc.set(written)
    snapshot = await doc.get()
    assert snapshot.to_dict() == written
    assert snapshot.create_time == snapshot.update_time
    assert abs(snapshot.update_time - datetime.now(UTC)) < timedelta(minutes=1)


async def test_what_is_not_there_does_not_exist(db: Any, doc: Any) -> None:
    """Reading says so; updating fails; deleting is quiet."""
    assert not (await doc.get()).exists
    with pytest.raises(NotFound):
        await doc.update({"a": 1})
    await doc.delete()
    with pytest.raises(NotFound):
        await doc.delete(option=db.write_option(exists=True))


async def test_creating_twice_fails(doc: Any) -> None:
    """create() is for the first only: this is what makes a state single."""
    await doc.create({"a": 1})
    with pytest.raises(AlreadyExists):
        await doc.create({"a": 2})
    assert await content(doc) == {"a": 1}


async def test_set_replaces_and_merge_merges(doc: Any) -> None:
    """Nested maps are merged field by field, by path too."""
    await doc.set({"a": {"b": 1, "c": 2}, "d": 3})
    await doc.set({"a": {"c": 4}}, merge=True)
    assert await content(doc) == {"a": {"b": 1, "c": 4}, "d": 3}
    await doc.set({"a": {"b": 9, "c": 9}, "d": 9}, merge=["a.b"])
    assert await content(doc) == {"a": {"b": 9, "c": 4}, "d": 3}
    await doc.update({"a.c": firestore.DELETE_FIELD, "`e.f`": 5, "g.h": 6})
    assert await content(doc) == {"a": {"b": 9}, "d": 3, "e.f": 5, "g": {"h": 6}}
    await doc.set({"only": 1})
    assert await content(doc) == {"only": 1}


async def test_transforms(doc: Any) -> None:
    """Increment, server time (whole milliseconds), union, removal, maximum and minimum."""
    before = datetime.now(UTC) - timedelta(seconds=5)
    await doc.set({"n": 1, "list": [1, 2], "text": "x", "high": 5, "low": 5})
    await doc.update(
        {
            "n": firestore.Increment(2),
            "new": firestore.Increment(1.5),
            "text": firestore.Increment(3),
            "at": firestore.SERVER_TIMESTAMP,
            "list": firestore.ArrayUnion([2, 3, 3]),
            "high": firestore.Maximum(7),
            "low": firestore.Minimum(7),
        }
    )
    found = await content(doc)
    assert found is not None
    at = found.pop("at")
    assert before < at < datetime.now(UTC) + timedelta(seconds=5)
    assert at.microsecond % 1000 == 0
    assert found == {"n": 3, "new": 1.5, "text": 3, "list": [1, 2, 3], "high": 7, "low": 5}
    await doc.update({"list": firestore.ArrayRemove([2, 9])})
    assert (await content(doc) or {})["list"] == [1, 3]


async def test_a_precondition_on_the_update_time(db: Any, doc: Any) -> None:
    """Only the version that was read can be deleted."""
    await doc.set({"a": 1})
    read = await doc.get()
    await doc.set({"a": 2})
    with pytest.raises(FailedPrecondition):
        await doc.delete(option=db.write_option(last_update_time=read.update_time))
    current = await doc.get()
    assert current.create_time == read.create_time
    assert current.update_time > read.update_time
    await doc.delete(option=db.write_option(last_update_time=current.update_time))
    assert await content(doc) is None


async def test_a_write_that_changes_nothing_keeps_the_update_time(doc: Any) -> None:
    """The update time is that of the last change."""
    await doc.set({"a": 1})
    first = (await doc.get()).update_time
    await doc.set({"a": 1})
    assert (await doc.get()).update_time == first


async def test_a_batch_is_all_or_nothing(db: Any, doc: Any) -> None:
    """One failing write undoes the others."""
    other = db.collection("states").document("two")
    batch = db.batch()
    batch.set(doc, {"a": 1})
    batch.update(other, {"a": 1})
    with pytest.raises(NotFound):
        await batch.commit()
    assert await content(doc) is None
    batch = db.batch()
    batch.set(doc, {"a": 1})
    batch.set(other, {"a": 2})
    batch.delete(doc)
    results = await batch.commit()
    assert len(results) == 3
    assert (await content(doc), await content(other)) == (None, {"a": 2})


async def test_many_documents_in_one_read(db: Any) -> None:
    """get_all gives each, missing ones too, and only the fields asked for."""
    refs = [db.collection("many").document(name) for name in "abc"]
    await refs[0].set({"x": 1, "y": 1})
    await refs[2].set({"x": 3, "y": 3})
    found = {snapshot.id: snapshot.to_dict() async for snapshot in db.get_all(refs, field_paths=["x"])}
    assert found == {"a": {"x": 1}, "b": None, "c": {"x": 3}}


async def at_once(db: Any, attempt: Callable[[AsyncTransaction, str], Awaitable[Any]]) -> list[Any]:
    """What two transactions running at once come to; one that had to give way tries again alone.

    Left to the client's own retries, two can take their locks back from each other until neither has a try left.
    """

    async def run(name: str) -> Any:
        return await firestore.async_transactional(attempt)(db.transaction(max_attempts=1), name)

    ended = await asyncio.gather(*(run(name) for name in "ab"), return_exceptions=True)
    return [await run(name) if isinstance(end, ValueError) else end for name, end in zip("ab", ended, strict=True)]


async def test_transactions_do_not_lose_updates(db: Any, doc: Any) -> None:
    """Two counters at once count to two."""
    await doc.set({"n": 0})

    async def count(transaction: AsyncTransaction, _: str) -> None:
        found = await doc.get(transaction=transaction)
        await asyncio.sleep(0.01)
        transaction.update(doc, {"n": found.get("n") + 1})

    assert await at_once(db, count) == [None, None]
    assert await content(doc) == {"n": 2}


async def test_only_one_transaction_takes_a_state(db: Any, doc: Any) -> None:
    """Read, check, delete: an OAuth state is spent once, though two come with it."""
    await doc.set({"state": "x"})

    async def spend(transaction: AsyncTransaction, _: str) -> bool:
        found = await doc.get(transaction=transaction)
        if not found.exists:
            return False
        transaction.delete(doc)
        return True

    assert sorted(await at_once(db, spend)) == [False, True]


async def test_a_query_in_a_transaction_guards_against_newcomers(db: Any) -> None:
    """Two that each add a row only if there is none end with one row."""
    rows = db.collection("rows")

    async def add(transaction: AsyncTransaction, name: str) -> None:
        found = [row async for row in rows.where(filter=FieldFilter("kind", "==", "x")).stream(transaction=transaction)]
        await asyncio.sleep(0.01)
        if not found:
            transaction.set(rows.document(name), {"kind": "x"})

    assert await at_once(db, add) == [None, None]
    assert len(await rows.get()) == 1


async def test_a_failing_transaction_changes_nothing(db: Any, doc: Any) -> None:
    """It is rolled back; a read-only one may not write."""
    await doc.set({"n": 0})

    @firestore.async_transactional
    async def fail(transaction: AsyncTransaction) -> None:
        transaction.update(doc, {"n": 1})
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await fail(db.transaction())
    assert await content(doc) == {"n": 0}


@pytest.fixture
async def people(db: Any) -> Any:
    """Five people, written out of order; one has no age."""
    people = db.collection("people")
    rows = {
        "eve": {"name": "Eve", "age": 50, "tags": ["a", "b"], "home": {"city": "Ulm"}},
        "adam": {"name": "Adam", "age": 30, "tags": ["b"], "home": {"city": "Bonn"}},
        "carl": {"name": "Carl", "age": 30.5, "tags": [], "home": {"city": "Ulm"}},
        "bea": {"name": "Bea", "age": "old", "tags": ["c"], "home": {"city": "Kiel"}},
        "dora": {"name": "Dora", "age": None, "home": {"city": "Bonn"}},
    }
    await asyncio.gather(*(people.document(name).set(row) for name, row in rows.items()))
    await people.document("finn").set({"name": "Finn"})
    await people.document("adam").collection("people").document("child").set({"name": "Child", "age": 1})
    return people


FILTERS = {
    "equal": (FieldFilter("age", "==", 30), ["adam"]),
    "equal across number types": (FieldFilter("age", "==", 30.0), ["adam"]),
    "nested": (FieldFilter("home.city", "==", "Ulm"), ["carl", "eve"]),
    "above": (FieldFilter("age", ">", 30), ["carl", "eve"]),
    "from": (FieldFilter("age", ">=", 30), ["adam", "carl", "eve"]),
    "below": (FieldFilter("age", "<", 50), ["adam", "carl"]),
    "other than": (FieldFilter("age", "!=", 30), ["carl", "eve", "bea"]),
    "null": (FieldFilter("age", "==", None), ["dora"]),
    "not null": (FieldFilter("age", "!=", None), ["adam", "carl", "eve", "bea"]),
    "in": (FieldFilter("name", "in", ["Eve", "Bea", "X"]), ["bea", "eve"]),
    "not in": (FieldFilter("name", "not-in", ["Eve", "Bea"]), ["adam", "carl", "dora", "finn"]),
    "contains": (FieldFilter("tags", "array_contains", "b"), ["adam", "eve"]),
    "contains any": (FieldFilter("tags", "array_contains_any", ["a", "c"]), ["bea", "eve"]),
    "and": (And([FieldFilter("age", ">", 10), FieldFilter("home.city", "==", "Ulm")]), ["carl", "eve"]),
    "or": (Or([FieldFilter("name", "==", "Eve"), FieldFilter("home.city", "==", "Bonn")]), ["adam", "dora", "eve"]),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(people: Any, name: str) -> None:
    """What is found, in the order that the filter implies."""
    condition, expected = FILTERS[name]
    assert [found.id for found in await people.where(filter=condition).get()] == expected


async def test_order_limit_and_cursors(people: Any) -> None:
    """Types before values; documents without the field are left out; pages by cursor and by offset."""

    async def ids(query: Any) -> list[str]:
        return [found.id for found in await query.get()]

    by_age = people.order_by("age")
    assert await ids(by_age) == ["dora", "adam", "carl", "eve", "bea"]
    assert await ids(people.order_by("age", direction="DESCENDING").limit(2)) == ["bea", "eve"]
    assert await ids(people.order_by("home.city").order_by("name", direction="DESCENDING")) == [
        *("dora", "adam", "bea", "eve", "carl"),
    ]
    assert await ids(by_age.start_at({"age": 30}).limit(2)) == ["adam", "carl"]
    assert await ids(by_age.start_after({"age": 30}).end_at({"age": 50})) == ["carl", "eve"]
    assert await ids(by_age.end_before({"age": 30.5})) == ["dora", "adam"]
    assert await ids(by_age.offset(3)) == ["eve", "bea"]
    assert await ids(by_age.start_after(await people.document("carl").get())) == ["eve", "bea"]
    assert await ids(people.order_by("__name__").limit(2)) == ["adam", "bea"]


async def test_projection_groups_and_counts(db: Any, people: Any) -> None:
    """select() gives some fields; a collection group looks below; count, sum and average are computed there."""
    [found] = await people.where(filter=FieldFilter("name", "==", "Eve")).select(["age", "home.city"]).get()
    assert found.to_dict() == {"age": 50, "home": {"city": "Ulm"}}
    group = await db.collection_group("people").where(filter=FieldFilter("name", "==", "Child")).get()
    assert [each.reference.path for each in group] == ["people/adam/people/child"]
    numbers = people.where(filter=FieldFilter("age", ">", 0))
    [[count]] = await numbers.count(alias="all").get()
    assert (count.alias, count.value) == ("all", 3)
    [[total]] = await numbers.sum("age").get()
    [[mean]] = await numbers.avg("age").get()
    assert (total.value, mean.value) == (110.5, pytest.approx(110.5 / 3))
    [[none]] = await people.where(filter=FieldFilter("name", "==", "Nobody")).count().get()
    assert none.value == 0
    assert await people.where(filter=FieldFilter("name", "==", "Nobody")).get() == []


async def test_documents_and_collections_are_listed(db: Any, people: Any) -> None:
    """By name, with those that only hold others."""
    await db.document("people/ghost/notes/one").set({"a": 1})
    assert [ref.id async for ref in people.list_documents(page_size=2)] == [
        *("adam", "bea", "carl", "dora", "eve", "finn", "ghost"),
    ]
    assert [ref.id async for ref in people.document("ghost").collections()] == ["notes"]


async def test_wrong_requests_are_refused_alike(db: Any, doc: Any) -> None:
    """Reserved names and documents beyond 1 MiB."""
    with pytest.raises(InvalidArgument):
        await doc.set({"__reserved__": 1})
    with pytest.raises(InvalidArgument):
        await db.collection("states").document("__x__").set({"a": 1})
    with pytest.raises(InvalidArgument):
        await doc.set({"large": "x" * 1024 * 1024})


async def test_faults_reach_the_client(tmp_path: Any, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in can be made to fail."""
    emulator = Firestore(state_dir=tmp_path, faults=faults, env={"ANCHOR_EMULATORS": "stand-in"})
    await emulator.start()
    try:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.env["FIRESTORE_EMULATOR_HOST"])
        client = firestore.AsyncClient(project="anchor-local")
        faults.put("firestore", Fault(status=503))
        with pytest.raises(ServiceUnavailable):
            await client.collection("states").document("one").set({"a": 1}, retry=None)
        await client._firestore_api.transport.close()
    finally:
        await emulator.stop()
        await emulator.stop()
