"""The vendors of clients' accounts, for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from emulators.vendors.facebook import Facebook
from emulators.vendors.google import Google
from emulators.vendors.tiktok import TikTok
from emulators.vendors.wordpress import PASSWORD_ID, SELF_HOSTED, WordPress
from tests.functions.conftest import SECRETS, World
from tests.functions.connections.accounts import SCOPES, SECRET_OF, Accounts


@pytest.fixture(scope="session")
async def _accounts(_world: World) -> AsyncIterator[Accounts]:
    faults = _world.faults
    accounts = Accounts(_world, Google(faults), Facebook(faults), TikTok(faults), WordPress(faults))
    vendors = [accounts.vendor(name) for name in SCOPES]
    for vendor in vendors:
        await vendor.start()
    yield accounts
    for vendor in vendors:
        await vendor.stop()


@pytest.fixture
async def accounts(world: World, _accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Accounts]:
    """The vendors, empty, and an instance that knows them, without another test's app or its connection to the site."""
    await world.db.execute("delete from oauth_providers")
    await world.db.execute("delete from oauth_connections where provider_account_id = $1", _accounts.wordpress.url)
    before, services = world.services.settings, world.services
    env: dict[str, Any] = {}
    for name in SCOPES:
        vendor = _accounts.vendor(name)
        env |= {key.lower(): value for key, value in vendor.env.items()}
        monkeypatch.setitem(SECRETS, SECRET_OF[name], vendor.client_secret)
    env["wordpress_local_sites"] = (_accounts.wordpress.url,)
    services.settings = replace(before, **{name: value for name, value in env.items() if hasattr(before, name)})
    google, facebook, wordpress = _accounts.google, _accounts.facebook, _accounts.wordpress
    for held in (
        google.accounts,
        google.locations,
        facebook.pages,
        facebook.declined,
        wordpress.sites,
        wordpress.posts,
        wordpress.pictures,
    ):
        held.clear()
    wordpress.passwords, wordpress.lost_answers = {PASSWORD_ID: SELF_HOSTED["password"]}, 0
    yield _accounts
    for name in ("oauth", "sites"):
        client = services._http.pop(name, None)
        if client is not None:
            await client.aclose()
    services.settings = before
