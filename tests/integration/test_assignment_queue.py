"""Walks that wait: taken once however many ask, passed on, escalated, tried, suggested; on a real database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.assignment.domain import availability
from services.assignment.domain.attempts import Outcome
from services.assignment.domain.matching import NOTICE, Why
from services.assignment.domain.passing import AlreadyEscalated, What, WhyPassed
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import (
    ContactStopped,
    NotYourWalk,
    OfficerDoubleBooked,
    WalkAlreadyTaken,
    WalkNotFound,
)
from services.assignment.handlers import arranging, attempts, erasure, looking, passing, people, suggesting, taking
from services.assignment.handlers import requests as requests_handlers
from services.assignment.handlers.arranging import Arrange, Propose
from services.assignment.handlers.attempts import Try
from services.assignment.handlers.passing import NOT_TAKEN, PassOn
from services.assignment.handlers.taking import Take
from services.assignment.store import officers as officer_rows
from services.assignment.store import requests as request_rows
from shared.contracts.kinds import Channel, PartOfDay, Weekday
from shared.contracts.walk_requests import (
    Availability,
    ContactRules,
    ContactRulesChanged,
    ParticipantErased,
    WalkRequested,
)
from shared.database import Database
from shared.timers import TimerLoop, Timers
from shared.working_days import LONDON, due, london
from tests.integration.test_assignment_handlers import (
    FORCE,
    NOW,
    POLICIES,
    a_request,
    bus,
    handle,
    received,
    route_requests,
    rows,
    service,
    told,
)
from tests.servers.databases import ServiceDatabase

__all__ = ["bus", "service"]

ONE, TWO = "officer-avon-1", "officer-avon-2"
RACES = 1_000
AWAY = WhyPassed.AWAY


async def officer(bus: Database, id_: str = ONE) -> Person:
    async with bus.transaction([FORCE]) as tx:
        return await people.person(tx, FORCE, id_, is_coordinator=False, team_id=None)


def coordinator(id_: str = "coordinator-avon") -> Person:
    return Person(FORCE, id_, True, None, frozenset(), None)


async def walks(bus: Database, *asked: WalkRequested) -> list[UUID]:
    """Walks that wait for an officer, one a request and in order."""
    await handle(bus, route_requests, *map(received, asked))
    async with bus.transaction([FORCE]) as tx:
        found = await request_rows.walks_of_requests(tx, [(FORCE, each.request_id) for each in asked])
    return [found[each.request_id] for each in asked]


async def take(bus: Database, walk_id: UUID, by: Person, officer_id: str | None = None) -> None:
    async with bus.transaction([FORCE]) as tx:
        await taking.take(tx, [Take(walk_id, by, officer_id)], NOW, policies=POLICIES)


async def pass_on(
    bus: Database, walk_id: UUID, by: Person, what: What, to: str | None = None, why: WhyPassed = AWAY
) -> None:
    async with bus.transaction([FORCE]) as tx:
        await passing.pass_on(tx, [PassOn(walk_id, by, what, why, to)], NOW, policies=POLICIES)


async def states(bus: Database, walk_id: UUID) -> tuple[str, str, str | None]:
    (row,) = await rows(bus, "SELECT state, team_id, officer_id FROM walk WHERE id = $1", walk_id)
    return row["state"], row["team_id"], row["officer_id"]


@pytest.fixture
async def two_desks(service: ServiceDatabase) -> AsyncIterator[tuple[Database, Database]]:
    """Two connections of their own, as two processes have them."""
    one, other = (Database(service.web_url, largest=1) for _ in range(2))
    await one.open()
    await other.open()
    yield one, other
    await one.close()
    await other.close()


async def test_of_two_coordinators_who_give_the_same_walk_a_thousand_times_one_wins_each_time(
    bus: Database, two_desks: tuple[Database, Database]
) -> None:
    """On two connections at once: one gives it to her officer, the other is told; never both, never neither."""
    waiting = await walks(bus, *(a_request() for _ in range(RACES)))
    desks = [
        (desk, coordinator(name), officer_id)
        for desk, name, officer_id in zip(two_desks, ("coordinator-1", "coordinator-2"), (ONE, TWO), strict=True)
    ]
    won: Counter[str] = Counter()
    for n, walk_id in enumerate(waiting):
        # Each is first as often as the other.
        racing = desks if n % 2 else desks[::-1]
        outcomes = await asyncio.gather(
            *(take(desk, walk_id, by, to) for desk, by, to in racing), return_exceptions=True
        )
        (winner,) = [to for (_, _, to), outcome in zip(racing, outcomes, strict=True) if outcome is None]
        (refused,) = [outcome for outcome in outcomes if outcome is not None]
        assert isinstance(refused, WalkAlreadyTaken), refused
        won[winner] += 1
    held = await rows(bus, "SELECT officer_id, count(*) AS many FROM walk WHERE state = 'taken' GROUP BY 1")
    assert {row["officer_id"]: row["many"] for row in held} == dict(won)
    assert won.total() == RACES
    assert [name for name, _ in await told(bus, "walks.v1")].count("walk-taken") == RACES
    logged = await rows(bus, "SELECT count(*) AS many FROM audit WHERE action = 'altered' AND reason = 'taken'")
    assert logged == [{"many": RACES}]


async def test_a_walk_given_back_waits_again_and_its_history_says_why(bus: Database) -> None:
    """The team is told as when it came; who let it go and why stand in the history and the log."""
    (walk_id,) = await walks(bus, a_request())
    by = await officer(bus)
    await take(bus, walk_id, by)
    await pass_on(bus, walk_id, by, What.GIVEN_BACK, why=WhyPassed.WORKLOAD)
    assert await states(bus, walk_id) == ("routed", "bs1", None)
    assert [name for name, _ in await told(bus, "walks.v1")] == ["walk-routed", "walk-taken", "walk-routed"]
    async with bus.transaction([FORCE]) as tx:
        record = await looking.look_at_walk(tx, walk_id, by, NOW)
        (step,) = await passing.history(tx, record.walk)
    assert (step.what, step.why, step.by_id, step.from_officer_id) == (What.GIVEN_BACK, WhyPassed.WORKLOAD, ONE, ONE)
    logged = await rows(bus, "SELECT reason FROM audit WHERE subject = $1 ORDER BY id", f"walk {walk_id}")
    assert "passed on: given-back, workload" in [row["reason"] for row in logged]


async def test_handed_over_it_is_the_other_officers_and_nobody_elses(bus: Database) -> None:
    """Only who has it, or a coordinator, hands it over; at an hour the other is free."""
    first, second = await walks(bus, a_request(), a_request())
    by = await officer(bus)
    for walk_id, who in ((first, ONE), (second, TWO)):
        await take(bus, walk_id, await officer(bus, who))
        async with bus.transaction([FORCE]) as tx:
            at = Arrange(walk_id, await people.person(tx, FORCE, who, is_coordinator=False, team_id=None),
                         NOW + timedelta(days=1), "The library")  # fmt: skip
            await arranging.arrange(tx, [at], NOW, policies=POLICIES)
    with pytest.raises(NotYourWalk):
        await pass_on(bus, second, by, What.TO_OFFICER, ONE)
    with pytest.raises(OfficerDoubleBooked):
        await pass_on(bus, second, coordinator(), What.TO_OFFICER, ONE)
    await pass_on(bus, second, coordinator(), What.TO_OFFICER, "officer-avon-3")
    assert await states(bus, second) == ("arranged", "bs1", "officer-avon-3")
    assert [name for name, _ in await told(bus, "walks.v1")][-1] == "walk-rearranged"


async def test_another_team_sees_it_from_now_on_and_the_first_no_longer(bus: Database) -> None:
    """By hand, with the reason."""
    (walk_id,) = await walks(bus, a_request())
    by = await officer(bus)
    await pass_on(bus, walk_id, by, What.TO_TEAM, "ba1", WhyPassed.NEARER_TEAM)
    assert (await states(bus, walk_id))[:2] == ("routed", "ba1")
    with pytest.raises(WalkNotFound):
        await take(bus, walk_id, by)


async def test_what_nobody_takes_comes_before_a_coordinator_by_itself_and_once(bus: Database) -> None:
    """When the force's working days are over; what was taken meanwhile does not, until it is given back."""
    waiting, taken = await walks(bus, a_request(), a_request())
    by = await officer(bus)
    await take(bus, taken, by)
    at = due(NOW, POLICIES[FORCE].walks.take_within)
    assert {row["due_at"] for row in await rows(bus, "SELECT due_at FROM timer WHERE kind = $1", NOT_TAKEN)} == {at}
    now = at + timedelta(seconds=1)
    found = Timers()
    found.on(NOT_TAKEN, partial(passing.escalate_not_taken, policies=POLICIES))
    loop = TimerLoop(bus, found, lambda: now, [FORCE])
    assert await loop.fire_due() == 2
    assert await listed(bus) == [(waiting, What.NOT_TAKEN)]
    assert await counted(bus) == {FORCE: 1}
    now = due(now, POLICIES[FORCE].walks.take_within) + timedelta(seconds=1)
    assert await loop.fire_due() == 2
    assert await listed(bus) == [(waiting, What.NOT_TAKEN)]
    # The team may take it all the same, and then nobody else need see to it.
    await take(bus, waiting, by)
    assert await listed(bus) == []
    await pass_on(bus, waiting, by, What.GIVEN_BACK)
    assert await listed(bus) == []
    now = due(now, POLICIES[FORCE].walks.take_within) + timedelta(seconds=1)
    await loop.fire_due()
    assert await listed(bus) == [(waiting, What.NOT_TAKEN)]


async def test_a_coordinator_is_asked_once_and_sees_who_asked(bus: Database) -> None:
    """A second time is refused; handing it to another team settles it. Nobody she excludes sees it listed."""
    (walk_id,) = await walks(bus, a_request(contact=ContactRules(channels=(), excluded_officers=("coordinator-2",))))
    by = await officer(bus)
    await pass_on(bus, walk_id, by, What.TO_COORDINATOR, why=WhyPassed.NEEDS_A_DECISION)
    assert await listed(bus) == [(walk_id, What.TO_COORDINATOR)]
    assert await listed(bus, coordinator("coordinator-2")) == []
    with pytest.raises(AlreadyEscalated):
        await pass_on(bus, walk_id, by, What.TO_COORDINATOR, why=WhyPassed.NEEDS_A_DECISION)
    await pass_on(bus, walk_id, coordinator(), What.TO_TEAM, "ba1")
    assert await listed(bus) == []


async def listed(bus: Database, by: Person | None = None) -> list[tuple[UUID, What]]:
    async with bus.transaction([FORCE]) as tx:
        found, _ = await passing.list_escalated(tx, by or coordinator(), 1)
    return [(walk.id, step.what) for step, walk in found]


async def counted(bus: Database) -> dict[str, int]:
    async with bus.transaction([FORCE]) as tx:
        return {force: many for force, _, many in (await looking.count(tx, NOW))["escalated"]}


async def test_attempts_are_logged_until_contact_is_no_longer_safe_and_go_with_her(bus: Database) -> None:
    """Who, when, how and how it ended; then none; then nothing of them."""
    asked = a_request(contact=ContactRules(channels=(Channel.PHONE,)))
    (walk_id,) = await walks(bus, asked)
    by = await officer(bus)

    async def tries(outcome: Outcome, who: Person = by) -> None:
        async with bus.transaction([FORCE]) as tx:
            command = Try(walk_id, who, asked.request_id, Channel.PHONE, outcome)
            await attempts.log_attempts(tx, [command], NOW)

    with pytest.raises(NotYourWalk):
        await tries(Outcome.NO_ANSWER)
    await take(bus, walk_id, by)
    await tries(Outcome.NO_ANSWER)
    await tries(Outcome.REACHED)
    async with bus.transaction([FORCE]) as tx:
        made = await attempts.attempts_of(tx, (await looking.look_at_walk(tx, walk_id, by, NOW)).walk)
    assert {(each.by_id, each.way, each.outcome, each.at) for each in made} == {
        (ONE, Channel.PHONE, Outcome.NO_ANSWER, NOW),
        (ONE, Channel.PHONE, Outcome.REACHED, NOW),
    }
    stopped = ContactRulesChanged(request_id=asked.request_id, contact=ContactRules(channels=(), stopped=True))
    await handle(bus, requests_handlers.change_contact_rules, received(stopped))
    with pytest.raises(ContactStopped):
        await tries(Outcome.REACHED)
    assert len(await rows(bus, "SELECT id FROM contact_attempt")) == 2
    await handle(bus, erasure.forget_erased, received(ParticipantErased(request_id=asked.request_id)))
    assert await rows(bus, "SELECT id FROM contact_attempt") == []


def evenings(**changed: Any) -> WalkRequested:
    free = Availability(days=tuple(Weekday), parts=(PartOfDay.EVENING,))
    return a_request().model_copy(update={"request_id": uuid4(), "availability": free, **changed})


async def test_suggestions_are_of_officers_days_walks_and_proposals(bus: Database) -> None:
    """Within her evenings and the officer's hours; neither away, nor on a walk, nor at a time proposed to another."""
    asked, other, third = await walks(bus, evenings(), evenings(), evenings())
    by = await officer(bus)
    tomorrow = london(NOW + NOTICE).date()
    booked, proposed = (
        datetime.combine(tomorrow + timedelta(days=n), time(18), LONDON).astimezone(UTC) for n in (1, 2)
    )
    async with bus.transaction([FORCE]) as tx:
        windows = [availability.window(uuid4(), day, time(18), time(19), None, None) for day in Weekday]
        await officer_rows.save_windows(tx, (FORCE, ONE), windows)
        away = availability.absence(uuid4(), tomorrow + timedelta(days=3), tomorrow + timedelta(days=4), tomorrow)
        await officer_rows.save_absence(tx, (FORCE, ONE), away)
    for walk_id in (other, third):
        await take(bus, walk_id, by)
    async with bus.transaction([FORCE]) as tx:
        await arranging.arrange(tx, [Arrange(other, by, booked, "The library")], NOW, policies=POLICIES)
        await arranging.propose(tx, [Propose(third, by, [proposed], "The library")], NOW, policies=POLICIES)
    async with bus.transaction([FORCE]) as tx:
        mine = await suggesting.suggest(tx, asked, by, NOW, policies=POLICIES)
        all_ = await suggesting.suggest(tx, asked, coordinator(), NOW, policies=POLICIES)
    assert {each.officer.id for each in mine.found} == {ONE}
    days = [london(each.starts_at).date() for each in mine.found]
    assert [date_ - tomorrow for date_ in sorted(days)][:2] == [timedelta(0), timedelta(days=5)]
    assert {london(each.starts_at).time() for each in mine.found} == {time(18)}
    assert {because.number for each in mine.found for because in each.because if because.what is Why.WALKS_IN_HAND} == {
        2
    }
    assert len({each.officer.id for each in all_.found}) > 1


async def test_whom_she_excludes_is_not_suggested_to_anybody(bus: Database) -> None:
    """Nor is the officer told anything at all."""
    contact = ContactRules(channels=(), excluded_officers=(ONE,), excluded_teams=("bs2",))
    (walk_id,) = await walks(bus, a_request(contact=contact))
    async with bus.transaction([FORCE]) as tx:
        found = (await suggesting.suggest(tx, walk_id, coordinator(), NOW, policies=POLICIES)).found
        teams = {each.id: each.team_id for each in await officer_rows.officers(tx, FORCE)}
        with pytest.raises(WalkNotFound):
            await suggesting.suggest(
                tx,
                walk_id,
                await people.person(tx, FORCE, ONE, is_coordinator=False, team_id=None),
                NOW,
                policies=POLICIES,
            )
    assert found
    assert not {each.officer.id for each in found} & {ONE, *(id_ for id_, team in teams.items() if team == "bs2")}
