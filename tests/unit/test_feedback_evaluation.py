"""What has changed, as it may be published."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.feedback.evaluation import BETTER, REASONS, SAME, STATES, WORSE, Tally, compare, evaluate
from services.feedback.pages import COLOURS, SHORT, bars
from shared.colours import contrast
from shared.contracts.kinds import Reason
from shared.contracts.referrals import Progress
from shared.contracts.surveys import BASELINE, Question
from shared.disclosure import Figure

DARK = BASELINE.questions[0]
CODES = {question.code: [choice.code for choice in question.choices] for question in BASELINE.questions}
CHANGES = st.dictionaries(
    st.sampled_from([(code, b, a) for code, choices in CODES.items() for b in choices for a in choices]),
    st.integers(1, 30),
    max_size=40,
)


def test_an_answer_nearer_the_safe_end_is_better() -> None:
    """The order of the choices is the scale, best first."""
    assert compare(DARK, "very-unsafe", "a-bit-unsafe") == BETTER
    assert compare(DARK, "very-safe", "fairly-safe") == WORSE
    assert compare(DARK, "fairly-safe", "fairly-safe") == SAME


def test_do_not_know_is_neither_better_nor_worse() -> None:
    """An answer outside the scale pairs with nothing, before or after."""
    assert compare(DARK, "dont-know", "very-safe") is None
    assert compare(DARK, "very-safe", "dont-know") is None


@given(st.sampled_from(BASELINE.questions), st.data())
def test_turning_a_change_round_turns_its_sense_round(question: Question, data: st.DataObject) -> None:
    """What is better one way is worse the other way."""
    one, other = (data.draw(st.sampled_from(question.scale())) for _ in range(2))
    turned = {BETTER: WORSE, WORSE: BETTER, SAME: SAME}
    there, back = compare(question, one, other), compare(question, other, one)
    assert there is not None
    assert back == turned[there]


@given(CHANGES, st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 30), st.integers(0, 30))
def test_no_published_figure_is_exact_or_small(
    changes: dict[tuple[str, str, str], int], women: int, before: int, paired: int, in_time: int, late: int
) -> None:
    """Whatever was counted, every figure of the evaluation is 0, a multiple of 5 from 10 on, or words."""
    tally = Tally(
        walks=women,
        women=women,
        finished={"baseline": before + paired, "after-walk": paired},
        paired=paired,
        changes=changes,
        concerns={"badly-lit": in_time, "no-cctv": late},
        outcomes={"open": in_time, "done": late},
        speeds={"week": late},
        referrals={"accepted": in_time},
        follow_ups_in_time=in_time,
        follow_ups_late=late,
    )
    for figure in figures(evaluate("avon-and-somerset", tally)):
        assert figure.value is None or figure.value == 0 or (figure.value % 5 == 0 and figure.value >= 10)


def test_before_and_after_are_shown_of_the_same_women() -> None:
    """Who answered once only moves no before and no after."""
    found = evaluate(
        "avon-and-somerset",
        Tally(
            finished={"baseline": 50, "after-walk": 40},
            paired=20,
            changes={(DARK.code, "very-unsafe", "fairly-safe"): 20},
        ),
    )
    dark = found.questions[0]
    assert dark.before.total == dark.after.total == dark.change.total
    assert {line.code: line.figure.text for line in found.pairing.lines} == {
        "paired": "20",
        "before-only": "30",
        "after-only": "20",
    }


def test_more_answers_than_invitations_is_no_negative_count() -> None:
    """A walk heard of late may have its answers first."""
    found = evaluate("avon-and-somerset", Tally(women=0, finished={"after-walk": 10}))
    assert {line.code: line.figure.text for line in found.response.lines} == {"received": "10", "outstanding": "0"}


def test_every_category_and_state_has_words() -> None:
    """No code of ours reaches a reader."""
    assert set(REASONS) == set(Reason)
    assert set(Progress) <= set(STATES)


def test_every_question_has_a_short_name_for_the_chart() -> None:
    """The chart has no room for whole questions."""
    assert set(SHORT) == {question.code for question in BASELINE.questions}


def test_figures_on_the_chart_can_be_read() -> None:
    """White on each colour has a contrast of 4.5 to 1, which is also 3 to 1 against the white page."""
    assert all(contrast(colour, "#ffffff") >= 4.5 for colour in COLOURS.values())


@given(CHANGES)
def test_a_bar_is_never_longer_than_whole(changes: dict[tuple[str, str, str], int]) -> None:
    """Rounded shares may add up to 101; the bar does not."""
    for bar in bars(evaluate("avon-and-somerset", Tally(changes=changes)).questions):
        end = 0
        for segment in bar.segments:
            assert segment.start == end
            end = segment.start + segment.length
        assert end <= 100


def figures(found: Any) -> list[Figure]:
    """Every figure anywhere in a value."""
    if isinstance(found, Figure):
        return [found]
    if dataclasses.is_dataclass(found):
        return [f for field in dataclasses.fields(found) for f in figures(getattr(found, field.name))]
    return [f for one in found for f in figures(one)] if isinstance(found, tuple) else []
