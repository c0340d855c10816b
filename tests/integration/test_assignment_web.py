"""Assignment as officers and coordinators use it: API and pages on a real database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.assignment.app import build
from services.assignment.dependencies import Dependencies
from services.assignment.handlers import follow_ups as following_up
from shared.contracts.kinds import Point, Urgency
from shared.contracts.walk_requests import ContactWanted
from shared.database import Query
from shared.web.access import TABLES
from shared.web.session import User
from shared.working_days import london
from tests.servers.assignment_service import (
    AT_SEA,
    CITY_CENTRE,
    COLLEAGUE,
    COORDINATOR,
    ELSEWHERE,
    FORCE,
    OFFICER,
    OTHER_FORCE,
    UNTRAINED,
    ask_for_a_walk,
    assignment_settings,
    received,
)
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.visitors import visitor, walk_access


@pytest.fixture
async def app(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[FastAPI]:
    service = await database("assignment")
    made = build(assignment_settings(service, tmp_path))
    async with made.router.lifespan_context(made):
        await deps_of(made).take_registers()
        yield made


def deps_of(app: FastAPI) -> Dependencies:
    return cast(Dependencies, app.state.dependencies)


async def a_walk(app: FastAPI, *, place: Point = CITY_CENTRE, **rules: Any) -> str:
    return await ask_for_a_walk(deps_of(app), place=place, **rules)


async def request_of(app: FastAPI, walk_id: str) -> str:
    async with visitor(app, COORDINATOR) as client:
        found = (await client.get(f"/api/v1/walks/{walk_id}")).json()
    return str(found["requests"][0]["request_id"])


def soon(minutes: int = 30) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


async def post(client: httpx.AsyncClient, path: str, **body: Any) -> httpx.Response:
    return await client.post(f"/api/v1{path}", json=body)


async def an_arranged_walk(app: FastAPI, officer: User = OFFICER, **rules: Any) -> str:
    walk_id = await a_walk(app, **rules)
    async with visitor(app, officer) as client:
        assert (await post(client, f"/walks/{walk_id}/take")).status_code == 200
        arranged = await post(client, f"/walks/{walk_id}/arrange", starts_at=soon(), meeting_place="The library")
        assert arranged.status_code == 200, arranged.text
    return walk_id


def held(**changed: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "started_at": (now - timedelta(minutes=45)).isoformat(),
        "ended_at": now.isoformat(),
        "streetsafe_shown": True,
        "concerns": [
            {
                "category": "badly-lit",
                "place": {"latitude": 51.45, "longitude": -2.59},
                "place_name": "Underpass",
                "time_of_day": "evening",
                "severity": "high",
                "words": "Two lamps are broken",
            }
        ],
        **changed,
    }


async def test_a_walk_goes_from_the_queue_to_its_record(app: FastAPI) -> None:
    """Taken, arranged and recorded by API, it shows its concern and leaves the queue."""
    walk_id = await a_walk(app)
    async with visitor(app, OFFICER) as client:
        queue = (await client.get("/api/v1/walks?state=routed")).json()
        assert [walk["walk_id"] for walk in queue["walks"]] == [walk_id]
        assert queue["walks"][0]["team_id"] == "bs1"
        assert (await post(client, f"/walks/{walk_id}/take")).json()["officer_id"] == "officer-avon-1"
        await post(client, f"/walks/{walk_id}/arrange", starts_at=soon(), meeting_place="The library")
        done = await post(client, f"/walks/{walk_id}/complete", **held())
        assert done.status_code == 200, done.text
        assert done.json()["state"] == "completed"
        assert [concern["words"] for concern in done.json()["concerns"]] == ["Two lamps are broken"]
        assert (await client.get("/api/v1/walks?state=routed")).json()["walks"] == []


async def test_of_two_officers_who_take_a_walk_at_the_same_time_one_wins(app: FastAPI) -> None:
    """Fifty races: always one is given the walk, and the other is told why not."""
    walks = [await a_walk(app) for _ in range(50)]
    async with visitor(app, OFFICER) as one, visitor(app, COLLEAGUE) as other:
        for walk_id in walks:
            answers = await asyncio.gather(*(post(client, f"/walks/{walk_id}/take") for client in (one, other)))
            assert sorted(answer.status_code for answer in answers) == [200, 409]
            (refused,) = [answer.json() for answer in answers if answer.status_code == 409]
            assert refused["type"].endswith("walk-already-taken")
    async with deps_of(app).database.transaction([FORCE]) as tx:
        query = Query("taken", "", "SELECT count(*) FROM outbox_log WHERE type LIKE '%walk-taken.v1'")
        assert await tx.fetch_value(query) == 50


async def test_an_officer_is_not_arranged_twice_for_one_time_however_close_together(app: FastAPI) -> None:
    """Ten times five are asked for at once: one is arranged, four are refused by field, and an hour later is free."""
    async with visitor(app, OFFICER) as client:
        for day in range(1, 11):
            walks = [await a_walk(app) for _ in range(5)]
            for walk_id in walks:
                await post(client, f"/walks/{walk_id}/take")
            at = soon(day * 24 * 60)
            answers = await asyncio.gather(
                *(post(client, f"/walks/{id_}/arrange", starts_at=at, meeting_place="The library") for id_ in walks)
            )
            assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
            refused = [id_ for id_, answer in zip(walks, answers, strict=True) if answer.status_code == 409]
            assert answers[walks.index(refused[0])].json()["errors"][0]["field"] == "starts_at"
            at = soon(day * 24 * 60 + 61)
            later = await post(client, f"/walks/{refused[0]}/arrange", starts_at=at, meeting_place="The library")
            assert later.status_code == 200


async def test_the_team_sees_where_she_would_like_to_pass(app: FastAPI) -> None:
    """Each place with its area, and how far and which way it lies from the last; by API the points."""
    walk_id = await a_walk(app, way=(Point(latitude=51.45, longitude=-2.56), Point(latitude=55.0, longitude=-3.0)))
    async with visitor(app, COORDINATOR) as client:
        page = (await client.get(f"/walks/{walk_id}")).text
        assert "She would like to pass" in page
        assert re.search(r"\d+\.\d km east: 51.45000, -2.56000,\s+BS", page)
        assert re.search(r"km north: 55.00000, -3.00000,\s+outside all areas", page)
        [asked] = (await client.get(f"/api/v1/walks/{walk_id}")).json()["requests"]
        assert len(asked["route"]) == 3 and asked["route"][0] == asked["place"]


async def test_an_officer_sees_only_the_walks_of_the_teams_they_walk_for(app: FastAPI) -> None:
    """Another team's walk does not exist for them; another force's not even for a coordinator."""
    walk_id = await a_walk(app)
    for user in (ELSEWHERE, OTHER_FORCE):
        async with visitor(app, user) as client:
            assert (await client.get("/api/v1/walks?state=routed")).json()["walks"] == []
            assert (await client.get(f"/api/v1/walks/{walk_id}")).status_code == 404
            assert (await post(client, f"/walks/{walk_id}/take")).status_code == 404
            assert (await client.get(f"/walks/{walk_id}")).status_code == 404


async def test_an_excluded_officer_is_told_nothing(app: FastAPI) -> None:
    """Queue, walk and taking answer as if it were not there; a coordinator may not give it to them either."""
    walk_id = await a_walk(app, excluded_officers=("officer-avon-1",))
    async with visitor(app, OFFICER) as client:
        assert (await client.get("/api/v1/walks?state=routed")).json()["walks"] == []
        refused = await post(client, f"/walks/{walk_id}/take")
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (404, "walk-not-found")
        assert walk_id not in (await client.get("/queue")).text
    async with visitor(app, COORDINATOR) as client:
        given = await post(client, f"/walks/{walk_id}/take", officer_id="officer-avon-1")
        assert given.status_code == 403
        assert "Amina Yusuf" not in (await client.get(f"/walks/{walk_id}")).text.partition("Select an officer")[2]
        assert (await post(client, f"/walks/{walk_id}/take", officer_id="officer-avon-2")).status_code == 200


async def test_a_coordinator_she_excludes_is_told_nothing_either(app: FastAPI) -> None:
    """Rank opens nothing: walk, triage, queue and follow-ups are those of somebody who does not exist for them."""
    walks = [await a_walk(app, place=place, excluded_officers=(COORDINATOR.sub,)) for place in (CITY_CENTRE, AT_SEA)]
    deps = deps_of(app)
    async with deps.bus_database.transaction([FORCE]) as tx:
        requests = await tx.fetch(Query("requests", "", "SELECT id FROM request"))
        wanted = [
            received(ContactWanted(request_id=row["id"], contact_id=uuid4(), urgency=Urgency.SOON)) for row in requests
        ]
        await following_up.open_follow_ups(tx, wanted, datetime.now(UTC), policies=deps.policies)
        follow_up = (await tx.fetch(Query("follow_ups", "", "SELECT id FROM follow_up")))[0]["id"]
    async with visitor(app, COORDINATOR) as client:
        for path in ("/queue", "/triage", "/follow-ups", "/"):
            page = (await client.get(path)).text
            assert not re.search(r"/(walks|follow-ups)/[0-9a-f]{8}-", page), path
        for walk_id in walks:
            assert (await client.get(f"/walks/{walk_id}")).status_code == 404
            assert (await post(client, f"/walks/{walk_id}/cancel", reason="other")).status_code == 404
        assert (await client.get(f"/follow-ups/{follow_up}")).status_code == 404
        assert (await post(client, f"/follow-ups/{follow_up}/complete", outcome="reached")).status_code == 404


async def test_an_untrained_officer_is_refused(app: FastAPI) -> None:
    """The register says that the training session is still to come."""
    walk_id = await a_walk(app, place=Point(latitude=51.4786, longitude=-2.5854))
    async with visitor(app, UNTRAINED) as client:
        refused = await post(client, f"/walks/{walk_id}/take")
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (403, "not-trained")


async def test_a_place_outside_every_area_waits_for_a_coordinator(app: FastAPI) -> None:
    """Chosen by hand it reaches that area's team; an area nobody knows is refused by field."""
    walk_id = await a_walk(app, place=AT_SEA)
    async with visitor(app, OFFICER) as client:
        assert (await client.get("/triage")).status_code == 403
        assert (await post(client, f"/walks/{walk_id}/route", area_id="bs1")).status_code == 403
    async with visitor(app, COORDINATOR) as client:
        assert walk_id in (await client.get("/triage")).text
        unknown = await post(client, f"/walks/{walk_id}/route", area_id="nowhere")
        assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "area_id")
        routed = await post(client, f"/walks/{walk_id}/route", area_id="bs1")
        assert (routed.json()["state"], routed.json()["routed_by"]) == ("routed", "coordinator")
        assert (await post(client, f"/walks/{walk_id}/route", area_id="bs1")).status_code == 409


async def test_bad_input_names_the_field_and_changes_nothing(app: FastAPI) -> None:
    """Problem details by field, for types, for rules, and for what nobody knows."""
    walk_id = await an_arranged_walk(app)
    now = datetime.now(UTC)
    concern = held()["concerns"][0]
    nowhere = {"latitude": 0, "longitude": 0}
    async with visitor(app, OFFICER) as client:
        for path, body, field in (
            ("arrange", {"starts_at": "2001-01-01T10:00:00Z", "meeting_place": "Here"}, "starts_at"),
            ("arrange", {"starts_at": "2026-11-24T10:00:00", "meeting_place": "Here"}, "starts_at"),
            ("arrange", {"starts_at": "9999-12-31T23:59:00+00:00", "meeting_place": "Here"}, "starts_at"),
            ("arrange", {"starts_at": soon(), "meeting_place": "\u200b <b></b>"}, "meeting_place"),
            ("arrange", {"starts_at": soon(), "meeting_place": ""}, "meeting_place"),
            ("cancel", {"reason": "Because, well"}, "reason"),
            ("complete", held(ended_at=(now - timedelta(hours=2)).isoformat()), "ended_at"),
            ("complete", held(ended_at=(now + timedelta(hours=2)).isoformat()), "ended_at"),
            ("complete", held(concerns=[{**concern, "words": "x" * 4001}]), "words"),
            ("complete", held(concerns=[{**concern, "category": "dragons"}]), "concerns.0.category"),
            ("complete", held(concerns=[{**concern, "place": nowhere}]), "concerns.0.place.latitude"),
            ("complete", held(surprise=1), "surprise"),
        ):
            refused = await post(client, f"/walks/{walk_id}/{path}", **body)
            assert refused.status_code == 422, (path, body, refused.text)
            assert refused.json()["errors"][0]["field"] == field
        assert (await client.get(f"/api/v1/walks/{walk_id}")).json()["state"] == "arranged"


async def test_markup_and_what_cannot_be_seen_are_taken_out_of_shared_words(app: FastAPI) -> None:
    """What a partner reads is plain text, whatever was pasted."""
    walk_id = await an_arranged_walk(app)
    concern = {**held()["concerns"][0], "words": "Dark <scr<b>ipt>alert(1)</script>\u202e\x07 by the\r\nsteps, 3 < 4"}
    async with visitor(app, OFFICER) as client:
        done = (await post(client, f"/walks/{walk_id}/complete", **held(concerns=[concern]))).json()
    assert done["concerns"][0]["words"] == "Dark alert(1) by the\nsteps, 3 < 4"


async def test_when_contact_is_no_longer_safe_every_page_says_so(app: FastAPI) -> None:
    """Nobody takes or arranges such a walk, and no page offers her contact details."""
    stopped = await a_walk(app, stopped=True)
    async with visitor(app, OFFICER) as client:
        assert "Do not contact her" in (await client.get("/queue")).text
        page = (await client.get(f"/walks/{stopped}")).text
        assert "Do not contact her" in page and "Take this walk" not in page and "/contact" not in page
        refused = await post(client, f"/walks/{stopped}/take")
    assert refused.json()["type"].endswith("contact-stopped")


async def test_a_follow_up_is_seen_and_completed_by_its_officer_and_nobody_elses(app: FastAPI) -> None:
    """The officer who walked has it in the list; a colleague has not; a coordinator sees all."""
    walk_id = await an_arranged_walk(app)
    async with visitor(app, OFFICER) as client:
        await post(client, f"/walks/{walk_id}/complete", **held())
    deps = deps_of(app)
    wanted = ContactWanted(request_id=await request_of(app, walk_id), contact_id=uuid4(), urgency=Urgency.SAME_DAY)
    async with deps.bus_database.transaction([FORCE]) as tx:
        await following_up.open_follow_ups(tx, [received(wanted)], datetime.now(UTC), policies=deps.policies)
    async with visitor(app, COLLEAGUE) as client:
        assert (await client.get("/api/v1/follow-ups?state=open")).json()["follow_ups"] == []
    async with visitor(app, COORDINATOR) as client:
        (found,) = (await client.get("/api/v1/follow-ups?state=open")).json()["follow_ups"]
        assert found["officer_id"] == "officer-avon-1"
    path = f"/follow-ups/{found['follow_up_id']}/complete"
    async with visitor(app, COLLEAGUE) as client:
        assert (await post(client, path, outcome="reached")).status_code == 404
    async with visitor(app, OFFICER) as client:
        assert "How to contact her safely" in (await client.get(f"/follow-ups/{found['follow_up_id']}")).text
        assert (await post(client, path, outcome="reviewed")).status_code == 422
        assert (await post(client, path, outcome="reached")).json()["outcome"] == "reached"
        assert (await post(client, path, outcome="reached")).status_code == 409
        assert (await client.get("/api/v1/follow-ups?state=open")).json()["follow_ups"] == []
        assert len((await client.get("/api/v1/follow-ups?state=completed")).json()["follow_ups"]) == 1


async def test_every_role_gets_what_the_access_table_says(app: FastAPI) -> None:
    """Each route × each role, and each form without its token."""
    assert await walk_access(app, TABLES["assignment"]) == []


async def test_empty_pages_say_so(app: FastAPI) -> None:
    """Nothing to do is a sentence, not an empty page."""
    async with visitor(app, COORDINATOR) as client:
        for path, sentence in (
            ("/queue", "No walks are waiting for an officer."),
            ("/triage", "No walks need an area."),
            ("/follow-ups", "No follow-ups are waiting."),
            ("/", "No follow-ups wait for you."),
        ):
            assert sentence in (await client.get(path)).text
    async with visitor(app, OFFICER) as client:
        assert "You have no walks arranged." in (await client.get("/")).text


async def test_the_queue_has_fifty_a_page(app: FastAPI) -> None:
    """The fifty-first walk is on the next page, and the longest waiting is first."""
    walks = [await a_walk(app) for _ in range(51)]
    async with visitor(app, OFFICER) as client:
        first = (await client.get("/queue")).text
        second = (await client.get("/queue?page=2")).text
    assert re.findall(r'href="/walks/([0-9a-f-]{36})"', first) == walks[:50]
    assert re.findall(r'href="/walks/([0-9a-f-]{36})"', second) == walks[50:]
    assert "Next page" in first and "Next page" not in second


async def test_the_forms_take_a_walk_from_queue_to_record_without_javascript(app: FastAPI) -> None:
    """Another concern is added by the server, what partners will see is shown first, and the record shows it."""
    walk_id = await a_walk(app)
    start = london(datetime.now(UTC) + timedelta(days=1)).replace(hour=10, minute=0)
    today = london(datetime.now(UTC))
    async with visitor(app, OFFICER) as client:
        taken = await client.post(f"/walks/{walk_id}/take")
        assert (taken.status_code, taken.headers["location"]) == (303, f"/walks/{walk_id}?done=taken")
        wrong = await client.post(f"/walks/{walk_id}/arrange", data={"day": "31/02/2027", "clock": "25:00"})
        assert wrong.status_code == 422
        for sentence in ("Enter a real date", "Enter a time", "Enter where you will meet"):
            assert sentence in wrong.text
        arranged = await client.post(
            f"/walks/{walk_id}/arrange",
            data={"day": f"{start:%d/%m/%Y}", "clock": "10am", "meeting_place": "The library"},
        )
        assert arranged.status_code == 303
        page = (await client.get(f"/walks/{walk_id}")).text
        assert "The library" in page and "at 10am" in page
        said = {"day": f"{today:%Y-%m-%d}", "start": "00:00", "end": "00:01", "streetsafe": "yes"}
        assert (await client.post(f"/record/{walk_id}", data=said)).status_code == 303
        concern = {"category": "badly-lit", "severity": "high", "words": "Ring me on 07700 900123 & look <b>there</b>"}
        unsaid = await client.post(f"/record/{walk_id}/concerns", data={"words": "x"})
        assert unsaid.status_code == 422 and "Select what it is about" in unsaid.text
        assert (await client.post(f"/record/{walk_id}/concerns", data=concern)).status_code == 303
        shown = await client.get(f"/walks/{walk_id}/complete")
        assert shown.status_code == 200 and "as partners will see it" in shown.text
        assert "a phone number" in shown.text and "look there" in shown.text
        assert (await client.get(f"/api/v1/walks/{walk_id}")).json()["state"] == "arranged"
        (seen,) = re.findall(r'name="passed" type="checkbox" value="([^"]+)"', shown.text)
        corrected = await client.post(
            f"/record/{walk_id}/concerns/{seen[:36]}", data={**concern, "words": "Look <b>there</b>"}
        )
        assert corrected.status_code == 303
        late = await client.post(f"/walks/{walk_id}/complete", data={"passed": seen, "disclosed": "no"})
        assert late.status_code == 422 and "not as you saw it any more" in late.text
        (seen,) = re.findall(r'name="passed" type="checkbox" value="([^"]+)"', late.text)
        recorded = await client.post(f"/walks/{walk_id}/complete", data={"passed": seen, "disclosed": "no"})
        assert recorded.status_code == 303, recorded.text
        page = (await client.get(recorded.headers["location"])).text
    assert "Look there" in page and "No partner has been asked yet." in page and "The walk was recorded" in page


async def test_metrics_count_what_stands_and_name_nobody(app: FastAPI) -> None:
    """Walks by state and late ones, follow-ups open and overdue, by force."""
    await a_walk(app)
    await a_walk(app, place=AT_SEA)
    await deps_of(app).measure()
    async with visitor(app) as client:
        text = (await client.get("/metrics")).text
    assert 'walkandtalk_walks{force="avon-and-somerset",state="routed"} 1.0' in text
    assert 'walkandtalk_walks{force="avon-and-somerset",state="triage"} 1.0' in text
    assert 'walkandtalk_follow_ups{force="avon-and-somerset",which="overdue"} 0.0' in text
