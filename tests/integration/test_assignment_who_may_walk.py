"""Nobody who is off, untrained, expired, away that day or not allowed comes to a walk: by no path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.assignment import registers
from services.assignment.domain.availability import Absence
from services.assignment.domain.passing import What, WhyPassed
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import MayNotWalk
from services.assignment.domain.walks import ProposalAnswer, State
from services.assignment.handlers import register
from services.assignment.handlers.areas import publish_areas
from services.assignment.handlers.arranging import Arrange, Propose, answer_proposals, arrange, propose
from services.assignment.handlers.passing import PassOn, pass_on
from services.assignment.handlers.people import enrol_officers, person
from services.assignment.handlers.provisioning import change_user, create_user
from services.assignment.handlers.register import Entry, change_officer
from services.assignment.handlers.requests import route_requests
from services.assignment.handlers.second import Bring, bring
from services.assignment.handlers.taking import Take, take
from services.assignment.store import officers as officer_rows
from services.assignment.store import walks as walk_rows
from shared.contracts.kinds import Channel, OfficerKind, PartOfDay, Reason, Weekday
from shared.contracts.policy import TrainingRules
from shared.contracts.walk_requests import Availability, ContactRules, ProposalAnswered, WalkRequested
from shared.database import Database, Query, Transaction
from shared.policies import Policies
from tests.servers.assignment_service import CITY_CENTRE, FORCE, FORCES, received
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker
from tests.servers.provisioning import entra_user, operations

POLICIES = Policies.read(FORCES)
REGISTERS = registers.Registers(FORCES, POLICIES.forces)
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
THEN = NOW + timedelta(days=3)
SHE, COLLEAGUE = "officer-avon-1", "officer-avon-2"
BOSS = Person(FORCE, "coordinator-avon", True, None, frozenset(), None)


@pytest.fixture
async def bus(database: ServiceDatabaseMaker) -> Database:
    found: ServiceDatabase = await database("assignment")
    async with found.bus.transaction([FORCE]) as tx:
        await enrol_officers(tx, FORCE, REGISTERS.officers[FORCE], POLICIES[FORCE], NOW)
        await publish_areas(tx, REGISTERS.areas[FORCE], NOW)
    return found.bus


class Undone(Exception):
    """Ends a transaction whose work is to leave nothing behind."""


async def run(tx: Transaction, sql: str, *arguments: Any) -> None:
    await tx.run(Query("run", "", sql), *arguments)


async def a_walk(tx: Transaction) -> UUID:
    """A walk waiting for the team of SHE and COLLEAGUE."""
    asked = WalkRequested(
        request_id=uuid4(),
        place=CITY_CENTRE,
        place_from_postcode=True,
        reasons=(Reason.BADLY_LIT,),
        availability=Availability(days=(Weekday.FRIDAY,), parts=(PartOfDay.EVENING,)),
        contact=ContactRules(channels=(Channel.EMAIL,)),
    )
    await route_requests(tx, [received(asked)], NOW, policies=POLICIES, locate=REGISTERS.locate)
    found = await tx.fetch_value(Query("walk", "", "SELECT walk_id FROM request WHERE id = $1"), asked.request_id)
    return UUID(int=found.int)


async def who(tx: Transaction, officer_id: str) -> Person:
    return await person(tx, FORCE, officer_id, is_coordinator=False, team_id=None)


async def taken_by(tx: Transaction, officer_id: str) -> UUID:
    walk_id = await a_walk(tx)
    await take(tx, [Take(walk_id, BOSS, officer_id)], NOW, policies=POLICIES)
    return walk_id


async def arranged_for(tx: Transaction, officer_id: str) -> UUID:
    walk_id = await taken_by(tx, officer_id)
    await arrange(tx, [Arrange(walk_id, BOSS, THEN, "The library")], NOW, policies=POLICIES)
    return walk_id


Stop = Callable[[Transaction], Awaitable[None]]


def by_sql(sql: str) -> Stop:
    return lambda tx: run(tx, sql, SHE)


async def off_at_the_identity_provider(tx: Transaction) -> None:
    sent = entra_user(SHE)
    there = await create_user(tx, FORCE, sent, NOW, policies=POLICIES)
    off = operations({"op": "Replace", "path": "active", "value": "False"})
    await change_user(tx, FORCE, there.row.id, off, NOW, policies=POLICIES, whole=False)


async def away(tx: Transaction) -> None:
    await officer_rows.save_absence(tx, (FORCE, SHE), Absence(uuid4(), THEN.date(), THEN.date()))


STOPS: dict[str, Stop] = {
    "off": by_sql("UPDATE officer SET active = false WHERE id = $1"),
    "off at the identity provider": off_at_the_identity_provider,
    "untrained": by_sql("UPDATE officer SET trained_on = NULL WHERE id = $1"),
    "expired": by_sql("UPDATE officer SET trained_until = '2026-11-01' WHERE id = $1"),
    "of a kind the policy does not name": by_sql(
        "UPDATE officer SET kind = 'dedicated-ward-officer', kind_allowed = false WHERE id = $1"
    ),
    "away that day": away,
    "expired by that day": by_sql("UPDATE officer SET trained_until = '2026-11-26' WHERE id = $1"),
}
OF_A_DAY = ("away that day", "expired by that day")
"""These keep from walks of that day alone."""

Path_ = Callable[[Transaction, Stop], Awaitable[None]]


async def she_takes_it(tx: Transaction, stop: Stop) -> None:
    walk_id, she = await a_walk(tx), await who(tx, SHE)
    await stop(tx)
    await take(tx, [Take(walk_id, she)], NOW, policies=POLICIES)


async def it_is_given_to_her(tx: Transaction, stop: Stop) -> None:
    walk_id = await a_walk(tx)
    await stop(tx)
    await take(tx, [Take(walk_id, BOSS, SHE)], NOW, policies=POLICIES)


async def it_is_handed_to_her(tx: Transaction, stop: Stop) -> None:
    walk_id = await taken_by(tx, COLLEAGUE)
    await stop(tx)
    command = PassOn(walk_id, BOSS, What.TO_OFFICER, WhyPassed.WORKLOAD, SHE)
    await pass_on(tx, [command], NOW, policies=POLICIES)


async def an_arranged_one_is_handed_to_her(tx: Transaction, stop: Stop) -> None:
    walk_id = await arranged_for(tx, COLLEAGUE)
    await stop(tx)
    command = PassOn(walk_id, BOSS, What.TO_OFFICER, WhyPassed.WORKLOAD, SHE)
    await pass_on(tx, [command], NOW, policies=POLICIES)


async def she_comes_along(tx: Transaction, stop: Stop) -> None:
    walk_id = await taken_by(tx, COLLEAGUE)
    await stop(tx)
    await bring(tx, [Bring(walk_id, BOSS, SHE)], NOW, policies=POLICIES)


async def she_comes_along_on_that_day(tx: Transaction, stop: Stop) -> None:
    walk_id = await arranged_for(tx, COLLEAGUE)
    await stop(tx)
    await bring(tx, [Bring(walk_id, BOSS, SHE)], NOW, policies=POLICIES)


async def she_has_it_and_it_is_arranged(tx: Transaction, stop: Stop) -> None:
    walk_id = await taken_by(tx, SHE)
    await stop(tx)
    await arrange(tx, [Arrange(walk_id, BOSS, THEN, "The library")], NOW, policies=POLICIES)


async def she_comes_along_and_it_is_arranged(tx: Transaction, stop: Stop) -> None:
    walk_id = await taken_by(tx, COLLEAGUE)
    await bring(tx, [Bring(walk_id, BOSS, SHE)], NOW, policies=POLICIES)
    await stop(tx)
    await arrange(tx, [Arrange(walk_id, BOSS, THEN, "The library")], NOW, policies=POLICIES)


async def hers_is_moved(tx: Transaction, stop: Stop) -> None:
    walk_id = await taken_by(tx, SHE)
    await arrange(tx, [Arrange(walk_id, BOSS, THEN - timedelta(days=2), "The library")], NOW, policies=POLICIES)
    await stop(tx)
    await arrange(tx, [Arrange(walk_id, BOSS, THEN, "The library")], NOW, policies=POLICIES)


async def hers_is_proposed(tx: Transaction, stop: Stop) -> None:
    walk_id = await taken_by(tx, SHE)
    await stop(tx)
    times = (THEN - timedelta(days=2), THEN)
    await propose(tx, [Propose(walk_id, BOSS, times, "The library")], NOW, policies=POLICIES)


async def a_woman_chooses_her(tx: Transaction, stop: Stop) -> None:
    walk_id = await taken_by(tx, SHE)
    (walk,) = await propose(tx, [Propose(walk_id, BOSS, (THEN,), "The library")], NOW, policies=POLICIES)
    assert walk.proposal is not None
    await stop(tx)
    chosen = ProposalAnswered(
        walk_id=walk_id, request_id=walk.requests[0].id, proposal_id=walk.proposal.id, chosen=THEN
    )
    await answer_proposals(tx, [received(chosen, NOW)], NOW, policies=POLICIES)
    found = (await walk_rows.walks(tx, [(FORCE, walk_id)]))[walk_id]
    if found.state is State.TAKEN and found.proposal and found.proposal.answer is ProposalAnswer.NOT_POSSIBLE:
        raise MayNotWalk
    if found.state is State.ROUTED:
        raise MayNotWalk


AT_ANY_TIME = (she_takes_it, it_is_given_to_her, it_is_handed_to_her, she_comes_along)
ON_A_DAY = (
    an_arranged_one_is_handed_to_her,
    she_comes_along_on_that_day,
    she_has_it_and_it_is_arranged,
    she_comes_along_and_it_is_arranged,
    hers_is_moved,
    hers_is_proposed,
    a_woman_chooses_her,
)


async def nothing(_: Transaction) -> None:
    """Nothing stops her."""


@pytest.mark.parametrize("path", [*AT_ANY_TIME, *ON_A_DAY], ids=lambda path: path.__name__)
async def test_no_path_leads_to_who_may_not_walk(bus: Database, path: Path_) -> None:
    """Each of the reasons on each of the paths; and the same path is open where nothing stops her."""
    with pytest.raises(Undone):
        async with bus.transaction([FORCE]) as tx:
            await path(tx, nothing)
            raise Undone
    passed = []
    for name, stop in STOPS.items():
        if name in OF_A_DAY and path in AT_ANY_TIME:
            continue
        try:
            async with bus.transaction([FORCE]) as tx:
                await path(tx, stop)
                # Of a walk she was to come along to, the identity provider took her away: it goes on without her.
                if await officer_rows.open_walks(tx, FORCE, [SHE]):
                    passed.append(name)
                raise Undone
        except Undone:
            pass
        except Exception as refusal:
            # Where the identity provider took the walk back, there is none any more to arrange.
            gone = name == "off at the identity provider" and type(refusal).__name__ == "WalkNotTaken"
            off = type(refusal).__name__ == "SwitchedOff"
            if not (isinstance(refusal, MayNotWalk) or gone or off):
                raise
    assert passed == []


SNEAKED_IN = "UPDATE walk SET state = 'taken', officer_id = $1, officer_kind = 'officer' WHERE id = $2"
SNEAKED_DAY = (
    "UPDATE walk SET state = 'arranged', officer_id = $1, officer_kind = 'officer', starts_at = $3, "
    "busy_until = $3::timestamptz + interval '1 hour', meeting_place = 'x' WHERE id = $2"
)


async def test_the_table_itself_refuses_who_may_not_walk(bus: Database) -> None:
    """Whatever a program decided: each reason, by a walk taken and by one arranged. A walk she had can be written."""
    for name, stop in STOPS.items():
        for sql, more in ((SNEAKED_IN, ()), (SNEAKED_DAY, (THEN,))):
            if name in OF_A_DAY and sql == SNEAKED_IN:
                continue
            with pytest.raises(asyncpg.CheckViolationError) as caught:
                async with bus.transaction([FORCE]) as tx:
                    walk_id = await a_walk(tx)
                    await stop(tx)
                    await run(tx, sql, SHE, walk_id, *more)
            assert caught.value.constraint_name == "officer_may_walk", name
    async with bus.transaction([FORCE]) as tx:
        walk_id = await arranged_for(tx, SHE)
        await run(tx, "UPDATE officer SET active = false, trained_on = NULL WHERE id = $1", SHE)
        await run(tx, "UPDATE walk SET meeting_place = 'elsewhere' WHERE id = $1", walk_id)


async def test_giving_a_walk_and_switching_off_see_each_other(bus: Database) -> None:
    """At the same time, forty times: never does a walk stay with who is off."""
    async with bus.transaction([FORCE]) as tx:
        there = await create_user(tx, FORCE, entra_user(SHE), NOW, policies=POLICIES)

    async def switch(active: bool) -> None:
        async with bus.transaction([FORCE]) as tx:
            body = operations({"op": "Replace", "path": "active", "value": active})
            await change_user(tx, FORCE, there.row.id, body, NOW, policies=POLICIES, whole=False)

    async def give(walk_id: UUID) -> bool:
        try:
            async with bus.transaction([FORCE]) as tx:
                await take(tx, [Take(walk_id, BOSS, SHE)], NOW, policies=POLICIES)
        except MayNotWalk:
            return False
        return True

    given = 0
    for _ in range(40):
        async with bus.transaction([FORCE]) as tx:
            walk_id = await a_walk(tx)
        got, _ = await asyncio.gather(give(walk_id), switch(False))
        given += got
        async with bus.transaction([FORCE]) as tx:
            assert await officer_rows.open_walks(tx, FORCE, [SHE]) == []
        await switch(True)
    assert given < 40


async def test_who_may_walk_no_longer_loses_her_walks(bus: Database) -> None:
    """Her training taken back, or expired by a new policy, or of another kind: all she has goes to the queue."""
    strict = POLICIES[FORCE].model_copy(update={"training": TrainingRules(lasts_months=3)})

    async def expire(tx: Transaction) -> None:
        await enrol_officers(tx, FORCE, REGISTERS.officers[FORCE], strict, NOW)

    async def another_kind(tx: Transaction) -> None:
        entry = Entry(
            SHE, "PC Amina Yusuf", OfficerKind.DEDICATED_WARD_OFFICER, "bs1", trained_elsewhere_on=date(2026, 2, 11)
        )
        assert len(await change_officer(tx, BOSS, entry, NOW, policies=POLICIES)) == 2

    async def not_trained_after_all(tx: Transaction) -> None:
        await change_officer(tx, BOSS, Entry(SHE, "PC Amina Yusuf", OfficerKind.OFFICER, "bs1"), NOW, policies=POLICIES)

    async def not_in_the_file_any_more(tx: Transaction) -> None:
        others = [each for each in REGISTERS.officers[FORCE] if each.id != SHE]
        await enrol_officers(tx, FORCE, others, POLICIES[FORCE], NOW)

    for change in (expire, another_kind, not_trained_after_all, not_in_the_file_any_more):
        with pytest.raises(Undone):
            async with bus.transaction([FORCE]) as tx:
                hers = [await taken_by(tx, SHE), await arranged_for(tx, SHE)]
                await change(tx)
                found = (await walk_rows.walks(tx, [(FORCE, walk_id) for walk_id in hers])).values()
                assert {(walk.state, walk.officer_id, walk.starts_at) for walk in found} == {(State.ROUTED, None, None)}
                raise Undone


async def test_a_walk_that_has_begun_is_not_taken_from_who_goes(bus: Database) -> None:
    """It may have been held and not be recorded yet: she is not told that its time no longer stands."""
    async with bus.transaction([FORCE]) as tx:
        begun, to_come = await arranged_for(tx, SHE), await taken_by(tx, SHE)
        others = [each for each in REGISTERS.officers[FORCE] if each.id != SHE]
        await enrol_officers(tx, FORCE, others, POLICIES[FORCE], THEN + timedelta(minutes=30))
        found = await walk_rows.walks(tx, [(FORCE, begun), (FORCE, to_come)])
    assert (found[begun].state, found[begun].officer_id) == (State.ARRANGED, SHE)
    assert (found[to_come].state, found[to_come].officer_id) == (State.ROUTED, None)


async def test_a_session_gives_and_takes_what_it_covers(bus: Database) -> None:
    """The file says nothing of entries others wrote, and what they wrote outlives a start of the service."""
    entry = Entry("pc-7", "PC Ffion Ŵyn", OfficerKind.PCSO, "bs1", frozenset({"bs2"}), ("cy",), "f@avon.example")
    async with bus.transaction([FORCE]) as tx:
        await register.add_officer(tx, BOSS, entry, NOW, policies=POLICIES)
        changed = replace(entry, officer_id=SHE, name="PC Amina Yusuf-Khan", trained_elsewhere_on=date(2026, 2, 11))
        await change_officer(tx, BOSS, changed, NOW, policies=POLICIES)
        await enrol_officers(tx, FORCE, REGISTERS.officers[FORCE], POLICIES[FORCE], NOW)
        found = await officer_rows.officers_by_id(tx, [(FORCE, "pc-7"), (FORCE, SHE), (FORCE, COLLEAGUE)])
    assert [each.active for each in found.values()] == [True, True, True]
    assert found[FORCE, SHE].name == "PC Amina Yusuf-Khan"
    assert found[FORCE, "pc-7"].team_ids == {"bs1", "bs2"}
    assert found[FORCE, "pc-7"].trained_on is None
    assert found[FORCE, SHE].trained_on == date(2026, 2, 11)
