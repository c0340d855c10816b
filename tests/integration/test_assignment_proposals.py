"""Proposed times and her answers as they come by the bus, on a real database: one hour of an officer is given once."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.assignment.domain.refusals import OfficerDoubleBooked
from services.assignment.domain.walks import ProposalAnswer, Walk
from services.assignment.handlers import arranging, erasure, requests, taking
from services.assignment.handlers.arranging import Arrange, Propose
from services.assignment.handlers.taking import Take
from services.assignment.store import requests as request_rows
from services.assignment.store import walks as walk_rows
from shared.contracts.kinds import PartOfDay, Point, Weekday
from shared.contracts.walk_requests import Availability, ParticipantErased, ProposalAnswered, WalkRequestAmended
from shared.database import Database
from tests.integration.test_assignment_handlers import (
    BATH,
    CITY_CENTRE,
    FORCE,
    NOW,
    POLICIES,
    REGISTERS,
    a_request,
    an_officer,
    bus,
    handle,
    received,
    route_requests,
    service,
    told,
)

__all__ = ["bus", "service"]

answer_proposals = partial(arranging.answer_proposals, policies=POLICIES)
amend_requests = partial(requests.amend_requests, locate=REGISTERS.locate)
SIX = NOW + timedelta(days=1, hours=8)


async def a_proposal(bus: Database, *hours: int) -> Walk:
    """A walk of officer-avon-1, with times proposed so many hours after six."""
    request = a_request()
    await handle(bus, route_requests, received(request))
    by = await an_officer(bus)
    async with bus.transaction([FORCE]) as tx:
        walk_id = (await request_rows.walks_of_requests(tx, [(FORCE, request.request_id)]))[request.request_id]
        await taking.take(tx, [Take(walk_id, by)], NOW, policies=POLICIES)
        times = [SIX + timedelta(hours=n) for n in hours]
        (walk,) = await arranging.propose(tx, [Propose(walk_id, by, times, "The library")], NOW, policies=POLICIES)
    return walk


def chosen(walk: Walk, hour: int | None, **changed: Any) -> ProposalAnswered:
    assert walk.proposal is not None
    given = {
        "request_id": walk.requests[0].id,
        "walk_id": walk.id,
        "proposal_id": walk.proposal.id,
        "chosen": None if hour is None else SIX + timedelta(hours=hour),
    }
    return ProposalAnswered(**{**given, **changed})


async def walk_of(bus: Database, walk_id: UUID) -> Walk:
    async with bus.transaction([FORCE]) as tx:
        return (await walk_rows.walks(tx, [(FORCE, walk_id)]))[walk_id]


async def test_what_was_proposed_is_read_back_as_it_was_written(bus: Database) -> None:
    """To the microsecond and with its zone."""
    walk = await a_proposal(bus, 0, 2)
    assert (await walk_of(bus, walk.id)).proposal == walk.proposal


async def test_her_answer_arranges_the_walk_and_a_repeated_one_nothing(bus: Database) -> None:
    """Told once; the second delivery finds nothing open."""
    walk = await a_proposal(bus, 0, 2)
    for _ in range(2):
        await handle(bus, answer_proposals, received(chosen(walk, 2)))
    after = await walk_of(bus, walk.id)
    assert (after.state.value, after.starts_at, after.proposal) == ("arranged", SIX + timedelta(hours=2), None)
    names = [name for name, _ in await told(bus, "walks.v1")]
    assert names == ["walk-routed", "walk-taken", "walk-proposed", "walk-arranged"]


async def test_two_who_choose_one_hour_of_an_officer_in_one_batch(bus: Database) -> None:
    """One has it, the officer reads of the other; neither is lost."""
    walks = [await a_proposal(bus, 0), await a_proposal(bus, 0)]
    await handle(bus, answer_proposals, *(received(chosen(walk, 0)) for walk in walks))
    after = [await walk_of(bus, walk.id) for walk in walks]
    assert sorted(walk.state.value for walk in after) == ["arranged", "taken"]
    (left,) = [walk.proposal for walk in after if walk.proposal is not None]
    assert (left.answer, left.chosen) == (ProposalAnswer.NOT_POSSIBLE, SIX)


async def test_an_hour_that_was_given_meanwhile_is_not_given_again(bus: Database) -> None:
    """The answer of another woman came first, in a batch of its own."""
    first, second = await a_proposal(bus, 0), await a_proposal(bus, 0, 3)
    await handle(bus, answer_proposals, received(chosen(first, 0)))
    await handle(bus, answer_proposals, received(chosen(second, 0)))
    after = await walk_of(bus, second.id)
    assert after.proposal is not None and after.proposal.answer is ProposalAnswer.NOT_POSSIBLE
    by = await an_officer(bus)
    async with bus.transaction([FORCE]) as tx:
        propose = Propose(second.id, by, [SIX + timedelta(hours=3)], "The library")
        (again,) = await arranging.propose(tx, [propose], NOW, policies=POLICIES)
    await handle(bus, answer_proposals, received(chosen(again, 3)))
    assert (await walk_of(bus, second.id)).state.value == "arranged"


async def test_no_time_is_proposed_at_which_the_officer_is_on_another_walk(bus: Database) -> None:
    """Whichever of the times it is."""
    busy, free = await a_proposal(bus, 0), await a_proposal(bus, 5)
    by = await an_officer(bus)
    async with bus.transaction([FORCE]) as tx:
        await arranging.arrange(tx, [Arrange(busy.id, by, SIX, "The library")], NOW, policies=POLICIES)
    with pytest.raises(OfficerDoubleBooked):
        async with bus.transaction([FORCE]) as tx:
            times = [SIX + timedelta(minutes=30), SIX + timedelta(hours=5)]
            await arranging.propose(tx, [Propose(free.id, by, times, "The library")], NOW, policies=POLICIES)


async def test_the_way_she_would_like_to_walk_is_kept_changed_and_forgotten(bus: Database) -> None:
    """As it was told; a change tells the whole, so a change without one takes it away; erased with her place."""
    way = (CITY_CENTRE, Point(latitude=51.45, longitude=-2.59), BATH)
    request = a_request().model_copy(update={"route": way})
    await handle(bus, route_requests, received(request))
    async with bus.transaction([FORCE]) as tx:
        walk_id = (await request_rows.walks_of_requests(tx, [(FORCE, request.request_id)]))[request.request_id]
    assert (await walk_of(bus, walk_id)).requests[0].route == way
    await handle(bus, amend_requests, received(amended(request.request_id)))
    assert (await walk_of(bus, walk_id)).requests[0].route == ()
    await handle(bus, amend_requests, received(amended(request.request_id, route=(BATH, CITY_CENTRE))))
    assert (await walk_of(bus, walk_id)).requests[0].route == (BATH, CITY_CENTRE)
    async with bus.transaction([FORCE]) as tx:
        await erasure.forget_erased(tx, [received(ParticipantErased(request_id=request.request_id))], NOW)
    assert (await walk_of(bus, walk_id)).requests[0].route == ()


async def test_answers_and_changes_of_a_request_not_known_here_wait_for_it(bus: Database) -> None:
    """As everything that names a request does."""
    walk, unknown = await a_proposal(bus, 0), uuid4()
    early = received(chosen(walk, 0, request_id=unknown))
    assert (await handle(bus, answer_proposals, early)).awaiting == {early.id: unknown}
    changed = received(amended(unknown))
    assert (await handle(bus, amend_requests, changed)).awaiting == {changed.id: unknown}


def amended(request_id: UUID, **given: Any) -> WalkRequestAmended:
    return WalkRequestAmended(
        **{
            "request_id": request_id,
            "place": BATH,
            "place_from_postcode": True,
            "availability": Availability(days=(Weekday.FRIDAY,), parts=(PartOfDay.EVENING,)),
            **given,
        }
    )


async def test_what_she_changes_is_kept_and_routed_anew(bus: Database) -> None:
    """To the team of the new place, from which another officer can take it; the times proposed before are gone."""
    walk = await a_proposal(bus, 0)
    await handle(bus, amend_requests, received(amended(walk.requests[0].id)))
    after = await walk_of(bus, walk.id)
    assert (after.state.value, after.officer_id, after.proposal, after.place) == ("routed", None, None, BATH)
    assert after.located is not None and after.located.team_id != "bs1"
    assert (after.requests[0].place, after.requests[0].availability.days) == (BATH, (Weekday.FRIDAY,))
    assert [name for name, _ in await told(bus, "walks.v1")][-1] == "walk-routed"
    await handle(bus, answer_proposals, received(chosen(walk, 0)))
    assert (await walk_of(bus, walk.id)).state.value == "routed"
