"""The access table against the running services: every route, every role of both forces, every way of asking."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from starlette.routing import compile_path

from shared.web import session
from shared.web.access import Open, Role
from tests.servers.every_door import Door, Visits, doors, some_path, visiting
from tests.servers.two_forces import ABROAD, FORM, HOME, TwoForces, Visitor

pytestmark = pytest.mark.timeout(300)

UNSAFE = [door for door in doors() if door.method != "GET"]
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE")


def outcome(response: httpx.Response) -> str:
    """What the guard made of a request: asked to sign in, not for this role, not from our form; or it was let in."""
    assert response.status_code < 500, (response.request.url, response.status_code)
    if response.status_code == 401 or response.headers.get("location", "").startswith("/signin?"):
        return "sign in"
    if response.status_code == 403:
        problem = response.headers["content-type"] == "application/problem+json"
        kind = response.json()["type"] if problem else response.text
        if "forged-form" in kind or "We could not be sure that this form was sent from our own page" in kind:
            return "forged"
        if kind == "about:blank" or "this page is not for your role" in kind:
            return "role"
    return "in"


def expected(door: Door, role: Role | None, *, by_cookie: bool) -> str:
    """What the table says of it. A form without its token gets as far as the look at the token."""
    if door.rule is Open.HANDED_OVER:
        # It takes the word of a browser that shows a page of ours; no visitor here gives it.
        return "forged"
    if not door.admits(role):
        return "sign in" if role is None else "role"
    return "forged" if by_cookie and door.method != "GET" else "in"


async def test_every_door_admits_exactly_whom_the_table_names(two_forces: TwoForces) -> None:
    """Each route of each service, asked by nobody, by each role of both forces, by cookie and by token, with a session
    that has ended: let in or refused as its row says; no row is touched but the log of looks, and the log names each
    refusal by its route, never by its address."""
    before = await two_forces.settled_but_for_looks()
    wrong: list[str] = []
    refused: dict[str, Door] = {}
    marks: set[str] = set()

    async def ask(visits: Visits, door: Door, role: Role | None, visitor: Visitor | None, cookie: str | None) -> None:
        mark = str(uuid4())
        marks.add(mark)
        headers = {} if cookie is None else {"Cookie": cookie}
        answer = await visits.visit(door, some_path(door, mark), visitor, headers=headers)
        wanted = expected(door, role, by_cookie=visitor is None)
        got = outcome(answer)
        if door.rule is Open.BEARER and got == "sign in":
            # Programs alone are let in there, each by a token of its own.
            wanted = got
        if got != wanted:
            wrong.append(f"{door} as {role or 'nobody'}: {got} ({answer.status_code}), not {wanted}")
        if got != "in":
            refused[answer.headers["x-correlation-id"]] = door

    async with visiting(two_forces) as visits, asyncio.TaskGroup() as group:
        for place, door in enumerate(doors()):
            group.create_task(ask(visits, door, None, None, None))
            ended = two_forces.visitor(HOME, list(Role)[place % len(Role)])
            user = {"sub": ended.person.sub, "name": "x", "roles": [ended.role], "force": HOME}
            stale = two_forces.sealed({"user": user | {"team": None, "partner": None}}, timedelta(hours=8, seconds=5))
            cookie = f"walkandtalk-{session.COOKIE}={stale}; walkandtalk-form={FORM}"
            group.create_task(ask(visits, door, None, None, cookie))
            for role in Role:
                # What is open to everybody is open to each; one of them is asked as well.
                if isinstance(door.rule, Open) and role is not ended.role:
                    continue
                if role is ended.role:
                    group.create_task(ask(visits, door, role, two_forces.visitor(HOME, role), None))
                for force_id in (HOME, ABROAD):
                    group.create_task(ask(visits, door, role, None, two_forces.visitor(force_id, role).cookie()))

    assert wrong == []
    assert await two_forces.settled_but_for_looks() == before
    lines = [
        json.loads(line)
        for file in two_forces.stack.log_files
        if file.stem in two_forces.stack.services
        for line in file.read_text().splitlines()
        if '"event": "request"' in line
    ]
    told = {line["correlation_id"]: line for line in lines}
    for correlation, door in refused.items():
        line = told[correlation]
        assert (line["route"], line["method"]) == (door.path, door.method)
        assert line["status"] in (303, 401, 403)
    assert not any(mark in json.dumps(line) for line in lines for mark in marks)


async def test_no_door_answers_another_method(two_forces: TwoForces) -> None:
    """Whoever asks by a method the table has no row for is told so, by everybody's leave and from any origin, and no
    answer lets another origin read it."""
    known = [(door.service, door.method, compile_path(door.path)[0]) for door in doors()]
    coordinator = two_forces.visitor(HOME, Role.COORDINATOR)
    before = await two_forces.settled()
    wrong: list[str] = []

    async def ask(visits: Visits, door: Door, method: str) -> None:
        answer = await visits.visit(
            door,
            some_path(door),
            coordinator,
            method=method,
            headers={
                "Origin": "https://evil.example",
                "Access-Control-Request-Method": "POST",
                "X-HTTP-Method-Override": door.method,
            },
        )
        if answer.status_code != 405 or any(name.startswith("access-control-") for name in answer.headers):
            wrong.append(f"{door} by {method}: {answer.status_code}")

    async with visiting(two_forces) as visits, asyncio.TaskGroup() as group:
        for door in {(door.service, door.path): door for door in doors()}.values():
            for method in METHODS:
                named = (door.service, method)
                if not any(named == row[:2] and row[2].match(some_path(door)) for row in known):
                    group.create_task(ask(visits, door, method))
    assert wrong == []
    assert await two_forces.settled() == before


async def only_headers(two_forces: TwoForces, door: Door, cookie: str, more: str) -> int:
    """Announce a body, send none, and wait for the status all the same."""
    url = httpx.URL(two_forces.stack.urls[door.service])
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        writer.write(
            f"{door.method} {some_path(door)} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nCookie: {cookie}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 900000\r\n{more}\r\n".encode()
        )
        return int((await asyncio.wait_for(reader.readline(), 20)).split()[1])
    finally:
        writer.close()


async def test_what_is_refused_is_refused_before_its_body_comes(two_forces: TwoForces) -> None:
    """Nobody, the wrong role, another site and a browser that never saw our form are refused while their body is still
    to come: nothing of it was read, however long it would have been."""
    asked: list[tuple[Door, str, str, int]] = []
    for door in UNSAFE:
        if not isinstance(door.rule, Open):
            asked.append((door, "", "", 401))
            stranger = next(role for role in Role if not door.admits(role))
            asked.append((door, two_forces.visitor(HOME, stranger).cookie(), "", 403))
        own = two_forces.visitor(HOME, next(role for role in Role if door.admits(role)))
        asked.append((door, own.cookie(), "Sec-Fetch-Site: cross-site\r\n", 403))
        asked.append((door, own.cookie(), "Sec-Fetch-Site: same-site\r\n", 403))
        asked.append((door, own.cookie(), "Origin: https://evil.example\r\n", 403))
        asked.append((door, f"walkandtalk-{session.COOKIE}={own.session}", "", 403))
    at_once = asyncio.Semaphore(12)

    async def status(door: Door, cookie: str, more: str) -> int:
        async with at_once:
            return await only_headers(two_forces, door, cookie, more)

    got = await asyncio.gather(*(status(door, cookie, more) for door, cookie, more, _ in asked))
    wrong = [
        f"{door} {more!r}: {status}"
        for (door, _, more, wanted), status in zip(asked, got, strict=True)
        if status != wanted
    ]
    assert wrong == []


CROSS_SITE_BODIES = {
    "text/plain": b'{"force_id": "x", "ignore": "="}',
    "text/plain; charset=utf-8": b"{}",
    "TEXT/PLAIN": b"{}",
    "application/x-www-form-urlencoded": b"{}=",
    "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
    "": b"{}",
}
"""What a page of another site can make a browser send without asking us first (Fetch standard, CORS-safelisted)."""


async def test_no_form_is_taken_that_is_not_our_own(two_forces: TwoForces) -> None:
    """Every post of every service, by somebody it is for: without a token, with one of another cookie, person or
    service, or with the right one from another origin, it is refused as forged, and nothing is touched."""
    before = await two_forces.settled()
    wrong: list[str] = []

    async def ask(visits: Visits, door: Door, what: str, kind: str, headers: dict[str, str]) -> None:
        url = two_forces.stack.urls[door.service] + some_path(door)
        async with visits.at_once:
            visits.client.cookies.clear()
            sent = {**headers, "Accept": "application/json"} | ({"Content-Type": kind} if kind else {})
            # As bytes: a token may hold what no header should.
            raw = [(name.encode(), value.encode()) for name, value in sent.items()]
            answer = await visits.client.request(door.method, url, content=CROSS_SITE_BODIES[kind], headers=raw)
        if outcome(answer) != "forged":
            wrong.append(f"{door}: {what}: {answer.status_code}")

    async with visiting(two_forces) as visits, asyncio.TaskGroup() as group:
        for door in UNSAFE:
            own = two_forces.visitor(HOME, next(role for role in Role if door.admits(role)))
            another = two_forces.visitor(ABROAD, own.role)
            elsewhere = next(service for service in two_forces.stack.services if service != door.service)
            right = two_forces.form_token(door.service, own.person.sub)
            tokens = {
                "none": None,
                "empty": "",
                "of another cookie": two_forces.form_token(door.service, own.person.sub, "another"),
                "of another person": two_forces.form_token(door.service, another.person.sub),
                "of nobody": two_forces.form_token(door.service, ""),
                "of another service": two_forces.form_token(elsewhere, own.person.sub),
                "not hex": "é" * 64,
            }
            form = "application/x-www-form-urlencoded"
            for what, token in tokens.items():
                headers = {"Cookie": own.cookie()} | ({} if token is None else {"X-CSRF-Token": token})
                group.create_task(ask(visits, door, what, form, headers))
            for kind in CROSS_SITE_BODIES:
                group.create_task(ask(visits, door, f"as {kind}", kind, {"Cookie": own.cookie()}))
            for from_where in (
                {"Origin": "https://evil.example"},
                {"Origin": "http://["},
                {"Origin": f"https://localhost:{two_forces.stack.ports.intake}"},
                {"Origin": two_forces.stack.urls[elsewhere]},
                {"Sec-Fetch-Site": "cross-site"},
                {"Sec-Fetch-Site": "same-site", "Origin": two_forces.stack.urls[door.service]},
            ):
                if door.rule is Open.HANDED_OVER and from_where.get("Origin") == two_forces.stack.urls[door.service]:
                    continue  # what comes from a page of ours under any name of ours is what it is for
                headers = {"Cookie": own.cookie(), "X-CSRF-Token": right, **from_where}
                group.create_task(ask(visits, door, f"from {from_where}", form, headers))
    assert wrong == []
    assert await two_forces.settled() == before


async def test_public_calls_cannot_be_made_by_a_form_of_another_site(two_forces: TwoForces) -> None:
    """JSON in what a form can send is no call, whoever's browser it comes from."""
    async with visiting(two_forces) as visits:
        for door in UNSAFE:
            if not door.is_call or not isinstance(door.rule, Open):
                continue
            for kind, body in CROSS_SITE_BODIES.items():
                headers = {"Content-Type": kind} if kind else {}
                url = two_forces.stack.urls[door.service] + door.path
                answer = await visits.client.post(url, content=body, headers={**headers, "Idempotency-Key": "x" * 12})
                assert outcome(answer) == "forged", (door, kind)


async def test_signing_out_leaves_the_browser_with_nothing(two_forces: TwoForces) -> None:
    """After the sign-out the browser has no session for any service. Nothing is stored on our side, so a copy of the
    cookie made before lasts until its eight hours are over: docs/decisions/web-sign-in.md."""
    admin = two_forces.visitor(HOME, Role.ADMIN)
    for service, url in two_forces.stack.urls.items():
        if service not in two_forces.stack.services:
            continue
        async with httpx.AsyncClient(base_url=url, headers={"Accept": "text/html"}) as browser:
            browser.cookies.set(f"walkandtalk-{session.COOKIE}", admin.session, domain="localhost.local")
            browser.cookies.set("walkandtalk-form", FORM, domain="localhost.local")
            assert (await browser.get("/me")).status_code == 200
            token = two_forces.form_token(service, admin.person.sub)
            answer = await browser.post("/signout", data={"csrf_token": token})
            assert (answer.status_code, answer.headers["location"]) == (303, "/signed-out")
            assert f"walkandtalk-{session.COOKIE}" not in browser.cookies
            assert (await browser.get("/me")).status_code == 303
            copied = {"Cookie": f"walkandtalk-{session.COOKIE}={admin.session}"}
            assert (await browser.get("/me", headers=copied)).status_code == 200
