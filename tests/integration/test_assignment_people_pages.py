"""The register, training and availability as coordinators and officers use them: pages and API on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from services.assignment.app import build
from services.assignment.dependencies import Dependencies
from services.assignment.handlers.register import free_times
from shared.database import Query
from shared.working_days import day
from tests.servers.assignment_service import (
    COORDINATOR,
    ELSEWHERE,
    FORCE,
    OFFICER,
    OTHER_FORCE,
    UNTRAINED,
    ask_for_a_walk,
    assignment_settings,
)
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.provisioning import okta_user, provider, tokens_file
from tests.servers.visitors import visitor

TODAY = day(datetime.now(UTC))
HEADING = "officer_id,name,kind,team,trained_on\n"


@pytest.fixture
async def app(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[FastAPI]:
    service = await database("assignment")
    made = build(assignment_settings(service, tmp_path, scim_tokens_file=tokens_file(tmp_path)))
    async with made.router.lifespan_context(made):
        await deps_of(made).take_registers()
        yield made


def deps_of(app: FastAPI) -> Dependencies:
    return cast(Dependencies, app.state.dependencies)


async def run(app: FastAPI, sql: str, *arguments: Any) -> list[dict[str, Any]]:
    async with deps_of(app).database.transaction([FORCE]) as tx:
        return [dict(row) for row in await tx.fetch(Query("run", "", sql), *arguments)]


async def sent(client: httpx.AsyncClient, path: str, **fields: Any) -> str:
    """Post a form that is taken; the page it leads to."""
    answer = await client.post(path, data=fields)
    assert answer.status_code == 303, answer.text
    return (await client.get(answer.headers["location"])).text


async def test_an_officer_is_put_on_the_register_trained_and_given_a_walk(app: FastAPI) -> None:
    """From the form to the tick on the list of a session; until then the page says what is lacking."""
    entry = {
        "officer_id": "pc-new",
        "name": "PC Nia Llŷr",
        "kind": "officer",
        "team_id": "bs1",
        "also_walks_in": "BS2\n",
    }
    async with visitor(app, COORDINATOR) as client:
        page = await sent(client, "/people/new", **entry)
        assert "The entry was saved." in page and "PC Nia Llŷr" in page
        assert "has not had the training session yet" in page
        walk_id = await ask_for_a_walk(deps_of(app))
        give = {"officer_id": "pc-new"}
        assert (await client.post(f"/api/v1/walks/{walk_id}/take", json=give)).status_code == 403
        assert "PC Nia Llŷr" in (await client.get("/training")).text
        await sent(client, "/training/new", name="By Teams", held_on=f"{TODAY}", way="online", covers="streetsafe")
        await sent(
            client,
            "/training/new",
            name="Bridewell",
            held_on=f"{TODAY}",
            way="in-person",
            covers=["how-the-scheme-works", "frequent-questions"],
        )
        sessions = [str(each["id"]) for each in await run(app, "SELECT id FROM training_session ORDER BY name DESC")]
        shown = (await client.get(f"/training/{sessions[0]}?q=nia")).text
        assert "PC Nia Llŷr" in shown and "PC Amina Yusuf" not in shown
        await sent(client, f"/training/{sessions[0]}?q=nia", shown="pc-new", came="pc-new")
        assert "has not had the training session yet" in (await client.get("/people/pc-new")).text
        page = await sent(client, f"/training/{sessions[1]}", shown=["pc-new", "officer-avon-1"], came="pc-new")
        assert "1" in page and "Who was there was saved." in page
        page = (await client.get("/people/pc-new")).text
        assert "cannot be given a walk" not in page and "Bridewell" in page
        assert (await client.post(f"/api/v1/walks/{walk_id}/take", json=give)).status_code == 200
        # The tick was a slip: the walk goes back to the queue.
        await sent(client, f"/training/{sessions[1]}", shown="pc-new")
        assert (await client.get(f"/api/v1/walks/{walk_id}")).json()["state"] == "routed"
        assert "PC Bronwen Rees" in (await client.get("/training")).text


async def test_nobody_is_ticked_at_a_session_that_is_still_to_come(app: FastAPI) -> None:
    """The page shows no list, and a post is told why."""
    async with visitor(app, COORDINATOR) as client:
        later = {"name": "Later", "held_on": f"{TODAY + timedelta(days=9)}", "way": "online", "covers": "streetsafe"}
        page = await sent(client, "/training/new", **later)
        assert "still to come" in page and "Tick who was there" in page and 'name="came"' not in page
        (row,) = await run(app, "SELECT id FROM training_session")
        answer = await client.post(
            f"/training/{row['id']}", data={"shown": "officer-avon-12", "came": "officer-avon-12"}
        )
        assert answer.status_code == 422 and "still to come" in answer.text
        unknown = "0198c0de-0000-7000-8000-000000000000"
        assert (await client.get(f"/training/{unknown}")).status_code == 404
        wrong = await client.post("/training/new", data={"held_on": "31/02/2026"})
        assert wrong.status_code == 422
        for words in ("Enter what the session is called", "Enter a real date", "Select how", "Select what the session"):
            assert words in wrong.text


async def test_people_are_found_by_name_and_team_and_shown_with_what_stops_them(app: FastAPI) -> None:
    """Those no longer in service when they are asked for; and who of the identity provider stands nowhere."""
    async with visitor(app, COORDINATOR) as client, provider(app) as idp:
        await idp.post("/Users", json=okta_user("okta-1", displayName="PC Odd & Even"))
        page = (await client.get("/people")).text
        assert (
            "PC Amina Yusuf" in page
            and "Not trained" in page
            and "1 from the identity provider" in " ".join(page.split())
        )
        assert "/people/new?officer_id=okta-1&amp;name=PC%20Odd%20%26%20Even" in page
        assert (
            'value="PC Odd &amp; Even"'
            in (await client.get("/people/new?officer_id=okta-1&name=PC%20Odd%20%26%20Even")).text
        )
        found = (await client.get("/people?q=AMINA")).text
        assert "PC Amina Yusuf" in found and "PC Rachel Cole" not in found
        assert "Nobody fits" in (await client.get("/people?q=%25")).text
        assert "PC Leah Morgan" not in (await client.get("/people?team_id=bs1")).text
        await sent(
            client, "/people/officer-avon-1/change", name="PC Amina Yusuf", kind="officer", team_id="bs1", active="no"
        )
        assert "PC Amina Yusuf" not in (await client.get("/people")).text
        assert "Not in service" in (await client.get("/people?everybody=true")).text
        assert (await client.get("/api/v1/people?q=amina")).json()["officers"] == []
        off = (await client.get("/api/v1/people?q=amina&everybody=true")).json()["officers"][0]
        assert off["stops"] == [
            "This officer is no longer in service here.",
            "This officer has not had the training session yet.",
        ]
    async with visitor(app, OFFICER) as client:
        assert (await client.get("/")).status_code == 403
    lines = await run(app, "SELECT DISTINCT subject, reason FROM audit WHERE actor = 'coordinator-avon'")
    assert {"subject": "officer officer-avon-1", "reason": "changed the entry"} in lines


async def test_an_entry_that_is_wrong_is_told_by_field(app: FastAPI) -> None:
    """And what was typed stays."""
    async with visitor(app, COORDINATOR) as client:
        for fields, words in (
            ({"officer_id": "PC 1"}, "small letters"),
            ({"officer_id": "officer-avon-1"}, "on the register already"),
            ({"officer_id": ""}, "Enter the id"),
            ({"name": ""}, "Enter rank and name"),
            ({"kind": "dragon"}, "Select what kind"),
            ({"team_id": "atlantis"}, "Choose a team"),
            ({"also_walks_in": "Atlantis"}, "no team of that name"),
            ({"email": "me"}, "Enter an e-mail address"),
            ({"trained_on": "yesterday"}, "Enter a real date"),
        ):
            good = {"officer_id": "pc-1", "name": "PC Typed Already", "kind": "pcso", "team_id": "bs1"}
            answer = await client.post("/people/new", data=good | fields)
            assert answer.status_code == 422 and words in answer.text, (fields, answer.text[-3000:])
            assert "name" in fields or "PC Typed Already" in answer.text
        assert (await client.get("/people/nobody")).status_code == 404
        assert (await client.get("/people/nobody/change")).status_code == 404
        change = {"name": "X", "kind": "pcso", "team_id": "bs1"}
        assert (await client.post("/people/nobody/change", data=change)).status_code == 404


async def test_an_officer_says_when_she_can_walk_and_when_she_is_away(app: FastAPI) -> None:
    """For herself; to suggestions, in London's hours; an arranged walk on a day away is pointed out."""
    in_two_days = TODAY + timedelta(days=2)
    weekday = f"{in_two_days:%A}".lower()
    async with visitor(app, OFFICER) as client:
        assert "Nothing is entered yet" in (await client.get("/my-availability")).text
        at = f"/people/{OFFICER.sub}"
        page = await sent(client, f"{at}/windows", weekdays=[weekday, "sunday"], starts="18:00", ends="0:00")
        assert "18:00 to midnight" in page and "The availability was changed." in page
        async with deps_of(app).database.transaction([FORCE]) as tx:
            free = await free_times(tx, FORCE, [OFFICER.sub, "officer-avon-2"], in_two_days, in_two_days)
        assert list(free) == [OFFICER.sub]
        assert (free[OFFICER.sub][0].ends_at - free[OFFICER.sub][0].starts_at) == timedelta(hours=6)
        walk_id = await ask_for_a_walk(deps_of(app))
        assert (await client.post(f"/api/v1/walks/{walk_id}/take", json={})).status_code == 200
        arranged = {"starts_at": f"{in_two_days}T12:00:00Z", "meeting_place": "The library"}
        assert (await client.post(f"/api/v1/walks/{walk_id}/arrange", json=arranged)).status_code == 200
        page = await sent(client, f"{at}/absences", first_day=f"{in_two_days}", last_day="")
        assert f'href="/walks/{walk_id}"' in page and "Hand over, or agree another day" in page
        async with deps_of(app).database.transaction([FORCE]) as tx:
            assert (await free_times(tx, FORCE, [OFFICER.sub], in_two_days, in_two_days))[OFFICER.sub] == []
        again = await client.post(f"/api/v1/walks/{walk_id}/arrange", json=arranged)
        assert (again.status_code, again.json()["title"]) == (403, "This officer is away on that day.")
        page = await sent(client, f"{at}/languages", languages=["cy", "ur"])
        assert "English, Welsh, Urdu" in page
        windows = await run(app, "SELECT id FROM availability")
        (away,) = await run(app, "SELECT id FROM absence")
        for row in windows:
            await sent(client, f"{at}/windows/{row['id']}/remove")
        page = await sent(client, f"{at}/absences/{away['id']}/remove")
        assert "Nothing is entered yet" in page and "Hand over, or agree" not in page
        for path, fields, words in (
            ("windows", {"starts": "18:00", "ends": "20:00"}, "Select at least one day"),
            ("windows", {"weekdays": "monday", "starts": "20:00", "ends": "18:00"}, "The end must be after the start"),
            ("windows", {"weekdays": "monday", "starts": "25:00", "ends": "x"}, "Enter a time"),
            ("absences", {}, "Enter the first day"),
            ("absences", {"first_day": "2020-01-01"}, "must not be before the first, nor past"),
        ):
            answer = await client.post(f"{at}/{path}", data=fields)
            assert answer.status_code == 422 and words in answer.text, words
    record = None
    async with visitor(app, COORDINATOR) as client:
        record = (await client.get(f"/api/v1/people/{OFFICER.sub}")).json()
        assert "not on the register of walking officers" in (await client.get("/my-availability")).text
    assert (record["languages"], record["availability"], record["absences"]) == (["cy", "ur"], [], [])


async def test_nobody_changes_the_days_of_another(app: FastAPI) -> None:
    """A colleague finds nobody; another force finds nobody; a coordinator may."""
    hers = {"weekdays": "monday", "starts": "18:00", "ends": "20:00"}
    at = f"/people/{OFFICER.sub}"
    for user in (ELSEWHERE, UNTRAINED, OTHER_FORCE):
        async with visitor(app, user) as client:
            assert (await client.post(f"{at}/windows", data=hers)).status_code == 404
            assert (await client.post(f"{at}/absences", data={"first_day": f"{TODAY}"})).status_code == 404
            assert (await client.post(f"{at}/languages", data={"languages": "cy"})).status_code == 404
            assert (await client.get(f"/api/v1{at}")).status_code == 404
    assert await run(app, "SELECT FROM availability") == []
    async with visitor(app, COORDINATOR) as client:
        answer = await client.post(f"{at}/windows", data=hers)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{at}?done=availability")
        assert "18:00 to 20:00" in (await client.get(at)).text
        window = (await run(app, "SELECT id FROM availability"))[0]["id"]
    async with visitor(app, ELSEWHERE) as client:
        assert (await client.post(f"{at}/windows/{window}/remove")).status_code == 404
        own = f"/people/{ELSEWHERE.sub}/windows/{window}/remove"
        assert (await client.post(own)).status_code == 303
    assert len(await run(app, "SELECT FROM availability")) == 1


async def upload(client: httpx.AsyncClient, text: str, choice: str) -> httpx.Response:
    return await client.post(
        "/people/import", data={"choice": choice}, files={"file": ("o.csv", text.encode("utf-8-sig"))}
    )


async def test_a_spreadsheet_is_checked_taken_over_whole_or_its_good_rows_alone(app: FastAPI) -> None:
    """As was chosen and as is said; a row that is wrong leaves nothing half done."""
    wrong = HEADING + "pc-a,PC Ffion Ŵyn,officer,bs1,2026-02-11\npc-b,B,dragon,bs1,\nofficer-avon-12,,,,11/03/2026\n"
    good = wrong.replace("dragon", "pcso").replace(",", ";")

    async def there() -> set[str]:
        found = await run(
            app, "SELECT id FROM officer WHERE id LIKE 'pc-%' OR (id = 'officer-avon-12' AND trained_on IS NOT NULL)"
        )
        return {each["id"] for each in found}

    async with visitor(app, COORDINATOR) as client:
        page = await upload(client, wrong, "check")
        text = " ".join(page.text.split())
        assert page.status_code == 200 and "Nothing was changed" in text
        assert "1 would be added, 1 would be changed, 0 as they are, 1 fault." in text
        assert "must be officer, pcso or dedicated-ward-officer" in text and "PC Ffion Ŵyn" in text
        refused = await upload(client, wrong, "all")
        assert refused.status_code == 422 and "Nothing was taken over" in refused.text
        assert await there() == set()
        taken = await upload(client, wrong, "good")
        assert "Taken over" in taken.text and await there() == {"pc-a", "officer-avon-12"}
        whole = " ".join((await upload(client, good, "all")).text.split())
        assert "1 added, 0 changed, 2 as they are, 0 faults." in whole and await there() == {
            "pc-a",
            "pc-b",
            "officer-avon-12",
        }
        empty = await client.post("/people/import", data={"choice": "check"})
        assert empty.status_code == 422 and "Select a CSV file" in empty.text
        api = await client.post(
            "/api/v1/people/import?choice=all", content=wrong.encode(), headers={"content-type": "text/csv"}
        )
        assert api.status_code == 200 and api.json()["taken"] is False
        assert api.json()["problems"] == [
            {"row": 3, "column": "kind", "words": "must be officer, pcso or dedicated-ward-officer"}
        ]
    log = await run(app, "SELECT subject FROM audit WHERE reason = 'imported from a spreadsheet' ORDER BY subject")
    assert [each["subject"] for each in log] == ["officer officer-avon-12", "officer pc-a", "officer pc-b"]


async def test_a_learning_system_tells_of_sessions_and_who_was_there(app: FastAPI) -> None:
    """By the API: a session, its attendance, and what the register makes of it."""
    async with visitor(app, COORDINATOR) as client:
        body = {"name": "By Teams", "held_on": f"{TODAY}", "way": "online", "covers": ["streetsafe"]}
        made = (await client.post("/api/v1/training", json=body)).json()
        assert made["attended"] == 0
        at = f"/api/v1/training/{made['session_id']}/attendance"
        assert (await client.post(at, json={"came": [UNTRAINED.sub]})).json() == {"walks_returned": 0}
        assert (await client.post(at, json={"came": ["nobody"]})).status_code == 404
        assert [each["attended"] for each in (await client.get("/api/v1/training")).json()["sessions"]] == [1]
        found = (await client.get(f"/api/v1/people/{UNTRAINED.sub}")).json()
        assert found["trained_on"] is None
        covers = ["how-the-scheme-works", "frequent-questions"]
        more = (await client.post("/api/v1/training", json=body | {"covers": covers})).json()
        await client.post(f"/api/v1/training/{more['session_id']}/attendance", json={"came": [UNTRAINED.sub]})
        assert (await client.get(f"/api/v1/people/{UNTRAINED.sub}")).json()["trained_on"] == f"{TODAY}"
        assert (await client.post("/api/v1/training", json=body | {"covers": []})).status_code == 422


async def test_every_page_of_people_says_what_to_do_where_there_is_nothing(app: FastAPI) -> None:
    """No officer, no session: a sentence, not an empty table."""
    await run(app, "DELETE FROM officer")
    async with visitor(app, COORDINATOR) as client:
        assert "Nobody is on the register yet" in (await client.get("/people")).text
        page = (await client.get("/training")).text
        assert "No session is recorded yet" in page and "Everybody who may walk under the policy is trained" in page
        assert "Columns" in (await client.get("/people/import")).text
    async with visitor(app, OFFICER) as client:
        assert "not on the register" in (await client.get("/my-availability")).text
