"""Where walks go and why, kept and shown: on a real database, by the bus, by hand and in bulk."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from services.assignment.app import build
from services.assignment.dependencies import Dependencies
from services.assignment.handlers import requests
from services.assignment.handlers.erasure import forget
from shared.bus.erasure import Gone
from shared.contracts.kinds import Channel, PartOfDay, Point, Weekday
from shared.contracts.walk_requests import Availability, ContactRules, ContactRulesChanged, WalkRequestAmended
from shared.database import Query
from tests.servers.assignment_service import (
    AT_SEA,
    CITY_CENTRE,
    COORDINATOR,
    FORCE,
    FORCES,
    OFFICER,
    OTHER_FORCE,
    ask_for_a_walk,
    assignment_settings,
    received,
)
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.forces_folder import forces_folder
from tests.servers.visitors import visitor

ACROSS = Point(latitude=51.4600, longitude=-2.5500)
"""East of the city centre: a straight way from there to here lies mostly elsewhere."""
ANY_EVENING = Availability(days=tuple(Weekday), parts=(PartOfDay.EVENING,))
WHY = ("area_id", "team_id", "boundary_version", "how", "distance_m", "share", "places", "triage_reason", "by_whom")


@pytest.fixture
async def app(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[FastAPI]:
    service = await database("assignment")
    settings = assignment_settings(service, tmp_path)
    made = build(settings.model_copy(update={"postcodes_dir": FORCES.parents[1] / ".walkandtalk" / "data"}))
    async with made.router.lifespan_context(made):
        await deps_of(made).take_registers()
        yield made


def deps_of(app: FastAPI) -> Dependencies:
    return cast(Dependencies, app.state.dependencies)


async def kept(app: FastAPI, walk_id: str) -> list[dict[str, Any]]:
    """Why a walk went where it went, the first time first."""
    query = Query("kept", "", "SELECT * FROM routing WHERE walk_id = $1 ORDER BY at, id")
    async with deps_of(app).database.transaction([FORCE]) as tx:
        return [dict(row) for row in await tx.fetch(query, UUID(walk_id))]


async def request_of(app: FastAPI, walk_id: str) -> UUID:
    query = Query("request", "", "SELECT id FROM request WHERE walk_id = $1")
    async with deps_of(app).database.transaction([FORCE]) as tx:
        return UUID(str(await tx.fetch_value(query, UUID(walk_id))))


async def tell(app: FastAPI, event: Any) -> None:
    """What the bus brings of her request."""
    deps = deps_of(app)
    async with deps.bus_database.transaction([FORCE]) as tx:
        if isinstance(event, WalkRequestAmended):
            await requests.amend_requests(tx, [received(event)], datetime.now(UTC), locate=deps.registers.locate)
        else:
            await requests.change_contact_rules(tx, [received(event)], datetime.now(UTC))


async def page(app: FastAPI, walk_id: str, user: Any) -> str:
    async with visitor(app, user) as client:
        found = await client.get(f"/walks/{walk_id}")
        assert found.status_code == 200
        return " ".join(found.text.split())


async def test_each_routing_is_kept_with_its_reason_point_and_boundary_version(app: FastAPI) -> None:
    """Inside, and far off; an officer reads nothing of it, a coordinator all."""
    version = deps_of(app).registers.areas[FORCE][0].boundary_version
    inside, outside = await ask_for_a_walk(deps_of(app)), await ask_for_a_walk(deps_of(app), place=AT_SEA)
    [row] = await kept(app, inside)
    assert [row[one] for one in WHY] == ["bs1", "bs1", version, "covers", 0.0, None, 1, None, None]
    assert (row["latitude"], row["longitude"]) == (CITY_CENTRE.latitude, CITY_CENTRE.longitude)
    [row] = await kept(app, outside)
    assert [row[one] for one in WHY] == [None, None, None, None, None, None, 1, "outside-all-areas", None]
    assert "Why it went there" not in await page(app, inside, OFFICER)
    shown = await page(app, inside, COORDINATOR)
    assert f"The place lies in this area. Boundaries: {version}. <span" in shown
    assert "Asked for 51.45450, -2.58790</span>" in shown
    assert "Nobody. The place lies outside every area of the force." in await page(app, outside, COORDINATOR)


async def test_a_walk_along_a_way_goes_where_most_of_it_lies(app: FastAPI) -> None:
    """Though it begins in BS1; how much, and what else it passes, is kept and shown."""
    walk_id = await ask_for_a_walk(deps_of(app), way=(ACROSS,))
    [row] = await kept(app, walk_id)
    assert row["area_id"] == "bs5" and "bs1" in row["others"] and 0.4 < row["share"] < 1
    assert row["places"] == 2
    async with visitor(app, COORDINATOR) as client:
        assert (await client.get(f"/api/v1/walks/{walk_id}")).json()["team_id"] == "bs5"
    shown = await page(app, walk_id, COORDINATOR)
    assert f"{int(row['share'] * 100)}% of her way lies in this area." in shown
    assert "Most of her way lies in this area" in shown and "The place lies in this area" not in shown
    assert "It could also have been BS1 Bristol city centre and Harbourside" in shown


async def test_every_change_of_place_or_way_is_another_routing(app: FastAPI) -> None:
    """The last first on the page; a change of time alone is none; what she excludes sends it to a coordinator."""
    walk_id = await ask_for_a_walk(deps_of(app))
    request_id = await request_of(app, walk_id)
    contact = ContactRules(channels=(Channel.EMAIL,))

    def amended(**changed: Any) -> WalkRequestAmended:
        given = {"place": CITY_CENTRE, "place_from_postcode": False, "availability": ANY_EVENING, **changed}
        return WalkRequestAmended(request_id=request_id, **given)

    await tell(app, amended())
    await tell(app, amended(route=(CITY_CENTRE, ACROSS)))
    await tell(app, amended(place=AT_SEA))
    await tell(app, amended())
    await tell(
        app,
        ContactRulesChanged(request_id=request_id, contact=contact.model_copy(update={"excluded_teams": ("bs1",)})),
    )
    rows = await kept(app, walk_id)
    assert [row["area_id"] or row["triage_reason"] for row in rows] == [
        "bs1",
        "bs5",
        "outside-all-areas",
        "bs1",
        "contact-rules",
    ]
    async with visitor(app, COORDINATOR) as client:
        chosen = await client.post(f"/api/v1/walks/{walk_id}/route", json={"area_id": "bs2"})
        assert chosen.status_code == 200, chosen.text
    [*_, last] = await kept(app, walk_id)
    assert (last["area_id"], last["how"], last["by_whom"]) == ("bs2", "coordinator", "coordinator-avon")
    shown = await page(app, walk_id, COORDINATOR)
    assert shown.index("Chosen by coordinator-avon.") < shown.index("of her way lies in this area")


async def test_a_walk_handed_to_another_team_says_by_whom(app: FastAPI) -> None:
    """An officer may do so as well; the coordinator reads the officer's name."""
    walk_id = await ask_for_a_walk(deps_of(app))
    async with visitor(app, OFFICER) as client:
        sent = {"what": "to-team", "why": "nearer-team", "to": "bs2"}
        handed = await client.post(f"/api/v1/walks/{walk_id}/pass-on", json=sent)
        assert handed.status_code == 200, handed.text
    first, last = await kept(app, walk_id)
    assert (first["area_id"], last["area_id"], last["by_whom"]) == ("bs1", "bs2", "officer-avon-1")
    assert "Chosen by PC Amina Yusuf." in await page(app, walk_id, COORDINATOR)


async def test_nearby_teams_are_offered_first_where_the_force_lets_them_walk(
    database: ServiceDatabaseMaker, tmp_path: Path
) -> None:
    """By how far their area is from her place, the nearest first; without that policy all teams stand by name."""
    service = await database("assignment")
    for within, first in ((0, "BA1"), (1_500, "BS2")):
        walks = {"arrange_within": 5, "nearby_teams_within_m": within}
        forces = forces_folder(tmp_path / str(within), {FORCE: {"walks": walks}})
        settings = assignment_settings(service, tmp_path).model_copy(update={"forces_dir": forces})
        made = build(settings)
        async with made.router.lifespan_context(made), visitor(made, OFFICER) as client:
            await deps_of(made).take_registers()
            walk_id = await ask_for_a_walk(deps_of(made))
            text = (await client.get(f"/walks/{walk_id}/pass-on/to-team")).text
            _, *offered = re.findall(r"<option[^>]*>([^<]*)</option>", text)
            near = [float(metres) for metres in re.findall(r"\((\d+) metres away\)", " ".join(offered))]
            assert offered[0].startswith(first)
            assert near == sorted(near) and bool(near) == (within > 0) and all(each <= within for each in near)
            assert len(offered) > 70


async def test_what_is_kept_is_blurred_when_she_is_erased(app: FastAPI) -> None:
    """Place and time to where counts need them; area and boundary version stay, and the page still opens."""
    walk_id = await ask_for_a_walk(deps_of(app), way=(ACROSS,))
    request_id = await request_of(app, walk_id)
    async with deps_of(app).bus_database.transaction([FORCE]) as tx:
        await forget(tx, [Gone(FORCE, request_id)], datetime.now(UTC))
    [row] = await kept(app, walk_id)
    assert (row["latitude"], row["longitude"]) == (51.5, -2.6)
    assert (row["distance_m"], row["share"], row["others"], row["places"]) == (None, None, [], 1)
    assert (row["area_id"], row["at"].day <= 1 or row["at"].hour >= 23) == ("bs5", True)
    assert "BS5" in await page(app, walk_id, COORDINATOR)


async def route(client: httpx.AsyncClient, *places: dict[str, Any]) -> Any:
    answered = await client.post("/api/v1/routing", json={"places": places})
    assert answered.status_code == 200, answered.text
    return answered.json()["answers"]


async def test_places_are_routed_in_bulk_as_requests_would_be(app: FastAPI) -> None:
    """Points, postcodes however written, and ways, in their order; why not, where nowhere."""
    point = {"point": CITY_CENTRE.model_dump()}
    way = {"way": [CITY_CENTRE.model_dump(), ACROSS.model_dump()]}
    async with visitor(app, OFFICER) as client:
        found = await route(
            client,
            point,
            {"postcode": "bs15tr"},
            {"postcode": "BS1  5TR"},
            way,
            {"point": AT_SEA.model_dump()},
            {"postcode": "nonsense"},
            {"postcode": "BS1 0AA"},
            {"postcode": "BT1 5GS"},
            {"postcode": "SE1 2QH"},
        )
    assert [one["area_id"] for one in found[:4]] == ["bs1", "bs1", "bs1", "bs5"]
    assert [one["reason"] for one in found[4:]] == [
        "outside-all-areas",
        "not-a-postcode",
        "unknown-postcode",
        "postcode-without-place",
        "outside-all-areas",
    ]
    assert found[0]["boundary_version"] == deps_of(app).registers.areas[FORCE][0].boundary_version
    assert (found[0]["how"], found[0]["distance_m"], found[0]["share"]) == ("covers", 0.0, None)
    assert found[3]["share"] < 1 and "bs1" in found[3]["others"]


async def test_places_are_routed_within_the_force_of_whoever_asks(app: FastAPI) -> None:
    """A coordinator of London is told nothing of Bristol's areas."""
    async with visitor(app, OTHER_FORCE) as client:
        [bristol, london] = await route(client, {"postcode": "BS1 5TR"}, {"postcode": "SE1 2QH"})
    assert (bristol["reason"], london["area_id"]) == ("outside-all-areas", "se1")


async def test_thousands_of_places_are_one_call_and_more_are_refused(app: FastAPI) -> None:
    """Five thousand, each answered in its place."""
    places: list[dict[str, Any]] = [{"point": CITY_CENTRE.model_dump()}, {"postcode": "TA1 1HE"}] * 2_500
    async with visitor(app, COORDINATOR) as client:
        found = await route(client, *places)
        assert [one["area_id"] for one in found] == ["bs1", "ta1"] * 2_500
        both = {"postcode": "BS1 5TR", **places[0]}
        wrongs: list[list[dict[str, Any]]] = [[], [*places, places[0]], [{}], [both], [{"way": [{}]}]]
        for wrong in wrongs:
            refused = await client.post("/api/v1/routing", json={"places": wrong})
            assert refused.status_code == 422
