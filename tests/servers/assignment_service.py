"""Assignment on a database of its own, with the demo forces' areas and officers, for tests that use it as people do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from services.assignment.dependencies import Dependencies
from services.assignment.handlers import requests
from services.assignment.settings import Settings
from shared.contracts.envelope import Received
from shared.contracts.kinds import Channel, PartOfDay, Point, Reason, Weekday
from shared.contracts.walk_requests import Availability, ContactRules, WalkRequested
from shared.database import Query
from shared.policies import Policies
from shared.web.access import Role
from shared.web.session import User
from tests.servers.databases import ServiceDatabase

FORCE = "avon-and-somerset"
FORCES = Path(__file__).resolve().parents[2] / "deploy" / "forces"
CITY_CENTRE = Point(latitude=51.4545, longitude=-2.5879)
AT_SEA = Point(latitude=50.2, longitude=-6.5)

OFFICER = User("officer-avon-1", "PC Amina Yusuf", frozenset({Role.OFFICER}), FORCE, "bs1")
COLLEAGUE = User("officer-avon-2", "PC Rachel Cole", frozenset({Role.OFFICER}), FORCE, "bs1")
ELSEWHERE = User("officer-avon-4", "PC Leah Morgan", frozenset({Role.OFFICER}), FORCE, "bs2")
UNTRAINED = User("officer-avon-12", "PC Bronwen Rees", frozenset({Role.OFFICER}), FORCE, "bs7")
COORDINATOR = User("coordinator-avon", "Sergeant Helen Marsh", frozenset({Role.COORDINATOR}), FORCE)
OTHER_FORCE = User("coordinator-met", "Sergeant Joanne Clarke", frozenset({Role.COORDINATOR}), "metropolitan")


def assignment_settings(service: ServiceDatabase, data_dir: Path, **changed: Any) -> Settings:
    """Web role only: nothing listens on the bus."""
    return Settings(
        roles=("web",),
        database_web_url=service.web_url,
        database_bus_url=service.bus_url,
        kafka_bootstrap="127.0.0.1:1",
        forces_dir=FORCES,
        data_dir=data_dir,
        # Built once a machine, not once a test.
        postcodes_dir=FORCES.parents[1] / ".walkandtalk" / "data",
        session_secret=SecretStr("a secret of at least thirty-two characters"),
        oidc_issuer="http://127.0.0.1:1",
        oidc_client_id="walkandtalk",
        oidc_client_secret=SecretStr("client-secret"),
        **changed,
    )


@asynccontextmanager
async def bus_side(settings: Settings) -> AsyncIterator[Dependencies]:
    """What the bus role would do, by hand: its dependencies with the databases open."""
    deps = Dependencies(settings, Policies.read(settings.forces_dir))
    await deps.bus_database.open()
    try:
        yield deps
    finally:
        await deps.bus_database.close()


def received(event: Any, time: datetime | None = None) -> Received[Any]:
    """An event as the bus hands it over."""
    return Received(event, uuid4(), FORCE, time or datetime.now(UTC), 1, None)


async def ask_for_a_walk(
    deps: Dependencies,
    *,
    place: Point = CITY_CENTRE,
    way: tuple[Point, ...] = (),
    at: datetime | None = None,
    **rules: Any,
) -> str:
    """Ask for a walk as intake does, passing `way` after the place; the walk's id. `rules`: how to contact her."""
    event = WalkRequested(
        request_id=uuid4(),
        place=place,
        place_from_postcode=True,
        route=(place, *way) if way else (),
        reasons=(Reason.BADLY_LIT, Reason.FOLLOWED),
        availability=Availability(days=(Weekday.MONDAY, Weekday.FRIDAY), parts=(PartOfDay.EVENING,)),
        contact=ContactRules(channels=(Channel.EMAIL,), **rules),
    )
    route = partial(requests.route_requests, policies=deps.policies, locate=deps.registers.locate)
    async with deps.bus_database.transaction([FORCE]) as tx:
        await route(tx, [received(event, at)], datetime.now(UTC))
        return str(
            await tx.fetch_value(Query("walk", "", "SELECT walk_id FROM request WHERE id = $1"), event.request_id)
        )
