"""That something was disclosed: opened from the walk at any moment, recorded here, and shown to few."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment.dependencies import Dependencies, Deps, Page, SignedIn, person
from services.assignment.domain.disclosures import DisclosureKind, Mistake, Safeguarding, Signpost
from services.assignment.domain.refusals import WrongField
from services.assignment.forms.clock import NoSuchTime
from services.assignment.forms.disclosures import DISCLOSURE_MESSAGES, DisclosureForm, MistakeForm
from services.assignment.handlers import disclosures as disclosing
from services.assignment.handlers import looking
from services.assignment.handlers.disclosures import Disclose, RecordDisclosure, WithdrawDisclosure
from services.assignment.pages.notices import notice
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User
from shared.working_days import london

router = APIRouter()

FIELDS: Final = {"safeguarded_at": "day"}
"""Where a field of the domain stands in the form."""


@router.get("/disclosures")
async def show_disclosures(
    request: Request,
    user: SignedIn,
    deps: Deps,
    recorded: Annotated[bool, Query()] = False,
    page: Page = 1,
) -> Response:
    """Those still to be recorded, what is overdue first, or those that are."""
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        found, more = await disclosing.list_disclosures(tx, by, page, now, is_unsettled=not recorded)
        names = await looking.names(tx, user.force_id)
    return render(
        request,
        "disclosures.html",
        disclosures=found,
        recorded=recorded,
        names=names,
        page=page,
        more=more,
        now=now,
        notice=notice(request),
    )


@router.get("/walks/{walk_id}/disclose")
async def show_disclose(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """What opening one means, before it is opened."""
    async with deps.database.transaction([user.force_id]) as tx:
        walk = await disclosing.walk_to_disclose(tx, walk_id, await person(tx, user))
    hours = deps.policies[user.force_id].disclosures.record_within_hours
    return render(request, "disclose.html", walk=walk, hours=hours)


@router.post("/walks/{walk_id}/disclose")
async def disclose(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Something was disclosed: from now on its time runs."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = Disclose(walk_id, await person(tx, user))
        found = await disclosing.open_disclosure(tx, command, deps.clock(), policies=deps.policies)
    return RedirectResponse(f"/disclosures/{found.id}", 303)


@router.get("/disclosures/{disclosure_id}")
async def show_disclosure(request: Request, disclosure_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """One, and the form for what was done."""
    return await _page(request, disclosure_id, user, deps, None)


async def _page(
    request: Request, disclosure_id: UUID, user: User, deps: Dependencies, form: Form[DisclosureForm] | None
) -> Response:
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        looked = await disclosing.look_at_disclosure(tx, disclosure_id, by, now)
        names = await looking.names(tx, user.force_id)
    found = looked.found
    if form is None:
        at = found.safeguarded_at or now
        form = Form[DisclosureForm](
            values={
                "kind": found.kind or "",
                "reference": found.reference or "",
                "safeguarding": [str(each) for each in found.safeguarding],
                "day": f"{london(at):%Y-%m-%d}",
                "clock": f"{london(at):%H:%M}",
                "safeguarded_by": found.safeguarded_by or by.id,
                "signposted": [str(each) for each in found.signposted],
            }
        )
    return render(
        request,
        "disclosure.html",
        422 if form.errors else 200,
        form=form,
        looked=looked,
        found=found,
        names=names,
        by=by,
        kinds=tuple(DisclosureKind),
        deeds=tuple(Safeguarding),
        signposts=tuple(Signpost),
        mistakes=tuple(Mistake),
        now=now,
        notice=notice(request),
    )


@router.post("/disclosures/{disclosure_id}")
async def record_disclosure(request: Request, disclosure_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Record what was done, or some of it."""
    form = await forms.read(request, DisclosureForm, DISCLOSURE_MESSAGES)
    if form.data is None:
        return await _page(request, disclosure_id, user, deps, form)
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            command = RecordDisclosure(disclosure_id, await person(tx, user), form.data.given())
            recorded = await disclosing.record_disclosure(tx, command, deps.clock(), policies=deps.policies)
    except NoSuchTime as refusal:
        return await _page(request, disclosure_id, user, deps, form.refused(("clock", refusal.message)))
    except WrongField as refusal:
        wrong = [(FIELDS.get(name, name), message) for name, message in refusal.fields.items()]
        return await _page(request, disclosure_id, user, deps, form.refused(*wrong))
    done = "disclosure-in-part" if recorded.is_unsettled else "disclosure-recorded"
    return RedirectResponse(f"/disclosures/{disclosure_id}?done={done}", 303)


@router.post("/disclosures/{disclosure_id}/withdraw")
async def withdraw_disclosure(request: Request, disclosure_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """A coordinator takes back one that is none."""
    form = await forms.read(request, MistakeForm, {"because": "Select why it is taken back"})
    if form.data is None:
        unjudged = Form[DisclosureForm](values=form.values, errors=form.errors)
        return await _page(request, disclosure_id, user, deps, unjudged)
    async with deps.database.transaction([user.force_id]) as tx:
        command = WithdrawDisclosure(disclosure_id, await person(tx, user), form.data.because)
        await disclosing.withdraw_disclosure(tx, command, deps.clock())
    return RedirectResponse("/disclosures?done=disclosure-withdrawn", 303)
