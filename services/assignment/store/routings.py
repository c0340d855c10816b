"""Why walks went where they went."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.assignment.domain.areas import Located
from services.assignment.domain.routing import Routing
from services.assignment.domain.walks import TriageReason
from services.assignment.store import QUERIES
from services.assignment.store.rows import PAGE, Key, columns, point_of, uuid_of
from shared.contracts.walks import RoutedBy
from shared.database import Row, Transaction


async def keep_routings(tx: Transaction, kept: Sequence[tuple[UUID, Routing]]) -> None:
    """Add these, each under an id of its own."""
    if not kept:
        return
    routings = [routing for _, routing in kept]
    located = [routing.located for routing in routings]
    await tx.run(
        QUERIES.keep_routings,
        [routing.force_id for routing in routings],
        [id_ for id_, _ in kept],
        [routing.walk_id for routing in routings],
        [routing.at for routing in routings],
        [routing.place.latitude for routing in routings],
        [routing.place.longitude for routing in routings],
        [routing.places for routing in routings],
        [place.area_id if place else None for place in located],
        [place.team_id if place else None for place in located],
        [place.boundary_version if place else None for place in located],
        [place.how.value if place else None for place in located],
        [place.distance_m if place else None for place in located],
        [place.share if place else None for place in located],
        # Arrays of arrays are taken apart to the last element.
        [" ".join(place.others) if place else "" for place in located],
        [routing.triage_reason for routing in routings],
        [routing.by for routing in routings],
    )


async def routings_of_walk(tx: Transaction, walk: Key) -> list[Routing]:
    """Why a walk went where it went, the last time first; at most 50."""
    return [_routing(row) for row in await tx.fetch(QUERIES.routings_of_walk, *walk, PAGE)]


async def erase_routings(tx: Transaction, walks: Sequence[Key]) -> None:
    """Keep of these what counts need."""
    await tx.run(QUERIES.erase_routings, *columns(walks))


def _routing(row: Row) -> Routing:
    located = None
    if row["area_id"] is not None:
        located = Located(
            row["area_id"],
            row["team_id"],
            row["boundary_version"],
            RoutedBy(row["how"]),
            row["distance_m"] or 0.0,
            tuple(row["others"]),
            row["share"],
        )
    return Routing(
        force_id=row["force_id"],
        walk_id=uuid_of(row["walk_id"]),
        at=row["at"],
        place=point_of(row),
        places=row["places"],
        located=located,
        triage_reason=TriageReason(row["triage_reason"]) if row["triage_reason"] else None,
        by=row["by_whom"],
    )
