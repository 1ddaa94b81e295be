"""A stand-in for Secret Manager, filled from ``.env``: the real gRPC API for reading secrets and adding versions.

The secrets exist in every project. One whose value is empty exists without a version, as in a project where Terraform
made the secret and nobody has filled it yet. Values are never shown to the console.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import grpc
from google.cloud.secretmanager_v1.types import (
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
    AddSecretVersionRequest,
    GetSecretRequest,
    ListSecretsRequest,
    ListSecretsResponse,
    Secret,
    SecretVersion,
)
from google_crc32c import value as crc32c

from emulators.component import Status
from emulators.faults import Faults
from emulators.grpc_service import LocalServer, Method, Refused, invalid, not_found, page, service

NAME = "secret_manager"
SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"
LARGEST_PAYLOAD = 64 * 1024  # bytes (cloud.google.com/secret-manager/quotas)
PAGE = 25_000

PROJECT = re.compile(r"projects/[A-Za-z0-9.:-]+")
SECRET = re.compile(r"projects/[A-Za-z0-9.:-]+/secrets/([A-Za-z0-9_-]{1,255})")


class SecretManager:
    """gRPC ``google.cloud.secretmanager.v1.SecretManagerService`` on a free loopback port."""

    def __init__(self, secrets: Mapping[str, str], faults: Faults):
        self.status = Status(NAME, "stand-in")
        self.env: dict[str, str] = {}
        self._versions = {name: [value.encode()] if value else [] for name, value in secrets.items()}
        self._created = int(time.time())
        self._faults = faults
        self._server = LocalServer()

    async def start(self) -> None:
        methods = {
            "AccessSecretVersion": Method(AccessSecretVersionRequest.pb(), self._access),
            "AddSecretVersion": Method(AddSecretVersionRequest.pb(), self._add_version),
            "GetSecret": Method(GetSecretRequest.pb(), self._get_secret),
            "ListSecrets": Method(ListSecretsRequest.pb(), self._list_secrets),
        }
        self.status.port = await self._server.start(service(SERVICE, NAME, self._faults, methods))
        self.status.ready = True
        self.env = {"SECRET_MANAGER_EMULATOR_HOST": f"{self.status.host}:{self.status.port}"}

    async def stop(self) -> None:
        self.status.ready = False
        await self._server.stop()

    def snapshot(self) -> dict[str, int]:
        """Secret → number of versions."""
        return {name: len(versions) for name, versions in self._versions.items()}

    async def _access(self, request: Any) -> Any:
        secret, separator, wanted = request.name.partition("/versions/")
        versions = self._secret(secret)
        if not separator or not (wanted == "latest" or wanted.isdecimal()):
            raise invalid(f"Invalid secret version name: {request.name!r}")
        number = len(versions) if wanted == "latest" else int(wanted)
        if not 1 <= number <= len(versions):
            raise not_found(f"Secret Version [{request.name}] not found or has no versions.")
        data = versions[number - 1]
        answer = AccessSecretVersionResponse.pb()(name=f"{secret}/versions/{number}")
        answer.payload.data = data
        answer.payload.data_crc32c = crc32c(data)
        return answer

    async def _add_version(self, request: Any) -> Any:
        versions = self._secret(request.parent)
        data = request.payload.data
        if not data or len(data) > LARGEST_PAYLOAD:
            raise invalid(f"SecretPayload.data must have 1 to {LARGEST_PAYLOAD} bytes.")
        if request.payload.HasField("data_crc32c") and request.payload.data_crc32c != crc32c(data):
            raise invalid("SecretPayload.data_crc32c does not match the data.")
        versions.append(data)
        version = SecretVersion.pb()(name=f"{request.parent}/versions/{len(versions)}")
        version.state = SecretVersion.State.ENABLED
        version.create_time.FromSeconds(int(time.time()))
        return version

    async def _get_secret(self, request: Any) -> Any:
        self._secret(request.name)
        return self._message(request.name)

    async def _list_secrets(self, request: Any) -> Any:
        if not PROJECT.fullmatch(request.parent):
            raise invalid(f"Invalid project name: {request.parent!r}")
        if request.filter:
            raise Refused(grpc.StatusCode.UNIMPLEMENTED, "Filters are not part of the local cloud.")
        names, token = page(sorted(self._versions), request, PAGE)
        answer = ListSecretsResponse.pb()(total_size=len(self._versions), next_page_token=token)
        answer.secrets.extend(self._message(f"{request.parent}/secrets/{name}") for name in names)
        return answer

    def _secret(self, name: str) -> list[bytes]:
        match = SECRET.fullmatch(name)
        if match is None:
            raise invalid(f"Invalid secret name: {name!r}")
        if match[1] not in self._versions:
            raise not_found(f"Secret [{name}] not found.")
        return self._versions[match[1]]

    def _message(self, name: str) -> Any:
        secret = Secret.pb()(name=name)
        secret.replication.automatic.SetInParent()
        secret.create_time.FromSeconds(self._created)
        return secret
