"""What is derived from the manifest is fresh, and routes the same way everywhere."""

from __future__ import annotations

import json
from pathlib import Path

from infra import render
from shared.manifest import by_trigger
from shared.routing import Router

TERRAFORM = Path(render.__file__).parent / "terraform"


def test_rendered_files_are_fresh() -> None:
    """`make render` would change nothing."""
    assert [path.name for path, text in render.rendered().items() if path.read_text() != text] == []


def test_every_route_is_in_openapi_once() -> None:
    """The contract names each route of each function, and an operation once."""
    told = json.loads((TERRAFORM / "openapi.json").read_text())["paths"]
    routes = {f"{method.upper()} {path}" for path, operations in told.items() for method in operations}
    named = [operation["operationId"] for operations in told.values() for operation in operations.values()]

    assert routes == {route for function in by_trigger("http") for route in function.routes}
    assert len(named) == len(set(named))


def test_literal_paths_come_before_templates() -> None:
    """In the contract and in the router alike, a literal segment wins before a parameter."""
    paths = list(json.loads((TERRAFORM / "openapi.json").read_text())["paths"])
    router = Router.from_functions(by_trigger("http"))
    for path in paths:
        for other in paths[: paths.index(path)]:
            assert not _swallows(other, path), f"{other} stands before {path}, which it would match"
    served = router.match("GET", "/embed/script/embed.js")
    assert served is not None
    assert served.function.name == "forms_serve_embed_script"


def _swallows(template: str, path: str) -> bool:
    """Whether *template*, with its parameters, also matches the more literal *path*."""
    ours, theirs = template.split("/"), path.split("/")
    if len(ours) != len(theirs) or template == path:
        return False
    return all(a.startswith("{") or a == b for a, b in zip(ours, theirs, strict=True))
