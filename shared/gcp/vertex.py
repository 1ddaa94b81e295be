"""Text and pictures from Gemini on Vertex AI, through the generated async client.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference. One try with a deadline; trying
again is the queue's work. Prompts and answers appear in no error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.config import Settings
from shared.config import settings as process_settings
from shared.errors import Reconnect, Rejected, TryLater
from shared.gcp.errors import meaning

if TYPE_CHECKING:
    from google.cloud.aiplatform_v1 import (
        Candidate,
        GenerateContentRequest,
        GenerateContentResponse,
        PredictionServiceAsyncClient,
        Schema,
    )


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as a model made it."""

    data: bytes
    mime_type: str


class Ai:
    """Vertex AI of one project and region; with ``vertex_emulator_host`` set, a stand-in that speaks the same gRPC.

    The channel is made on first use and belongs to that event loop.
    """

    def __init__(self, settings: Settings | None = None):
        self._settings = settings or process_settings()
        self._client: PredictionServiceAsyncClient | None = None

    async def generate(
        self,
        prompt: str,
        *,
        system: str = "",
        temperature: float = 0.7,
        max_tokens: int = 1024,
        model: str | None = None,
        json_schema: Mapping[str, Any] | None = None,
        media: Sequence[tuple[str, bytes]] = (),
        timeout_s: float | None = None,
    ) -> str:
        """The model's whole answer to *prompt*; with ``json_schema``, JSON of that shape, as text.

        ``media``: files that the model sees before the prompt, as (MIME type, content); some 15 MB together at most.
        ``model`` defaults to ``vertex_model``, ``timeout_s`` to ``vertex_timeout_s``. Raises TryLater (busy, too slow,
        unreachable), Reconnect (our identity is refused) or Rejected: the request is wrong, the answer was withheld
        (``reason`` says why, such as ``SAFETY``), or it did not fit into ``max_tokens`` (``MAX_TOKENS``).
        """
        request = self._request(prompt, system, temperature, max_tokens, model, json_schema, media)
        return _text_of(await self._ask(request, timeout_s or self._settings.vertex_timeout_s))

    async def image(self, prompt: str, *, aspect_ratio: str = "16:9") -> Image:
        """A picture of *prompt*, by the Gemini model ``vertex_imagen_model``; the same errors as ``generate``.

        ``aspect_ratio``: 1:1, 3:2, 2:3, 3:4, 4:3, 4:5, 5:4, 9:16, 16:9 or 21:9. Imagen, which the seeds name, was
        ended on 2026-06-30. Source: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/image-generation.
        """
        from google.cloud.aiplatform_v1 import Content, GenerateContentRequest, GenerationConfig, ImageConfig, Part

        request = GenerateContentRequest(
            model=self._path(self._settings.vertex_imagen_model),
            contents=[Content(role="user", parts=[Part(text=prompt)])],
            generation_config=GenerationConfig(
                response_modalities=[GenerationConfig.Modality.TEXT, GenerationConfig.Modality.IMAGE],
                image_config=ImageConfig(aspect_ratio=aspect_ratio),
                candidate_count=1,
            ),
        )
        candidate = _candidate(await self._ask(request, self._settings.vertex_image_timeout_s))
        for part in candidate.content.parts:
            if part.inline_data.data:
                return Image(part.inline_data.data, part.inline_data.mime_type)
        raise Rejected("vertex", reason="no image in the answer")

    async def _ask(self, request: GenerateContentRequest, timeout_s: float) -> GenerateContentResponse:
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError

        try:
            return await self._connected().generate_content(request=request, timeout=timeout_s, retry=None)
        except GoogleAPICallError as error:
            raise meaning("vertex", error) from error
        except GoogleAuthError as error:
            raise (TryLater if error.retryable else Reconnect)("vertex", reason=type(error).__name__) from error

    async def close(self) -> None:
        if self._client:
            await self._client.transport.close()
            self._client = None

    def _connected(self) -> PredictionServiceAsyncClient:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> PredictionServiceAsyncClient:
        import grpc
        from google.api_core.client_options import ClientOptions
        from google.cloud.aiplatform_v1 import PredictionServiceAsyncClient
        from google.cloud.aiplatform_v1.services.prediction_service.transports.grpc_asyncio import (
            PredictionServiceGrpcAsyncIOTransport,
        )

        if emulator := self._settings.vertex_emulator_host:
            channel = grpc.aio.insecure_channel(emulator)
            return PredictionServiceAsyncClient(transport=PredictionServiceGrpcAsyncIOTransport(channel=channel))
        host = _host(self._settings.vertex_location)
        return PredictionServiceAsyncClient(client_options=ClientOptions(api_endpoint=host))

    def _request(
        self,
        prompt: str,
        system: str,
        temperature: float,
        max_tokens: int,
        model: str | None,
        json_schema: Mapping[str, Any] | None,
        media: Sequence[tuple[str, bytes]] = (),
    ) -> Any:
        from google.cloud.aiplatform_v1 import Blob, Content, GenerateContentRequest, GenerationConfig, Part

        config = GenerationConfig(temperature=temperature, max_output_tokens=max_tokens, candidate_count=1)
        if json_schema is not None:
            config.response_mime_type = "application/json"
            config.response_schema = _schema(json_schema)
        files = [Part(inline_data=Blob(mime_type=kind, data=data)) for kind, data in media]
        name = model or self._settings.vertex_model
        if _thinks(name):
            level = self._settings.vertex_thinking.upper()
            config.thinking_config = GenerationConfig.ThinkingConfig(thinking_level=level)
        request = GenerateContentRequest(
            model=self._path(name),
            contents=[Content(role="user", parts=[*files, Part(text=prompt)])],
            generation_config=config,
        )
        if system:
            request.system_instruction = Content(parts=[Part(text=system)])
        return request

    def _path(self, model: str) -> str:
        place = f"projects/{self._settings.gcp_project_id}/locations/{self._settings.vertex_location}"
        return f"{place}/publishers/google/models/{model}"


def _host(location: str) -> str:
    """The service's address in *location*: everywhere, a continent's regions together, or one region.

    Source: https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/locations.
    """
    if location == "global":
        return "aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


_GENERATION = re.compile(r"gemini-(\d+)")


def _thinks(model: str) -> bool:
    """Whether *model* knows thinking levels: Gemini 3 and later. Thoughts count against ``max_tokens``."""
    found = _GENERATION.match(model)
    return found is not None and int(found[1]) >= 3


def _candidate(answer: GenerateContentResponse) -> Candidate:
    """The one answer, when it is whole and was not withheld."""
    if not answer.candidates:
        raise Rejected("vertex", reason=f"prompt refused: {answer.prompt_feedback.block_reason.name}")
    candidate = answer.candidates[0]
    if candidate.finish_reason.name != "STOP":
        raise Rejected("vertex", reason=candidate.finish_reason.name)
    return candidate


def _text_of(answer: GenerateContentResponse) -> str:
    text = "".join(part.text for part in _candidate(answer).content.parts)
    if not text.strip():
        raise Rejected("vertex", reason="empty answer")
    return text


def _schema(told: Mapping[str, Any]) -> Schema:
    """A JSON schema in Vertex's own words; of type, description, enum, properties, required, items and nullable."""
    from google.cloud.aiplatform_v1 import Schema, Type

    schema = Schema(
        type_=Type.__members__[str(told.get("type", "object")).upper()], description=told.get("description", "")
    )
    schema.enum = list(told.get("enum", ()))
    schema.required = list(told.get("required", ()))
    schema.nullable = bool(told.get("nullable", False))
    schema.properties = {name: _schema(one) for name, one in told.get("properties", {}).items()}
    schema.property_ordering = list(told.get("properties", {}))
    if "items" in told:
        schema.items = _schema(told["items"])
    return schema
