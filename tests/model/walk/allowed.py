"""What may stand in the database, and what may come about between two looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from services.assignment.domain.people import Officer, what_stops
from services.assignment.domain.refusals import OfficerAway
from services.assignment.domain.walks import State
from shared.contracts.policy import WalkRules
from shared.working_days import day

HELD: Final = (State.TAKEN, State.ARRANGED)
OPEN: Final = (State.TRIAGE, State.ROUTED, *HELD)
BECOMES: Final[Mapping[State | None, frozenset[State]]] = {
    None: frozenset({State.TRIAGE, State.ROUTED, State.CANCELLED}),
    **{state: frozenset({*OPEN, State.CANCELLED}) for state in OPEN if state is not State.ARRANGED},
    State.ARRANGED: frozenset({*OPEN, State.CANCELLED, State.COMPLETED}),
    State.COMPLETED: frozenset({State.COMPLETED}),
    State.CANCELLED: frozenset({State.CANCELLED}),
}
"""What each state may be followed by; nothing but an arranged walk is held, and what is over stays over."""

WALKS: Final = "SELECT * FROM walk ORDER BY id"
DISCLOSURES: Final = """
    SELECT walk_id, array_agg(id ORDER BY id) AS ids FROM disclosure WHERE walk_id IS NOT NULL GROUP BY walk_id
"""
REQUESTS: Final = "SELECT walk_id, array_agg(id ORDER BY id) AS ids FROM request GROUP BY walk_id"
_ON_A_WALK: Final = """
    WITH on_a_walk AS (
        SELECT force_id, id AS walk_id, one.officer_id, starts_at, busy_until, state
        FROM walk, unnest(ARRAY[walk.officer_id, second_officer_id]) AS one (officer_id)
        WHERE one.officer_id IS NOT NULL
    )
"""
EXCLUDED: Final = (
    _ON_A_WALK  # noqa: S608  # a text from above
    + """
    SELECT w.walk_id FROM on_a_walk w JOIN request r USING (force_id, walk_id)
    JOIN officer o ON o.force_id = w.force_id AND o.id = w.officer_id
    WHERE w.state IN ('taken', 'arranged') AND r.withdrawn_at IS NULL
        AND (r.contact -> 'excluded_officers' ? w.officer_id OR r.contact -> 'excluded_teams' ? o.team_id)
"""
)
AT_ONCE: Final = (
    _ON_A_WALK  # noqa: S608  # a text from above
    + """
    SELECT one.walk_id FROM on_a_walk one JOIN on_a_walk other
        ON one.officer_id = other.officer_id AND one.walk_id < other.walk_id
        AND tstzrange(one.starts_at, one.busy_until) && tstzrange(other.starts_at, other.busy_until)
    WHERE one.state = 'arranged' AND other.state = 'arranged'
"""
)
TOLD_TWICE: Final = """
    SELECT key, type FROM outbox_log
    WHERE type LIKE '%.walk-completed.v1' OR type LIKE '%.walk-cancelled.v1' GROUP BY key, type HAVING count(*) > 1
"""
GAPS: Final = """
    SELECT key FROM outbox_log GROUP BY topic, key HAVING count(*) <> max(sequence) OR min(sequence) <> 1
"""
TWICE: Final = "SELECT id FROM request GROUP BY id HAVING count(DISTINCT walk_id) > 1"
# One that is opened at the very moment is opened after: it may come up when the walk is over.
CLOSED_WITH_ONE_OPEN: Final = """
    SELECT w.id FROM walk w JOIN disclosure d ON d.force_id = w.force_id AND d.walk_id = w.id
    WHERE w.state = 'completed' AND d.unsettled
        AND d.opened_at < (SELECT max(time) FROM outbox_log WHERE key = w.id AND type LIKE '%.walk-completed.v1')
"""
DISCLOSED_TO_OTHERS: Final = """
    SELECT type FROM outbox_log WHERE convert_from(data, 'UTF8') ~ '5226012345|safeguard|disclos'
"""
UNSEEN: Final = """
    SELECT c.id FROM concern c JOIN noted_concern n ON n.force_id = c.force_id AND n.id = c.id WHERE n.passed_at IS NULL
"""
NEVER: Final = {
    "a walk is closed with an open disclosure": CLOSED_WITH_ONE_OPEN,
    "what was disclosed is told": DISCLOSED_TO_OTHERS,
    "a concern that nobody passed on is told": UNSEEN,
    "an officer she excludes has a walk of hers": EXCLUDED,
    "an officer has two walks at once": AT_ONCE,
    "an end of a walk is told twice": TOLD_TWICE,
    "events of a key are not told without a gap": GAPS,
    "one request has two walks": TWICE,
}


class Forbidden(AssertionError):
    """Something stands there that must never."""


class Looked(NamedTuple):
    """Walks as they were at a look: state, officers, when it starts; and whom they answer."""

    walks: Mapping[UUID, tuple[State, tuple[str, ...], datetime | None]]
    requests: Mapping[UUID, Sequence[UUID]]
    disclosures: Mapping[UUID, Sequence[UUID]]


NOTHING: Final = Looked({}, {}, {})


async def look(
    admin: asyncpg.Connection[Any],
    before: Looked,
    register: Mapping[str, Officer],
    rules: WalkRules,
    now: datetime,
) -> Looked:
    """Look at everything. Who came to a walk since the look before, or a walk to its time, has to be allowed to.

    :raises Forbidden: what was found.
    """
    for what, statement in NEVER.items():
        if wrong := await admin.fetch(statement):
            raise Forbidden(f"{what}: {wrong}")
    rows = await admin.fetch(WALKS)
    found: dict[UUID, tuple[State, tuple[str, ...], datetime | None]] = {}
    for row in rows:
        state, starts_at = State(row["state"]), row["starts_at"]
        officers = tuple(one for one in (row["officer_id"], row["second_officer_id"]) if one is not None)
        was, had, at = before.walks.get(row["id"], (None, (), None))
        if state not in BECOMES[was]:
            raise Forbidden(f"a walk that was {was} is {state}")
        if state in HELD and row["officer_id"] is None:
            raise Forbidden(f"a walk is {state} and nobody has it")
        if state is State.ARRANGED and (starts_at is None or row["meeting_place"] is None):
            raise Forbidden("a walk is arranged without time or place")
        held = row["started_at"] and row["ended_at"] and row["started_at"] < row["ended_at"]
        if state is State.COMPLETED and not held:
            raise Forbidden("a walk is completed and was not held")
        moves = state is State.ARRANGED and (starts_at != at or was is not State.ARRANGED)
        for officer_id in officers if state in HELD else ():
            if moves or was not in HELD or officer_id not in had:
                _may(register.get(officer_id), rules, now, starts_at if state is State.ARRANGED else None)
        found[row["id"]] = (state, officers, starts_at)
    return Looked(found, await _by_walk(admin, REQUESTS), await _by_walk(admin, DISCLOSURES))


async def _by_walk(admin: asyncpg.Connection[Any], statement: str) -> dict[UUID, list[UUID]]:
    rows = await admin.fetch(statement)
    return {UUID(int=row["walk_id"].int): [UUID(int=one.int) for one in row["ids"]] for row in rows}


def _may(officer: Officer | None, rules: WalkRules, now: datetime, at: datetime | None) -> None:
    if officer is None:
        raise Forbidden("somebody who is not on the register has a walk")
    stops = what_stops(officer, rules, day(now), day(at) if at else None)
    if stops and not (at is None and all(isinstance(one, OfficerAway) for one in stops)):
        raise Forbidden(f"{officer.id} has a walk: {[type(one).__name__ for one in stops]}")
