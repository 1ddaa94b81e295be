"""A stand-in for Vertex AI: the real gRPC PredictionService, answering for Gemini, in text and in pictures.

Answers come from ``vertex_answers`` or, for tests, from what ``configure`` was given. Of each request the newest few
hundred are kept for the console. A token is taken to be four characters.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from google.cloud.aiplatform_v1.types import (
    Candidate,
    GenerateContentRequest,
    GenerateContentResponse,
    GenerationConfig,
    Type,
)
from google.protobuf import json_format

from emulators.component import Status
from emulators.faults import GRPC_CODES, Faults
from emulators.grpc_service import LocalServer, Method, Refused, invalid, not_found, service
from emulators.vertex_answers import SIZES, Prompt, answer, png

NAME = "vertex"
SERVICE = "google.cloud.aiplatform.v1.PredictionService"
KEPT_PROMPTS = 300
CHARACTERS_PER_TOKEN = 4
CHUNK = 200  # characters of one streamed answer
MODEL = re.compile(r"projects/[^/]+/locations/[^/]+/publishers/google/models/([A-Za-z0-9._@-]+)")
BLOCKING = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}  # finish reasons without content


@dataclass(frozen=True, slots=True)
class Canned:
    """An answer given to every prompt that contains a certain text.

    ``finish_reason`` as in ``Candidate.FinishReason``; ``blocked`` refuses the prompt itself; ``status`` is an HTTP
    status, answered as the gRPC code it stands for.
    """

    text: str = ""
    finish_reason: str = "STOP"
    blocked: bool = False
    status: int | None = None
    latency_ms: int = 0

    @classmethod
    def read(cls, given: str | Mapping[str, Any]) -> Canned:
        canned = cls(text=given) if isinstance(given, str) else cls(**given)
        if canned.finish_reason not in Candidate.FinishReason.__members__:
            raise ValueError(f"unknown finish_reason {canned.finish_reason!r}")
        return canned


class Vertex:
    """gRPC ``google.cloud.aiplatform.v1.PredictionService`` on a free loopback port."""

    def __init__(self, faults: Faults):
        self.status = Status(NAME, "stand-in")
        self.env: dict[str, str] = {}
        self._faults = faults
        self._server = LocalServer()
        self._prompts: deque[dict[str, Any]] = deque(maxlen=KEPT_PROMPTS)
        self._canned: dict[str, Canned] = {}
        self._missing_models: set[str] = set()
        self._latency_ms = 0

    async def start(self) -> None:
        methods = {
            "GenerateContent": Method(GenerateContentRequest.pb(), self._generate),
            "StreamGenerateContent": Method(GenerateContentRequest.pb(), self._stream, streams=True),
        }
        self.status.port = await self._server.start(service(SERVICE, NAME, self._faults, methods))
        self.status.ready = True
        self.env = {"VERTEX_EMULATOR_HOST": f"{self.status.host}:{self.status.port}"}

    async def stop(self) -> None:
        self.status.ready = False
        await self._server.stop()

    def prompts(self) -> list[dict[str, Any]]:
        """The newest requests, oldest first: at, model, system, text, media, config, answer, finish_reason."""
        return list(self._prompts)

    def settings(self) -> dict[str, Any]:
        """What ``configure`` set, in its own shape."""
        return {
            "answers": {text: asdict(canned) for text, canned in self._canned.items()},
            "latency_ms": self._latency_ms,
            "missing_models": sorted(self._missing_models),
        }

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Set any of ``answers`` (substring → text, or the fields of Canned), ``latency_ms``, ``missing_models``.

        Each one given replaces what was set before. Raises ValueError or TypeError, and changes nothing, if one of
        them cannot be read.
        """
        if unknown := set(settings) - {"answers", "latency_ms", "missing_models"}:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        canned = {text: Canned.read(given) for text, given in settings.get("answers", {}).items()}
        latency_ms = int(settings.get("latency_ms", self._latency_ms))
        self._canned = canned if "answers" in settings else self._canned
        self._latency_ms = latency_ms
        self._missing_models = set(settings.get("missing_models", self._missing_models))

    def clear(self) -> None:
        """Forget the prompts received."""
        self._prompts.clear()

    async def _generate(self, request: Any) -> Any:
        model = self._model(request.model)
        if not any(content.parts for content in request.contents):
            raise invalid("Unable to submit request because at least one contents field is required.")
        system, user = text_of([request.system_instruction]), text_of(request.contents)
        canned = await self._canned_for(f"{system}\n{user}")
        config = request.generation_config
        if canned is not None:
            text, finish = canned.text, canned.finish_reason
        else:
            text, finish = answer(Prompt.read(system, user, schema_of(config), wants_json(config))), "STOP"
        longest = config.max_output_tokens * CHARACTERS_PER_TOKEN
        if longest and len(text) > longest:
            text, finish = text[:longest], "MAX_TOKENS"
        blocked = canned is not None and canned.blocked
        self._record(model, system, user, request, "" if blocked else text, "BLOCKED" if blocked else finish)
        whole = response(model, system + user, text, finish, blocked=blocked)
        if GenerationConfig.Modality.IMAGE in config.response_modalities:
            self._paint(whole, model, user, config.image_config.aspect_ratio or "1:1")
        return whole

    def _paint(self, whole: Any, model: str, prompt: str, ratio: str) -> None:
        """Add a picture of the prompt to an answer that is not withheld."""
        if "image" not in model:
            raise invalid(f"Model {model} does not support the requested response modalities: image.")
        if ratio not in SIZES:
            raise invalid(f"Unable to submit request because aspect ratio {ratio} is not supported.")
        for candidate in whole.candidates:
            if candidate.content.parts:
                blob = candidate.content.parts.add().inline_data
                blob.mime_type, blob.data = "image/png", png(prompt, ratio)

    async def _stream(self, request: Any) -> AsyncIterator[Any]:
        whole = await self._generate(request)
        if not whole.candidates or not whole.candidates[0].content.parts:
            yield whole
            return
        text = whole.candidates[0].content.parts[0].text
        for start in range(0, len(text), CHUNK):
            chunk = GenerateContentResponse.pb()()
            chunk.CopyFrom(whole)
            chunk.candidates[0].content.parts[0].text = text[start : start + CHUNK]
            if start + CHUNK < len(text):  # only the last chunk says how it ended and what it cost
                chunk.candidates[0].ClearField("finish_reason")
                chunk.ClearField("usage_metadata")
            yield chunk

    def _model(self, name: str) -> str:
        match = MODEL.fullmatch(name)
        if match is None:
            raise invalid(f"Invalid model name: {name!r}")
        if match[1] in self._missing_models:
            raise not_found(f"Publisher Model `{name}` was not found or your project does not have access to it.")
        return match[1]

    async def _canned_for(self, prompt: str) -> Canned | None:
        """The canned answer for *prompt*, after the waits that were asked for."""
        canned = next((canned for text, canned in self._canned.items() if text in prompt), None)
        await asyncio.sleep((self._latency_ms + (canned.latency_ms if canned else 0)) / 1000)
        if canned is not None and canned.status is not None:
            raise Refused(GRPC_CODES[canned.status], "canned failure")
        return canned

    def _record(self, model: str, system: str, user: str, request: Any, text: str, finish: str) -> None:
        parts = [part for content in request.contents for part in content.parts]
        media = [part.inline_data.mime_type for part in parts if part.HasField("inline_data")]
        config = json_format.MessageToDict(request.generation_config, preserving_proto_field_name=True)
        self._prompts.append(
            {
                "at": time.time(),
                "model": model,
                "system": system,
                "text": user,
                "media": media,
                "config": config,
                "answer": text,
                "finish_reason": finish,
            }
        )


def text_of(contents: Any) -> str:
    """The text parts of *contents*, a line break between them."""
    return "\n".join(part.text for content in contents for part in content.parts if part.text)


def wants_json(config: Any) -> bool:
    return str(config.response_mime_type) == "application/json"


def schema_of(config: Any) -> dict[str, Any] | None:
    """The JSON Schema a request gave, in either of the two ways; None if it gave none."""
    if config.HasField("response_json_schema"):
        given: dict[str, Any] = json_format.MessageToDict(config.response_json_schema)
        return given
    return json_schema(config.response_schema) if config.HasField("response_schema") else None


def json_schema(schema: Any) -> dict[str, Any]:
    """Google's OpenAPI ``Schema`` message as JSON Schema, in the keywords ``vertex_answers.fit`` knows."""
    names = {"min_items": "minItems", "max_items": "maxItems", "min_length": "minLength", "max_length": "maxLength"}
    plain = {to: getattr(schema, name) for name, to in names.items() if getattr(schema, name)}
    bounds = {name: getattr(schema, name) for name in ("minimum", "maximum") if getattr(schema, name)}
    result: dict[str, Any] = {"type": Type(schema.type_).name.lower(), **plain, **bounds}
    if result["type"] == "type_unspecified":
        result["type"] = "object" if schema.properties else "string"
    if schema.enum:
        result["enum"] = list(schema.enum)
    if schema.properties:
        order = list(schema.property_ordering) or sorted(schema.properties)
        result["properties"] = {name: json_schema(schema.properties[name]) for name in order}
    if schema.HasField("items"):
        result["items"] = json_schema(schema.items)
    if schema.any_of:
        result["anyOf"] = [json_schema(choice) for choice in schema.any_of]
    return result


def response(model: str, prompt: str, text: str, finish: str, *, blocked: bool) -> Any:
    """A GenerateContentResponse: one candidate, or none and the reason when the prompt was blocked."""
    message = GenerateContentResponse.pb()(model_version=model)
    if blocked:
        message.prompt_feedback.block_reason = GenerateContentResponse.PromptFeedback.BlockedReason.SAFETY
        text = ""
    else:
        candidate = message.candidates.add(finish_reason=Candidate.FinishReason[finish])
        candidate.content.role = "model"
        text = "" if finish in BLOCKING else text
        if text:
            candidate.content.parts.add(text=text)
    usage = message.usage_metadata
    usage.prompt_token_count = tokens(prompt)
    usage.candidates_token_count = tokens(text)
    usage.total_token_count = usage.prompt_token_count + usage.candidates_token_count
    return message


def tokens(text: str) -> int:
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)
