"""The equality questions: every one optional, every answer kept apart from all else and from other answers of hers.

Wording: the pattern of GOV.UK ("Ask for equality information"), harmonised with the census.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.contracts.surveys import Choice, Question

PREFER_NOT: Final = Choice(code="prefer-not", label="Prefer not to say")


def _question(code: str, text: str, *choices: tuple[str, str]) -> Question:
    given = tuple(Choice(code=name, label=label) for name, label in choices)
    return Question(code=code, text=text, choices=(*given, PREFER_NOT), aside=(PREFER_NOT.code,))


CONDITION: Final = "condition"
LIMITED: Final = "condition-limits"

EQUALITY: Final[tuple[Question, ...]] = (
    _question("sex", "What is your sex?", ("female", "Female"), ("male", "Male")),
    _question(
        "gender-same",
        "Is the gender you identify with the same as your sex registered at birth?",
        ("yes", "Yes"),
        ("no", "No"),
    ),
    _question(
        "age",
        "How old are you?",
        ("18-24", "18 to 24"),
        ("25-34", "25 to 34"),
        ("35-44", "35 to 44"),
        ("45-54", "45 to 54"),
        ("55-64", "55 to 64"),
        ("65-74", "65 to 74"),
        ("75-over", "75 or over"),
    ),
    _question(
        CONDITION,
        "Do you have any physical or mental health conditions or illnesses lasting, or expected to last, 12 months or "
        "more?",
        ("yes", "Yes"),
        ("no", "No"),
    ),
    _question(
        LIMITED,
        "Do any of your conditions or illnesses reduce your ability to carry out day-to-day activities?",
        ("a-lot", "Yes, a lot"),
        ("a-little", "Yes, a little"),
        ("not-at-all", "Not at all"),
    ),
    _question(
        "ethnic-group",
        "What is your ethnic group?",
        ("white", "White"),
        ("mixed", "Mixed or multiple ethnic groups"),
        ("asian", "Asian or Asian British"),
        ("black", "Black, Black British, Caribbean or African"),
        ("other", "Another ethnic group"),
    ),
    _question(
        "orientation",
        "Which of these best describes your sexual orientation?",
        ("straight", "Heterosexual or straight"),
        ("gay-or-lesbian", "Gay or lesbian"),
        ("bisexual", "Bisexual"),
        ("other", "Another sexual orientation"),
    ),
    _question(
        "religion",
        "What is your religion?",
        ("none", "No religion"),
        ("christian", "Christian, all denominations"),
        ("buddhist", "Buddhist"),
        ("hindu", "Hindu"),
        ("jewish", "Jewish"),
        ("muslim", "Muslim"),
        ("sikh", "Sikh"),
        ("other", "Another religion"),
    ),
)

_CHOICES: Final[Mapping[str, frozenset[str]]] = {
    question.code: frozenset(choice.code for choice in question.choices) for question in EQUALITY
}


def refuse_equality(answers: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with these answers: question code to a sentence; empty when nothing is."""
    wrong = {}
    for code, given in answers.items():
        if code not in _CHOICES:
            wrong[code] = "There is no such question"
        elif given not in _CHOICES[code]:
            wrong[code] = "Choose one of the answers given"
    return wrong
