"""Where a force asks for it, a request waits until it is confirmed by the link or the code of a message."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from asyncpg.connection import LoggedQuery

from services.intake.domain.messages import Means
from services.intake.handlers.confirming import TRIES
from services.intake.handlers.messages import message_to_send
from tests.integration.test_intake_pages import Visitor, csrf_of
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, a_body, intake_service

CALL = "/api/v1/walk-requests"
WAITING = "SELECT (SELECT count(*) FROM waiting_baseline) + (SELECT count(*) FROM waiting_equality)"
ANSWERS: dict[str, Any] = {"baseline": {"safe-after-dark": "very-unsafe"}, "equality": {"sex": "female"}}


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    # One connection, whose statements can be listened to.
    async with intake_service(database, database_connections=1) as service:
        # The mappings are those the handlers hold.
        service.deps.keeping.confirming[FORCE] = timedelta(hours=48)  # type: ignore[index] # a dict behind a Mapping
        yield service


async def asked_by(intake: Intake, request_id: str) -> tuple[str, str]:
    """The path of the link, and the code, of the message that asks her to confirm."""
    [row] = await intake.rows("SELECT id FROM message WHERE request_id = $1 AND kind = 'confirm'", UUID(request_id))
    async with intake.database.bus.transaction([FORCE]) as tx:
        found = await message_to_send(tx, FORCE, row["id"], intake.now, keeping=intake.deps.keeping)
    facts = found.facts  # type: ignore[union-attr] # nothing here keeps it back
    return str(facts["link"]).removeprefix(intake.deps.keeping.home(FORCE)), str(facts["code"])


async def post(client: httpx.AsyncClient, path: str, **given: str) -> httpx.Response:
    page = await client.get(path if path.startswith("/confirm/") else f"/{FORCE}/request/confirm")
    return await client.post(path, data={**given, "csrf_token": csrf_of(page)})


async def test_nothing_is_told_before_she_confirms_and_all_of_it_after(intake: Intake) -> None:
    """The link shows a button and changes nothing; pressed, it sends the request on as if it had come then, once."""
    asked = await intake.ask(**ANSWERS)
    assert await intake.published("walk-requested") == []
    assert await intake.messages() == [("confirm", "due")]
    assert await intake.one(WAITING) == 0
    link, _ = await asked_by(intake, asked["request_id"])
    async with intake.client(Accept="text/html") as client:
        for _ in range(3):
            page = await client.get(link)
            assert page.status_code == 200 and "Confirm" in page.text and "Ada" not in page.text
        assert await intake.published("walk-requested") == []
        assert (await post(client, link)).status_code == 303
        assert "is confirmed" in (await client.get(link)).text
        token = csrf_of(await client.get(f"/{FORCE}/request/eligibility"))
        assert (await client.post(link, data={"csrf_token": token})).status_code == 303
    [event] = await intake.published("walk-requested")
    assert event["request_id"] == asked["request_id"] and event["contact"]["channels"] == ["email"]
    assert await intake.messages() == [("confirm", "cancelled"), ("confirmation", "due")]
    assert await intake.one(WAITING) == 2
    intake.now += timedelta(days=3)
    await intake.timers.fire_due()
    assert await intake.one("SELECT count(*) FROM walk_request") == 1


async def test_the_code_confirms_as_the_link_does(intake: Intake) -> None:
    """Her reference and six figures, on the page where she asked."""
    asked = await intake.ask()
    _, code = await asked_by(intake, asked["request_id"])
    async with intake.client(Accept="text/html") as client:
        given = {"reference": asked["reference"].lower(), "code": f"{code[:3]} {code[3:]}"}
        answer = await post(client, f"/{FORCE}/request/confirm", **given)
    assert answer.status_code == 200 and "is confirmed" in answer.text
    assert len(await intake.published("walk-requested")) == 1


async def test_what_nobody_confirms_is_erased(intake: Intake) -> None:
    """Two days after she could be asked: she, her request, and what waited with it."""
    asked = await intake.ask(**ANSWERS)
    link, _ = await asked_by(intake, asked["request_id"])
    intake.now += timedelta(hours=49)
    await intake.timers.fire_due()
    for table in ("participant", "walk_request", "unconfirmed", "message", "waiting_baseline", "waiting_equality"):
        assert await intake.one(f"SELECT count(*) FROM {table}") == 0, table  # noqa: S608  # from the list above
    assert await intake.published("walk-requested") == []
    async with intake.client(Accept="text/html") as client:
        assert (await client.get(link)).status_code == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"contact": {"channels": ["phone"], "phone": "07700 900982"}},
        {"contact": {"channels": ["letter"], "address": "1 Demo Street"}},
        {"contact": {"channels": ["text"], "phone": "07700 900982"}},
        {"filled_in_by": "officer"},
    ],
)
async def test_who_cannot_be_written_to_or_is_helped_is_not_asked(intake: Intake, changed: dict[str, Any]) -> None:
    """Nothing in writing may or can reach her, or somebody makes the request with her: it goes on at once."""
    await intake.ask(**changed)
    assert len(await intake.published("walk-requested")) == 1
    assert await intake.one("SELECT count(*) FROM unconfirmed") == 0


async def test_she_is_asked_by_text_in_words_that_say_nothing(intake: Intake) -> None:
    """By her way and under her rules, like every message: the code alone where a link would tell."""
    intake.deps.keeping.means[FORCE] = Means(True, True)  # type: ignore[index] # a dict behind a Mapping
    asked = await intake.ask(contact={"channels": ["text"], "phone": "07700 900982", "may_say_police": False})
    [row] = await intake.rows("SELECT id, channel FROM message WHERE request_id = $1", UUID(asked["request_id"]))
    assert row["channel"] == "text"
    async with intake.database.bus.transaction([FORCE]) as tx:
        found = await message_to_send(tx, FORCE, row["id"], intake.now, keeping=intake.deps.keeping)
    said = intake.deps.words.text(found, "")  # type: ignore[arg-type] # nothing here keeps it back
    assert re.search(r"\b[0-9]{6}\b", said) and "police" not in said.lower() and "walk" not in said.lower()


async def test_a_code_cannot_be_guessed_and_a_wrong_one_tells_nothing(intake: Intake) -> None:
    """After five wrong ones the right one does not confirm, the link does. A reference nobody has is answered alike,
    after the same statements."""
    asked = await intake.ask()
    link, code = await asked_by(intake, asked["request_id"])
    wrong = "111111" if code != "111111" else "222222"
    statements: list[str] = []

    def listen(query: LoggedQuery) -> None:
        statements.append(query.query)

    async with intake.client(Accept="text/html") as client:
        token = csrf_of(await client.get(f"/{FORCE}/request/confirm"))
        async with intake.deps.database.pool.acquire() as connection:
            connection.add_query_logger(listen)
        told = []
        for reference in (asked["reference"], "WT-2222-2222"):
            statements.clear()
            answer = await client.post(
                f"/{FORCE}/request/confirm", data={"reference": reference, "code": wrong, "csrf_token": token}
            )
            told.append((answer.status_code, answer.text.replace(reference, ""), list(statements)))
        assert told[0] == told[1] and told[0][0] == 422 and told[0][2]
        given = {"reference": asked["reference"], "csrf_token": token}
        for _ in range(TRIES - 1):
            answer = await client.post(f"/{FORCE}/request/confirm", data={**given, "code": wrong})
            assert answer.status_code == 422
        answer = await client.post(f"/{FORCE}/request/confirm", data={**given, "code": code})
        assert answer.status_code == 422 and await intake.published("walk-requested") == []
        assert (await post(client, link)).status_code == 303
    assert len(await intake.published("walk-requested")) == 1


async def test_links_that_confirm_nothing_are_answered_alike(intake: Intake) -> None:
    """Made up, or of a request that was erased."""
    asked = await intake.ask()
    link, _ = await asked_by(intake, asked["request_id"])
    intake.now += timedelta(hours=49)
    await intake.timers.fire_due()
    async with intake.client(Accept="text/html") as client:
        erased, guessed = await client.get(link), await client.get("/confirm/" + "A" * 120)
    assert (erased.status_code, erased.text) == (guessed.status_code, guessed.text) and erased.status_code == 404


async def test_at_the_form_she_is_told_that_her_request_waits(intake: Intake) -> None:
    """The last page says what to do, and leads to the page for the code."""
    async with intake.client() as client:
        her = Visitor(client)
        await her.fill()
        await her.send("check", {"consent": "yes"})
        page = await her.see("done")
    assert "Confirm your request" in page.text and f"/{FORCE}/request/confirm" in page.text
    assert await intake.published("walk-requested") == []


async def test_an_address_that_is_known_is_asked_like_any_other(intake: Intake) -> None:
    """The same answer to whoever asks for a walk."""
    await intake.ask()
    told = []
    for email in ("ada@example.com", "nobody-knows-her@example.com"):
        async with intake.client() as client:
            answer = await client.post(
                CALL, json=a_body(contact={"email": email}), headers={"Idempotency-Key": uuid4().hex}
            )
        told.append((answer.status_code, sorted(answer.json())))
    assert told[0] == told[1]
    assert (await intake.messages()).count(("confirm", "due")) == 3
