"""Who is asked to act on a concern, and what may happen to a referral."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.partners import domain
from services.partners.domain import (
    Accept,
    Assign,
    By,
    Case,
    Concern,
    ConcernState,
    Coverage,
    Decision,
    Decline,
    Minted,
    Partner,
    Referral,
    ReferralState,
    Register,
    Resolve,
    TriageReason,
    Update,
)
from shared.contracts.kinds import Point, Reason, Severity
from shared.contracts.partner_view import PartnerConcernReferred, PartnerReferralChanged, PartnerReferralStatus
from shared.contracts.referrals import (
    ConcernResolved,
    Progress,
    ReferralAccepted,
    ReferralDeclined,
    ReferralMade,
    ReferralUpdated,
    Resolution,
)
from shared.working_days import day

MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
FORCE = "avon-and-somerset"
AREAS = ("bs1", "bs2", "bs5")


def a_partner(id_: str, *coverage: Coverage, agreed_on: date = date(2025, 1, 6)) -> Partner:
    return Partner(id_, id_.title(), "council", f"{id_}@{id_}.example", agreed_on, coverage or (Coverage(),))


def a_register(*partners: Partner) -> Register:
    return Register(FORCE, 1, 10, partners)


def a_concern(area: str = "bs1", category: Reason = Reason.BADLY_LIT, **given: object) -> Concern:
    concern = Concern(
        FORCE,
        uuid4(),
        area,
        "Bristol city centre",
        category,
        Point(latitude=51.45, longitude=-2.59),
        "Underpass",
        None,
        Severity.HIGH,
        "No lights under the bridge",
        date(2026, 11, 20),
        ConcernState.REFERRED,
    )
    return replace(concern, **given)  # type: ignore[arg-type]  # a builder takes any field


def minted() -> Minted:
    return Minted(uuid4(), uuid4())


def areas(*named: str) -> Coverage:
    return Coverage(areas=frozenset(named))


def categories(*named: Reason) -> Coverage:
    return Coverage(categories=frozenset(named))


def referred(register: Register, concern: Concern | None = None) -> Case:
    """A concern whose first partner was asked."""
    return after(Case(concern or a_concern()), domain.refer(Case(concern or a_concern()), register, minted(), MONDAY))


def after(case: Case, decision: Decision) -> Case:
    """The case once a decision stands."""
    changed = {referral.id: referral for referral in decision.changed}
    referrals = [changed.get(referral.id, referral) for referral in case.referrals]
    return Case(decision.concern, (*referrals, *([decision.made] if decision.made else [])))


def one_of(case: Case) -> Referral:
    return case.referrals[-1]


def accept(case: Case, partner_id: str | None = "council") -> Decision:
    return domain.answer(case, Accept(FORCE, one_of(case).reference, partner_id), a_register(), minted(), MONDAY)


def decline(case: Case, register: Register, reason: str = "Not our land") -> Decision:
    referral = one_of(case)
    return domain.answer(
        case, Decline(FORCE, referral.reference, referral.partner_id, reason), register, minted(), MONDAY
    )


def update(case: Case, progress: Progress = Progress.PLANNED, words: str | None = None) -> Decision:
    referral = one_of(case)
    return domain.answer(
        case, Update(FORCE, referral.reference, referral.partner_id, progress, words), a_register(), minted(), MONDAY
    )


def resolve(case: Case, words: str | None = "New lamps stand") -> Decision:
    referral = one_of(case)
    command = Resolve(FORCE, referral.reference, referral.partner_id, Resolution.DONE, words)
    return domain.answer(case, command, a_register(), minted(), MONDAY)


COUNCIL = a_register(a_partner("council"))


def made_for(register: Register, area: str = "bs1", category: Reason = Reason.BADLY_LIT) -> str | None:
    made = domain.refer(Case(a_concern(area, category)), register, minted(), MONDAY).made
    return made.partner_id if made else None


# Whom to ask


def test_partner_of_named_areas_goes_before_one_of_the_whole_force() -> None:
    """The narrower agreement is the one somebody made for this place."""
    assert made_for(a_register(a_partner("council"), a_partner("developer", areas("bs1")))) == "developer"


def test_partner_of_named_categories_goes_before_one_of_all() -> None:
    """With equal areas, the agreement that names the category is narrower."""
    lighting = a_partner("lighting", categories(Reason.BADLY_LIT), agreed_on=date(2026, 1, 1))
    assert made_for(a_register(a_partner("council"), lighting)) == "lighting"


def test_earlier_agreement_goes_first_between_equals() -> None:
    """Where coverage is equally narrow, who agreed first is asked first."""
    register = a_register(a_partner("late", agreed_on=date(2026, 1, 1)), a_partner("soon", agreed_on=date(2025, 1, 1)))
    assert made_for(register) == "soon"


def test_partner_is_not_asked_for_a_category_it_does_not_cover() -> None:
    """A narrow area does not help where the category is another."""
    traders = a_partner("traders", Coverage(frozenset({"bs1"}), frozenset({Reason.NO_CCTV})))
    assert made_for(a_register(traders, a_partner("council"))) == "council"


def test_concern_nobody_covers_goes_to_triage() -> None:
    """A person decides; nothing is published for nobody."""
    decision = domain.refer(Case(a_concern("bs5")), a_register(a_partner("a", areas("bs1"))), minted(), MONDAY)
    assert decision.concern.state is ConcernState.TRIAGE
    assert decision.concern.triage_reason is TriageReason.NOT_COVERED
    assert decision.made is None
    assert decision.events == ()


coverages = st.builds(
    Coverage,
    st.frozensets(st.sampled_from(AREAS), max_size=2),
    st.frozensets(st.sampled_from(list(Reason)), max_size=3),
)
registers = st.lists(
    st.builds(
        lambda n, coverage, agreed: Partner(f"p{n}", f"P{n}", "council", None, agreed, tuple(coverage)),
        st.integers(0, 99),
        st.lists(coverages, min_size=1, max_size=3),
        st.dates(date(2024, 1, 1), date(2026, 1, 1)),
    ),
    max_size=6,
    unique_by=lambda partner: partner.id,
).map(lambda partners: Register(FORCE, 1, 10, tuple(partners)))


@given(registers, st.sampled_from(AREAS), st.sampled_from(list(Reason)))
def test_nobody_narrower_or_earlier_is_passed_over(register: Register, area: str, category: Reason) -> None:
    """Whoever is asked covers the concern, and everybody else that does is broader or agreed no earlier."""
    chosen = register.answerable(area, category)
    covering = [p for p in register.partners if any(c.covers(area, category) for c in p.coverage)]
    if chosen is None:
        assert not covering
        return
    mine = chosen.breadth(area, category)
    assert mine is not None
    for other in covering:
        theirs = other.breadth(area, category)
        assert theirs is not None
        assert (mine, chosen.agreed_on) <= (theirs, other.agreed_on)


@given(registers, st.sampled_from(AREAS), st.sampled_from(list(Reason)), st.randoms())
def test_choice_does_not_depend_on_the_order_of_the_register(
    register: Register, area: str, category: Reason, random: object
) -> None:
    """The same partner is asked however the file lists them."""
    turned = replace(register, partners=tuple(reversed(register.partners)))
    assert register.answerable(area, category) == turned.answerable(area, category)


@given(registers, st.sampled_from(AREAS), st.sampled_from(list(Reason)))
def test_declining_goes_through_everybody_once_and_ends_in_triage(
    register: Register, area: str, category: Reason
) -> None:
    """However many decline, nobody is asked twice, and at the end a person decides."""
    concern = a_concern(area, category)
    case = after(Case(concern), domain.refer(Case(concern), register, minted(), MONDAY))
    while case.concern.state is ConcernState.REFERRED:
        case = after(case, decline(case, register))
    asked = [referral.partner_id for referral in case.referrals]
    assert len(asked) == len(set(asked))
    assert set(asked) == {p.id for p in register.partners if p.breadth(area, category) is not None}


# What is said to whom


def test_partner_is_told_under_a_reference_of_its_own() -> None:
    """The partner's view names neither concern nor referral, and carries days, not moments."""
    concern = a_concern()
    ids = minted()
    decision = domain.refer(Case(concern), COUNCIL, ids, MONDAY)
    made, told = decision.events
    assert isinstance(made, ReferralMade)
    assert isinstance(told, PartnerConcernReferred)
    assert told.reference == ids.reference
    text = told.model_dump_json()
    assert str(concern.id) not in text
    assert str(ids.referral_id) not in text
    assert told.respond_by == day(decision.made.respond_by) == date(2026, 12, 7)  # type: ignore[union-attr]  # made


def test_partner_has_the_working_days_of_the_policy_to_answer() -> None:
    """Ten working days from a Monday end two weeks later, 23:59:59 in London."""
    made = domain.refer(Case(a_concern()), COUNCIL, minted(), MONDAY).made
    assert made is not None
    assert made.respond_by == datetime(2026, 12, 7, 23, 59, 59, tzinfo=UTC)


# What may happen to a referral


def test_accepting_is_told_to_both_sides() -> None:
    """The force learns of it by the concern, the partner's own system by the reference."""
    decision = accept(referred(COUNCIL))
    accepted, told = decision.events
    assert isinstance(accepted, ReferralAccepted)
    assert isinstance(told, PartnerReferralChanged)
    assert decision.changed[0].state is ReferralState.ACCEPTED


def test_declined_concern_goes_to_the_next_that_covers_it() -> None:
    """The first partner's no is not the end."""
    register = a_register(a_partner("council"), a_partner("developer", areas("bs1")))
    case = referred(register)
    decision = decline(case, register)
    assert decision.made is not None
    assert decision.made.partner_id == "council"
    assert [type(event) for event in decision.events] == [
        ReferralDeclined,
        PartnerReferralChanged,
        ReferralMade,
        PartnerConcernReferred,
    ]


def test_concern_everybody_declined_goes_to_triage() -> None:
    """With nobody left, a person decides."""
    decision = decline(referred(COUNCIL), COUNCIL)
    assert decision.made is None
    assert decision.concern.triage_reason is TriageReason.ALL_DECLINED


def test_updates_say_how_the_work_goes() -> None:
    """An accepted referral may be updated as often as there is something new."""
    case = referred(COUNCIL)
    case = after(case, accept(case))
    decision = update(case, Progress.PLANNED, "Lamps are ordered")
    assert isinstance(decision.events[0], ReferralUpdated)
    assert after(case, decision).referrals[0].progress is Progress.PLANNED


def test_resolving_ends_the_concern() -> None:
    """Done, with words she can read."""
    case = referred(COUNCIL)
    case = after(case, accept(case))
    decision = resolve(case)
    resolved, told = decision.events
    assert isinstance(resolved, ConcernResolved)
    assert resolved.words == "New lamps stand"
    assert isinstance(told, PartnerReferralChanged)
    assert told.status is PartnerReferralStatus.RESOLVED
    assert decision.concern.state is ConcernState.RESOLVED


def test_same_command_again_changes_nothing_and_says_nothing() -> None:
    """A double click, or a retry after a lost answer, is harmless."""
    made = referred(COUNCIL)
    accepted = after(made, accept(made))
    updated = after(accepted, update(accepted, words="Soon"))
    resolved = after(updated, resolve(updated))
    declined = after(made, decline(made, COUNCIL))
    for decision in (accept(accepted), update(updated, words="Soon"), resolve(resolved), decline(declined, COUNCIL)):
        assert decision.events == ()
        assert decision.changed == ()
        assert decision.made is None


def test_referral_must_be_accepted_before_it_is_updated_or_resolved() -> None:
    """Who has not said yes cannot have begun."""
    for act in (update, resolve):
        with pytest.raises(domain.ReferralNotAccepted):
            act(referred(COUNCIL))


def test_accepted_referral_cannot_be_declined() -> None:
    """It can be resolved with nothing more, so that the woman is told why."""
    case = referred(COUNCIL)
    with pytest.raises(domain.ReferralAlreadyAccepted):
        decline(after(case, accept(case)), COUNCIL)


def test_declined_referral_takes_no_more_answers() -> None:
    """The concern has gone on."""
    case = referred(COUNCIL)
    case = after(case, decline(case, COUNCIL))
    for act in (accept, update, resolve):
        with pytest.raises(domain.ReferralAlreadyDeclined):
            act(case)
    with pytest.raises(domain.ReferralAlreadyDeclined):
        decline(case, COUNCIL, "Another reason")


def test_resolved_referral_takes_no_other_answers() -> None:
    """What is done is done."""
    case = referred(COUNCIL)
    case = after(case, accept(case))
    case = after(case, resolve(case))
    for act in (accept, update):
        with pytest.raises(domain.ReferralAlreadyResolved):
            act(case)
    with pytest.raises(domain.ReferralAlreadyResolved):
        resolve(case, "Other words")


def test_another_partners_referral_is_not_found() -> None:
    """Whether it exists is nobody else's business."""
    with pytest.raises(domain.ReferralNotFound):
        accept(referred(COUNCIL), "developer")


def test_police_may_answer_for_a_partner() -> None:
    """A partner without a computer tells the coordinator; the history says who wrote it."""
    decision = accept(referred(COUNCIL), None)
    assert decision.changes[0].by is By.POLICE


# Withdrawal


def test_withdrawn_concern_closes_the_referral_and_tells_the_partner() -> None:
    """Nobody works on what nobody wants, and its words are not kept."""
    decision = domain.withdraw(referred(COUNCIL), MONDAY)
    assert decision.concern.state is ConcernState.WITHDRAWN
    assert decision.concern.words is None
    (told,) = decision.events
    assert isinstance(told, PartnerReferralChanged)
    assert told.status is PartnerReferralStatus.WITHDRAWN


def test_withdrawn_referral_takes_no_answers() -> None:
    """The partner learns why."""
    case = referred(COUNCIL)
    case = after(case, domain.withdraw(case, MONDAY))
    for act in (accept, update, resolve):
        with pytest.raises(domain.ReferralWithdrawn):
            act(case)


def test_withdrawing_twice_or_after_the_end_does_nothing() -> None:
    """Late and repeated withdrawals are harmless."""
    case = referred(COUNCIL)
    accepted = after(case, accept(case))
    for ended in (after(case, domain.withdraw(case, MONDAY)), after(accepted, resolve(accepted))):
        decision = domain.withdraw(ended, MONDAY)
        assert decision.events == ()
        assert decision.concern == ended.concern


# Triage


def in_triage() -> Case:
    case = Case(a_concern())
    return after(case, domain.refer(case, a_register(), minted(), MONDAY))


def an_assignment(case: Case, partner_id: str = "council") -> Assign:
    return Assign(FORCE, case.concern.id, partner_id)


def test_coordinator_chooses_the_partner() -> None:
    """Even one whose agreement does not cover it."""
    register = a_register(a_partner("council", areas("bs9")))
    case = in_triage()
    decision = domain.assign(case, an_assignment(case), register, minted(), MONDAY)
    assert decision.made is not None
    assert decision.concern.state is ConcernState.REFERRED
    assert decision.concern.triage_reason is None


def test_same_choice_again_is_harmless() -> None:
    """A double click asks nobody twice."""
    case = in_triage()
    chosen = after(case, domain.assign(case, an_assignment(case), COUNCIL, minted(), MONDAY))
    assert domain.assign(chosen, an_assignment(case), COUNCIL, minted(), MONDAY).made is None


@pytest.mark.parametrize(
    ("case", "partner_id", "refusal"),
    [
        (None, "council", domain.ConcernNotInTriage),
        (referred(COUNCIL), "developer", domain.ConcernNotInTriage),
        (in_triage(), "nobody", domain.PartnerUnknown),
    ],
)
def test_choice_that_cannot_be_is_refused(case: Case | None, partner_id: str, refusal: type[Exception]) -> None:
    """Each with its own sentence."""
    id_ = case.concern.id if case else UUID(int=0)
    with pytest.raises(refusal):
        domain.assign(case, Assign(FORCE, id_, partner_id), COUNCIL, minted(), MONDAY)


def test_partner_that_declined_is_not_asked_again() -> None:
    """A concern goes to a partner once."""
    case = referred(COUNCIL)
    case = after(case, decline(case, COUNCIL))
    with pytest.raises(domain.PartnerAlreadyAsked):
        domain.assign(case, an_assignment(case), COUNCIL, minted(), MONDAY)


# Deadlines


def test_only_what_nobody_answered_becomes_overdue() -> None:
    """A partner that has said yes is not late."""
    made = one_of(referred(COUNCIL))
    accepted = replace(made, state=ReferralState.ACCEPTED)
    assert domain.overdue([made, accepted]) == [replace(made, overdue=True)]


def test_answer_takes_the_overdue_mark_away() -> None:
    """Late, but answered."""
    case = referred(COUNCIL)
    late = replace(case, referrals=tuple(domain.overdue(case.referrals)))
    assert not after(late, accept(late)).referrals[0].overdue
