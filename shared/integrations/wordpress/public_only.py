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

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotPublic(Rejected):
    """The address is not one of a public web site."""

    def __init__(self) -> None:
        super().__init__("site", reason="only public addresses that begin with https:// are called")


def is_public(address: Address) -> bool:
    """Whether anybody on the internet means the same machine by it. Addresses that carry another one count as that."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if carried:
            return is_public(carried)
        if any(address in network for network in _NAT64):
            return is_public(ipaddress.IPv4Address(address.packed[-4:]))
    return address.is_global and not address.is_multicast and not address.is_reserved


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
        pinned = httpx.Request(
            request.method,
            url.copy_with(host=await _checked_address(url.host)),
            headers=request.headers,  # Host among them
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.raw_host.decode("ascii")},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        await self._inner.aclose()


def origin(url: httpx.URL) -> str:
    port = f":{url.port}" if url.port is not None else ""
    return f"{url.scheme}://{url.host}{port}"


async def _checked_address(host: str) -> str:
    """The first address of *host*. All of its addresses must be public: which one is meant is not the host's choice."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TryLater("site", reason="its name is not known") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(map(is_public, addresses)):
        raise NotPublic
    return str(addresses[0])
