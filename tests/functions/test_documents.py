"""Documents: a client's own, ours for them, reviews, shared ones; and the files behind all of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx

from shared.config import DefaultDocument
from shared.gcp.storage import Storage
from tests.functions.conftest import World
from tests.functions.portal import PDF, exists, mails, run_tasks


def _pdf(field: str, *names: str) -> list[Any]:
    return [(field, (name, PDF, "application/pdf")) for name in names]


async def _signed_in(world: World, role: str = "client") -> tuple[UUID, dict[str, str]]:
    user_id = await (world.client() if role == "client" else world.user(role))
    return user_id, await world.sign_in(user_id)


async def _upload_for(world: World, admin: dict[str, str], client_id: UUID, **data: str) -> httpx.Response:
    return await world.call(
        "POST",
        "/api/hub/docs/admin/upload",
        files=_pdf("client_doc", "plan.pdf"),
        data={"user_id": str(client_id), **data},
        headers=admin,
    )


async def test_a_client_keeps_and_deletes_documents(world: World) -> None:
    """Uploads are listed newest first, open for their owner and admins only, and go with their files."""
    _, client = await _signed_in(world)
    _, other = await _signed_in(world)
    _, admin = await _signed_in(world, "admin")

    answer = await world.call(
        "POST", "/api/hub/documentsMe", files=_pdf("client_doc", "a b?.pdf", "two.pdf"), headers=client
    )

    assert answer.status_code == 200, answer.text
    docs = answer.json()["docs"]
    assert {doc["label"] for doc in docs} == {"a b?.pdf", "two.pdf"}
    assert {(doc["type"], doc["origin"], doc["review_status"]) for doc in docs} == {("client", "client", "none")}
    doc = next(doc for doc in docs if doc["name"] == "two.pdf")
    codes = [(await world.call("GET", doc["url"], headers=one)).status_code for one in (client, admin, other, {})]
    assert codes == [200, 200, 404, 401]
    strange = await world.call("DELETE", f"/api/hub/docs/{doc['id']}", headers=other)
    deleted = await world.call("DELETE", f"/api/hub/documentsMe/{doc['id']}", headers=client)
    assert (strange.status_code, deleted.status_code) == (404, 200)
    kept_as = f"docs/{doc['url'].split('/')[2]}"
    assert await exists(world, kept_as)
    assert await run_tasks(world, "files_delete") == 1
    assert not await exists(world, kept_as)
    assert (await world.call("GET", doc["url"], headers=client)).status_code == 404
    assert [left["name"] for left in (await world.call("GET", "/api/hub/docs", headers=client)).json()["docs"]] == [
        "a b?.pdf"
    ]


async def test_a_link_works_with_the_cookie_alone(world: World) -> None:
    """A page's link to a file carries no header: the session cookie opens it."""
    _, client = await _signed_in(world)
    [doc] = (await world.call("POST", "/api/hub/docs", files=_pdf("client_doc", "a.pdf"), headers=client)).json()[
        "docs"
    ]

    cookie = {"Cookie": f"session={client['Authorization'].removeprefix('Bearer ')}"}
    answer = await world.call("GET", doc["url"], headers=cookie)

    assert answer.status_code == 200 and answer.content == PDF
    assert answer.headers["content-disposition"].startswith("inline")
    assert answer.headers["cache-control"].startswith("private")


async def test_uploads_are_bounded_and_checked(world: World) -> None:
    """No file, too many files, a foreign field, a wrong type, too large a file: 400 or 413 naming the field."""
    _, client = await _signed_in(world)

    async def send(files: Any) -> httpx.Response:
        return await world.call("POST", "/api/hub/docs", files=files, headers=client)

    none = await world.call("POST", "/api/hub/docs", data={"x": "y"}, files={}, headers=client)
    empty = await send([("client_doc", ("", b"", "application/octet-stream"))])
    many = await send(_pdf("client_doc", *(f"{i}.pdf" for i in range(11))))
    foreign = await send(_pdf("shared_doc", "a.pdf"))
    html = await send([("client_doc", ("a.html", b"<script>", "text/html"))])
    lying = await send([("client_doc", ("a.pdf", b"<script>", "application/pdf"))])
    large = await send([("client_doc", ("a.pdf", PDF + b"0" * 26 * 1024 * 1024, "application/pdf"))])
    larger = await send([("client_doc", ("a.pdf", PDF + b"0" * 32 * 1024 * 1024, "application/pdf"))])

    assert [answer.status_code for answer in (none, empty, many, foreign, html, lying)] == [400] * 6
    assert all("client_doc" in answer.json()["message"] for answer in (empty, many, html, lying))
    assert [answer.status_code for answer in (large, larger)] == [413, 413]


async def test_a_review_is_asked_for_seen_and_cleared(world: World) -> None:
    """Asking tells the client once in the bell and by mail; their look at it tells staff once; clearing ends it."""
    email = f"{uuid4().hex}@example.test"
    client_id = await world.user("client", email=email)
    client = await world.sign_in(client_id)
    boss = await world.user("superadmin")
    _, admin = await _signed_in(world, "admin")

    uploaded = await _upload_for(world, admin, client_id, doc_label="Your plan", for_review="true")

    assert uploaded.status_code == 200, uploaded.text
    [doc] = uploaded.json()["docs"]
    assert (doc["label"], doc["origin"], doc["review_status"]) == ("Your plan", "admin", "pending")
    [mail] = await mails(world, email)
    assert mail["email_type"] == "document_review" and "/portal?tab=documents" in mail["text"]
    body = {"user_id": str(client_id), "doc_id": doc["id"], "review_action": "pending"}
    await world.call("POST", "/api/hub/docs/admin/review", json=body, headers=admin)
    assert len(await mails(world, email)) == 1  # it was pending already
    for _ in range(2):
        seen = await world.call("POST", f"/api/hub/docs/{doc['id']}/viewed", headers=client)
        assert seen.status_code == 200
    told = await world.db.fetchval(
        "select count(*) from notifications where user_id = $1 and meta ->> 'document_id' = $2", boss, doc["id"]
    )
    assert told == 1
    [listed] = (await world.call("GET", f"/api/hub/docs/admin/{client_id}", headers=admin)).json()["docs"]
    assert listed["review_status"] == "viewed" and listed["viewed_at"].endswith("Z")
    await world.call("POST", "/api/hub/docs/admin/review", json={**body, "review_action": "clear"}, headers=admin)
    [cleared] = (await world.call("GET", "/api/hub/docs", headers=client)).json()["docs"]
    assert (cleared["review_status"], cleared["viewed_at"]) == ("none", None)


async def test_documents_are_their_clients(world: World) -> None:
    """A document under another client's id is a 404; a client cannot delete ours; missing ids are named."""
    client_id, client = await _signed_in(world)
    stranger_id, stranger = await _signed_in(world)
    _, admin = await _signed_in(world, "admin")
    [doc] = (await _upload_for(world, admin, client_id)).json()["docs"]

    review = {"user_id": str(stranger_id), "doc_id": doc["id"], "review_action": "pending"}
    answers = [
        await world.call("POST", "/api/hub/docs/admin/review", json=review, headers=admin),
        await world.call("POST", f"/api/hub/docs/{doc['id']}/viewed", headers=stranger),
        await world.call("DELETE", f"/api/hub/docs/{doc['id']}", headers=client),
        await world.call(
            "DELETE", f"/api/hub/docs/admin/{doc['id']}", json={"user_id": str(stranger_id)}, headers=admin
        ),
        await _upload_for(world, admin, uuid4()),
    ]
    missing = await world.call("DELETE", f"/api/hub/docs/admin/{doc['id']}", json={}, headers=admin)
    done = await world.call(
        "DELETE", f"/api/hub/docs/admin/{doc['id']}", json={"user_id": str(client_id)}, headers=admin
    )

    assert [answer.status_code for answer in answers] == [404] * 5
    assert missing.status_code == 400 and "user_id" in missing.json()["message"]
    assert done.status_code == 200


async def test_shared_documents_are_for_everybody_signed_in(world: World) -> None:
    """Admins share, edit, order and delete; everybody signed in reads them in order, strangers do not."""
    await world.db.execute("delete from shared_documents")
    _, admin = await _signed_in(world, "admin")
    _, client = await _signed_in(world)

    shared = await world.call(
        "POST",
        "/api/hub/shared-docs/admin",
        files=_pdf("shared_doc", "one.pdf", "two.pdf"),
        data={"labels": ["One", "Two"], "descriptions": ["only one text"]},
        headers=admin,
    )

    assert shared.status_code == 200, shared.text
    one, two = shared.json()["shared_docs"]
    assert [(doc["label"], doc["description"]) for doc in (one, two)] == [("One", None), ("Two", None)]
    order = {"order": [{"id": one["id"], "sort_order": 2}, {"id": two["id"], "sort_order": 1}]}
    assert (
        await world.call("POST", "/api/hub/shared-docs/admin/reorder", json=order, headers=admin)
    ).status_code == 200
    half = {"order": [{"id": one["id"], "sort_order": 0}, {"id": str(uuid4()), "sort_order": 1}]}
    assert (await world.call("POST", "/api/hub/shared-docs/admin/reorder", json=half, headers=admin)).status_code == 404
    listed = (await world.call("GET", "/api/hub/shared-docs", headers=client)).json()["shared_docs"]
    assert [doc["label"] for doc in listed] == ["Two", "One"]
    assert (await world.call("GET", one["url"], headers=client)).status_code == 200
    assert (await world.call("GET", one["url"])).status_code == 401
    edited = await world.call(
        "PUT", f"/api/hub/shared-docs/admin/{one['id']}", json={"description": "Now"}, headers=admin
    )
    assert edited.json()["shared_doc"]["label"] == "One" and edited.json()["shared_doc"]["description"] == "Now"
    assert edited.json()["shared_doc"]["sort_order"] == 2
    gone = await world.call("DELETE", f"/api/hub/shared-docs/admin/{one['id']}", headers=admin)
    assert gone.status_code == 200
    await run_tasks(world, "files_delete")
    assert not await exists(world, f"docs/{one['url'].split('/')[2]}")
    full = (await world.call("GET", "/api/hub/shared-docs/admin", headers=admin)).json()["shared_docs"]
    assert full[0]["creator_email"] and full[0]["label"] == "Two"


async def test_an_old_path_is_served_to_whoever_its_row_names(world: World) -> None:
    """A path of the old server's public folder opens for its client and admins; without a row it is nothing."""
    client_id, client = await _signed_in(world)
    _, other = await _signed_in(world)
    path = f"/uploads/docs/{uuid4().hex}-old plan.pdf"
    await world.services.storage.put(path.removeprefix("/uploads/"), PDF, content_type="application/pdf")
    unlisted = f"/uploads/docs/{uuid4().hex}.pdf"
    await world.services.storage.put(unlisted.removeprefix("/uploads/"), PDF, content_type="application/pdf")
    await world.db.execute(
        "insert into documents (user_id, label, name, url) values ($1, 'Old', 'old.pdf', $2)", client_id, path
    )

    found = await world.call("GET", path.replace(" ", "%20"), headers=client)
    codes = [
        (await world.call("GET", address, headers=headers)).status_code
        for address, headers in ((path, other), (path, {}), (unlisted, client), ("/uploads/docs/..%2fx", client))
    ]

    assert found.status_code == 200 and found.content == PDF
    assert codes == [404, 401, 404, 404]


async def test_what_no_row_took_is_swept(world: World) -> None:
    """A file whose request died between bucket and database is deleted within hours; a used one stays."""
    client_id, client = await _signed_in(world)
    [doc] = (await world.call("POST", "/api/hub/docs", files=_pdf("client_doc", "a.pdf"), headers=client)).json()[
        "docs"
    ]
    used, left = doc["url"].split("/")[2], uuid4()
    await world.services.storage.put(f"docs/{left}", PDF, content_type="application/pdf")
    await world.db.execute(
        """insert into stored_files (id, folder, name, content_type, size_bytes, audience, owner_id, created_at)
           values ($1, 'docs', 'a.pdf', 'application/pdf', 1, 'owner', $2, now() - interval '2 hours')""",
        left, client_id,
    )  # fmt: skip
    await world.db.execute("update stored_files set created_at = now() - interval '2 hours' where id = $1", UUID(used))

    assert (await world.run_schedule("files_sweep")).status_code == 204
    await run_tasks(world, "files_delete")

    assert not await exists(world, f"docs/{left}")
    assert await exists(world, f"docs/{used}")


async def test_a_bucket_that_is_down_loses_nothing(world: World) -> None:
    """When the bucket cannot be reached an upload is a 503 and leaves no document behind; deleting waits for it."""
    _, client = await _signed_in(world)
    up = world.services.storage
    from dataclasses import replace

    down = Storage(replace(world.services.settings, storage_emulator_host="http://127.0.0.1:9"))
    world.services.__dict__["storage"] = down
    try:
        answer = await world.call("POST", "/api/hub/docs", files=_pdf("client_doc", "a.pdf"), headers=client)
        waiting = await world.deliver_task("files_delete", {"objects": ["docs/x"]})
    finally:
        world.services.__dict__["storage"] = up
        await down.close()

    assert (answer.status_code, waiting.status_code) == (503, 503)
    assert (await world.call("GET", "/api/hub/docs", headers=client)).json()["docs"] == []


async def test_default_documents_come_first(world: World) -> None:
    """Configured documents head every list; looking at one is fine and changes nothing."""
    from dataclasses import replace

    _, client = await _signed_in(world)
    await world.call("POST", "/api/hub/docs", files=_pdf("client_doc", "a.pdf"), headers=client)
    before = world.services.settings
    world.services.settings = replace(
        before,
        default_documents=(DefaultDocument(id="terms", label="Terms", url="https://anchor.test/terms.pdf"),),
    )
    try:
        docs = (await world.call("GET", "/api/hub/docs", headers=client)).json()["docs"]
        seen = await world.call("POST", "/api/hub/docs/terms/viewed", headers=client)
    finally:
        world.services.settings = before

    assert (docs[0]["id"], docs[0]["type"], docs[0]["origin"]) == ("terms", "default", "default")
    assert len(docs) == 2 and seen.status_code == 200


async def test_a_file_can_be_asked_about_without_its_bytes(world: World) -> None:
    """HEAD answers as GET does, without a body: previews use it."""
    _, client = await _signed_in(world)
    [doc] = (await world.call("POST", "/api/hub/docs", files=_pdf("client_doc", "a.pdf"), headers=client)).json()[
        "docs"
    ]

    answer = await world.call("HEAD", doc["url"], headers=client)

    assert answer.status_code == 200 and answer.headers["content-length"] == str(len(PDF))
