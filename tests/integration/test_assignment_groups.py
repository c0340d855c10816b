"""Women who walk together, on a real database: one walk, many requests, each with her own rules; and no-shows."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.assignment.domain.groups import GroupFull
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import TrainingExpired, WalkNotFound
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers import check_ins, erasure, groups, looking, not_held, taking
from services.assignment.handlers.check_ins import CheckIn
from services.assignment.handlers.groups import Join, Part
from services.assignment.handlers.not_held import NotHeld
from services.assignment.handlers.taking import Take
from services.assignment.store import requests as request_rows
from services.assignment.store import walks as walk_rows
from shared.contracts.kinds import Channel, Urgency
from shared.contracts.walk_requests import (
    ContactRules,
    ContactRulesChanged,
    ContactWanted,
    ParticipantErased,
    WalkRequestAmended,
)
from shared.contracts.walks import WhatNext, WhyNotHeld
from shared.database import Database, Query
from tests.integration.test_assignment_handlers import (
    BATH,
    FORCE,
    NOW,
    POLICIES,
    REGISTERS,
    a_request,
    an_officer,
    bus,
    handle,
    open_follow_ups,
    received,
    route_requests,
    rows,
    service,
    told,
)
from tests.integration.test_assignment_together import ONE, OTHER, SIX, arranged

__all__ = ["bus", "service"]

_policy = POLICIES[FORCE]
GROUPS = {
    **POLICIES,
    FORCE: _policy.model_copy(update={"walks": _policy.walks.model_copy(update={"group_size": 3})}),
}
change_contact_rules = partial(groups.change_contact_rules, policies=GROUPS, locate=REGISTERS.locate)
amend_requests = partial(groups.amend_requests, policies=GROUPS, locate=REGISTERS.locate)


async def a_waiting_walk(bus: Database, **rules: Any) -> tuple[UUID, UUID]:
    """A walk and the request of a woman who would walk with others."""
    request = a_request(contact=ContactRules(channels=(Channel.EMAIL,), **rules)).model_copy(
        update={"group_walk_welcome": True}
    )
    await handle(bus, route_requests, received(request))
    async with bus.transaction([FORCE]) as tx:
        found = await request_rows.walks_of_requests(tx, [(FORCE, request.request_id)])
    return found[request.request_id], request.request_id


async def taken(bus: Database, walk_id: UUID) -> Person:

    by = await an_officer(bus)
    async with bus.transaction([FORCE]) as tx:
        await taking.take(tx, [Take(walk_id, by)], NOW, policies=POLICIES)
    return by


async def walk_of(bus: Database, walk_id: UUID) -> Walk:
    async with bus.transaction([FORCE]) as tx:
        return (await walk_rows.walks(tx, [(FORCE, walk_id)]))[walk_id]


async def a_group(bus: Database, *, at_six: bool = False) -> tuple[UUID, UUID, UUID]:
    """A walk of two, and their requests."""
    walk_id, first = await a_waiting_walk(bus)
    other, second = await a_waiting_walk(bus)
    by = await taken(bus, walk_id)
    if at_six:
        await arranged(bus, walk_id)
    async with bus.transaction([FORCE]) as tx:
        await groups.join(tx, Join(walk_id, by, other), NOW, policies=GROUPS)
    return walk_id, first, second


async def test_two_walks_become_one_and_nothing_of_hers_stays_behind(bus: Database) -> None:
    """Request, call to be made and place go with her; what is left says that it ended, and not where."""
    walk_id, first = await a_waiting_walk(bus)
    other, second = await a_waiting_walk(bus)
    by = await taken(bus, walk_id)
    wanted = ContactWanted(request_id=second, contact_id=uuid4(), urgency=Urgency.SOON)
    await handle(bus, open_follow_ups, received(wanted))
    async with bus.transaction([FORCE]) as tx:
        assert [each.id for each in await groups.joinable(tx, await _walk(tx, walk_id), by, 3, NOW)] == [other]
        await groups.join(tx, Join(walk_id, by, other), NOW, policies=GROUPS)
    walk, left = await walk_of(bus, walk_id), await walk_of(bus, other)
    assert set(walk.request_ids) == {first, second}
    assert (left.state, left.cancel_reason, left.requests) == (State.CANCELLED, "joined", ())
    assert left.place.latitude == round(left.place.latitude, 1)
    assert [row["walk_id"] for row in await rows(bus, "SELECT walk_id FROM follow_up")] == [walk_id]
    names = [name for name, _ in await told(bus, "walks.v1")]
    assert names == ["walk-routed", "walk-routed", "walk-taken", "walk-taken"]


async def _walk(tx: Any, walk_id: UUID) -> Walk:
    return (await walk_rows.walks(tx, [(FORCE, walk_id)]))[walk_id]


async def test_the_same_record_counts_for_each_of_them(bus: Database) -> None:
    """One time, one walk, one record: every event names them all."""
    walk_id, first, second = await a_group(bus)
    await arranged(bus, walk_id)
    events = [data for name, data in await told(bus, "walks.v1") if name == "walk-arranged"]
    assert len(events) == 1 and all(str(id_).encode() in events[0] for id_ in (first, second))


async def test_no_group_is_larger_than_the_force_says(bus: Database) -> None:
    """The fourth is refused."""
    walk_id, _, _ = await a_group(bus)
    by = await an_officer(bus)
    third, fourth = (await a_waiting_walk(bus))[0], (await a_waiting_walk(bus))[0]
    async with bus.transaction([FORCE]) as tx:
        await groups.join(tx, Join(walk_id, by, third), NOW, policies=GROUPS)
    with pytest.raises(GroupFull):
        async with bus.transaction([FORCE]) as tx:
            await groups.join(tx, Join(walk_id, by, fourth), NOW, policies=GROUPS)
    async with bus.transaction([FORCE]) as tx:
        assert await groups.joinable(tx, await _walk(tx, walk_id), by, 3, NOW) == []


async def test_a_walk_that_excludes_the_officer_is_not_there_to_be_joined(bus: Database) -> None:
    """Neither listed nor found: a refusal would tell what she chose."""
    walk_id, _ = await a_waiting_walk(bus)
    hidden, _ = await a_waiting_walk(bus, excluded_officers=(ONE,))
    by = await taken(bus, walk_id)
    async with bus.transaction([FORCE]) as tx:
        assert await groups.joinable(tx, await _walk(tx, walk_id), by, 3, NOW) == []
    for asked in (hidden, uuid4()):
        with pytest.raises(WalkNotFound):
            async with bus.transaction([FORCE]) as tx:
                await groups.join(tx, Join(walk_id, by, asked), NOW, policies=GROUPS)


async def test_who_may_walk_no_longer_is_given_nobody_more_by_joining(bus: Database) -> None:
    """A training that ran out since the walk was taken counts here as everywhere."""
    walk_id, _ = await a_waiting_walk(bus)
    other, _ = await a_waiting_walk(bus)
    by = await taken(bus, walk_id)
    async with bus.transaction([FORCE]) as tx:
        await tx.run(Query("expire", "", "UPDATE officer SET trained_until = '2026-11-01' WHERE id = $1"), ONE)
    with pytest.raises(TrainingExpired):
        async with bus.transaction([FORCE]) as tx:
            await groups.join(tx, Join(walk_id, by, other), NOW, policies=GROUPS)


async def test_she_who_is_taken_out_waits_for_her_team_again(bus: Database) -> None:
    """With a walk of her own; the others keep their time."""
    walk_id, first, second = await a_group(bus, at_six=True)
    by = await an_officer(bus)
    async with bus.transaction([FORCE]) as tx:
        part = Part(walk_id, by, second)
        await groups.part(tx, part, NOW, policies=GROUPS, locate=REGISTERS.locate)
        found = await request_rows.walks_of_requests(tx, [(FORCE, first), (FORCE, second)])
    assert found[first] == walk_id != found[second]
    walk, hers = await walk_of(bus, walk_id), await walk_of(bus, found[second])
    assert (walk.state, walk.starts_at, walk.request_ids) == (State.ARRANGED, SIX, (first,))
    assert (hers.state, hers.officer_id, hers.located and hers.located.team_id) == (State.ROUTED, None, "bs1")
    assert (await told(bus, "walks.v1"))[-1][0] == "walk-routed"


@pytest.mark.parametrize(
    ("rules", "state"),
    [
        ({"stopped": True}, State.ROUTED),
        ({"excluded_officers": (ONE,)}, State.ROUTED),
        ({"excluded_teams": ("bs1",)}, State.TRIAGE),
    ],
)
async def test_one_whose_rules_change_leaves_and_the_others_walk_on(
    bus: Database, rules: dict[str, Any], state: State
) -> None:
    """Their time stands, and whom she excludes sees her request no more."""
    walk_id, first, second = await a_group(bus, at_six=True)
    changed = ContactRulesChanged(request_id=second, contact=ContactRules(channels=(Channel.EMAIL,), **rules))
    await handle(bus, change_contact_rules, received(changed))
    async with bus.transaction([FORCE]) as tx:
        (hers_id,) = (await request_rows.walks_of_requests(tx, [(FORCE, second)])).values()
    walk, hers = await walk_of(bus, walk_id), await walk_of(bus, hers_id)
    assert (walk.request_ids, walk.state, walk.starts_at, walk.contact_stopped) == (
        (first,),
        State.ARRANGED,
        SIX,
        False,
    )
    assert (hers.state, hers.contact_stopped) == (state, bool(rules.get("stopped")))
    by = await an_officer(bus)
    assert by.may_see(walk) and by.may_see(hers) == ("stopped" in rules)


@pytest.mark.parametrize("change", [{"place": BATH}, {"group_walk_welcome": False}])
async def test_who_wants_to_walk_alone_or_elsewhere_leaves_the_group(bus: Database, change: dict[str, Any]) -> None:
    """Her new wish decides which team has her walk."""
    walk_id, first, second = await a_group(bus)
    request = (await walk_of(bus, walk_id)).requests[1]
    amended = {
        "request_id": second,
        "place": request.place,
        "place_from_postcode": True,
        "availability": request.availability,
        "group_walk_welcome": True,
        **change,
    }
    await handle(bus, amend_requests, received(WalkRequestAmended(**amended)))
    async with bus.transaction([FORCE]) as tx:
        (hers_id,) = (await request_rows.walks_of_requests(tx, [(FORCE, second)])).values()
    assert (await walk_of(bus, walk_id)).request_ids == (first,)
    hers = await walk_of(bus, hers_id)
    assert hers.state is State.ROUTED and hers.place == amended["place"]


async def test_the_erasure_of_one_leaves_the_walk_to_the_others(bus: Database) -> None:
    """Neither their place nor their time goes with her."""

    walk_id, first, second = await a_group(bus, at_six=True)
    await handle(bus, erasure.forget_erased, received(ParticipantErased(request_id=second)))
    walk = await walk_of(bus, walk_id)
    assert (walk.state, walk.request_ids, walk.meeting_place) == (State.ARRANGED, (first,), "The library")


async def test_a_walk_that_was_not_held_is_arranged_again_and_frees_the_hour(bus: Database) -> None:
    """Told with why; the missed time stands in the record, and the hour of its officer is free."""
    walk_id, _, _ = await a_group(bus, at_six=True)
    by, later = await an_officer(bus), SIX + timedelta(hours=1)
    async with bus.transaction([FORCE]) as tx:
        command = NotHeld(walk_id, by, WhyNotHeld.SHE_DID_NOT_COME, WhatNext.AGAIN)
        await not_held.not_held(tx, [command], later, policies=POLICIES)
    walk = await walk_of(bus, walk_id)
    assert walk.state is State.TAKEN and [each.starts_at for each in walk.not_held] == [SIX]
    assert [row["starts_at"] for row in await rows(bus, "SELECT starts_at FROM booking")] == [None]
    assert (await told(bus, "walks.v1"))[-1][0] == "walk-not-held"


async def test_officers_who_are_not_back_are_shown_until_one_of_them_says_so(bus: Database) -> None:
    """To coordinators and to themselves; counted for the metric; nobody is asked about a walk that is recorded."""
    walk_id, _, _ = await a_group(bus, at_six=True)
    by, coordinator = await an_officer(bus), Person(FORCE, "boss", True, None, frozenset(), None)
    colleague, late = await an_officer(bus, OTHER), SIX + timedelta(hours=2)

    async def missed(who: Person, at: Any = late) -> list[UUID]:
        async with bus.transaction([FORCE]) as tx:
            found, _ = await check_ins.missed(tx, who, at, 1)
            counted = {force: many for force, _, many in (await looking.count(tx, at))["not_back"]}
        assert who is not coordinator or counted.get(FORCE, 0) == len(found)
        return [walk.id for walk in found]

    assert await missed(coordinator, SIX + timedelta(minutes=89)) == []
    assert await missed(coordinator) == await missed(by) == [walk_id]
    assert await missed(colleague) == []
    async with bus.transaction([FORCE]) as tx:
        await check_ins.check_in(tx, [CheckIn(walk_id, by, False)], late, policies=POLICIES)
    assert await missed(coordinator) == []
    assert await missed(coordinator, late + timedelta(minutes=30)) == [walk_id]
    async with bus.transaction([FORCE]) as tx:
        await check_ins.check_in(tx, [CheckIn(walk_id, coordinator, True)], late, policies=POLICIES)
    assert await missed(coordinator, late + timedelta(days=2)) == []
