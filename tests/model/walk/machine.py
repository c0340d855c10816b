"""The rules: women ask and change their minds, the bus brings it late, twice or in any order, people command, the
register changes, time passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.bus.inbox import Record
from shared.contracts.envelope import Envelope, Event
from shared.contracts.kinds import Channel, PartOfDay, Point, Reason, Urgency, Weekday
from shared.contracts.refusals import Refusal
from shared.contracts.walk_requests import (
    Availability,
    ContactRules,
    ContactRulesChanged,
    ContactWanted,
    ParticipantErased,
    ProposalAnswered,
    WalkRequestAmended,
    WalkRequested,
    WalkRequestWithdrawn,
)
from tests.model.walk.allowed import NOTHING, Looked, look
from tests.model.walk.commands import COMMANDS, moment
from tests.model.walk.place import OFFICERS, WHO, Place
from tests.servers.assignment_service import AT_SEA, CITY_CENTRE, FORCE

MOST_WOMEN: Final = 8
NEXT_TO_IT: Final = Point(latitude=51.4410, longitude=-2.6050)
"""In the area of a team that officers of the city centre walk for as well."""
PLACES: Final = (CITY_CENTRE, NEXT_TO_IT, Point(latitude=51.4650, longitude=-2.5800), AT_SEA)
WHEN: Final = Availability(days=tuple(Weekday), parts=tuple(PartOfDay))

women = st.integers(0, MOST_WOMEN - 1)
anybody = st.integers(0, len(WHO))
"""Somebody; the number after the last is whoever has the walk."""
kinds = st.sampled_from(sorted(COMMANDS))
numbers = st.integers(0, 9_999)
"""Something among some, or some way to do it; taken modulo how many there are."""


@dataclass
class Explored:
    """What all runs together did."""

    runs: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    """Commands that were not refused."""
    refused: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)


class LifeOfAWalk(RuleBasedStateMachine):
    """Three women, four officers of whom one is untrained, and a coordinator."""

    def __init__(self, place: Place, explored: Explored) -> None:
        super().__init__()
        self.place = place
        self.explored = explored
        self.looked: Looked = NOTHING
        self.asked: list[UUID] = []
        self.sequences: Counter[UUID] = Counter()
        self.told: list[Record] = []
        """All that intake has told, in its order."""
        self.brought = 0
        """How many of these the bus has brought once in order."""

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.place.run(work)

    @initialize()
    def begin(self) -> None:
        """Women have asked for walks, and the bus has brought some of it."""
        self.explored.runs += 1
        self.run(self.place.fresh())
        for _ in range(3):
            self.asks(0)
        self.in_order(3)

    # What intake tells.

    @rule(number=numbers)
    def asks(self, number: int) -> None:
        """One more woman asks for a walk."""
        if len(self.asked) == MOST_WOMEN:
            return
        self.asked.append(UUID(int=len(self.asked) + 1 + 1000 * self.explored.runs, version=4))
        self._tell(
            WalkRequested(
                request_id=self.asked[-1],
                place=PLACES[number % len(PLACES)],
                place_from_postcode=True,
                reasons=(Reason.BADLY_LIT,),
                availability=WHEN,
                contact=ContactRules(channels=(Channel.EMAIL,)),
                group_walk_welcome=True,
            )
        )

    @rule(woman=women, number=numbers)
    def changes_her_mind(self, woman: int, number: int) -> None:
        """She wants to walk elsewhere, or not at all; excludes somebody; contact is safe no more; she is erased."""
        request_id = self.asked[woman % len(self.asked)]
        excluded = OFFICERS[number % len(OFFICERS)]
        contact = ContactRules(channels=(Channel.EMAIL,))
        events: list[Event] = [
            WalkRequestAmended(
                request_id=request_id,
                place=PLACES[number % len(PLACES)],
                place_from_postcode=True,
                reasons=(Reason.FOLLOWED,),
                availability=WHEN,
            ),
            ContactRulesChanged(
                request_id=request_id, contact=contact.model_copy(update={"excluded_officers": (excluded,)})
            ),
            ContactRulesChanged(
                request_id=request_id,
                contact=contact.model_copy(update={"excluded_teams": (("bs1", "bs2")[number // 13 % 2],)}),
            ),
            ContactRulesChanged(request_id=request_id, contact=contact.model_copy(update={"stopped": True})),
            ContactRulesChanged(request_id=request_id, contact=contact),
            ContactWanted(request_id=request_id, contact_id=UUID(int=number + 1, version=4), urgency=Urgency.SAME_DAY),
            WalkRequestWithdrawn(request_id=request_id),
            ParticipantErased(request_id=request_id),
        ]
        self._tell(events[number % 13 % len(events)])

    @rule(who=st.sampled_from([0, 1]), walk=numbers, number=numbers)
    def excludes_who_has_her_walk(self, who: int, walk: int, number: int) -> None:
        """An officer takes a walk, perhaps with another, and she wants neither this officer, nor this team."""
        self.run(self._command("take", who, walk, 0))
        if number % 2:
            self.run(self._command("arrange", who, walk, number))
        self.nothing_forbidden()
        held = [(id_, officers) for id_, (_, officers, _) in sorted(self.looked.walks.items()) if officers]
        if not held:
            return
        id_, officers = held[walk % len(held)]
        own_team = next((one.team_id for one in self.place.register.values() if one.id == officers[-1]), "bs1")
        excluded = {"excluded_teams": (own_team,)} if number % 3 == 0 else {"excluded_officers": (officers[-1],)}
        contact = ContactRules(channels=(Channel.EMAIL,)).model_copy(update=excluded)
        for request_id in self.looked.requests.get(id_, ())[:1]:
            self._tell(ContactRulesChanged(request_id=request_id, contact=contact))
        self.in_order(len(self.told))

    @rule(number=numbers)
    def answers(self, number: int) -> None:
        """She chooses a proposed time, one that nobody proposed, or none."""
        rows = self.run(
            self.place.admin.fetch(
                "SELECT w.id, w.proposal, r.id AS request_id FROM walk w"
                " JOIN request r ON r.force_id = w.force_id AND r.walk_id = w.id"
                " WHERE w.proposal IS NOT NULL ORDER BY r.id"
            )
        )
        if not rows:
            return
        row = rows[number % len(rows)]
        proposal = self.run(_proposal(self.place, row["id"]))
        times = [*proposal["times"], None, moment(self.place, number).isoformat()]
        self._tell(
            ProposalAnswered(
                request_id=UUID(int=row["request_id"].int),
                walk_id=UUID(int=row["id"].int),
                proposal_id=UUID(proposal["id"]),
                chosen=times[number // 5 % len(times)],
            )
        )

    def _tell(self, event: Event) -> None:
        self.explored.steps[event.name] += 1
        self.sequences[event.key] += 1
        key = str(event.key).encode()
        headers = Envelope(
            UUID(int=len(self.told) + 1 + 100_000 * self.explored.runs, version=4),
            "/intake",
            event.type(),
            self.place.now,
            str(event.key),
            "urn:none",
            FORCE,
            self.sequences[event.key],
        ).headers()
        value = event.model_dump_json().encode()
        self.told.append(Record(event.topic, 0, len(self.told), key, value, tuple(headers)))

    # What the bus brings.

    @rule(many=st.integers(1, 6))
    def in_order(self, many: int) -> None:
        """The next records come, in one batch."""
        batch = self.told[self.brought : self.brought + many]
        self.brought += len(batch)
        self.explored.steps["records in order"] += len(batch)
        self.run(self._bring(batch))

    @rule(which=st.lists(numbers, min_size=1, max_size=4))
    def in_any_order(self, which: list[int]) -> None:
        """Records come early, late or again, in any order."""
        batch = [self.told[number % len(self.told)] for number in which]
        self.explored.steps["records in any order"] += len(batch)
        self.run(self._bring(batch))

    async def _bring(self, batch: list[Record]) -> None:
        if batch:
            await self.place.inbox.take(batch)
        await self.place.inbox.sweep()

    # What people do.

    @rule(each=st.lists(st.tuples(kinds, anybody, numbers, numbers), min_size=1, max_size=6))
    def commands(self, each: list[tuple[str, int, int, int]]) -> None:
        """People command something of some walks; what is not allowed is refused, and nothing of it is done."""
        for command, who, walk, number in each:
            self.run(self._command(command, who, walk, number))
            self.nothing_forbidden()

    @rule(who=st.sampled_from([0, 1]), walk=numbers, hours=st.sampled_from([0, 1, 2, 3]), far=st.integers(1, 4))
    def goes_well(self, who: int, walk: int, hours: int, far: int) -> None:
        """An officer takes a walk, arranges it, and records it when it has been held; or comes as far as this."""
        for name, number in (("take", 0), ("arrange", hours))[:far]:
            self.run(self._command(name, who, walk, number))
        if far > 2:
            self.time_passes(240)
            self.nothing_forbidden()
            self.run(self._command("complete", who, walk, 0))

    @rule(who=st.sampled_from([0, 1]), walk=numbers, others=st.lists(numbers, min_size=1, max_size=3), hours=numbers)
    def walk_together(self, who: int, walk: int, others: list[int], hours: int) -> None:
        """An officer takes a walk, asks other women along, and arranges it with all of them."""
        self.run(self._command("take", who, walk, 0))
        for other in others:
            self.run(self._command("join", who, walk, other))
        self.run(self._command("bring a second", who, walk, 1 - who + 5))
        self.run(self._command("arrange", who, walk, hours))

    @rule(who=st.sampled_from([0, 1]), walk=numbers, number=numbers)
    def something_is_disclosed(self, who: int, walk: int, number: int) -> None:
        """It comes up on a walk, which somebody then tries to close; perhaps it was recorded, perhaps not."""
        for name, drawn in (("take", 0), ("arrange", 0), ("disclose", 0)):
            self.run(self._command(name, who, walk, drawn))
        self.nothing_forbidden()
        self.run(self._command("record what was disclosed", who, walk, number))
        self.time_passes(60)
        self.run(self._command("complete", who, walk, 0))

    async def _command(self, command: str, who: int, walk: int, number: int) -> None:
        walks = sorted(self.looked.walks)
        walk_id = walks[walk % len(walks)]
        if who == len(WHO):
            _, officers, _ = self.looked.walks[walk_id]
            who = next((OFFICERS.index(one) for one in officers if one in OFFICERS), 0)
        way = COMMANDS[command]
        self.explored.steps["commands"] += 1
        try:
            async with self.place.deps.database.transaction([FORCE]) as tx:
                by = await self.place.person(tx, who)
                drawn = way.draw(self.place, UUID(int=walk_id.int), by, number)
                await way.do(tx, drawn, self.place)
            self.explored.done[command] += 1
        except Refusal as refusal:
            self.explored.refused[type(refusal).__name__] += 1

    @rule(officer=st.integers(0, len(OFFICERS) - 1), number=numbers)
    def register_changes(self, officer: int, number: int) -> None:
        """An officer is trained, or is not any more, or leaves the register or comes back."""
        id_ = OFFICERS[officer]
        whole = {one.id: one for one in self.place.deps.registers.officers[FORCE]}
        trained_on: date | None = (date(2026, 1, 5), None, date(2027, 4, 1))[number % 3]
        if number % 7 == 0:
            self.place.register.pop(id_, None)
        else:
            self.place.register[id_] = replace(whole[id_], trained_on=trained_on, trained_elsewhere_on=trained_on)
        self.explored.steps["register changes"] += 1
        self.run(self.place.enrol(FORCE, self.place.register))

    @rule(minutes=st.sampled_from([5, 45, 60, 90, 24 * 60, 7 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        """The clock goes on, and what has fallen due is done."""
        self.place.now += timedelta(minutes=minutes)
        self.explored.steps["time passes"] += 1

        async def fire() -> None:
            while await self.place.timers.fire_due():
                pass

        self.run(fire())

    @invariant()
    def nothing_forbidden(self) -> None:
        """Look at all walks, how they stand and how they came to."""
        policy = self.place.deps.policies[FORCE]
        self.looked = self.run(look(self.place.admin, self.looked, self.place.register, policy.walks, self.place.now))
        self.place.requests = self.looked.requests
        self.place.disclosures = self.looked.disclosures
        for state, _, _ in self.looked.walks.values():
            self.explored.states[state] += 1


async def _proposal(place: Place, walk_id: UUID) -> dict[str, Any]:
    import json

    return dict(json.loads(await place.admin.fetchval("SELECT proposal::text FROM walk WHERE id = $1", walk_id)))
