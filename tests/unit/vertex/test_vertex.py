"""How Gemini is asked, against a PredictionService of this test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
from google.cloud.aiplatform_v1.types import GenerateContentRequest, GenerateContentResponse

from shared.config import Settings
from shared.errors import Reconnect, Rejected, TryLater, VendorError
from shared.gcp.vertex import Ai, _host

Answering = Callable[[Any, grpc.aio.ServicerContext], Awaitable[Any]]


class Vertex:
    """Answers GenerateContent as told, and remembers the requests."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.answer: Answering = says(
            {"content": {"parts": [{"text": "Hello "}, {"text": "there"}]}, "finish_reason": 1}
        )

    async def generate(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        self.requests.append(request)
        return await self.answer(request, context)


def says(*candidates: dict[str, Any], blocked: int = 0) -> Answering:
    async def answer(request: Any, context: grpc.aio.ServicerContext) -> Any:
        feedback = {"block_reason": blocked} if blocked else {}
        return GenerateContentResponse.pb(
            GenerateContentResponse(candidates=list(candidates), prompt_feedback=feedback)
        )

    return answer


def fails(code: grpc.StatusCode) -> Answering:
    async def answer(request: Any, context: grpc.aio.ServicerContext) -> Any:
        await context.abort(code, "what the patient said")

    return answer


@pytest.fixture
async def vertex() -> AsyncIterator[tuple[Vertex, Ai]]:
    stand_in = Vertex()
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        stand_in.generate,
        request_deserializer=GenerateContentRequest.pb().FromString,
        response_serializer=GenerateContentResponse.pb().SerializeToString,
    )
    name = "google.cloud.aiplatform.v1.PredictionService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"GenerateContent": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    ai = Ai(Settings(vertex_emulator_host=f"127.0.0.1:{port}", vertex_timeout_s=5))
    yield stand_in, ai
    await ai.close()
    await server.stop(None)


async def test_a_prompt_is_answered(vertex: tuple[Vertex, Ai]) -> None:
    """The parts of the answer as one text; the request says what was asked for."""
    stand_in, ai = vertex
    schema = {
        "type": "object",
        "properties": {
            "category": {"type": "string", "enum": ["a", "b"]},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["category"],
    }
    answer = await ai.generate(
        "What?", system="Be short.", temperature=0.2, max_tokens=50, model="gemini-x", json_schema=schema
    )
    assert answer == "Hello there"
    (request,) = stand_in.requests
    assert request.model == "projects/anchor-local/locations/global/publishers/google/models/gemini-x"
    assert (request.contents[0].role, request.contents[0].parts[0].text) == ("user", "What?")
    assert request.system_instruction.parts[0].text == "Be short."
    config = request.generation_config
    assert (round(config.temperature, 3), config.max_output_tokens) == (0.2, 50)
    assert config.response_mime_type == "application/json"
    assert list(config.response_schema.properties["category"].enum) == ["a", "b"]
    assert config.response_schema.properties["tags"].items.type_ == 1
    assert list(config.response_schema.required) == ["category"]


async def test_defaults_are_the_settings(vertex: tuple[Vertex, Ai]) -> None:
    """Model from the settings, no JSON asked for, no system text."""
    stand_in, ai = vertex
    await ai.generate("What?")
    request = stand_in.requests[0]
    assert request.model.endswith("/models/gemini-3.1-flash-lite")
    assert not request.generation_config.response_mime_type and not request.HasField("system_instruction")


async def test_models_that_think_are_told_how_much(vertex: tuple[Vertex, Ai]) -> None:
    """Gemini 3 and later get a thinking level; to older models, which would refuse it, none is sent."""
    stand_in, ai = vertex
    for model in ("gemini-3.1-flash-lite", "gemini-10-flash", "gemini-2.5-flash", "gemini-2.0-flash-001"):
        await ai.generate("What?", model=model)
    told = [request.generation_config.HasField("thinking_config") for request in stand_in.requests]
    assert told == [True, True, False, False]
    assert stand_in.requests[0].generation_config.thinking_config.thinking_level == 4  # MINIMAL


async def test_a_picture_is_asked_of_the_model_that_paints(vertex: tuple[Vertex, Ai]) -> None:
    """Its bytes and type come back; the request names the ratio and asks for an image."""
    stand_in, ai = vertex
    blob = {"mime_type": "image/png", "data": b"\x89PNG"}
    stand_in.answer = says({"content": {"parts": [{"text": "Here:"}, {"inline_data": blob}]}, "finish_reason": 1})
    picture = await ai.image("A roof.", aspect_ratio="4:3")
    assert (picture.data, picture.mime_type) == (b"\x89PNG", "image/png")
    (request,) = stand_in.requests
    assert request.model.endswith("/models/gemini-3.1-flash-image")
    assert request.generation_config.image_config.aspect_ratio == "4:3"
    assert 2 in request.generation_config.response_modalities  # IMAGE


async def test_words_instead_of_a_picture_are_refused(vertex: tuple[Vertex, Ai]) -> None:
    """A model that only talks has not painted."""
    with pytest.raises(Rejected, match="no image"):
        await vertex[1].image("A roof.")


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_each_location_has_its_address(location: str, host: str) -> None:
    """The whole world, a continent and a region are asked at their own hosts."""
    assert _host(location) == host


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.UNAVAILABLE, TryLater),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, TryLater),
        (grpc.StatusCode.INTERNAL, TryLater),
        (grpc.StatusCode.DEADLINE_EXCEEDED, TryLater),
        (grpc.StatusCode.ABORTED, TryLater),
        (grpc.StatusCode.PERMISSION_DENIED, Reconnect),
        (grpc.StatusCode.UNAUTHENTICATED, Reconnect),
        (grpc.StatusCode.INVALID_ARGUMENT, Rejected),
        (grpc.StatusCode.NOT_FOUND, Rejected),
    ],
)
async def test_errors_say_what_to_do(
    vertex: tuple[Vertex, Ai], code: grpc.StatusCode, error: type[VendorError]
) -> None:
    """One try; nothing of what Vertex or the visitor said."""
    stand_in, ai = vertex
    stand_in.answer = fails(code)
    with pytest.raises(error) as caught:
        await ai.generate("private question")
    assert type(caught.value) is error and "patient" not in str(caught.value) and "private" not in str(caught.value)
    assert len(stand_in.requests) == 1


async def test_slow_answers_are_not_waited_for(vertex: tuple[Vertex, Ai]) -> None:
    """The deadline ends the call."""
    stand_in, ai = vertex

    async def never(request: Any, context: grpc.aio.ServicerContext) -> Any:
        await asyncio.sleep(30)

    stand_in.answer = never
    with pytest.raises(TryLater):
        await ai.generate("What?", timeout_s=0.2)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(blocked=1), "prompt refused: SAFETY"),
        (says({"finish_reason": 3}), "SAFETY"),
        (says({"content": {"parts": [{"text": "half"}]}, "finish_reason": 2}), "MAX_TOKENS"),
        (says({"content": {"parts": [{"text": " "}]}, "finish_reason": 1}), "empty answer"),
        (says({"finish_reason": 1}), "empty answer"),
    ],
)
async def test_a_withheld_answer_says_why(vertex: tuple[Vertex, Ai], answer: Answering, reason: str) -> None:
    """Blocked, cut off and empty answers are no answers."""
    stand_in, ai = vertex
    stand_in.answer = answer
    with pytest.raises(Rejected) as caught:
        await ai.generate("What?")
    assert caught.value.reason == reason


async def test_an_unreachable_vertex_is_for_later() -> None:
    """Nobody listens."""
    ai = Ai(Settings(vertex_emulator_host="127.0.0.1:1", vertex_timeout_s=2))
    with pytest.raises(TryLater):
        await ai.generate("What?")
    await ai.close()
    await ai.close()
