"""Times are arranged and proposed, chosen by her, and given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.assignment.domain import arranging
from services.assignment.domain.arranging import busy_until
from services.assignment.domain.people import Person
from services.assignment.domain.walks import Changed, Walk
from services.assignment.handlers.check_ins import watch
from services.assignment.handlers.people import refuse_who_may_not, who_may_not
from services.assignment.handlers.telling import tell_of
from services.assignment.handlers.walks import Policies, facts, new_id, own, save, walks_asked_about, walks_commanded
from services.assignment.store import booking
from services.assignment.store import walks as walk_rows
from shared.bus import outbox
from shared.bus.subscriptions import Outcome
from shared.contracts.envelope import Received
from shared.contracts.walk_requests import ProposalAnswered
from shared.database import Transaction


async def answer_proposals(
    tx: Transaction, received: Sequence[Received[ProposalAnswered]], now: datetime, *, policies: Policies
) -> Outcome:
    """Arrange walks at the times women chose; where the officer is not free any more, the officer sees it."""
    walks, causes, awaiting = await walks_asked_about(tx, received)
    decided: dict[UUID, Changed] = {}
    for walk in walks.values():
        changed = Changed(walk)
        for one in causes[walk.id]:
            if one.event.walk_id == walk.id and not changed.events:
                rules = policies[walk.force_id].walks
                changed = arranging.answer_proposal(changed.walk, one.event, one.time, rules, now)
        decided[walk.id] = changed
    arranged = [changed.walk for changed in decided.values() if changed.events]
    taken = await booking.double_booked(tx, arranged) | await who_may_not(tx, arranged, policies, now)
    chosen: list[Walk] = []
    for walk in arranged:
        # Two that choose the same hour of one officer in one batch: the first has it.
        if walk.id in taken or any(_overlap(walk, other) for other in chosen):
            before = walks[walk.id]
            assert walk.starts_at is not None
            decided[walk.id] = Changed(arranging.not_possible(before, walk.starts_at))
        else:
            chosen.append(walk)
    await walk_rows.save_walks(tx, [changed.walk for changed in decided.values()])
    await watch(tx, chosen)
    await tell_of(tx, [each for each in decided.values() if each.walk != walks[each.walk.id]], now)
    await outbox.append(tx, facts(list(decided.values()), now, {id_: group[-1] for id_, group in causes.items()}))
    return Outcome(awaiting=awaiting)


def _overlap(one: Walk, other: Walk) -> bool:
    if one.force_id != other.force_id or not set(one.officer_ids) & set(other.officer_ids):
        return False
    assert one.starts_at and one.busy_until and other.starts_at and other.busy_until
    return one.starts_at < other.busy_until and other.starts_at < one.busy_until


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


async def arrange(tx: Transaction, commands: Sequence[Arrange], now: datetime, *, policies: Policies) -> list[Walk]:
    """Arrange walks, none of them while its officer is on another."""
    walks = await walks_commanded(tx, commands)
    decided = [
        arranging.arrange(
            own(walks[command.walk_id], command.by),
            command.starts_at,
            command.meeting_place,
            policies[command.by.force_id].walks,
            now,
        )
        for command in commands
    ]
    await booking.refuse_double_booking(tx, [each.walk for each in decided])
    await refuse_who_may_not(tx, [each.walk for each in decided], policies, now)
    saved = await save(tx, commands, decided, "arranged", now)
    await watch(tx, saved)
    return saved


async def propose(tx: Transaction, commands: Sequence[Propose], now: datetime, *, policies: Policies) -> list[Walk]:
    """Propose times to her, at none of which her officer is on another walk."""
    walks = await walks_commanded(tx, commands)
    decided = [
        arranging.propose(
            own(walks[command.walk_id], command.by),
            new_id(),
            command.times,
            command.meeting_place,
            command.answer_by,
            now,
        )
        for command in commands
    ]
    at_each_time = [
        replace(walk, starts_at=at, busy_until=busy_until(at, policies[walk.force_id].walks))
        for walk in (each.walk for each in decided)
        for at in (walk.proposal.times if walk.proposal else ())
    ]
    await booking.refuse_double_booking(tx, at_each_time)
    await refuse_who_may_not(tx, at_each_time, policies, now)
    return await save(tx, commands, decided, "proposed times", now)


async def cancel(tx: Transaction, commands: Sequence[Cancel], now: datetime) -> list[Walk]:
    """Cancel walks."""
    walks = await walks_commanded(tx, commands)
    decided = [arranging.cancel(own(walks[command.walk_id], command.by), command.reason) for command in commands]
    return await save(tx, commands, decided, "cancelled", now)
