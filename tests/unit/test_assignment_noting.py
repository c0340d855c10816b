"""What is noted on a walk and what is passed on: the rules, and whatever order they are met in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from services.assignment.domain.noting import (
    MOST_NOTED,
    Noted,
    Record,
    Said,
    chosen,
    correct,
    end,
    note,
    pass_on,
    preview,
    recorded,
    remove,
    say,
    seen,
    start,
    times,
)
from services.assignment.domain.refusals import (
    ConcernAlreadyPassed,
    ConcernChanged,
    ConcernNotedOtherwise,
    ConcernRemoved,
    EndsBeforeStart,
    EndsInTheFuture,
    NobodyCame,
    PhotoNotLookedAt,
    StartsInTheFuture,
    TimesMissing,
    TooManyConcerns,
    WalkAlreadyCancelled,
    WalkAlreadyCompleted,
    WalkNotArranged,
    WalkNotTaken,
    WordsTooLong,
)
from services.assignment.domain.walks import State, Walk
from shared.contracts.concerns import ConcernRaised
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.refusals import Refusal
from shared.contracts.walks import ConcernsAttached
from tests.unit.test_assignment_domain import (
    MONDAY,
    PLACE,
    a_request,
    a_taken_walk,
    a_walk,
    an_arranged_walk,
    completed,
)

HOUR = timedelta(hours=1)
PHOTO = "a" * 64


def said(**changed: Any) -> Said:
    given: dict[str, Any] = {
        "category": Reason.BADLY_LIT,
        "place": PLACE,
        "place_name": "Underpass",
        "time_of_day": PartOfDay.EVENING,
        "severity": Severity.HIGH,
        "words": "Two lamps are broken",
        "suggests": "Mend them",
        **changed,
    }
    return Said(**given)


def noted(walk: Walk, given: Said | None = None, concern_id: UUID | None = None) -> Noted:
    found = note(walk, None, concern_id or uuid4(), given or said(), "officer-1", 0, MONDAY)
    assert found is not None
    return found


class TestNoting:
    def test_the_same_sent_again_is_the_same(self) -> None:
        """Nothing new comes of it, also after it was corrected or passed on."""
        walk, first = an_arranged_walk(), uuid4()
        known = noted(walk, concern_id=first)
        corrected = correct(known, said(words="Three are"), MONDAY)
        for stands in (known, corrected, replace(corrected, passed_at=MONDAY)):
            assert note(walk, stands, first, said(), "officer-1", 1, MONDAY) is None

    @pytest.mark.parametrize(
        "changed",
        [
            {"category": Reason.FOLLOWED},
            {"place": Point(latitude=51.46, longitude=-2.59)},
            {"place_name": None},
            {"time_of_day": None},
            {"severity": Severity.LOW},
            {"words": None},
            {"suggests": None},
            {"patrol_wanted": True},
            {"photo": PHOTO, "photo_looked_at": True},
        ],
    )
    def test_other_content_under_a_known_id_is_refused(self, changed: dict[str, Any]) -> None:
        """Whatever of it differs: silently keeping either would lose the other."""
        walk = an_arranged_walk()
        known = noted(walk)
        with pytest.raises(ConcernNotedOtherwise):
            note(walk, known, known.id, said(**changed), "officer-1", 1, MONDAY)

    def test_an_id_of_another_walk_is_refused(self) -> None:
        """By whichever way."""
        known = noted(an_arranged_walk())
        with pytest.raises(ConcernNotedOtherwise):
            note(an_arranged_walk(), known, known.id, said(), "officer-1", 0, MONDAY)
        with pytest.raises(ConcernNotedOtherwise):
            remove(an_arranged_walk(), known, known.id, "officer-1", MONDAY)

    def test_what_was_removed_holds_nothing_and_does_not_come_back(self) -> None:
        """Removed after or before it arrived; removed again it is as before."""
        walk, never = an_arranged_walk(), uuid4()
        known = noted(walk)
        for before, id_ in ((known, known.id), (None, never)):
            gone = remove(walk, before, id_, "officer-1", MONDAY)
            assert (gone.said, gone.sent) == (None, "")
            assert remove(walk, gone, id_, "officer-1", MONDAY).said is None
            with pytest.raises(ConcernRemoved):
                note(walk, gone, id_, said(), "officer-1", 0, MONDAY)
            with pytest.raises(ConcernRemoved):
                correct(gone, said(), MONDAY)

    def test_what_was_passed_on_is_neither_corrected_nor_removed(self) -> None:
        """Partners have it."""
        walk = an_arranged_walk()
        known = replace(noted(walk), passed_at=MONDAY)
        with pytest.raises(ConcernAlreadyPassed):
            correct(known, said(), MONDAY)
        with pytest.raises(ConcernAlreadyPassed):
            remove(walk, known, known.id, "officer-1", MONDAY)

    @pytest.mark.parametrize(
        ("walk", "refusal"),
        [
            (a_walk(), WalkNotTaken),
            (a_taken_walk(), WalkNotArranged),
            (replace(an_arranged_walk(), state=State.CANCELLED, cancel_reason="other"), WalkAlreadyCancelled),
        ],
    )
    def test_nothing_is_noted_on_a_walk_that_is_not_held(self, walk: Walk, refusal: type[Refusal]) -> None:
        """Not arranged, or cancelled."""
        with pytest.raises(refusal):
            noted(walk)

    def test_there_is_an_end_to_concerns_words_and_unseen_photos(self) -> None:
        """What partners would be told has to fit into what they are told."""
        walk = an_arranged_walk()
        with pytest.raises(TooManyConcerns):
            note(walk, None, uuid4(), said(), "officer-1", MOST_NOTED, MONDAY)
        noted(walk, said(words="x" * 2000, suggests="y" * 1984))
        with pytest.raises(WordsTooLong):
            noted(walk, said(words="x" * 2000, suggests="y" * 1985))
        with pytest.raises(PhotoNotLookedAt):
            noted(walk, said(photo=PHOTO))

    def test_partners_are_told_words_and_wishes_and_neither_photo_nor_patrol(self) -> None:
        """Nothing but the fields of ConcernRaised."""
        given = said(patrol_wanted=True, photo=PHOTO, photo_looked_at=True)
        walk = completed(an_arranged_walk()).walk
        (event,) = preview(walk, Record(), [noted(walk, given)], MONDAY)
        assert event.words == "Two lamps are broken\n\nShe suggests: Mend them"
        assert PHOTO not in event.model_dump_json()
        assert recorded(said(words=None, suggests=None)).words is None


class TestStamps:
    def test_the_first_press_stands(self) -> None:
        """A press repeated for want of an answer moves nothing."""
        walk = an_arranged_walk()
        record = start(walk, Record(), MONDAY - HOUR, MONDAY)
        assert start(walk, record, MONDAY, MONDAY) == record
        ended = end(walk, record, MONDAY, MONDAY)
        assert end(walk, ended, MONDAY + timedelta(minutes=2), MONDAY) == ended
        assert times(ended) == (MONDAY - HOUR, MONDAY)

    cases: ClassVar[list[tuple[Record, type[Refusal]]]] = [
        (Record(started_at=MONDAY + HOUR), StartsInTheFuture),
        (Record(ended_at=MONDAY + HOUR), EndsInTheFuture),
        (Record(started_at=MONDAY, ended_at=MONDAY), EndsBeforeStart),
        (Record(came=frozenset()), NobodyCame),
        (Record(came=frozenset({UUID(int=1)})), NobodyCame),
    ]

    @pytest.mark.parametrize(("record", "refusal"), cases)
    def test_what_cannot_have_been_is_refused(self, record: Record, refusal: type[Refusal]) -> None:
        """By the field that is wrong."""
        with pytest.raises(refusal):
            say(an_arranged_walk(), record, MONDAY)

    def test_a_phone_a_few_minutes_ahead_may_start_and_end_a_walk(self) -> None:
        """Clocks differ; an hour is no difference of clocks."""
        walk, ahead = an_arranged_walk(), MONDAY + timedelta(minutes=4)
        start(walk, Record(), ahead, MONDAY)
        end(walk, Record(), ahead, MONDAY)
        with pytest.raises(StartsInTheFuture):
            start(walk, Record(), MONDAY + HOUR, MONDAY)
        with pytest.raises(EndsInTheFuture):
            end(walk, Record(), MONDAY + HOUR, MONDAY)
        with pytest.raises(EndsBeforeStart):
            end(walk, Record(started_at=MONDAY), MONDAY - HOUR, MONDAY)

    def test_of_a_group_only_those_of_this_walk_came(self) -> None:
        """An id of elsewhere is left out."""
        one, two = a_request(), a_request()
        walk = an_arranged_walk(one, two)
        assert say(walk, Record(came=frozenset({one.id, uuid4()})), MONDAY).came == frozenset({one.id})

    def test_a_record_is_closed_with_its_walk_and_needs_its_times(self) -> None:
        """Nothing is said of it afterwards."""
        walk = completed(an_arranged_walk()).walk
        with pytest.raises(WalkAlreadyCompleted):
            say(walk, Record(), MONDAY)
        with pytest.raises(WalkAlreadyCompleted):
            start(walk, Record(), MONDAY, MONDAY)
        with pytest.raises(TimesMissing):
            times(Record(started_at=MONDAY))


def test_before_a_walk_is_closed_nothing_is_passed_on_apart() -> None:
    """It is told with the walk."""
    walk = an_arranged_walk()
    with pytest.raises(WalkNotArranged):
        pass_on(walk, Record(), [noted(walk)], MONDAY)


class Passing(RuleBasedStateMachine):
    """Concerns of a closed walk are noted, sent again, corrected, removed, looked at and passed on, in any order."""

    concerns = Bundle("concerns")

    def __init__(self) -> None:
        super().__init__()
        self.walk = completed(an_arranged_walk()).walk
        self.rows: dict[UUID, Noted] = {}
        self.first: dict[UUID, Said] = {}
        self.looks: dict[UUID, tuple[str, ConcernRaised]] = {}
        self.removed: set[UUID] = set()
        self.told: dict[UUID, ConcernRaised] = {}
        self.attached: list[UUID] = []

    @rule(target=concerns, words=st.sampled_from(["lamps", "bins", "<b>wall</b>", ""]))
    def note(self, words: str) -> Any:
        """A new concern."""
        if len(self.rows) >= 6:
            return multiple()
        id_, given = uuid4(), said(words=words)
        self.rows[id_], self.first[id_] = noted(self.walk, given, id_), given
        return id_

    @rule(id_=concerns)
    def send_again(self, id_: UUID) -> None:
        """The same, late."""
        try:
            assert note(self.walk, self.rows[id_], id_, self.first[id_], "officer-1", 1, MONDAY) is None
        except ConcernRemoved:
            assert id_ in self.removed

    @rule(id_=concerns, words=st.sampled_from(["lamps", "hedge", "path"]))
    def correct(self, id_: UUID, words: str) -> None:
        """Refused once it was passed on or removed."""
        try:
            self.rows[id_] = correct(self.rows[id_], said(words=words), MONDAY)
            assert id_ not in self.told and id_ not in self.removed
        except (ConcernAlreadyPassed, ConcernRemoved):
            assert id_ in self.told or id_ in self.removed

    @rule(id_=concerns)
    def remove(self, id_: UUID) -> None:
        """Refused once it was passed on."""
        try:
            self.rows[id_] = remove(self.walk, self.rows[id_], id_, "officer-1", MONDAY)
            self.removed.add(id_)
        except ConcernAlreadyPassed:
            assert id_ in self.told

    @rule()
    def look(self) -> None:
        """The officer sees what partners would."""
        events = preview(self.walk, Record(), list(self.rows.values()), MONDAY)
        self.looks.update({event.concern_id: (seen(event), event) for event in events})

    @rule(ids=st.lists(concerns, max_size=3, unique=True))
    def pass_on(self, ids: list[UUID]) -> None:
        """What was looked at, if it is still so."""
        looks = {id_: self.looks[id_][0] for id_ in ids if id_ in self.looks}
        try:
            decided = pass_on(self.walk, Record(), chosen(list(self.rows.values()), looks), MONDAY)
            for event in decided.events:
                if isinstance(event, ConcernRaised) and looks[event.concern_id] != seen(event):
                    return
        except ConcernChanged:
            assert any(id_ in self.told or id_ in self.removed for id_ in looks)
            return
        for event in decided.events:
            match event:
                case ConcernRaised():
                    assert event.concern_id not in self.told
                    self.told[event.concern_id] = event
                    self.rows[event.concern_id] = replace(self.rows[event.concern_id], passed_at=MONDAY)
                case ConcernsAttached():
                    self.attached += event.concern_ids

    @invariant()
    def what_was_told_is_what_was_seen_once(self) -> None:
        """And nothing that was removed."""
        assert sorted(self.attached) == sorted(self.told)
        assert not self.removed & set(self.told)
        for id_, event in self.told.items():
            assert event == self.looks[id_][1]


TestPassing = Passing.TestCase
TestPassing.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
