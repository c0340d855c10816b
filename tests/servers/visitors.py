"""People of every role who visit an application in tests, and the walk of each of them through every route."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.web import csrf, session
from shared.web.access import EVERY_SERVICE, Open, Role, Rule, Table
from shared.web.guard import Guard
from shared.web.session import User
from shared.web.site import Site

ANY_ID = "0198c0de-0000-7000-8000-000000000000"


def a_user(*roles: Role, force_id: str = "northvale", team_id: str | None = None) -> User:
    """A signed-in person with these roles."""
    partner = "northvale-council" if Role.PARTNER in roles else None
    return User("person-1", "Sam Example", frozenset(roles), force_id, team_id, partner)


def cookies_of(app: FastAPI, user: User | None, form: str = "") -> dict[str, str]:
    """The cookies of a browser in which this person is signed in; `form` is what its form tokens are bound to."""
    site: Site = app.state.site
    cookies = {site.cookie(csrf.COOKIE): form} if form else {}
    if user is not None:
        content = {"user": session.text_of(user)}
        cookies[site.cookie(session.COOKIE)] = session.sealed(site.session_key, content, datetime.now(UTC))
    return cookies


def token_of(app: FastAPI, user: User | None, form: str) -> str:
    """The form token that fits those cookies, for the field csrf_token or the header X-CSRF-Token."""
    site: Site = app.state.site
    return csrf.token(site.csrf_key, form, user.sub if user else "")


def visitor(app: FastAPI, user: User | None = None, form: str = "bound-to-this") -> httpx.AsyncClient:
    """A browser without its engine: signed in as the user, with a form token in each request's header."""
    site: Site = app.state.site
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=site.own_url,
        cookies=cookies_of(app, user, form),
        headers={csrf.HEADER: token_of(app, user, form), "Accept": "text/html"},
    )


async def admitted(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands in for every route while access is walked: whoever gets here was let in."""
    await Response(status_code=204)(scope, receive, send)


@contextmanager
def only_guards(app: FastAPI) -> Iterator[None]:
    """Nothing but the guards of an application: its routes are not run."""
    guards = [route.app for route in app.router.routes if isinstance(route, APIRoute) and isinstance(route.app, Guard)]
    kept = [guard.app for guard in guards]
    try:
        for guard in guards:
            guard.app = admitted
        yield
    finally:
        for guard, inner in zip(guards, kept, strict=True):
            guard.app = inner


def may(rule: Rule, role: Role | None) -> bool:
    """Whether the table lets this role (None: nobody signed in) through."""
    return isinstance(rule, Open) or (role is not None and role in rule)


async def walk_access(app: FastAPI, table: Table) -> list[str]:
    """Send every role, and nobody, through every route; return what differs from the table, nothing when all is well.

    Checked besides: a post by a signed-in browser without a form token is refused on every route.
    """
    wrong = []
    force = next(
        sorted(route.app.forces)[0]
        for route in app.router.routes
        if isinstance(route, APIRoute) and isinstance(route.app, Guard)
    )
    with only_guards(app):
        for (method, path), rule in {**EVERY_SERVICE, **table}.items():
            address = re.sub(r"\{[^}]*\}", ANY_ID, path)
            for role in (None, *Role):
                user = a_user(role, force_id=force) if role else None
                async with visitor(app, user) as browser:
                    ours = {"Origin": app.state.site.own_url} if rule is Open.HANDED_OVER else {}
                    status = (await browser.request(method, address, headers=ours)).status_code
                    if (status == 204) != may(rule, role) or status not in (204, 303, 401, 403):
                        wrong.append(f"{method} {path} as {role or 'nobody'}: {status}")
                    if method not in csrf.SAFE_METHODS and may(rule, role):
                        wrongly = {"Origin": "https://elsewhere.example"} if ours else {csrf.HEADER: "forged"}
                        forged = await browser.request(method, address, headers=wrongly)
                        if forged.status_code != 403:
                            wrong.append(f"{method} {path} as {role or 'nobody'} without a token: {forged.status_code}")
    return wrong
