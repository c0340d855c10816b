"""Disclosures are opened, recorded, taken back, fall due and are looked at; every look is logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.assignment.domain import disclosures as disclosing
from services.assignment.domain.disclosures import Disclosure, Given, Mistake
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import DisclosureNotFound, NotYourWalk, WalkNotFound
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers.walks import Policies, new_id
from services.assignment.store import disclosures as disclosure_rows
from services.assignment.store import follow_ups as follow_up_rows
from services.assignment.store import walks as walk_rows
from shared import audit, timers
from shared.database import Transaction

DISCLOSURE_DUE: Final = "disclosure-due"
DISCLOSURE_PAST: Final = "disclosure-past"
LOOKED_AT_AGAIN: Final = timedelta(days=30)
"""How often it is asked whether one was kept long enough: a policy may change meanwhile."""


@dataclass(frozen=True, slots=True)
class Disclose:
    """Something was disclosed."""

    walk_id: UUID
    by: Person


@dataclass(frozen=True, slots=True)
class RecordDisclosure:
    """Its reference, the safeguarding, the signposting, or some of it."""

    disclosure_id: UUID
    by: Person
    given: Given


@dataclass(frozen=True, slots=True)
class WithdrawDisclosure:
    """A coordinator takes back one that is none."""

    disclosure_id: UUID
    by: Person
    because: Mistake


async def open_disclosure(tx: Transaction, command: Disclose, now: datetime, *, policies: Policies) -> Disclosure:
    """Open one, and set its time; asked again before it is recorded, there is still the one.

    :raises WalkNotFound, NotYourWalk: there is no such walk for whoever asks, or it is another's.
    """
    by = command.by
    key = (by.force_id, command.walk_id)
    walk = await _theirs_to_disclose(tx, (await walk_rows.lock_walks(tx, [key])).get(command.walk_id), by)
    standing = (await disclosure_rows.disclosures_of_walks(tx, [key])).get(walk.id, ())
    found = disclosing.open_disclosure(walk, standing, new_id(), by.id, policies[by.force_id].disclosures, now)
    if found not in standing:
        await disclosure_rows.save_disclosures(tx, [found])
        await timers.set(tx, DISCLOSURE_DUE, [timers.Due(found.force_id, found.id, found.due_at)])
        await _log(tx, found, by, "collected", "opened", now)
    return found


async def walk_to_disclose(tx: Transaction, walk_id: UUID, by: Person) -> Walk:
    """The walk on which this person may say that something was disclosed.

    :raises WalkNotFound, NotYourWalk: there is no such walk for whoever asks, or it is another's.
    """
    return await _theirs_to_disclose(tx, (await walk_rows.walks(tx, [(by.force_id, walk_id)])).get(walk_id), by)


async def may_disclose(tx: Transaction, walk: Walk, by: Person) -> bool:
    """Whether this person may open one on this walk."""
    if walk.state in (State.TRIAGE, State.ROUTED) or walk.excludes_officer(by.id):
        return False
    return by.is_coordinator or disclosing.walked_by(walk, by.id) or await _calls(tx, walk, by)


async def _theirs_to_disclose(tx: Transaction, walk: Walk | None, by: Person) -> Walk:
    if walk is None or not (by.may_see(walk) or await _calls(tx, walk, by)):
        raise WalkNotFound
    if not (by.is_coordinator or disclosing.walked_by(walk, by.id) or await _calls(tx, walk, by)):
        raise NotYourWalk
    return walk


async def _calls(tx: Transaction, walk: Walk, by: Person) -> bool:
    """Whether a call or visit to a woman of this walk is this officer's: she may speak then as well."""
    if walk.excludes_officer(by.id) or walk.excludes_team(by.team_id):
        return False
    return any(
        each.officer_id == by.id for each in await follow_up_rows.follow_ups_of_walk(tx, (walk.force_id, walk.id))
    )


async def record_disclosure(
    tx: Transaction, command: RecordDisclosure, now: datetime, *, policies: Policies
) -> Disclosure:
    """Record what was done.

    :raises DisclosureNotFound, NotYourWalk: there is none for whoever asks, or an auditor does.
    """
    # The timer first, as when it fires: the other way round the two could wait for each other.
    was_set = await timers.cancel(tx, DISCLOSURE_DUE, command.by.force_id, [command.disclosure_id])
    found, walk = await _theirs(tx, command.disclosure_id, command.by, lock=True)
    if not disclosing.may_record(found, walk, command.by):
        raise NotYourWalk
    recorded = disclosing.record_disclosure(found, command.given, command.by.id, now)
    await disclosure_rows.save_disclosures(tx, [recorded])
    if recorded.is_unsettled and was_set:
        await timers.set(tx, DISCLOSURE_DUE, [timers.Due(found.force_id, found.id, found.due_at)])
    elif not recorded.is_unsettled:
        await _keep_for_a_time(tx, recorded, now)
    await _log(
        tx, recorded, command.by, "altered", "recorded" if not recorded.is_unsettled else "recorded in part", now
    )
    return recorded


async def withdraw_disclosure(tx: Transaction, command: WithdrawDisclosure, now: datetime) -> Disclosure:
    """Take back one that is none.

    :raises DisclosureNotFound: there is none, or it is not for whoever asks.
    """
    await timers.cancel(tx, DISCLOSURE_DUE, command.by.force_id, [command.disclosure_id])
    found, _ = await _theirs(tx, command.disclosure_id, command.by, lock=True)
    withdrawn = disclosing.withdraw_disclosure(found, command.because, command.by, now)
    await disclosure_rows.save_disclosures(tx, [withdrawn])
    await _keep_for_a_time(tx, withdrawn, now)
    await _log(tx, withdrawn, command.by, "altered", f"taken back: {command.because}", now)
    return withdrawn


async def _theirs(tx: Transaction, disclosure_id: UUID, by: Person, *, lock: bool) -> tuple[Disclosure, Walk | None]:
    key = (by.force_id, disclosure_id)
    found = await (disclosure_rows.lock_disclosure(tx, key) if lock else disclosure_rows.disclosure(tx, key))
    walk = None
    if found is not None and found.walk_id is not None:
        walk = (await walk_rows.walks(tx, [(by.force_id, found.walk_id)])).get(found.walk_id)
    if found is None or not disclosing.may_see(found, walk, by):
        raise DisclosureNotFound
    return found, walk


async def _keep_for_a_time(tx: Transaction, found: Disclosure, now: datetime) -> None:
    await timers.set(tx, DISCLOSURE_PAST, [timers.Due(found.force_id, found.id, now + LOOKED_AT_AGAIN)])


async def _log(tx: Transaction, found: Disclosure, by: Person, action: audit.Action, why: str, now: datetime) -> None:
    await audit.record(tx, [audit.Entry(found.force_id, by.id, action, f"disclosure {found.id}", why)], now)


# What falls due.


async def mark_overdue(tx: Transaction, fired: Sequence[timers.Fired], now: datetime) -> None:
    """Mark those whose time has passed, so that coordinators see them."""
    await disclosure_rows.mark_overdue(tx, [(one.force_id, one.subject) for one in fired], now)


async def let_go(tx: Transaction, fired: Sequence[timers.Fired], now: datetime, *, policies: Policies) -> None:
    """Forget those that were kept as long as the policy says today; look at the others again later."""
    since = await disclosure_rows.settled_since(tx, [(one.force_id, one.subject) for one in fired])
    past = {key for key, at in since.items() if at + timedelta(days=policies[key[0]].disclosures.keep_days) <= now}
    await disclosure_rows.drop(tx, past)
    await timers.set(
        tx,
        DISCLOSURE_PAST,
        [timers.Due(force_id, id_, now + LOOKED_AT_AGAIN) for force_id, id_ in since if (force_id, id_) not in past],
    )
    await audit.record(
        tx,
        [
            audit.Entry(force_id, "retention", "erased", f"disclosure {id_}", "kept for as long as the policy says")
            for force_id, id_ in past
        ],
        now,
    )


# What people look at.


@dataclass(frozen=True, slots=True)
class Looked:
    """One, and the walk it came up on as far as whoever looks may see it."""

    found: Disclosure
    walk: Walk | None
    may_record: bool
    may_withdraw: bool


async def look_at_disclosure(tx: Transaction, disclosure_id: UUID, by: Person, now: datetime) -> Looked:
    """One with what was recorded; the look is logged.

    :raises DisclosureNotFound: there is none, or it is not for whoever asks.
    """
    found, walk = await _theirs(tx, disclosure_id, by, lock=False)
    await _log(tx, found, by, "consulted", "opened the disclosure", now)
    stands = found.withdrawn_at is None
    return Looked(
        found,
        walk if walk is not None and by.may_see(walk) else None,
        may_record=stands and disclosing.may_record(found, walk, by),
        may_withdraw=stands and by.is_coordinator and found.recorded_at is None and found.opened_by != by.id,
    )


async def list_disclosures(
    tx: Transaction, by: Person, page: int, now: datetime, *, is_unsettled: bool
) -> tuple[list[Disclosure], bool]:
    """A page (from 1) of those this person may see, what is overdue first; the look is logged."""
    everybodys = by.is_coordinator or by.is_auditor
    found, more = await disclosure_rows.disclosures(
        tx,
        by.force_id,
        by.id,
        page,
        is_unsettled=is_unsettled,
        only_theirs=not everybodys,
        team_id=by.team_id,
    )
    why = f"looked at a list of those {'still to be recorded' if is_unsettled else 'recorded'}"
    await audit.record(
        tx, [audit.Entry(by.force_id, by.id, "consulted", f"disclosure {each.id}", why) for each in found], now
    )
    return found, more


async def overdue_for(tx: Transaction, by: Person, now: datetime) -> bool:
    """Whether this coordinator has to see to one past its time."""
    return by.is_coordinator and await disclosure_rows.is_overdue(tx, by.force_id, by.id, now)


async def disclosures_of_walk(tx: Transaction, walk: Walk, by: Person) -> list[Disclosure]:
    """What came up on a walk, for whom it is for."""
    found = (await disclosure_rows.disclosures_of_walks(tx, [(walk.force_id, walk.id)])).get(walk.id, ())
    return [each for each in found if disclosing.may_see(each, walk, by)]
