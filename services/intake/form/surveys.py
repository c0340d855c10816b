"""The questions about how safe she feels, and about equality: asked of who wants them, each to be left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from pydantic import Field, create_model

from services.intake.form import fields
from services.intake.form.step import Answers, Asked, Step
from shared.contracts.equality import CONDITION, EQUALITY, LIMITED
from shared.contracts.surveys import BASELINE, Question


def _survey_step(slug: str, question: Question, applies: Callable[[Answers], bool]) -> Step:
    """A question of the baseline survey, or about equality; she may go on without an answer."""
    given: Any = (
        Literal[tuple(choice.code for choice in question.choices)] | None,
        Field(default=None, alias=question.code),
    )
    return Step(
        slug,
        question.text,
        create_model("Answer", **{question.code.replace("-", "_"): given}),
        Asked(
            question.code,
            "radios",
            question.text,
            "You can leave this out.",
            {choice.code: choice.label for choice in question.choices},
        ),
        {question.code: "Select one of the answers, or none"},
        applies=lambda answers, policy: applies(answers),
    )


def _wants_survey(answers: Answers) -> bool:
    return answers.get("survey", {}).get("survey") == "yes"


def _wants_equality(answers: Answers) -> bool:
    return answers.get("about", {}).get("about") == "yes"


def _has_condition(answers: Answers) -> bool:
    return _wants_equality(answers) and answers.get(_EQUALITY_SLUGS[CONDITION], {}).get(CONDITION) == "yes"


_EQUALITY_SLUGS: Final = {question.code: f"about-{number}" for number, question in enumerate(EQUALITY, 1)}

SURVEYS: Final[tuple[Step, ...]] = (
    Step(
        "survey",
        "How safe you feel, before the walk",
        fields.SurveyWanted,
        Asked(
            "survey",
            "radios",
            f"Would you answer {len(BASELINE.questions)} short questions?",
            choices={"yes": "Yes", "no": "No, go on without them"},
        ),
        {"survey": "Select yes if you would answer a few questions"},
        (
            "They help us see whether these walks change anything. You can leave out any of them.",
            "Your answers are kept apart from your name and your request, and mixed with other women’s before anybody "
            "counts them.",
        ),
    ),
    *(_survey_step(f"more-{number}", question, _wants_survey) for number, question in enumerate(BASELINE.questions, 1)),
    Step(
        "about",
        "Equality questions",
        fields.EqualityWanted,
        Asked(
            "about",
            "radios",
            "Would you answer a few questions about yourself?",
            choices={"yes": "Yes", "no": "No, go on without them"},
        ),
        {"about": "Select yes if you would answer a few questions about yourself"},
        (
            "They help the force see whether walks reach women of every background. You can leave out any of them.",
            "Each answer is torn off from your name, from your request and from your other answers, and mixed with "
            "other women’s. Nobody who arranges your walk sees it. We cannot find it again, so we cannot delete it "
            "later.",
        ),
    ),
    *(
        _survey_step(
            _EQUALITY_SLUGS[question.code], question, _has_condition if question.code == LIMITED else _wants_equality
        )
        for question in EQUALITY
    ),
)

SURVEYED: Final = tuple(f"more-{number}" for number, _ in enumerate(BASELINE.questions, 1))
ABOUT_HER: Final = tuple(_EQUALITY_SLUGS.values())
