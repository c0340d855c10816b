"""Every way into the four services, from their own route tables, and what is answered to whom."""

from __future__ import annotations

import asyncio
import re
import types
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

import httpx

from shared.contracts.catalogue import SERVICES
from shared.web.access import Open, Role, Rule
from tests.servers.all_services import app_of, parameters, routes_of, rule_of
from tests.servers.two_forces import FORM, HOME, TwoForces, Visitor

PAGE: Final = "text/html"
JSON: Final = "application/json"
_AT_ONCE: Final = 12
ANEW: Final = frozenset({"/record/offline"})
"""Pages with an id that is made anew each time: an empty form, kept on a device."""


@dataclass(frozen=True)
class Door:
    """One route of one service: what it takes and whom the access table lets in."""

    service: str
    method: str
    path: str
    rule: Rule
    takes: Mapping[str, tuple[str, Any]]
    """Parameters: name → (path, query, header or cookie; type)."""
    body: Any = None
    """The model of its JSON body."""

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path}"

    @property
    def is_call(self) -> bool:
        """Whether programs use it rather than people."""
        return self.path.startswith("/api/")

    @property
    def in_path(self) -> dict[str, Any]:
        return {name: kind for name, (where, kind) in self.takes.items() if where == "path"}

    @property
    def in_query(self) -> dict[str, Any]:
        return {name: kind for name, (where, kind) in self.takes.items() if where == "query"}

    def admits(self, role: Role | None) -> bool:
        """Whether the table lets this role (None: nobody signed in) in."""
        return isinstance(self.rule, Open) or (role is not None and role in self.rule)

    def at(self, values: Mapping[str, str] | None = None, **query: str) -> str:
        """Its address with these values in the path."""
        given = values or {}
        path = re.sub(r"\{(\w+)\}", lambda found: quote(given[found[1]], safe=""), self.path)
        return path + (f"?{urlencode(query)}" if query else "")


@cache
def doors() -> tuple[Door, ...]:
    """Every route of every service."""
    found = []
    for service in SERVICES:
        for method, route in routes_of(app_of(service)):
            bodies = [param.field_info.annotation for param in route.dependant.body_params]
            found.append(
                Door(
                    service,
                    method,
                    route.path,
                    rule_of(service, method, route),
                    parameters(route.dependant),
                    bodies[0] if bodies else None,
                )
            )
    return tuple(found)


def some_path(door: Door, mark: str | None = None) -> str:
    """An address of a door under which nothing stands; `mark` is in it wherever something may be named."""
    named = mark or str(uuid4())
    return door.at({name: named if plainly(kind) in (UUID, str) else "1" for name, kind in door.in_path.items()})


class NoCase(AssertionError):
    """A route takes a kind of parameter that nobody has thought of misusing; say here what is to be tried."""


def plainly(kind: Any) -> Any:
    """A type without annotations and without "or nothing"."""
    if get_origin(kind) is Annotated:
        return plainly(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        (left,) = [one for one in get_args(kind) if one is not type(None)]
        return plainly(left)
    return kind


def choices(door: Door, name: str, kind: Any, ids: Iterable[str]) -> list[str]:
    """What to try for a parameter, by its type alone; `ids` for those that name something."""
    kind = plainly(kind)
    if kind in (UUID, str):
        return list(ids)
    if kind is int:
        return ["1", "2", "10000"]
    if kind is bool:
        return ["true", "false"]
    if get_origin(kind) is Literal:
        return [str(one) for one in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(one.value) for one in kind]
    raise NoCase(f"{door}: {name} is {kind}")


@dataclass(frozen=True)
class Answer:
    """What was answered, as far as two answers can be compared."""

    status: int
    kind: str
    location: str
    body: str

    @classmethod
    def of(cls, response: httpx.Response, sent: Iterable[str] = ()) -> Answer:
        """`sent` is what we sent ourselves and may find again, in any of the ways it may be written."""
        body, location = response.text, response.headers.get("location", "")
        for value in sorted(sent, key=len, reverse=True):
            for written in {value, quote(value, safe=""), quote(quote(value, safe=""), safe="")}:
                body, location = body.replace(written, "…"), location.replace(written, "…")
        return cls(response.status_code, response.headers.get("content-type", ""), location, body)


@asynccontextmanager
async def visiting(world: TwoForces) -> AsyncIterator[Visits]:
    """A client that keeps no cookies and follows nothing."""
    limits = httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE)
    async with httpx.AsyncClient(timeout=30, limits=limits, follow_redirects=False) as client:
        yield Visits(world, client, asyncio.Semaphore(_AT_ONCE))


@dataclass
class Visits:
    """Sends requests, a few at once."""

    world: TwoForces
    client: httpx.AsyncClient
    at_once: asyncio.Semaphore

    async def visit(
        self,
        door: Door,
        address: str,
        visitor: Visitor | None,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        method: str | None = None,
    ) -> httpx.Response:
        """One request; by access token where somebody is signed in, unless the headers say otherwise."""
        sent = {
            "Accept": JSON if door.is_call else PAGE,
            "Cookie": f"walkandtalk-form={FORM}",
            **(visitor.bearer if visitor else {}),
            **(headers or {}),
        }
        async with self.at_once:
            self.client.cookies.clear()
            return await self.client.request(
                method or door.method, self.world.stack.urls[door.service] + address, json=json, data=form, headers=sent
            )


async def everything_shown(world: TwoForces) -> dict[tuple[str, str, Role], Answer]:
    """All that people of HOME are shown on addresses that name nothing: lists, searches, counts, every page of them.

    (service, address, role) → answer. Text is searched with what stands at HOME and with what does not.
    """
    shown: dict[tuple[str, str, Role], Answer] = {}
    names = sorted({*sorted(_slugs(await world.ids(HOME)))[:12], "se1", "lambeth-council", "officer-met-1", "nobody"})
    async with visiting(world) as visits:

        async def look(door: Door, visitor: Visitor, query: dict[str, str]) -> Answer:
            address = door.at({}, **query)
            answer = Answer.of(await visits.visit(door, address, visitor))
            shown[door.service, address, visitor.role] = answer
            return answer

        async def look_at_all_pages(door: Door, visitor: Visitor, query: dict[str, str]) -> None:
            if "page" not in door.in_query or "page" in query:
                await look(door, visitor, query)
                return
            page, more = 1, True
            while more:
                answer = await look(door, visitor, {**query, "page": str(page)})
                page, more = page + 1, '"more":true' in answer.body or 'rel="next"' in answer.body
            await look(door, visitor, {**query, "page": str(page)})

        async with asyncio.TaskGroup() as group:
            for door in doors():
                if door.method != "GET" or door.in_path or isinstance(door.rule, Open) or door.path in ANEW:
                    continue
                for role in Role:
                    if not door.admits(role):
                        continue
                    visitor = world.visitor(HOME, role)
                    queries: list[dict[str, str]] = [{}]
                    for name, kind in door.in_query.items():
                        queries += [{name: value} for value in choices(door, name, kind, names)]
                    for query in queries:
                        group.create_task(look_at_all_pages(door, visitor, query))
    return shown


def _slugs(ids: Mapping[tuple[str, str, str], set[str]]) -> set[str]:
    return {
        value
        for (service, table, column), values in ids.items()
        if service == "assignment" and table in ("team", "officer", "area") and column == "id"
        for value in values
    }
