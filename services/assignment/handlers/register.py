"""The register of officers as people change it: one entry, a whole spreadsheet, when somebody can walk and is away."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.assignment.domain.availability import MOST_ABSENCES, MOST_WINDOWS, Absence, Free, Window, free
from services.assignment.domain.officers_csv import Choice, OfficerRow, Problem, Sheet, read
from services.assignment.domain.people import Officer, Person, Source, what_stops
from services.assignment.domain.refusals import (
    EntryWrong,
    MayNotWalk,
    OfficerKnown,
    OfficerNotFound,
    TeamUnknown,
    TooManyEntries,
)
from services.assignment.domain.training import TrainingSession
from services.assignment.domain.walks import State, Walk
from services.assignment.domain.words import LONGEST_NAME, plain
from services.assignment.handlers.people import hold, settle
from services.assignment.handlers.walks import Policies
from services.assignment.store import areas as area_rows
from services.assignment.store import officers as officer_rows
from services.assignment.store import provisioning as scim_rows
from services.assignment.store import training as training_rows
from services.assignment.store import walks as walk_rows
from shared import audit
from shared.contracts.kinds import OfficerKind
from shared.database import Transaction
from shared.working_days import day

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Entry:
    """An officer's entry as a coordinator wants it."""

    officer_id: str
    name: str
    kind: OfficerKind
    team_id: str
    also_walks_in: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ()
    email: str | None = None
    trained_elsewhere_on: date | None = None
    active: bool = True


async def add_officer(tx: Transaction, by: Person, entry: Entry, now: datetime, *, policies: Policies) -> None:
    """A new entry of the register.

    :raises OfficerKnown, EntryWrong, TeamUnknown:
    """
    key = (by.force_id, entry.officer_id)
    if not _ID.fullmatch(entry.officer_id):
        raise EntryWrong
    if key in await officer_rows.officers_by_id(tx, [key]):
        raise OfficerKnown
    await _save(tx, by, entry, None, "put on the register", now, policies)


async def change_officer(
    tx: Transaction, by: Person, entry: Entry, now: datetime, *, policies: Policies
) -> Sequence[Walk]:
    """An entry as it is to be from now on; the walks that went back to the queue, as the officer may walk no longer.

    :raises OfficerNotFound, EntryWrong, TeamUnknown:
    """
    key = (by.force_id, entry.officer_id)
    await hold(tx, by.force_id, [entry.officer_id])
    found = (await officer_rows.officers_by_id(tx, [key])).get(key)
    if found is None:
        raise OfficerNotFound
    return await _save(tx, by, entry, found, "changed the entry", now, policies)


async def _save(
    tx: Transaction, by: Person, entry: Entry, found: Officer | None, what: str, now: datetime, policies: Policies
) -> Sequence[Walk]:
    name = plain(entry.name)[:LONGEST_NAME]
    if not name:
        raise EntryWrong
    teams = await area_rows.team_names(tx, by.force_id)
    team_ids = frozenset({entry.team_id, *entry.also_walks_in})
    # A team that boundaries of today no longer have may stay where it stood.
    if team_ids - set(teams) - (found.team_ids if found else frozenset()):
        raise TeamUnknown
    saved = Officer(
        force_id=by.force_id,
        id=entry.officer_id,
        name=name,
        kind=entry.kind,
        team_id=entry.team_id,
        team_ids=team_ids,
        trained_on=None,
        active=entry.active,
        languages=entry.languages,
        trained_elsewhere_on=entry.trained_elsewhere_on,
        email=entry.email,
        source=Source.SCIM if found and found.source is Source.SCIM else Source.REGISTER,
    )
    await officer_rows.save_officers(tx, [saved])
    await _log(tx, by, [entry.officer_id], what, now)
    return await settle(tx, by.force_id, [entry.officer_id], policies[by.force_id], by.id, now)


class RowOutcome(StrEnum):
    """What a row of a spreadsheet comes to."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "no change"


@dataclass(frozen=True, slots=True)
class Report:
    """Row by row what a spreadsheet comes to. `taken`: it was taken over, all or the good rows as was chosen."""

    choice: Choice
    taken: bool
    outcomes: Sequence[tuple[OfficerRow, RowOutcome]]
    problems: Sequence[Problem]
    returned: int = 0
    """How many walks went back to the queue, because their officers may walk no longer."""

    def many(self, outcome: str) -> int:
        """How many rows come to this."""
        return sum(each == outcome for _, each in self.outcomes)


async def import_officers(
    tx: Transaction, by: Person, content: bytes, choice: Choice, now: datetime, *, policies: Policies
) -> Report:
    """Read a spreadsheet and take over what was chosen, in one transaction: nothing is ever half done."""
    teams = await area_rows.team_names(tx, by.force_id)
    known = {officer.id: officer for officer in await officer_rows.officers(tx, by.force_id)}
    sheet: Sheet = read(content, teams, frozenset(known), day(now))
    decided = [_row(by.force_id, row, known.get(row.officer_id)) for row in sheet.rows]
    outcomes = [(row, outcome) for row, (_, outcome) in zip(sheet.rows, decided, strict=True)]
    take = choice is Choice.GOOD or (choice is Choice.ALL and not sheet.problems)
    changed = [officer for officer, outcome in decided if outcome is not RowOutcome.SAME]
    if not take or not changed:
        return Report(choice, take and bool(sheet.rows), outcomes, sheet.problems)
    ids = sorted(officer.id for officer in changed)
    await hold(tx, by.force_id, ids)
    await officer_rows.save_officers(tx, changed)
    await _log(tx, by, ids, "imported from a spreadsheet", now)
    returned = await settle(tx, by.force_id, ids, policies[by.force_id], by.id, now)
    return Report(choice, True, outcomes, sheet.problems, len(returned))


def _row(force_id: str, row: OfficerRow, found: Officer | None) -> tuple[Officer, RowOutcome]:
    """The entry a row makes, and whether that is new."""
    if found is None:
        assert row.name and row.kind and row.team_id, "a new officer's row is whole, or it is refused"
        fresh = Officer(
            force_id=force_id,
            id=row.officer_id,
            name=row.name,
            kind=row.kind,
            team_id=row.team_id,
            team_ids=frozenset({row.team_id, *row.also_walks_in}),
            trained_on=None,
            languages=row.languages,
            trained_elsewhere_on=row.trained_on,
            email=row.email,
            source=Source.REGISTER,
        )
        return fresh, RowOutcome.ADDED
    team_id = row.team_id or found.team_id
    also = frozenset(row.also_walks_in) or found.team_ids - {found.team_id}
    changed = replace(
        found,
        name=row.name or found.name,
        kind=row.kind or found.kind,
        team_id=team_id,
        team_ids=also | {team_id},
        languages=row.languages or found.languages,
        email=row.email or found.email,
        trained_elsewhere_on=row.trained_on or found.trained_elsewhere_on,
    )
    if changed == found:
        return found, RowOutcome.SAME
    source = Source.SCIM if found.source is Source.SCIM else Source.REGISTER
    return replace(changed, source=source), RowOutcome.CHANGED


@dataclass(frozen=True, slots=True)
class Record:
    """All that stands of an officer, for the coordinator and for themselves."""

    officer: Officer
    stops: tuple[MayNotWalk, ...]
    windows: tuple[Window, ...]
    sessions: Sequence[TrainingSession]
    open_walks: Sequence[Walk]
    while_away: Sequence[Walk]
    """Arranged walks on days on which the officer is away: another has to hold them, or another day."""


async def look_at_officer(tx: Transaction, by: Person, officer_id: str, now: datetime, *, policies: Policies) -> Record:
    """An officer's entry with training, availability and what keeps them from walking; the look is logged.

    :raises OfficerNotFound: there is none, or whoever asks is neither a coordinator nor that officer.
    """
    key = await _theirs(tx, by, officer_id)
    officer = (await officer_rows.officers_by_id(tx, [key]))[key]
    if by.id != officer_id:
        await audit.record(
            tx, [audit.Entry(by.force_id, by.id, "consulted", f"officer {officer_id}", "opened the entry")], now
        )
    open_walks = [walk for walk in await walk_rows.walks_of_officer(tx, *key) if by.may_see(walk)]
    return Record(
        officer=officer,
        stops=what_stops(officer, policies[by.force_id].walks, day(now), day(now)),
        windows=(await officer_rows.windows_of_officers(tx, [key])).get(key, ()),
        sessions=(await training_rows.sessions_of_officers(tx, by.force_id, [officer_id])).get(officer_id, ()),
        open_walks=open_walks,
        while_away=[
            walk
            for walk in open_walks
            if walk.state is State.ARRANGED and walk.starts_at and officer.is_away(day(walk.starts_at))
        ],
    )


async def list_officers(
    tx: Transaction, by: Person, text: str, team_id: str | None, page: int, *, and_those_off: bool = False
) -> tuple[list[Officer], bool]:
    """A page (from 1) of the register, and whether more follow."""
    return await officer_rows.officers_found(tx, by.force_id, text, team_id, page, and_those_off=and_those_off)


async def not_placed(tx: Transaction, by: Person) -> Sequence[scim_rows.ScimUserRow]:
    """People of the identity provider who stand on no register, 50 at most."""
    return await scim_rows.users_without_entry(tx, by.force_id)


async def free_times(
    tx: Transaction, force_id: str, officer_ids: Sequence[str], first_day: date, last_day: date
) -> Mapping[str, Sequence[Free]]:
    """When these officers can walk on these days (London), by their windows and the days they are away.

    Who has entered no window is left out: nobody knows when they can.
    """
    keys = [(force_id, officer_id) for officer_id in officer_ids]
    officers = await officer_rows.officers_by_id(tx, keys)
    windows = await officer_rows.windows_of_officers(tx, keys)
    return {
        key[1]: free(windows[key], officer.absences, first_day, last_day)
        for key, officer in officers.items()
        if key in windows
    }


async def add_windows(tx: Transaction, by: Person, officer_id: str, windows: Sequence[Window], now: datetime) -> None:
    """When an officer can usually walk, too.

    :raises OfficerNotFound, TooManyEntries:
    """
    key = await _theirs(tx, by, officer_id)
    await officer_rows.lock_officers(tx, [key])
    held = (await officer_rows.windows_of_officers(tx, [key])).get(key, ())
    if len(held) + len(windows) > MOST_WINDOWS:
        raise TooManyEntries
    await officer_rows.save_windows(tx, key, windows)
    await _log(tx, by, [officer_id], "changed the availability", now)


async def remove_window(tx: Transaction, by: Person, officer_id: str, window_id: UUID, now: datetime) -> None:
    """An officer can usually walk then no more. One that is not there any more is gone all the same."""
    if await officer_rows.remove_window(tx, await _theirs(tx, by, officer_id), window_id):
        await _log(tx, by, [officer_id], "changed the availability", now)


async def add_absence(tx: Transaction, by: Person, officer_id: str, absence: Absence, now: datetime) -> None:
    """An officer is away on these days.

    :raises OfficerNotFound, TooManyEntries:
    """
    key = await _theirs(tx, by, officer_id)
    await officer_rows.lock_officers(tx, [key])
    officer = (await officer_rows.officers_by_id(tx, [key]))[key]
    if len(officer.absences) >= MOST_ABSENCES:
        raise TooManyEntries
    await officer_rows.save_absence(tx, key, absence)
    await _log(tx, by, [officer_id], "changed the days away", now)


async def remove_absence(tx: Transaction, by: Person, officer_id: str, absence_id: UUID, now: datetime) -> None:
    """An officer is there after all."""
    if await officer_rows.remove_absence(tx, await _theirs(tx, by, officer_id), absence_id):
        await _log(tx, by, [officer_id], "changed the days away", now)


async def set_languages(tx: Transaction, by: Person, officer_id: str, languages: Sequence[str], now: datetime) -> None:
    """What an officer speaks beside English, as codes of two letters."""
    key = await _theirs(tx, by, officer_id)
    await officer_rows.save_languages(tx, key, languages)
    await _log(tx, by, [officer_id], "changed the languages", now)


async def _theirs(tx: Transaction, by: Person, officer_id: str) -> tuple[str, str]:
    """The key of an entry that this person may see and change: their own, or any to a coordinator."""
    key = (by.force_id, officer_id)
    if by.id != officer_id and not by.is_coordinator:
        raise OfficerNotFound
    if key not in await officer_rows.officers_by_id(tx, [key]):
        raise OfficerNotFound
    return key


async def _log(tx: Transaction, by: Person, officer_ids: Sequence[str], what: str, now: datetime) -> None:
    await audit.record(
        tx, [audit.Entry(by.force_id, by.id, "altered", f"officer {each}", what) for each in officer_ids], now
    )
