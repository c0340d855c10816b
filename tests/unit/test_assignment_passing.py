"""A walk is passed on with a reason, and she is tried only by ways she allows; no server, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.assignment.domain import passing
from services.assignment.domain.areas import Area, Located
from services.assignment.domain.attempts import (
    OUTCOMES,
    AttemptDoesNotFit,
    Outcome,
    RequestUnknown,
    VoicemailNotAllowed,
    WayNotAllowed,
    attempt,
    outcomes,
)
from services.assignment.domain.passing import SameOfficer, SameTeam, TimeAgreed
from services.assignment.domain.people import Officer
from services.assignment.domain.refusals import (
    AreaUnknown,
    ContactStopped,
    KindNotAllowed,
    NotOfThisTeam,
    NotTrained,
    OfficerExcluded,
    WalkAlreadyCancelled,
    WalkAlreadyCompleted,
    WalkNotRouted,
    WalkNotTaken,
)
from services.assignment.domain.requests import Request
from services.assignment.domain.walks import Proposal, State, Walk
from shared.contracts.kinds import Channel, OfficerKind, Point
from shared.contracts.policy import WalkRules
from shared.contracts.refusals import Refusal
from shared.contracts.walk_requests import Availability, ContactRules
from shared.contracts.walks import RoutedBy, WalkRearranged, WalkRouted, WalkTaken

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SOON = NOW + timedelta(days=2)
PLACE = Point(latitude=51.45, longitude=-2.59)
RULES = WalkRules()
BS2 = Area("avon-and-somerset", "bs2", "BS2", "bs2", "BS2 team", "v1")


def a_request(**contact: Any) -> Request:
    return Request(
        id=uuid4(),
        requested_at=NOW,
        place=PLACE,
        place_from_postcode=True,
        lives_or_works_here=False,
        reasons=(),
        availability=Availability(days=(), parts=()),
        contact=ContactRules(**{"channels": (Channel.PHONE, Channel.EMAIL), **contact}),
        group_walk_welcome=False,
        language="en",
    )


def a_walk(state: State = State.ROUTED, *requests: Request, **changed: Any) -> Walk:
    holder: dict[str, Any] = {"officer_id": "one", "officer_kind": OfficerKind.OFFICER}
    at: dict[str, Any] = {"starts_at": SOON, "busy_until": SOON + timedelta(hours=1), "meeting_place": "The library"}
    return Walk(
        **{
            "force_id": "avon-and-somerset",
            "id": uuid4(),
            "state": state,
            "place": PLACE,
            "requested_at": NOW,
            "arrange_by": NOW,
            "requests": requests or (a_request(),),
            "located": Located("bs1", "bs1", "v1", RoutedBy.COVERS),
            **(holder if state in (State.TAKEN, State.ARRANGED, State.COMPLETED) else {}),
            **(at if state is State.ARRANGED else {}),
            **changed,
        }
    )


def an_officer(id_: str = "two", **changed: Any) -> Officer:
    given: dict[str, Any] = {
        "force_id": "avon-and-somerset",
        "id": id_,
        "name": "PC Example",
        "kind": OfficerKind.PCSO,
        "team_id": "bs1",
        "team_ids": frozenset({"bs1"}),
        "trained_on": date(2026, 1, 5),
        **changed,
    }
    return Officer(**given)


PROPOSAL = Proposal(UUID(int=1), (SOON,), "The library", SOON - timedelta(hours=1))


class TestGivingBack:
    def test_it_waits_for_the_team_again_and_what_was_proposed_lapses(self) -> None:
        """The team is told as when it came; nobody has the walk."""
        changed = passing.give_back(a_walk(State.TAKEN, proposal=PROPOSAL))
        (event,) = changed.events
        assert isinstance(event, WalkRouted)
        assert (changed.walk.state, changed.walk.officer_id, changed.walk.proposal) == (State.ROUTED, None, None)

    def test_not_where_she_was_told_a_time(self) -> None:
        """She would stand there alone: hand it over, or cancel it."""
        with pytest.raises(TimeAgreed):
            passing.give_back(a_walk(State.ARRANGED))

    def test_also_where_contact_is_no_longer_safe(self) -> None:
        """Nothing goes to her by it."""
        assert passing.give_back(a_walk(State.TAKEN, a_request(stopped=True))).walk.state is State.ROUTED

    def test_what_nobody_has_cannot_be_given_back(self) -> None:
        """It waits already."""
        with pytest.raises(WalkNotTaken):
            passing.give_back(a_walk(State.ROUTED))


class TestHandingOver:
    def test_the_other_officer_has_it_with_what_was_proposed(self) -> None:
        """Her contact card opens to the other officer; what she may choose stays."""
        changed = passing.to_officer(a_walk(State.TAKEN, proposal=PROPOSAL), an_officer(), RULES, NOW)
        (event,) = changed.events
        assert isinstance(event, WalkTaken) and event.officer_id == "two"
        assert (changed.walk.officer_id, changed.walk.officer_kind) == ("two", OfficerKind.PCSO)
        assert changed.walk.proposal == PROPOSAL

    def test_an_agreed_time_stays_agreed(self) -> None:
        """Told as a walk that has another officer and the same time."""
        changed = passing.to_officer(a_walk(State.ARRANGED), an_officer(), RULES, NOW)
        (event,) = changed.events
        assert isinstance(event, WalkRearranged)
        assert (event.officer_id, event.starts_at, event.before) == ("two", SOON, SOON)
        assert changed.walk.state is State.ARRANGED

    @pytest.mark.parametrize(
        ("officer", "refusal"),
        [
            (an_officer(trained_on=None), NotTrained),
            (an_officer(team_ids=frozenset({"bs9"})), NotOfThisTeam),
            (an_officer(kind=OfficerKind.DEDICATED_WARD_OFFICER), KindNotAllowed),
            (an_officer("excluded"), OfficerExcluded),
            (an_officer(team_id="bs7"), OfficerExcluded),
            (an_officer("one"), SameOfficer),
        ],
    )
    def test_never_to_one_who_may_not_walk(self, officer: Officer, refusal: type[Refusal]) -> None:
        """The one rule who may walk decides here too, for taken and arranged walks alike."""
        rules = WalkRules(officers=(OfficerKind.OFFICER, OfficerKind.PCSO))
        asked = a_request(excluded_officers=("excluded",), excluded_teams=("bs7",))
        for state in (State.TAKEN, State.ARRANGED):
            with pytest.raises(refusal):
                passing.to_officer(a_walk(state, asked), officer, rules, NOW)

    def test_not_where_contact_is_no_longer_safe(self) -> None:
        """Nobody new learns of her."""
        with pytest.raises(ContactStopped):
            passing.to_officer(a_walk(State.TAKEN, a_request(stopped=True)), an_officer(), RULES, NOW)
        with pytest.raises(ContactStopped):
            passing.to_team(a_walk(State.TAKEN, a_request(stopped=True)), BS2)


class TestAnotherTeam:
    @pytest.mark.parametrize("state", [State.ROUTED, State.TAKEN])
    def test_it_waits_for_the_other_team(self, state: State) -> None:
        """By hand, which the event says; its officer lets go of it."""
        changed = passing.to_team(a_walk(state), BS2)
        (event,) = changed.events
        assert isinstance(event, WalkRouted)
        assert (event.team_id, event.area_id, event.routed_by) == ("bs2", "bs2", RoutedBy.COORDINATOR)
        assert (changed.walk.state, changed.walk.officer_id) == (State.ROUTED, None)

    def test_a_team_she_excludes_is_as_unknown_as_one_that_is_not_there(self) -> None:
        """Or whoever tries them all would learn whom she excludes."""
        for area in (BS2, None):
            with pytest.raises(AreaUnknown):
                passing.to_team(a_walk(State.ROUTED, a_request(excluded_teams=("bs2",))), area)

    def test_its_own_team_is_no_other(self) -> None:
        """Said by field."""
        with pytest.raises(SameTeam):
            passing.to_team(a_walk(), replace(BS2, team_id="bs1"))


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (State.TRIAGE, WalkNotRouted),
        (State.ARRANGED, TimeAgreed),
        (State.COMPLETED, WalkAlreadyCompleted),
        (State.CANCELLED, WalkAlreadyCancelled),
    ],
)
def test_only_what_waits_or_is_to_be_arranged_is_escalated(state: State, refusal: type[Refusal]) -> None:
    """Neither what a coordinator has already, nor what is agreed or over."""
    for decide in (passing.to_coordinator, lambda walk: passing.to_team(walk, BS2)):
        with pytest.raises(refusal):
            decide(a_walk(state))


def test_a_coordinator_is_asked_without_taking_it_from_the_team() -> None:
    """What waits goes on waiting; what an officer had waits again."""
    waiting = a_walk()
    assert passing.to_coordinator(waiting).walk == waiting
    assert passing.to_coordinator(a_walk(State.TAKEN)).walk.state is State.ROUTED


class TestAttempts:
    @pytest.mark.parametrize("way", list(Channel))
    def test_only_by_her_ways(self, way: Channel) -> None:
        """Every outcome of a way she chose is logged, none of one she did not."""
        asked = a_request(channels=(way,), may_leave_voicemail=True)
        walk = a_walk(State.TAKEN, asked)
        for each in Channel:
            for outcome in OUTCOMES[each]:
                if each is way:
                    made = attempt(walk, uuid4(), asked.id, "one", each, outcome, NOW)
                    assert (made.way, made.outcome, made.by_id, made.at) == (each, outcome, "one", NOW)
                else:
                    with pytest.raises(WayNotAllowed):
                        attempt(walk, uuid4(), asked.id, "one", each, outcome, NOW)

    def test_voicemail_only_where_she_allows_it(self) -> None:
        """It is not offered either."""
        asked = a_request()
        with pytest.raises(VoicemailNotAllowed):
            attempt(a_walk(State.TAKEN, asked), uuid4(), asked.id, "one", Channel.PHONE, Outcome.VOICEMAIL_LEFT, NOW)
        assert Outcome.VOICEMAIL_LEFT not in outcomes(asked.contact)
        assert Outcome.VOICEMAIL_LEFT in outcomes(a_request(may_leave_voicemail=True).contact)

    def test_a_letter_is_not_answered_by_telephone(self) -> None:
        """An outcome belongs to its way."""
        asked = a_request()
        with pytest.raises(AttemptDoesNotFit):
            attempt(a_walk(State.TAKEN, asked), uuid4(), asked.id, "one", Channel.EMAIL, Outcome.NO_ANSWER, NOW)

    def test_none_once_contact_is_no_longer_safe(self) -> None:
        """Of no woman of the walk: it concerns them all."""
        asked = a_request()
        walk = a_walk(State.TAKEN, asked, a_request(stopped=True))
        with pytest.raises(ContactStopped):
            attempt(walk, uuid4(), asked.id, "one", Channel.PHONE, Outcome.REACHED, NOW)

    def test_nobody_of_another_walk_and_nobody_who_withdrew(self) -> None:
        """Only a woman who still wants this walk is tried."""
        gone = replace(a_request(), withdrawn_at=NOW)
        for request_id in (uuid4(), gone.id):
            with pytest.raises(RequestUnknown):
                attempt(
                    a_walk(State.TAKEN, gone, a_request()),
                    uuid4(),
                    request_id,
                    "one",
                    Channel.PHONE,
                    Outcome.REACHED,
                    NOW,
                )
