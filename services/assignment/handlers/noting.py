"""What is noted while a walk is held; the look at what partners will see; what of it is passed on, and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.assignment.domain import noting, record
from services.assignment.domain.noting import Noted, Record, Said
from services.assignment.domain.people import Person
from services.assignment.domain.record import Concern
from services.assignment.domain.refusals import ConcernNotFound, PhotoGone
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers.looking import walk_in_hand
from services.assignment.handlers.walks import Policies, own, save, walks_commanded
from services.assignment.store import concerns as concern_rows
from services.assignment.store import record as record_rows
from services.assignment.store import referrals as referral_rows
from services.assignment.store.disclosures import stands_of_walks
from shared import audit, timers
from shared.attachments import Attachments, digest_of
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.concerns import ConcernRaised, ConcernReopened, ConcernWithdrawn
from shared.database import Transaction
from shared.timers import Due, Fired

PHOTO_LET_GO: Final = "photo-let-go"
"""The timer at which a photograph goes that nobody refers to."""
_TO_BE_REFERRED_TO: Final = timedelta(days=1)
"""How long a photograph that arrived waits for its concern, which may wait for signal."""


@dataclass(frozen=True, slots=True)
class At:
    """A walk begins, or ends, at a moment (UTC)."""

    walk_id: UUID
    by: Person
    at: datetime


@dataclass(frozen=True, slots=True)
class Say:
    """What is said of a walk as a whole."""

    walk_id: UUID
    by: Person
    record: Record


@dataclass(frozen=True, slots=True)
class Note:
    """A concern under the id its sender made for it, noted or corrected."""

    walk_id: UUID
    by: Person
    concern_id: UUID
    said: Said


@dataclass(frozen=True, slots=True)
class OfConcern:
    """Something is done with a concern of a walk: removed, withdrawn, opened again."""

    walk_id: UUID
    by: Person
    concern_id: UUID


@dataclass(frozen=True, slots=True)
class PassOn:
    """What is passed on, each as its officer saw it (noting.seen); closes a walk that is not closed yet."""

    walk_id: UUID
    by: Person
    looks: Mapping[UUID, str]
    disclosed: bool | None = None
    """Whether an alleged crime or intelligence came up; None where the walk is closed already."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A walk with all that stands on its record."""

    walk: Walk
    record: Record
    noted: Sequence[Noted]


async def start_walk(tx: Transaction, command: At, now: datetime) -> Record:
    """The walk begins now, or began when there was no signal."""
    walk, found = await _record(tx, command)
    return await _keep(tx, command, noting.start(walk, found, command.at, now), "started", now)


async def end_walk(tx: Transaction, command: At, now: datetime) -> Record:
    """The walk ends."""
    walk, found = await _record(tx, command)
    return await _keep(tx, command, noting.end(walk, found, command.at, now), "ended", now)


async def say(tx: Transaction, command: Say, now: datetime) -> Record:
    """What is said of the walk as a whole, the times corrected."""
    walk, _ = await _record(tx, command)
    return await _keep(tx, command, noting.say(walk, command.record, now), "wrote on the record", now)


async def note(tx: Transaction, command: Note, now: datetime) -> Noted:
    """Note a concern, once, however often it is sent; as it stands now."""
    walk = await _walk(tx, command)
    known = await record_rows.noted(tx, (walk.force_id, command.concern_id))
    stand = len(await record_rows.noted_on(tx, (walk.force_id, walk.id)))
    fresh = noting.note(walk, known, command.concern_id, command.said, command.by.id, stand, now)
    if fresh is None:
        assert known is not None
        return known
    await _arrived(tx, walk.force_id, fresh)
    await record_rows.save_noted(tx, [fresh])
    await _log(tx, command, f"noted concern {fresh.id}", now)
    return fresh


async def correct(tx: Transaction, command: Note, now: datetime) -> Noted:
    """Note a concern otherwise that nobody was told of."""
    walk = await _walk(tx, command)
    known = await _noted(tx, walk, command.concern_id)
    changed = noting.correct(known, command.said, now)
    await _let_go(tx, [known], now)
    await _arrived(tx, walk.force_id, changed)
    await record_rows.save_noted(tx, [changed])
    await _log(tx, command, f"corrected concern {known.id}", now)
    return changed


async def remove(tx: Transaction, command: OfConcern, now: datetime) -> None:
    """Take a concern off the record; one that has not arrived yet will not stand."""
    walk = await _walk(tx, command)
    known = await record_rows.noted(tx, (walk.force_id, command.concern_id))
    removed = noting.remove(walk, known, command.concern_id, command.by.id, now)
    if known is not None:
        await _let_go(tx, [known], now)
    await record_rows.save_noted(tx, [removed])
    await _log(tx, command, f"removed concern {command.concern_id}", now)


async def keep_photo(tx: Transaction, walk_id: UUID, by: Person, drawn: bytes, now: datetime) -> str:
    """Say that a photograph is about to be put into the store, for a concern of this walk; its digest.

    Committed before it is put: so there is no file without a row, and what nobody refers to in time goes again.
    """
    walk = await walk_in_hand(tx, walk_id, by)
    digest = digest_of(drawn)
    # The timer first, as when it fires: the other way round the two could wait for each other.
    await timers.set(tx, PHOTO_LET_GO, [Due(walk.force_id, _id_of(digest), now + _TO_BE_REFERRED_TO)])
    await record_rows.keep_photo(tx, walk.force_id, digest, _id_of(digest))
    return digest


async def look_at_photo(tx: Transaction, walk_id: UUID, by: Person, digest: str, now: datetime) -> None:
    """Whether this person may see a photograph of a walk; the look is logged.

    :raises WalkNotFound, NotYourWalk:
    :raises ConcernNotFound: no concern of this walk has it.
    """
    walk = await walk_in_hand(tx, walk_id, by)
    for one in await record_rows.noted_on(tx, (walk.force_id, walk.id)):
        if one.said is not None and one.said.photo == digest:
            entry = audit.Entry(walk.force_id, by.id, "consulted", f"walk {walk_id}", f"photo of concern {one.id}")
            return await audit.record(tx, [entry], now)
    raise ConcernNotFound


async def let_go_of_photos(tx: Transaction, fired: Sequence[Fired], now: datetime, *, attachments: Attachments) -> None:
    """Delete photographs that nobody refers to any more."""
    gone = await record_rows.photos_let_go(tx, [(one.force_id, one.subject) for one in fired])
    for force_id, digest in gone:
        await attachments.delete(force_id, digest)
    await record_rows.drop_photos(tx, gone)


async def look_at_record(tx: Transaction, walk_id: UUID, by: Person, now: datetime) -> Recorded:
    """A walk of this person's with its record; the look is logged.

    :raises WalkNotFound, NotYourWalk:
    """
    walk = await walk_in_hand(tx, walk_id, by)
    await audit.record(tx, [audit.Entry(by.force_id, by.id, "consulted", f"walk {walk_id}", "opened the record")], now)
    key = (walk.force_id, walk.id)
    return Recorded(walk, await record_rows.record_of(tx, key), await record_rows.noted_on(tx, key))


async def preview(
    tx: Transaction, walk_id: UUID, by: Person, now: datetime
) -> tuple[Recorded, Sequence[ConcernRaised]]:
    """What partners would be told of each concern that nobody was told of. Writes nothing but the log."""
    found = await look_at_record(tx, walk_id, by, now)
    return found, noting.preview(found.walk, found.record, found.noted, now)


async def pass_on(tx: Transaction, command: PassOn, now: datetime, *, policies: Policies) -> Walk:
    """Close the walk if it is not, and tell of the concerns that were seen, each only as it was seen."""
    walk, found = await _record(tx, command)
    noted = noting.chosen(await record_rows.noted_on(tx, (walk.force_id, walk.id)), command.looks.keys())
    if walk.state is State.COMPLETED:
        decided = noting.pass_on(walk, found, noted, now)
    else:
        started_at, ended_at = noting.times(found)
        key = (walk.force_id, walk.id)
        decided = record.complete(
            walk,
            started_at,
            ended_at,
            bool(found.streetsafe_shown),
            [noting.recorded(one.said) for one in noted if one.said is not None],
            [one.id for one in noted],
            policies[walk.force_id].walks,
            now,
            disclosures=(await stands_of_walks(tx, [key])).get(walk.id, ()),
            disclosed=command.disclosed,
        )
    noting.refuse_unseen(decided, command.looks)
    (saved,) = await save(tx, [command], [decided], f"recorded, {len(noted)} concerns passed on", now)
    await concern_rows.save_concerns(tx, decided.concerns)
    await record_rows.save_noted(tx, [replace(one, passed_at=now) for one in noted])
    return saved


async def withdraw(tx: Transaction, command: OfConcern, now: datetime) -> Concern:
    """Take a concern back that partners were told of."""
    concern = await _concern(tx, command)
    withdrawn, event = noting.withdraw(concern, now)
    await _settle(tx, command, withdrawn, event, "withdrew", now)
    return withdrawn


async def reopen(tx: Transaction, command: OfConcern, now: datetime) -> Concern:
    """Say that a concern is not resolved, though a partner called it so."""
    concern = await _concern(tx, command)
    referrals = await referral_rows.referrals_of_walk(tx, (concern.force_id, concern.walk_id))
    reopened, event = noting.reopen(concern, referrals, now)
    await _settle(tx, command, reopened, event, "reopened", now)
    return reopened


async def _settle(
    tx: Transaction,
    command: OfConcern,
    settled: Concern,
    event: ConcernWithdrawn | ConcernReopened,
    what: str,
    now: datetime,
) -> None:
    await record_rows.settle_concern(tx, settled)
    await _log(tx, command, f"{what} concern {settled.id}", now)
    await outbox.append(tx, [Fact(event, settled.force_id, now)])


Commanded = At | Say | Note | OfConcern | PassOn


async def _walk(tx: Transaction, command: Commanded) -> Walk:
    return own((await walks_commanded(tx, [command]))[command.walk_id], command.by)


async def _record(tx: Transaction, command: Commanded) -> tuple[Walk, Record]:
    walk = await _walk(tx, command)
    return walk, await record_rows.record_of(tx, (walk.force_id, walk.id))


async def _keep(tx: Transaction, command: Commanded, changed: Record, what: str, now: datetime) -> Record:
    await record_rows.save_record(tx, (command.by.force_id, command.walk_id), changed)
    await _log(tx, command, what, now)
    return changed


async def _noted(tx: Transaction, walk: Walk, concern_id: UUID) -> Noted:
    known = await record_rows.noted(tx, (walk.force_id, concern_id))
    if known is None or known.walk_id != walk.id:
        raise ConcernNotFound
    return known


async def _concern(tx: Transaction, command: OfConcern) -> Concern:
    walk = await _walk(tx, command)
    concern = await record_rows.concern(tx, (walk.force_id, command.concern_id))
    if concern is None or concern.walk_id != walk.id:
        raise ConcernNotFound
    return concern


async def _arrived(tx: Transaction, force_id: str, noted: Noted) -> None:
    """
    :raises PhotoGone: its photograph is not in the store.
    """
    digest = noted.said.photo if noted.said else None
    if digest is not None and not await record_rows.photo_is_there(tx, force_id, digest):
        raise PhotoGone


async def _let_go(tx: Transaction, before: Sequence[Noted], now: datetime) -> None:
    """Look whether anybody still refers to the photographs of what was noted before."""
    digests = {(one.force_id, one.said.photo) for one in before if one.said and one.said.photo}
    await let_go(tx, sorted(digests), now)


async def let_go(tx: Transaction, photos: Sequence[tuple[str, str]], now: datetime) -> None:
    """Photographs, by force and digest, go moments from now unless somebody still refers to them."""
    await timers.set(tx, PHOTO_LET_GO, [Due(force_id, _id_of(digest), now) for force_id, digest in photos])


def _id_of(digest: str) -> UUID:
    return UUID(digest[:32])


async def _log(tx: Transaction, command: Commanded, what: str, now: datetime) -> None:
    by = command.by
    await audit.record(tx, [audit.Entry(by.force_id, by.id, "altered", f"walk {command.walk_id}", what)], now)
