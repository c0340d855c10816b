"""Her answers and her rules in words, for whoever checks or reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from services.intake.domain.wishes import Helper, Wishes
from services.intake.form.answers import baseline_of, equality_of, first_day
from services.intake.form.of_her import Say, spoken_to, worded
from services.intake.form.questions import POINT
from services.intake.form.sitting import steps_for
from services.intake.form.step import CHANNELS, HELPERS, PARTS, Answers, Asked
from services.intake.form.surveys import ABOUT_HER, SURVEYED
from shared.contracts.policy import ForcePolicy
from shared.contracts.surveys import BASELINE
from shared.contracts.walk_requests import ContactRules
from shared.wording import Text

Dated: TypeAlias = Callable[[date], str]
ABOUT_SAFETY: Final = "Questions about how safe you feel"
PLACE: Final = "Place"
NONE: Final = "None"
NOT_GIVEN: Final = "Not given"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page where she checks her answers."""

    key: str
    value: str
    slug: str
    """Where she can change it."""


def summary(answers: Answers, policy: ForcePolicy, said: Say = str, dated: Dated = date.isoformat) -> list[Line]:
    """Her answers in words, for checking. The survey is counted, not repeated: it is long and changes nothing.

    :param said: a text of ours in the language of the page.
    :param dated: a day in it.
    """
    lines, say = [], spoken_to(answers)
    for step in (worded(one, answers) for one in steps_for(answers, policy)):
        if step.slug == "survey":
            counted = Text(
                "%(number)d of %(all)d answered", number=len(baseline_of(answers)), all=len(BASELINE.questions)
            )
            lines.append(Line(said(say(ABOUT_SAFETY)), said(counted), step.slug))
        elif step.slug == "about":
            counted = Text("%(number)d answered", number=len(equality_of(answers)))
            lines.append(Line(said(step.title), said(counted), step.slug))
        elif step.slug != "eligibility" and step.slug not in (*SURVEYED, *ABOUT_HER):
            shown = worded(POINT, answers) if step.slug == "place" and "point" in answers else step
            key = PLACE if step.slug == "place" else step.title
            given = first_day(answers) if step.slug == "first" else answers[shown.slug].get(shown.asked.name)
            lines.append(Line(said(key), _in_words(shown.asked, given, said, dated), shown.slug))
    return lines


def _in_words(asked: Asked, given: Any, said: Say, dated: Dated) -> str:
    if not given:
        return said(NONE if asked.kind == "checkboxes" or asked.name == "officers" else NOT_GIVEN)
    if isinstance(given, date):
        return dated(given)
    if asked.choices is None:
        return str(given)
    chosen = [given] if isinstance(given, str) else given
    return "\n".join(said(asked.choices[one]) for one in chosen)


def rules_in_words(rules: ContactRules) -> list[Line]:
    """Her rules of safe contact, as an officer reads them before anything else."""
    return [
        Line("Ways that are safe", ", ".join(CHANNELS[one] for one in rules.channels), ""),
        Line("Times that are safe", "\n".join(PARTS[one] for one in rules.times), ""),
        Line(
            "May you say you are the police?",
            "Yes" if rules.may_say_police else "No. Say neither who you are nor why until you know it is her",
            "",
        ),
        Line("May you leave a voicemail?", "Yes" if rules.may_leave_voicemail else "No", ""),
    ]


def wishes_in_words(wishes: Wishes) -> list[Line]:
    """What she said in her own words, for who walks with her; the word to be recognised by before all else."""
    filled_in = f"With her, by: {HELPERS[Helper(wishes.helper)]}" if wishes.helper else ""
    said = (
        ("Say this word first", wishes.recognise),
        ("In her own words", wishes.words),
        ("The walk passes", wishes.stops),
        ("What makes it easier for her", wishes.access),
        ("Languages", wishes.languages),
        ("The form was filled in", filled_in),
    )
    return [Line(key, value, "") for key, value in said if value]
