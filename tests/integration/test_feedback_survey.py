"""The survey by its link, on a real database: kept once, flagged when it worries us, and leading nowhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.feedback import handlers
from services.feedback.metrics import FeedbackMetrics
from shared.contracts.surveys import AFTER_WALK
from shared.database import Database, Query
from shared.survey_link import Ticket
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker
from tests.servers.feedback_service import FORCE, KEY, a_ticket, feedback_app

CALM = {"safe-after-dark": "fairly-safe", "still-worried": "no", "contact-me": "no"}
WORRIED = {**CALM, "still-worried": "yes"}


@pytest.fixture
async def service(database: ServiceDatabaseMaker) -> ServiceDatabase:
    return await database("feedback")


@pytest.fixture
def feedback(service: ServiceDatabase) -> Database:
    return service.bus


@pytest.fixture
async def app(service: ServiceDatabase) -> AsyncIterator[FastAPI]:
    made = feedback_app(service)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost:8004", follow_redirects=True
    ) as made:
        yield made


async def rows(database: Database, sql: str) -> list[dict[str, Any]]:
    async with database.transaction([FORCE]) as tx:
        return [dict(row) for row in await tx.fetch(Query("rows", "What a test looks at.", sql))]


async def send(client: httpx.AsyncClient, ticket: Ticket, answers: dict[str, str]) -> httpx.Response:
    return await client.post("/api/v1/answers", json={"token": ticket.token(KEY), "answers": answers})


async def test_answers_are_taken_once_and_answered_with_a_receipt(
    client: httpx.AsyncClient, feedback: Database
) -> None:
    """The first sending is 201 with a receipt; the same link again is 200, stores nothing and tells nothing."""
    ticket = a_ticket()
    first, second = await send(client, ticket, CALM), await send(client, ticket, WORRIED)
    assert (first.status_code, second.status_code) == (201, 200)
    assert UUID(first.json()["receipt_id"])
    assert second.json() == {"receipt_id": None}
    (kept,) = await rows(feedback, "SELECT * FROM answers")
    assert kept["pair_id"] == ticket.pair_id
    assert kept["answers"] == CALM
    assert await rows(feedback, "SELECT * FROM flag") == []
    assert [row["type"] for row in await rows(feedback, "SELECT type FROM outbox_log")] == [
        "uk.police.walkandtalk.feedback-received.v1"
    ]


async def test_a_hundred_sendings_of_one_link_at_once_store_one_answer(
    client: httpx.AsyncClient, feedback: Database
) -> None:
    """However often one link is finished at the same moment: one answer, one receipt, one flag."""
    ticket = a_ticket()
    sent = await asyncio.gather(*(send(client, ticket, WORRIED) for _ in range(100)))
    assert sorted(response.status_code for response in sent) == [200] * 99 + [201]
    assert len(await rows(feedback, "SELECT FROM answers")) == 1
    assert len(await rows(feedback, "SELECT FROM flag")) == 1
    told = await rows(feedback, "SELECT type FROM outbox_log ORDER BY position")
    assert [row["type"].split(".")[-2] for row in told] == ["feedback-received", "feedback-flagged"]


async def test_a_worrying_answer_is_flagged_with_the_sealed_contact(
    client: httpx.AsyncClient, feedback: Database
) -> None:
    """The flag says why and how urgent, and passes on the reference that only intake can open."""
    await send(client, a_ticket(contact="only intake can open this"), {**WORRIED, "contact-me": "visit"})
    (flag,) = await rows(feedback, "SELECT * FROM flag")
    assert flag["reasons"] == ["still-worried", "asked-for-a-visit"]
    assert (flag["urgency"], flag["has_contact"]) == ("same-day", True)
    told = await rows(feedback, "SELECT convert_from(data, 'UTF8')::jsonb AS data FROM outbox_log ORDER BY position")
    assert told[-1]["data"]["contact"] == "only intake can open this"
    assert "answers" not in told[-1]["data"]


async def test_do_not_contact_me_leaves_the_contact_out(client: httpx.AsyncClient, feedback: Database) -> None:
    """She is flagged for the count, and nobody can find out whom to contact."""
    await send(client, a_ticket(contact="only intake can open this"), {**WORRIED, "contact-me": "do-not-contact"})
    (flag,) = await rows(feedback, "SELECT * FROM flag")
    assert flag["has_contact"] is False
    told = await rows(feedback, "SELECT convert_from(data, 'UTF8') AS data FROM outbox_log")
    assert not any("only intake" in row["data"] for row in told)


async def test_no_value_leads_from_answers_to_a_flag_a_receipt_or_an_event(
    client: httpx.AsyncClient, feedback: Database, service: ServiceDatabase
) -> None:
    """No value in a row of answers but the force, survey, month and version stands in any other table."""
    ticket = a_ticket()
    await send(client, ticket, WORRIED)
    (kept,) = await rows(feedback, "SELECT * FROM answers")
    assert set(kept) == {"force_id", "survey", "pair_id", "version", "month", "answers"}
    assert re.fullmatch(r"\d{4}-\d{2}", kept["month"])
    elsewhere = await _lines_of_other_tables(service.admin_url)
    events = await rows(feedback, "SELECT convert_from(data, 'UTF8') AS line FROM outbox_log")
    assert len(elsewhere) >= 5, "the flag and the events are there to be searched"
    for line in (*elsewhere, *(row["line"] for row in events)):
        assert str(ticket.pair_id) not in line
        assert ticket.pair_id.hex not in line


async def test_writing_answers_anew_at_night_leaves_no_transaction_to_join_by(
    client: httpx.AsyncClient, feedback: Database
) -> None:
    """After the night's work all answers bear one transaction, which is not that of any flag or event."""
    for _ in range(10):
        await send(client, a_ticket(), WORRIED)
    before = await rows(feedback, "SELECT pair_id, answers FROM answers ORDER BY pair_id")
    async with feedback.transaction([FORCE]) as tx:
        await handlers.start(tx, [FORCE], datetime.now(UTC), metrics=FeedbackMetrics(CollectorRegistry()))
    assert await rows(feedback, "SELECT pair_id, answers FROM answers ORDER BY pair_id") == before
    kept = {row["xmin"] for row in await rows(feedback, "SELECT xmin::text FROM answers")}
    flags = {row["xmin"] for row in await rows(feedback, "SELECT xmin::text FROM flag")}
    assert len(kept) == 1
    assert not kept & flags


async def test_answers_sent_during_the_nights_work_are_neither_lost_nor_doubled(
    client: httpx.AsyncClient, feedback: Database
) -> None:
    """While answers are written anew, by two processes at once, links go on being finished, some of them twice."""
    metrics = FeedbackMetrics(CollectorRegistry())

    async def night() -> None:
        async with feedback.transaction([FORCE]) as tx:
            await handlers.start(tx, [FORCE], datetime.now(UTC), metrics=metrics)

    tickets = [a_ticket() for _ in range(30)]
    for ticket in tickets[:10]:
        await send(client, ticket, CALM)
    sent = [send(client, ticket, CALM) for ticket in (*tickets, *tickets)]
    done = await asyncio.gather(*sent[:20], night(), *sent[20:40], night(), night(), *sent[40:])
    stored_now = [one for one in done if one is not None and one.status_code == 201]
    assert len(stored_now) == 20
    kept = await rows(feedback, "SELECT pair_id FROM answers")
    assert sorted(row["pair_id"] for row in kept) == sorted(ticket.pair_id for ticket in tickets)


async def test_wrong_answers_are_refused_by_name_and_nothing_is_stored(
    client: httpx.AsyncClient, feedback: Database
) -> None:
    """An answer the survey does not give is 422 naming the question, never repeating the value."""
    response = await send(client, a_ticket(), {"safe-after-dark": "purple", "no-such": "x"})
    assert response.status_code == 422
    assert {error["field"] for error in response.json()["errors"]} == {"safe-after-dark", "no-such"}
    assert "purple" not in response.text
    assert await rows(feedback, "SELECT * FROM answers") == []


async def test_no_answer_at_all_is_refused(client: httpx.AsyncClient, feedback: Database) -> None:
    """An empty survey does not use up the link."""
    ticket = a_ticket()
    assert (await send(client, ticket, {})).status_code == 422
    assert (await send(client, ticket, {"contact-me": "do-not-contact"})).status_code == 422
    assert (await send(client, ticket, CALM)).status_code == 201


async def test_a_link_of_another_key_or_too_old_opens_nothing(client: httpx.AsyncClient) -> None:
    """A forged link is not found, an old one is gone; the page says so in plain words."""
    forged, old = a_ticket().token(bytes(32)), a_ticket(days=-1).token(KEY)
    for path in (f"/s/{forged}", f"/s/{forged}/question/1", f"/s/{forged}/check"):
        assert (await client.get(path)).status_code == 404
    assert (await client.get("/s/nonsense")).status_code == 404
    gone = await client.get(f"/s/{old}")
    assert gone.status_code == 410
    assert "no longer open" in gone.text
    assert (await client.post("/api/v1/answers", json={"token": old, "answers": CALM})).status_code == 410


async def test_opening_the_link_changes_nothing(client: httpx.AsyncClient, feedback: Database) -> None:
    """Mail scanners follow links: a GET of any page of the survey writes no row."""
    token = a_ticket().token(KEY)
    for path in (f"/s/{token}", f"/S/{token}", f"/s/{token}/question/1", f"/s/{token}/check"):
        assert (await client.get(path)).status_code == 200
    for table in ("answers", "draft", "flag", "outbox_log"):
        assert await rows(feedback, f"SELECT * FROM {table}") == []  # noqa: S608 # a table named above


async def test_she_is_told_about_contact_before_the_first_question(client: httpx.AsyncClient) -> None:
    """The first page says that an officer may contact her and lets her say no, before anything is asked."""
    page = (await client.get(f"/s/{a_ticket().token(KEY)}")).text
    assert "an officer may contact you" in page
    assert "Do not contact me" in page
    assert 'type="radio"' not in page


async def test_the_survey_is_answered_page_by_page_and_sent_once(client: httpx.AsyncClient, feedback: Database) -> None:
    """Start, thirteen questions, check, send, thanks; then the same link shows the thanks again."""
    ticket = a_ticket()
    url = f"/s/{ticket.token(KEY)}"
    page = await post(client, url, {})
    given = {}
    for number, question in enumerate(AFTER_WALK.questions, 1):
        assert f"Question {number} of {len(AFTER_WALK.questions)}" in page.text
        given[question.code] = question.choices[0].code
        page = await post(client, f"{url}/question/{number}", {"answer": question.choices[0].code})
    assert "Check your answers" in page.text
    assert "Not answered" not in page.text
    assert "Thank you" in (await post(client, f"{url}/check", {})).text
    assert "Thank you" in (await client.get(url)).text
    assert "Thank you" in (await client.get(f"{url}/question/3")).text
    (kept,) = await rows(feedback, "SELECT answers FROM answers")
    assert kept["answers"] == given
    assert await rows(feedback, "SELECT * FROM draft") == []


async def test_a_survey_goes_on_where_it_stopped(client: httpx.AsyncClient, feedback: Database) -> None:
    """Another token of the same pair on another day opens the answers given so far, and skipped questions stay open."""
    pair_id = uuid4()
    url = f"/s/{a_ticket(pair_id=pair_id).token(KEY)}"
    await post(client, f"{url}/question/1", {"answer": "very-unsafe"})
    await post(client, f"{url}/question/2", {})
    again = f"/s/{a_ticket(pair_id=pair_id).token(KEY)}"
    client.cookies.clear()
    assert "You have answered 1 of 13" in (await client.get(again)).text
    assert "Question 2 of 13" in (await post(client, again, {})).text
    assert re.search(r'value="very-unsafe"[^>]*checked', (await client.get(f"{again}/question/1")).text)
    (draft,) = await rows(feedback, "SELECT * FROM draft")
    assert set(draft) == {"force_id", "id", "month", "answers"}
    assert draft["id"] not in (pair_id.bytes, str(pair_id).encode())


async def test_the_box_on_the_first_page_holds_unless_she_changes_it(
    client: httpx.AsyncClient, feedback: Database
) -> None:
    """Ticked, it answers the contact question; unticked later, the question is open again."""
    url = f"/s/{a_ticket().token(KEY)}"
    await post(client, url, {"no_contact": "yes"})
    assert (await rows(feedback, "SELECT answers FROM draft"))[0]["answers"] == {"contact-me": "do-not-contact"}
    await post(client, url, {})
    assert (await rows(feedback, "SELECT answers FROM draft"))[0]["answers"] == {}


async def test_an_unknown_answer_on_the_page_is_an_error_beside_the_question(client: httpx.AsyncClient) -> None:
    """The page comes back with an error summary that leads to the question."""
    url = f"/s/{a_ticket().token(KEY)}/question/1"
    page = await post(client, url, {"answer": "purple"})
    assert page.status_code == 422
    assert "There is a problem" in page.text
    assert 'href="#answer"' in page.text


async def test_survey_pages_are_not_kept_by_the_browser_and_say_nothing_in_their_title(
    client: httpx.AsyncClient,
) -> None:
    """No store, no referrer, and a title that means nothing in a history."""
    response = await client.get(f"/s/{a_ticket().token(KEY)}")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    title = re.search(r"<title[^>]*>(.*?)</title>", response.text, re.DOTALL)
    assert title is not None
    assert not re.search("walk|police|officer|safe", title[1], re.IGNORECASE)


async def post(client: httpx.AsyncClient, url: str, data: dict[str, str]) -> httpx.Response:
    """Send a page's form as a browser does, with the token of that page."""
    page = await client.get(url)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    return await client.post(url, data={**data, "csrf_token": token[1]})


async def _lines_of_other_tables(admin_url: str) -> list[str]:
    """Every row of every table but answers, partitions included, as text."""
    connection = await asyncpg.connect(admin_url)
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        found: list[str] = []
        for (table,) in tables:
            if table != "answers":
                lines = await connection.fetch(f'SELECT t::text FROM "{table}" AS t')  # noqa: S608 # own tables
                found += [line for (line,) in lines]
        return found
    finally:
        await connection.close()
