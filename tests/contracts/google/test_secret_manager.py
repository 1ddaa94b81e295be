"""The Secret Manager stand-in, as Google's own async client sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import google_crc32c
import pytest
from google.api_core.exceptions import InvalidArgument, NotFound, PermissionDenied
from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcAsyncIOTransport,
)

from emulators.faults import Fault, Faults
from emulators.secret_manager import SecretManager

PROJECT = "projects/anchor-local"
KEY = f"{PROJECT}/secrets/HASH_KEY"


@pytest.fixture
async def secrets(faults: Faults, connect: Any) -> AsyncIterator[Any]:
    stand_in = SecretManager({"HASH_KEY": "grün", "MONDAY_API_KEY": ""}, faults)
    await stand_in.start()
    channel = connect(stand_in.env["SECRET_MANAGER_EMULATOR_HOST"])
    transport = SecretManagerServiceGrpcAsyncIOTransport(channel=channel)
    yield SimpleNamespace(stand_in=stand_in, client=SecretManagerServiceAsyncClient(transport=transport))
    await stand_in.stop()


async def test_a_secret_is_read(secrets: Any) -> None:
    """By number or as the latest, with the checksum Google sends."""
    latest = await secrets.client.access_secret_version(name=f"{KEY}/versions/latest")
    assert latest.name == f"{KEY}/versions/1"
    assert latest.payload.data.decode() == "grün"
    assert latest.payload.data_crc32c == google_crc32c.value(latest.payload.data)
    assert await secrets.client.access_secret_version(name=f"{KEY}/versions/1") == latest


async def test_a_new_version_becomes_the_latest(secrets: Any) -> None:
    """The old one keeps its number."""
    added = await secrets.client.add_secret_version(parent=KEY, payload={"data": b"new"})
    assert added.name == f"{KEY}/versions/2"
    latest = await secrets.client.access_secret_version(name=f"{KEY}/versions/latest")
    first = await secrets.client.access_secret_version(name=f"{KEY}/versions/1")
    assert (latest.payload.data, first.payload.data.decode()) == (b"new", "grün")
    assert secrets.stand_in.snapshot() == {"HASH_KEY": 2, "MONDAY_API_KEY": 0}


async def test_secrets_are_listed_without_values(secrets: Any) -> None:
    """Names only, in pages."""
    pager = await secrets.client.list_secrets(request={"parent": PROJECT, "page_size": 1})
    assert [secret.name async for secret in pager] == [KEY, f"{PROJECT}/secrets/MONDAY_API_KEY"]
    assert (await secrets.client.get_secret(name=KEY)).name == KEY


@pytest.mark.parametrize("name", ["HASH_KEY/versions/2", "NONE/versions/latest", "MONDAY_API_KEY/versions/latest"])
async def test_what_is_not_there_is_not_found(secrets: Any, name: str) -> None:
    """An unknown secret, an unknown version, and a secret that nobody has filled."""
    with pytest.raises(NotFound):
        await secrets.client.access_secret_version(name=f"{PROJECT}/secrets/{name}")


async def test_wrong_requests_are_refused(secrets: Any) -> None:
    """Names that are none, empty payloads and damaged ones."""
    with pytest.raises(InvalidArgument):
        await secrets.client.access_secret_version(name="HASH_KEY")
    with pytest.raises(InvalidArgument):
        await secrets.client.access_secret_version(name=f"{KEY}/versions/newest")
    with pytest.raises(InvalidArgument):
        await secrets.client.add_secret_version(parent=KEY, payload={"data": b""})
    with pytest.raises(InvalidArgument):
        await secrets.client.add_secret_version(parent=KEY, payload={"data": b"x", "data_crc32c": 1})
    with pytest.raises(NotFound):
        await secrets.client.add_secret_version(parent=f"{PROJECT}/secrets/NONE", payload={"data": b"x"})
    with pytest.raises(NotFound):
        await secrets.client.get_secret(name=f"{PROJECT}/secrets/NONE")


async def test_faults_reach_the_client(secrets: Any, faults: Faults) -> None:
    """A fault is the gRPC code that Google's client knows for it."""
    faults.put("secret_manager", Fault(status=403))
    with pytest.raises(PermissionDenied):
        await secrets.client.access_secret_version(name=f"{KEY}/versions/latest")
