"""What assignment's routes, pages and subscribers are given, and who is asking."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Query
from starlette.requests import Request

from services.assignment.domain.people import Person
from services.assignment.handlers import looking, noting, people
from services.assignment.handlers.areas import publish_areas
from services.assignment.handlers.people import enrol_officers
from services.assignment.metrics import Metrics
from services.assignment.registers import Registers
from services.assignment.settings import Settings, scim_tokens
from shared import runtime
from shared.attachments import Attachments, Folder
from shared.contracts.kinds import Point
from shared.contracts.refusals import Refusal
from shared.database import Transaction
from shared.geography.boundaries import read_geojson
from shared.geography.grid import many_to_wgs84
from shared.geography.ground import Ground
from shared.geography.postcodes import Postcodes
from shared.policies import PolicyFault
from shared.web import session
from shared.web.access import Role
from shared.web.session import User, current_user
from shared.web.site import site_of


@dataclass
class Dependencies(runtime.Dependencies[Settings]):
    """Assignment's own beside what every service has."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.grounds: dict[str, Ground] = {}
        self.drawing = asyncio.Lock()
        self.metrics = Metrics(self.registry, self.policies.forces)
        self.scim_tokens = scim_tokens(self.settings.scim_tokens_file)
        if unknown := sorted({force_id for force_id, _ in self.scim_tokens} - set(self.policies.forces)):
            raise PolicyFault(f"{self.settings.scim_tokens_file}: {', '.join(unknown)}: is no force served here")

    @cached_property
    def registers(self) -> Registers:
        """Areas and officers of the forces."""
        return Registers(self.settings.forces_dir, self.policies.forces)

    @cached_property
    def _postcodes(self) -> Postcodes:
        return Postcodes.open(self.settings.postcodes_dir or self.settings.data_dir)

    @cached_property
    def attachments(self) -> Attachments:
        """Where photographs are kept."""
        return Folder(self.settings.attachments_dir or self.settings.data_dir / "attachments")

    async def put_photo(self, user: User, walk_id: UUID, drawn: bytes) -> str:
        """Keep a photograph for a concern of a walk of this person's; its digest."""
        async with self.database.transaction([user.force_id]) as tx:
            digest = await noting.keep_photo(tx, walk_id, await person(tx, user), drawn, self.clock())
        await self.attachments.put(user.force_id, drawn)
        return digest

    async def ground_of(self, force_id: str) -> Ground:
        """What a map of this force shows; made when it is first asked for."""
        # Shapes are made ready by one thread at a time: two that begin on the same one bring the process down.
        async with self.drawing:
            if force_id not in self.grounds:
                self.grounds[force_id] = await asyncio.to_thread(self._ground_of, force_id)
        return self.grounds[force_id]

    def _ground_of(self, force_id: str) -> Ground:
        file = self.settings.forces_dir / force_id / "areas.geojson"
        areas = read_geojson(file, force_id=force_id).areas if file.exists() else ()
        return Ground.of(areas, self._postcodes)

    def session_ends(self, request: Request) -> int:
        """When this person's session ends by itself, milliseconds since 1970; now where nobody can say."""
        ends = session.ends(request, site_of(request)) or self.clock()
        return int(ends.timestamp() * 1000)

    async def place_of(self, postcode: str) -> Point:
        """Where a postcode lies.

        :raises NotAPostcode, UnknownPostcode, PostcodeWithoutPlace:
        """
        # The first look-up of a machine builds the store, which takes seconds.
        found = await asyncio.to_thread(lambda: self._postcodes.find(postcode).point)
        longitude, latitude = found.to_wgs84()
        return Point(latitude=round(latitude, 6), longitude=round(longitude, 6))

    async def places_of(self, postcodes: Sequence[str]) -> list[Point | Refusal]:
        """Where each of these postcodes lies, in their order, or why that cannot be said."""
        await asyncio.to_thread(lambda: self._postcodes)
        eastings, northings = self._postcodes.find_many(postcodes)
        longitudes, latitudes = many_to_wgs84(eastings, northings)
        return [
            Point(latitude=round(latitude, 6), longitude=round(longitude, 6))
            if isfinite(latitude)
            else self._no_place(postcode)
            for postcode, latitude, longitude in zip(postcodes, latitudes.tolist(), longitudes.tolist(), strict=True)
        ]

    def _no_place(self, postcode: str) -> Refusal:
        try:
            self._postcodes.find(postcode)
        except Refusal as refusal:
            return refusal
        raise AssertionError(postcode)

    async def take_registers(self) -> None:
        """At start: make what the forces' files list the areas and officers in force; repeatable."""
        now = self.clock()
        for force_id in self.policies.forces:
            async with self.bus_database.transaction([force_id]) as tx:
                policy = self.policies[force_id]
                await enrol_officers(tx, force_id, self.registers.officers[force_id], policy, now)
                if areas := self.registers.areas.get(force_id):
                    await publish_areas(tx, areas, now)

    async def measure(self) -> None:
        """Look at what stands in the database, for the metrics."""
        async with self.bus_database.transaction(self.policies.forces) as tx:
            self.metrics.show(await looking.count(tx, self.clock()))


async def dependencies(request: Request) -> Dependencies:
    """What the running application was built with."""
    # FastAPI would call a plain function in a thread.
    return cast(Dependencies, request.app.state.dependencies)


Deps = Annotated[Dependencies, Depends(dependencies)]
SignedIn = Annotated[User, Depends(current_user)]
Page = Annotated[int, Query(ge=1, le=10_000)]
"""Which page of a list, from 1."""


async def person(tx: Transaction, user: User) -> Person:
    """Who is asking, with what the register says of them."""
    return await people.person(
        tx,
        user.force_id,
        user.sub,
        is_coordinator=Role.COORDINATOR in user.roles,
        is_auditor=Role.AUDITOR in user.roles,
        team_id=user.team_id,
    )
