"""The list of services that a client keeps: added once, changed in part, retired without losing what was sold."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.functions.conftest import World
from tests.functions.test_active_clients import active_clients, agree
from tests.functions.test_journeys import a_client


async def test_a_service_is_added_and_changed(world: World) -> None:
    """Prices are decimal texts, 0 is a price, ``active`` counts; null empties, absent stays; the list is by name."""
    client = await a_client(world)

    async def said(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await client.call(method, path, json=body)
        assert answer.status_code == 200, answer.text
        service: dict[str, Any] = answer.json()["service"]
        return service

    free = await said("POST", "/services", {"name": " Visit ", "base_price": 0})
    idle = await said(
        "POST", "/services", {"name": "Braces", "description": "Teeth", "base_price": "1,250.5", "active": False}
    )
    changed = await said("PUT", f"/services/{free['id']}", {"description": "At home"})
    emptied = await said("PUT", f"/services/{idle['id']}", {"base_price": None, "active": True})

    assert (free["name"], free["base_price"], free["active"], free["user_id"]) == (
        "Visit",
        "0.00",
        True,
        str(client.id),
    )
    assert (idle["base_price"], idle["active"]) == ("1250.50", False)
    assert (changed["description"], changed["base_price"]) == ("At home", "0.00")
    assert (emptied["description"], emptied["base_price"], emptied["active"]) == ("Teeth", None, True)
    listed = (await client.call("GET", "/services")).json()["services"]
    assert [one["name"] for one in listed] == ["Braces", "Visit"] and listed[1] == changed


async def test_a_service_sent_twice_is_one(world: World) -> None:
    """Two clicks make one; another price is another service."""
    client = await a_client(world)
    for body in ({"name": "Visit", "base_price": "10"}, {"name": "Visit", "base_price": "20"}):
        answers = await asyncio.gather(*(client.call("POST", "/services", json=body) for _ in range(4)))
        assert len({answer.json()["service"]["id"] for answer in answers}) == 1
    assert len((await client.call("GET", "/services")).json()["services"]) == 2


async def test_a_retired_service_stays_where_it_was_sold(world: World) -> None:
    """Deleting takes it out of use; sales keep its name; added again by its name, it is the same one."""
    client = await a_client(world)
    service = (await client.call("POST", "/services", json={"name": "Visit"})).json()["service"]["id"]
    await agree(client, None, service, client_name="Ada")

    answers = [await client.call("DELETE", f"/services/{service}") for _ in range(2)]

    assert [answer.json() for answer in answers] == [{"success": True}] * 2
    (retired,) = (await client.call("GET", "/services")).json()["services"]
    assert (retired["id"], retired["active"]) == (service, False)
    (active,) = await active_clients(client)
    assert active["services"][0]["service_name"] == "Visit"
    again = (await client.call("POST", "/services", json={"name": "visit", "base_price": "5"})).json()["service"]
    assert (again["id"], again["active"], again["base_price"]) == (service, True, "5.00")


@pytest.mark.parametrize("body", [{}, {"name": " "}, {"name": None}, {"name": "x", "base_price": "much"},
                                  {"name": "x", "base_price": -1}, {"name": "x" * 300}])  # fmt: skip
async def test_a_service_that_cannot_be(world: World, body: dict[str, Any]) -> None:
    """Without a name, or with a price that is none: 400, and nothing is added."""
    client = await a_client(world)
    assert (await client.call("POST", "/services", json=body)).status_code == 400
    assert (await client.call("GET", "/services")).json() == {"services": []}


async def test_nothing_to_change_and_nothing_there(world: World) -> None:
    """An empty change is a 400, a service that is not there a 404."""
    client = await a_client(world)
    service = (await client.call("POST", "/services", json={"name": "Visit"})).json()["service"]["id"]
    assert (await client.call("PUT", f"/services/{service}", json={})).status_code == 400
    for path in (str(uuid4()), "x"):
        assert (await client.call("PUT", f"/services/{path}", json={"name": "y"})).status_code == 404
        assert (await client.call("DELETE", f"/services/{path}")).status_code == 404
