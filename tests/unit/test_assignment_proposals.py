"""Times proposed to her, her answer, a walk that is moved, and what she changes: the rules, by table."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.assignment.domain import routing
from services.assignment.domain.areas import Located
from services.assignment.domain.arranging import answer_proposal, arrange, cancel, not_possible, propose
from services.assignment.domain.contact import amend, change_contact
from services.assignment.domain.refusals import (
    AnswerTooLate,
    ContactStopped,
    MeetingPlaceMissing,
    ProposedToSeveral,
    TimesWrong,
    WalkAlreadyCancelled,
    WalkAlreadyCompleted,
    WalkNotTaken,
    WrongField,
)
from services.assignment.domain.walks import Changed, Proposal, ProposalAnswer, State, TriageReason, Walk
from shared.contracts.kinds import PartOfDay, Point, Weekday
from shared.contracts.refusals import Refusal
from shared.contracts.walk_requests import Availability, ProposalAnswered, WalkRequestAmended
from shared.contracts.walks import (
    RoutedBy,
    WalkArranged,
    WalkProposed,
    WalkRearranged,
    WalkReturned,
    WalkRouted,
    WalkTaken,
)
from tests.unit.test_assignment_domain import (
    COVERED,
    FORCE,
    MONDAY,
    PLACE,
    RULES,
    a_request,
    a_taken_walk,
    a_walk,
    an_arranged_walk,
    completed,
    contact_rules,
)

TUESDAY = MONDAY + timedelta(days=1, hours=8)
THURSDAY = MONDAY + timedelta(days=3, hours=8)
ELSEWHERE = Point(latitude=51.38, longitude=-2.36)
NEXT_DOOR = Located("bs2", "bs1", "v1", RoutedBy.COVERS)
BATH = Located("ba1", "ba1", "v1", RoutedBy.COVERS)


def proposed(walk: Walk | None = None, *times: datetime) -> Walk:
    return propose(walk or a_taken_walk(), uuid4(), times or (TUESDAY, THURSDAY), "The library", None, MONDAY).walk


def answered(walk: Walk, chosen: datetime | None, **changed: Any) -> ProposalAnswered:
    assert walk.proposal is not None
    given = {"request_id": walk.requests[0].id, "walk_id": walk.id, "proposal_id": walk.proposal.id, "chosen": chosen}
    return ProposalAnswered(**{**given, **changed})


def answer(walk: Walk, chosen: datetime | None, at: datetime = MONDAY, **changed: Any) -> Changed:
    return answer_proposal(walk, answered(walk, chosen, **changed), at, RULES, at)


def amended(walk: Walk, **changed: Any) -> WalkRequestAmended:
    return WalkRequestAmended(
        **{
            "request_id": walk.requests[0].id,
            "place": PLACE,
            "place_from_postcode": True,
            "availability": Availability(days=(Weekday.FRIDAY,), parts=(PartOfDay.EVENING,)),
            **changed,
        }
    )


def a_taken_walk_of_one_who_stopped() -> Walk:
    walk = a_taken_walk()
    return change_contact(walk, {walk.requests[0].id: contact_rules(stopped=True)})


class TestProposing:
    def test_times_are_told_in_order_and_each_once_and_the_walk_stays_where_it_is(self) -> None:
        """However the officer entered them; she has until an hour before the first."""
        walk = a_taken_walk()
        changed = propose(walk, uuid4(), (THURSDAY, TUESDAY, TUESDAY), " The <b>library</b> ", None, MONDAY)
        (event,) = changed.events
        assert isinstance(event, WalkProposed)
        assert (event.times, event.meeting_place) == ((TUESDAY, THURSDAY), "The library")
        assert event.answer_by == TUESDAY - timedelta(hours=1)
        assert changed.walk == replace(
            walk, proposal=Proposal(event.proposal_id, event.times, "The library", event.answer_by)
        )

    def test_a_proposal_replaces_the_one_before(self) -> None:
        """One is open at a time."""
        first = proposed()
        second = propose(first, uuid4(), (THURSDAY,), "The station", None, MONDAY).walk
        assert second.proposal is not None and second.proposal.times == (THURSDAY,)
        assert answer(second, TUESDAY, proposal_id=first.proposal.id if first.proposal else None).walk == second

    def test_a_time_within_the_hour_can_be_chosen_until_it_comes(self) -> None:
        """There is no hour before it."""
        at = MONDAY + timedelta(minutes=30)
        walk = proposed(None, at)
        assert walk.proposal is not None and walk.proposal.answer_by == at

    @pytest.mark.parametrize(
        ("times", "answer_by", "place", "refusal"),
        [
            ((), None, "The library", TimesWrong),
            (tuple(TUESDAY + timedelta(hours=n) for n in range(6)), None, "The library", TimesWrong),
            ((MONDAY,), None, "The library", TimesWrong),
            ((MONDAY - timedelta(hours=1), TUESDAY), None, "The library", TimesWrong),
            ((MONDAY + timedelta(days=400),), None, "The library", TimesWrong),
            ((TUESDAY + timedelta(minutes=7),), None, "The library", TimesWrong),
            ((TUESDAY + timedelta(seconds=1),), None, "The library", TimesWrong),
            ((TUESDAY,), MONDAY, "The library", AnswerTooLate),
            ((TUESDAY, THURSDAY), TUESDAY + timedelta(minutes=5), "The library", AnswerTooLate),
            ((TUESDAY,), None, " <i></i> ", MeetingPlaceMissing),
        ],
    )
    def test_what_cannot_be_right_is_refused_by_field(
        self, times: tuple[datetime, ...], answer_by: datetime | None, place: str, refusal: type[WrongField]
    ) -> None:
        """None or too many, past, too far ahead, off the grid, no while to answer, no place."""
        with pytest.raises(refusal) as caught:
            propose(a_taken_walk(), uuid4(), times, place, answer_by, MONDAY)
        assert list(caught.value.fields) == [refusal.field]

    @pytest.mark.parametrize(
        ("walk", "refusal"),
        [
            (a_walk(), WalkNotTaken),
            (a_taken_walk(a_request(), a_request()), ProposedToSeveral),
            (cancel(a_walk(), "other").walk, WalkAlreadyCancelled),
            (completed(an_arranged_walk()).walk, WalkAlreadyCompleted),
            (a_taken_walk_of_one_who_stopped(), ContactStopped),
        ],
    )
    def test_a_walk_that_cannot_be_proposed_says_why(self, walk: Walk, refusal: type[Refusal]) -> None:
        """Each in its own sentence."""
        with pytest.raises(refusal):
            propose(walk, uuid4(), (TUESDAY,), "The library", None, MONDAY)

    def test_one_woman_left_of_several_can_be_proposed_to(self) -> None:
        """Who has withdrawn need not choose."""
        walk = a_taken_walk(a_request(), a_request(withdrawn_at=MONDAY))
        assert proposed(walk).proposal is not None


class TestAnswering:
    def test_the_time_she_chose_is_arranged_at_once(self) -> None:
        """Told as any arranged walk; nothing is left to choose from."""
        changed = answer(proposed(), THURSDAY)
        (event,) = changed.events
        assert type(event) is WalkArranged and event.starts_at == THURSDAY
        assert (changed.walk.state, changed.walk.proposal) == (State.ARRANGED, None)

    def test_the_time_she_chose_for_an_arranged_walk_moves_it(self) -> None:
        """It stood until she chose."""
        walk = proposed(an_arranged_walk(), THURSDAY)
        assert walk.state is State.ARRANGED
        (event,) = answer(walk, THURSDAY).events
        assert isinstance(event, WalkRearranged) and (event.before, event.starts_at) == (walk.starts_at, THURSDAY)

    @pytest.mark.parametrize("walk", [a_taken_walk(), an_arranged_walk()])
    def test_none_of_them_leaves_the_walk_as_it_was_and_the_officer_sees_it(self, walk: Walk) -> None:
        """Taken stays taken, arranged stays arranged; nothing is told."""
        changed = answer(proposed(walk, THURSDAY), None)
        assert (changed.events, changed.walk.state) == ((), walk.state)
        assert changed.walk.proposal is not None and changed.walk.proposal.answer is ProposalAnswer.NONE_SUITS

    @pytest.mark.parametrize(
        ("chosen", "at", "changed"),
        [
            (THURSDAY, MONDAY, {"proposal_id": uuid4()}),
            (THURSDAY + timedelta(hours=1), MONDAY, {}),
            (THURSDAY, TUESDAY - timedelta(minutes=59), {}),
            (None, TUESDAY, {}),
        ],
    )
    def test_an_answer_to_something_else_or_too_late_changes_nothing(
        self, chosen: datetime | None, at: datetime, changed: dict[str, Any]
    ) -> None:
        """Of a proposal that was replaced, a time nobody proposed, after the last moment."""
        walk = proposed()
        assert answer(walk, chosen, at, **changed) == Changed(walk)

    def test_an_answer_in_time_that_comes_when_the_hour_has_passed_is_shown_to_the_officer(self) -> None:
        """The bus was away for days: she is not told of a walk in the past."""
        walk = proposed()
        changed = answer_proposal(walk, answered(walk, TUESDAY), MONDAY, RULES, THURSDAY)
        assert changed == Changed(not_possible(walk, TUESDAY))
        assert changed.walk.proposal is not None and changed.walk.proposal.chosen == TUESDAY

    @pytest.mark.parametrize("first", [THURSDAY, None])
    @pytest.mark.parametrize("second", [THURSDAY, TUESDAY, None])
    def test_a_second_answer_changes_nothing(self, first: datetime | None, second: datetime | None) -> None:
        """The first holds."""
        walk = proposed()
        once = answer(walk, first).walk
        assert answer_proposal(once, answered(walk, second), MONDAY, RULES, MONDAY) == Changed(once)

    @pytest.mark.parametrize(
        "meanwhile",
        [
            lambda walk: cancel(walk, "other").walk,
            lambda walk: arrange(walk, THURSDAY, "The station", RULES, MONDAY).walk,
            lambda walk: change_contact(walk, {walk.requests[0].id: contact_rules(stopped=True)}),
            lambda walk: change_contact(
                walk, {walk.requests[0].id: contact_rules(excluded_officers=(walk.officer_id,))}
            ),
            lambda walk: amend(walk, amended(walk), COVERED, MONDAY).walk,
        ],
        ids=["cancelled", "arranged by hand", "contact stopped", "officer excluded", "amended"],
    )
    def test_what_was_proposed_lapses_with_what_happens_meanwhile(self, meanwhile: Any) -> None:
        """Her answer, on its way then, changes nothing."""
        walk = proposed()
        after = meanwhile(walk)
        assert after.proposal is None
        assert answer_proposal(after, answered(walk, TUESDAY), MONDAY, RULES, MONDAY) == Changed(after)


class TestMoving:
    def test_an_arranged_walk_that_is_arranged_anew_is_told_as_moved(self) -> None:
        """With the time it had before; the first time is told as arranged."""
        walk = an_arranged_walk()
        (event,) = arrange(walk, THURSDAY, "The station", RULES, MONDAY).events
        assert isinstance(event, WalkRearranged)
        assert (event.before, event.starts_at, event.meeting_place) == (walk.starts_at, THURSDAY, "The station")
        (first,) = arrange(a_taken_walk(), THURSDAY, "The station", RULES, MONDAY).events
        assert type(first) is WalkArranged


class TestAmending:
    def test_other_days_change_what_the_officer_reads_and_nothing_else(self) -> None:
        """The walk stays with its officer; nothing is told."""
        walk = a_taken_walk()
        changed = amend(walk, amended(walk), COVERED, THURSDAY)
        assert (changed.events, changed.walk.state, changed.walk.officer_id) == ((), State.TAKEN, "officer-1")
        (request,) = changed.walk.requests
        assert (request.availability.days, request.amended_at) == ((Weekday.FRIDAY,), THURSDAY)
        assert request.contact == walk.requests[0].contact

    @pytest.mark.parametrize(
        ("walk", "located", "state", "told"),
        [
            (a_walk(), BATH, State.ROUTED, WalkRouted),
            (a_taken_walk(), BATH, State.ROUTED, WalkRouted),
            (a_taken_walk(), NEXT_DOOR, State.TAKEN, WalkTaken),
            (a_walk(), None, State.TRIAGE, WalkReturned),
            (a_taken_walk(), None, State.TRIAGE, WalkReturned),
            (routing.route(FORCE, uuid4(), a_request(), None, RULES).walk, BATH, State.ROUTED, WalkRouted),
            (an_arranged_walk(), BATH, State.ARRANGED, None),
            (completed(an_arranged_walk()).walk, BATH, State.COMPLETED, None),
            (cancel(a_walk(), "other").walk, BATH, State.CANCELLED, None),
            (a_taken_walk(a_request(), a_request()), BATH, State.TAKEN, None),
        ],
        ids=lambda one: getattr(one, "state", None) or getattr(one, "team_id", None) or getattr(one, "name", one),
    )
    def test_a_new_place_goes_to_its_team_unless_the_walk_is_arranged_or_over(
        self, walk: Walk, located: Located | None, state: State, told: type | None
    ) -> None:
        """An officer of the same team keeps it, a group walk goes where it went, outside all areas a person looks."""
        changed = amend(walk, amended(walk, place=ELSEWHERE), located, MONDAY)
        assert changed.walk.state is state
        assert [type(event) for event in changed.events] == ([told] if told else [])
        assert changed.walk.requests[0].place == ELSEWHERE
        if state is State.ROUTED:
            assert changed.walk.located == located
            assert (changed.walk.officer_id, changed.walk.triage_reason) == (None, None)
        assert (changed.walk.triage_reason is not None) == (state is State.TRIAGE)

    def test_a_team_she_excludes_is_not_given_her_new_place(self) -> None:
        """A coordinator decides, as when she first asked."""
        walk = a_taken_walk(a_request(contact=contact_rules(excluded_teams=("ba1",))))
        changed = amend(walk, amended(walk, place=ELSEWHERE), BATH, MONDAY)
        assert changed.walk.triage_reason is TriageReason.CONTACT_RULES
        assert [type(event) for event in changed.events] == [WalkReturned]
