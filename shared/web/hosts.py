"""Which names this service answers to, and whose they are: what a browser says it asked is taken on trust nowhere.

Addresses in pages and messages are made from the settings and policies, never from the Host header.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_NAME: Final = ("/health/", "/metrics")
"""Asked by whoever runs the containers, by whatever address it knows."""


class Misdirected(HTTPException):
    """This address is none of ours. Check it, or use the link you were given."""

    def __init__(self) -> None:
        super().__init__(421, self.__doc__)


def name_of(host: str) -> str:
    """The name in a Host header or an address, without its port."""
    name, colon, port = host.strip().lower().rpartition(":")
    return (name if colon and port.isdigit() else host.strip().lower()).removesuffix(".")


def origin_of(url: str) -> str:
    """Scheme, name and port of an address, as browsers write them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def with_name(url: str, name: str) -> str:
    """The same address at another name; scheme and port stay."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{name}{port}"


class Hosts:
    """Refuses what was asked of a name that is none of ours, and notes which force a name belongs to."""

    def __init__(self, app: ASGIApp, *, own_url: str, of_forces: Mapping[str, str], others: Iterable[str] = ()) -> None:
        """`of_forces` by name; `others` are further names of this service, of no force's own."""
        self.app = app
        self.of_forces = dict(of_forces)
        self.shared = {name_of(urlsplit(own_url).netloc), *map(name_of, others), *LOOPBACK}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(ANY_NAME):
            given = [value for key, value in scope["headers"] if key == b"host"]
            # Of two, whoever stands in front of us may have read the other one.
            name = name_of(given[0].decode("latin-1")) if len(given) == 1 else ""
            if (force := self.of_forces.get(name)) is not None:
                scope["force_of_host"] = force
            elif name not in self.shared:
                raise Misdirected
        await self.app(scope, receive, send)


def force_of_host(connection: HTTPConnection) -> str | None:
    """The force whose own name was asked, None at the name that all share."""
    force = connection.scope.get("force_of_host")
    return force if isinstance(force, str) else None
