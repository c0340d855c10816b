"""Nobody learns from an answer who is known, and no text that is not words comes in."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from asyncpg.connection import LoggedQuery

from services.intake.handlers import erasure
from services.intake.handlers.hers import private_link
from services.intake.handlers.keeping import open_request
from services.intake.requesting import AvailabilityIn, ContactIn, PlaceIn, WalkRequestIn
from services.intake.store import requests as request_rows
from tests.integration.test_intake_pages import FORM, Visitor, csrf_of
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, a_body, intake_service

CALL = "/api/v1/walk-requests"
MARKS = ("\x07", "\x1b[31m", "\u202e", "\u2066")


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    # One connection, whose statements can be listened to.
    async with intake_service(database, database_connections=1) as service:
        yield service


async def link_of(intake: Intake, request_id: str) -> str:
    async with intake.database.web.transaction([FORCE]) as tx:
        stored = (await request_rows.requests(tx, [UUID(request_id)]))[UUID(request_id)]
    return private_link(intake.deps.keeping, stored.held).removeprefix(intake.deps.keeping.intake_url)


PAGES = (
    ("GET", ""),
    ("GET", "/change"),
    ("GET", "/contact"),
    ("GET", "/copy"),
    ("POST", "/copy"),
    ("POST", "/withdraw"),
    ("POST", "/stop"),
    ("POST", "/answer"),
    ("POST", "/change"),
    ("POST", "/contact"),
)


@pytest.mark.parametrize(("method", "page"), PAGES)
async def test_a_link_that_opens_nothing_says_not_why(intake: Intake, method: str, page: str) -> None:
    """Made up, of another installation, or of a woman who was erased: the same status, words and headers after the same
    statements, so the same time too."""
    asked = await intake.ask()
    erased = await link_of(intake, asked["request_id"])
    async with intake.database.web.transaction([FORCE]) as tx:
        await erasure.erase(
            tx, FORCE, UUID(asked["request_id"]), "participant", "asked", intake.now, keeping=intake.deps.keeping
        )
    guessed = "/your-request/" + erased.removeprefix("/your-request/").swapcase()
    statements: list[str] = []

    def listen(query: LoggedQuery) -> None:
        statements.append(query.query)

    async with intake.client(Accept="text/html") as client:
        token = csrf_of(await client.get(f"/{FORCE}/request/eligibility"))
        async with intake.deps.database.pool.acquire() as connection:
            connection.add_query_logger(listen)
        told = []
        for link in (erased, guessed, "/your-request/x", "/your-request/" + "A" * 200):
            statements.clear()
            given = {"csrf_token": token, "days": "monday", "parts": "evening", "channels": "email", "times": "evening"}
            given |= {"say_police": "no", "proposal": str(uuid4()), "chosen": "none"}
            answer = await client.request(method, link + page, data=given if method == "POST" else None)
            told.append(
                (answer.status_code, answer.text, headers_of(answer), [one.split("\n")[0] for one in statements])
            )
        assert told[0][0] == 404 and "not valid" in told[0][1]
        assert told[0][3], "nothing was listened to"
        for one in told[1:]:
            assert one == told[0]


def headers_of(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "x-correlation-id"}


async def test_an_address_that_is_known_is_answered_as_one_that_is_not(intake: Intake) -> None:
    """The same statements and the same answer but for the reference."""
    statements: list[str] = []
    await intake.ask()
    async with intake.deps.database.pool.acquire() as connection:
        connection.add_query_logger(lambda query: statements.append(query.query))
    told = []
    for email in ("ada@example.com", "nobody-knows-her@example.com"):
        statements.clear()
        async with intake.client() as client:
            answer = await client.post(
                CALL, json=a_body(contact={"email": email}), headers={"Idempotency-Key": uuid4().hex}
            )
        told.append((answer.status_code, list(answer.json()), headers_of(answer), list(statements)))
    assert told[0] == told[1]
    assert told[0][3], "nothing was listened to"


WHOLE = a_body(
    name="Ada",
    route=[{"postcode": "BS1 5TR"}],
    availability={"days": ["monday"], "parts": ["evening"], "earliest": "2026-11-27"},
    lives_or_works_here=True,
    reasons=["badly-lit"],
    group_walk_welcome=True,
    words="The lamps are out",
    access_needs="No steps",
    language_needs="Urdu",
    filled_in_by="other",
    language="en",
    baseline={"safe-after-dark": "very-unsafe"},
    campaign="poster",
    equality={"sex": "female"},
    contact={
        "channels": ["email"],
        "email": "ada@example.com",
        "phone": "07700 900982",
        "address": "1 Demo Street",
        "times": ["evening"],
        "may_say_police": True,
        "may_leave_voicemail": False,
        "calendar_invites": False,
        "excluded_officers": ["a1234"],
        "excluded_teams": ["bs1"],
        "recognition_word": "marmalade",
    },
)


def texts_of(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where texts stand."""
    if isinstance(part, str):
        yield path
    for name, inner in part.items() if isinstance(part, dict) else enumerate(part if isinstance(part, list) else ()):
        yield from texts_of(inner, (*path, name))


def test_every_field_of_the_call_is_tried() -> None:
    """A field that is new must be put into the whole request above."""
    assert set(WHOLE) == set(WalkRequestIn.model_fields)
    assert set(WHOLE["contact"]) == set(ContactIn.model_fields)
    assert set(WHOLE["availability"]) == set(AvailabilityIn.model_fields)
    assert set(PlaceIn.model_fields) == {"postcode", "latitude", "longitude"}


async def test_texts_that_are_no_words_are_refused_or_left_out_of_the_call(intake: Intake) -> None:
    """Control and direction marks in every text of a request: refused by the name of the field, or nothing of them is
    kept; markup stays the letters it is."""
    taken = []
    async with intake.client() as client:
        for path in texts_of(WHOLE):
            for mark in MARKS:
                body = copy.deepcopy(WHOLE)
                inner: Any = body
                for name in path[:-1]:
                    inner = inner[name]
                inner[path[-1]] = inner[path[-1]][:2] + mark + inner[path[-1]][2:]
                answer = await client.post(CALL, json=body, headers={"Idempotency-Key": uuid4().hex})
                if answer.status_code == 201:
                    taken.append(path)
                    continue
                assert answer.status_code == 422, (path, mark)
                named = [one["field"] for one in answer.json()["errors"]]
                wanted = [str(part) for part in path]
                assert any(one.split(".")[: len(wanted)] == wanted[: len(one.split("."))] for one in named), (
                    path,
                    named,
                )
    # By a link of a campaign nobody knows: the code is left out.
    assert set(taken) <= {("campaign",)}
    events = json.dumps(await intake.published("walk-requested"))
    async with intake.database.web.transaction([FORCE]) as tx:
        ids = [row["id"] for row in await intake.rows("SELECT id FROM walk_request")]
        found = [
            open_request(intake.deps.keeping.vault, one) for one in (await request_rows.requests(tx, ids)).values()
        ]
    kept = events + json.dumps([one.person.as_json() for one in found])
    assert not any(json.dumps(mark)[1:-1] in kept for mark in MARKS)


async def test_texts_that_are_no_words_are_refused_on_every_page_of_the_form(intake: Intake) -> None:
    """Control and direction marks in every field of every page: the page is shown again and names the field."""
    async with intake.client() as client:
        her = Visitor(client)
        tried = 0
        for page, given in FORM.items():
            for name, value in given.items():
                first = value[0] if isinstance(value, list) else value
                for mark in MARKS[::3]:
                    answer = await her.send(page, {**given, name: first[:1] + mark + first[1:]})
                    assert answer.status_code == 422, (page, name, mark)
                    assert f'href="#{name}"' in answer.text or 'href="#day"' in answer.text, (page, name)
                    tried += 1
            assert (await her.send(page, given)).status_code == 303, page
        assert tried > 50


async def test_what_cannot_be_read_is_named_too(intake: Intake) -> None:
    """U+0000 in a field of a form by that field, and a body that is no text at all as the body."""
    async with intake.client(Accept="text/html") as client:
        her = Visitor(client)
        await her.fill(until="name")
        answer = await her.send("name", {"name": "A\x00da"})
        assert answer.status_code == 422 and "name holds a character that cannot be kept" in answer.text
        json_ = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
        answer = await client.post(CALL, content=b"\xf9]\xd8", headers=json_)
        assert answer.status_code == 400
        assert [one["field"] for one in answer.json()["errors"]] == ["body"]
