"""Follow-ups on a real database: wanted again, tried, overdue, handed over, erased."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI

from services.assignment.app import build
from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers.erasure import forget_erased
from services.assignment.handlers.requests import change_contact_rules
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.kinds import Channel, SurveyName, Urgency
from shared.contracts.walk_requests import ContactRules, ContactRulesChanged, ContactWanted, ParticipantErased
from shared.database import Query
from shared.timers import TimerLoop, Timers
from shared.working_days import london
from tests.integration.test_assignment_disclosures import deps_of, value
from tests.integration.test_assignment_web import an_arranged_walk
from tests.servers.assignment_service import (
    COLLEAGUE,
    COORDINATOR,
    ELSEWHERE,
    FORCE,
    OFFICER,
    assignment_settings,
    received,
)
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.visitors import visitor

CALLED = ContactRules(channels=(Channel.PHONE, Channel.LETTER), may_say_police=True, may_leave_voicemail=False)


@pytest.fixture
async def app(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[FastAPI]:
    made = build(assignment_settings(await database("assignment"), tmp_path))
    async with made.router.lifespan_context(made):
        await deps_of(made).take_registers()
        yield made


async def rows(app: FastAPI, sql: str) -> list[dict[str, Any]]:
    async with deps_of(app).database.transaction([FORCE]) as tx:
        return [dict(row) for row in await tx.fetch(Query("rows", "What a test looks at.", sql))]


async def want(app: FastAPI, request_id: UUID, *urgencies: Urgency) -> list[ContactWanted]:
    """Contacts that intake says are wanted, in one batch."""
    deps = deps_of(app)
    events = [ContactWanted(request_id=request_id, contact_id=uuid4(), urgency=urgency) for urgency in urgencies]
    async with deps.bus_database.transaction([FORCE]) as tx:
        await following_up.open_follow_ups(
            tx, [received(event) for event in events], deps.clock(), policies=deps.policies
        )
    return events


async def change_rules(app: FastAPI, request_id: UUID, rules: ContactRules) -> None:
    async with deps_of(app).bus_database.transaction([FORCE]) as tx:
        changed = ContactRulesChanged(request_id=request_id, contact=rules)
        await change_contact_rules(tx, [received(changed)], datetime.now(UTC))


async def a_follow_up(app: FastAPI) -> tuple[UUID, str]:
    """Of a woman who may be called and visited; her request, and the follow-up's address."""
    walk_id = await an_arranged_walk(app)
    request_id: UUID = await value(app, "SELECT id FROM request WHERE walk_id = $1", UUID(walk_id))
    await change_rules(app, request_id, CALLED)
    await want(app, request_id, Urgency.SOON)
    follow_up_id = await value(app, "SELECT id FROM follow_up")
    return request_id, f"/follow-ups/{follow_up_id}"


def tried(**changed: Any) -> dict[str, Any]:
    now = london(datetime.now(UTC))
    return {"way": "phone", "result": "no-answer", "day": f"{now:%Y-%m-%d}", "clock": f"{now:%H:%M}", **changed}


async def test_what_is_wanted_again_joins_and_after_the_end_opens_it_again(app: FastAPI) -> None:
    """Three wishes in one batch and one at a time are one follow-up, the most urgent; completed and wanted once more it
    is open again, told again as completed under its own id, and each contact is known for good."""
    request_id, address = await a_follow_up(app)
    await want(app, request_id, Urgency.SOON, Urgency.SAME_DAY, Urgency.SOON)
    [found] = await rows(app, "SELECT urgency, reopened, completed_at FROM follow_up")
    assert (found["urgency"], found["reopened"]) == ("same-day", 0)
    async with visitor(app, OFFICER) as client:
        assert (await client.post(f"{address}/complete", data={"outcome": "reached"})).status_code == 303
        assert address not in (await client.get("/follow-ups")).text
        [second] = await want(app, request_id, Urgency.SOON)
        assert address in (await client.get("/follow-ups")).text
        assert "Opened again" in (await client.get(address)).text
        assert (await client.post(f"{address}/complete", data={"outcome": "declined"})).status_code == 303
    told = await rows(app, "SELECT key, data FROM outbox_log WHERE type LIKE '%follow-up-completed%' ORDER BY position")
    assert [row["key"] for row in told] == [UUID(address.rpartition("/")[2])] * 2
    assert str(second.contact_id) in str(told[1]["data"])
    assert await value(app, "SELECT count(*) FROM follow_up_contact") == 5
    assert await value(app, "SELECT count(*) FROM timer WHERE kind = 'follow-up-due'") == 0


async def test_wishes_that_come_at_the_same_time_are_one(app: FastAPI) -> None:
    """Ten batches at once: one follow-up, ten contacts, one timer."""
    request_id, _ = await a_follow_up(app)
    await asyncio.gather(*(want(app, request_id, Urgency.SAME_DAY) for _ in range(10)))
    assert await value(app, "SELECT count(*) FROM follow_up") == 1
    assert await value(app, "SELECT count(*) FROM follow_up_contact") == 11
    assert await value(app, "SELECT count(*) FROM timer WHERE kind = 'follow-up-due'") == 1


async def test_the_same_wish_told_again_opens_nothing(app: FastAPI) -> None:
    """Neither while it is open nor after it was completed."""
    request_id, address = await a_follow_up(app)
    deps = deps_of(app)
    [event] = await want(app, request_id, Urgency.SAME_DAY)
    async with visitor(app, OFFICER) as client:
        await client.post(f"{address}/complete", data={"outcome": "reached"})
    async with deps.bus_database.transaction([FORCE]) as tx:
        await following_up.open_follow_ups(tx, [received(event)], deps.clock(), policies=deps.policies)
    assert await value(app, "SELECT count(*) FROM follow_up WHERE completed_at IS NULL") == 0


async def test_attempts_are_logged_by_her_ways_until_she_says_stop(app: FastAPI) -> None:
    """Only her ways are offered and taken, nothing of others; once contact is no longer safe none is, and the page says
    so to whoever has it."""
    request_id, address = await a_follow_up(app)
    async with visitor(app, OFFICER) as client:
        page = (await client.get(address)).text
        assert set(re.findall(r'name="way"[^>]*value="(\w+)"', page)) == {"phone", "visit", "letter"}
        assert "voicemail-left" not in page
        for _ in range(2):
            assert (await client.post(f"{address}/attempts", data=tried())).status_code == 303
        visited = await client.post(f"{address}/attempts", data=tried(way="visit", result="reached"))
        assert visited.headers["location"] == f"{address}?done=tried"
        for changed, said in (
            ({"way": "email", "result": "sent"}, "She does not want to be contacted that way"),
            ({"result": "voicemail-left"}, "She does not want voicemail"),
            ({"result": "sent"}, "Choose an outcome that fits"),
            ({"way": ""}, "Select how you tried"),
            ({"day": "2099-01-01"}, "not in the future"),
            ({"clock": "25:61"}, "Enter a time"),
        ):
            refused = await client.post(f"{address}/attempts", data=tried(**changed))
            assert refused.status_code == 422 and said in refused.text, changed
        page = (await client.get(address)).text
        assert page.count("Phone call: No answer. PC Amina Yusuf") == 2 and "Visit: Reached" in page
        await change_rules(app, request_id, CALLED.model_copy(update={"stopped": True}))
        assert (await client.post(f"{address}/attempts", data=tried())).status_code == 409
        page = (await client.get(address)).text
        assert "Log an attempt" not in page and "Do not contact her" in page
    async with visitor(app, COLLEAGUE) as client:
        assert (await client.post(f"{address}/attempts", data=tried())).status_code == 404
    assert await value(app, "SELECT count(*) FROM follow_up_attempt") == 3


async def test_what_is_overdue_comes_to_the_coordinator_who_hands_it_over(app: FastAPI) -> None:
    """Its day past, it is marked, counted and first on the coordinator's list of what is overdue; given to a colleague
    who may walk with her it is that officer's and no longer the other's."""
    _, address = await a_follow_up(app)
    deps = deps_of(app)
    deps.clock = lambda: datetime.now(UTC) + timedelta(days=10)
    due = Timers()
    due.on(following_up.FOLLOW_UP_DUE, following_up.mark_overdue)
    await TimerLoop(deps.bus_database, due, deps.clock, deps.policies.forces).fire_due()
    assert await value(app, "SELECT overdue_at IS NOT NULL FROM follow_up")
    await deps.measure()
    async with visitor(app, COORDINATOR) as client:
        listed = (await client.get("/follow-ups?which=overdue")).text
        assert address in listed and "Overdue" in listed
        assert "1 overdue" in (await client.get("/")).text
        assert (
            'walkandtalk_follow_ups{force="avon-and-somerset",which="overdue"} 1.0'
            in (await client.get("/metrics")).text
        )
        page = (await client.get(address)).text
        offered = set(re.findall(r'<option value="([\w-]+)"', page.partition("Hand it over")[2]))
        assert COLLEAGUE.sub in offered and ELSEWHERE.sub not in offered
        far = await client.post(f"{address}/hand-over", data={"officer_id": ELSEWHERE.sub})
        assert far.status_code == 422 and "another team" in far.text
        nobody = await client.post(f"{address}/hand-over", data={"officer_id": "nobody"})
        assert nobody.status_code == 422
        given = await client.post(f"{address}/hand-over", data={"officer_id": COLLEAGUE.sub})
        assert given.headers["location"] == "/follow-ups?done=follow-up-given"
    async with visitor(app, COLLEAGUE) as client:
        assert address in (await client.get("/follow-ups?which=overdue")).text
        back = await client.post(f"{address}/hand-over", data={"officer_id": "a-coordinator"})
        assert back.status_code == 303
        assert (await client.get(address)).status_code == 404
    async with visitor(app, OFFICER) as client:
        assert (await client.get(address)).status_code == 404
    told = await rows(app, "SELECT data FROM outbox_log WHERE type LIKE '%follow-up-handed-over%' ORDER BY position")
    assert [json.loads(row["data"]).get("officer_id") for row in told] == [COLLEAGUE.sub, None]


async def test_whom_she_excludes_is_neither_offered_nor_given_it(app: FastAPI) -> None:
    """Not by hand past the page either."""
    request_id, address = await a_follow_up(app)
    await change_rules(app, request_id, CALLED.model_copy(update={"excluded_officers": (COLLEAGUE.sub,)}))
    async with visitor(app, COORDINATOR) as client:
        assert COLLEAGUE.sub not in (await client.get(address)).text
        refused = await client.post(f"{address}/hand-over", data={"officer_id": COLLEAGUE.sub})
        assert refused.status_code == 422
    assert await value(app, "SELECT officer_id FROM follow_up") == OFFICER.sub


async def test_a_review_by_the_team_is_given_to_an_officer_who_completes_it(app: FastAPI) -> None:
    """It is about nobody: there is nobody to try, and nothing is told."""
    deps = deps_of(app)
    flagged = FeedbackFlagged(flag_id=uuid4(), survey=SurveyName.AFTER_WALK, reasons=("worried",), urgency=Urgency.SOON)
    async with deps.bus_database.transaction([FORCE]) as tx:
        await following_up.open_reviews(tx, [received(flagged)], datetime.now(UTC), policies=deps.policies)
    address = f"/follow-ups/{flagged.flag_id}"
    async with visitor(app, COORDINATOR) as client:
        assert address in (await client.get("/follow-ups?which=reviews")).text
        page = (await client.get(address)).text
        assert "You cannot find out who answered" in page and "Log an attempt" not in page
        assert (await client.post(f"{address}/attempts", data=tried())).status_code == 409
        assert (await client.post(f"{address}/hand-over", data={"officer_id": OFFICER.sub})).status_code == 303
    async with visitor(app, OFFICER) as client:
        assert (await client.post(f"{address}/complete", data={"outcome": "reached"})).status_code == 422
        assert (await client.post(f"{address}/complete", data={"outcome": "reviewed"})).status_code == 303
        assert address in (await client.get("/follow-ups?which=completed")).text
    assert await value(app, "SELECT count(*) FROM outbox_log WHERE type LIKE '%follow-up%'") == 0


@pytest.mark.parametrize("completed", [True, False])
async def test_what_was_tried_goes_with_her(app: FastAPI, completed: bool) -> None:
    """Attempts are erased with whoever they were to reach, whether it was over or not."""
    request_id, address = await a_follow_up(app)
    async with visitor(app, OFFICER) as client:
        await client.post(f"{address}/attempts", data=tried())
        if completed:
            await client.post(f"{address}/complete", data={"outcome": "reached"})
    async with deps_of(app).bus_database.transaction([FORCE]) as tx:
        await forget_erased(tx, [received(ParticipantErased(request_id=request_id))], datetime.now(UTC))
    assert await value(app, "SELECT count(*) FROM follow_up_attempt") == 0
    assert await value(app, "SELECT count(*) FROM follow_up") == int(completed)
    assert await value(app, "SELECT count(*) FROM follow_up_contact") == int(completed)
