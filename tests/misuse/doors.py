"""Every way into the four services, found in their own tables: routes, parameters, bodies, forms, ids, people."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from importlib import import_module
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from shared.contracts.catalogue import SERVICES
from shared.embedded.demo_people import Person, people
from shared.embedded.sign_in import bearer_token
from shared.embedded.stack import CLIENT_ID, IDENTITY, Stack
from shared.web import access
from shared.web.access import EVERY_SERVICE, Open, Role, Rule
from tests.servers.everywhere import mailbox, rows
from tests.servers.form import ANSWERS, fields_of

_TRIED: Final = 12
"""Ids put into each path that has one."""
_LINK: Final = re.compile(r'href="(/[^"#]*)"')
_FORM: Final = re.compile(r'<form[^>]*method="post"[^>]*action="([^"]*)".*?</form>', re.DOTALL)
_FIELD: Final = re.compile(r"<(?:input|textarea|select|button|option)\b([^>]*)>")
_ATTRIBUTE: Final = re.compile(r'([a-z-]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Door:
    """One route of one service."""

    service: str
    method: str
    path: str
    rule: Rule
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    body: Any = None
    """The type of its JSON body; None where it takes none."""

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"\{([^}:]+)[^}]*\}", self.path)


@cache
def pattern_of(path: str) -> re.Pattern[str]:
    """What fits a path template, its parameters as groups."""
    parts = re.split(r"\{([^}:]+)[^}]*\}", path)
    return re.compile(
        "".join(re.escape(p) if n % 2 == 0 else f"(?P<{p}>[^/]+)" for n, p in enumerate(parts)) + r"(?:\?.*)?"
    )


@cache
def doors() -> tuple[Door, ...]:
    """Every route of every service, from its routers and the one access table."""
    found = []
    for service in SERVICES:
        table = {**EVERY_SERVICE, **access.TABLES[service]}
        routes: dict[tuple[str, str], APIRoute] = {}
        for module in ("routes", "pages"):
            for route in import_module(f"services.{service}.{module}").router.routes:
                for method in route.methods:
                    routes[method, route.path] = route
        for (method, path), rule in table.items():
            found.append(_door(service, method, path, rule, routes.get((method, path))))
    return tuple(found)


def _door(service: str, method: str, path: str, rule: Rule, route: APIRoute | None) -> Door:
    if route is None:
        return Door(service, method, path, rule, ("next", "state", "code", "force"))
    needs = route.dependant
    return Door(
        service, method, path, rule,
        tuple(one.alias for one in needs.query_params),
        tuple(one.alias for one in needs.header_params),
        route.body_field.field_info.annotation if route.body_field else None,
    )  # fmt: skip


@cache
def _adapter(body: Any) -> TypeAdapter[Any]:
    return TypeAdapter(body)


@cache
def schema_of(body: Any) -> dict[str, Any]:
    """The JSON Schema of a body."""
    return _adapter(body).json_schema()


def accepts(body: Any, value: Any) -> bool:
    """Whether the route's own model takes this value."""
    try:
        _adapter(body).validate_python(value)
    except (ValidationError, RecursionError, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Form:
    """A form as a page showed it to somebody."""

    service: str
    action: str
    fields: tuple[tuple[str, str], ...]
    """Name and value, in their order; choices one by one."""
    cookies: str


@dataclass
class Ground:
    """A running stack as a stranger and as everybody who may sign in: people, ids in use, forms, links."""

    stack: Stack
    tokens: dict[str, str] = field(default_factory=dict)
    """Bearer tokens by person."""
    cookies: dict[str, str] = field(default_factory=dict)
    """The cookie header of a person's browser; "" for nobody's."""
    csrf: dict[str, str] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    """Ids of rows, by service."""
    used: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """Real values of path parameters, by service and name."""
    forms: list[Form] = field(default_factory=list)
    _noted: set[str] = field(default_factory=set)

    async def look_around(self, *, visits: int = 400, first: Sequence[str] = ()) -> None:
        """Sign everybody in, read which ids there are, and go through the pages anybody may see, `visits` a service;
        those of the ids of `first` before others."""
        await self.sign_in()
        for service in SERVICES:
            self.ids[service] = await self._ids(service)
        self.forms.clear()
        self.used.clear()
        self._noted.clear()
        await asyncio.gather(*(self._crawl(service, visits, first) for service in SERVICES))
        for service in SERVICES:
            self.used[service, "force"] = sorted({one.force_id for one in people()})

    async def sign_in(self) -> None:
        """Bearer tokens of everybody, good for an hour, and browsers of everybody and of nobody."""
        issuer, secret = self.stack.urls[IDENTITY], self.stack.secrets.oidc_client_secret
        for one in _cast():
            self.tokens[one.sub] = await bearer_token(issuer, CLIENT_ID, secret, one.sub)
            async with self._browser("assignment") as client:
                chosen = await client.get("/signin")
                back = await client.post(chosen.headers["location"], data={"sub": one.sub})
                await client.get(back.headers["location"])
                await self._keep_browser(one.sub, client, "/me")
        async with self._browser("intake") as client:
            await self._keep_browser("", client, "/avon-and-somerset/request/eligibility")

    def _browser(self, service: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.stack.urls[service], timeout=60, headers={"Accept": "text/html"})

    async def _keep_browser(self, who: str, client: httpx.AsyncClient, path: str) -> None:
        page = await client.get(path)
        assert page.status_code == 200, f"{path} answers {page.status_code}"
        self.csrf[who] = re.findall(r'name="csrf_token" value="([^"]*)"', page.text)[-1]
        # One sign-in serves all four: cookies know no ports, and the keys are the same.
        self.cookies[who] = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)

    async def _ids(self, service: str) -> list[str]:
        tables = await rows(
            self.stack,
            service,
            "SELECT quote_ident(table_name), quote_ident(column_name) FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'uuid' AND table_name !~ '^(inbox|outbox|held|audit)'",
        )
        found: set[str] = set()
        for table, column in tables:
            sql = f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 60"  # noqa: S608  # names from the catalogue
            found |= {str(row[0]) for row in await rows(self.stack, service, sql)}
        return sorted(found)

    async def _crawl(self, service: str, visits: int, first: Sequence[str]) -> None:
        """Follow every link and try every id as everybody; keep forms and the values paths were called with."""
        seen: set[tuple[str, str]] = set()
        mine = [door for door in doors() if door.service == service]
        pages = [door for door in mine if door.method == "GET" and not door.path.startswith("/api/")]
        links = [urlsplit(link).path for link in await self._mailed(service)]
        async with httpx.AsyncClient(base_url=self.stack.urls[service], timeout=60) as client:
            for person in ("", *(one.sub for one in _cast())):
                todo = ["/", *links, *(door.path for door in pages if not door.parameters)]
                some = self.ids[service][:: max(1, len(self.ids[service]) // _TRIED)]
                # What stands last is looked at first.
                todo += [
                    door.path.replace("{" + door.parameters[0] + "}", one)
                    for ids in (some, first)
                    for door in pages
                    for one in ids
                    if len(door.parameters) == 1 and door.parameters[0].endswith("_id") and _may(door.rule, person)
                ]
                while todo and len(seen) < visits:
                    path = todo.pop()
                    if (person, path) in seen or path.startswith(("/static/", "/theme.css", "/signin", "/metrics")):
                        continue
                    seen.add((person, path))
                    answer = await client.get(path, headers={"Cookie": self.cookies[person]})
                    if answer.status_code >= 400 or "text/html" not in answer.headers.get("content-type", ""):
                        continue
                    self._note(mine, service, path, answer.text, self.cookies[person])
                    todo += [unescape(link) for link in _LINK.findall(answer.text)]
            if any("{step}" in door.path for door in mine):
                await self._fill_in(mine, service, client)

    async def _fill_in(self, mine: Sequence[Door], service: str, client: httpx.AsyncClient) -> None:
        """The request form, page after page, each page's form kept with a sitting that has come as far as it."""
        path = "/avon-and-somerset/request/eligibility"
        form_cookie = self.cookies[""]
        sitting = ""
        for _ in range(60):
            cookies = "; ".join(part for part in (form_cookie, sitting) if part)
            page = await client.get(path, headers={"Cookie": cookies})
            if page.status_code != 200:
                path = page.headers.get("location", "")
                continue
            self._note(mine, service, path, page.text, cookies)
            found = next((one for one in _FORM.finditer(page.text) if "/request/" in one[1]), None)
            if found is None or found[1].endswith("/check"):
                return
            sent: dict[str, Any] = {}
            for one in fields_of(found[0]):
                name = one.get("name", "")
                if one.get("type") == "hidden":
                    sent[name] = one.get("value", "")
                elif name in ANSWERS:
                    sent[name] = ANSWERS[name]
                elif one.get("type") == "radio":
                    sent.setdefault(name, one["value"])
            answer = await client.post(found[1], data=sent, headers={"Cookie": cookies})
            sitting = answer.headers.get("set-cookie", sitting).split(";")[0]
            path = answer.headers.get("location", path)

    def _note(self, mine: Sequence[Door], service: str, path: str, html: str, cookies: str) -> None:
        for found in _FORM.finditer(html):
            if urlsplit(found[1]).path == "/signout":
                continue
            fields = []
            for tag in _FIELD.findall(found[0]):
                one = {name: unescape(value) for name, value in _ATTRIBUTE.findall(tag)}
                if "name" in one:
                    fields.append((one["name"], one.get("value", "")))
            form = Form(service, unescape(found[1]), tuple(fields), cookies)
            if sum(other.action == form.action for other in self.forms) < 3:
                self.forms.append(form)
        links = {path, *(unescape(one) for one in _LINK.findall(html)), *(form.action for form in self.forms[-3:])}
        for link in links - self._noted:
            self._noted.add(link)
            for door in mine:
                if door.parameters and (match := pattern_of(door.path).fullmatch(link)):
                    for name, value in match.groupdict().items():
                        known = self.used[service, name]
                        if value not in known and len(known) < 200:
                            known.append(value)

    async def _mailed(self, service: str) -> list[str]:
        """Links to this service in messages that were sent."""
        url = self.stack.urls[service]
        found = set()
        async for _, content in mailbox(self.stack):
            text = content.replace(b"=\r\n", b"").replace(b"=\n", b"").decode(errors="replace")
            found |= set(re.findall(re.escape(url) + r"(/[A-Za-z0-9_/.-]+)", text))
        return sorted(found)[:60]

    def pages(self, service: str) -> set[str]:
        """Pages somebody was shown, with the values in use; enough to see what was written into them."""
        mine = [one for one in doors() if one.service == service and one.method == "GET" and "/api/" not in one.path]
        return {
            self.path_of(door, Random(n))
            for door in mine
            if not door.path.startswith(("/signin", "/metrics", "/health", "/theme", "/openapi", "/asyncapi"))
            for n in range(4 if door.parameters else 1)
        }

    def people_for(self, rule: Rule) -> list[str]:
        """Those whom the rule admits; nobody where it admits everybody."""
        return [one.sub for one in _cast() if _may(rule, one.sub)] if not isinstance(rule, Open) else [""]

    def path_of(self, door: Door, choose: Random) -> str:
        """The path of a door with values that are in use."""

        def real(match: re.Match[str]) -> str:
            known = self.used[door.service, match[1]]
            if known and choose.random() < 0.8:
                return choose.choice(known)
            others = self.ids[door.service]
            return choose.choice(others) if others else str(UUID(int=choose.getrandbits(128)))

        return re.sub(r"\{([^}:]+)[^}]*\}", real, door.path)


@cache
def _cast() -> tuple[Person, ...]:
    """One of each role of each force, and one more of the first."""
    found: dict[tuple[str, ...], list[Person]] = defaultdict(list)
    for one in people():
        found[(one.force_id, *one.roles)].append(one)
    first = people()[0].force_id
    return tuple(one for several in found.values() for one in several[: 2 if several[0].force_id == first else 1])


def _may(rule: Rule, sub: str) -> bool:
    if isinstance(rule, Open):
        return True
    return any(one.sub == sub and rule & {Role(role) for role in one.roles} for one in _cast())
