"""Who is asked, which answers worry us, and what is told of them: rules of the scheme, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback import domain
from services.feedback.domain import RULES, AnswersInvalid, Finished, NoSuchQuestion, NothingAnswered
from shared.contracts.kinds import OfficerKind, SurveyName, Urgency
from shared.contracts.policy import SurveyRules
from shared.contracts.referrals import (
    ConcernResolved,
    Progress,
    ReferralAccepted,
    ReferralDeclined,
    ReferralMade,
    ReferralUpdated,
    Resolution,
)
from shared.contracts.surveys import AFTER_WALK, BASELINE
from shared.contracts.walks import WalkCompleted

FORCE = "avon-and-somerset"
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
ANSWERS = st.fixed_dictionaries(
    {}, optional={q.code: st.sampled_from([c.code for c in q.choices]) for q in AFTER_WALK.questions}
)


def finish(now: datetime = NOW, pair_id: UUID | None = None, **answers: str) -> Finished:
    return domain.finish(
        force_id=FORCE,
        survey=AFTER_WALK,
        pair_id=pair_id or uuid4(),
        contact="sealed",
        answers={code.replace("_", "-"): answer for code, answer in answers.items()},
        now=now,
        new_id=uuid4,
    )


def a_walk(women: int = 1, ended_at: datetime = NOW) -> WalkCompleted:
    return WalkCompleted(
        walk_id=uuid4(),
        request_ids=tuple(uuid4() for _ in range(women)),
        area_id="bs1",
        team_id="bs1",
        officer_id="officer-1",
        officer_kind=OfficerKind.OFFICER,
        started_at=ended_at - timedelta(hours=1),
        ended_at=ended_at,
    )


# Invitations


@pytest.mark.parametrize("hours", [0, 24, 72])
def test_the_survey_goes_out_as_long_after_the_walk_as_the_force_says(hours: int) -> None:
    """The wait counts from the end of the walk, not from when we heard of it."""
    invitation = domain.invite(a_walk(), FORCE, SurveyRules(invite_after_hours=hours), uuid4())
    assert invitation.event.send_from == NOW + timedelta(hours=hours)


def test_an_invitation_names_the_walk_and_nobody() -> None:
    """Which link it becomes is intake's alone to know: no request and no token travels with it."""
    walk = a_walk(women=4)
    invitation = domain.invite(walk, FORCE, SurveyRules(), uuid4())
    assert set(invitation.event.model_dump()) == {"invitation_id", "walk_id", "survey", "send_from"}
    assert invitation.women == 4


# What worries us


@pytest.mark.parametrize(
    ("question", "answer", "reason", "urgency"),
    [
        ("safe-after-dark", "very-unsafe", "very-unsafe-after-dark", Urgency.SOON),
        ("walk-felt-safe", "strongly-disagree", "did-not-feel-safe-to-speak", Urgency.SOON),
        ("still-worried", "yes", "still-worried", Urgency.SOON),
        ("contact-me", "call", "asked-for-a-call", Urgency.SAME_DAY),
        ("contact-me", "visit", "asked-for-a-visit", Urgency.SAME_DAY),
    ],
)
def test_each_worrying_answer_worries_us_alone(question: str, answer: str, reason: str, urgency: Urgency) -> None:
    """Every rule fires on its own answer, with its own urgency."""
    found = domain.worry(SurveyName.AFTER_WALK, {question: answer})
    assert found == domain.Worry((reason,), urgency)


@given(ANSWERS)
def test_a_worry_is_exactly_the_rules_whose_answer_was_given(answers: dict[str, str]) -> None:
    """No rule is missed, none fires on another answer, and the most urgent one counts."""
    expected = [rule for rule in RULES[SurveyName.AFTER_WALK] if answers.get(rule.question) in rule.answers]
    found = domain.worry(SurveyName.AFTER_WALK, answers)
    assert (found is None) == (not expected)
    if found is not None:
        assert list(found.reasons) == [rule.reason for rule in expected]
        same_day = any(rule.urgency is Urgency.SAME_DAY for rule in expected)
        assert found.urgency is (Urgency.SAME_DAY if same_day else Urgency.SOON)


def test_every_rule_asks_for_an_answer_its_survey_gives() -> None:
    """A rule on an answer that nobody can give would never fire, and nobody would notice."""
    for name, rules in RULES.items():
        assert name is SurveyName.AFTER_WALK
        for rule in rules:
            given = {choice.code for q in AFTER_WALK.questions if q.code == rule.question for choice in q.choices}
            assert rule.answers <= given


def test_feeling_unsafe_before_the_walk_raises_no_flag() -> None:
    """That is what the walk is for."""
    assert domain.worry(SurveyName.BASELINE, {"safe-after-dark": "very-unsafe"}) is None


# What is told, and what is not


@given(ANSWERS.filter(lambda answers: bool(answers.keys() - {"contact-me"})))
def test_contact_goes_with_the_flag_unless_she_said_do_not_contact_me(answers: dict[str, str]) -> None:
    """Whatever else she answers, "do not contact me" leaves nobody to contact."""
    found = domain.finish(
        force_id=FORCE, survey=AFTER_WALK, pair_id=uuid4(), contact="sealed", answers=answers, now=NOW, new_id=uuid4
    )
    if found.flagged is not None:
        refused = answers.get("contact-me") == "do-not-contact"
        assert found.flagged.contact == (None if refused else "sealed")


@given(ANSWERS.filter(lambda answers: bool(answers.keys() - {"contact-me"})), st.uuids())
def test_nothing_told_leads_back_to_the_answers(answers: dict[str, str], pair_id: UUID) -> None:
    """Neither receipt nor flag holds the pair id, and their own ids stand in no answer."""
    found = domain.finish(
        force_id=FORCE, survey=AFTER_WALK, pair_id=pair_id, contact="sealed", answers=answers, now=NOW, new_id=uuid4
    )
    told = found.received.model_dump_json() + (found.flagged.model_dump_json() if found.flagged else "")
    assert str(pair_id) not in told
    assert not hasattr(found.answered, "receipt_id")
    assert found.received.receipt_id != found.answered.pair_id


def test_a_flag_never_holds_what_she_answered() -> None:
    """Reasons are ours, by rule; her answers stay where they are."""
    flagged = finish(still_worried="yes", trust_fair="strongly-disagree").flagged
    assert flagged is not None
    assert set(flagged.model_dump()) == {"flag_id", "survey", "reasons", "urgency", "contact"}
    assert flagged.reasons == ("still-worried",)


def test_answers_know_no_time_finer_than_the_month_in_london() -> None:
    """Half past eleven in the evening of 31 August UTC is September in London."""
    found = finish(datetime(2026, 8, 31, 23, 30, tzinfo=UTC), safe_by_day="very-safe")
    assert found.answered.month == found.received.month == "2026-09"


def test_a_calm_survey_raises_no_flag() -> None:
    """Most surveys worry nobody."""
    assert finish(safe_after_dark="fairly-safe", still_worried="no", contact_me="no").flagged is None


# Refusals


def test_an_answer_the_survey_does_not_give_is_refused_by_its_question() -> None:
    """The refusal names the question and does not repeat the value."""
    with pytest.raises(AnswersInvalid) as refused:
        finish(safe_after_dark="purple", still_worried="no")
    assert set(refused.value.fields) == {"safe-after-dark"}
    assert "purple" not in str(refused.value) + str(refused.value.fields)


def test_nothing_to_say_is_no_survey() -> None:
    """A link is not used up by sending nothing, or by the box of the first page alone."""
    with pytest.raises(NothingAnswered):
        finish()
    for wish in ("no", "do-not-contact"):
        with pytest.raises(NothingAnswered):
            finish(contact_me=wish)


@pytest.mark.parametrize("wish", ["call", "visit"])
def test_asking_to_be_contacted_is_enough_to_say(wish: str) -> None:
    """She may skip every question and still ask for an officer."""
    flagged = finish(contact_me=wish).flagged
    assert flagged is not None
    assert flagged.contact == "sealed"


# Drafts and pages


def test_a_draft_is_found_by_its_link_alone() -> None:
    """The same pair and survey give the same place; another key, force, survey or pair another one."""
    pair, key = uuid4(), bytes(32)
    place = domain.draft_id(key, FORCE, SurveyName.AFTER_WALK, pair)
    assert place == domain.draft_id(key, FORCE, SurveyName.AFTER_WALK, pair)
    others = {
        domain.draft_id(bytes([1]) * 32, FORCE, SurveyName.AFTER_WALK, pair),
        domain.draft_id(key, "metropolitan", SurveyName.AFTER_WALK, pair),
        domain.draft_id(key, FORCE, SurveyName.BASELINE, pair),
        domain.draft_id(key, FORCE, SurveyName.AFTER_WALK, uuid4()),
    }
    assert len(others) == 4
    assert place not in others


def test_a_survey_goes_on_at_its_first_open_question() -> None:
    """Answered questions are passed over, skipped ones are asked again."""
    first, second, third = (question.code for question in AFTER_WALK.questions[:3])
    assert domain.first_unanswered(AFTER_WALK, {}) == 1
    assert domain.first_unanswered(AFTER_WALK, {first: "x", third: "x"}) == 2
    assert domain.first_unanswered(AFTER_WALK, {first: "x", second: "x", third: "x"}) == 4
    everything = {question.code: "x" for question in AFTER_WALK.questions}
    assert domain.first_unanswered(AFTER_WALK, everything) == len(AFTER_WALK.questions) + 1


@pytest.mark.parametrize("number", [-1, 0, 14, 1000])
def test_a_question_that_is_not_there_is_refused(number: int) -> None:
    """Addresses are typed by people."""
    with pytest.raises(NoSuchQuestion):
        domain.question_of(AFTER_WALK, number)


@pytest.mark.parametrize(
    ("now", "night"),
    [
        (datetime(2026, 11, 23, 2, 59, tzinfo=UTC), datetime(2026, 11, 23, 3, tzinfo=UTC)),
        (datetime(2026, 11, 23, 3, tzinfo=UTC), datetime(2026, 11, 24, 3, tzinfo=UTC)),
        (datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 3, 28, 2, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC)),
    ],
)
def test_the_night_is_three_in_the_morning_in_london_over_both_clock_changes(now: datetime, night: datetime) -> None:
    """The next one, always ahead."""
    assert domain.next_night(now) == night


def test_drafts_live_through_the_month_after_the_one_they_were_begun_in() -> None:
    """In January those begun before December are forgotten."""
    assert domain.previous_month(datetime(2027, 1, 15, tzinfo=UTC)) == "2026-12"


# Outcomes


def _referral_events() -> Iterator[tuple[object, str]]:
    referral = {
        "concern_id": uuid4(),
        "referral_id": uuid4(),
        "partner_id": "bristol-city-council",
        "partner_name": "Bristol City Council",
    }
    yield ReferralMade(respond_by=NOW.date(), **referral), "referred"
    yield ReferralAccepted(**referral), "accepted"
    yield ReferralDeclined(reason="Not ours", **referral), "declined"
    for progress in Progress:
        yield ReferralUpdated(progress=progress, **referral), progress.value
    yield ConcernResolved(resolution=Resolution.DONE, **referral), "done"
    yield ConcernResolved(resolution=Resolution.NOTHING_MORE, **referral), "nothing-more"


def test_a_referral_is_as_far_as_its_last_event() -> None:
    """Each event names a state, and closed is not fixed."""
    for event, state in _referral_events():
        assert domain.referral_state(event, FORCE).state == state  # type: ignore[arg-type] # made just above


def test_both_surveys_ask_the_same_questions_before_and_after() -> None:
    """Nothing can be paired that was not asked both times in the same words."""
    after = {question.code: question for question in AFTER_WALK.questions}
    for question in BASELINE.questions:
        assert after[question.code] == question
