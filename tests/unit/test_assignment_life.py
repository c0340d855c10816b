"""The life of a walk under any order of what people and the bus do to it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.assignment.domain import (
    arranging,
    check_ins,
    contact,
    groups,
    not_held,
    passing,
    record,
    routing,
    second,
    taking,
)
from services.assignment.domain.areas import Area, Located
from services.assignment.domain.disclosures import (
    Disclosure,
    DisclosureKind,
    Given,
    Mistake,
    Safeguarding,
    open_disclosure,
    record_disclosure,
    withdraw_disclosure,
)
from services.assignment.domain.people import Person
from services.assignment.domain.walks import ENDED, Changed, State, Walk
from shared.contracts.envelope import Event
from shared.contracts.kinds import Point
from shared.contracts.policy import DisclosureRules, WalkRules
from shared.contracts.refusals import Refusal
from shared.contracts.walk_requests import ProposalAnswered, WalkRequestAmended
from shared.contracts.walks import (
    RoutedBy,
    WalkArranged,
    WalkCancelled,
    WalkCompleted,
    WalkRearranged,
    WalkRouted,
    WalkTaken,
    WhatNext,
    WhyNotHeld,
)
from tests.unit.test_assignment_domain import FORCE, a_request, an_officer, contact_rules

RULES = WalkRules(minimum_minutes=30, group_size=3)
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
AREAS = {name: Area(FORCE, name, name, name, name, "v1") for name in ("bs1", "bs2")}
OFFICERS = {
    name: an_officer(id=name, team_id=team, team_ids=frozenset({team, "bs1"}))
    for name, team in (("officer-1", "bs1"), ("officer-2", "bs2"))
}


class LifeOfAWalk(RuleBasedStateMachine):
    """Any of these may be tried at any time; each either changes the walk lawfully or is refused by name."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.told: list[Event] = []
        self.disclosures: dict[UUID, Disclosure] = {}
        self.closed = False

    @initialize(located=st.booleans(), requests=st.integers(1, 3))
    def requested(self, located: bool, requests: int) -> None:
        place = Located("bs1", "bs1", "v1", RoutedBy.COVERS) if located else None
        made = routing.route(FORCE, uuid4(), a_request(), place, RULES)
        self.told += made.events
        more = tuple(a_request() for _ in range(requests - 1))
        self.walk: Walk = replace(made.walk, requests=(*made.walk.requests, *more))

    def attempt(self, decide: object, *given: object, **named: object) -> None:
        assert callable(decide)
        before = self.walk
        try:
            changed = decide(self.walk, *given, **named)
        except Refusal:
            assert self.walk == before
            return
        assert isinstance(changed, Changed)
        assert before.state not in ENDED or changed.walk.state == before.state
        self.walk = changed.walk
        self.told += changed.events

    @rule(area=st.sampled_from([*AREAS, None]))
    def route_by_hand(self, area: str | None) -> None:
        self.attempt(routing.route_by_hand, AREAS.get(area or ""))

    @rule(officer=st.sampled_from(sorted(OFFICERS)))
    def take(self, officer: str) -> None:
        self.attempt(taking.take, OFFICERS[officer], RULES, self.now)

    @rule(hours=st.integers(-1, 48))
    def arrange(self, hours: int) -> None:
        self.attempt(arranging.arrange, self.now + timedelta(hours=hours), "The library", RULES, self.now)

    @rule(hours=st.sets(st.integers(-1, 48), max_size=6))
    def propose(self, hours: set[int]) -> None:
        times = [self.now + timedelta(hours=n) for n in hours]
        self.attempt(arranging.propose, uuid4(), times, "The library", None, self.now)

    @rule(which=st.integers(0, 5), ago=st.integers(0, 3), stale=st.booleans())
    def answer(self, which: int, ago: int, stale: bool) -> None:
        proposal = self.walk.proposal
        times = (*(proposal.times if proposal else ()), None)
        answered = ProposalAnswered(
            request_id=self.walk.requests[0].id,
            walk_id=self.walk.id,
            proposal_id=uuid4() if stale or proposal is None else proposal.id,
            chosen=times[which % len(times)],
        )
        self.attempt(arranging.answer_proposal, answered, self.now - timedelta(hours=ago), RULES, self.now)

    @rule(number=st.integers(0, 2), north=st.integers(0, 2), area=st.sampled_from([*AREAS, None]))
    def amend(self, number: int, north: int, area: str | None) -> None:
        request = self.walk.requests[number % len(self.walk.requests)]
        amended = WalkRequestAmended(
            request_id=request.id,
            place=Point(latitude=51.45 + north / 100, longitude=-2.59),
            place_from_postcode=True,
            availability=request.availability,
        )
        located = Located(area, area, "v1", RoutedBy.COVERS) if area else None
        self.attempt(contact.amend, amended, located, self.now)

    @rule(minutes=st.integers(-5, 90), disclosed=st.sampled_from([True, False, None]))
    def complete(self, minutes: int, disclosed: bool | None) -> None:
        start = self.now - timedelta(minutes=minutes)
        standing = list(self.disclosures.values())
        self.attempt(
            record.complete,
            start,
            self.now,
            True,
            [],
            [],
            RULES,
            self.now,
            disclosures=standing,
            disclosed=disclosed,
        )
        if self.walk.state is State.COMPLETED and not self.closed:
            self.closed = True
            assert not any(each.is_unsettled for each in standing)
            assert not disclosed or any(each.withdrawn_at is None for each in standing)

    @rule()
    def disclose(self) -> None:
        with suppress(Refusal):
            found = open_disclosure(
                self.walk, list(self.disclosures.values()), uuid4(), "officer-1", DisclosureRules(), self.now
            )
            self.disclosures[found.id] = found

    @rule(which=st.integers(0, 3), reference=st.booleans(), safeguarding=st.booleans())
    def record_disclosure(self, which: int, reference: bool, safeguarding: bool) -> None:
        if self.disclosures:
            found = list(self.disclosures.values())[which % len(self.disclosures)]
            given = Given(
                kind=DisclosureKind.CRIME,
                reference="5226/123456" if reference else None,
                safeguarding=(Safeguarding.MADE_SAFE,) if safeguarding else (),
                safeguarded_at=self.now,
            )
            with suppress(Refusal):
                self.disclosures[found.id] = record_disclosure(found, given, "officer-1", self.now)

    @rule(which=st.integers(0, 3), by=st.sampled_from(["officer-1", "coordinator-1"]), may=st.booleans())
    def withdraw_disclosure(self, which: int, by: str, may: bool) -> None:
        if self.disclosures:
            found = list(self.disclosures.values())[which % len(self.disclosures)]
            person = Person(FORCE, by, may, None, frozenset(), None)
            with suppress(Refusal):
                self.disclosures[found.id] = withdraw_disclosure(found, Mistake.OPENED_BY_MISTAKE, person, self.now)

    @rule()
    def cancel(self) -> None:
        self.attempt(arranging.cancel, "other")

    @rule(number=st.integers(0, 2))
    def withdraw(self, number: int) -> None:
        request = self.walk.requests[number % len(self.walk.requests)]
        self.attempt(contact.withdraw, frozenset({request.id}), self.now)

    @rule(
        number=st.integers(0, 2),
        officers=st.sets(st.sampled_from(sorted(OFFICERS))),
        teams=st.sets(st.sampled_from(sorted(AREAS))),
        stopped=st.booleans(),
    )
    def change_contact(self, number: int, officers: set[str], teams: set[str], stopped: bool) -> None:
        request = self.walk.requests[number % len(self.walk.requests)]
        rules = contact_rules(
            excluded_officers=tuple(sorted(officers)), excluded_teams=tuple(sorted(teams)), stopped=stopped
        )
        self.walk = contact.change_contact(self.walk, {request.id: rules})

    @rule(officer=st.sampled_from([*sorted(OFFICERS), "untrained", None]))
    def bring(self, officer: str | None) -> None:
        if officer is None:
            self.attempt(second.leave)
            return
        found = OFFICERS.get(officer) or an_officer(id=officer, trained_on=None)
        self.attempt(second.bring, found, RULES, self.now)

    @rule(officer=st.sampled_from(sorted(OFFICERS)))
    def hand_over(self, officer: str) -> None:
        self.attempt(passing.to_officer, OFFICERS[officer], RULES, self.now)

    @rule(area=st.sampled_from(sorted(AREAS)))
    def to_team(self, area: str) -> None:
        self.attempt(passing.to_team, AREAS[area])

    @rule()
    def give_back(self) -> None:
        self.attempt(passing.give_back)

    @rule(why=st.sampled_from(list(WhyNotHeld)), what_next=st.sampled_from(list(WhatNext)))
    def not_held(self, why: WhyNotHeld, what_next: WhatNext) -> None:
        self.attempt(not_held.not_held, why, what_next, self.now)

    @rule(is_back=st.booleans(), by=st.sampled_from([*sorted(OFFICERS), "boss"]))
    def check_in(self, is_back: bool, by: str) -> None:
        person = Person(FORCE, by, by == "boss", "bs1", frozenset({"bs1"}), None)
        self.attempt(check_ins.check_in, person, is_back, RULES, self.now)

    @rule(welcome=st.booleans(), excluded=st.sets(st.sampled_from(sorted(OFFICERS))))
    def join(self, welcome: bool, excluded: set[str]) -> None:
        """Those of this walk say whether others are welcome; another woman comes with hers."""
        ours = tuple(replace(request, group_walk_welcome=welcome) for request in self.walk.requests)
        self.walk = replace(self.walk, requests=ours)
        rules = contact_rules(excluded_officers=tuple(sorted(excluded)))
        place = Located("bs1", "bs1", "v1", RoutedBy.COVERS)
        hers = routing.route(FORCE, uuid4(), a_request(group_walk_welcome=True, contact=rules), place, RULES).walk
        with suppress(Refusal):
            together = groups.join(self.walk, hers, RULES, self.now)
            assert len(groups.left_in(together.walk.walk)) <= RULES.group_size
            self.walk = together.walk.walk
            self.told += together.walk.events

    @rule(number=st.integers(0, 3))
    def part(self, number: int) -> None:
        request = self.walk.requests[number % len(self.walk.requests)]
        with suppress(Refusal):
            apart = groups.part(self.walk, request.id, uuid4(), None, RULES)
            assert groups.left_in(apart.walk) and apart.hers.walk.requests == (request,)
            self.walk = apart.walk

    @rule(hours=st.integers(1, 100))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @invariant()
    def one_disclosure_is_open_at_a_time_and_none_loses_what_was_recorded(self) -> None:
        assert sum(each.is_unsettled for each in self.disclosures.values()) <= 1
        for each in self.disclosures.values():
            assert each.withdrawn_at is None or (each.reference is None and each.withdrawn_by != each.opened_by)

    @invariant()
    def nobody_she_excludes_has_an_open_walk(self) -> None:
        if self.walk.state in (State.TAKEN, State.ARRANGED):
            assert not self.walk.excludes_officer(self.walk.officer_id)
            assert self.walk.located is not None and not self.walk.excludes_team(self.walk.located.team_id)

    @invariant()
    def a_second_officer_is_another_who_may_walk_and_whom_nobody_excludes(self) -> None:
        if self.walk.second_id is not None and self.walk.state not in ENDED:
            assert self.walk.state in (State.TAKEN, State.ARRANGED)
            assert self.walk.second_id != self.walk.officer_id and self.walk.second_id in OFFICERS
            assert not self.walk.excludes_officer(self.walk.second_id)

    @invariant()
    def what_a_state_needs_is_there(self) -> None:
        walk = self.walk
        assert (walk.triage_reason is not None) == (walk.state is State.TRIAGE)
        assert (walk.cancel_reason is not None) == (walk.state is State.CANCELLED)
        assert walk.state in (State.TRIAGE, State.CANCELLED) or walk.located is not None
        assert walk.state not in (State.TAKEN, State.ARRANGED, State.COMPLETED) or walk.officer_id is not None
        assert walk.state is not State.ARRANGED or (walk.starts_at is not None and walk.busy_until is not None)

    @invariant()
    def what_is_proposed_has_an_officer_to_keep_it(self) -> None:
        if self.walk.proposal is not None:
            assert self.walk.state in (State.TAKEN, State.ARRANGED)
            assert not self.walk.contact_stopped

    @invariant()
    def a_walk_ends_once_and_nothing_is_told_after(self) -> None:
        ends = [n for n, event in enumerate(self.told) if isinstance(event, WalkCompleted | WalkCancelled)]
        assert ends in ([], [len(self.told) - 1])

    @invariant()
    def what_is_told_follows_what_it_needs(self) -> None:
        for n, event in enumerate(self.told):
            kinds = {type(earlier) for earlier in self.told[:n]}
            if isinstance(event, WalkTaken):
                assert WalkRouted in kinds
            if isinstance(event, WalkArranged):
                assert WalkTaken in kinds
            if isinstance(event, WalkRearranged):
                assert WalkArranged in kinds
            if isinstance(event, WalkCompleted):
                assert WalkArranged in kinds


TestLifeOfAWalk = LifeOfAWalk.TestCase
TestLifeOfAWalk.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
