"""The rules of walks, follow-ups and shared words; no server, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest

from services.assignment.domain.areas import Area, Located
from services.assignment.domain.arranging import arrange, cancel
from services.assignment.domain.contact import change_contact, withdraw
from services.assignment.domain.follow_ups import FollowUpKind, complete_follow_up, follow_up, review
from services.assignment.domain.people import Officer
from services.assignment.domain.record import Completed, RecordedConcern, complete
from services.assignment.domain.referrals import ReferralState, referral_told
from services.assignment.domain.refusals import (
    AreaUnknown,
    ContactStopped,
    EndsBeforeStart,
    EndsInTheFuture,
    FollowUpAlreadyCompleted,
    KindNotAllowed,
    MeetingPlaceMissing,
    NotOfThisTeam,
    NotTrained,
    NotYourFollowUp,
    OfficerExcluded,
    OutcomeDoesNotFit,
    StartsInThePast,
    StartsTooFarAhead,
    WalkAlreadyCancelled,
    WalkAlreadyCompleted,
    WalkAlreadyTaken,
    WalkNotArranged,
    WalkNotInTriage,
    WalkNotRouted,
    WalkNotTaken,
    WalkTooShort,
    WordsTooLong,
    WrongField,
)
from services.assignment.domain.requests import Request
from services.assignment.domain.routing import route, route_by_hand
from services.assignment.domain.taking import take
from services.assignment.domain.walks import Changed, State, TriageReason, Walk
from services.assignment.domain.words import plain, shareable
from shared.contracts.concerns import ConcernRaised
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.kinds import Channel, OfficerKind, PartOfDay, Point, Reason, Severity, SurveyName, Urgency
from shared.contracts.policy import FollowUpRules, ForcePolicy, WalkRules
from shared.contracts.referrals import ConcernResolved, ReferralDeclined, ReferralUpdated
from shared.contracts.refusals import Refusal
from shared.contracts.walk_requests import Availability, ContactRules, ContactWanted
from shared.contracts.walks import FollowUpOutcome, RoutedBy, WalkCancelled, WalkCompleted, WalkRouted, WalkTaken

FORCE = "avon-and-somerset"
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PLACE = Point(latitude=51.45, longitude=-2.59)
COVERED = Located("bs1", "bs1", "v1", RoutedBy.COVERS)
RULES = WalkRules()
POLICY = ForcePolicy(force_id=FORCE, version=1, name="Avon and Somerset Police", follow_ups=FollowUpRules())


def contact_rules(**changed: Any) -> ContactRules:
    return ContactRules(**{"channels": (Channel.EMAIL,), **changed})


def a_request(**changed: Any) -> Request:
    given: dict[str, Any] = {
        "id": uuid4(),
        "requested_at": MONDAY,
        "place": PLACE,
        "place_from_postcode": True,
        "lives_or_works_here": False,
        "reasons": (Reason.BADLY_LIT,),
        "availability": Availability(days=(), parts=()),
        "contact": contact_rules(),
        "group_walk_welcome": False,
        "language": "en",
        **changed,
    }
    return Request(**given)


def a_walk(*requests: Request, **changed: Any) -> Walk:
    """A walk routed to BS1, waiting for an officer."""
    routed = route(FORCE, uuid4(), requests[0] if requests else a_request(), COVERED, RULES).walk
    return replace(routed, **{"requests": requests or routed.requests, **changed})


def an_officer(**changed: Any) -> Officer:
    given: dict[str, Any] = {
        "force_id": FORCE,
        "id": "officer-1",
        "name": "PC Example",
        "kind": OfficerKind.OFFICER,
        "team_id": "bs1",
        "team_ids": frozenset({"bs1"}),
        "trained_on": date(2026, 1, 5),
        **changed,
    }
    return Officer(**given)


def a_taken_walk(*requests: Request) -> Walk:
    return take(a_walk(*requests), an_officer(), RULES, MONDAY).walk


def an_arranged_walk(*requests: Request) -> Walk:
    return arrange(a_taken_walk(*requests), MONDAY + timedelta(days=1), "The library", RULES, MONDAY).walk


def a_concern(**changed: Any) -> RecordedConcern:
    given: dict[str, Any] = {
        "category": Reason.BADLY_LIT,
        "place": PLACE,
        "place_name": "Underpass",
        "time_of_day": PartOfDay.EVENING,
        "severity": Severity.HIGH,
        "words": "Two lamps are broken",
        **changed,
    }
    return RecordedConcern(**given)


def completed(walk: Walk, *concerns: RecordedConcern, minutes: int = 45, rules: WalkRules = RULES) -> Completed:
    start = MONDAY - timedelta(minutes=minutes)
    ids = [uuid4() for _ in concerns]
    return complete(walk, start, MONDAY, True, concerns, ids, rules, MONDAY, disclosures=(), disclosed=False)


class TestRouting:
    def test_a_place_inside_an_area_goes_to_its_team_and_says_why(self) -> None:
        """Covered by the boundary; the version it was decided by is kept and told."""
        changed = route(FORCE, uuid4(), a_request(), COVERED, RULES)
        (event,) = changed.events
        assert isinstance(event, WalkRouted)
        assert (event.area_id, event.team_id, event.routed_by, event.boundary_version) == (
            "bs1", "bs1", RoutedBy.COVERS, "v1",
        )  # fmt: skip
        assert changed.walk.state is State.ROUTED

    def test_a_place_just_outside_says_how_far(self) -> None:
        """The nearest area within reach, with the metres."""
        near = Located("bs1", "bs1", "v1", RoutedBy.NEAREST, 41.5)
        (event,) = route(FORCE, uuid4(), a_request(), near, RULES).events
        assert isinstance(event, WalkRouted)
        assert (event.routed_by, event.distance_m) == (RoutedBy.NEAREST, 41.5)

    def test_a_place_outside_every_area_waits_for_a_person(self) -> None:
        """No error and no event: a coordinator decides."""
        changed = route(FORCE, uuid4(), a_request(), None, RULES)
        assert (changed.walk.state, changed.walk.triage_reason, changed.events) == (
            State.TRIAGE, TriageReason.OUTSIDE_ALL_AREAS, (),
        )  # fmt: skip

    def test_a_team_she_excludes_is_not_given_her_walk(self) -> None:
        """It waits for a coordinator instead."""
        request = a_request(contact=contact_rules(excluded_teams=("bs1",)))
        changed = route(FORCE, uuid4(), request, COVERED, RULES)
        assert changed.walk.triage_reason is TriageReason.CONTACT_RULES
        assert changed.walk.located is None and changed.events == ()

    def test_the_deadline_counts_working_days(self) -> None:
        """Five working days after Monday is the end of the next Monday."""
        assert a_walk().arrange_by == datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)

    def test_a_coordinator_routes_what_is_in_triage(self) -> None:
        """The reason is the coordinator."""
        walk = route(FORCE, uuid4(), a_request(), None, RULES).walk
        (event,) = route_by_hand(walk, Area(FORCE, "bs2", "BS2", "bs2", "BS2 team", "v1")).events
        assert isinstance(event, WalkRouted) and event.routed_by is RoutedBy.COORDINATOR

    def test_a_coordinator_cannot_choose_a_team_she_excludes_or_an_area_nobody_knows(self) -> None:
        """Each is refused by name."""
        request = a_request(contact=contact_rules(excluded_teams=("bs2",)))
        walk = route(FORCE, uuid4(), request, None, RULES).walk
        with pytest.raises(OfficerExcluded):
            route_by_hand(walk, Area(FORCE, "bs2", "BS2", "bs2", "BS2 team", "v1"))
        with pytest.raises(AreaUnknown):
            route_by_hand(walk, None)
        with pytest.raises(WalkNotInTriage):
            route_by_hand(a_walk(), None)


class TestTaking:
    def test_a_trained_officer_of_the_team_takes_the_walk(self) -> None:
        """It is told once, with officer and team."""
        walk = a_walk()
        changed = take(walk, an_officer(), RULES, MONDAY)
        assert changed.walk.state is State.TAKEN
        assert changed.events == (
            WalkTaken(walk_id=walk.id, request_ids=walk.request_ids, officer_id="officer-1", team_id="bs1"),
        )

    @pytest.mark.parametrize(
        ("officer", "refusal"),
        [
            (an_officer(trained_on=None), NotTrained),
            (an_officer(kind=OfficerKind.PCSO), KindNotAllowed),
            (an_officer(team_id="bs2", team_ids=frozenset({"bs2"})), NotOfThisTeam),
        ],
    )
    def test_an_officer_who_may_not_walk_it_is_refused_by_name(self, officer: Officer, refusal: type[Refusal]) -> None:
        """Not trained; not of a kind the policy names; not of the team."""
        with pytest.raises(refusal):
            take(a_walk(), officer, WalkRules(officers=(OfficerKind.OFFICER,)), MONDAY)

    @pytest.mark.parametrize("excluded", [{"excluded_officers": ("officer-1",)}, {"excluded_teams": ("bs2",)}])
    def test_an_officer_she_excludes_is_refused_and_shown_nothing(self, excluded: dict[str, Any]) -> None:
        """By name, or because the officer's own team is excluded, wherever the officer walks."""
        walk = a_walk(a_request(contact=contact_rules(**excluded)))
        officer = an_officer(team_id="bs2", team_ids=frozenset({"bs1", "bs2"}))
        with pytest.raises(OfficerExcluded):
            take(walk, officer, RULES, MONDAY)
        assert not walk.is_shown_to(officer.id, officer.team_id, officer.team_ids)

    def test_an_officer_who_walks_for_nearby_teams_may_take_theirs(self) -> None:
        """The register says for which."""
        officer = an_officer(team_id="bs2", team_ids=frozenset({"bs1", "bs2"}))
        assert take(a_walk(), officer, RULES, MONDAY).walk.officer_id == "officer-1"

    @pytest.mark.parametrize(
        ("walk", "refusal"),
        [
            (a_taken_walk(), WalkAlreadyTaken),
            (an_arranged_walk(), WalkAlreadyTaken),
            (cancel(a_walk(), "other").walk, WalkAlreadyCancelled),
            (completed(an_arranged_walk()).walk, WalkAlreadyCompleted),
            (route(FORCE, uuid4(), a_request(), None, RULES).walk, WalkNotRouted),
            (a_walk(a_request(contact=contact_rules(stopped=True))), ContactStopped),
        ],
    )
    def test_a_walk_that_does_not_wait_for_an_officer_cannot_be_taken(self, walk: Walk, refusal: type[Refusal]) -> None:
        """Each state has its own sentence."""
        with pytest.raises(refusal):
            take(walk, an_officer(), RULES, MONDAY)


class TestArranging:
    def test_an_arranged_walk_keeps_its_officer_busy_for_an_hour_or_the_minimum(self) -> None:
        """A force with a longer minimum books longer."""
        starts = MONDAY + timedelta(days=1)
        hour = arrange(a_taken_walk(), starts, "The library", RULES, MONDAY).walk
        longer = arrange(a_taken_walk(), starts, "The library", WalkRules(minimum_minutes=90), MONDAY).walk
        assert hour.busy_until == starts + timedelta(hours=1)
        assert longer.busy_until == starts + timedelta(minutes=90)

    @pytest.mark.parametrize(
        ("starts_at", "place", "refusal"),
        [
            (MONDAY, "The library", StartsInThePast),
            (MONDAY + timedelta(days=400), "The library", StartsTooFarAhead),
            (MONDAY + timedelta(days=1), " <i></i> ", MeetingPlaceMissing),
        ],
    )
    def test_what_cannot_be_right_is_refused_by_field(
        self, starts_at: datetime, place: str, refusal: type[WrongField]
    ) -> None:
        """Past, too far ahead, no place."""
        with pytest.raises(refusal) as caught:
            arrange(a_taken_walk(), starts_at, place, RULES, MONDAY)
        assert list(caught.value.fields) == [refusal.field]

    def test_a_walk_nobody_has_taken_cannot_be_arranged(self) -> None:
        """First an officer."""
        with pytest.raises(WalkNotTaken):
            arrange(a_walk(), MONDAY + timedelta(days=1), "The library", RULES, MONDAY)

    def test_a_walk_is_not_arranged_when_contact_is_no_longer_safe(self) -> None:
        """Arranging would write to her."""
        walk = a_taken_walk()
        stopped = change_contact(walk, {walk.requests[0].id: contact_rules(stopped=True)})
        with pytest.raises(ContactStopped):
            arrange(stopped, MONDAY + timedelta(days=1), "The library", RULES, MONDAY)

    def test_an_arranged_walk_may_be_arranged_anew(self) -> None:
        """The new time counts and is told."""
        later = arrange(an_arranged_walk(), MONDAY + timedelta(days=2), "The park", RULES, MONDAY)
        assert later.walk.starts_at == MONDAY + timedelta(days=2) and len(later.events) == 1


class TestCompleting:
    def test_a_walk_held_tells_each_concern_and_then_the_walk(self) -> None:
        """The walk names the concerns, the concerns do not name the walk."""
        done = completed(an_arranged_walk(), a_concern(), a_concern(category=Reason.FOLLOWED))
        *raised, held = done.events
        assert isinstance(held, WalkCompleted)
        assert held.concern_ids == tuple(event.concern_id for event in raised if isinstance(event, ConcernRaised))
        assert len(held.concern_ids) == 2
        assert all(str(done.walk.id) not in event.model_dump_json() for event in raised)

    def test_a_walk_may_be_held_earlier_than_arranged(self) -> None:
        """It was arranged for tomorrow and took place today."""
        assert completed(an_arranged_walk()).walk.state is State.COMPLETED

    def test_a_walk_shorter_than_the_force_allows_is_refused_with_its_minimum(self) -> None:
        """The Met sets thirty minutes; thirty is enough."""
        rules = WalkRules(minimum_minutes=30)
        assert completed(an_arranged_walk(), minutes=30, rules=rules).walk.state is State.COMPLETED
        with pytest.raises(WalkTooShort, match="30 minutes"):
            completed(an_arranged_walk(), minutes=29, rules=rules)

    @pytest.mark.parametrize(
        ("start", "end", "refusal"),
        [
            (MONDAY, MONDAY, EndsBeforeStart),
            (MONDAY - timedelta(hours=1), MONDAY - timedelta(hours=2), EndsBeforeStart),
            (MONDAY - timedelta(hours=1), MONDAY + timedelta(minutes=6), EndsInTheFuture),
        ],
    )
    def test_times_that_cannot_be_are_refused(self, start: datetime, end: datetime, refusal: type[Refusal]) -> None:
        """A phone may be five minutes ahead, no more."""
        with pytest.raises(refusal):
            complete(an_arranged_walk(), start, end, True, [], [], RULES, MONDAY, disclosures=(), disclosed=False)

    def test_a_walk_that_was_not_arranged_cannot_be_recorded(self) -> None:
        """Taken is not enough."""
        with pytest.raises(WalkNotArranged):
            completed(a_taken_walk())

    def test_a_concern_is_raised_on_the_day_of_the_walk_in_london(self) -> None:
        """Half past eleven at night UTC in summer is the next day there."""
        late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
        end = late + timedelta(minutes=40)
        done = complete(
            an_arranged_walk(), late, end, True, [a_concern()], [uuid4()], RULES, end, disclosures=(), disclosed=False
        )
        assert done.concerns[0].raised_on == date(2026, 7, 2)


class TestWithdrawingAndContactRules:
    def test_a_walk_is_cancelled_when_no_request_remains(self) -> None:
        """Not while another woman still wants it."""
        one, other = a_request(), a_request()
        walk = an_arranged_walk(one, other)
        still = withdraw(walk, frozenset({one.id}), MONDAY)
        assert still.walk.state is State.ARRANGED and still.events == ()
        assert still.walk.request_ids == (other.id,)
        ended = withdraw(still.walk, frozenset({other.id}), MONDAY)
        (event,) = ended.events
        assert isinstance(event, WalkCancelled) and event.reason == "withdrawn"

    def test_withdrawing_after_the_walk_changes_nothing_of_it(self) -> None:
        """Late is harmless."""
        walk = completed(an_arranged_walk()).walk
        changed = withdraw(walk, frozenset(walk.request_ids), MONDAY)
        assert changed.walk.state is State.COMPLETED and changed.events == ()

    @pytest.mark.parametrize("excluded", [{"excluded_officers": ("officer-1",)}, {"excluded_teams": ("bs1",)}])
    def test_an_officer_or_team_excluded_later_loses_the_walk(self, excluded: dict[str, Any]) -> None:
        """It goes back to a coordinator, without time or officer."""
        walk = an_arranged_walk()
        changed = change_contact(walk, {walk.requests[0].id: contact_rules(**excluded)})
        assert (changed.state, changed.officer_id, changed.starts_at) == (State.TRIAGE, None, None)

    def test_other_rules_change_nothing_but_themselves(self) -> None:
        """A new channel keeps officer and time."""
        walk = an_arranged_walk()
        changed = change_contact(walk, {walk.requests[0].id: contact_rules(channels=(Channel.PHONE,))})
        assert (changed.state, changed.officer_id) == (State.ARRANGED, "officer-1")

    def test_a_walk_that_was_held_keeps_its_officer_whatever_she_excludes(self) -> None:
        """What happened stays recorded; who may see it changes."""
        walk = completed(an_arranged_walk()).walk
        changed = change_contact(walk, {walk.requests[0].id: contact_rules(excluded_officers=("officer-1",))})
        assert changed.officer_id == "officer-1"
        assert not changed.is_shown_to("officer-1", "bs1", frozenset({"bs1"}))


class TestFollowUps:
    @staticmethod
    def wanted(urgency: Urgency = Urgency.SOON) -> ContactWanted:
        return ContactWanted(request_id=uuid4(), contact_id=uuid4(), urgency=urgency)

    def test_a_follow_up_is_for_the_officer_who_walked_and_due_in_working_days(self) -> None:
        """Two working days after Friday is Tuesday; the same day is the same day."""
        friday = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
        found = follow_up(completed(an_arranged_walk()).walk, self.wanted(), uuid4(), POLICY, friday)
        assert (found.officer_id, found.due_at) == ("officer-1", datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC))
        today = follow_up(a_walk(), self.wanted(Urgency.SAME_DAY), uuid4(), POLICY, friday)
        assert today.due_at == datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC)

    def test_a_follow_up_goes_to_a_coordinator_where_no_officer_may_have_it(self) -> None:
        """Nobody has walked yet, or she excludes who did."""
        assert follow_up(a_walk(), self.wanted(), uuid4(), POLICY, MONDAY).officer_id is None
        walk = completed(an_arranged_walk()).walk
        excluded = change_contact(walk, {walk.requests[0].id: contact_rules(excluded_officers=("officer-1",))})
        assert follow_up(excluded, self.wanted(), uuid4(), POLICY, MONDAY).officer_id is None

    def test_a_flag_whose_contact_intake_can_open_is_no_review(self) -> None:
        """Only those nobody may be asked about are looked at by the team."""
        flag = FeedbackFlagged(
            flag_id=uuid4(), survey=SurveyName.AFTER_WALK, reasons=("still-worried",), urgency=Urgency.SOON, contact="x"
        )
        assert review(flag, FORCE, POLICY, MONDAY) is None
        found = review(flag.model_copy(update={"contact": None}), FORCE, POLICY, MONDAY)
        assert found is not None and (found.kind, found.walk_id) == (FollowUpKind.REVIEW, None)

    @pytest.mark.parametrize(("hours", "in_time"), [(1, True), (100, False)])
    def test_completing_says_whether_it_was_in_time(self, hours: int, in_time: bool) -> None:
        """Counted to the end of its day."""
        found = follow_up(completed(an_arranged_walk()).walk, self.wanted(), uuid4(), POLICY, MONDAY)
        later = MONDAY + timedelta(hours=hours)
        _, event = complete_follow_up(found, "reached", "officer-1", False, later)
        assert event is not None and (event.outcome, event.in_time) == (FollowUpOutcome.REACHED, in_time)

    def test_only_its_officer_or_a_coordinator_completes_it_and_once(self) -> None:
        """Another officer is refused, and so is a second time."""
        found = follow_up(completed(an_arranged_walk()).walk, self.wanted(), uuid4(), POLICY, MONDAY)
        with pytest.raises(NotYourFollowUp):
            complete_follow_up(found, "reached", "officer-2", False, MONDAY)
        done, _ = complete_follow_up(found, "reached", "coordinator", True, MONDAY)
        with pytest.raises(FollowUpAlreadyCompleted):
            complete_follow_up(done, "reached", "officer-1", False, MONDAY)

    def test_a_review_is_told_to_nobody(self) -> None:
        """It is about an answer, not about anybody."""
        flag = FeedbackFlagged(
            flag_id=uuid4(), survey=SurveyName.AFTER_WALK, reasons=("still-worried",), urgency=Urgency.SOON
        )
        found = review(flag, FORCE, POLICY, MONDAY)
        assert found is not None
        done, event = complete_follow_up(found, "reviewed", "coordinator", True, MONDAY)
        assert done.outcome == "reviewed" and event is None
        with pytest.raises(OutcomeDoesNotFit):
            complete_follow_up(found, "reached", "coordinator", True, MONDAY)


class TestWords:
    @pytest.mark.parametrize(
        ("typed", "shared"),
        [
            ("  Two lamps are broken ", "Two lamps are broken"),
            ("<p>Two lamps</p>", "Two lamps"),
            ("<scr<b>ipt>alert(1)</scr</b>ipt>", "alert(1)"),
            ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
            ("one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour"),
            ("a\x00b\x1bc\x7fd\u202ee\u200bf", "abcdef"),
            ("Cafe\u0301 – naïve", "Café – naïve"),
            ("<!-- hidden --><img src=x onerror=alert(1)>", ""),
        ],
    )
    def test_words_are_plain_text_whatever_was_pasted(self, typed: str, shared: str) -> None:
        """Markup and what cannot be seen go; what people write stays."""
        assert plain(typed) == shared

    def test_words_of_four_thousand_characters_fit_and_no_more(self) -> None:
        """Counted after markup is gone."""
        assert shareable("<b>" + "x" * 4000 + "</b>") == "x" * 4000
        with pytest.raises(WordsTooLong):
            shareable("x" * 4001)
        assert shareable(" <br> ") is None


class TestReferrals:
    names: ClassVar[dict[str, Any]] = {
        "concern_id": UUID(int=1),
        "referral_id": UUID(int=2),
        "partner_id": "p",
        "partner_name": "P",
    }

    def test_the_team_reads_a_partners_last_word(self) -> None:
        """Progress, reasons and results, each under its own name."""
        declined = referral_told(ReferralDeclined(**self.names, reason="Not our road"), FORCE, MONDAY)
        assert (declined.state, declined.words) == (ReferralState.DECLINED, "Not our road")
        planned = ReferralUpdated(**self.names, progress="planned", planned_for=date(2027, 1, 4))
        assert referral_told(planned, FORCE, MONDAY).planned_for == date(2027, 1, 4)
        over = ConcernResolved(**self.names, resolution="nothing-more")
        assert referral_told(over, FORCE, MONDAY).state is ReferralState.NOTHING_MORE


def test_every_event_of_a_walk_names_its_open_requests() -> None:
    """A withdrawn request is not told of any more while others remain."""
    one, other = a_request(), a_request(withdrawn_at=MONDAY)
    changed: Changed = take(a_walk(one, other), an_officer(), RULES, MONDAY)
    (event,) = changed.events
    assert isinstance(event, WalkTaken) and event.request_ids == (one.id,)
