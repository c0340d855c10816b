"""The pages of officers and coordinators: their work, the queue, a walk and what is done with it, follow-ups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment import domain, handlers, wording
from services.assignment.dependencies import Dependencies, dependencies, person
from services.assignment.domain import State
from services.assignment.handlers import Person
from services.assignment.routes import contact_url
from services.assignment.walk_forms import (
    ARRANGE_MESSAGES,
    COMPLETE_MESSAGES,
    MOST_CONCERNS,
    ArrangeForm,
    CancelForm,
    CompleteForm,
    NoSuchTime,
    OutcomeForm,
    ProposeForm,
    RouteForm,
    TakeForm,
    concerns_of,
    how_many,
    moment,
    times_of,
)
from services.assignment.ways import stops
from shared.contracts.kinds import PartOfDay, Reason, Severity
from shared.contracts.walks import MOST_TIMES
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User, current_user
from shared.working_days import london

router = APIRouter()

Deps = Annotated[Dependencies, Depends(dependencies)]
SignedIn = Annotated[User, Depends(current_user)]
Page = Annotated[int, Query(ge=1, le=10_000)]

NOTICES: Final[Mapping[str, str]] = {
    "taken": "The walk is yours to arrange.",
    "given": "The walk was given to the officer.",
    "arranged": "The walk is arranged. She will be told in a way that is safe for her.",
    "proposed": "The times were proposed. She can choose on her own page, and is told in a way that is safe for her.",
    "cancelled": "The walk was cancelled.",
    "recorded": "The walk was recorded. Its concerns go to the partners who can act on them.",
    "routed": "The walk now waits in the team’s queue.",
    "followed-up": "The follow-up was completed.",
}


def _notice(request: Request) -> str | None:
    return NOTICES.get(request.query_params.get("done", ""))


def _back_to(walk_id: UUID, done: str) -> Response:
    return RedirectResponse(f"/walks/{walk_id}?done={done}", 303)


@router.get("/")
async def my_work(request: Request, user: SignedIn, deps: Deps) -> Response:
    """What waits for this person."""
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        names = await handlers.names(tx, user.force_id)
        in_hand = await handlers.work_in_hand(tx, by)
        waiting, more_waiting = await handlers.list_walks(tx, by, State.ROUTED, None, 1)
        follow_ups, _ = await handlers.list_follow_ups(tx, by, 1)
        force = await handlers.work_waiting(tx, by, now) if by.is_coordinator else None
    return render(
        request,
        "my_work.html",
        by=by,
        names=names,
        arranged=[walk for walk in in_hand if walk.state is State.ARRANGED],
        to_arrange=[walk for walk in in_hand if walk.state is State.TAKEN],
        waiting=len(waiting),
        more_waiting=more_waiting,
        follow_ups=follow_ups,
        force=force,
        now=now,
        notice=_notice(request),
    )


@router.get("/queue")
async def queue(
    request: Request,
    user: SignedIn,
    deps: Deps,
    team_id: Annotated[str | None, Query(max_length=63)] = None,
    page: Page = 1,
) -> Response:
    """Walks nobody has taken yet, longest waiting first."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        names = await handlers.names(tx, user.force_id)
        walks, more = await handlers.list_walks(tx, by, State.ROUTED, team_id or None, page)
    teams = names.teams if by.is_coordinator else {id_: names.team(id_) for id_ in sorted(by.team_ids)}
    return render(
        request,
        "queue.html",
        names=names,
        walks=walks,
        teams=teams,
        team_id=team_id or "",
        page=page,
        more=more,
        now=deps.clock(),
    )


@router.get("/walks/{walk_id}")
async def show_walk(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """A walk, what may be done with it, what was raised on it and what partners did."""
    return await _walk_page(request, walk_id, user, deps)


async def _walk_page(
    request: Request, walk_id: UUID, user: User, deps: Dependencies, form: Form[TakeForm] | None = None
) -> Response:
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        record = await handlers.look_at_walk(tx, walk_id, by, now)
        names = await handlers.names(tx, user.force_id)
    walk = record.walk
    policy = deps.policies[user.force_id]
    team_id = walk.located.team_id if walk.located else None
    able = [
        officer
        for officer in names.officers
        if team_id in officer.team_ids
        and officer.trained_on is not None
        and officer.kind in policy.walks.officers
        and not walk.excludes_officer(officer.id)
        and not walk.excludes_team(officer.team_id)
    ]
    return render(
        request,
        "walk.html",
        422 if form is not None and form.errors else 200,
        form=form or Form[TakeForm](),
        walk=walk,
        record=record,
        names=names,
        by=by,
        able=able,
        may_act=by.is_coordinator or walk.officer_id == by.id,
        contact_urls={each.id: contact_url(deps, each.id) for each in walk.requests},
        ways={each.id: stops(each.route, deps.registers.locate(user.force_id, each.route)) for each in walk.requests},
        minimum_minutes=policy.walks.minimum_minutes,
        now=now,
        notice=_notice(request),
    )


@router.post("/walks/{walk_id}/take")
async def take(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Take a walk on, or give it to an officer."""
    form = await forms.read(request, TakeForm)
    if form.data is None:
        return await _walk_page(request, walk_id, user, deps, form)
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        if by.officer is None and form.data.officer_id is None and by.is_coordinator:
            chosen = None
        else:
            chosen = handlers.Take(walk_id, by, form.data.officer_id)
            await handlers.take(tx, [chosen], deps.clock(), policies=deps.policies)
    if chosen is None:
        return await _walk_page(request, walk_id, user, deps, form.refused(("officer_id", "Select an officer")))
    return _back_to(walk_id, "given" if form.data.officer_id else "taken")


@router.get("/walks/{walk_id}/arrange")
async def show_arrange(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form for time and meeting place."""
    walk, _ = await _walk(walk_id, user, deps)
    values: dict[str, str] = {}
    if walk.starts_at is not None:
        values = {
            "day": f"{london(walk.starts_at):%Y-%m-%d}",
            "clock": f"{london(walk.starts_at):%H:%M}",
            "meeting_place": walk.meeting_place or "",
        }
    return render(request, "arrange.html", form=Form[ArrangeForm](values=values), walk=walk)


@router.post("/walks/{walk_id}/arrange")
async def arrange(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Time and meeting place are agreed."""
    form = await forms.read(request, ArrangeForm, ARRANGE_MESSAGES)
    if form.data is not None:
        try:
            starts_at = moment(form.data.day, form.data.clock)
            async with deps.database.transaction([user.force_id]) as tx:
                command = handlers.Arrange(walk_id, await person(tx, user), starts_at, form.data.meeting_place)
                await handlers.arrange(tx, [command], deps.clock(), policies=deps.policies)
            return _back_to(walk_id, "arranged")
        except domain.MeetingPlaceMissing as refusal:
            form = form.refused(("meeting_place", refusal.message))
        except (domain.WrongField, domain.OfficerDoubleBooked, NoSuchTime) as refusal:
            form = form.refused(("clock", refusal.message))
    walk, _ = await _walk(walk_id, user, deps)
    return render(request, "arrange.html", 422, form=form, walk=walk)


@router.get("/walks/{walk_id}/propose")
async def show_propose(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form for times she may choose from."""
    walk, _ = await _walk(walk_id, user, deps)
    values: dict[str, str] = {}
    if walk.proposal is not None:
        values["meeting_place"] = walk.proposal.meeting_place
        for number, at in enumerate(walk.proposal.times, 1):
            values |= {f"day_{number}": f"{london(at):%Y-%m-%d}", f"clock_{number}": f"{london(at):%H:%M}"}
    return render(request, "propose.html", form=Form[ProposeForm](values=values), walk=walk, most=MOST_TIMES)


@router.post("/walks/{walk_id}/propose")
async def propose(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Propose times to her."""
    form = await forms.read(request, ProposeForm, {"meeting_place": ARRANGE_MESSAGES["meeting_place"]})
    times, wrong = times_of(form.values)
    if form.data is None or wrong:
        form = form.refused(*wrong)
    else:
        try:
            async with deps.database.transaction([user.force_id]) as tx:
                command = handlers.Propose(walk_id, await person(tx, user), times, form.data.meeting_place)
                await handlers.propose(tx, [command], deps.clock(), policies=deps.policies)
            return _back_to(walk_id, "proposed")
        except domain.MeetingPlaceMissing as refusal:
            form = form.refused(("meeting_place", refusal.message))
        except (domain.TimesWrong, domain.AnswerTooLate, domain.OfficerDoubleBooked) as refusal:
            form = form.refused(("day_1", refusal.message))
    walk, _ = await _walk(walk_id, user, deps)
    return render(request, "propose.html", 422, form=form, walk=walk, most=MOST_TIMES)


@router.get("/walks/{walk_id}/cancel")
async def show_cancel(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form for the reason."""
    walk, _ = await _walk(walk_id, user, deps)
    return render(request, "cancel.html", form=Form[CancelForm](), walk=walk, reasons=wording.CANCEL_REASONS)


@router.post("/walks/{walk_id}/cancel")
async def cancel(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The walk will not take place."""
    form = await forms.read(request, CancelForm, {"reason": "Select why the walk will not take place"})
    if form.data is None:
        walk, _ = await _walk(walk_id, user, deps)
        return render(request, "cancel.html", 422, form=form, walk=walk, reasons=wording.CANCEL_REASONS)
    async with deps.database.transaction([user.force_id]) as tx:
        command = handlers.Cancel(walk_id, await person(tx, user), form.data.reason)
        await handlers.cancel(tx, [command], deps.clock())
    return _back_to(walk_id, "cancelled")


@router.get("/walks/{walk_id}/complete")
async def show_complete(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form to record the walk."""
    walk, _ = await _walk(walk_id, user, deps)
    values: dict[str, str] = {"many": "1"}
    if walk.starts_at is not None and walk.starts_at <= deps.clock():
        values |= {
            "day": f"{london(walk.starts_at):%Y-%m-%d}",
            "start": f"{london(walk.starts_at):%H:%M}",
        }
    return _complete_page(request, walk, Form[CompleteForm](values=values), deps)


def _complete_page(
    request: Request, walk: domain.Walk, form: Form[CompleteForm], deps: Dependencies, many: int | None = None
) -> Response:
    return render(
        request,
        "complete.html",
        422 if form.errors else 200,
        form=form,
        walk=walk,
        many=many or how_many(form.values),
        most=MOST_CONCERNS,
        categories=tuple(Reason),
        parts=tuple(PartOfDay),
        severities=tuple(Severity),
        minimum_minutes=deps.policies[walk.force_id].walks.minimum_minutes,
    )


@router.post("/walks/{walk_id}/complete")
async def complete(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Another concern, a look at what partners will see, or the record itself, by the button that was pressed."""
    form = await forms.read(request, CompleteForm, COMPLETE_MESSAGES)
    do = form.value("do")
    walk, _ = await _walk(walk_id, user, deps)
    if do in ("add", "change"):
        unjudged = Form[CompleteForm](values=form.values)
        many = how_many(form.values) + (1 if do == "add" else 0)
        return _complete_page(request, walk, unjudged, deps, min(many, MOST_CONCERNS))
    recorded, wrong = await concerns_of(form, walk.place, deps.place_of)
    if form.data is None or wrong:
        return _complete_page(request, walk, form.refused(*wrong), deps)
    try:
        started_at = moment(form.data.day, form.data.start)
        ended_at = moment(form.data.day, form.data.end)
        async with deps.database.transaction([user.force_id]) as tx:
            by = await person(tx, user)
            command = handlers.Complete(walk_id, by, started_at, ended_at, form.data.streetsafe == "yes", recorded)
            if do == "record":
                await handlers.complete(tx, [command], deps.clock(), policies=deps.policies)
                return _back_to(walk_id, "recorded")
            preview = await handlers.preview(tx, command, deps.clock(), policies=deps.policies)
    except (domain.EndsBeforeStart, domain.EndsInTheFuture, domain.WalkTooShort) as refusal:
        return _complete_page(request, walk, form.refused(("end", refusal.message)), deps)
    except NoSuchTime as refusal:
        return _complete_page(request, walk, form.refused(("start", refusal.message)), deps)
    return render(
        request,
        "check.html",
        walk=walk,
        form=form,
        preview=preview,
        hints={concern.id: domain.personal_hints(concern.words) for concern in preview.concerns},
        hidden=sorted((name, value) for name, value in form.values.items() if isinstance(value, str) and name != "do"),
    )


@router.get("/triage")
async def triage(request: Request, user: SignedIn, deps: Deps, page: Page = 1) -> Response:
    """Walks for which a coordinator has to choose an area."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        walks, more = await handlers.list_walks(tx, by, State.TRIAGE, None, page)
    return render(request, "triage.html", walks=walks, page=page, more=more, now=deps.clock(), notice=_notice(request))


@router.get("/walks/{walk_id}/route")
async def show_route(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form for the area."""
    walk, names = await _walk(walk_id, user, deps)
    return render(request, "route.html", form=Form[RouteForm](), walk=walk, names=names)


@router.post("/walks/{walk_id}/route")
async def route(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """A coordinator chooses the area."""
    form = await forms.read(request, RouteForm, {"area_id": "Select an area"})
    if form.data is not None:
        try:
            async with deps.database.transaction([user.force_id]) as tx:
                command = handlers.Route(walk_id, await person(tx, user), form.data.area_id)
                await handlers.route_by_hand(tx, [command], deps.clock())
            return _back_to(walk_id, "routed")
        except (domain.AreaUnknown, domain.OfficerExcluded) as refusal:
            form = form.refused(("area_id", refusal.message))
    walk, names = await _walk(walk_id, user, deps)
    return render(request, "route.html", 422, form=form, walk=walk, names=names)


@router.get("/follow-ups")
async def follow_ups(request: Request, user: SignedIn, deps: Deps, page: Page = 1) -> Response:
    """Calls, visits and reviews still to be made, what is overdue first."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        found, more = await handlers.list_follow_ups(tx, by, page)
        names = await handlers.names(tx, user.force_id)
    return render(
        request,
        "follow_ups.html",
        follow_ups=found,
        names=names,
        page=page,
        more=more,
        now=deps.clock(),
        notice=_notice(request),
    )


@router.get("/follow-ups/{follow_up_id}")
async def show_follow_up(request: Request, follow_up_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """One follow-up and how she may be contacted."""
    return await _follow_up_page(request, follow_up_id, user, deps, Form[OutcomeForm]())


async def _follow_up_page(
    request: Request, follow_up_id: UUID, user: User, deps: Dependencies, form: Form[OutcomeForm]
) -> Response:
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        found, walk = await handlers.look_at_follow_up(tx, follow_up_id, by, now)
        names = await handlers.names(tx, user.force_id)
    asked = next((each for each in walk.requests if each.id == found.request_id), None) if walk else None
    return render(
        request,
        "follow_up.html",
        422 if form.errors else 200,
        form=form,
        found=found,
        walk=walk,
        asked=asked,
        names=names,
        may_see_walk=walk is not None and by.may_see(walk),
        outcomes=wording.OUTCOMES,
        contact_url=contact_url(deps, found.request_id) if found.request_id else None,
        now=now,
    )


@router.post("/follow-ups/{follow_up_id}/complete")
async def complete_follow_up(request: Request, follow_up_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The call, visit or review was made, or given up."""
    form = await forms.read(request, OutcomeForm, {"outcome": "Select what came of it"})
    if form.data is None:
        return await _follow_up_page(request, follow_up_id, user, deps, form)
    async with deps.database.transaction([user.force_id]) as tx:
        command = handlers.CompleteFollowUp(follow_up_id, await person(tx, user), form.data.outcome)
        await handlers.complete_follow_ups(tx, [command], deps.clock())
    return RedirectResponse("/follow-ups?done=followed-up", 303)


async def _walk(walk_id: UUID, user: User, deps: Dependencies) -> tuple[domain.Walk, handlers.Names]:
    async with deps.database.transaction([user.force_id]) as tx:
        by: Person = await person(tx, user)
        walk = await handlers.walk_in_hand(tx, walk_id, by)
        return walk, await handlers.names(tx, user.force_id)
