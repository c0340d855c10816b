"""What is kept of an alleged crime or intelligence, who may see it, and what a walk waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from services.assignment.domain.disclosures import (
    Disclosure,
    DisclosureKind,
    Given,
    Mistake,
    Safeguarding,
    Signpost,
    may_record,
    may_see,
    open_disclosure,
    record_disclosure,
    reference_of,
    refuse_closing,
    withdraw_disclosure,
)
from services.assignment.domain.people import Person
from services.assignment.domain.record import complete
from services.assignment.domain.refusals import (
    DisclosureKindMissing,
    DisclosureNotOpened,
    DisclosureOpen,
    DisclosureSettled,
    DisclosureWithdrawn,
    NotByWhoOpenedIt,
    NothingRecorded,
    OnlyCoordinators,
    ReferenceWrong,
    SafeguardingTimeWrong,
    SafeguardingUnclear,
    WalkNotTaken,
)
from services.assignment.domain.walks import State, Walk
from shared.contracts.policy import DisclosureRules
from tests.unit.test_assignment_domain import (
    FORCE,
    MONDAY,
    RULES,
    a_request,
    a_taken_walk,
    a_walk,
    an_arranged_walk,
    contact_rules,
)

DAY = DisclosureRules(record_within_hours=24)
DONE = Given(
    kind=DisclosureKind.CRIME,
    reference="5226123456",
    safeguarding=(Safeguarding.MADE_SAFE,),
    safeguarded_at=MONDAY - timedelta(hours=1),
)


def a_disclosure(**changed: Any) -> Disclosure:
    opened = open_disclosure(an_arranged_walk(), (), uuid4(), "officer-1", DAY, MONDAY)
    return replace(opened, **changed)


def settled(**changed: Any) -> Disclosure:
    return replace(record_disclosure(a_disclosure(), DONE, "officer-1", MONDAY), **changed)


def somebody(id_: str, **changed: Any) -> Person:
    given: dict[str, Any] = {"is_coordinator": False, "team_id": "bs1", "team_ids": frozenset({"bs1"}), "officer": None}
    return Person(FORCE, id_, **{**given, **changed})


def close(walk: Walk, standing: Sequence[Disclosure], disclosed: bool | None) -> Walk:
    start = MONDAY - timedelta(hours=1)
    return complete(walk, start, MONDAY, True, [], [], RULES, MONDAY, disclosures=standing, disclosed=disclosed).walk


def test_there_is_no_field_for_what_was_said() -> None:
    """Every text of a disclosure is an id, a closed word or the number; none may be written freely."""
    texts = {field.name for field in fields(Disclosure) if "str" in str(field.type)}
    assert texts == {"force_id", "opened_by", "reference", "safeguarded_by", "recorded_by", "withdrawn_by"}


@pytest.mark.parametrize("disclosed", [True, False, None])
def test_walk_is_not_closed_while_one_is_open(disclosed: bool | None) -> None:
    """Whatever the officer answers."""
    for standing in ([a_disclosure()], [settled(), a_disclosure()], [a_disclosure(reference="5226123456")]):
        with pytest.raises(DisclosureOpen):
            close(an_arranged_walk(), standing, disclosed)


def test_walk_is_closed_once_reference_and_safeguarding_are_recorded() -> None:
    """Half of it is not enough; both are."""
    half = record_disclosure(a_disclosure(), replace(DONE, safeguarding=()), "officer-1", MONDAY)
    with pytest.raises(DisclosureOpen):
        close(an_arranged_walk(), [half], True)
    other = record_disclosure(a_disclosure(), replace(DONE, reference=None), "officer-1", MONDAY)
    with pytest.raises(DisclosureOpen):
        close(an_arranged_walk(), [other], True)
    whole = record_disclosure(half, replace(DONE, reference=None), "officer-1", MONDAY)
    assert close(an_arranged_walk(), [whole], True).state is State.COMPLETED


def test_who_says_that_something_was_disclosed_records_it_first() -> None:
    """Yes, and nothing there: the walk stays open. One that was taken back is nothing."""
    with pytest.raises(DisclosureNotOpened):
        close(an_arranged_walk(), [], True)
    back = replace(a_disclosure(), withdrawn_at=MONDAY, withdrawn_by="x", withdrawn_because=Mistake.OPENED_BY_MISTAKE)
    with pytest.raises(DisclosureNotOpened):
        close(an_arranged_walk(), [back], True)
    assert close(an_arranged_walk(), [back], False).state is State.COMPLETED


@hypothesis_given(standing=st.lists(st.sampled_from(["open", "half", "settled", "back"]), max_size=4))
def test_gate_is_open_exactly_when_none_is(standing: list[str]) -> None:
    """For any company of disclosures."""
    made = {
        "open": a_disclosure(),
        "half": a_disclosure(safeguarding=(Safeguarding.REFERRED,)),
        "settled": settled(),
        "back": a_disclosure(withdrawn_at=MONDAY),
    }
    found = [made[name] for name in standing]
    if {"open", "half"} & set(standing):
        with pytest.raises(DisclosureOpen):
            refuse_closing(found, None)
    else:
        refuse_closing(found, None)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("5226123456", "5226123456"),
        (" cad 1234/01dec26 ", "CAD1234/01DEC26"),
        ("IR-2026-004512", "IR-2026-004512"),
        ("bs/26/0001234", "BS/26/0001234"),
        ("42.1234.26", "42.1234.26"),
    ],
)
def test_number_is_kept_as_the_forces_systems_write_it(typed: str, kept: str) -> None:
    """Capitals, and no spaces."""
    assert reference_of(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "12",
        "no number",
        "her uncle followed her on 12/11/2026 and 13/11/2026",
        "RAPED123",
        "SMITH4567 JONES",
        "-123456",
        "5226_123456",
        "5226123456; told her sister",
        "٥٢٢٦١٢٣",
        "1" * 25,
        "<b>123</b>",
    ],
)
def test_what_was_said_does_not_fit_into_the_number(typed: str) -> None:
    """Words, names and sentences are refused by the field."""
    with pytest.raises(ReferenceWrong) as refused:
        record_disclosure(a_disclosure(), replace(DONE, reference=typed), "officer-1", MONDAY)
    assert refused.value.fields == {"reference": ReferenceWrong().message}


@hypothesis_given(st.text(max_size=60))
def test_number_never_holds_more_than_six_letters(typed: str) -> None:
    """Whatever is typed."""
    try:
        kept = reference_of(typed)
    except ReferenceWrong:
        return
    assert kept.isascii() and len(kept) <= 24 and " " not in kept
    assert sum(character.isalpha() for character in kept) <= 6


@pytest.mark.parametrize(
    ("given", "refusal", "field"),
    [
        (Given(), NothingRecorded, "reference"),
        (replace(DONE, kind=None), DisclosureKindMissing, "kind"),
        (replace(DONE, safeguarded_at=None), SafeguardingTimeWrong, "safeguarded_at"),
        (replace(DONE, safeguarded_at=MONDAY + timedelta(hours=1)), SafeguardingTimeWrong, "safeguarded_at"),
        (
            replace(DONE, safeguarding=(Safeguarding.NONE_NEEDED, Safeguarding.REFERRED)),
            SafeguardingUnclear,
            "safeguarding",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_by_field(given: Given, refusal: Any, field: str) -> None:
    """Each names where to look."""
    with pytest.raises(refusal) as refused:
        record_disclosure(a_disclosure(), given, "officer-1", MONDAY)
    assert set(refused.value.fields) == {field}


def test_what_was_done_when_and_by_whom_is_recorded() -> None:
    """And by whom it was recorded, who is who did it where nobody else is named."""
    found = record_disclosure(a_disclosure(), DONE, "officer-2", MONDAY)
    assert (found.kind, found.reference) == (DisclosureKind.CRIME, "5226123456")
    assert (found.safeguarding, found.safeguarded_at, found.safeguarded_by) == (
        (Safeguarding.MADE_SAFE,),
        MONDAY - timedelta(hours=1),
        "officer-2",
    )
    assert (found.recorded_at, found.recorded_by) == (MONDAY, "officer-2")
    named = record_disclosure(found, replace(DONE, safeguarded_by="sergeant-3"), "officer-2", MONDAY)
    assert (named.safeguarded_by, named.recorded_by) == ("sergeant-3", "officer-2")


def test_slip_is_set_right_and_nothing_is_emptied() -> None:
    """A wrong number is replaced; what is left out of a later entry stays."""
    found = record_disclosure(settled(), Given(signposted=(Signpost.VICTIM_SUPPORT,)), "officer-1", MONDAY)
    assert (found.reference, found.safeguarding) == ("5226123456", (Safeguarding.MADE_SAFE,))
    right = Given(kind=DisclosureKind.INTELLIGENCE, reference="IR-2026-004512")
    found = record_disclosure(found, right, "officer-1", MONDAY)
    assert (found.kind, found.reference) == (DisclosureKind.INTELLIGENCE, "IR-2026-004512")
    assert found.signposted == (Signpost.VICTIM_SUPPORT,)
    assert not found.is_unsettled


@pytest.mark.parametrize("state", [State.TAKEN, State.ARRANGED, State.COMPLETED, State.CANCELLED])
def test_one_is_opened_at_any_moment_from_the_first_call_on(state: State) -> None:
    """Before the walk, on it, after it, and after one that never came about."""
    walk = replace(an_arranged_walk(), state=state)
    found = open_disclosure(walk, (), uuid4(), "officer-1", DAY, MONDAY)
    assert (found.walk_id, found.due_at) == (walk.id, MONDAY + timedelta(hours=24))
    assert found.is_unsettled


def test_none_is_opened_before_an_officer_has_it() -> None:
    """Nobody has spoken with her."""
    with pytest.raises(WalkNotTaken):
        open_disclosure(a_walk(), (), uuid4(), "officer-1", DAY, MONDAY)


def test_one_is_open_at_a_time() -> None:
    """Opened twice by a nervous thumb it is one; after it is recorded there may be another."""
    first = a_disclosure()
    assert open_disclosure(a_taken_walk(), [settled(), first], uuid4(), "officer-1", DAY, MONDAY) is first
    assert open_disclosure(a_taken_walk(), [settled()], uuid4(), "officer-1", DAY, MONDAY).is_unsettled


def test_time_runs_by_the_clock_through_the_night_the_clocks_change() -> None:
    """Twenty-four hours are twenty-four hours, on no calendar."""
    before = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
    found = open_disclosure(a_taken_walk(), (), uuid4(), "officer-1", DAY, before)
    assert found.due_at - before == timedelta(hours=24)


def test_coordinator_takes_back_what_is_none_but_not_her_own() -> None:
    """Two people: whoever opened one cannot close the walk past it alone."""
    coordinator = somebody("coordinator-1", is_coordinator=True)
    back = withdraw_disclosure(a_disclosure(), Mistake.OPENED_BY_MISTAKE, coordinator, MONDAY)
    assert not back.is_unsettled and back.withdrawn_by == "coordinator-1"
    with pytest.raises(OnlyCoordinators):
        withdraw_disclosure(a_disclosure(), Mistake.OPENED_BY_MISTAKE, somebody("officer-2"), MONDAY)
    with pytest.raises(NotByWhoOpenedIt):
        withdraw_disclosure(a_disclosure(opened_by="coordinator-1"), Mistake.RECORDED_TWICE, coordinator, MONDAY)
    with pytest.raises(DisclosureWithdrawn):
        withdraw_disclosure(back, Mistake.RECORDED_TWICE, coordinator, MONDAY)
    with pytest.raises(DisclosureWithdrawn):
        record_disclosure(back, DONE, "officer-1", MONDAY)


@pytest.mark.parametrize(
    "given",
    [
        DONE,
        replace(DONE, safeguarding=()),
        replace(DONE, reference=None),
        Given(signposted=(Signpost.HEALTH,)),
    ],
)
def test_what_was_recorded_is_never_taken_back(given: Given) -> None:
    """Not half of it either."""
    found = record_disclosure(a_disclosure(), given, "officer-1", MONDAY)
    with pytest.raises(DisclosureSettled):
        withdraw_disclosure(found, Mistake.RECORDED_TWICE, somebody("coordinator-1", is_coordinator=True), MONDAY)


def test_it_is_for_officers_of_the_walk_who_opened_it_coordinators_and_auditors() -> None:
    """A colleague of the same team who may see the walk may not see this; an auditor looks and records nothing."""
    walk, found = an_arranged_walk(), a_disclosure(opened_by="officer-7")
    seeing = {
        "officer-1": somebody("officer-1"),
        "officer-7": somebody("officer-7", team_ids=frozenset()),
        "colleague": somebody("officer-2"),
        "coordinator": somebody("coordinator-1", is_coordinator=True),
        "auditor": somebody("auditor-1", is_auditor=True),
    }
    assert {name for name, person in seeing.items() if may_see(found, walk, person)} == set(seeing) - {"colleague"}
    assert {name for name, person in seeing.items() if may_record(found, walk, person)} == (
        set(seeing) - {"colleague", "auditor"}
    )


@pytest.mark.parametrize("rank", [{}, {"is_coordinator": True}, {"is_auditor": True}])
def test_whom_she_excludes_is_never_told(rank: dict[str, bool]) -> None:
    """Rank opens nothing, and having opened it oneself neither."""
    walk = an_arranged_walk(a_request(contact=contact_rules(excluded_officers=("abuser",))))
    assert not may_see(a_disclosure(opened_by="abuser"), walk, somebody("abuser", **rank))


def test_after_erasure_it_leads_to_no_walk_and_stays_with_who_answers_for_it() -> None:
    """Coordinators, auditors and who opened it; the officer of a walk nobody can name any more does not."""
    found = settled(walk_id=None, opened_by="officer-7")
    assert may_see(found, None, somebody("coordinator-1", is_coordinator=True))
    assert may_see(found, None, somebody("officer-7"))
    assert not may_see(found, None, somebody("officer-1"))
