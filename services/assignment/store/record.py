"""The record of a walk: what is said of it as a whole, what is noted on it, and its photographs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.assignment.domain.noting import Noted, Record, Said
from services.assignment.domain.record import Concern
from services.assignment.store import QUERIES
from services.assignment.store.concerns import concern_of
from services.assignment.store.rows import Key, columns, point_of, uuid_of
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.database import Row, Transaction


async def record_of(tx: Transaction, walk: Key) -> Record:
    """What was said of a walk; an empty record where nothing was."""
    row = await tx.fetch_row(QUERIES.record_of_walk, *walk)
    if row is None:
        return Record()
    return Record(
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        route=tuple(map(Point.model_validate, row["route"]["points"])) if row["route"] else (),
        came=None if row["came"] is None else frozenset(map(UUID, row["came"])),
        strategy_discussed=row["strategy_discussed"],
        streetsafe_shown=row["streetsafe_shown"],
        streetsafe_used=row["streetsafe_used"],
        signposted=row["signposted"],
        sticker_handed_over=row["sticker_handed_over"],
    )


async def save_record(tx: Transaction, walk: Key, record: Record) -> None:
    """Write what is said of a walk."""
    await tx.run(
        QUERIES.save_record,
        *walk,
        record.started_at,
        record.ended_at,
        {"points": [at.model_dump() for at in record.route]} if record.route else None,
        None if record.came is None else sorted(map(str, record.came)),
        record.strategy_discussed,
        record.streetsafe_shown,
        record.streetsafe_used,
        record.signposted,
        record.sticker_handed_over,
    )


async def noted_on(tx: Transaction, walk: Key) -> list[Noted]:
    """What stands on the record of a walk, in the order it was noted."""
    return [_noted(row) for row in await tx.fetch(QUERIES.noted_on_walk, *walk)]


async def noted(tx: Transaction, concern: Key) -> Noted | None:
    """A concern as it was noted, locked; None where nothing ever was under that id."""
    row = await tx.fetch_row(QUERIES.noted_by_id, *concern)
    return _noted(row) if row else None


async def save_noted(tx: Transaction, changed: Sequence[Noted]) -> None:
    """Write concerns as they are noted now."""
    if not changed:
        return
    said = [one.said for one in changed]
    await tx.run(
        QUERIES.save_noted,
        [one.force_id for one in changed],
        [one.id for one in changed],
        [one.walk_id for one in changed],
        [one.category.value if one else None for one in said],
        [one.place.latitude if one else None for one in said],
        [one.place.longitude if one else None for one in said],
        [one.place_name if one else None for one in said],
        [one.time_of_day.value if one and one.time_of_day else None for one in said],
        [one.severity.value if one else None for one in said],
        [one.words if one else None for one in said],
        [one.suggests if one else None for one in said],
        [bool(one and one.patrol_wanted) for one in said],
        [one.photo if one else None for one in said],
        [bool(one and one.photo_looked_at) for one in said],
        [one.sent for one in changed],
        [one.noted_at for one in changed],
        [one.noted_by for one in changed],
        [one.changed_at for one in changed],
        [one.passed_at for one in changed],
    )


def _noted(row: Row) -> Noted:
    said = None
    if row["category"] is not None:
        said = Said(
            category=Reason(row["category"]),
            place=point_of(row),
            place_name=row["place_name"],
            time_of_day=PartOfDay(row["time_of_day"]) if row["time_of_day"] else None,
            severity=Severity(row["severity"]),
            words=row["words"],
            suggests=row["suggests"],
            patrol_wanted=row["patrol_wanted"],
            photo=row["photo"],
            photo_looked_at=row["photo_looked_at"],
        )
    return Noted(
        force_id=row["force_id"],
        id=uuid_of(row["id"]),
        walk_id=uuid_of(row["walk_id"]),
        said=said,
        sent=row["sent"],
        noted_at=row["noted_at"],
        noted_by=row["noted_by"],
        changed_at=row["changed_at"],
        passed_at=row["passed_at"],
    )


async def keep_photo(tx: Transaction, force_id: str, digest: str, id_: UUID) -> None:
    """Write down that a photograph is about to be put into the store."""
    await tx.run(QUERIES.keep_photo, force_id, digest, id_)


async def photo_is_there(tx: Transaction, force_id: str, digest: str) -> bool:
    """Whether a photograph arrived; if so it stays until the end of the transaction."""
    return await tx.fetch_value(QUERIES.known_photo, force_id, digest) is not None


async def photos_let_go(tx: Transaction, photos: Iterable[Key]) -> list[tuple[str, str]]:
    """Of these photographs, by force and id, those nobody refers to: force and digest; locked."""
    wanted = columns(photos)
    # A statement of its own: what began to refer while the lock was waited for is seen only by the next.
    await tx.fetch(QUERIES.lock_photos, *wanted)
    rows = await tx.fetch(QUERIES.photos_let_go, *wanted)
    return [(row["force_id"], row["digest"]) for row in rows]


async def drop_photos(tx: Transaction, photos: Iterable[tuple[str, str]]) -> None:
    """Forget photographs whose files are gone."""
    await tx.run(QUERIES.drop_photos, *columns(photos))


async def concern(tx: Transaction, wanted: Key) -> Concern | None:
    """A concern that partners were told of, locked."""
    row = await tx.fetch_row(QUERIES.concern_by_id, *wanted)
    return concern_of(row) if row else None


async def settle_concern(tx: Transaction, settled: Concern) -> None:
    """Write when a concern was withdrawn or opened again."""
    await tx.run(QUERIES.settle_concern, settled.force_id, settled.id, settled.withdrawn_at, settled.reopened_at)


async def erase_records(tx: Transaction, walks: Sequence[Key]) -> list[tuple[str, str]]:
    """Take what was said by her and of her out of the records of these walks; the photographs, by force and digest."""
    await tx.run(QUERIES.erase_records, *columns(walks))
    return [(row["force_id"], row["photo"]) for row in await tx.fetch(QUERIES.erase_noted, *columns(walks))]
