"""Writes what is derived from the manifest: ``functions.json``, ``queues.json``, ``topics.json`` and ``openapi.json``.

``python -m infra.render`` writes them, ``--check`` fails when a file differs from a fresh rendering. OpenAPI takes each
operation's shapes from the handler's annotations, so this is the one place that imports every function.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared import manifest
from shared.manifest import LINK, PUBLIC, Function
from shared.runtime.loader import load
from shared.runtime.multipart import Form

FOLDER = Path(__file__).parent / "terraform"
REF = "#/components/schemas/{model}"
ERROR = {
    "type": "object",
    "required": ["message", "code"],
    "properties": {"message": {"type": "string"}, "code": {"type": "string"}},
}


def functions() -> list[dict[str, Any]]:
    """Every function as Terraform and other tools read it; settings that do not apply are left out."""
    return [
        {name: value for name, value in asdict(function).items() if value is not None}
        | {"area": function.area, "service": function.name.replace("_", "-")}
        for function in manifest.FUNCTIONS
    ]


def queues() -> list[dict[str, Any]]:
    return [asdict(queue) for queue in manifest.QUEUES.values()]


def topics() -> list[dict[str, Any]]:
    return [
        {"name": name, "says": says, "listeners": [function.name for function in manifest.listeners(name)]}
        for name, says in manifest.TOPICS.items()
    ]


def openapi() -> dict[str, Any]:
    """OpenAPI 3.0 of every HTTP function, literal paths before templates."""
    served = {function.name: load(function.name) for function in manifest.by_trigger("http")}
    schemas, definitions = _schemas([load_.shape for load_ in served.values()])  # type: ignore[attr-defined]
    paths: dict[str, dict[str, Any]] = {}
    for function in manifest.by_trigger("http"):
        for index, route in enumerate(function.routes):
            method, _, path = route.partition(" ")
            operation = _operation(function, served[function.name], path, schemas, alias=index)
            paths.setdefault(path, {})[method.lower()] = operation
    return {
        "openapi": "3.0.4",
        "info": {"title": "Anchor Functions", "version": "1.0.0"},
        "paths": dict(sorted(paths.items(), key=lambda item: _literal_first(item[0]))),
        "components": {
            "schemas": {"Error": ERROR, **definitions},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": "session"},
            },
        },
    }


def _literal_first(path: str) -> list[tuple[bool, str]]:
    return [(segment.startswith("{"), segment) for segment in path.split("/")]


def _schemas(shapes: list[Any]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    models = {
        (model, mode)
        for shape in shapes
        for model, mode in ((shape.body, "validation"), (shape.query, "validation"), (shape.answer, "serialization"))
        if isinstance(model, type) and issubclass(model, BaseModel)
    }
    ordered = sorted(models, key=lambda pair: (pair[0].__module__, pair[0].__qualname__, pair[1]))
    references, top = models_json_schema(ordered, ref_template=REF)  # type: ignore[arg-type]
    return dict(references), top.get("$defs", {})


def _operation(function: Function, served: Any, path: str, schemas: dict[Any, Any], *, alias: int) -> dict[str, Any]:
    shape = served.shape
    operation: dict[str, Any] = {
        "operationId": function.name if alias == 0 else f"{function.name}_{alias + 1}",
        "tags": [function.area],
        "summary": (inspect.getdoc(served) or "").partition("\n")[0],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", path)
        ]
        + _query(shape, schemas),
        "responses": {
            str(shape.status): _answer(shape, schemas),
            "default": {
                "description": "What went wrong",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
        "security": [] if function.access in (PUBLIC, LINK) else [{"bearer": []}, {"session": []}],
        "x-anchor": {"function": function.name, "access": function.access, "timeout_s": function.timeout_s},
    }
    if shape.body is not None:
        schema = schemas.get((shape.body, "validation"), {"type": "object"})
        kind = "multipart/form-data" if shape.body is Form else "application/json"
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}
    return operation


def _query(shape: Any, schemas: dict[Any, Any]) -> list[dict[str, Any]]:
    if shape.query is None:
        return []
    described = shape.query.model_json_schema(ref_template=REF)
    required = described.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in described["properties"].items()
    ]


def _answer(shape: Any, schemas: dict[Any, Any]) -> dict[str, Any]:
    if shape.answer is type(None):
        return {"description": "Done"}
    schema = schemas.get((shape.answer, "serialization"), {})
    return {"description": "Success", "content": {"application/json": {"schema": schema}}}


def rendered() -> dict[Path, str]:
    """Every derived file with its fresh text."""
    made = {"functions": functions(), "queues": queues(), "topics": topics(), "openapi": openapi()}
    return {FOLDER / f"{name}.json": json.dumps(content, indent=2) + "\n" for name, content in made.items()}


def main(arguments: list[str]) -> int:
    stale = [path for path, text in rendered().items() if not path.exists() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.name} is not what the manifest says; run `make render`")
        return 1 if stale else 0
    for path, text in rendered().items():
        path.write_text(text)
    print("changed: " + ", ".join(path.name for path in stale) if stale else "nothing changed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
