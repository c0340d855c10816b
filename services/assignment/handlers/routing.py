"""A coordinator's choice of area; and why walks went where they went, kept for each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain import routing
from services.assignment.domain.people import Person
from services.assignment.domain.walks import Walk
from services.assignment.handlers.walks import new_id, save, walks_commanded
from services.assignment.store import areas as area_rows
from services.assignment.store import routings as routing_rows
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Route:
    """A coordinator's choice of area for a walk in triage."""

    walk_id: UUID
    by: Person
    area_id: str


async def route_by_hand(tx: Transaction, commands: Sequence[Route], now: datetime) -> list[Walk]:
    """Give walks in triage the areas a coordinator chose."""
    walks = await walks_commanded(tx, commands)
    areas = {
        (area.force_id, area.id): area
        for force_id in {command.by.force_id for command in commands}
        for area in await area_rows.areas_in_force(tx, force_id)
    }
    decided = [
        routing.route_by_hand(walks[command.walk_id], areas.get((command.by.force_id, command.area_id)))
        for command in commands
    ]
    saved = await save(tx, commands, decided, "routed", now)
    by = [command.by.id for command in commands]
    await keep_why(tx, [routing.why(walk, now, who) for walk, who in zip(saved, by, strict=True)])
    return saved


async def keep_why(tx: Transaction, routings: Sequence[routing.Routing]) -> None:
    """Keep why walks went where they went: a row for each time, for coordinators to read."""
    await routing_rows.keep_routings(tx, [(new_id(), each) for each in routings])
