"""What a map of the form is told: a force's areas as lines, and what lies near a point or a postcode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, intake_service

AREAS, PLACES = f"/api/v1/forces/{FORCE}/areas", f"/api/v1/forces/{FORCE}/places"


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


@pytest.fixture
async def visitor(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    async with intake.client() as client:
        yield client


async def test_areas_are_lines_browsers_may_keep(visitor: httpx.AsyncClient) -> None:
    """Every area of the force with its name and where to write it; small enough for a phone, the same for everybody."""
    answer = await visitor.get(AREAS)
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert len(answer.content) < 200_000
    features = answer.json()["features"]
    assert len(features) == 80
    named = {one["properties"]["name"]: one["properties"]["at"] for one in features}
    latitude, longitude = named["BS1 Bristol city centre and Harbourside"]
    assert (await visitor.post(PLACES, json={"latitude": latitude, "longitude": longitude})).json()["area"] == (
        "BS1 Bristol city centre and Harbourside"
    )
    assert (await visitor.get("/api/v1/forces/nowhere/areas")).status_code == 404


async def test_many_who_open_the_map_at_once_after_a_start_wait_for_one_drawing(
    intake: Intake, visitor: httpx.AsyncClient
) -> None:
    """Drawn twice at a time from the same shapes, it brings the process down."""
    deps = intake.app.state.dependencies
    drawn = await asyncio.gather(*(deps.ground_of(FORCE) for _ in range(8)))
    assert all(one is drawn[0] for one in drawn)


async def test_a_point_is_told_by_names_people_know(visitor: httpx.AsyncClient) -> None:
    """The area it is in and the postcodes around it, nearest first; a postcode is found as people type it."""
    found = (await visitor.post(PLACES, json={"postcode": "bs14dj"})).json()
    assert (found["latitude"], found["longitude"]) == (51.45173, -2.59686)
    again = (await visitor.post(PLACES, json={"latitude": 51.45173, "longitude": -2.59686})).json()
    assert again["area"] == found["area"] == "BS1 Bristol city centre and Harbourside"
    assert "BS1 4DJ" in [one["postcode"] for one in again["around"][:3]]
    assert len(again["around"]) == 40
    assert {"postcode", "latitude", "longitude"} == set(again["around"][0])


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"postcode": "ZZ1 1ZZ"}, 422),
        ({"postcode": "BS1 4DJ" * 20}, 422),
        ({"latitude": 0, "longitude": 0}, 422),
        ({"latitude": 51.45}, 422),
        ({"latitude": 1e300, "longitude": -2.5}, 422),
        ({"latitude": 51.45, "longitude": -2.5, "name": "Ada"}, 422),
        ({}, 422),
        ({"latitude": 55.0, "longitude": -3.0}, 200),
    ],
)
async def test_what_is_no_place_is_refused_and_said(
    visitor: httpx.AsyncClient, asked: dict[str, object], status: int
) -> None:
    """Nothing is guessed; a place outside the force is a place all the same, without an area's name."""
    answer = await visitor.post(PLACES, json=asked)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["area"] is None and answer.json()["around"] == []


async def test_where_somebody_looks_is_kept_nowhere(intake: Intake, visitor: httpx.AsyncClient) -> None:
    """Not one row of any table comes of a look at the map."""
    tables = await intake.rows("SELECT schemaname || '.' || relname AS name FROM pg_stat_user_tables")
    # That somebody looked is counted, by hour and for nothing else: test_intake_limits.py.
    names = [row["name"] for row in tables if row["name"] != "public.attempt"]
    counts = " + ".join(f"(SELECT count(*) FROM {name})" for name in names)  # noqa: S608 (names of the catalogue)
    before = await intake.one(f"SELECT {counts}")
    await visitor.post(PLACES, json={"latitude": 51.45173, "longitude": -2.59686})
    assert await intake.one(f"SELECT {counts}") == before
