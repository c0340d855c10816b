"""The register of officers, and when they can walk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from services.assignment.domain.availability import Absence, Window
from services.assignment.domain.people import Officer, Source
from services.assignment.domain.training import Trained
from services.assignment.domain.walks import Walk
from services.assignment.store import QUERIES
from services.assignment.store.rows import PAGE, columns, uuid_of
from services.assignment.store.walks import with_requests
from shared.contracts.kinds import OfficerKind, Weekday
from shared.database import Row, Transaction

OfficerKey = tuple[str, str]
"""A force and an officer."""


async def enrol_officers(tx: Transaction, force_id: str, officers: Sequence[Officer]) -> None:
    """Take what a force's file says of officers; entries that others wrote stay as they are."""
    await tx.run(
        QUERIES.enrol_officers,
        [officer.force_id for officer in officers],
        [officer.id for officer in officers],
        [officer.name for officer in officers],
        [officer.kind.value for officer in officers],
        [officer.team_id for officer in officers],
        # Arrays of arrays are taken apart to the last element, so teams travel as one text; slugs hold no space.
        [" ".join(sorted(officer.team_ids)) for officer in officers],
        [officer.trained_elsewhere_on for officer in officers],
    )
    await tx.run(QUERIES.strike_officers, force_id, [officer.id for officer in officers])


async def save_officers(tx: Transaction, officers: Sequence[Officer]) -> None:
    """Write entries as they now are; what training and policy come to is written by save_standing()."""
    if not officers:
        return
    await tx.run(
        QUERIES.save_officers,
        [officer.force_id for officer in officers],
        [officer.id for officer in officers],
        [officer.name for officer in officers],
        [officer.kind.value for officer in officers],
        [officer.team_id for officer in officers],
        [" ".join(sorted(officer.team_ids)) for officer in officers],
        [officer.trained_elsewhere_on for officer in officers],
        [officer.active for officer in officers],
        [" ".join(officer.languages) for officer in officers],
        [officer.email for officer in officers],
        [officer.source.value for officer in officers],
    )


async def save_standing(
    tx: Transaction, standing: Mapping[OfficerKey, Trained], allowed: Mapping[OfficerKey, bool]
) -> None:
    """Write what training and policy come to."""
    keys = sorted(standing)
    await tx.run(
        QUERIES.save_standing,
        [force_id for force_id, _ in keys],
        [id_ for _, id_ in keys],
        [standing[key].on for key in keys],
        [standing[key].until for key in keys],
        [allowed[key] for key in keys],
    )


async def officers(tx: Transaction, force_id: str) -> tuple[Officer, ...]:
    """The register of a force, by name, those who are off as well: walks that were held have their names."""
    return await _with_absences(tx, await tx.fetch(QUERIES.officers, force_id))


async def officers_by_id(tx: Transaction, wanted: Iterable[OfficerKey]) -> dict[OfficerKey, Officer]:
    """These officers, by force and id; who is not on the register is left out."""
    rows = await tx.fetch(QUERIES.officers_by_id, *columns(wanted))
    return {(officer.force_id, officer.id): officer for officer in await _with_absences(tx, rows)}


async def officers_found(
    tx: Transaction, force_id: str, text: str, team_id: str | None, page: int, *, and_those_off: bool
) -> tuple[list[Officer], bool]:
    """A page (from 1) of the register by name, of those whose name or id holds the text, and whether more follow."""
    sought = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = await tx.fetch(QUERIES.officers_found, force_id, sought, team_id, and_those_off, PAGE + 1, (page - 1) * PAGE)
    return list(await _with_absences(tx, rows[:PAGE])), len(rows) > PAGE


async def officers_to_train(tx: Transaction, force_id: str, by: date, page: int) -> tuple[list[Officer], bool]:
    """A page (from 1) of officers who are not trained, or not any more by that day, and whether more follow."""
    rows = await tx.fetch(QUERIES.officers_to_train, force_id, by, PAGE + 1, (page - 1) * PAGE)
    return list(await _with_absences(tx, rows[:PAGE])), len(rows) > PAGE


async def lock_officers(tx: Transaction, wanted: Iterable[OfficerKey]) -> None:
    """Lock these entries until the transaction ends."""
    await tx.fetch(QUERIES.lock_officers, *columns(wanted))


async def open_walks(tx: Transaction, force_id: str, officer_ids: Sequence[str]) -> list[Walk]:
    """The walks these officers have in hand, locked until the transaction ends."""
    rows = await tx.fetch(QUERIES.lock_open_walks_of_officers, force_id, list(officer_ids))
    return await with_requests(tx, rows)


async def release_follow_ups(tx: Transaction, force_id: str, officer_ids: Sequence[str]) -> None:
    """Give what these officers still had to follow up to a coordinator."""
    await tx.run(QUERIES.release_follow_ups_of_officers, force_id, list(officer_ids))


async def is_switched_off(tx: Transaction, force_id: str, subject: str) -> bool:
    """Whether this person may not use the service any more."""
    return bool(await tx.fetch_value(QUERIES.is_switched_off, force_id, subject))


async def windows_of_officers(tx: Transaction, wanted: Iterable[OfficerKey]) -> dict[OfficerKey, tuple[Window, ...]]:
    """When these officers can usually walk; who has no window is left out."""
    found: defaultdict[OfficerKey, list[Window]] = defaultdict(list)
    for row in await tx.fetch(QUERIES.windows_of_officers, *columns(wanted)):
        found[row["force_id"], row["officer_id"]].append(
            Window(
                uuid_of(row["id"]),
                Weekday(row["weekday"]),
                row["from_minute"],
                row["to_minute"],
                row["valid_from"],
                row["valid_until"],
            )
        )
    return {key: tuple(each) for key, each in found.items()}


async def save_windows(tx: Transaction, officer: OfficerKey, windows: Sequence[Window]) -> None:
    """Add weekly windows."""
    await tx.run(
        QUERIES.save_windows,
        [officer[0] for _ in windows],
        [each.id for each in windows],
        [officer[1] for _ in windows],
        [each.weekday.value for each in windows],
        [each.from_minute for each in windows],
        [each.to_minute for each in windows],
        [each.valid_from for each in windows],
        [each.valid_until for each in windows],
    )


async def remove_window(tx: Transaction, officer: OfficerKey, window_id: UUID) -> int:
    """Take a window away; how many there were."""
    return await tx.run(QUERIES.remove_window, *officer, window_id)


async def save_languages(tx: Transaction, officer: OfficerKey, languages: Sequence[str]) -> None:
    """Write what an officer speaks beside English."""
    await tx.run(QUERIES.save_languages, *officer, list(languages))


async def save_absence(tx: Transaction, officer: OfficerKey, absence: Absence) -> None:
    """Add days away."""
    await tx.run(QUERIES.save_absence, officer[0], absence.id, officer[1], absence.first_day, absence.last_day)


async def forget_absences(tx: Transaction, force_id: str, before: date) -> None:
    """Forget days away that ended before this day."""
    await tx.run(QUERIES.forget_absences, force_id, before)


async def remove_absence(tx: Transaction, officer: OfficerKey, absence_id: UUID) -> int:
    """Take days away back; how many there were."""
    return await tx.run(QUERIES.remove_absence, *officer, absence_id)


async def _with_absences(tx: Transaction, rows: Sequence[Row]) -> tuple[Officer, ...]:
    """Officers from their rows, in the rows' order, with their days away that the register still keeps."""
    if not rows:
        return ()
    absences: defaultdict[OfficerKey, list[Absence]] = defaultdict(list)
    keys = [(row["force_id"], row["id"]) for row in rows]
    for row in await tx.fetch(QUERIES.absences_of_officers, *columns(keys)):
        absences[row["force_id"], row["officer_id"]].append(
            Absence(uuid_of(row["id"]), row["first_day"], row["last_day"])
        )
    return tuple(_officer(row, tuple(absences[row["force_id"], row["id"]])) for row in rows)


def _officer(row: Row, absences: tuple[Absence, ...]) -> Officer:
    return Officer(
        force_id=row["force_id"],
        id=row["id"],
        name=row["name"],
        kind=OfficerKind(row["kind"]),
        team_id=row["team_id"],
        team_ids=frozenset(row["team_ids"]),
        trained_on=row["trained_on"],
        trained_until=row["trained_until"],
        trained_elsewhere_on=row["trained_elsewhere_on"],
        active=row["active"],
        languages=tuple(row["languages"]),
        email=row["email"],
        source=Source(row["source"]),
        absences=absences,
    )
