"""Which addresses anybody may make us call: public ones over HTTPS, as they were checked."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import TryLater
from shared.integrations.wordpress.public_only import NotPublic, PublicOnly, is_public

PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254"),
    *("ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    *("192.0.0.9", "192.88.99.1", "::7f00:1", "::ffff:0:7f00:1", "fec0::1", "3fff::1", "5f00::1", "4000::1"),
    *("64:ff9b:1::808:808", "64:ff9b:1:7f00:1::", "2002:808:808::1", "2001:20::1"),
    *("2002:a00:1::1", "2001:db8::1", "2001:0:53aa:64c:0:0:f5ff:fffe"),
)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_none(address: str) -> None:
    """Private, loopback, link-local, shared, reserved, multicast, whatever carries one of them, and tunnels."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_public_address_is_one(address: str) -> None:
    """Also one that is carried by another."""
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_carrying_an_address_changes_nothing(address: ipaddress.IPv4Address) -> None:
    """Mapped into IPv6 or through NAT64, an IPv4 address is as public as it is."""
    for carrier in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert is_public(ipaddress.ip_address(carrier)) == is_public(address)


class Wire(httpx.AsyncBaseTransport):
    """Instead of the network: what would have been sent where."""

    def __init__(self) -> None:
        self.sent: list[httpx.Request] = []
        self.cut: set[str] = set()  # addresses that nobody answers at

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        if request.url.host in self.cut:
            raise httpx.ConnectError("nobody there")
        return httpx.Response(200)


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        if not addresses:
            raise socket.gaierror
        return [(0, 0, 0, "", (address, 443)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


@pytest.fixture
async def guarded() -> Any:
    transport = PublicOnly(frozenset({"http://127.0.0.1:9"}))
    await transport._inner.aclose()
    wire = Wire()
    transport._inner = wire  # type: ignore[assignment]
    async with httpx.AsyncClient(transport=transport) as client:
        yield client, wire


async def test_the_connection_goes_to_the_address_that_was_checked(
    guarded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name stays in Host and in TLS, so that its certificate is asked for; the address is the checked one."""
    client, wire = guarded
    resolving(monkeypatch, "8.8.8.8")
    await client.get("https://example.com/wp-json/?a=b")
    [sent] = wire.sent
    assert str(sent.url) == "https://8.8.8.8/wp-json/?a=b"
    assert sent.headers["host"] == "example.com" and sent.extensions["sni_hostname"] == "example.com"


async def test_an_address_that_does_not_answer_is_not_the_end(guarded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name's next address is tried, with the whole body; when none answers, that is said."""
    client, wire = guarded
    resolving(monkeypatch, "2606:4700::1111", "8.8.8.8")
    wire.cut = {"2606:4700::1111"}
    assert (await client.post("https://example.com/", content=b"body")).status_code == 200
    assert [str(sent.url) for sent in wire.sent] == ["https://[2606:4700::1111]/", "https://8.8.8.8/"]
    assert await wire.sent[1].aread() == b"body"
    wire.cut.add("8.8.8.8")
    with pytest.raises(httpx.ConnectError):
        await client.get("https://example.com/")


@pytest.mark.parametrize("addresses", [("10.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("2606:4700::1111", "::1")])
async def test_a_name_with_any_private_address_is_refused(
    guarded: Any, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    """One private address among public ones is enough: nothing is sent."""
    client, wire = guarded
    resolving(monkeypatch, *addresses)
    with pytest.raises(NotPublic):
        await client.get("https://example.com/")
    assert wire.sent == []


@pytest.mark.parametrize("url", ["http://example.com/", "https://example.com:8443/", "https://u:p@example.com/"])
async def test_only_plain_https_is_called(guarded: Any, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """No clear text, no other port, no user in the address."""
    client, wire = guarded
    resolving(monkeypatch, "8.8.8.8")
    with pytest.raises(NotPublic):
        await client.get(url)
    assert wire.sent == []


async def test_an_unknown_name_may_be_known_later(guarded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server's failure is no refusal."""
    client, _ = guarded
    resolving(monkeypatch)
    with pytest.raises(TryLater):
        await client.get("https://example.com/")


async def test_a_trusted_origin_is_called_as_it_is(guarded: Any) -> None:
    """To the letter: another port of the same host is as strange as any."""
    client, wire = guarded
    await client.get("http://127.0.0.1:9/x")
    assert str(wire.sent[0].url) == "http://127.0.0.1:9/x"
    with pytest.raises(NotPublic):
        await client.get("http://127.0.0.1:10/x")
