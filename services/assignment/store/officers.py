"""The register of officers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.assignment.domain.people import Officer
from services.assignment.store import QUERIES
from services.assignment.store.rows import columns
from shared.contracts.kinds import OfficerKind
from shared.database import Row, Transaction


async def enrol_officers(tx: Transaction, force_id: str, officers: Sequence[Officer]) -> None:
    """Make these officers the register of a force."""
    await tx.run(
        QUERIES.enrol_officers,
        [officer.force_id for officer in officers],
        [officer.id for officer in officers],
        [officer.name for officer in officers],
        [officer.kind.value for officer in officers],
        [officer.team_id for officer in officers],
        # Arrays of arrays are taken apart to the last element, so teams travel as one text; slugs hold no space.
        [" ".join(sorted(officer.team_ids)) for officer in officers],
        [officer.trained_on for officer in officers],
    )
    await tx.run(QUERIES.strike_officers, force_id, [officer.id for officer in officers])


async def officers(tx: Transaction, force_id: str) -> tuple[Officer, ...]:
    """The register of a force, by name."""
    return tuple(map(_officer, await tx.fetch(QUERIES.officers, force_id)))


async def officers_by_id(tx: Transaction, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Officer]:
    """These officers, by force and id; who is not on the register is left out."""
    forces, ids = columns(wanted)
    rows = await tx.fetch(QUERIES.officers_by_id, forces, ids)
    return {(row["force_id"], row["id"]): _officer(row) for row in rows}


def _officer(row: Row) -> Officer:
    return Officer(
        force_id=row["force_id"],
        id=row["id"],
        name=row["name"],
        kind=OfficerKind(row["kind"]),
        team_id=row["team_id"],
        team_ids=frozenset(row["team_ids"]),
        trained_on=row["trained_on"],
    )
