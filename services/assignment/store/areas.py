"""Areas and teams in force."""

from __future__ import annotations

from collections.abc import Sequence

from services.assignment.domain.areas import Area
from services.assignment.store import QUERIES
from shared.database import Transaction


async def publish_areas(tx: Transaction, areas: Sequence[Area]) -> set[tuple[str, str]]:
    """Make these areas and their teams the ones in force; which (force, area) were not known so before."""
    await tx.run(
        QUERIES.publish_teams,
        [area.force_id for area in areas],
        [area.team_id for area in areas],
        [area.team_name for area in areas],
    )
    rows = await tx.fetch(
        QUERIES.publish_areas,
        [area.force_id for area in areas],
        [area.id for area in areas],
        [area.name for area in areas],
        [area.team_id for area in areas],
        [area.boundary_version for area in areas],
    )
    for force_id in sorted({area.force_id for area in areas}):
        await tx.run(QUERIES.retire_areas, force_id, [area.id for area in areas if area.force_id == force_id])
    return {(row["force_id"], row["id"]) for row in rows}


async def areas_in_force(tx: Transaction, force_id: str) -> tuple[Area, ...]:
    """The areas of a force, by name."""
    return tuple(
        Area(
            force_id=row["force_id"],
            id=row["id"],
            name=row["name"],
            team_id=row["team_id"],
            team_name=row["team_name"],
            boundary_version=row["boundary_version"],
        )
        for row in await tx.fetch(QUERIES.areas_in_force, force_id)
    )


async def team_names(tx: Transaction, force_id: str) -> dict[str, str]:
    """What the teams of a force are called, by id."""
    return {row["id"]: row["name"] for row in await tx.fetch(QUERIES.team_names, force_id)}
