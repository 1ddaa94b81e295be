"""Whatever the contract lets a caller send, and what it does not: an answer, and never a 5xx."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from infra import render
from tests.functions.conftest import World

EXAMPLES = 20
CONTRACT = json.loads((Path(render.__file__).parent / "terraform" / "openapi.json").read_text())
SCHEMA = schemathesis.openapi.from_dict(CONTRACT)
SCHEMA.config.base_url = "http://anchor.test"
OPERATIONS = {
    f"{method.upper()} {path}": SCHEMA[path][method.upper()]
    for path, operations in CONTRACT["paths"].items()
    for method in operations
}
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
DEADLINE_S = 20


@pytest.mark.parametrize("name", OPERATIONS)
@given(data=st.data())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
async def test_any_input_gets_an_answer(world: World, name: str, data: st.DataObject) -> None:
    """Twenty requests an operation, within its contract and outside of it, from a superadmin: no 5xx, no hang."""
    mode = data.draw(st.sampled_from(MODES))
    case = data.draw(OPERATIONS[name].as_strategy(generation_mode=mode))
    sent: dict[str, Any] = case.as_transport_kwargs(base_url="http://anchor.test")
    caller = await world.sign_in(await world.user("superadmin"))
    headers = {key: value for key, value in dict(sent.get("headers") or {}).items() if value.isascii()}
    options = {key: sent[key] for key in ("json", "data", "files", "params") if sent.get(key) is not None}
    if isinstance(options.get("data"), (bytes, str)):
        options["content"] = options.pop("data")
    if options.pop("files", None) is not None or isinstance(options.get("data"), dict | list):
        options.pop("data", None)
        options["files"] = _parts(case.body)
    async with asyncio.timeout(DEADLINE_S):
        answer = await world.call(sent["method"], sent["url"], headers={**headers, **caller}, **options)
    assert answer.status_code < 500 or answer.status_code == 503, f"{answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400 and answer.content:
        page = answer.headers["content-type"].startswith(("text/html", "text/plain"))
        unroutable = answer.status_code == 404 and "%0A" in sent["url"]  # the framework's own answer to a line break
        assert page or unroutable or "message" in answer.text


def _parts(body: Any) -> list[tuple[str, tuple[str, bytes]]]:
    """A form's fields as files, whatever they hold."""
    fields = body.items() if isinstance(body, dict) else [("file", body)]
    return [(str(name).encode("ascii", "ignore").decode(), ("a.bin", str(value).encode())) for name, value in fields]
