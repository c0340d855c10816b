"""Patrols on a real database: logged and corrected by page, told without words, wanted where concerns ask for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI

from services.assignment.app import build
from services.assignment.handlers.referrals import note_referrals
from services.assignment.handlers.requests import change_contact_rules
from services.assignment.timers import retention
from shared.contracts.kinds import Channel
from shared.contracts.referrals import ReferralMade
from shared.contracts.walk_requests import ContactRules, ContactRulesChanged
from shared.retention import kinds_of
from shared.web.access import Role
from shared.web.session import User
from shared.working_days import london
from tests.integration.test_assignment_disclosures import deps_of, value
from tests.integration.test_assignment_follow_ups import rows
from tests.integration.test_assignment_web import an_arranged_walk, held, post
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
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.visitors import visitor

ALLY = User("ally-1", "PC Martin Green", frozenset({Role.OFFICER}), FORCE, None)
"""A male ally: on no register, of no team."""
HEARD = "The lamps by the bridge have been out for a week"


@pytest.fixture
async def app(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[FastAPI]:
    made = build(assignment_settings(await database("assignment"), tmp_path))
    async with made.router.lifespan_context(made):
        await deps_of(made).take_registers()
        yield made


def said(**changed: Any) -> dict[str, Any]:
    yesterday = london(datetime.now(UTC) - timedelta(days=1))
    return {
        "kind": "cycle",
        "day": f"{yesterday:%Y-%m-%d}",
        "start": "20:00",
        "end": "21:15",
        "area_id": "bs1",
        "conversations": "4",
        "heard": HEARD,
        **changed,
    }


async def told(app: FastAPI) -> list[tuple[str, Any]]:
    found = await rows(app, "SELECT type, data FROM outbox_log WHERE type LIKE '%.patrol-%' ORDER BY position")
    return [(row["type"].rsplit(".", 2)[1], json.loads(row["data"])) for row in found]


async def the_patrol(app: FastAPI) -> str:
    return f"/patrols/{await value(app, 'SELECT id FROM patrol WHERE withdrawn_at IS NULL')}"  # noqa: S608 - an address


async def test_an_ally_logs_a_patrol_that_is_told_without_words(app: FastAPI) -> None:
    """Somebody on no register logs it; the bus learns area, day, part and minutes; the team reads what was heard, and
    another team does not know of it."""
    async with visitor(app, ALLY) as client:
        assert "Log the patrol" in (await client.get("/patrols/log")).text
        done = await client.post("/patrols/log", data=said(places="51.4545, -2.5879\n51.4550, -2.5880"))
        assert done.headers["location"] == "/patrols?done=patrol-logged", done.text
    [(name, data)] = await told(app)
    assert (name, data["area_id"], data["kind"], data["part"], data["minutes"]) == (
        "patrol-logged",
        "bs1",
        "cycle",
        "evening",
        75,
    )
    assert set(data) == {"patrol_id", "area_id", "kind", "on", "part", "minutes", "concern_ids"}
    address = await the_patrol(app)
    for user in (ALLY, OFFICER, COORDINATOR):
        async with visitor(app, user) as client:
            assert HEARD in (await client.get(address)).text
    async with visitor(app, OFFICER) as client:
        listed = (await client.get("/patrols")).text
        assert address in listed and HEARD not in listed
    for user in (ELSEWHERE, OTHER_FORCE):
        async with visitor(app, user) as client:
            assert (await client.get(address)).status_code == 404
            assert address not in (await client.get("/patrols")).text
            assert (await client.post(f"{address}/withdraw")).status_code == 404


async def test_places_say_which_area_it_was(app: FastAPI) -> None:
    """Without an area chosen it is that of the first place; a place outside all areas is asked about."""
    async with visitor(app, OFFICER) as client:
        assert (await client.post("/patrols/log", data=said(area_id="", places="51.4545, -2.5879"))).status_code == 303
        assert await value(app, "SELECT area_id FROM patrol") == "bs1"
        for changed, text in (
            ({"area_id": "", "places": "50.2, -6.5"}, "Choose an area"),
            ({"area_id": ""}, "Select an area, or enter a place"),
            ({"places": "nowhere"}, "Line 1"),
            ({"kind": ""}, "Select whether you were on foot"),
            ({"end": "20:00"}, "The end must be after the start"),
            ({"start": "07:00"}, "twelve hours"),
            ({"conversations": "many"}, "Enter how many people"),
            ({"heard": "x" * 1001}, "1,000 characters or fewer"),
            ({"concern_ids": str(uuid4())}, "Select concerns from the list"),
            ({"day": "2020-01-01"}, "within fourteen days"),
        ):
            refused = await client.post("/patrols/log", data=said(**changed))
            assert refused.status_code == 422 and text in refused.text, changed
    assert await value(app, "SELECT count(*) FROM patrol") == 1


async def test_what_went_past_midnight_is_one_patrol_of_the_day_it_began(app: FastAPI) -> None:
    """From ten to two: four hours, the evening's."""
    async with visitor(app, OFFICER) as client:
        two_days_ago = london(datetime.now(UTC) - timedelta(days=2))
        sent = said(day=f"{two_days_ago:%Y-%m-%d}", start="22:00", end="02:00")
        assert (await client.post("/patrols/log", data=sent)).status_code == 303
    [(_, data)] = await told(app)
    assert (data["minutes"], data["part"], data["on"]) == (240, "evening", f"{two_days_ago:%Y-%m-%d}")


async def test_a_patrol_is_corrected_once_and_taken_back_within_a_day(app: FastAPI) -> None:
    """Corrected, the first is withdrawn and another is told under an id of its own; sent five times at once it is one.
    A day later it stands."""
    async with visitor(app, ALLY) as client:
        await client.post("/patrols/log", data=said())
        first = await the_patrol(app)
        assert 'value="20:00"' in (await client.get(f"{first}/correct")).text
        answers = await asyncio.gather(*(client.post(f"{first}/correct", data=said(end="21:30")) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409, 409]
        second = await the_patrol(app)
        assert second != first
        assert (await client.get(first)).text.count(HEARD) == 0
    assert [(name, data.get("minutes")) for name, data in await told(app)] == [
        ("patrol-logged", 75),
        ("patrol-withdrawn", None),
        ("patrol-logged", 90),
    ]
    async with visitor(app, OFFICER) as client:
        assert (await client.post(f"{second}/withdraw")).status_code == 403
    deps_of(app).clock = lambda: datetime.now(UTC) + timedelta(days=1, minutes=1)
    async with visitor(app, ALLY) as client:
        assert (await client.post(f"{second}/withdraw")).status_code == 409
        assert "take it back" not in (await client.get(second)).text
    deps_of(app).clock = lambda: datetime.now(UTC)
    async with visitor(app, ALLY) as client:
        assert (await client.post(f"{second}/withdraw")).headers["location"] == "/patrols?done=patrol-withdrawn"
    assert (await told(app))[-1][0] == "patrol-withdrawn"
    assert await value(app, "SELECT count(*) FROM patrol WHERE heard IS NOT NULL") == 0


async def a_wanted_patrol(app: FastAPI) -> tuple[UUID, UUID]:
    """A walk that was held, with a concern for which a patrol is wanted: their ids."""
    walk_id = await an_arranged_walk(app)
    concern_id = uuid4()
    async with visitor(app, OFFICER) as client:
        noted = await client.post(
            f"/record/{walk_id}/concerns",
            data={
                "concern_id": str(concern_id),
                "category": "badly-lit",
                "place_name": "Bridge",
                "patrol_wanted": "yes",
            },
        )
        assert noted.status_code == 303, noted.text
        assert str(concern_id) not in (await client.get("/patrols/wanted")).text, "before the walk is over"
        assert (await post(client, f"/walks/{walk_id}/complete", **held(concerns=[]))).status_code == 200
    return UUID(walk_id), concern_id


async def test_a_patrol_is_wanted_until_the_team_says_there_were_enough(app: FastAPI) -> None:
    """By a concern of a walk that was held, passed on to partners or not; patrols because of it are counted and told
    with it."""
    _, concern_id = await a_wanted_patrol(app)
    async with visitor(app, COLLEAGUE) as client:
        page = (await client.get("/patrols/wanted")).text
        assert "Bridge" in page and "None" in page
        assert "checked" in (await client.get(f"/patrols/log?concern_id={concern_id}")).text
        await client.post("/patrols/log", data=said(concern_ids=str(concern_id)))
        assert "1, the last" in (await client.get("/patrols/wanted")).text
    assert (await told(app))[0][1]["concern_ids"] == [str(concern_id)]
    async with visitor(app, ELSEWHERE) as client:
        assert "Bridge" not in (await client.get("/patrols/wanted")).text
        assert (await client.post(f"/patrols/wanted/{concern_id}/enough")).status_code == 404
        refused = await client.post("/patrols/log", data=said(concern_ids=str(concern_id)))
        assert refused.status_code == 422
    async with visitor(app, COORDINATOR) as client:
        assert (await client.post(f"/patrols/wanted/{concern_id}/enough")).status_code == 303
        assert "Bridge" not in (await client.get("/patrols/wanted")).text


async def test_whom_she_excludes_is_not_shown_where_she_is_afraid(app: FastAPI) -> None:
    """Neither the list nor the form tells an officer she names of her concern."""
    walk_id, concern_id = await a_wanted_patrol(app)
    request_id = await value(app, "SELECT id FROM request WHERE walk_id = $1", walk_id)
    rules = ContactRules(channels=(Channel.EMAIL,), excluded_officers=(COLLEAGUE.sub, COORDINATOR.sub))
    async with deps_of(app).bus_database.transaction([FORCE]) as tx:
        changed = ContactRulesChanged(request_id=request_id, contact=rules)
        await change_contact_rules(tx, [received(changed)], datetime.now(UTC))
    for user in (COLLEAGUE, COORDINATOR):
        async with visitor(app, user) as client:
            for path in ("/patrols/wanted", f"/patrols/log?concern_id={concern_id}"):
                assert "Bridge" not in (await client.get(path)).text
            assert (await client.post(f"/patrols/wanted/{concern_id}/enough")).status_code == 404


async def test_what_is_given_to_the_forces_own_patrols_wants_one(app: FastAPI) -> None:
    """A referral to a partner that is the police is a patrol wanted; to a council it is not."""
    deps = deps_of(app)
    walk_id = await an_arranged_walk(app)
    async with visitor(app, OFFICER) as client:
        assert (await post(client, f"/walks/{walk_id}/complete", **held())).status_code == 200
        concern_id = await value(app, "SELECT id FROM concern")
        own = next(each for each in deps.policies[FORCE].partners if each.kind == "police")
        council = next(each for each in deps.policies[FORCE].partners if each.kind == "council")
        for partner, shown in ((council, False), (own, True)):
            made = ReferralMade(
                referral_id=uuid4(),
                concern_id=concern_id,
                partner_id=partner.partner_id,
                partner_name=partner.name,
                respond_by=datetime.now(UTC).date(),
            )
            async with deps.bus_database.transaction([FORCE]) as tx:
                await note_referrals(tx, [received(made)], datetime.now(UTC))
            assert ("Underpass" in (await client.get("/patrols/wanted")).text) == shown


async def test_what_was_heard_is_forgotten_and_that_there_was_a_patrol_is_not(app: FastAPI) -> None:
    """Ninety days after it ended, by the policy; a younger one is kept."""
    deps = deps_of(app)
    async with visitor(app, OFFICER) as client:
        for _ in range(2):
            await client.post("/patrols/log", data=said())
    [kind] = [kind for kind in kinds_of("assignment") if kind.name == "patrol_words"]
    assert kind.days(deps.policies[FORCE]) == 90
    take = partial(retention()["patrol_words"])
    for days, left in ((88, 2), (92, 0)):
        now = datetime.now(UTC) + timedelta(days=days)
        async with deps.bus_database.transaction([FORCE]) as tx:
            going = await kind.next(tx, deps.policies[FORCE], now)
            await take(tx, FORCE, going, kind.before(deps.policies[FORCE], now), now)
        assert await value(app, "SELECT count(*) FROM patrol WHERE heard IS NOT NULL") == left
    assert await value(app, "SELECT count(*) FROM patrol") == 2
