"""Whatever is sent to the portal's functions, the answer is a plain one: no crash, no hang, the field named."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from shared import manifest
from shared.manifest import Function
from tests.functions.conftest import World
from tests.functions.portal import create_client, link_of, png

AREAS = ("files", "notifications", "documents", "clients", "profiles", "brand", "onboarding", "emails")
HTTP = tuple(function for function in manifest.by_trigger("http") if function.area in AREAS)
JUNK: tuple[Any, ...] = (
    None,
    0,
    -1,
    10**30,
    1.5,
    True,
    "",
    " ",
    "\x00",
    "a" * 3000,
    "é\u202e😀",
    [],
    {},
    [None],
    {"a": {}},
)
FIELD = re.compile(r'"([a-zA-Z_]+)"')


def fields_of(function: Function) -> list[str]:
    """The fields of a function's body and query, by their schemas."""
    from shared.runtime.loader import load

    shape = load(function.name).shape  # type: ignore[attr-defined]
    models = [model for model in (shape.body, shape.query) if hasattr(model, "model_fields")]
    return [name for model in models for name in model.model_fields]


def paths(function: Function, **ids: str) -> list[str]:
    """The function's first path with things that exist, that do not, and that are no ids."""
    pattern = function.routes[0].partition(" ")[2]
    real = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], str(uuid4())), pattern)
    junk = ("not-a-uuid", "%00", "%27%20or%201", "..%2f..%2fetc", "%ff")
    return list(dict.fromkeys([real, *(re.sub(r"{\w+}", value, pattern) for value in junk)]))


@pytest.mark.parametrize("function", HTTP, ids=lambda function: function.name)
async def test_no_input_makes_a_function_crash(world: World, function: Function) -> None:
    """Junk in paths, bodies, queries and forms is answered with a 2xx or a 4xx in the one shape."""
    headers = await world.sign_in(await world.user("superadmin"))
    client_id, email = await create_client(world, headers, email=f"{uuid4().hex}@example.test")
    as_client = await world.sign_in(client_id)
    caller = as_client if function.access in ("portal", "auth") else headers
    token = await link_of(world, email)
    method = function.routes[0].partition(" ")[0]
    names = fields_of(function)
    sent: list[tuple[str, dict[str, Any]]] = [(path, {}) for path in paths(function, token=token, id=str(client_id))]
    path = sent[0][0]
    if method == "GET":
        sent += [(path, {"params": {name: value}}) for name in names for value in ("", "x", "-1", "\x00", "9" * 30)]
    else:
        bodies = [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"a":' * 2000]
        sent += [(path, {"content": body, "headers": {"Content-Type": "application/json"}}) for body in bodies]
        sent += [(path, {"json": {name: value}}) for name in names for value in JUNK]
        sent += [(path, {"json": dict.fromkeys(names, value)}) for value in JUNK]
        sent += [(path, {"files": {name: ("x.png", png(), "image/png")}}) for name in ("avatar", "nonsense")]
        sent += [(path, {"content": b"--x\r\n\r\n", "headers": {"Content-Type": kind}}) for kind in (
            "multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary=")]  # fmt: skip
        sent += [(path, {"data": {"deletions": "{", "user_id": "\x00", "labels": "\x00"}, "files": {}})]
    wrong = []
    for address, options in sent:
        answer = await world.call(method, address, **{**options, "headers": {**caller, **options.get("headers", {})}})
        if answer.status_code >= 500:
            wrong.append((address, str(options)[:200], answer.text[:200]))
        elif answer.status_code >= 400:
            assert answer.json()["message"], (address, options)
    assert wrong == []
