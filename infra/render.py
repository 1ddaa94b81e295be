"""Writes what is derived from the manifest: the JSON files of ``infra/terraform`` and the OpenAPI document.

``python -m infra.render`` writes them, ``--check`` fails when a file differs from a fresh rendering. ``openapi.json``
takes each operation's shapes from the handler's annotations, so this is the one place that imports every function.
``gateway.json`` is the same API as API Gateway wants it: paths and back ends, no shapes (the functions check those).
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared import manifest
from shared.manifest import LINK, PUBLIC, Area, Function
from shared.runtime.loader import load
from shared.runtime.multipart import Form

FOLDER = Path(__file__).parent / "terraform"
REF = "#/components/schemas/{model}"
ERROR = {
    "type": "object",
    "required": ["message", "code"],
    "properties": {"message": {"type": "string"}, "code": {"type": "string"}},
}


# How long each layer waits beyond the handler's own limit, so that the handler's 504 is the one that is seen. A cold
# start comes on top of the handler's time.
COLD_START_S = 20
GATEWAY_MARGIN_S = 5


def functions(chosen: Iterable[Function]) -> list[dict[str, Any]]:
    """Every function as Terraform and other tools read it; settings that do not apply are left out."""
    return [
        {name: value for name, value in asdict(function).items() if value is not None}
        | {
            "area": function.area,
            "service": service(function),
            "request_timeout_s": function.timeout_s + COLD_START_S,
        }
        for function in chosen
    ]


def service(function: Function) -> str:
    """The Cloud Run service's name: the function's, with dashes."""
    return function.name.replace("_", "-")


def areas(chosen: Iterable[Function]) -> list[dict[str, Any]]:
    """What the service account of each area that has a function may use; Terraform grants just this."""
    queue_of = {function.name: function.queue for function in manifest.by_trigger("task")}
    used = sorted({function.area for function in chosen})
    return [
        {
            "name": area.name,
            "secrets": [*manifest.COMMON_SECRETS, *area.secrets],
            "queues": sorted({queue_of[name] or "" for name in area.enqueues}),
            "topics": sorted(area.publishes),
            "google": sorted(area.google),
        }
        for area in (manifest.AREAS.get(name, Area(name=name)) for name in used)
    ]


def queues() -> list[dict[str, Any]]:
    return [asdict(queue) for queue in manifest.QUEUES.values()]


def topics(chosen: Iterable[Function]) -> list[dict[str, Any]]:
    listeners: dict[str, list[str]] = {}
    for function in chosen:
        if function.topic:
            listeners.setdefault(function.topic, []).append(function.name)
    return [
        {"name": name, "says": says, "attempts": manifest.EVENT_ATTEMPTS, "listeners": listeners.get(name, [])}
        for name, says in manifest.TOPICS.items()
    ]


def openapi(chosen: Iterable[Function]) -> dict[str, Any]:
    """OpenAPI 3.1 of every HTTP function, literal paths before templates; pydantic writes 3.1's JSON Schema."""
    public = [function for function in chosen if function.trigger == "http"]
    served = {function.name: load(function.name) for function in public}
    schemas, definitions = _schemas([load_.shape for load_ in served.values()])  # type: ignore[attr-defined]
    paths: dict[str, dict[str, Any]] = {}
    for function in public:
        for index, route in enumerate(function.routes):
            method, _, path = route.partition(" ")
            operation = _operation(function, served[function.name], path, schemas, alias=index)
            paths.setdefault(path, {})[method.lower()] = operation
    return {
        "openapi": "3.1.1",
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


def gateway(chosen: Iterable[Function]) -> dict[str, Any]:
    """The OpenAPI 3.0 document of API Gateway, a template: Terraform fills in ``${project_number}`` and ``${region}``.

    Every function is a named back end at its own address, called with an identity token for that address, with the
    caller's path appended. No ``security``: access tokens are ours (HS256), so the function checks them. Each path
    gets OPTIONS, so that a browser's preflight reaches a function, which alone knows the CORS policy.

    Raises ValueError when functions of different CORS policies share a path: one preflight cannot speak for both.
    Source: https://docs.cloud.google.com/api-gateway/docs/oasv3-extensions
    """
    public = [function for function in chosen if function.trigger == "http"]
    on_path: dict[str, list[Function]] = {}
    paths: dict[str, dict[str, Any]] = {}
    for function in public:
        for index, route in enumerate(function.routes):
            method, _, path = route.partition(" ")
            on_path.setdefault(path, []).append(function)
            name = function.name if index == 0 else f"{function.name}_{index + 1}"
            paths.setdefault(path, {})[method.lower()] = _gateway_operation(name, path, function)
    for number, (path, there) in enumerate(on_path.items(), start=1):
        if len({function.embeddable for function in there}) > 1:
            raise ValueError(f"{path} is served by functions of different CORS policies")
        paths[path]["options"] = _gateway_operation(f"preflight_{number}", path, there[0])
    return {
        "openapi": "3.0.4",
        "info": {"title": "Anchor Functions", "version": "1.0.0"},
        "x-google-api-management": {"backends": {function.name: _backend(function) for function in public}},
        "paths": dict(sorted(paths.items(), key=lambda item: _literal_first(item[0]))),
    }


def _backend(function: Function) -> dict[str, Any]:
    address = f"https://{service(function)}-${{project_number}}.${{region}}.run.app"
    return {
        "address": address,
        "jwtAudience": address,
        "pathTranslation": "APPEND_PATH_TO_ADDRESS",
        "deadline": float(function.timeout_s + COLD_START_S + GATEWAY_MARGIN_S),
        "protocol": "h2",
    }


def _gateway_operation(name: str, path: str, function: Function) -> dict[str, Any]:
    return {
        "operationId": name,
        "x-google-backend": function.name,
        "parameters": _path_parameters(path),
        "responses": {"default": {"description": "What the function answers"}},
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


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
        "parameters": _path_parameters(path) + _query(shape, schemas),
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


def infrastructure(chosen: Iterable[Function] = manifest.FUNCTIONS) -> dict[str, Any]:
    """What Terraform reads, by file name; needs no handler."""
    chosen = tuple(chosen)
    return {
        "functions": functions(chosen),
        "areas": areas(chosen),
        "queues": queues(),
        "topics": topics(chosen),
        "gateway": gateway(chosen),
    }


def rendered() -> dict[Path, str]:
    """Every derived file with its fresh text."""
    made = {**infrastructure(), "openapi": openapi(manifest.FUNCTIONS)}
    return {FOLDER / f"{name}.json": as_text(content) for name, content in made.items()}


def as_text(content: Any) -> str:
    return json.dumps(content, indent=2) + "\n"


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
