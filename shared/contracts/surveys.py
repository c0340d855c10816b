"""The surveys both sides of the link agree on: intake asks the baseline, feedback the rest, with the same words.

Wording and scales: the safety and trust questions of the scheme's evaluation (Crime Survey style scales). A change
makes a new version; answers stay tied to theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.contracts.envelope import Value
from shared.contracts.kinds import SurveyName


class Choice(Value):
    code: str
    label: str


class Question(Value):
    """One question with one choice. `order` of the choices is the scale; codes in `aside` stand outside it."""

    code: str
    text: str
    choices: tuple[Choice, ...]
    aside: tuple[str, ...] = ("dont-know",)
    required: bool = False

    def scale(self) -> tuple[str, ...]:
        """Codes from best to worst, without those that stand outside the scale."""
        return tuple(choice.code for choice in self.choices if choice.code not in self.aside)


class Survey(Value):
    name: SurveyName
    version: int
    questions: tuple[Question, ...]

    def refuse(self, answers: Mapping[str, str]) -> dict[str, str]:
        """What is wrong with these answers: question code to a sentence; empty when nothing is."""
        known = {question.code: question for question in self.questions}
        wrong = {code: "This survey has no such question" for code in answers if code not in known}
        for code, question in known.items():
            given = answers.get(code)
            if given is None:
                if question.required:
                    wrong[code] = "Choose an answer"
            elif given not in {choice.code for choice in question.choices}:
                wrong[code] = "Choose one of the answers given"
        return wrong


def _choices(*pairs: tuple[str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, label=label) for code, label in pairs)


SAFETY_SCALE: Final = _choices(
    ("very-safe", "Very safe"),
    ("fairly-safe", "Fairly safe"),
    ("a-bit-unsafe", "A bit unsafe"),
    ("very-unsafe", "Very unsafe"),
    ("dont-know", "Don’t know"),
)
AGREEMENT_SCALE: Final = _choices(
    ("strongly-agree", "Strongly agree"),
    ("tend-to-agree", "Tend to agree"),
    ("neither", "Neither agree nor disagree"),
    ("tend-to-disagree", "Tend to disagree"),
    ("strongly-disagree", "Strongly disagree"),
    ("dont-know", "Don’t know"),
)
JOB_SCALE: Final = _choices(
    ("excellent", "Excellent"),
    ("good", "Good"),
    ("fair", "Fair"),
    ("poor", "Poor"),
    ("very-poor", "Very poor"),
    ("dont-know", "Don’t know"),
)

_SAFETY: Final = (
    Question(
        code="safe-after-dark",
        text="How safe do you feel walking alone in this area after dark?",
        choices=SAFETY_SCALE,
    ),
    Question(
        code="safe-by-day",
        text="How safe do you feel walking alone in this area during the day?",
        choices=SAFETY_SCALE,
    ),
)
_TRUST_LEAD: Final = "The police in your area, within 15 minutes’ walk from your home, "
_TRUST: Final = (
    Question(
        code="trust-listen",
        text=_TRUST_LEAD + "listen to the concerns of local people",
        choices=AGREEMENT_SCALE,
    ),
    Question(
        code="trust-matters",
        text=_TRUST_LEAD + "deal with the things that matter to people in this community",
        choices=AGREEMENT_SCALE,
    ),
    Question(
        code="trust-fair",
        text=_TRUST_LEAD + "treat everyone fairly regardless of who they are",
        choices=AGREEMENT_SCALE,
    ),
    Question(
        code="trust-there",
        text=_TRUST_LEAD + "can be relied on to be there when you need them",
        choices=AGREEMENT_SCALE,
    ),
    Question(
        code="good-job",
        text="Taking everything into account, how good a job do you think the police in this area are doing?",
        choices=JOB_SCALE,
    ),
)
_WALK: Final = (
    Question(code="walk-listened", text="I was listened to on the walk", choices=AGREEMENT_SCALE),
    Question(code="walk-felt-safe", text="I felt safe to speak", choices=AGREEMENT_SCALE),
    Question(code="walk-recorded", text="My concerns were recorded correctly", choices=AGREEMENT_SCALE),
    Question(
        code="streetsafe",
        text="Have you used StreetSafe, or will you?",
        choices=_choices(("used", "I have used it"), ("will", "I will use it"), ("no", "No")),
        aside=(),
    ),
    Question(
        code="still-worried",
        text="Is anything still worrying you?",
        choices=_choices(("no", "No"), ("yes", "Yes"), ("prefer-not", "Prefer not to say")),
        aside=("prefer-not",),
    ),
    Question(
        code="contact-me",
        text="Would you like an officer to contact you?",
        choices=_choices(
            ("call", "Yes, by a call"),
            ("visit", "Yes, by a visit"),
            ("no", "No"),
            ("do-not-contact", "Do not contact me, whatever I answer"),
        ),
        aside=("do-not-contact",),
    ),
)

BASELINE: Final = Survey(name=SurveyName.BASELINE, version=1, questions=_SAFETY + _TRUST)
AFTER_WALK: Final = Survey(name=SurveyName.AFTER_WALK, version=1, questions=_SAFETY + _TRUST + _WALK)
SURVEYS: Final[dict[SurveyName, Survey]] = {survey.name: survey for survey in (BASELINE, AFTER_WALK)}
