"""Commands and events of assignment: load, decide, save, append. The caller owns the transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol, TypeVar
from uuid import UUID

from uuid6 import uuid7

from services.assignment import domain, store
from services.assignment.domain import (
    Area,
    Changed,
    Completed,
    Concern,
    FollowUp,
    FollowUpNotFound,
    Located,
    NotOnRegister,
    NotYourWalk,
    Officer,
    RecordedConcern,
    Referral,
    State,
    Walk,
    WalkNotFound,
)
from shared import audit, timers
from shared.bus import erasure, outbox
from shared.bus.erasure import Gone
from shared.bus.outbox import Fact, Thread
from shared.bus.subscriptions import Outcome
from shared.contracts.areas import AreaPublished
from shared.contracts.concerns import ConcernRedacted
from shared.contracts.envelope import Event, Received
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.kinds import Point
from shared.contracts.policy import ForcePolicy
from shared.contracts.referrals import ReferralEvent
from shared.contracts.walk_requests import (
    ContactRules,
    ContactRulesChanged,
    ContactWanted,
    ParticipantErased,
    ProposalAnswered,
    WalkRequestAmended,
    WalkRequested,
    WalkRequestWithdrawn,
)
from shared.database import Transaction

FOLLOW_UP_DUE: Final = "follow-up-due"

Policies = Mapping[str, ForcePolicy]


class Locate(Protocol):
    """The areas of places in a force, one for each and in order; None outside all of them."""

    def __call__(self, force_id: str, places: Sequence[Point], /) -> Sequence[Located | None]: ...


def new_id() -> UUID:
    """An id for something new of ours."""
    return UUID(int=uuid7().int)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: an officer, a coordinator or both. Teams as the register has them, else as the sign-in says."""

    force_id: str
    id: str
    is_coordinator: bool
    team_id: str | None
    team_ids: frozenset[str]
    officer: Officer | None

    def may_see(self, walk: Walk) -> bool:
        """Whether this person may know of the walk. A coordinator whom she excludes by name may not either."""
        if walk.excludes_officer(self.id):
            return False
        return self.is_coordinator or walk.is_shown_to(self.id, self.team_id, self.team_ids)


async def person(tx: Transaction, force_id: str, user_id: str, *, is_coordinator: bool, team_id: str | None) -> Person:
    """Who asks, with what the register says of them."""
    found = await store.officers_by_id(tx, [(force_id, user_id)])
    officer = found.get((force_id, user_id))
    if officer is not None:
        return Person(force_id, user_id, is_coordinator, officer.team_id, officer.team_ids, officer)
    return Person(force_id, user_id, is_coordinator, team_id, frozenset({team_id} if team_id else ()), None)


# What a force lists: areas, teams, officers.


async def publish_areas(tx: Transaction, areas: Sequence[Area], now: datetime) -> None:
    """Take these boundaries as the ones in force, and tell of each area what was not told before."""
    fresh = await store.publish_areas(tx, areas)
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


async def enrol_officers(tx: Transaction, force_id: str, officers: Sequence[Officer]) -> None:
    """Take these officers as the register of a force."""
    await store.enrol_officers(tx, force_id, officers)


# What the bus brings.


async def route_requests(
    tx: Transaction,
    received: Sequence[Received[WalkRequested]],
    now: datetime,
    *,
    policies: Policies,
    locate: Locate,
) -> None:
    """Make a walk of each request and give it to the team of its place, or to a coordinator."""
    known = await store.known_requests(tx, [(one.force_id, one.event.request_id) for one in received])
    fresh = [one for one in received if one.event.request_id not in known]
    by_force: defaultdict[str, list[Received[WalkRequested]]] = defaultdict(list)
    for one in fresh:
        by_force[one.force_id].append(one)
    places: dict[UUID, Located | None] = {}
    for force_id, group in by_force.items():
        found = locate(force_id, [one.event.place for one in group])
        places.update(zip((one.id for one in group), found, strict=True))
    decided = [
        domain.route(
            one.force_id,
            new_id(),
            domain.request_of(one.event, one.time),
            places[one.id],
            policies[one.force_id].walks,
        )
        for one in fresh
    ]
    await store.save_walks(tx, [each.walk for each in decided])
    await store.save_requests(tx, [each.walk for each in decided])
    await outbox.append(
        tx,
        [
            Fact(event, one.force_id, now, one)
            for one, each in zip(fresh, decided, strict=True)
            for event in each.events
        ],
    )


async def withdraw_requests(
    tx: Transaction, received: Sequence[Received[WalkRequestWithdrawn]], now: datetime
) -> Outcome:
    """Cancel walks for which no request remains."""
    walks, causes, awaiting = await _walks_asked_about(tx, received)
    decided = [
        domain.withdraw(walk, frozenset(one.event.request_id for one in causes[walk.id]), now)
        for walk in walks.values()
    ]
    await store.save_walks(tx, [each.walk for each in decided])
    await store.save_requests(tx, [each.walk for each in decided])
    await outbox.append(tx, _facts(decided, now, {walk_id: group[-1] for walk_id, group in causes.items()}))
    return Outcome(awaiting=awaiting)


async def change_contact_rules(
    tx: Transaction, received: Sequence[Received[ContactRulesChanged]], now: datetime
) -> Outcome:
    """Keep how each woman may be contacted now; whom she excludes loses the walk and its follow-ups."""
    walks, causes, awaiting = await _walks_asked_about(tx, received)
    changed = [domain.change_contact(walk, _rules(causes[walk.id])) for walk in walks.values()]
    await store.save_walks(tx, changed)
    await store.save_requests(tx, changed)
    await store.release_follow_ups(tx, [(walk.force_id, walk.id) for walk in changed])
    return Outcome(awaiting=awaiting)


async def amend_requests(
    tx: Transaction, received: Sequence[Received[WalkRequestAmended]], now: datetime, *, locate: Locate
) -> Outcome:
    """Keep what she wants now; a walk of hers that is not arranged yet goes to the team of its new place."""
    walks, causes, awaiting = await _walks_asked_about(tx, received)
    places: dict[UUID, Located | None] = {}
    for force_id in {one.force_id for one in received}:
        group = [one for one in received if one.force_id == force_id]
        found = locate(force_id, [one.event.place for one in group])
        places.update(zip((one.id for one in group), found, strict=True))
    decided, cause = [], {}
    for walk in walks.values():
        for one in causes[walk.id]:
            changed = domain.amend(walk, one.event, places[one.id], one.time)
            walk = changed.walk
            decided.append(changed)
            cause[walk.id] = one
    latest = {changed.walk.id: changed.walk for changed in decided}
    await store.save_walks(tx, list(latest.values()))
    await store.save_requests(tx, list(latest.values()))
    await outbox.append(tx, _facts(decided, now, cause))
    return Outcome(awaiting=awaiting)


async def answer_proposals(
    tx: Transaction, received: Sequence[Received[ProposalAnswered]], now: datetime, *, policies: Policies
) -> Outcome:
    """Arrange walks at the times women chose; where the officer is not free any more, the officer sees it."""
    walks, causes, awaiting = await _walks_asked_about(tx, received)
    decided: dict[UUID, Changed] = {}
    for walk in walks.values():
        changed = Changed(walk)
        for one in causes[walk.id]:
            if one.event.walk_id == walk.id and not changed.events:
                rules = policies[walk.force_id].walks
                changed = domain.answer_proposal(changed.walk, one.event, one.time, rules, now)
        decided[walk.id] = changed
    arranged = [changed.walk for changed in decided.values() if changed.events]
    taken = await store.double_booked(tx, arranged)
    chosen: list[Walk] = []
    for walk in arranged:
        # Two that choose the same hour of one officer in one batch: the first has it.
        if walk.id in taken or any(_overlap(walk, other) for other in chosen):
            before = walks[walk.id]
            assert walk.starts_at is not None
            decided[walk.id] = Changed(domain.not_possible(before, walk.starts_at))
        else:
            chosen.append(walk)
    await store.save_walks(tx, [changed.walk for changed in decided.values()])
    await outbox.append(tx, _facts(list(decided.values()), now, {id_: group[-1] for id_, group in causes.items()}))
    return Outcome(awaiting=awaiting)


def _overlap(one: Walk, other: Walk) -> bool:
    if (one.force_id, one.officer_id) != (other.force_id, other.officer_id):
        return False
    assert one.starts_at and one.busy_until and other.starts_at and other.busy_until
    return one.starts_at < other.busy_until and other.starts_at < one.busy_until


def _rules(causes: Sequence[Received[ContactRulesChanged]]) -> dict[UUID, ContactRules]:
    return {one.event.request_id: one.event.contact for one in causes}


async def open_follow_ups(
    tx: Transaction, received: Sequence[Received[ContactWanted]], now: datetime, *, policies: Policies
) -> Outcome:
    """Open a call or visit for each contact that is wanted, and set its day."""
    walks, causes, awaiting = await _walks_asked_about(tx, received)
    known = await store.known_contacts(tx, [(one.force_id, one.event.contact_id) for one in received])
    opened = [
        domain.follow_up(walk, one.event, new_id(), policies[one.force_id], now)
        for walk in walks.values()
        for one in causes[walk.id]
        if one.event.contact_id not in known
    ]
    await _open(tx, opened)
    return Outcome(awaiting=awaiting)


async def open_reviews(
    tx: Transaction, received: Sequence[Received[FeedbackFlagged]], now: datetime, *, policies: Policies
) -> None:
    """Open a review by the team where nobody is to be contacted about a worrying answer."""
    known = await store.follow_ups_by_id(tx, [(one.force_id, one.event.flag_id) for one in received])
    decided = [
        domain.review(one.event, one.force_id, policies[one.force_id], now)
        for one in received
        if one.event.flag_id not in known
    ]
    await _open(tx, [each for each in decided if each is not None])


async def _open(tx: Transaction, opened: Sequence[FollowUp]) -> None:
    await store.save_follow_ups(tx, opened)
    await timers.set(tx, FOLLOW_UP_DUE, [timers.Due(each.force_id, each.id, each.due_at) for each in opened])


async def note_referrals(tx: Transaction, received: Sequence[Received[ReferralEvent]], now: datetime) -> Outcome:
    """Keep what partners said of our concerns, for the team to read."""
    known = await store.known_concerns(tx, [(one.force_id, one.event.concern_id) for one in received])
    told = [
        domain.referral_told(one.event, one.force_id, one.time) for one in received if one.event.concern_id in known
    ]
    await store.save_referrals(tx, told)
    return Outcome(awaiting={one.id: one.event.concern_id for one in received if one.event.concern_id not in known})


A = TypeVar("A", WalkRequestWithdrawn, WalkRequestAmended, ProposalAnswered, ContactRulesChanged, ContactWanted)


async def _walks_asked_about(
    tx: Transaction, received: Sequence[Received[A]]
) -> tuple[dict[UUID, Walk], dict[UUID, list[Received[A]]], dict[UUID, UUID]]:
    """Walks locked, what was received about each, and which events have to wait for their request."""
    walk_of = await store.walks_of_requests(tx, [(one.force_id, one.event.request_id) for one in received])
    causes: defaultdict[UUID, list[Received[A]]] = defaultdict(list)
    awaiting: dict[UUID, UUID] = {}
    for one in received:
        walk_id = walk_of.get(one.event.request_id)
        if walk_id is None:
            awaiting[one.id] = one.event.request_id
        else:
            causes[walk_id].append(one)
    walks = await store.lock_walks(tx, [(group[0].force_id, walk_id) for walk_id, group in causes.items()])
    return walks, causes, awaiting


def _facts(
    decided: Sequence[Changed], now: datetime, causes: Mapping[UUID, Received[Event]] | None = None
) -> list[Fact]:
    return [
        Fact(event, each.walk.force_id, now, (causes or {}).get(each.walk.id))
        for each in decided
        for event in each.events
    ]


# What is forgotten.


async def forget_erased(tx: Transaction, received: Sequence[Received[ParticipantErased]], now: datetime) -> None:
    """Forget what was known of women who were erased. A request that never came is buried all the same."""
    await forget(tx, [Gone(one.force_id, one.event.request_id) for one in received], now)


async def forget(tx: Transaction, gone: Sequence[Gone], now: datetime) -> None:
    """Keep of these requests no more than counts need: team, area, month, state. Doing it again changes nothing.

    A walk that is not over goes on for the others or is cancelled. Of a walk with no woman left the meeting place and
    the words of its concerns go too; the concerns stand, for the place is as dark as it was.
    """
    erased = [(one.force_id, one.id) for one in gone if one.what == "all"]
    walk_of = await store.walks_of_requests(tx, erased)
    walks = await store.lock_walks(tx, {(force_id, walk_of[id_]) for force_id, id_ in erased if id_ in walk_of})
    ids = frozenset(id_ for _, id_ in erased)
    decided = [domain.withdraw(walk, ids, now) for walk in walks.values() if walk.state not in domain.ENDED]
    await store.save_walks(tx, [each.walk for each in decided])
    await store.save_requests(tx, [each.walk for each in decided])
    await outbox.append(tx, [fact._replace(thread=Thread(None, None)) for fact in _facts(decided, now)])
    await store.erase_requests(tx, erased)
    for force_id, follow_up_id in await store.drop_open_contacts(tx, erased):
        await timers.cancel(tx, FOLLOW_UP_DUE, force_id, [follow_up_id])

    buried = await erasure.buried(
        tx, [(walk.force_id, request.id) for walk in walks.values() for request in walk.requests]
    )
    left = [
        (walk.force_id, walk.id)
        for walk in walks.values()
        if all(request.id in ids or (walk.force_id, request.id) in buried for request in walk.requests)
    ]
    await store.erase_walks(tx, left)
    redacted = await store.erase_concerns(tx, left)
    # Nothing in them leads from a concern to a request: not what caused them either.
    await outbox.append(
        tx,
        [Fact(ConcernRedacted(concern_id=id_), force_id, now, thread=Thread(None, None)) for force_id, id_ in redacted],
    )
    words = [Gone(force_id, id_, "words") for force_id, id_ in (*left, *redacted)]
    await erasure.bury(tx, [*(Gone(*key) for key in erased), *words], now, now)
    await audit.record(
        tx,
        [audit.Entry(force_id, "assignment", "erased", f"request {id_}", "intake told it") for force_id, id_ in erased],
        now,
    )


# What falls due.


async def mark_overdue(tx: Transaction, fired: Sequence[timers.Fired], now: datetime) -> None:
    """Mark follow-ups whose day has passed, so that the coordinator sees them."""
    await store.mark_overdue(tx, [(one.force_id, one.subject) for one in fired], now)


# What people do.


@dataclass(frozen=True, slots=True)
class Take:
    """Take a walk on; a coordinator may name the officer, an officer takes it for themselves."""

    walk_id: UUID
    by: Person
    officer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Arrange:
    """Time (UTC) and meeting place agreed with her."""

    walk_id: UUID
    by: Person
    starts_at: datetime
    meeting_place: str


@dataclass(frozen=True, slots=True)
class Propose:
    """Times (UTC) she may choose from, and where they would meet; `answer_by` None leaves the usual while."""

    walk_id: UUID
    by: Person
    times: Sequence[datetime]
    meeting_place: str
    answer_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """The walk will not take place; `reason` is a slug."""

    walk_id: UUID
    by: Person
    reason: str


@dataclass(frozen=True, slots=True)
class Complete:
    """The walk was held, from when to when (UTC), and what was raised on it."""

    walk_id: UUID
    by: Person
    started_at: datetime
    ended_at: datetime
    streetsafe_shown: bool
    concerns: Sequence[RecordedConcern]


@dataclass(frozen=True, slots=True)
class Route:
    """A coordinator's choice of area for a walk in triage."""

    walk_id: UUID
    by: Person
    area_id: str


@dataclass(frozen=True, slots=True)
class CompleteFollowUp:
    """How a call, a visit or a review ended."""

    follow_up_id: UUID
    by: Person
    outcome: str


Command = Take | Arrange | Propose | Cancel | Complete | Route


async def take(tx: Transaction, commands: Sequence[Take], now: datetime, *, policies: Policies) -> list[Walk]:
    """Let officers take walks on, each walk once: whoever comes second is told so."""
    walks = await _walks_commanded(tx, commands)
    officers = await store.officers_by_id(
        tx, [(command.by.force_id, command.officer_id or command.by.id) for command in commands]
    )
    decided = []
    for command in commands:
        officer_id = command.officer_id or command.by.id
        if officer_id != command.by.id and not command.by.is_coordinator:
            raise NotYourWalk
        officer = officers.get((command.by.force_id, officer_id))
        if officer is None:
            raise NotOnRegister
        decided.append(domain.take(walks[command.walk_id], officer, policies[command.by.force_id].walks))
    return await _save(tx, commands, decided, "taken", now)


async def arrange(tx: Transaction, commands: Sequence[Arrange], now: datetime, *, policies: Policies) -> list[Walk]:
    """Arrange walks, none of them while its officer is on another."""
    walks = await _walks_commanded(tx, commands)
    decided = [
        domain.arrange(
            _own(walks[command.walk_id], command.by),
            command.starts_at,
            command.meeting_place,
            policies[command.by.force_id].walks,
            now,
        )
        for command in commands
    ]
    await store.refuse_double_booking(tx, [each.walk for each in decided])
    return await _save(tx, commands, decided, "arranged", now)


async def propose(tx: Transaction, commands: Sequence[Propose], now: datetime, *, policies: Policies) -> list[Walk]:
    """Propose times to her, at none of which her officer is on another walk."""
    walks = await _walks_commanded(tx, commands)
    decided = [
        domain.propose(
            _own(walks[command.walk_id], command.by),
            new_id(),
            command.times,
            command.meeting_place,
            command.answer_by,
            now,
        )
        for command in commands
    ]
    await store.refuse_double_booking(
        tx,
        [
            replace(walk, starts_at=at, busy_until=domain.busy_until(at, policies[walk.force_id].walks))
            for walk in (each.walk for each in decided)
            for at in (walk.proposal.times if walk.proposal else ())
        ],
    )
    return await _save(tx, commands, decided, "proposed times", now)


async def cancel(tx: Transaction, commands: Sequence[Cancel], now: datetime) -> list[Walk]:
    """Cancel walks."""
    walks = await _walks_commanded(tx, commands)
    decided = [domain.cancel(_own(walks[command.walk_id], command.by), command.reason) for command in commands]
    return await _save(tx, commands, decided, "cancelled", now)


async def complete(tx: Transaction, commands: Sequence[Complete], now: datetime, *, policies: Policies) -> list[Walk]:
    """Record walks that were held with their concerns; each concern is told, and the walk with their ids."""
    walks = await _walks_commanded(tx, commands)
    decided = [
        domain.complete(
            _own(walks[command.walk_id], command.by),
            command.started_at,
            command.ended_at,
            command.streetsafe_shown,
            command.concerns,
            [new_id() for _ in command.concerns],
            policies[command.by.force_id].walks,
            now,
        )
        for command in commands
    ]
    saved = await _save(tx, commands, decided, "recorded", now)
    await store.save_concerns(tx, [concern for each in decided for concern in each.concerns])
    return saved


async def preview(tx: Transaction, command: Complete, now: datetime, *, policies: Policies) -> Completed:
    """What recording this walk would make of it, so that the officer sees what partners will see. Writes nothing."""
    walk = await walk_in_hand(tx, command.walk_id, command.by)
    return domain.complete(
        walk,
        command.started_at,
        command.ended_at,
        command.streetsafe_shown,
        command.concerns,
        [new_id() for _ in command.concerns],
        policies[command.by.force_id].walks,
        now,
    )


async def route_by_hand(tx: Transaction, commands: Sequence[Route], now: datetime) -> list[Walk]:
    """Give walks in triage the areas a coordinator chose."""
    walks = await _walks_commanded(tx, commands)
    areas = {
        (area.force_id, area.id): area
        for force_id in {command.by.force_id for command in commands}
        for area in await store.areas_in_force(tx, force_id)
    }
    decided = [
        domain.route_by_hand(walks[command.walk_id], areas.get((command.by.force_id, command.area_id)))
        for command in commands
    ]
    return await _save(tx, commands, decided, "routed", now)


async def complete_follow_ups(tx: Transaction, commands: Sequence[CompleteFollowUp], now: datetime) -> list[FollowUp]:
    """Complete follow-ups, and tell of those that were about somebody."""
    # Timers first, as when they fire: the other way round the two could wait for each other.
    for command in commands:
        await timers.cancel(tx, FOLLOW_UP_DUE, command.by.force_id, [command.follow_up_id])
    found = await store.lock_follow_ups(tx, [(command.by.force_id, command.follow_up_id) for command in commands])
    walks = await store.walks(tx, [(each.force_id, each.walk_id) for each in found.values() if each.walk_id])
    done: list[FollowUp] = []
    facts: list[Fact] = []
    for command in commands:
        each = found.get(command.follow_up_id)
        if each is None or not _is_theirs(each, walks.get(each.walk_id) if each.walk_id else None, command.by):
            raise FollowUpNotFound
        completed, event = domain.complete_follow_up(
            each, command.outcome, command.by.id, command.by.is_coordinator, now
        )
        done.append(completed)
        if event is not None:
            facts.append(Fact(event, completed.force_id, now))
    await store.save_follow_ups(tx, done)
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


async def _walks_commanded(tx: Transaction, commands: Sequence[Command]) -> dict[UUID, Walk]:
    walks = await store.lock_walks(tx, [(command.by.force_id, command.walk_id) for command in commands])
    for command in commands:
        walk = walks.get(command.walk_id)
        if walk is None or not command.by.may_see(walk):
            raise WalkNotFound
    return walks


def _own(walk: Walk, by: Person) -> Walk:
    if not by.is_coordinator and walk.officer_id != by.id:
        raise NotYourWalk
    return walk


async def _save(
    tx: Transaction, commands: Sequence[Command], decided: Sequence[Changed], what: str, now: datetime
) -> list[Walk]:
    walks = [each.walk for each in decided]
    await store.save_walks(tx, walks)
    await audit.record(
        tx,
        [
            audit.Entry(walk.force_id, command.by.id, "altered", f"walk {walk.id}", what)
            for command, walk in zip(commands, walks, strict=True)
        ],
        now,
    )
    await outbox.append(tx, _facts(decided, now))
    return walks


# What people look at.


@dataclass(frozen=True, slots=True)
class WalkRecord:
    """A walk with all that the team may read of it."""

    walk: Walk
    concerns: Sequence[Concern]
    referrals: Sequence[Referral]
    follow_ups: Sequence[FollowUp]


async def look_at_walk(tx: Transaction, walk_id: UUID, by: Person, now: datetime) -> WalkRecord:
    """A walk, its concerns, what partners said, its follow-ups; the look is logged.

    :raises WalkNotFound: there is none, or this person may not know of it.
    """
    key = (by.force_id, walk_id)
    walk = (await store.walks(tx, [key])).get(walk_id)
    if walk is None or not by.may_see(walk):
        raise WalkNotFound
    await audit.record(tx, [audit.Entry(by.force_id, by.id, "consulted", f"walk {walk_id}", "opened the walk")], now)
    follow_ups = await store.follow_ups_of_walk(tx, key)
    return WalkRecord(
        walk,
        await store.concerns_of_walk(tx, key),
        await store.referrals_of_walk(tx, key),
        [each for each in follow_ups if by.is_coordinator or each.officer_id == by.id],
    )


async def walk_in_hand(tx: Transaction, walk_id: UUID, by: Person) -> Walk:
    """A walk that this person may do something with.

    :raises WalkNotFound: there is none, or this person may not know of it.
    :raises NotYourWalk: another officer has it.
    """
    walk = (await store.walks(tx, [(by.force_id, walk_id)])).get(walk_id)
    if walk is None or not by.may_see(walk):
        raise WalkNotFound
    return _own(walk, by)


async def look_at_follow_up(
    tx: Transaction, follow_up_id: UUID, by: Person, now: datetime
) -> tuple[FollowUp, Walk | None]:
    """A follow-up and the walk it came from; the look is logged.

    :raises FollowUpNotFound: there is none, or it is another's.
    """
    found = (await store.follow_ups_by_id(tx, [(by.force_id, follow_up_id)])).get(follow_up_id)
    walk = None
    if found is not None and found.walk_id is not None:
        walk = (await store.walks(tx, [(by.force_id, found.walk_id)])).get(found.walk_id)
    if found is None or not _is_theirs(found, walk, by):
        raise FollowUpNotFound
    await audit.record(
        tx,
        [audit.Entry(by.force_id, by.id, "consulted", f"follow-up {follow_up_id}", "opened the follow-up")],
        now,
    )
    return found, walk


async def list_walks(
    tx: Transaction, by: Person, state: State, team_id: str | None, page: int
) -> tuple[list[Walk], bool]:
    """A page (from 1) of the walks in a state that this person may see, longest waiting first; whether more follow."""
    if by.is_coordinator:
        return await store.queue(tx, by.force_id, state, [team_id] if team_id else None, (by.id, None), page)
    if state is State.TRIAGE:
        return [], False
    teams = by.team_ids if team_id is None else by.team_ids & {team_id}
    return await store.queue(tx, by.force_id, state, sorted(teams), (by.id, by.team_id), page)


async def list_follow_ups(
    tx: Transaction, by: Person, page: int, *, is_open: bool = True
) -> tuple[list[FollowUp], bool]:
    """A page (from 1) of the follow-ups this person has to see to, what is overdue first; whether more follow."""
    return await store.follow_ups(tx, by.force_id, None if by.is_coordinator else by.id, by.id, page, is_open=is_open)


@dataclass(frozen=True, slots=True)
class Names:
    """What ids of a force are called, for people to read; areas and officers as the force lists them now."""

    teams: Mapping[str, str]
    areas: Sequence[Area]
    officers: Sequence[Officer]

    def team(self, team_id: str | None) -> str:
        """A team's name, its id where none is known."""
        return self.teams.get(team_id or "", team_id or "")

    def area(self, area_id: str | None) -> str:
        """An area's name, its id where none is known."""
        return next((area.name for area in self.areas if area.id == area_id), area_id or "")

    def officer(self, officer_id: str | None) -> str:
        """An officer's name, the id where the register has it no more."""
        return next((each.name for each in self.officers if each.id == officer_id), officer_id or "")


async def names(tx: Transaction, force_id: str) -> Names:
    """What ids of a force are called."""
    return Names(
        await store.team_names(tx, force_id),
        await store.areas_in_force(tx, force_id),
        await store.officers(tx, force_id),
    )


async def work_in_hand(tx: Transaction, by: Person) -> list[Walk]:
    """The walks an officer has in hand, the next to be held first."""
    return await store.walks_of_officer(tx, by.force_id, by.id)


async def work_waiting(tx: Transaction, by: Person, now: datetime) -> Mapping[str, int]:
    """How much waits in the force: in triage, to be taken, follow-ups open and overdue."""
    return await store.work_waiting(tx, by.force_id, now)


async def count(tx: Transaction, now: datetime) -> Mapping[str, Sequence[tuple[str, str, int]]]:
    """What stands in the database, for metrics."""
    return await store.counts(tx, now)
