"""What an officer can learn of another team's walks: by every id and parameter that the table lets officers use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.embedded.demo_people import Person, people
from shared.web.access import Open, Role
from tests.misuse.access.test_other_force import answered, others_in_path, tried
from tests.servers.every_door import Answer, Door, Visits, plainly, visiting
from tests.servers.two_forces import HOME, TwoForces, Visitor, _sign_in

pytestmark = pytest.mark.timeout(300)


def _of_another_team() -> Person:
    """An officer of HOME who walks for none of the teams that the work in hand belongs to."""
    return next(
        one for one in people() if one.force_id == HOME and one.roles == (Role.OFFICER,) and one.team_id == "bs2"
    )


async def ids_in_hand(world: TwoForces) -> set[str]:
    """Every id of what a team of HOME has in hand, in assignment and where intake keeps who she is."""
    home = world.work[HOME]
    walks = [id_ for state, id_ in home.walks.items() if state != "triage"]
    found = {*walks, *home.requests.values(), home.follow_up, home.noted, *home.referrals.values()}
    async with world.admin("assignment") as admin:
        rows = await admin.fetch("SELECT id FROM concern WHERE walk_id = ANY ($1::uuid[])", walks)
    found |= {str(row["id"]) for row in rows}
    return found


def officers_doors(world: TwoForces) -> Iterator[tuple[Door, str, str, Any]]:
    """(door, where, name, type) of every parameter that may name something and that officers may use."""
    for door, where, name, kind in tried(world):
        if not isinstance(door.rule, Open) and door.admits(Role.OFFICER):
            yield door, where, name, kind


async def test_id_of_another_team_is_an_id_of_nothing(two_forces: TwoForces) -> None:
    """As an officer of another team, in every path and query that takes an id: the same answer, byte for byte, as for
    an id that never was; and nothing is changed by asking."""
    stranger = await _sign_in(two_forces.stack, _of_another_team())
    before = await two_forces.settled()
    ids = sorted(await ids_in_hand(two_forces))
    wrong: list[str] = []
    asked = 0

    async def compare(visits: Visits, door: Door, where: str, name: str, who: Visitor) -> None:
        nonlocal asked
        others = others_in_path(two_forces, door)

        async def answer(value: str) -> Answer:
            values, query = (others | {name: value}, None) if where == "path" else (others, {name: value})
            return Answer.of(await answered(visits, door, values, who, query), [value])

        nothing = await answer(str(uuid4()))
        for value in ids:
            asked += 1
            if (got := await answer(value)) != nothing:
                wrong.append(f"{door} {name}={value}: {got.status}, of nothing {nothing.status}")

    async with visiting(two_forces) as visits, asyncio.TaskGroup() as group:
        for door, where, name, kind in officers_doors(two_forces):
            if plainly(kind) is UUID:
                group.create_task(compare(visits, door, where, name, stranger))
    assert wrong == []
    assert asked > 500
    assert await two_forces.settled() == before
