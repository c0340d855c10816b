"""Follow-ups: wanted again, tried by her ways alone, handed over to whoever may."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.domain.attempts import Outcome, VoicemailNotAllowed, WayNotAllowed
from services.assignment.domain.calls import Way, attempt, outcomes, ways
from services.assignment.domain.follow_ups import FollowUp, follow_up, hand_over, review, want_again
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import (
    AttemptTimeWrong,
    ContactStopped,
    FollowUpAlreadyCompleted,
    NobodyToContact,
    NotOfThisTeam,
    NotTrained,
    NotYourFollowUp,
    OfficerExcluded,
    OfficerOff,
    OutcomeDoesNotFit,
)
from services.assignment.domain.walks import State
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.kinds import Channel, SurveyName, Urgency
from shared.contracts.walk_requests import ContactWanted
from tests.unit.test_assignment_domain import (
    FORCE,
    MONDAY,
    POLICY,
    RULES,
    a_request,
    an_arranged_walk,
    an_officer,
    contact_rules,
)

CALLED = {"channels": (Channel.PHONE, Channel.LETTER), "may_say_police": True, "may_leave_voicemail": True}
WALK = replace(an_arranged_walk(a_request(contact=contact_rules(**CALLED))), state=State.COMPLETED)


def wanted(urgency: Urgency = Urgency.SOON) -> ContactWanted:
    return ContactWanted(request_id=WALK.requests[0].id, contact_id=uuid4(), urgency=urgency)


def opened(urgency: Urgency = Urgency.SOON, at: datetime = MONDAY) -> FollowUp:
    return follow_up(WALK, wanted(urgency), uuid4(), POLICY, at)


def a_review() -> FollowUp:
    flagged = FeedbackFlagged(flag_id=uuid4(), survey=SurveyName.AFTER_WALK, reasons=("worried",), urgency=Urgency.SOON)
    found = review(flagged, FORCE, POLICY, MONDAY)
    assert found is not None
    return found


def somebody(id_: str = "officer-1", *, coordinator: bool = False) -> Person:
    return Person(FORCE, id_, coordinator, "bs1", frozenset({"bs1"}), None)


def test_wanted_again_while_open_it_is_one_and_as_urgent_as_the_more_urgent() -> None:
    """Due no later than before, and never less urgent for a second, milder answer."""
    soon = opened()
    now = MONDAY + timedelta(hours=3)
    hurried = want_again(soon, WALK, wanted(Urgency.SAME_DAY), POLICY, now)
    assert (hurried.id, hurried.urgency, hurried.opened_at) == (soon.id, Urgency.SAME_DAY, MONDAY)
    assert hurried.due_at < soon.due_at
    calm = want_again(hurried, WALK, wanted(Urgency.SOON), POLICY, now)
    assert (calm.urgency, calm.due_at, calm.reopened) == (Urgency.SAME_DAY, hurried.due_at, 0)


def test_wanted_again_after_it_was_completed_it_is_open_with_a_day_of_its_own() -> None:
    """Nothing of how it ended the first time makes it late or done; that it was is counted."""
    done = replace(
        opened(), completed_at=MONDAY, completed_by="officer-1", outcome="reached", overdue_at=MONDAY, officer_id="x"
    )
    later = MONDAY + timedelta(days=20)
    second = wanted(Urgency.SAME_DAY)
    again = want_again(done, WALK, second, POLICY, later)
    assert (again.id, again.reopened, again.opened_at) == (done.id, 1, later)
    assert again.due_at > later and again.completed_at is None and again.outcome is None and again.overdue_at is None
    assert (again.officer_id, again.contact_id) == ("officer-1", second.contact_id)


def test_wanted_again_after_she_excluded_her_officer_it_is_a_coordinators() -> None:
    """Who walked with her then is not who calls now."""
    walk = replace(WALK, requests=(a_request(contact=contact_rules(excluded_officers=("officer-1",))),))
    again = want_again(replace(opened(), completed_at=MONDAY), walk, wanted(), POLICY, MONDAY)
    assert again.officer_id is None


@given(st.lists(st.sampled_from(Urgency), min_size=1, max_size=6), st.integers(0, 50))
def test_whatever_is_wanted_while_it_is_open_it_is_never_put_off(urgencies: list[Urgency], hours: int) -> None:
    """For any row of answers its day only comes nearer."""
    found = opened(urgencies[0])
    for number, urgency in enumerate(urgencies[1:], 1):
        joined = want_again(found, WALK, wanted(urgency), POLICY, MONDAY + timedelta(hours=hours * number))
        assert joined.due_at <= found.due_at and joined.id == found.id
        found = joined
    assert (found.urgency is Urgency.SAME_DAY) == (Urgency.SAME_DAY in urgencies)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"channels": (Channel.PHONE,)}, {Way.PHONE}),
        ({"channels": (Channel.EMAIL, Channel.TEXT)}, {Way.EMAIL, Way.TEXT}),
        ({"channels": (Channel.LETTER,)}, {Way.LETTER}),
        ({"channels": (Channel.LETTER,), "may_say_police": True}, {Way.LETTER, Way.VISIT}),
        ({"channels": (Channel.PHONE,), "may_say_police": True}, {Way.PHONE}),
        ({"channels": tuple(Channel), "may_say_police": True, "stopped": True}, set()),
        ({"channels": ()}, set()),
    ],
)
def test_she_is_tried_by_her_ways_alone(rules: dict[str, Any], expected: set[Way]) -> None:
    """A visit shows whoever opens that police came: it needs her word for that, and for where she lives."""
    assert set(ways(contact_rules(**rules))) == expected


@given(
    st.sets(st.sampled_from(Channel)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(Way),
    st.sampled_from(Outcome),
)
def test_no_attempt_is_kept_that_she_did_not_allow(
    channels: set[Channel], police: bool, voicemail: bool, stopped: bool, way: Way, outcome: Outcome
) -> None:
    """Any rules, any way, any outcome: kept exactly where rules, way and outcome fit."""
    rules = contact_rules(
        channels=tuple(sorted(channels)), may_say_police=police, may_leave_voicemail=voicemail, stopped=stopped
    )
    fits = way in ways(rules) and outcome in outcomes(way) and (voicemail or outcome is not Outcome.VOICEMAIL_LEFT)
    try:
        made = attempt(opened(), rules, uuid4(), way, outcome, MONDAY, "officer-1", MONDAY)
    except (ContactStopped, WayNotAllowed, OutcomeDoesNotFit, VoicemailNotAllowed):
        assert not fits
    else:
        assert fits and not stopped and (made.way, made.outcome, made.by_id) == (way, outcome, "officer-1")


@pytest.mark.parametrize("hours", [-48, -1, 1, 48])
def test_attempt_lies_between_the_wish_and_now(hours: int) -> None:
    """Neither before it was wanted nor in the future."""
    rules, now = contact_rules(**CALLED), MONDAY + timedelta(hours=2)
    at = MONDAY + timedelta(hours=hours)
    if 0 <= hours <= 2:
        attempt(opened(), rules, uuid4(), Way.PHONE, Outcome.NO_ANSWER, at, "officer-1", now)
    else:
        with pytest.raises(AttemptTimeWrong):
            attempt(opened(), rules, uuid4(), Way.PHONE, Outcome.NO_ANSWER, at, "officer-1", now)


def test_nobody_is_tried_about_a_review_or_after_the_end() -> None:
    """A review is about nobody; what is completed is opened again by a wish of hers, not by a call."""
    rules = contact_rules(**CALLED)
    with pytest.raises(NobodyToContact):
        attempt(a_review(), rules, uuid4(), Way.PHONE, Outcome.REACHED, MONDAY, "officer-1", MONDAY)
    with pytest.raises(NobodyToContact):
        attempt(opened(), None, uuid4(), Way.PHONE, Outcome.REACHED, MONDAY, "officer-1", MONDAY)
    done = replace(opened(), completed_at=MONDAY, outcome="reached")
    with pytest.raises(FollowUpAlreadyCompleted):
        attempt(done, rules, uuid4(), Way.PHONE, Outcome.REACHED, MONDAY, "officer-1", MONDAY)


def test_it_is_handed_to_whoever_may_walk_with_her_and_to_nobody_else() -> None:
    """The one decision who may walk is asked here too."""
    found, by = opened(), somebody()
    other = an_officer(id="officer-2")
    assert hand_over(found, WALK, other, by, RULES, MONDAY).officer_id == "officer-2"
    assert hand_over(found, WALK, None, by, RULES, MONDAY).officer_id is None
    excluding = replace(WALK, requests=(a_request(contact=contact_rules(excluded_officers=("officer-2",))),))
    for walk, officer, refusal in (
        (excluding, other, OfficerExcluded),
        (WALK, an_officer(id="officer-2", trained_on=None), NotTrained),
        (WALK, an_officer(id="officer-2", team_ids=frozenset({"bs9"})), NotOfThisTeam),
        (WALK, an_officer(id="officer-2", active=False), OfficerOff),
    ):
        with pytest.raises(refusal):
            hand_over(found, walk, officer, somebody(coordinator=True), RULES, MONDAY)


def test_it_is_passed_on_by_whose_it_is_and_by_coordinators_while_it_is_open() -> None:
    """A colleague does not give away another's work."""
    other = an_officer(id="officer-2")
    with pytest.raises(NotYourFollowUp):
        hand_over(opened(), WALK, other, somebody("officer-3"), RULES, MONDAY)
    assert hand_over(opened(), WALK, other, somebody("c", coordinator=True), RULES, MONDAY).officer_id == "officer-2"
    with pytest.raises(FollowUpAlreadyCompleted):
        hand_over(replace(opened(), completed_at=MONDAY), WALK, other, somebody(), RULES, MONDAY)


def test_a_review_goes_to_anybody_at_work() -> None:
    """It is about no woman; who is off is given nothing."""
    by = somebody("c", coordinator=True)
    assert hand_over(a_review(), None, an_officer(id="o", trained_on=None), by, RULES, MONDAY).officer_id == "o"
    with pytest.raises(OfficerOff):
        hand_over(a_review(), None, an_officer(id="o", active=False), by, RULES, MONDAY)


def test_overdue_is_what_is_open_past_its_day() -> None:
    """Completed it is not, however late that was."""
    found = opened(at=datetime(2026, 11, 20, 10, tzinfo=UTC))
    late = found.due_at + timedelta(seconds=1)
    assert found.is_overdue(late) and not found.is_overdue(found.due_at)
    assert not replace(found, completed_at=late).is_overdue(late + timedelta(days=9))
