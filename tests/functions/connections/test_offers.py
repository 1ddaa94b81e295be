"""What a connected account offers to choose from: every page of it, never a token, and why when the vendor refuses."""

from __future__ import annotations

from uuid import UUID

import pytest

from emulators.faults import Fault
from shared.areas.connections import offers, store
from tests.functions.conftest import World
from tests.functions.connections.accounts import MINUTE, Accounts


async def ask(world: World, connection_id: UUID, what: str) -> tuple[int, dict[str, object]]:
    headers = await world.sign_in(await world.user("admin"))
    answer = await world.call("GET", f"/api/hub/oauth-connections/{connection_id}/{what}", headers=headers)
    return answer.status_code, answer.json()


async def test_google_accounts_and_locations_of_all_pages(world: World, accounts: Accounts) -> None:
    """25 accounts and 130 locations come whole, in the dashboard's names, with an ended token too."""
    for number in range(25):
        accounts.google.add_account(str(number), f"Account {number}")
    for number in range(130):
        accounts.google.add_location("3", str(1000 + number), f"Place {number}")
    connection_id = await accounts.connected(await world.client(), "google", ends_in=-MINUTE)

    status, listed = await ask(world, connection_id, "google-accounts")
    assert status == 200 and len(listed["accounts"]) == 25  # type: ignore[arg-type]
    assert listed["accounts"][3] == {  # type: ignore[index]
        "name": "accounts/3",
        "accountName": "Account 3",
        "type": "LOCATION_GROUP",
        "role": "PRIMARY_OWNER",
        "state": "VERIFIED",
    }
    status, listed = await ask(world, connection_id, "google-locations?accountName=accounts/3")
    places = listed["locations"]
    assert status == 200 and len(places) == 130  # type: ignore[arg-type]
    assert set(places[0]) == {"name", "title", "address", "websiteUri"}  # type: ignore[index]
    assert places[0]["address"]["locality"] == "San Francisco"  # type: ignore[index]


async def test_a_chosen_location_keeps_its_account(world: World, accounts: Accounts) -> None:
    """The dashboard stores a bare number; its full name is known from the list, or found at Google."""
    owner = await world.client()
    for account, location in (("1", "11"), ("2", "22")):
        accounts.google.add_account(account, "A")
        accounts.google.add_location(account, location, "Place")
    connection_id = await accounts.connected(owner, "google")
    headers = await world.sign_in(await world.user("admin"))
    await ask(world, connection_id, "google-locations?accountName=accounts/2")
    for number in ("11", "22"):
        body = {"resource_type": "google_location", "resource_id": number, "resource_name": "P"}
        await world.call("POST", f"/api/hub/oauth-connections/{connection_id}/resources", json=body, headers=headers)
    known = {
        one["resource_id"]: one["account_id"]
        for one in await store.active_resources(world.db, owner, "google_location")
    }
    assert known == {"11": None, "22": "2"}
    found = [await offers.location_name(accounts.outside(), owner, connection_id, one) for one in ("22", "11", "33")]
    assert found == ["accounts/2/locations/22", "accounts/1/locations/11", None]
    world.faults.put("google", Fault(status=500))
    assert await offers.location_name(accounts.outside(), owner, connection_id, "11") == "accounts/1/locations/11"


@pytest.mark.parametrize("name", ["", "accounts/", "accounts/1/../2", "accounts/x", "accounts/1?x=", "locations/1"])
async def test_an_account_name_is_a_number(world: World, accounts: Accounts, name: str) -> None:
    """Nothing else gets into Google's address."""
    connection_id = await accounts.connected(await world.client(), "google")
    headers = await world.sign_in(await world.user("admin"))
    path = f"/api/hub/oauth-connections/{connection_id}/google-locations"
    assert (await world.call("GET", path, params={"accountName": name}, headers=headers)).status_code == 400


async def test_facebook_pages_and_instagram_accounts(world: World, accounts: Accounts) -> None:
    """All pages of pages, without any token of theirs."""
    for number in range(130):
        instagram = {"id": f"9{number}", "username": f"u{number}", "followers_count": 5, "media_count": 6}
        accounts.facebook.add_page(str(number), f"Page {number}", instagram=instagram if number % 2 else None)
    connection_id = await accounts.connected(await world.client(), "facebook")
    status, listed = await ask(world, connection_id, "facebook-pages")
    assert status == 200 and len(listed["pages"]) == 130  # type: ignore[arg-type]
    assert listed["pages"][1] == {  # type: ignore[index]
        "id": "1",
        "name": "Page 1",
        "category": "Dentist & Dental Office",
        "picture": "https://example.com/page.png",
        "link": "https://www.facebook.com/1",
        "instagramBusinessAccountId": "91",
    }
    assert "page-token" not in str(listed)
    status, listed = await ask(world, connection_id, "instagram-accounts")
    assert status == 200 and len(listed["accounts"]) == 65  # type: ignore[arg-type]
    assert listed["accounts"][0] == {  # type: ignore[index]
        "id": "91",
        "username": "u1",
        "name": "Page 1",
        "picture": "https://example.com/ig.png",
        "followersCount": 5,
        "mediaCount": 6,
        "linkedPageId": "1",
        "linkedPageName": "Page 1",
    }


async def test_a_tiktok_account_with_its_figures(world: World, accounts: Accounts) -> None:
    """The account as the dashboard reads it."""
    from emulators.vendors.tiktok import PEOPLE

    connection_id = await accounts.connected(await world.client(), "tiktok", person=PEOPLE[0])
    status, shown = await ask(world, connection_id, "tiktok-account")
    assert status == 200
    assert shown["account"] == {
        "id": PEOPLE[0].id,
        "unionId": "local-union-1",
        "username": "brightsmile",
        "displayName": "Bright Smile",
        "bio": "Smiles, brightly.",
        "profileUrl": "https://www.tiktok.com/@brightsmile",
        "picture": "https://example.com/picture.png",
        "isVerified": True,
        "followerCount": 1200,
        "followingCount": 34,
        "likesCount": 5600,
        "videoCount": 78,
    }


async def test_wordpress_sites_of_both_kinds(world: World, accounts: Accounts) -> None:
    """All sites of a WordPress.com account; the one site of an application password."""
    accounts.wordpress.add_site(7, "Bright", "https://bright.example", jetpack=True)
    client_id = await world.client()
    status, listed = await ask(world, await accounts.connected(client_id, "wordpress", ends_in=None), "wordpress-sites")
    assert status == 200
    assert listed["sites"] == [
        {
            "id": "7",
            "blogId": "7",
            "name": "Bright",
            "description": "",
            "url": "https://bright.example",
            "adminUrl": "https://bright.example/wp-admin/",
            "icon": "https://bright.example/icon.png",
            "isPrivate": False,
            "isJetpack": True,
            "capabilities": {"publish_posts": True, "edit_posts": True},
            "plan": "Free",
        }
    ]
    status, listed = await ask(world, await accounts.self_hosted(client_id), "wordpress-sites")
    url = accounts.wordpress.url
    assert (status, listed) == (200, {"sites": [{"id": url, "name": "Robin Sample", "url": url}]})


LISTS = {
    "google": "google-accounts",
    "facebook": "facebook-pages",
    "tiktok": "tiktok-account",
    "wordpress": "wordpress-sites",
}
EACH = pytest.mark.parametrize("provider", list(LISTS))


@EACH
async def test_an_ended_consent_is_told_with_its_reason(world: World, accounts: Accounts, provider: str) -> None:
    """401 when the vendor ends it now, 400 from then on; both say that somebody must connect again."""
    person = accounts.somebody(provider)
    connection_id = await accounts.connected(await world.client(), provider, person=person)
    accounts.vendor(provider).withdraw(person)
    seen = [await ask(world, connection_id, LISTS[provider]) for _ in range(2)]
    assert [(status, body["code"]) for status, body in seen][1] == (400, "NOT_CONNECTED")
    assert seen[0][0] in (400, 401) and all("connect again" in str(body["message"]) for _, body in seen)
    assert not (await accounts.row(connection_id))["is_connected"]


@EACH
@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=429), Fault(drop=True)], ids=["500", "429", "cut"])
async def test_an_outage_is_a_503(world: World, accounts: Accounts, provider: str, fault: Fault) -> None:
    """With a time to wait, and the connection as good as before."""
    connection_id = await accounts.connected(await world.client(), provider)
    world.faults.put(provider, fault)
    status, body = await ask(world, connection_id, LISTS[provider])
    assert (status, body["code"]) == (503, "TRY_LATER")
    assert (await accounts.row(connection_id))["is_connected"]


@EACH
async def test_a_missing_permission_is_told_and_breaks_nothing(world: World, accounts: Accounts, provider: str) -> None:
    """403 with the reason; the connection stays."""
    connection_id = await accounts.connected(await world.client(), provider)
    world.faults.put(provider, Fault(status=403))
    status, body = await ask(world, connection_id, LISTS[provider])
    assert (status, body["code"]) == (403, "VENDOR_FORBIDS") and "refuses this account access" in str(body["message"])
    assert (await accounts.row(connection_id))["is_connected"]


async def test_locations_that_google_does_not_open(world: World, accounts: Accounts) -> None:
    """An account without access has no locations to choose from, and the answer says why."""
    connection_id = await accounts.connected(await world.client(), "google")
    world.faults.put("google", Fault(status=403))
    status, body = await ask(world, connection_id, "google-locations?accountName=accounts/1")
    assert status == 200 and body["locations"] == [] and "refuses" in str(body["reason"])
    world.faults.clear("google")
    status, body = await ask(world, connection_id, "google-locations?accountName=accounts/1")
    assert (status, body) == (200, {"locations": []})


async def test_a_list_is_for_its_own_vendor(world: World, accounts: Accounts) -> None:
    """A Google connection has no pages, a Facebook one no locations."""
    client_id = await world.client()
    google, facebook = await accounts.connected(client_id, "google"), await accounts.connected(client_id, "facebook")
    assert (await ask(world, google, "facebook-pages"))[0] == 404
    assert (await ask(world, facebook, "google-accounts"))[0] == 404
