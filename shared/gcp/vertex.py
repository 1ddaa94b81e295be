"""Text from Gemini and images from Imagen on Vertex AI, through the generated async client.

Sources: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference and
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api. One try with a deadline; trying again
is the queue's work. Prompts and answers appear in no error.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.config import Settings
from shared.config import settings as process_settings
from shared.errors import Reconnect, Rejected, TryLater
from shared.gcp.errors import meaning

if TYPE_CHECKING:
    from google.cloud.aiplatform_v1 import GenerateContentResponse, PredictionServiceAsyncClient, Schema

_LARGEST_ANSWER = 32 * 1024 * 1024  # gRPC's own 4 MiB are less than an image takes as base64


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn image."""

    mime_type: str
    data: bytes


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
        timeout_s: float | None = None,
    ) -> str:
        """The model's whole answer to *prompt*; with ``json_schema``, JSON of that shape, as text.

        ``model`` defaults to ``vertex_model``, ``timeout_s`` to ``vertex_timeout_s``. Raises TryLater (busy, too slow,
        unreachable), Reconnect (our identity is refused) or Rejected: the request is wrong, the answer was withheld
        (``reason`` says why, such as ``SAFETY``), or it did not fit into ``max_tokens`` (``MAX_TOKENS``).
        """
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError

        try:
            answer = await self._connected().generate_content(
                request=self._request(prompt, system, temperature, max_tokens, model, json_schema),
                timeout=timeout_s or self._settings.vertex_timeout_s,
                retry=None,
            )
        except GoogleAPICallError as error:
            raise meaning("vertex", error) from error
        except GoogleAuthError as error:
            raise (TryLater if error.retryable else Reconnect)("vertex", reason=type(error).__name__) from error
        return _text_of(answer)

    async def draw(self, prompt: str, *, aspect_ratio: str = "1:1") -> Picture:
        """One image by ``vertex_imagen_model``. Errors as of ``generate``; a withheld image is Rejected."""
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError

        try:
            answer = await self._connected().predict(
                request=self._image_request(prompt, aspect_ratio),
                timeout=self._settings.vertex_image_timeout_s,
                retry=None,
            )
        except GoogleAPICallError as error:
            raise meaning("vertex", error) from error
        except GoogleAuthError as error:
            raise (TryLater if error.retryable else Reconnect)("vertex", reason=type(error).__name__) from error
        for told in answer.predictions:
            if (picture := _picture_of(dict(told))) is not None:
                return picture
        raise Rejected("vertex", reason="image withheld")

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
            options = [("grpc.max_receive_message_length", _LARGEST_ANSWER)]
            channel = grpc.aio.insecure_channel(emulator, options=options)
            return PredictionServiceAsyncClient(transport=PredictionServiceGrpcAsyncIOTransport(channel=channel))
        location = self._settings.vertex_location
        host = "aiplatform.googleapis.com" if location == "global" else f"{location}-aiplatform.googleapis.com"
        return PredictionServiceAsyncClient(client_options=ClientOptions(api_endpoint=host))

    def _request(
        self,
        prompt: str,
        system: str,
        temperature: float,
        max_tokens: int,
        model: str | None,
        json_schema: Mapping[str, Any] | None,
    ) -> Any:
        from google.cloud.aiplatform_v1 import Content, GenerateContentRequest, GenerationConfig, Part

        config = GenerationConfig(temperature=temperature, max_output_tokens=max_tokens, candidate_count=1)
        if json_schema is not None:
            config.response_mime_type = "application/json"
            config.response_schema = _schema(json_schema)
        request = GenerateContentRequest(
            model=self._model(model or self._settings.vertex_model),
            contents=[Content(role="user", parts=[Part(text=prompt)])],
            generation_config=config,
        )
        if system:
            request.system_instruction = Content(parts=[Part(text=system)])
        return request

    def _image_request(self, prompt: str, aspect_ratio: str) -> Any:
        from google.cloud.aiplatform_v1 import PredictRequest
        from google.protobuf import json_format

        request = PredictRequest.pb(PredictRequest(endpoint=self._model(self._settings.vertex_imagen_model)))
        json_format.ParseDict({"prompt": prompt}, request.instances.add())
        json_format.ParseDict({"sampleCount": 1, "aspectRatio": aspect_ratio}, request.parameters)
        return PredictRequest.wrap(request)

    def _model(self, name: str) -> str:
        known = self._settings
        return f"projects/{known.gcp_project_id}/locations/{known.vertex_location}/publishers/google/models/{name}"


def _picture_of(told: Mapping[str, Any]) -> Picture | None:
    """The image of a prediction; None for one that tells why it was withheld. Older models call the bytes ``bytes``."""
    encoded = told.get("bytesBase64Encoded") or told.get("bytes")
    if not isinstance(encoded, str):
        return None
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise TryLater("vertex", reason="unreadable image") from error
    return Picture(str(told.get("mimeType") or "image/png"), data)


def _text_of(answer: GenerateContentResponse) -> str:
    if not answer.candidates:
        raise Rejected("vertex", reason=f"prompt refused: {answer.prompt_feedback.block_reason.name}")
    candidate = answer.candidates[0]
    if candidate.finish_reason.name != "STOP":
        raise Rejected("vertex", reason=candidate.finish_reason.name)
    text = "".join(part.text for part in candidate.content.parts)
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
