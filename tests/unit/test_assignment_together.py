"""Second officers, women who walk together, walks that were not held, officers who are asked whether they are back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from services.assignment.domain import groups, second
from services.assignment.domain.areas import Located
from services.assignment.domain.arranging import arrange, propose
from services.assignment.domain.check_ins import check_in, is_missed
from services.assignment.domain.contact import amend, change_contact
from services.assignment.domain.groups import (
    GroupElsewhere,
    GroupFull,
    GroupNotWelcome,
    GroupTaken,
    NotInGroup,
    has_grown_apart,
    left_in,
    who_must_part,
    with_rules,
)
from services.assignment.domain.not_held import WalkNotBegun, not_held
from services.assignment.domain.people import Officer, Person
from services.assignment.domain.refusals import (
    ContactStopped,
    KindNotAllowed,
    NotOfThisTeam,
    NotTrained,
    NotYourWalk,
    OfficerExcluded,
    OfficerOff,
    WalkAlreadyCancelled,
    WalkNotArranged,
    WalkNotRouted,
    WalkNotTaken,
)
from services.assignment.domain.requests import Request
from services.assignment.domain.taking import give_back, take
from services.assignment.domain.walks import State, TriageReason, Walk
from shared.contracts.kinds import OfficerKind
from shared.contracts.policy import WalkRules
from shared.contracts.refusals import Refusal
from shared.contracts.walk_requests import WalkRequestAmended
from shared.contracts.walks import (
    RoutedBy,
    WalkArranged,
    WalkCancelled,
    WalkNotHeld,
    WalkReturned,
    WalkRouted,
    WalkTaken,
    WhatNext,
    WhyNotHeld,
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
    an_officer,
    contact_rules,
)

GROUPS = WalkRules(group_size=3)
COLLEAGUE = an_officer(id="officer-2", name="PC Second")
TUESDAY = MONDAY + timedelta(days=1)


def welcome(**changed: object) -> Request:
    return a_request(group_walk_welcome=True, **changed)


def a_person(officer_id: str = "officer-1", *, is_coordinator: bool = False) -> Person:
    return Person(FORCE, officer_id, is_coordinator, "bs1", frozenset({"bs1"}), None)


class TestSecondOfficer:
    def test_a_trained_officer_of_the_team_comes_along(self) -> None:
        """Both may know of the walk and have it in hand; it stays with who took it, and nothing is told."""
        changed = second.bring(a_taken_walk(), COLLEAGUE, RULES, MONDAY)
        assert changed.walk.officer_ids == ("officer-1", "officer-2")
        assert changed.walk.officer_id == "officer-1" and changed.events == ()
        assert changed.walk.is_shown_to("officer-2", "bs9", frozenset())

    @pytest.mark.parametrize(
        ("officer", "refusal"),
        [
            (replace(COLLEAGUE, trained_on=None), NotTrained),
            (replace(COLLEAGUE, trained_on=date(2027, 1, 1)), NotTrained),
            (replace(COLLEAGUE, active=False), OfficerOff),
            (replace(COLLEAGUE, kind=OfficerKind.PCSO), KindNotAllowed),
            (replace(COLLEAGUE, team_ids=frozenset({"bs2"})), NotOfThisTeam),
            (replace(COLLEAGUE, id="excluded"), OfficerExcluded),
            (replace(COLLEAGUE, team_id="bs7"), OfficerExcluded),
            (an_officer(), second.OnThisWalk),
        ],
    )
    def test_who_may_not_walk_may_not_come_along_either(self, officer: Officer, refusal: type[Refusal]) -> None:
        """The one decision that every way asks."""
        rules = WalkRules(officers=(OfficerKind.OFFICER,))
        request = a_request(contact=contact_rules(excluded_officers=("excluded",), excluded_teams=("bs7",)))
        with pytest.raises(refusal):
            second.bring(a_taken_walk(request), officer, rules, MONDAY)

    def test_a_walk_nobody_has_and_one_with_contact_stopped_take_no_second_officer(self) -> None:
        """There is nobody to come along with, or nowhere to go."""
        with pytest.raises(WalkNotTaken):
            second.bring(a_walk(), COLLEAGUE, RULES, MONDAY)
        stopped = replace(a_taken_walk(), requests=(a_request(contact=contact_rules(stopped=True)),))
        with pytest.raises(ContactStopped):
            second.bring(stopped, COLLEAGUE, RULES, MONDAY)

    def test_whoever_comes_along_leaves_when_the_walk_does(self) -> None:
        """Given back, sent to a coordinator, moved to another team, or let go by hand."""
        walk = second.bring(an_arranged_walk(), COLLEAGUE, RULES, MONDAY).walk
        assert second.leave(walk).walk.second_id is None
        assert give_back(walk).walk.second_id is None
        (request,) = walk.requests
        officer_out = change_contact(walk, {request.id: contact_rules(excluded_officers=("officer-1",))})
        assert (officer_out.state, officer_out.second_id) == (State.TRIAGE, None)
        second_out = change_contact(walk, {request.id: contact_rules(excluded_officers=("officer-2",))})
        assert (second_out.state, second_out.second_id, second_out.starts_at) == (State.ARRANGED, None, walk.starts_at)
        taken = second.bring(a_taken_walk(request), COLLEAGUE, RULES, MONDAY).walk
        elsewhere = WalkRequestAmended(
            request_id=request.id,
            place=PLACE.model_copy(update={"latitude": 51.5}),
            place_from_postcode=True,
            availability=request.availability,
        )
        assert amend(taken, elsewhere, None, MONDAY).walk.second_id is None


class TestGroups:
    def test_those_who_would_walk_with_others_walk_together(self) -> None:
        """One walk for both; she who joins is told who walks, and the walk she came from is over without a word."""
        walk, other = a_taken_walk(welcome()), a_walk(welcome())
        together = groups.join(walk, other, GROUPS, MONDAY)
        assert set(together.walk.walk.request_ids) == {*walk.request_ids, *other.request_ids}
        assert together.walk.events == (
            WalkTaken(walk_id=walk.id, request_ids=other.request_ids, officer_id="officer-1", team_id="bs1"),
        )
        assert (together.left.state, together.left.cancel_reason) == (State.CANCELLED, "joined")
        assert together.left.requests == () and together.left.officer_id is None

    def test_who_joins_an_arranged_walk_is_told_its_time_and_the_others_nothing(self) -> None:
        """They know it already."""
        walk, other = an_arranged_walk(welcome()), a_walk(welcome())
        taken, arranged = groups.join(walk, other, GROUPS, MONDAY).walk.events
        assert isinstance(taken, WalkTaken) and isinstance(arranged, WalkArranged)
        assert taken.request_ids == arranged.request_ids == other.request_ids
        assert (arranged.starts_at, arranged.meeting_place) == (walk.starts_at, "The library")

    def test_from_then_on_every_event_carries_all_of_them(self) -> None:
        """A time that is arranged for the group is told to each."""
        walk = groups.join(a_taken_walk(welcome()), a_walk(welcome()), GROUPS, MONDAY).walk.walk
        (event,) = arrange(walk, TUESDAY, "The library", GROUPS, MONDAY).events
        assert isinstance(event, WalkArranged) and event.request_ids == walk.request_ids
        assert len(event.request_ids) == 2

    @pytest.mark.parametrize(
        ("other", "refusal"),
        [
            (a_walk(a_request()), GroupNotWelcome),
            (a_walk(welcome(), welcome(), welcome()), GroupFull),
            (a_walk(welcome(), located=Located("bs2", "bs2", "v1", RoutedBy.COVERS)), GroupElsewhere),
            (a_walk(welcome(contact=contact_rules(stopped=True))), ContactStopped),
            (a_walk(welcome(contact=contact_rules(excluded_officers=("officer-1",)))), OfficerExcluded),
            (
                replace(a_walk(welcome()), requests=(welcome(contact=contact_rules(excluded_teams=("bs1",))),)),
                OfficerExcluded,
            ),
            (take(a_walk(welcome()), COLLEAGUE, RULES, MONDAY).walk, GroupTaken),
            (an_arranged_walk(welcome()), GroupTaken),
            (replace(a_walk(welcome()), state=State.TRIAGE, located=None), WalkNotRouted),
            (replace(a_walk(welcome()), state=State.CANCELLED), WalkAlreadyCancelled),
        ],
    )
    def test_who_cannot_walk_together_is_refused_by_name(self, other: Walk, refusal: type[Refusal]) -> None:
        """Her wish, her rules, the force's size, the team and the officer all have to fit."""
        with pytest.raises(refusal):
            groups.join(a_taken_walk(welcome()), other, GROUPS, MONDAY)

    def test_whom_a_woman_excludes_is_not_brought_to_her_by_joining(self) -> None:
        """The second officer counts as much as the first."""
        walk = second.bring(a_taken_walk(welcome()), COLLEAGUE, RULES, MONDAY).walk
        other = a_walk(welcome(contact=contact_rules(excluded_officers=("officer-2",))))
        with pytest.raises(OfficerExcluded):
            groups.join(walk, other, GROUPS, MONDAY)

    def test_a_force_without_groups_has_none_and_a_walk_does_not_join_itself(self) -> None:
        """One is the size unless the policy says otherwise."""
        with pytest.raises(GroupFull):
            groups.join(a_taken_walk(welcome()), a_walk(welcome()), RULES, MONDAY)
        walk = a_taken_walk(welcome())
        with pytest.raises(WalkNotRouted):
            groups.join(walk, walk, GROUPS, MONDAY)

    def test_while_one_of_them_chooses_a_time_nobody_joins(self) -> None:
        """Once she has until no more, they may."""
        walk = propose(a_taken_walk(welcome()), uuid4(), [TUESDAY], "The library", None, MONDAY).walk
        with pytest.raises(GroupTaken):
            groups.join(walk, a_walk(welcome()), GROUPS, MONDAY)
        assert groups.join(walk, a_walk(welcome()), GROUPS, TUESDAY).walk.walk.proposal is None

    def test_she_who_is_taken_out_waits_for_a_team_with_a_walk_of_her_own(self) -> None:
        """As when she first asked; the others walk on."""
        walk = groups.join(an_arranged_walk(welcome()), a_walk(welcome()), GROUPS, MONDAY).walk.walk
        her = walk.requests[1]
        new_id = uuid4()
        apart = groups.part(walk, her.id, new_id, COVERED, GROUPS)
        assert apart.walk.request_ids == (walk.requests[0].id,) and apart.walk.starts_at == walk.starts_at
        assert (apart.hers.walk.id, apart.hers.walk.state, apart.hers.walk.requests) == (new_id, State.ROUTED, (her,))
        (event,) = apart.hers.events
        assert isinstance(event, WalkRouted) and event.request_ids == (her.id,)

    def test_nobody_is_taken_out_of_a_walk_of_her_own_or_of_others(self) -> None:
        """Nor one who has withdrawn."""
        walk = a_taken_walk(welcome())
        with pytest.raises(NotInGroup):
            groups.part(walk, walk.requests[0].id, uuid4(), COVERED, GROUPS)
        gone = replace(walk, requests=(*walk.requests, welcome(withdrawn_at=MONDAY)))
        for request in (*gone.requests, welcome()):
            with pytest.raises(NotInGroup):
                groups.part(gone, request.id, uuid4(), COVERED, GROUPS)

    @pytest.mark.parametrize(
        "rules", [{"stopped": True}, {"excluded_officers": ("officer-1",)}, {"excluded_teams": ("bs1",)}]
    )
    def test_one_whose_rules_keep_others_from_walking_leaves_and_they_walk_on(self, rules: dict[str, object]) -> None:
        """Her own walk then stands as a walk of one would: with a coordinator where she excludes its team."""
        walk = groups.join(an_arranged_walk(welcome()), a_walk(welcome()), GROUPS, MONDAY).walk.walk
        her = walk.requests[0]
        ruled = with_rules(walk, {her.id: contact_rules(**rules)})
        assert who_must_part(ruled) == (her.id,)
        apart = groups.part(ruled, her.id, uuid4(), COVERED, GROUPS)
        assert not apart.walk.contact_stopped and who_must_part(apart.walk) == ()
        hers = apart.hers.walk
        assert (hers.triage_reason is TriageReason.CONTACT_RULES) == ("excluded_teams" in rules)
        (event,) = apart.hers.events
        assert event.name == (WalkReturned if "excluded_teams" in rules else WalkRouted).name
        assert isinstance(event, WalkRouted | WalkReturned) and event.request_ids == (her.id,)

    def test_the_last_of_a_group_stays_whatever_her_rules(self) -> None:
        """There is nobody left whom they could keep from walking."""
        stopped = contact_rules(stopped=True)
        walk = replace(a_taken_walk(), requests=(welcome(contact=stopped), welcome(contact=stopped)))
        assert len(who_must_part(walk)) == 1

    def test_who_withdrew_and_stopped_contact_holds_up_nobody(self) -> None:
        """The others may be written to; a walk of hers alone says that she may not."""
        gone = welcome(withdrawn_at=MONDAY, contact=contact_rules(stopped=True))
        assert not a_taken_walk(welcome()).contact_stopped
        assert not replace(a_taken_walk(welcome()), requests=(welcome(), gone)).contact_stopped
        assert replace(a_taken_walk(welcome()), requests=(gone,)).contact_stopped

    def test_who_wants_to_walk_alone_or_elsewhere_has_grown_apart(self) -> None:
        """Nobody is kept in a group, and none is left where another team walks."""
        walk = replace(a_taken_walk(welcome()), requests=(a_request(), welcome()))
        alone, fine = walk.requests
        assert has_grown_apart(walk, alone.id, COVERED)
        assert not has_grown_apart(walk, fine.id, COVERED)
        assert has_grown_apart(walk, fine.id, None)
        assert has_grown_apart(walk, fine.id, Located("bs2", "bs2", "v1", RoutedBy.COVERS))
        assert not has_grown_apart(replace(walk, state=State.COMPLETED), alone.id, COVERED)
        assert not has_grown_apart(replace(walk, requests=(alone,)), alone.id, COVERED)
        assert len(left_in(walk)) == 2


class TestNotHeld:
    def test_it_is_told_with_why_and_its_time_stands_no_longer(self) -> None:
        """The walk stays with its officer, to be arranged again; the time is kept for the record."""
        walk = second.bring(an_arranged_walk(), COLLEAGUE, RULES, MONDAY).walk
        assert walk.starts_at is not None
        changed = not_held(walk, WhyNotHeld.SHE_DID_NOT_COME, WhatNext.AGAIN, walk.starts_at)
        (event,) = changed.events
        assert isinstance(event, WalkNotHeld)
        assert (event.why, event.what_next, event.starts_at) == ("she-did-not-come", "again", walk.starts_at)
        after = changed.walk
        assert (after.state, after.officer_ids) == (State.TAKEN, ("officer-1", "officer-2"))
        assert (after.starts_at, after.busy_until, after.meeting_place, after.check_in_at) == (None, None, None, None)
        assert [(each.starts_at, each.why) for each in after.not_held] == [(walk.starts_at, event.why)]
        (again,) = arrange(after, TUESDAY + timedelta(days=2), "The library", RULES, TUESDAY).events
        assert type(again) is WalkArranged

    def test_another_officer_may_take_it_or_it_is_closed(self) -> None:
        """Each told after what it follows from."""
        walk = an_arranged_walk()
        queued = not_held(walk, WhyNotHeld.OFFICER_COULD_NOT, WhatNext.QUEUE, TUESDAY)
        assert [event.name for event in queued.events] == [WalkNotHeld.name, WalkRouted.name]
        assert (queued.walk.state, queued.walk.officer_id) == (State.ROUTED, None)
        closed = not_held(walk, WhyNotHeld.WEATHER, WhatNext.CLOSE, TUESDAY)
        assert [event.name for event in closed.events] == [WalkNotHeld.name, WalkCancelled.name]
        assert (closed.walk.state, closed.walk.cancel_reason) == (State.CANCELLED, "not-held")

    def test_only_what_was_arranged_and_has_begun_can_have_been_missed(self) -> None:
        """A walk to come is moved or cancelled."""
        with pytest.raises(WalkNotArranged):
            not_held(a_taken_walk(), WhyNotHeld.OTHER, WhatNext.AGAIN, TUESDAY)
        walk = an_arranged_walk()
        with pytest.raises(WalkNotBegun):
            not_held(walk, WhyNotHeld.OTHER, WhatNext.AGAIN, TUESDAY - timedelta(seconds=1))
        over = not_held(walk, WhyNotHeld.OTHER, WhatNext.CLOSE, TUESDAY).walk
        with pytest.raises(WalkAlreadyCancelled):
            not_held(over, WhyNotHeld.OTHER, WhatNext.AGAIN, TUESDAY)

    def test_where_contact_has_stopped_it_can_only_be_closed(self) -> None:
        """Nothing new is begun with her."""
        walk = replace(an_arranged_walk(), requests=(a_request(contact=contact_rules(stopped=True)),))
        for what_next in (WhatNext.AGAIN, WhatNext.QUEUE):
            with pytest.raises(ContactStopped):
                not_held(walk, WhyNotHeld.OTHER, what_next, TUESDAY)
        assert not_held(walk, WhyNotHeld.OTHER, WhatNext.CLOSE, TUESDAY).walk.state is State.CANCELLED


class TestCheckIns:
    def test_officers_are_asked_some_time_after_the_walk_was_to_end(self) -> None:
        """The hour or the minimum, and then the grace of the policy."""
        rules = WalkRules(minimum_minutes=90, check_in_after_minutes=20)
        walk = arrange(a_taken_walk(), TUESDAY, "The library", rules, MONDAY).walk
        assert walk.check_in_at == TUESDAY + timedelta(minutes=110)
        assert not is_missed(walk, TUESDAY + timedelta(minutes=109))
        assert is_missed(walk, TUESDAY + timedelta(minutes=110))

    def test_either_officer_says_that_they_are_back_and_so_may_a_coordinator(self) -> None:
        """Nobody else; out and well means to be asked again."""
        walk = second.bring(an_arranged_walk(), COLLEAGUE, RULES, MONDAY).walk
        late = TUESDAY + timedelta(hours=3)
        for by in (a_person(), a_person("officer-2"), a_person("boss", is_coordinator=True)):
            assert not is_missed(check_in(walk, by, True, RULES, late).walk, late + timedelta(days=9))
            out = check_in(walk, by, False, RULES, late).walk
            assert not is_missed(out, late) and is_missed(out, late + timedelta(minutes=30))
        with pytest.raises(NotYourWalk):
            check_in(walk, a_person("officer-3"), True, RULES, late)
        with pytest.raises(WalkNotArranged):
            check_in(a_taken_walk(), a_person(), True, RULES, late)

    def test_a_new_time_asks_anew_and_a_walk_that_is_over_asks_nobody(self) -> None:
        """Back once is not back for good."""
        back = check_in(an_arranged_walk(), a_person(), True, RULES, TUESDAY).walk
        moved = arrange(back, TUESDAY + timedelta(days=3), "The library", RULES, TUESDAY).walk
        assert is_missed(moved, TUESDAY + timedelta(days=4))
        assert not is_missed(replace(moved, state=State.CANCELLED), TUESDAY + timedelta(days=4))
