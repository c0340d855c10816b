"""Suggestions, walks passed on, escalated and tried, as officers and coordinators use them; on a real database."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.assignment.app import build
from shared.contracts.kinds import Channel
from tests.integration.test_assignment_web import a_walk, deps_of, post, request_of
from tests.servers.assignment_service import (
    COLLEAGUE,
    COORDINATOR,
    ELSEWHERE,
    FORCE,
    OFFICER,
    UNTRAINED,
    assignment_settings,
)
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.visitors import visitor


@pytest.fixture
async def app(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[FastAPI]:
    made = build(assignment_settings(await database("assignment"), tmp_path))
    async with made.router.lifespan_context(made):
        await deps_of(made).take_registers()
        yield made


async def send(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Fill in the form of a page as a browser does, with the secret that stands in it."""
    page = (await client.get(path)).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return await client.post(path, data={"csrf_token": found[1], **fields})


async def test_a_coordinator_sees_who_could_walk_when_and_why_and_gives_it_with_one_button(app: FastAPI) -> None:
    """By API with words and points; on the page, in plain words, light and all."""
    walk_id = await a_walk(app, excluded_officers=("officer-avon-2",))
    async with visitor(app, COORDINATOR) as client:
        found = (await client.get(f"/api/v1/walks/{walk_id}/suggestions")).json()
        assert found["nothing"] is None
        assert len({each["officer_id"] for each in found["suggestions"]}) > 1
        first = found["suggestions"][0]
        assert {"what": "wanted-hour", "points": 3}.items() <= next(
            each for each in first["why"] if each["what"] == "wanted-hour"
        ).items()
        assert first["points"] == sum(each["points"] for each in first["why"])
        page = (await client.get(f"/walks/{walk_id}")).text
        assert "Who could walk, and when" in page and "sunset" in page
        assert f"Give the walk to {first['officer_name']}" in page
        assert "officer-avon-2" not in page and "officer-avon-2" not in str(found)


async def test_an_officer_is_suggested_times_of_her_own_and_one_click_fills_them_in(app: FastAPI) -> None:
    """Only hers; and on the form for times."""
    walk_id = await a_walk(app)
    async with visitor(app, OFFICER) as client:
        before = (await client.get(f"/api/v1/walks/{walk_id}/suggestions")).json()
        assert {each["officer_id"] for each in before["suggestions"]} == {OFFICER.sub}
        await post(client, f"/walks/{walk_id}/take")
        found = (await client.get(f"/api/v1/walks/{walk_id}/suggestions")).json()["suggestions"]
        page = (await client.get(f"/walks/{walk_id}/propose?fill=suggested")).text
        assert "The suggested times are filled in" in page
        filled = re.findall(r'name="day_\d"[^>]*value="([\d-]+)"', page)
        assert sorted(filled) == sorted(each["starts_at"][:10] for each in found[:5])
    async with visitor(app, COLLEAGUE) as client:
        other = (await client.get(f"/api/v1/walks/{walk_id}/suggestions")).json()
        assert other["suggestions"] == [] and other["nothing"] == "nobody-may-walk"


async def test_pages_and_calls_of_an_excluded_officer_are_not_found(app: FastAPI) -> None:
    """All the new ones: whoever she excludes learns nothing from any of them."""
    walk_id = await a_walk(app, excluded_officers=(OFFICER.sub,))
    request_id = await request_of(app, walk_id)
    async with visitor(app, OFFICER) as client:
        for path in (
            f"/api/v1/walks/{walk_id}/suggestions",
            f"/api/v1/walks/{walk_id}/attempts",
            f"/walks/{walk_id}/pass-on/to-team",
            f"/walks/{walk_id}/attempts/{request_id}",
        ):
            assert (await client.get(path)).status_code == 404
        body = {"what": "to-coordinator", "why": "other"}
        assert (await post(client, f"/walks/{walk_id}/pass-on", **body)).status_code == 404
        tried = {"request_id": request_id, "way": "email", "outcome": "sent"}
        assert (await post(client, f"/walks/{walk_id}/attempts", **tried)).status_code == 404


async def test_an_officer_gives_a_walk_back_with_a_reason_by_form(app: FastAPI) -> None:
    """Without one the form says so; with one it waits again and its page says who let it go and why."""
    walk_id = await a_walk(app)
    async with visitor(app, OFFICER) as client:
        await post(client, f"/walks/{walk_id}/take")
        missing = await send(client, f"/walks/{walk_id}/pass-on/given-back")
        assert missing.status_code == 422 and "Select why" in missing.text
        done = await send(client, f"/walks/{walk_id}/pass-on/given-back", why="workload")
        assert done.headers["location"] == f"/walks/{walk_id}?done=handed-on"
        page = (await client.get(done.headers["location"])).text
        assert "The walk was passed on." in page
        assert "Given back. Workload. PC Amina Yusuf" in page
    async with visitor(app, COLLEAGUE) as client:
        assert (await client.get(f"/walks/{walk_id}/pass-on/given-back")).status_code == 403


async def test_handing_over_offers_only_who_may_walk_and_says_what_is_wrong(app: FastAPI) -> None:
    """Nobody untrained, excluded or of another team; sent all the same, it is refused by field."""
    walk_id = await a_walk(app, excluded_officers=("officer-avon-2",))
    async with visitor(app, OFFICER) as client:
        await post(client, f"/walks/{walk_id}/take")
        page = (await client.get(f"/walks/{walk_id}/pass-on/to-officer")).text
        offered = set(re.findall(r'<option value="([^"]+)"', page))
        assert offered and not offered & {OFFICER.sub, "officer-avon-2", UNTRAINED.sub}
        for wrong in (UNTRAINED.sub, "officer-avon-2", OFFICER.sub, "nobody"):
            refused = await send(client, f"/walks/{walk_id}/pass-on/to-officer", why="away", to=wrong)
            assert refused.status_code == 422 and 'id="to-error"' in refused.text
        nobody = await send(client, f"/walks/{walk_id}/pass-on/to-officer", why="away")
        assert "Select who is to have the walk" in nobody.text
        done = await send(client, f"/walks/{walk_id}/pass-on/to-officer", why="away", to=sorted(offered)[0])
        assert done.status_code == 303


async def test_a_team_she_excludes_is_not_offered_and_the_next_one_gets_the_walk(app: FastAPI) -> None:
    """Who hands it to a team of which she is not may not look at it any more."""
    walk_id = await a_walk(app, excluded_teams=("ba1",))
    async with visitor(app, OFFICER) as client:
        page = (await client.get(f"/walks/{walk_id}/pass-on/to-team")).text
        offered = set(re.findall(r'<option value="([^"]+)"', page))
        assert "ba1" not in offered and "bs1" not in offered and "bs2" in offered
        refused = await send(client, f"/walks/{walk_id}/pass-on/to-team", why="nearer-team", to="ba1")
        assert refused.status_code == 422 and "Choose an area of this force" in refused.text
        done = await send(client, f"/walks/{walk_id}/pass-on/to-team", why="nearer-team", to="bs2")
        assert done.headers["location"] == "/?done=handed-on"
        assert (await client.get(f"/walks/{walk_id}")).status_code == 404
    async with visitor(app, ELSEWHERE) as client:
        assert (await client.get(f"/walks/{walk_id}")).status_code == 200


async def test_what_is_escalated_stands_on_the_coordinators_page_and_in_the_metrics(app: FastAPI) -> None:
    """Until somebody takes it; asking twice is refused."""
    walk_id = await a_walk(app)
    async with visitor(app, OFFICER) as client:
        asked = {"what": "to-coordinator", "why": "needs-a-decision"}
        assert (await post(client, f"/walks/{walk_id}/pass-on", **asked)).status_code == 200
        again = await post(client, f"/walks/{walk_id}/pass-on", **asked)
        assert again.status_code == 409 and again.json()["type"].endswith("already-escalated")
    async with visitor(app, COORDINATOR) as client:
        assert "Needs a decision. Asked by PC Amina Yusuf" in (await client.get("/escalated")).text
        (found,) = (await client.get("/api/v1/escalated")).json()["escalated"]
        assert (found["walk"]["walk_id"], found["what"], found["by_id"]) == (walk_id, "to-coordinator", OFFICER.sub)
        assert "Walks that wait for you" in (await client.get("/")).text
        await deps_of(app).measure()
        line = f'walkandtalk_walks_escalated{{force="{FORCE}",what="to-coordinator"}} 1.0'
        assert line in (await client.get("/metrics")).text
    async with visitor(app, COLLEAGUE) as client:
        await post(client, f"/walks/{walk_id}/take")
    async with visitor(app, COORDINATOR) as client:
        assert "No walk waits for a coordinator." in (await client.get("/escalated")).text


async def test_attempts_are_logged_by_form_by_her_ways_alone(app: FastAPI) -> None:
    """Ways she did not choose are not offered and refused by field; who, when and how stand there afterwards."""
    walk_id = await a_walk(app)
    request_id = await request_of(app, walk_id)
    path = f"/walks/{walk_id}/attempts/{request_id}"
    async with visitor(app, OFFICER) as client:
        assert (await client.get(path)).status_code == 403
        await post(client, f"/walks/{walk_id}/take")
        page = (await client.get(path)).text
        assert 'value="email"' in page and 'value="phone"' not in page and "Voicemail left" not in page
        refused = await send(client, path, way="phone", outcome="reached")
        assert refused.status_code == 422 and "She does not want to be contacted that way" in refused.text
        assert (await send(client, path, way="email", outcome="sent")).headers["location"].endswith("?done=tried")
        assert "Email: Sent. PC Amina Yusuf" in (await client.get(path)).text
        (made,) = (await client.get(f"/api/v1/walks/{walk_id}/attempts")).json()["attempts"]
        assert (made["by_id"], made["way"], made["outcome"]) == (OFFICER.sub, Channel.EMAIL, "sent")
        assert (await client.get(f"/walks/{walk_id}/attempts/{uuid4()}")).status_code == 404
