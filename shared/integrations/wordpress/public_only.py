"""A transport for addresses that somebody typed: it reaches the public internet over HTTPS, and nothing else.

A name is resolved here and the connection goes to the address that was checked, so that a name cannot answer one thing
to the check and another to the connection. Redirects pass here too, one by one. Imported where the client is made.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx

from shared.errors import Rejected, TryLater

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all of IPv6 that is given to anybody's machines
_NOBODYS = [  # beside what Python knows: protocols, documentation, relays and tunnels that may lead inside
    ipaddress.ip_network(net) for net in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")
]
_TRIED = 4  # of a name's addresses
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotPublic(Rejected):
    """The address is not one of a public web site."""

    def __init__(self) -> None:
        super().__init__("site", reason="only public addresses that begin with https:// are called")


def is_public(address: Address) -> bool:
    """Whether anybody on the internet means the same machine by it. An IPv4 address that IPv6 carries counts as itself;
    tunnels, and what is given to nobody, do not count."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = ipaddress.IPv4Address(address.packed[-4:]) if address in _NAT64 else address.ipv4_mapped
        if carried is not None:
            return is_public(carried)
        if address not in _UNICAST:
            return False
    given = not any(address in network for network in _NOBODYS)
    return given and address.is_global and not address.is_multicast and not address.is_reserved


class PublicOnly(httpx.AsyncBaseTransport):
    """*trusted*: origins (``http://127.0.0.1:8085``) that are called as they are; only a laptop has any."""

    def __init__(self, trusted: frozenset[str]) -> None:
        self._trusted = trusted
        # no connection is kept: one made for a name must not serve another name at the same address
        self._inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if origin(request.url) in self._trusted:
            return await self._inner.handle_async_request(request)
        url = request.url
        if url.scheme != "https" or url.port not in (None, 443) or url.userinfo:
            raise NotPublic
        *others, last = await _checked_addresses(url.host)
        for address in others:
            try:
                return await self._inner.handle_async_request(_pinned(request, address))
            except httpx.ConnectError:
                continue  # nothing was sent yet; the machine behind the next one may be reached
        return await self._inner.handle_async_request(_pinned(request, last))

    async def aclose(self) -> None:
        await self._inner.aclose()


def _pinned(request: httpx.Request, address: str) -> httpx.Request:
    """The same request at that address; the name stays in Host and in TLS, whose certificate must be the name's."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,  # Host among them
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )


def origin(url: httpx.URL) -> str:
    port = f":{url.port}" if url.port is not None else ""
    return f"{url.scheme}://{url.host}{port}"


async def _checked_addresses(host: str) -> list[str]:
    """The addresses of *host*, the first few. All must be public: which one is meant is not the host's choice."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TryLater("site", reason="its name is not known") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(map(is_public, addresses)):
        raise NotPublic
    return [str(address) for address in addresses[:_TRIED]]
