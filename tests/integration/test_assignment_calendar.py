"""An officer's calendar by its secret address, and the pages of part four of a walk's life, as people use them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from icalendar import Calendar

from shared.database import Query
from tests.integration.test_assignment_web import a_walk, app, deps_of, post, soon
from tests.servers.assignment_service import COLLEAGUE, COORDINATOR, ELSEWHERE, FORCE, OFFICER
from tests.servers.visitors import visitor

__all__ = ["app"]


async def arranged(app: FastAPI, minutes: int = 30, **rules: Any) -> str:
    walk_id = await a_walk(app, **rules)
    async with visitor(app, OFFICER) as client:
        assert (await post(client, f"/walks/{walk_id}/take")).status_code == 200
        made = await post(client, f"/walks/{walk_id}/arrange", starts_at=soon(minutes), meeting_place="The library")
        assert made.status_code == 200, made.text
    return walk_id


async def press(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    return await client.post(path, data=fields)


async def new_address(client: httpx.AsyncClient) -> str:
    page = await press(client, "/calendar", do="renew")
    (found,) = re.findall(r'value="https?://[^/]+(/forces/[^"]+\.ics)"', page.text)
    return str(found)


async def sql(app: FastAPI, text: str, *given: Any) -> Any:
    async with deps_of(app).bus_database.transaction([FORCE]) as tx:
        return await tx.fetch_value(Query("test", "", text), *given)


async def test_a_calendar_has_when_where_and_a_link_and_nothing_of_her(app: FastAPI) -> None:
    """Arranged walks of the officer, first or second; neither name nor request."""
    walk_id = await arranged(app)
    request_id = await sql(app, "SELECT id FROM request")
    async with visitor(app, OFFICER) as client:
        address = await new_address(client)
        assert (await press(client, f"/walks/{walk_id}/second", officer_id=COLLEAGUE.sub)).status_code == 303
    async with visitor(app, COLLEAGUE) as client:
        theirs = await new_address(client)
    async with visitor(app) as client:
        for each in (address, theirs):
            fetched = await client.get(each)
            assert fetched.headers["content-type"].startswith("text/calendar")
            (event,) = Calendar.from_ical(fetched.content).events
            assert (str(event["location"]), str(event["summary"])) == ("The library", "Walk")
            assert str(event["url"]).endswith(f"/walks/{walk_id}")
            assert event.end - event.start == timedelta(hours=1)
            assert str(request_id) not in fetched.text and set(event) <= {
                "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "LOCATION", "URL", "CLASS",
            }  # fmt: skip


async def test_the_secret_is_kept_nowhere_and_opens_nothing_once_renewed_or_ended(app: FastAPI) -> None:
    """Shown once; another's, an old one and a guessed one are answered alike."""
    async with visitor(app, OFFICER) as client, visitor(app) as anybody:
        first = await new_address(client)
        assert first.rpartition("/")[2] not in (await client.get("/calendar")).text
        second = await new_address(client)
        kept = await sql(app, "SELECT token_hash FROM calendar_feed")
        assert len(kept) == 32 and kept not in second.encode()
        assert (await anybody.get(second)).status_code == 200
        assert (await anybody.get(first)).status_code == 404
        assert (await press(client, "/calendar", do="end")).status_code == 303
        refused = [second, f"/forces/{FORCE}/calendar/x.ics", "/forces/nowhere/calendar/x.ics"]
        refused += [second.replace(FORCE, "metropolitan")]
        assert {(await anybody.get(each)).status_code for each in refused} == {404}


async def test_an_officer_who_is_off_or_excluded_fetches_nothing_any_more(app: FastAPI) -> None:
    """Without a word of why."""
    walk_id = await arranged(app)
    async with visitor(app, OFFICER) as client, visitor(app) as anybody:
        address = await new_address(client)
        excluded = """UPDATE request SET contact = jsonb_set(contact, '{excluded_officers}', '["officer-avon-1"]')"""
        await sql(app, excluded)
        assert Calendar.from_ical((await anybody.get(address)).content).events == []
        await sql(app, "UPDATE officer SET active = false WHERE id = $1", OFFICER.sub)
        assert (await anybody.get(address)).status_code == 404
    assert walk_id


async def test_who_does_not_walk_has_no_calendar(app: FastAPI) -> None:
    """A coordinator who is on no register is told why."""
    async with visitor(app, COORDINATOR) as client:
        assert "Only officers on the register" in (await client.get("/calendar")).text
        assert (await press(client, "/calendar", do="renew")).status_code == 403


async def test_a_second_officer_is_chosen_from_those_who_may_walk(app: FastAPI) -> None:
    """By whoever has the walk or a coordinator; another officer may not, and who may not walk is refused by field."""
    walk_id = await arranged(app)
    async with visitor(app, OFFICER) as client:
        page = await client.get(f"/walks/{walk_id}/second")
        assert COLLEAGUE.name in page.text and ELSEWHERE.name not in page.text
        wrong = await press(client, f"/walks/{walk_id}/second", officer_id=ELSEWHERE.sub)
        assert wrong.status_code == 422 and "another team" in wrong.text
        assert (await press(client, f"/walks/{walk_id}/second", officer_id=COLLEAGUE.sub)).status_code == 303
        assert COLLEAGUE.name in (await client.get(f"/walks/{walk_id}")).text
    async with visitor(app, COLLEAGUE) as client:
        assert "The library" in (await client.get("/")).text
        assert (await press(client, f"/walks/{walk_id}/second", officer_id="")).status_code == 403


async def test_a_walk_that_did_not_take_place_is_noted_with_why_and_what_next(app: FastAPI) -> None:
    """Not before it was to begin; both answers are asked for by name."""
    walk_id = await arranged(app)
    path = f"/walks/{walk_id}/not-held"
    async with visitor(app, OFFICER) as client:
        early = await press(client, path, why="weather", what_next="again")
        assert early.status_code == 422 and "still to come" in early.text
        await sql(app, "UPDATE walk SET starts_at = now() - interval '2 hours', busy_until = now() - interval '1 hour'")
        empty = await press(client, path)
        assert "Select why" in empty.text and "Select what happens next" in empty.text
        assert "did not take place" in (await client.get(f"/walks/{walk_id}")).text
        assert (await press(client, path, why="weather", what_next="again")).status_code == 303
        page = (await client.get(f"/walks/{walk_id}?done=not-held-again")).text
        assert "The weather" in page and "To be arranged" in page


async def test_officers_who_are_not_back_stand_before_their_coordinator(app: FastAPI) -> None:
    """Asked on the walk itself; whoever has nothing to do with it cannot answer."""
    walk_id = await arranged(app)
    async with visitor(app, COORDINATOR) as client:
        assert "Everybody is back" in (await client.get("/check-ins")).text
    late = "UPDATE walk SET starts_at = now() - interval '3 hours', busy_until = now() - interval '2 hours'"
    await sql(app, late + ", check_in_at = now() - interval '90 minutes'")
    async with visitor(app, OFFICER) as client:
        assert "Is everybody back?" in (await client.get(f"/walks/{walk_id}")).text
        assert "Say that everybody is back" in (await client.get("/")).text
    async with visitor(app, COLLEAGUE) as client:
        assert walk_id not in (await client.get("/check-ins")).text
        assert (await press(client, f"/walks/{walk_id}/check-in", answer="back")).status_code == 403
    async with visitor(app, COORDINATOR) as client:
        assert "Officers not back" in (await client.get("/")).text
        page = (await client.get("/check-ins")).text
        assert walk_id in page and OFFICER.name in page
        assert (await press(client, f"/walks/{walk_id}/check-in", answer="back")).status_code == 303
        assert walk_id not in (await client.get("/check-ins")).text


async def test_women_who_would_walk_together_are_joined_and_parted_by_page(app: FastAPI) -> None:
    """Where the force lets groups walk; otherwise the page says how many may."""
    walk_id, other = await arranged(app), await a_walk(app)
    await sql(app, "UPDATE request SET group_walk_welcome = true")
    policy = deps_of(app).policies[FORCE]
    deps_of(app).policies = {  # type: ignore[assignment]  # a force that lets three walk together
        **deps_of(app).policies,
        FORCE: policy.model_copy(update={"walks": policy.walks.model_copy(update={"group_size": 3})}),
    }
    async with visitor(app, OFFICER) as client:
        assert other in (await client.get(f"/walks/{walk_id}/group")).text
        missing = await press(client, f"/walks/{walk_id}/group/join")
        assert missing.status_code == 422 and "Select who joins" in missing.text
        assert (await press(client, f"/walks/{walk_id}/group/join", joined=other)).status_code == 303
        page = (await client.get(f"/walks/{walk_id}/group")).text
        ids = re.findall(r'name="request_id" value="([^"]+)"', page)
        assert len(ids) == 2
        assert (await press(client, f"/walks/{walk_id}/group/join", joined=str(uuid4()))).status_code == 404
        assert (await press(client, f"/walks/{walk_id}/group/part", request_id=ids[1])).status_code == 303
        assert "Take request" not in (await client.get(f"/walks/{walk_id}/group")).text


async def test_other_systems_do_the_same_by_the_api(app: FastAPI) -> None:
    """Refusals are told by name, and what came of it stands in the walk."""
    walk_id, other = await arranged(app), await a_walk(app)
    async with visitor(app, OFFICER) as client:
        brought = await post(client, f"/walks/{walk_id}/second", officer_id=COLLEAGUE.sub)
        assert brought.json()["second_officer_id"] == COLLEAGUE.sub
        assert (await post(client, f"/walks/{walk_id}/second")).json()["second_officer_id"] is None
        unwelcome = await post(client, f"/walks/{walk_id}/join", joined=other)
        assert (unwelcome.status_code, unwelcome.json()["type"].endswith("group-not-welcome")) == (422, True)
        alone = await post(client, f"/walks/{walk_id}/part", request_id=str(uuid4()))
        assert (alone.status_code, alone.json()["type"].endswith("not-in-group")) == (409, True)
        out = (await post(client, f"/walks/{walk_id}/check-in", answer="out")).json()
        assert out["check_in_at"] is not None
        assert (await post(client, f"/walks/{walk_id}/check-in", answer="back")).json()["check_in_at"] is None
        await sql(app, "UPDATE walk SET starts_at = now() - interval '2 hours', busy_until = now() - interval '1 hour'")
        missed = await post(client, f"/walks/{walk_id}/not-held", why="she-did-not-come", what_next="close")
        assert (missed.json()["state"], missed.json()["cancel_reason"]) == ("cancelled", "not-held")
        assert [each["why"] for each in missed.json()["not_held"]] == ["she-did-not-come"]
