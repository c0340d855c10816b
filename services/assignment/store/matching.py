"""What officers have in hand, and who knows a woman of a walk: what suggestions weigh."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.store import QUERIES
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class InHand:
    """By officer: how many walks, from when to when they are on one, and when those begin that they proposed."""

    many: Counter[str]
    booked: dict[str, list[tuple[datetime, datetime]]]
    proposed: dict[str, list[datetime]]


async def in_hand(tx: Transaction, force_id: str, officer_ids: Sequence[str], but: UUID, now: datetime) -> InHand:
    """What these officers have in hand beside one walk; what she can still choose counts as proposed."""
    found = InHand(Counter(), defaultdict(list), defaultdict(list))
    for row in await tx.fetch(QUERIES.walks_of_officers, force_id, list(officer_ids), but):
        officer_id, proposal = row["officer_id"], row["proposal"]
        found.many[officer_id] += 1
        if row["starts_at"] is not None and row["busy_until"] is not None:
            found.booked[officer_id].append((row["starts_at"], row["busy_until"]))
        if proposal and not proposal["answer"] and datetime.fromisoformat(proposal["answer_by"]) >= now:
            found.proposed[officer_id] += map(datetime.fromisoformat, proposal["times"])
    return found


async def who_knows_her(tx: Transaction, force_id: str, walk_id: UUID) -> tuple[set[str], set[str]]:
    """Officers who reached a woman of this walk, and officers who let it go."""
    rows = await tx.fetch(QUERIES.who_knows_her, force_id, walk_id)
    return (
        {row["officer_id"] for row in rows if row["how"] == "reached"},
        {row["officer_id"] for row in rows if row["how"] == "let-go"},
    )
