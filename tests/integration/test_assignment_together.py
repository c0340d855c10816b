"""Second officers and the booking of both on a real database: one hour of an officer is given once, in any way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from services.assignment import timers
from services.assignment.domain.refusals import MayNotWalk, NotTrained, OfficerDoubleBooked, OfficerExcluded
from services.assignment.domain.second import OnThisWalk
from services.assignment.domain.telling import Rhythm
from services.assignment.domain.walks import Walk
from services.assignment.handlers import arranging, check_ins, looking, requests, second, taking
from services.assignment.handlers.arranging import Arrange
from services.assignment.handlers.check_ins import CheckIn
from services.assignment.handlers.second import Bring
from services.assignment.handlers.taking import Take
from services.assignment.store import requests as request_rows
from services.assignment.store import walks as walk_rows
from shared.attachments import Folder
from shared.contracts.kinds import Channel
from shared.contracts.walk_requests import ContactRules, ContactRulesChanged
from shared.database import Database, Query
from shared.timers import TimerLoop
from tests.integration.test_assignment_handlers import (
    FORCE,
    NOW,
    POLICIES,
    a_request,
    an_officer,
    bus,
    handle,
    received,
    route_requests,
    rows,
    service,
)
from tests.integration.test_assignment_telling import Post, choose, post

__all__ = ["bus", "post", "service"]

SIX = NOW + timedelta(days=1, hours=8)
ONE, OTHER = "officer-avon-1", "officer-avon-2"
UNTRAINED = "officer-avon-12"


async def a_walk(bus: Database, officer_id: str = ONE, *, rules: ContactRules | None = None) -> Walk:
    """A walk this officer has taken."""
    request = a_request(contact=rules)
    await handle(bus, route_requests, received(request))
    by = await an_officer(bus, officer_id)
    async with bus.transaction([FORCE]) as tx:
        walk_id = (await request_rows.walks_of_requests(tx, [(FORCE, request.request_id)]))[request.request_id]
        (walk,) = await taking.take(tx, [Take(walk_id, by)], NOW, policies=POLICIES)
    return walk


async def arranged(bus: Database, walk_id: UUID, officer_id: str = ONE, hours: float = 0) -> Walk:
    by = await an_officer(bus, officer_id)
    async with bus.transaction([FORCE]) as tx:
        command = Arrange(walk_id, by, SIX + timedelta(hours=hours), "The library")
        (walk,) = await arranging.arrange(tx, [command], NOW, policies=POLICIES)
    return walk


async def brought(bus: Database, walk_id: UUID, second_id: str | None, officer_id: str = ONE) -> Walk:
    by = await an_officer(bus, officer_id)
    async with bus.transaction([FORCE]) as tx:
        (walk,) = await second.bring(tx, [Bring(walk_id, by, second_id)], NOW, policies=POLICIES)
    return walk


async def booked(bus: Database) -> list[tuple[str, bool, bool]]:
    found = await rows(
        bus, "SELECT officer_id, second, starts_at IS NOT NULL AS timed FROM booking ORDER BY officer_id"
    )
    return [(row["officer_id"], row["second"], row["timed"]) for row in found]


async def test_both_officers_are_booked_for_as_long_as_they_are_on_the_walk(bus: Database) -> None:
    """From the taking on, with the time once one is agreed, and no longer when the walk is given up."""
    walk = await a_walk(bus)
    await brought(bus, walk.id, OTHER)
    assert await booked(bus) == [(ONE, False, False), (OTHER, True, False)]
    await arranged(bus, walk.id)
    assert await booked(bus) == [(ONE, False, True), (OTHER, True, True)]
    await brought(bus, walk.id, None)
    assert await booked(bus) == [(ONE, False, True)]
    by = await an_officer(bus)
    async with bus.transaction([FORCE]) as tx:
        await arranging.cancel(tx, [arranging.Cancel(walk.id, by, "other")], NOW)
    assert await booked(bus) == []


async def test_a_second_officer_has_the_walk_among_their_work_and_may_see_it(bus: Database) -> None:
    """As the one it was given to does."""
    walk = await a_walk(bus)
    await brought(bus, walk.id, OTHER)
    by = await an_officer(bus, OTHER)
    async with bus.transaction([FORCE]) as tx:
        assert [each.id for each in await looking.work_in_hand(tx, by)] == [walk.id]
        assert (await looking.look_at_walk(tx, walk.id, by, NOW)).walk.second_id == OTHER


@pytest.mark.parametrize("half_hours", [-1, 0, 1])
async def test_nobody_comes_along_while_on_another_walk(bus: Database, half_hours: int) -> None:
    """As first or as second, whichever walk was arranged first."""
    theirs = await a_walk(bus, OTHER)
    await arranged(bus, theirs.id, OTHER)
    walk = await a_walk(bus)
    await arranged(bus, walk.id, hours=half_hours / 2)
    with pytest.raises(OfficerDoubleBooked):
        await brought(bus, walk.id, OTHER)
    later = await a_walk(bus)
    await brought(bus, later.id, OTHER)
    with pytest.raises(OfficerDoubleBooked):
        await arranged(bus, later.id, hours=half_hours / 2)


async def test_the_table_refuses_two_walks_at_once_whatever_wrote_them(bus: Database) -> None:
    """Without any look beforehand, as first and as second alike."""
    theirs, walk = await a_walk(bus, OTHER), await a_walk(bus)
    await arranged(bus, theirs.id, OTHER)
    await brought(bus, walk.id, OTHER)
    sql = "UPDATE walk SET state = 'arranged', starts_at = $2, busy_until = $3, meeting_place = 'x' WHERE id = $1"
    with pytest.raises(asyncpg.ExclusionViolationError):
        async with bus.transaction([FORCE]) as tx:
            await tx.run(Query("arrange", "", sql), walk.id, SIX, SIX + timedelta(hours=1))


async def test_of_two_walks_that_want_one_second_officer_at_once_one_has_them(bus: Database) -> None:
    """Ten at the same time: one is given the officer, nine are told, nobody waits in a ring."""
    names = [f"officer-avon-{number}" for number in range(101, 111)]
    sql = """
    INSERT INTO officer (force_id, id, name, kind, team_id, team_ids, trained_on)
    SELECT force_id, $2, name, kind, team_id, team_ids, trained_on FROM officer WHERE force_id = $3 AND id = $1
    """
    async with bus.transaction([FORCE]) as tx:
        for name in names:
            await tx.run(Query("enrol", "", sql), ONE, name, FORCE)
    walks = [await a_walk(bus, name) for name in names]
    for walk, name in zip(walks, names, strict=True):
        await arranged(bus, walk.id, name)

    async def bring(walk: Walk, officer_id: str) -> bool:
        try:
            await brought(bus, walk.id, OTHER, officer_id)
        except OfficerDoubleBooked:
            return False
        return True

    won = await asyncio.gather(*(bring(walk, name) for walk, name in zip(walks, names, strict=True)))
    assert won.count(True) == 1


async def test_nobody_untrained_comes_along_by_any_way(bus: Database) -> None:
    """Refused by name, and by the table."""
    walk = await a_walk(bus)
    async with bus.transaction([FORCE]) as tx:
        await tx.run(Query("team", "", "UPDATE officer SET team_ids = '{bs1}' WHERE id = $1"), UNTRAINED)
    with pytest.raises(NotTrained):
        await brought(bus, walk.id, UNTRAINED)
    with pytest.raises(MayNotWalk):
        async with bus.transaction([FORCE]) as tx:
            found = (await walk_rows.lock_walks(tx, [(FORCE, walk.id)]))[walk.id]
            await walk_rows.save_walks(tx, [replace(found, second_id=UNTRAINED)])


async def test_whom_she_excludes_neither_comes_along_nor_stays(bus: Database) -> None:
    """Not to be brought; and let go of as soon as she says so, while the walk stays with its officer."""
    excluding = ContactRules(channels=(Channel.EMAIL,), excluded_officers=(OTHER,))
    walk = await a_walk(bus, rules=excluding)
    with pytest.raises(OfficerExcluded):
        await brought(bus, walk.id, OTHER)
    later = await a_walk(bus)
    with pytest.raises(OnThisWalk):
        await brought(bus, later.id, ONE)
    await brought(bus, later.id, OTHER)
    changed = ContactRulesChanged(request_id=later.requests[0].id, contact=excluding)
    await handle(bus, requests.change_contact_rules, received(changed))
    async with bus.transaction([FORCE]) as tx:
        found = (await walk_rows.walks(tx, [(FORCE, later.id)]))[later.id]
    assert (found.officer_id, found.second_id, found.state.value) == (ONE, None, "taken")
    by = await an_officer(bus, OTHER)
    async with bus.transaction([FORCE]) as tx:
        assert await looking.work_in_hand(tx, by) == []


@pytest.mark.parametrize(("of_that_team", "after"), [(ONE, ("triage", None, None)), (OTHER, ("taken", ONE, None))])
async def test_an_officer_of_a_team_she_excludes_leaves_though_the_walk_is_another_teams(
    bus: Database, of_that_team: str, after: tuple[str, str | None, str | None]
) -> None:
    """Officers walk for teams besides their own: whose own it is that she excludes, walks no more, first or second."""
    async with bus.transaction([FORCE]) as tx:
        sql = "UPDATE officer SET team_id = 'bs9', team_ids = '{bs1,bs9}' WHERE id = $1"
        await tx.run(Query("elsewhere", "", sql), of_that_team)
    walk = await a_walk(bus)
    await brought(bus, walk.id, OTHER)
    rules = ContactRules(channels=(Channel.EMAIL,), excluded_teams=("bs9",))
    changed = ContactRulesChanged(request_id=walk.requests[0].id, contact=rules)
    await handle(bus, requests.change_contact_rules, received(changed))
    async with bus.transaction([FORCE]) as tx:
        found = (await walk_rows.walks(tx, [(FORCE, walk.id)]))[walk.id]
    assert (found.state.value, found.officer_id, found.second_id) == after


async def test_coordinators_are_told_at_once_of_officers_who_are_not_back(
    bus: Database, post: Post, tmp_path: Path
) -> None:
    """In quiet hours too, and who wanted one message a day; once, and not of a walk that was moved or is over."""
    boss = await choose(bus, "boss", Rhythm.DAILY, coordinates=True)
    team = await choose(bus, OTHER)
    walk, moved, back = await a_walk(bus), await a_walk(bus), await a_walk(bus)
    for hours, each in enumerate((walk, moved, back)):
        await arranged(bus, each.id, hours=2 * hours)
    await arranged(bus, moved.id, hours=48)
    by = await an_officer(bus)
    async with bus.transaction([FORCE]) as tx:
        await check_ins.check_in(tx, [CheckIn(back.id, by, True)], NOW, policies=POLICIES)
    before = len(await post.arrived(team))
    post.now = SIX + timedelta(minutes=89)
    fire = TimerLoop(bus, timers.timers(POLICIES, Folder(tmp_path)), lambda: post.now, POLICIES.forces).fire_due
    await fire()
    assert await post.arrived(boss) == []
    post.now = SIX + timedelta(hours=12)
    await fire()
    await fire()
    (text,) = await post.arrived(boss)
    assert f"/walks/{walk.id}" in text and "reach them now" in text
    assert str(moved.id) not in text and str(back.id) not in text and "library" not in text
    assert len(await post.arrived(team)) == before


async def test_a_second_officer_is_told_like_the_first(bus: Database, post: Post) -> None:
    """Brought along, and given another time."""
    address = await choose(bus, OTHER)
    walk = await a_walk(bus)
    before = len(await post.arrived(address))
    await brought(bus, walk.id, OTHER)
    await arranged(bus, walk.id)
    (text,) = (await post.arrived(address))[before:]
    assert [line.partition(":")[0] for line in text.splitlines()[:2]] == [
        "A walk was given to you",
        "A walk of yours has changed",
    ]
