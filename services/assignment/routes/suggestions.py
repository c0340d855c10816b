"""Suggestions of officer and time, walks passed on and escalated, attempts to reach her, as other systems use them."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.assignment.dependencies import Deps, Page, SignedIn, person
from services.assignment.domain.attempts import Attempt, Outcome
from services.assignment.domain.matching import Because, Light, Nothing, Suggested, Suggestion, Why
from services.assignment.domain.passing import What, WhyPassed
from services.assignment.handlers import attempts, passing, suggesting
from services.assignment.handlers.attempts import Try
from services.assignment.handlers.passing import PassOn
from services.assignment.routes.bodies import Body
from services.assignment.routes.views import WalkView, walk_view
from shared.contracts.envelope import Slug
from shared.contracts.kinds import Channel, PartOfDay
from shared.web.pages import clock

router = APIRouter(prefix="/api/v1")

_SAID: Final = {
    Why.HAS_THE_WALK: "Has this walk",
    Why.SPOKE_WITH_HER: "Has spoken with her",
    Why.GAVE_IT_BACK: "Let this walk go before",
    Why.WANTED_HOUR: "At an hour when women feel most vulnerable, as the scheme wants",
    Why.SHOWS_THE_DARK: "She feels unsafe because it is badly lit, and can show it then",
    Why.SPEAKS_HER_LANGUAGE: "Speaks her language",
    Why.LANGUAGE_UNKNOWN: "Not known to speak her language",
    Why.ON_DUTY: "Usually available then",
    Why.HOURS_UNKNOWN: "When this officer works is not entered: ask first",
    Why.OWN_TEAM: "Of the team of this place",
}
NOTHING: Final = {
    Nothing.WALK_NOT_OPEN: "This walk does not wait to be arranged.",
    Nothing.CONTACT_STOPPED: "She has said that contact is no longer safe.",
    Nothing.NOBODY_MAY_WALK: "No officer of this team may walk. Look at training, days away and the force’s policy.",
    Nothing.NO_COMMON_WINDOW: "There is no time at which she, or all women of this group, are free.",
    Nothing.NOBODY_IS_FREE: "No officer is free at the times she chose. Hand it to another team or ask for others.",
}


class WhyView(BaseModel):
    """A reason, in a word for programs and in words for people; what it adds to the points."""

    what: Why
    words: str
    points: int


class SuggestionView(BaseModel):
    """An officer and a time (UTC), with what the sun does at the place."""

    officer_id: str
    officer_name: str
    starts_at: datetime
    ends_at: datetime
    part: PartOfDay
    light: Light
    light_words: str
    sunrise: datetime
    sunset: datetime
    points: int
    why: tuple[WhyView, ...]


class SuggestionList(BaseModel):
    """Suggestions, best first; `nothing` and its words say why there are none."""

    suggestions: tuple[SuggestionView, ...]
    nothing: Nothing | None
    nothing_words: str | None


class PassOnBody(Body):
    """What is to become of the walk, and why; `to` names the officer or the area it goes to."""

    what: Literal["given-back", "to-officer", "to-team", "to-coordinator"]
    why: WhyPassed
    to: Slug | None = None


class AttemptBody(Body):
    """Whom of the walk was tried just now, by which of her ways, and how it ended."""

    request_id: UUID
    way: Channel
    outcome: Outcome


class AttemptView(BaseModel):
    """An attempt to reach her."""

    attempt_id: UUID
    request_id: UUID
    at: datetime
    by_id: str
    way: Channel
    outcome: Outcome


class AttemptList(BaseModel):
    """The attempts to reach the women of a walk, the latest first."""

    attempts: tuple[AttemptView, ...]


class EscalatedView(BaseModel):
    """A walk a coordinator has to see to: since when, because nobody took it or who asked and why."""

    walk: WalkView
    since: datetime
    what: What
    why: WhyPassed | None
    by_id: str | None


class EscalatedList(BaseModel):
    """A page of walks a coordinator has to see to, 50 at most, longest first; `more` when another page follows."""

    escalated: tuple[EscalatedView, ...]
    page: int
    more: bool


def words(because: Because) -> str:
    """A reason as people read it."""
    many = because.number or 0
    if because.what is Why.WALKS_IN_HAND:
        return f"Has {many or 'no'} other walk{'' if many == 1 else 's'} in hand"
    if because.what is Why.SOON:
        days = f"{many} day{'' if many == 1 else 's'} after the first day she could be met"
        return days if many else "The first day she could be met"
    return _SAID[because.what]


def light_words(found: Suggestion) -> str:
    """Light or dark, and when that changes."""
    turn = f"sunrise {clock(found.sunrise)}, sunset {clock(found.sunset)}"
    match found.light:
        case Light.DAYLIGHT:
            return f"Daylight ({turn})"
        case Light.DARK:
            return f"Dark ({turn})"
        case Light.CHANGING:
            return f"The light changes on the way ({turn})"


def suggestion_views(found: Suggested) -> SuggestionList:
    """Suggestions as API and pages show them."""
    return SuggestionList(
        suggestions=tuple(
            SuggestionView(
                officer_id=each.officer.id,
                officer_name=each.officer.name,
                starts_at=each.starts_at,
                ends_at=each.ends_at,
                part=each.part,
                light=each.light,
                light_words=light_words(each),
                sunrise=each.sunrise,
                sunset=each.sunset,
                points=each.points,
                why=tuple(WhyView(what=one.what, words=words(one), points=one.points) for one in each.because),
            )
            for each in found.found
        ),
        nothing=found.nothing,
        nothing_words=NOTHING[found.nothing] if found.nothing else None,
    )


def attempt_view(found: Attempt) -> AttemptView:
    """An attempt as the API shows it."""
    return AttemptView(
        attempt_id=found.id,
        request_id=found.request_id,
        at=found.at,
        by_id=found.by_id,
        way=found.way,
        outcome=found.outcome,
    )


@router.get("/walks/{walk_id}/suggestions")
async def suggest(walk_id: UUID, user: SignedIn, deps: Deps) -> SuggestionList:
    """Officer and time: for a coordinator of everyone who may walk, for an officer their own; the look is logged."""
    async with deps.database.transaction([user.force_id]) as tx:
        found = await suggesting.suggest(tx, walk_id, await person(tx, user), deps.clock(), policies=deps.policies)
    return suggestion_views(found)


@router.post("/walks/{walk_id}/pass-on")
async def pass_on(walk_id: UUID, body: PassOnBody, user: SignedIn, deps: Deps) -> WalkView:
    """Give a walk back, hand it to another officer or team, or ask a coordinator to see to it."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = PassOn(walk_id, await person(tx, user), What(body.what), body.why, body.to)
        (walk,) = await passing.pass_on(tx, [command], deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)


@router.get("/walks/{walk_id}/attempts")
async def list_attempts(walk_id: UUID, user: SignedIn, deps: Deps) -> AttemptList:
    """The attempts to reach the women of a walk; the look is logged."""
    async with deps.database.transaction([user.force_id]) as tx:
        _, found = await attempts.look_at_attempts(tx, walk_id, await person(tx, user), deps.clock())
    return AttemptList(attempts=tuple(map(attempt_view, found)))


@router.post("/walks/{walk_id}/attempts")
async def log_attempt(walk_id: UUID, body: AttemptBody, user: SignedIn, deps: Deps) -> AttemptView:
    """Log an attempt that was made just now."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = Try(walk_id, await person(tx, user), body.request_id, body.way, body.outcome)
        (made,) = await attempts.log_attempts(tx, [command], deps.clock())
    return attempt_view(made)


@router.get("/escalated")
async def list_escalated(user: SignedIn, deps: Deps, page: Page = 1) -> EscalatedList:
    """Walks that a coordinator has to see to, longest first."""
    async with deps.database.transaction([user.force_id]) as tx:
        found, more = await passing.list_escalated(tx, await person(tx, user), page)
    return EscalatedList(
        escalated=tuple(
            EscalatedView(walk=walk_view(walk, deps), since=step.at, what=step.what, why=step.why, by_id=step.by_id)
            for step, walk in found
        ),
        page=page,
        more=more,
    )
