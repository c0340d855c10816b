"""The areas of a force, and who says where a place lies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.assignment.domain.areas import Area, Located
from services.assignment.store import areas as area_rows
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.areas import AreaPublished
from shared.contracts.kinds import Point
from shared.database import Transaction


class Locate(Protocol):
    """The areas of ways in a force, one for each and in order; None outside all of them. A way of one is a place."""

    def __call__(self, force_id: str, ways: Sequence[Sequence[Point]], /) -> Sequence[Located | None]: ...


async def publish_areas(tx: Transaction, areas: Sequence[Area], now: datetime) -> None:
    """Take these boundaries as the ones in force, and tell of each area what was not told before."""
    fresh = await area_rows.publish_areas(tx, areas)
    await outbox.append(
        tx,
        [
            Fact(
                AreaPublished(
                    area_id=area.id,
                    area_name=area.name,
                    team_id=area.team_id,
                    team_name=area.team_name,
                    boundary_version=area.boundary_version,
                ),
                area.force_id,
                now,
            )
            for area in areas
            if (area.force_id, area.id) in fresh
        ],
    )
