"""Follow-ups are opened, fall due, are looked at and completed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.assignment.domain import calls
from services.assignment.domain import follow_ups as following_up
from services.assignment.domain.attempts import Outcome as CallOutcome
from services.assignment.domain.calls import Call, Way
from services.assignment.domain.follow_ups import FollowUp, FollowUpKind
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import FollowUpNotFound, NotOnRegister
from services.assignment.domain.walks import Walk
from services.assignment.handlers.walks import Policies, new_id, walks_asked_about
from services.assignment.store import follow_ups as follow_up_rows
from services.assignment.store import officers as officer_rows
from services.assignment.store import walks as walk_rows
from shared import audit, timers
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.bus.subscriptions import Outcome
from shared.contracts.envelope import Received
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.walk_requests import ContactWanted
from shared.contracts.walks import FollowUpHandedOver
from shared.database import Transaction

FOLLOW_UP_DUE: Final = "follow-up-due"


async def open_follow_ups(
    tx: Transaction, received: Sequence[Received[ContactWanted]], now: datetime, *, policies: Policies
) -> Outcome:
    """Open a call or visit for each contact that is wanted, and set its day.

    What is wanted again of the same woman joins the one that is open, or opens the last one once more.
    """
    walks, causes, awaiting = await walks_asked_about(tx, received)
    known = await follow_up_rows.known_contacts(tx, [(one.force_id, one.event.contact_id) for one in received])
    fresh = [one for group in causes.values() for one in group if one.event.contact_id not in known]
    standing = await _held(tx, [(one.force_id, one.event.request_id) for one in fresh])
    wanted: list[tuple[str, ContactWanted, UUID]] = []
    for walk in walks.values():
        for one in causes[walk.id]:
            if one.event.contact_id in known:
                continue
            found = standing.get(one.event.request_id)
            policy = policies[one.force_id]
            if found is None:
                found = following_up.follow_up(walk, one.event, new_id(), policy, now)
            else:
                found = following_up.want_again(found, walk, one.event, policy, now)
            standing[one.event.request_id] = found
            wanted.append((one.force_id, one.event, found.id))
    await _open(tx, list(standing.values()))
    await follow_up_rows.keep_contacts(tx, wanted, now)
    return Outcome(awaiting=awaiting)


async def _held(tx: Transaction, requests: Sequence[tuple[str, UUID]]) -> dict[UUID, FollowUp]:
    """What there is about these requests, by request and locked."""
    ids = await follow_up_rows.follow_ups_of_requests(tx, requests)
    force_of = dict.fromkeys(force_id for force_id, _ in requests)
    # Timers first, as when they fire: the other way round the two could wait for each other.
    for force_id in force_of:
        await timers.cancel(tx, FOLLOW_UP_DUE, force_id, ids)
    found = await follow_up_rows.lock_follow_ups(tx, [(force_id, id_) for force_id in force_of for id_ in ids])
    return {each.request_id: each for each in found.values() if each.request_id is not None}


async def open_reviews(
    tx: Transaction, received: Sequence[Received[FeedbackFlagged]], now: datetime, *, policies: Policies
) -> None:
    """Open a review by the team where nobody is to be contacted about a worrying answer."""
    known = await follow_up_rows.follow_ups_by_id(tx, [(one.force_id, one.event.flag_id) for one in received])
    decided = [
        following_up.review(one.event, one.force_id, policies[one.force_id], now)
        for one in received
        if one.event.flag_id not in known
    ]
    await _open(tx, [each for each in decided if each is not None])


async def _open(tx: Transaction, opened: Sequence[FollowUp]) -> None:
    await follow_up_rows.save_follow_ups(tx, opened)
    await timers.set(tx, FOLLOW_UP_DUE, [timers.Due(each.force_id, each.id, each.due_at) for each in opened])


async def mark_overdue(tx: Transaction, fired: Sequence[timers.Fired], now: datetime) -> None:
    """Mark follow-ups whose day has passed, so that the coordinator sees them."""
    await follow_up_rows.mark_overdue(tx, [(one.force_id, one.subject) for one in fired], now)


@dataclass(frozen=True, slots=True)
class TryToReach:
    """A call, a visit or a letter that was made, at `at` (UTC)."""

    follow_up_id: UUID
    by: Person
    way: Way
    outcome: CallOutcome
    at: datetime


@dataclass(frozen=True, slots=True)
class HandOverFollowUp:
    """Another officer sees to it, or a coordinator where none is named."""

    follow_up_id: UUID
    by: Person
    officer_id: str | None


async def log_call(tx: Transaction, command: TryToReach, now: datetime) -> Call:
    """Keep that somebody tried.

    :raises FollowUpNotFound: there is none, or it is another's.
    """
    found, walk = await _theirs(tx, command.follow_up_id, command.by)
    asked = next((each for each in walk.requests if each.id == found.request_id), None) if walk else None
    rules = asked.contact if asked else None
    made = calls.attempt(found, rules, new_id(), command.way, command.outcome, command.at, command.by.id, now)
    await follow_up_rows.keep_calls(tx, [made])
    entry = audit.Entry(found.force_id, command.by.id, "altered", f"follow-up {found.id}", f"tried: {made.outcome}")
    await audit.record(tx, [entry], now)
    return made


async def hand_over(tx: Transaction, command: HandOverFollowUp, now: datetime, *, policies: Policies) -> FollowUp:
    """Give a follow-up to somebody else.

    :raises FollowUpNotFound, NotOnRegister: there is none for whoever asks, or no such officer.
    """
    found, walk = await _theirs(tx, command.follow_up_id, command.by)
    officer = None
    if command.officer_id is not None:
        key = (command.by.force_id, command.officer_id)
        officer = (await officer_rows.officers_by_id(tx, [key])).get(key)
        if officer is None:
            raise NotOnRegister
    given = following_up.hand_over(found, walk, officer, command.by, policies[found.force_id].walks, now)
    await follow_up_rows.save_follow_ups(tx, [given])
    if given.request_id is not None:
        told = FollowUpHandedOver(follow_up_id=given.id, request_id=given.request_id, officer_id=given.officer_id)
        await outbox.append(tx, [Fact(told, given.force_id, now)])
    why = f"handed over to {given.officer_id or 'a coordinator'}"
    await audit.record(tx, [audit.Entry(found.force_id, command.by.id, "altered", f"follow-up {found.id}", why)], now)
    return given


async def _theirs(tx: Transaction, follow_up_id: UUID, by: Person) -> tuple[FollowUp, Walk | None]:
    found = (await follow_up_rows.lock_follow_ups(tx, [(by.force_id, follow_up_id)])).get(follow_up_id)
    walk = None
    if found is not None and found.walk_id is not None:
        walk = (await walk_rows.walks(tx, [(by.force_id, found.walk_id)])).get(found.walk_id)
    if found is None or not _is_theirs(found, walk, by):
        raise FollowUpNotFound
    return found, walk


@dataclass(frozen=True, slots=True)
class CompleteFollowUp:
    """How a call, a visit or a review ended."""

    follow_up_id: UUID
    by: Person
    outcome: str


async def complete_follow_ups(tx: Transaction, commands: Sequence[CompleteFollowUp], now: datetime) -> list[FollowUp]:
    """Complete follow-ups, and tell of those that were about somebody."""
    # Timers first, as when they fire: the other way round the two could wait for each other.
    for command in commands:
        await timers.cancel(tx, FOLLOW_UP_DUE, command.by.force_id, [command.follow_up_id])
    found = await follow_up_rows.lock_follow_ups(
        tx, [(command.by.force_id, command.follow_up_id) for command in commands]
    )
    walks = await walk_rows.walks(tx, [(each.force_id, each.walk_id) for each in found.values() if each.walk_id])
    done: list[FollowUp] = []
    facts: list[Fact] = []
    for command in commands:
        each = found.get(command.follow_up_id)
        if each is None or not _is_theirs(each, walks.get(each.walk_id) if each.walk_id else None, command.by):
            raise FollowUpNotFound
        completed, event = following_up.complete_follow_up(
            each, command.outcome, command.by.id, command.by.is_coordinator, now
        )
        done.append(completed)
        if event is not None:
            facts.append(Fact(event, completed.force_id, now))
    await follow_up_rows.save_follow_ups(tx, done)
    await audit.record(
        tx,
        [
            audit.Entry(each.force_id, command.by.id, "altered", f"follow-up {each.id}", f"completed: {each.outcome}")
            for command, each in zip(commands, done, strict=True)
        ],
        now,
    )
    await outbox.append(tx, facts)
    return done


def _is_theirs(found: FollowUp, walk: Walk | None, by: Person) -> bool:
    if walk is not None and walk.excludes_officer(by.id):
        return False
    return by.is_coordinator or found.officer_id == by.id


async def look_at_follow_up(
    tx: Transaction, follow_up_id: UUID, by: Person, now: datetime
) -> tuple[FollowUp, Walk | None, list[Call]]:
    """A follow-up, the walk it came from and what was tried; the look is logged.

    :raises FollowUpNotFound: there is none, or it is another's.
    """
    found = (await follow_up_rows.follow_ups_by_id(tx, [(by.force_id, follow_up_id)])).get(follow_up_id)
    walk = None
    if found is not None and found.walk_id is not None:
        walk = (await walk_rows.walks(tx, [(by.force_id, found.walk_id)])).get(found.walk_id)
    if found is None or not _is_theirs(found, walk, by):
        raise FollowUpNotFound
    await audit.record(
        tx,
        [audit.Entry(by.force_id, by.id, "consulted", f"follow-up {follow_up_id}", "opened the follow-up")],
        now,
    )
    return found, walk, await follow_up_rows.calls(tx, (by.force_id, found.id))


async def list_follow_ups(
    tx: Transaction,
    by: Person,
    page: int,
    *,
    is_open: bool = True,
    due_before: datetime | None = None,
    kind: FollowUpKind | None = None,
) -> tuple[list[FollowUp], bool]:
    """A page (from 1) of the follow-ups this person has to see to, what is overdue first; whether more follow."""
    return await follow_up_rows.follow_ups(
        tx,
        by.force_id,
        None if by.is_coordinator else by.id,
        by.id,
        page,
        is_open=is_open,
        due_before=due_before or follow_up_rows.END_OF_TIME,
        kind=kind,
    )
