"""The form between its pages: which come, in what order, and what the answers together ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.intake.form.answers import baseline_of, equality_of
from services.intake.form.of_her import ADDRESSED, BEFORE_WHO, OF_HER, READ_OUT, worded
from services.intake.form.questions import BY_SLUG, POINT, STEPS
from services.intake.form.sitting import after, before, first_open, keep, may_open, number_of, steps_for
from services.intake.form.step import Step
from services.intake.form.surveys import ABOUT_HER, SURVEYED
from shared.contracts.equality import EQUALITY
from shared.contracts.policy import ForcePolicy
from shared.contracts.surveys import BASELINE
from shared.policies import Policies

POLICIES = Policies.read(Path(__file__).parents[2] / "deploy" / "forces")
ALONE = POLICIES["avon-and-somerset"]
Answers = dict[str, dict[str, Any]]


def policy(group_size: int = 1) -> ForcePolicy:
    walks = ALONE.walks.model_copy(update={"group_size": group_size})
    return ALONE.model_copy(update={"walks": walks})


def slugs(answers: Answers, group_size: int = 1) -> list[str]:
    return [step.slug for step in steps_for(answers, policy(group_size))]


def answered(slug: str, answers: Answers, **given: Any) -> Answers:
    step = BY_SLUG[slug]
    return keep(step, answers, step.model.model_validate(given), policy())


@pytest.mark.parametrize(
    ("channels", "asked"),
    [
        (["email"], ["email", "calendar"]),
        (["text"], ["phone"]),
        (["phone"], ["phone", "voicemail"]),
        (["letter"], ["address"]),
        (["email", "text", "phone", "letter"], ["email", "phone", "address", "voicemail", "calendar"]),
    ],
)
def test_only_what_her_channels_need_is_asked(channels: list[str], asked: list[str]) -> None:
    """Who wants letters is asked for no telephone; a voicemail is asked about with calls alone."""
    found = slugs({"channels": {"channels": channels}})
    assert [slug for slug in found if slug in ("email", "phone", "address", "voicemail", "calendar")] == asked


def test_a_group_is_offered_where_the_force_walks_in_groups() -> None:
    """Elsewhere the question would promise what is not there."""
    assert "group" in slugs({}, group_size=5)
    assert "group" not in slugs({}, group_size=1)


def test_the_survey_is_asked_of_who_wants_it() -> None:
    """Seven pages, or none."""
    asked = [slug for slug in slugs({"survey": {"survey": "yes"}}) if slug.startswith("more-")]
    assert len(asked) == len(BASELINE.questions)
    assert not [slug for slug in slugs({"survey": {"survey": "no"}}) if slug.startswith("more-")]


def test_answers_of_the_survey_are_dropped_when_she_changes_her_mind() -> None:
    """What she took back is not sent."""
    answers = answered("survey", {}, survey="yes")
    answers = answered("more-1", answers, **{"safe-after-dark": "very-safe"})
    assert baseline_of(answers) == {"safe-after-dark": "very-safe"}
    assert baseline_of(answered("survey", answers, survey="no")) == {}


def test_a_question_of_the_survey_can_be_left_out() -> None:
    """Nothing ticked is an answer too: the page is done with."""
    answers = answered("more-1", answered("survey", {}, survey="yes"))
    assert answers["more-1"] == {} and baseline_of(answers) == {}


def test_equality_questions_are_asked_of_who_wants_them() -> None:
    """All of them optional; how far a condition limits her is asked where she has one."""
    assert not [slug for slug in slugs({"about": {"about": "no"}}) if slug.startswith("about-")]
    wanted: Answers = {"about": {"about": "yes"}}
    assert len([slug for slug in slugs(wanted) if slug.startswith("about-")]) == len(EQUALITY) - 1
    conditioned: Answers = {**wanted, "about-4": {"condition": "yes"}}
    assert "about-5" in slugs(conditioned)
    limited = answered("about-5", conditioned, **{"condition-limits": "a-lot"})
    assert equality_of(limited) == {"condition": "yes", "condition-limits": "a-lot"}
    assert equality_of(answered("about-4", limited, condition="prefer-not")) == {"condition": "prefer-not"}
    assert all(question.choices[-1].label == "Prefer not to say" for question in EQUALITY)


def test_details_go_with_the_channel_they_were_for() -> None:
    """A number given up is not kept."""
    answers = answered("channels", {}, channels=["phone"])
    answers = answered("phone", answers, phone="07700 900982")
    assert "phone" not in answered("channels", answers, channels=["letter"])


def test_a_place_is_said_in_one_way() -> None:
    """The point replaces the postcode and the other way round."""
    by_postcode = answered("place", {}, postcode="BS1 4DJ")
    by_point = answered("point", by_postcode, point="51.45, -2.58")
    assert by_point.keys() == {"point"}
    assert answered("place", by_point, postcode="BS1 4DJ").keys() == {"place"}


def test_no_page_opens_before_those_ahead_of_it() -> None:
    """She can go back, and to where she is, and no further."""
    answers: Answers = {"eligibility": {"adult": "yes"}, "who": {"who": "herself"}, "place": {"postcode": "BS1 4DJ"}}
    reached = first_open(answers, policy())
    assert reached is not None and reached.slug == "way"
    assert [step.slug for step in STEPS if may_open(step, answers, policy())] == ["eligibility", "who", "place", "way"]
    assert may_open(POINT, answers, policy())


def test_every_page_leads_back_to_the_one_before_it() -> None:
    """The first leads to the start page; the point on a map to the postcode."""
    answers: Answers = {"channels": {"channels": ["email"]}}
    pages = steps_for(answers, policy())
    assert [before(step, answers, policy()) for step in pages] == [None, *(step.slug for step in pages[:-1])]
    assert before(POINT, answers, policy()) == "place"
    assert [number_of(step, answers, policy()) for step in pages] == list(range(1, len(pages) + 1))
    assert after(pages[-1], answers, policy(), from_check=False) == "check"


def texts_of(step: Step) -> list[str]:
    asked = step.asked
    return [step.title, *step.lead, asked.label, asked.hint, *(asked.choices or {}).values(), *step.messages.values()]


def test_nothing_said_to_her_is_said_to_somebody_who_helps_her() -> None:
    """Every sentence of the form that speaks to her has one that speaks of her, and no other has."""
    ahead = BEFORE_WHO | {*SURVEYED, *ABOUT_HER}
    texts = {text for step in (*STEPS, POINT) if step.slug not in ahead for text in texts_of(step)}
    addressed = {text for text in texts if ADDRESSED.search(text) or "You " in text or "Your " in text}
    assert addressed == OF_HER.keys() & texts
    assert OF_HER.keys() - texts == {"Questions about how safe you feel"}


def test_a_helper_is_asked_about_her_and_reads_the_survey_out() -> None:
    """The words change once it is known who fills the form in, and not before."""
    helped: Answers = {"who": {"who": "with"}}
    assert worded(BY_SLUG["name"], helped).title == "What should we call her?"
    assert worded(BY_SLUG["name"], {}) == BY_SLUG["name"]
    assert worded(BY_SLUG["more-1"], helped).title == BY_SLUG["more-1"].title
    assert worded(BY_SLUG["more-1"], helped).lead == (READ_OUT,)
    assert "helper" in slugs(helped) and "helper" not in slugs({"who": {"who": "herself"}})


def test_addresses_of_pages_say_nothing_of_their_own() -> None:
    """They stand in the history of a browser that somebody else may look at."""
    telling = ("police", "officer", "safe", "walk", "crime", "trust")
    assert not [step.slug for step in (*STEPS, POINT) if any(word in step.slug for word in telling)]


@pytest.mark.parametrize("text", ["51.4545, -2.5879", "51.4545 -2.5879", " 51.4545°; -2.5879° ", "51,-2"])
def test_points_are_read_as_map_programs_write_them(text: str) -> None:
    """With comma, blank or semicolon, with degrees or without."""
    assert POINT.model.model_validate({"point": text})


@pytest.mark.parametrize("text", ["51.4545", "north of the bridge", "51.4545, -2.5879, 3", "1e9, 2"])
def test_what_is_no_point_is_refused(text: str) -> None:
    """One number, words, three numbers."""
    with pytest.raises(ValueError, match="two numbers"):
        POINT.model.model_validate({"point": text})
