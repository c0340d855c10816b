"""A place that is not of the force she asks, kept aside with the form until she has said what is to become of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from services.intake.form.questions import BY_SLUG
from services.intake.form.step import Answers
from shared.contracts.policy import ForcePolicy

PLACES: Final = ("place", "point")
"""The pages that ask where, each instead of the other."""

OF_EACH_FORCE: Final = frozenset({"eligibility", "people", "others"})
"""What each force asks for itself: for whom its walks are, and which of its officers and teams must not be involved."""

_ASIDE: Final = "aside"
_OF_ONE_FORCE: Final = frozenset({"answers", "campaign", "key", _ASIDE})

Content = Mapping[str, Any]
"""What a form half filled in holds."""


def set_aside(content: Content, slug: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The form with this place beside its answers, none of which changes."""
    return {**content, _ASIDE: {slug: dict(answer)}}


def aside(content: Content) -> Answers:
    """The place kept aside as the answer of its page; empty where there is none."""
    found: Answers = content.get(_ASIDE, {})
    return found


def settled(content: Content, answers: Answers) -> dict[str, Any]:
    """The form with these answers, and nothing aside."""
    return {**{name: value for name, value in content.items() if name != _ASIDE}, "answers": answers}


def taken_up(content: Content) -> Answers:
    """The answers with the place kept aside among them."""
    kept = {slug: answer for slug, answer in content["answers"].items() if slug not in PLACES}
    return {**kept, **aside(content)}


def handed_over(content: Content, policy: ForcePolicy) -> dict[str, Any]:
    """The form as another force gets it: all she said, but for what each force asks for itself.

    A number or team of the first force would mean somebody else, or nobody, there. The campaign is the first force's.
    """
    said = {slug: answer for slug, answer in taken_up(content).items() if slug not in OF_EACH_FORCE}
    fitting = {slug: answer for slug, answer in said.items() if BY_SLUG[slug].applies(said, policy)}
    kept = {name: value for name, value in content.items() if name not in _OF_ONE_FORCE}
    return {**kept, "key": uuid4().hex, "answers": fitting}
