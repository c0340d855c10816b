"""Where a request comes from, as far as counting it needs: the address of who asks, and nothing kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Callers:
    """`header` is the one in which the proxy in front of us adds, as the last of its entries, who connected to it; ""
    where nothing stands in front. `uncounted` are networks from which as many requests come as may be."""

    header: str = ""
    uncounted: Collection[Network] = ()

    def counted(self, request: HTTPConnection) -> str | None:
        """By what this caller is counted: an IPv4 address, or the /64 of an IPv6 one, which is one household or site.
        None where it is not counted: one of our own networks, or somebody of the staff who is signed in."""
        if getattr(request.state, "user", None) is not None:
            return None
        found = self._address(request)
        if found is None:
            return "unknown"
        if any(found in network for network in self.uncounted if network.version == found.version):
            return None
        return str(found) if isinstance(found, IPv4Address) else str(ip_network((found, 64), strict=False))

    def _address(self, request: HTTPConnection) -> IPv4Address | IPv6Address | None:
        """What a caller writes into the header itself stands before the proxy's entry, and is not looked at."""
        lines = request.headers.getlist(self.header) if self.header else []
        told = lines[-1].rpartition(",")[2].strip() if lines else ""
        peer = request.client.host if request.client else ""
        for text in (told, peer):
            try:
                found = ip_address(text.strip("[]"))
            except ValueError:
                continue
            return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
        return None
