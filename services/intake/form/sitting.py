"""The order of the form's pages for one woman: which come, how far she is, where she goes next."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from services.intake.form.questions import BY_SLUG, POINT, STEPS
from services.intake.form.step import Answers, Step
from shared.contracts.policy import ForcePolicy


def steps_for(answers: Answers, policy: ForcePolicy) -> tuple[Step, ...]:
    """The pages this woman goes through, in order."""
    return tuple(step for step in STEPS if step.applies(answers, policy))


def answered(step: Step, answers: Answers) -> bool:
    """Whether a page is done with; the place may be said in two ways."""
    return step.slug in answers or (step.slug == "place" and "point" in answers)


def first_open(answers: Answers, policy: ForcePolicy) -> Step | None:
    """The first page that is still to be answered; None when she can check her answers."""
    return next((step for step in steps_for(answers, policy) if not answered(step, answers)), None)


def may_open(step: Step, answers: Answers, policy: ForcePolicy) -> bool:
    """Whether she has come as far as this page."""
    reached = first_open(answers, policy)
    order = [one.slug for one in steps_for(answers, policy)]
    slug = "place" if step is POINT else step.slug
    return slug in order and (reached is None or order.index(slug) <= order.index(reached.slug))


def before(step: Step, answers: Answers, policy: ForcePolicy) -> str | None:
    """The page before this one; None before the first."""
    order = [one.slug for one in steps_for(answers, policy)]
    if step is POINT:
        return "place"
    at = order.index(step.slug)
    return order[at - 1] if at else None


def number_of(step: Step, answers: Answers, policy: ForcePolicy) -> int:
    """Which of her pages this is, from 1."""
    slug = "place" if step is POINT else step.slug
    return [one.slug for one in steps_for(answers, policy)].index(slug) + 1


def after(step: Step, answers: Answers, policy: ForcePolicy, *, from_check: bool) -> str:
    """Where she goes once a page is answered: on, or back to checking where she came from and all else is answered."""
    if from_check:
        reached = first_open(answers, policy)
        return reached.slug if reached else "check"
    order = [one.slug for one in steps_for(answers, policy)]
    at = order.index("place" if step is POINT else step.slug)
    return order[at + 1] if at + 1 < len(order) else "check"


def keep(step: Step, answers: Answers, given: BaseModel, policy: ForcePolicy) -> dict[str, dict[str, Any]]:
    """The answers with one page answered anew; what no longer belongs to them is dropped."""
    changed = {slug: dict(found) for slug, found in answers.items()}
    changed[step.slug] = given.model_dump(mode="json", by_alias=True, exclude_none=True)
    if step.slug in ("place", "point"):
        changed.pop("point" if step.slug == "place" else "place", None)
    return {slug: found for slug, found in changed.items() if BY_SLUG[slug].applies(changed, policy)}
