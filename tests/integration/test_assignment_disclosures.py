"""What was disclosed, on a real database: the gate by every path and at once, who may look, what the logins may."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest

from services.assignment.app import build
from services.assignment.dependencies import Dependencies
from services.assignment.domain.refusals import DisclosureOpen
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers.disclosures import DISCLOSURE_DUE, DISCLOSURE_PAST, let_go, mark_overdue
from services.assignment.handlers.erasure import forget_erased
from services.assignment.store import walks as walk_rows
from shared.contracts.walk_requests import ParticipantErased
from shared.database import Query
from shared.timers import TimerLoop, Timers
from shared.web.access import Role
from shared.web.session import User
from shared.working_days import london
from tests.integration.test_assignment_web import a_walk, an_arranged_walk, held, post, soon
from tests.servers.assignment_service import (
    COLLEAGUE,
    COORDINATOR,
    ELSEWHERE,
    FORCE,
    OFFICER,
    OTHER_FORCE,
    assignment_settings,
    received,
)
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker
from tests.servers.visitors import visitor

AUDITOR = User("auditor-avon", "Auditor", frozenset({Role.AUDITOR}), FORCE)
SECOND_COORDINATOR = User("coordinator-avon-2", "Inspector", frozenset({Role.COORDINATOR}), FORCE)
REFERENCE = "5226123456"


@pytest.fixture
async def service(database: ServiceDatabaseMaker) -> ServiceDatabase:
    return await database("assignment")


@pytest.fixture
async def app(service: ServiceDatabase, tmp_path: Path) -> AsyncIterator[FastAPI]:
    made = build(assignment_settings(service, tmp_path))
    async with made.router.lifespan_context(made):
        await deps_of(made).take_registers()
        yield made


def deps_of(app: FastAPI) -> Dependencies:
    return cast(Dependencies, app.state.dependencies)


async def value(app: FastAPI, sql: str, *arguments: Any) -> Any:
    async with deps_of(app).database.transaction([FORCE]) as tx:
        return await tx.fetch_value(Query("value", "What a test looks at.", sql), *arguments)


async def disclosed(app: FastAPI, walk_id: str, user: User = OFFICER) -> str:
    """Open one from the walk's page; its address."""
    async with visitor(app, user) as client:
        opened = await client.post(f"/walks/{walk_id}/disclose")
        assert opened.status_code == 303, opened.text
        return opened.headers["location"]


def done(**changed: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(days=1)
    return {
        "kind": "crime",
        "reference": REFERENCE,
        "safeguarding": ["made-safe", "referred"],
        "day": f"{at:%Y-%m-%d}",
        "clock": "18:30",
        "safeguarded_by": COLLEAGUE.sub,
        "signposted": ["victim-support"],
        **changed,
    }


async def record(app: FastAPI, address: str, user: User = OFFICER, **changed: Any) -> httpx.Response:
    async with visitor(app, user) as client:
        return await client.post(address, data=done(**changed))


async def close(app: FastAPI, walk_id: str, user: User = OFFICER) -> httpx.Response:
    async with visitor(app, user) as client:
        return await post(client, f"/walks/{walk_id}/complete", **held())


async def test_a_walk_is_closed_after_number_and_safeguarding_and_not_before(app: FastAPI) -> None:
    """By the officer or a coordinator, and half of it is not enough; nothing of it is on the bus."""
    walk_id = await an_arranged_walk(app)
    address = await disclosed(app, walk_id)
    for user in (OFFICER, COORDINATOR):
        refused = await close(app, walk_id, user)
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "disclosure-open")
    half = await record(app, address, safeguarding=[], signposted=[])
    assert half.headers["location"].endswith("?done=disclosure-in-part")
    assert (await close(app, walk_id)).status_code == 409
    whole = await record(app, address, kind="", reference="")
    assert whole.headers["location"].endswith("?done=disclosure-recorded")
    async with visitor(app, OFFICER) as client:
        page = (await client.get(address)).text
        assert REFERENCE in page and "PC Rachel Cole" in page and "Safeguarding referral made" in page
    closed = await close(app, walk_id)
    assert closed.status_code == 200, closed.text
    assert REFERENCE not in closed.text and "disclos" not in closed.text
    told = await value(app, "SELECT string_agg(type || convert_from(data, 'UTF8'), ' ') FROM outbox_log")
    assert "walk-completed" in told and REFERENCE not in told and "disclos" not in told


async def test_who_closes_by_the_page_is_led_to_what_is_missing(app: FastAPI) -> None:
    """Not answered, the question is asked; with yes the record is opened first; while it is open the walk stays."""
    walk_id = await an_arranged_walk(app)
    async with visitor(app, OFFICER) as client:
        now = london(datetime.now(UTC) - timedelta(days=1))
        said = {"day": f"{now:%Y-%m-%d}", "start": "00:01", "end": "00:45", "streetsafe": "yes"}
        await client.post(f"/record/{walk_id}", data=said)
        unasked = await client.post(f"/walks/{walk_id}/complete", data={})
        assert unasked.status_code == 422 and "alleged crime or intelligence" in unasked.text
        yes = await client.post(f"/walks/{walk_id}/complete", data={"disclosed": "yes"})
        assert (yes.status_code, yes.headers["location"]) == (303, f"/walks/{walk_id}/disclose")
        address = (await client.post(yes.headers["location"])).headers["location"]
        for answer in ("yes", "no"):
            first = await client.post(f"/walks/{walk_id}/complete", data={"disclosed": answer})
            assert (first.status_code, first.headers["location"]) == (303, f"/walks/{walk_id}?done=disclosure-first")
        assert await value(app, "SELECT state FROM walk") == "arranged"
        await client.post(address, data=done())
        closed = await client.post(f"/walks/{walk_id}/complete", data={"disclosed": "yes"})
        assert (closed.status_code, closed.headers["location"]) == (303, f"/walks/{walk_id}?done=recorded")


async def test_opened_and_closed_at_once_no_walk_closes_past_one(app: FastAPI) -> None:
    """Whoever comes first: closed and then disclosed, or disclosed and not closed; never closed over an open one."""
    async with visitor(app, OFFICER) as client:
        for number in range(16):
            walk_id = await an_arranged_walk_at(app, number)
            opening = client.post(f"/walks/{walk_id}/disclose")
            closing = post(client, f"/walks/{walk_id}/complete", **held())
            if number % 2:
                opened, closed = await asyncio.gather(opening, closing)
            else:
                closed, opened = await asyncio.gather(closing, opening)
            assert opened.status_code == 303
            state = await value(app, "SELECT state FROM walk WHERE id = $1", UUID(walk_id))
            assert (closed.status_code, state) in ((200, "completed"), (409, "arranged"))
    assert await value(app, "SELECT count(*) FROM disclosure WHERE unsettled") == 16


async def an_arranged_walk_at(app: FastAPI, number: int) -> str:
    """One of many walks of one officer: each is arranged for another day, and recorded as held today."""
    walk_id = await a_walk(app)
    async with visitor(app, OFFICER) as client:
        assert (await post(client, f"/walks/{walk_id}/take")).status_code == 200
        at = soon(number * 120 + 30)
        arranged = await post(client, f"/walks/{walk_id}/arrange", starts_at=at, meeting_place="The library")
        assert arranged.status_code == 200, arranged.text
    return walk_id


async def test_the_table_itself_refuses_to_close(app: FastAPI, service: ServiceDatabase) -> None:
    """Past all our code: by either login and by the administrator, in one statement or by the store; and one who opens
    holds the walk until it is committed, so that nobody closes it meanwhile."""
    walk_id = UUID(await an_arranged_walk(app))
    closing = (
        "UPDATE walk SET state = 'completed', started_at = now() - interval '1 hour', ended_at = now() WHERE id = $1"
    )
    opening = (
        "INSERT INTO disclosure (force_id, id, walk_id, opened_at, opened_by, due_at, unsettled)"
        " VALUES ($1, $2, $3, now(), 'somebody', now(), true)"
    )
    admin = await asyncpg.connect(service.admin_url)
    other = await asyncpg.connect(service.admin_url)
    try:
        inserting = admin.transaction()
        await inserting.start()
        await admin.execute(opening, FORCE, uuid4(), walk_id)
        racing = asyncio.create_task(other.execute(closing, walk_id))
        await waits_for_a_lock(admin)
        await inserting.commit()
        with pytest.raises(asyncpg.CheckViolationError, match="cannot be closed yet"):
            await racing
        with pytest.raises(asyncpg.UniqueViolationError):
            await admin.execute(opening, FORCE, uuid4(), walk_id)
    finally:
        await admin.close()
        await other.close()
    for login in (service.web, service.bus):
        async with login.transaction([FORCE]) as tx:
            with pytest.raises(asyncpg.CheckViolationError, match="cannot be closed yet"):
                await tx.connection.execute(closing, walk_id)
    async with service.web.transaction([FORCE]) as tx:
        walk = (await walk_rows.walks(tx, [(FORCE, walk_id)]))[walk_id]
        with pytest.raises(DisclosureOpen):
            await walk_rows.save_walks(tx, [as_completed(walk)])


def as_completed(walk: Walk) -> Walk:
    now = datetime.now(UTC)
    return replace(walk, state=State.COMPLETED, started_at=now - timedelta(hours=1), ended_at=now)


async def waits_for_a_lock(admin: asyncpg.Connection[asyncpg.Record]) -> None:
    async with asyncio.timeout(10):
        while not await admin.fetchval(  # noqa: ASYNC110  # another session tells only when it is asked
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        ):
            await asyncio.sleep(0.01)


async def test_what_the_logins_may_with_it(service: ServiceDatabase, app: FastAPI) -> None:
    """The bus side reads no number and adds none; pages delete none, and move none to another walk."""
    address = await disclosed(app, await an_arranged_walk(app))
    await record(app, address)
    forbidden = {
        "bus": [
            "SELECT reference FROM disclosure",
            "SELECT * FROM disclosure",
            "SELECT safeguarding FROM disclosure",
            "SELECT opened_by FROM disclosure",
            "INSERT INTO disclosure (force_id, id, opened_at, opened_by, due_at, unsettled)"
            " VALUES ('avon-and-somerset', gen_random_uuid(), now(), 'x', now(), true)",
            "UPDATE disclosure SET reference = '5226999999'",
            "UPDATE disclosure SET unsettled = false",
        ],
        "web": [
            "DELETE FROM disclosure",
            "UPDATE disclosure SET walk_id = NULL",
            "UPDATE disclosure SET due_at = now()",
        ],
    }
    for login, statements in forbidden.items():
        for statement in statements:
            async with getattr(service, login).transaction([FORCE]) as tx:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await tx.connection.execute(statement)
    for wrong in ("She said that he", "RAPED123", "5226 123456", "ABCDEFG123"):
        async with service.web.transaction([FORCE]) as tx:
            with pytest.raises(asyncpg.CheckViolationError):
                await tx.connection.execute("UPDATE disclosure SET reference = $1", wrong)


async def test_requests_are_counted_and_logged_without_telling_that_there_is_one(app: FastAPI) -> None:
    """Opening, looking, recording and being refused by a field count as looks at a walk: a count of requests would be
    a count of disclosures. Whoever is turned away at the door is told of as everywhere."""
    walk_id = await an_arranged_walk(app)
    address = await disclosed(app, walk_id)
    await record(app, address, reference="Not a number")
    await record(app, address)
    async with visitor(app, OFFICER) as client:
        await client.get(address)
        await client.get("/disclosures")
    async with visitor(app, OTHER_FORCE) as client:
        assert (await client.get(address)).status_code == 404
    async with visitor(app) as nobody:
        assert (await nobody.get(address)).status_code == 303
    metrics = generate_latest(deps_of(app).registry).decode()
    counted = re.findall(r'requests_total\{method="(\w+)",route="(.*?)",.*status="(\d+)"\} ([\d.]+)', metrics)
    assert [one for one in counted if "disclos" in one[1]] == [("GET", "/disclosures/{disclosure_id}", "303", "1.0")]
    assert ("GET", "/walks/{walk_id}", "200", "6.0") in counted


async def test_it_is_seen_by_few_and_each_look_is_logged(app: FastAPI) -> None:
    """Officers of the walk, coordinators and auditors of the force; for a colleague who may see the walk, for another
    team and for another force it does not exist. An auditor changes nothing."""
    walk_id = await an_arranged_walk(app)
    address = await disclosed(app, walk_id)
    await record(app, address)
    for user in (OFFICER, COORDINATOR, AUDITOR):
        async with visitor(app, user) as client:
            assert REFERENCE in (await client.get(address)).text
            assert address in (await client.get("/disclosures?recorded=true")).text
    for user in (COLLEAGUE, ELSEWHERE, OTHER_FORCE):
        async with visitor(app, user) as client:
            assert (await client.get(address)).status_code == 404
            assert address not in (await client.get("/disclosures?recorded=true")).text
            assert "isclosure of" not in (await client.get(f"/walks/{walk_id}")).text
            assert (await client.post(address, data=done())).status_code == 404
    async with visitor(app, AUDITOR) as client:
        assert "Save" not in (await client.get(address)).text
    looked = await value(
        app,
        "SELECT array_agg(DISTINCT actor) FROM audit WHERE action = 'consulted' AND subject = $1",
        address.replace("/disclosures/", "disclosure "),
    )
    assert set(looked) == {OFFICER.sub, COORDINATOR.sub, AUDITOR.sub}
    assert REFERENCE not in await value(app, "SELECT string_agg(subject || reason, ' ') FROM audit")


async def test_whom_she_excludes_is_not_told_whatever_the_rank(app: FastAPI) -> None:
    """A coordinator or auditor she names sees neither it nor that one is overdue."""
    walk_id = await an_arranged_walk(app, excluded_officers=(COORDINATOR.sub, AUDITOR.sub))
    address = await disclosed(app, walk_id)
    await overdue(app)
    for user in (COORDINATOR, AUDITOR):
        async with visitor(app, user) as client:
            assert (await client.get(address)).status_code == 404
            assert address not in (await client.get("/disclosures")).text
            if user is COORDINATOR:
                assert "overdue" not in (await client.get("/")).text
                assert (await client.get(f"/walks/{walk_id}/disclose")).status_code == 404


async def what_is_due(deps: Dependencies) -> None:
    """Fire what of disclosures is due by the clock of the service."""
    due = Timers()
    due.on(DISCLOSURE_DUE, mark_overdue)
    due.on(DISCLOSURE_PAST, partial(let_go, policies=deps.policies))
    await TimerLoop(deps.bus_database, due, deps.clock, deps.policies.forces).fire_due()


async def overdue(app: FastAPI) -> None:
    """A day and an hour later: what is due then has fired, and everybody's clock says so."""
    deps = deps_of(app)
    deps.clock = lambda: datetime.now(UTC) + timedelta(hours=25)
    await what_is_due(deps)


async def test_coordinators_see_what_is_overdue_until_it_is_recorded(app: FastAPI) -> None:
    """On their first page, on the list with a tag, and as one figure by force in the metrics; an officer's page says
    nothing of others. Recorded, it is gone from all three."""
    deps = deps_of(app)
    walk_id = await an_arranged_walk(app)
    address = await disclosed(app, walk_id)
    async with visitor(app, COORDINATOR) as client:
        assert "A disclosure is overdue" not in (await client.get("/")).text
        await overdue(app)
        assert "A disclosure is overdue" in (await client.get("/")).text
        listed = (await client.get("/disclosures")).text
        assert address in listed and "Overdue" in listed
    async with visitor(app, COLLEAGUE) as client:
        assert "overdue" not in (await client.get("/")).text
    assert await value(app, "SELECT overdue_at IS NOT NULL FROM disclosure")
    await deps.measure()
    assert b'walkandtalk_disclosures_overdue{force="avon-and-somerset"} 1.0' in generate_latest(deps.registry)
    assert (await record(app, address)).status_code == 303
    async with visitor(app, COORDINATOR) as client:
        assert "A disclosure is overdue" not in (await client.get("/")).text
        assert address not in (await client.get("/disclosures")).text
    await deps.measure()
    metrics = generate_latest(deps.registry).decode()
    assert 'walkandtalk_disclosures_overdue{force="avon-and-somerset"} 0.0' in metrics
    figures = [line for line in metrics.splitlines() if "disclos" in line and line[0] != "#"]
    assert {line.partition("{")[0] for line in figures} == {"walkandtalk_disclosures_overdue"}


async def test_one_opened_by_mistake_is_taken_back_by_a_coordinator_who_did_not_open_it(app: FastAPI) -> None:
    """Then the walk can be closed; the officer cannot do that, and who opened it neither."""
    walk_id = await an_arranged_walk(app)
    address = await disclosed(app, walk_id, COORDINATOR)
    async with visitor(app, COORDINATOR) as client:
        assert "Nothing was disclosed" not in (await client.get(address)).text
        refused = await client.post(f"{address}/withdraw", data={"because": "opened-by-mistake"})
        assert refused.status_code == 403
    async with visitor(app, OFFICER) as client:
        assert (await client.post(f"{address}/withdraw", data={"because": "opened-by-mistake"})).status_code == 403
    async with visitor(app, SECOND_COORDINATOR) as client:
        back = await client.post(f"{address}/withdraw", data={"because": "opened-by-mistake"})
        assert back.headers["location"] == "/disclosures?done=disclosure-withdrawn"
    assert (await close(app, walk_id)).status_code == 200


async def test_one_may_be_opened_after_the_walk_was_closed_or_cancelled(app: FastAPI) -> None:
    """She may speak later; the walk stays as it is, and the time runs."""
    walk_id = await an_arranged_walk(app)
    assert (await close(app, walk_id)).status_code == 200
    address = await disclosed(app, walk_id)
    assert address == await disclosed(app, walk_id), "one at a time"
    async with visitor(app, COORDINATOR) as client:
        assert address in (await client.get("/disclosures")).text


async def test_when_she_is_erased_the_polices_own_record_stays_and_leads_to_nobody(app: FastAPI) -> None:
    """Number and safeguarding stay with coordinators and auditors, without the walk and so without a request."""
    walk_id = await an_arranged_walk(app)
    address = await disclosed(app, walk_id)
    await record(app, address)
    deps = deps_of(app)
    request_id = await value(app, "SELECT id FROM request WHERE walk_id = $1", UUID(walk_id))
    async with deps.bus_database.transaction([FORCE]) as tx:
        await forget_erased(tx, [received(ParticipantErased(request_id=request_id))], datetime.now(UTC))
    assert await value(app, "SELECT walk_id IS NULL AND reference IS NOT NULL FROM disclosure")
    async with visitor(app, COORDINATOR) as client:
        page = (await client.get(address)).text
        assert REFERENCE in page and walk_id not in page
    async with visitor(app, COLLEAGUE) as client:
        assert (await client.get(address)).status_code == 404


async def test_it_is_kept_as_long_as_the_policy_says(app: FastAPI) -> None:
    """Looked at every month; seven years after it was recorded it goes, and one that is open never does."""
    await record(app, await disclosed(app, await an_arranged_walk(app)))
    deps = deps_of(app)
    for days, left in ((31, 1), (2500, 1), (2590, 0)):
        deps.clock = lambda days=days: datetime.now(UTC) + timedelta(days=days)  # type: ignore[misc]  # bound on purpose
        await what_is_due(deps)
        assert await value(app, "SELECT count(*) FROM disclosure") == left, days


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reference": "He followed her home on 12/11/2026 at 9"}, "Enter the report’s number alone"),
        ({"kind": ""}, "Select whether it is the number of a crime"),
        ({"safeguarding": ["none-needed", "referred"]}, "Select what was done, or that nothing was needed"),
        ({"safeguarding": ["prayed"]}, "Select what was done from the list"),
        ({"day": "", "clock": ""}, "Enter when it was done"),
        ({"day": "2099-01-01"}, "Enter when it was done, not in the future"),
        ({"reference": "", "safeguarding": [], "signposted": []}, "Enter the reference, or select"),
    ],
)
async def test_what_cannot_be_right_is_said_at_its_field(app: FastAPI, changed: dict[str, Any], said: str) -> None:
    """What was typed stands there again, and nothing is stored."""
    address = await disclosed(app, await an_arranged_walk(app))
    refused = await record(app, address, **changed)
    assert refused.status_code == 422
    assert said in refused.text
    assert re.search(r'href="#(reference|kind|safeguarding|day)"', refused.text)
    assert await value(app, "SELECT count(*) FROM disclosure WHERE recorded_at IS NOT NULL") == 0
