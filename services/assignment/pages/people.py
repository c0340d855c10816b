"""People, for coordinators: the register, one officer, a new one, a whole spreadsheet; and an officer's own page."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment import wording
from services.assignment.dependencies import Dependencies, Deps, Page, SignedIn, person
from services.assignment.domain.availability import absence, window
from services.assignment.domain.officers_csv import COLUMNS, Choice
from services.assignment.domain.people import what_stops
from services.assignment.domain.refusals import TooManyEntries, WrongField
from services.assignment.forms.people import (
    ABSENCE_MESSAGES,
    IMPORT_MESSAGES,
    OFFICER_MESSAGES,
    WINDOW_MESSAGES,
    AbsenceForm,
    ImportForm,
    LanguagesForm,
    NewOfficerForm,
    OfficerForm,
    WindowForm,
    day_shown,
    teams_of,
)
from services.assignment.handlers import looking, register
from services.assignment.handlers.register import Entry
from services.assignment.pages.notices import notice
from shared.contracts.kinds import OfficerKind, Weekday
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User
from shared.working_days import day

router = APIRouter()

Text = Annotated[str, Query(max_length=200)]
TeamId = Annotated[str, Query(max_length=63)]


@router.get("/people")
async def list_people(
    request: Request,
    user: SignedIn,
    deps: Deps,
    q: Text = "",
    team_id: TeamId = "",
    everybody: bool = False,
    page: Page = 1,
) -> Response:
    """The register by name, and who of the identity provider stands on none."""
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        officers, more = await register.list_officers(tx, by, q.strip(), team_id or None, page, and_those_off=everybody)
        names = await looking.names(tx, user.force_id)
        not_placed = await register.not_placed(tx, by) if page == 1 and not q else ()
    rules = deps.policies[user.force_id].walks
    return render(
        request,
        "people.html",
        officers=[(each, what_stops(each, rules, day(now), day(now))) for each in officers],
        not_placed=not_placed,
        names=names,
        q=q,
        team_id=team_id,
        everybody=everybody,
        page=page,
        more=more,
        notice=notice(request),
    )


@router.get("/people/new")
async def show_new(request: Request, user: SignedIn, deps: Deps, officer_id: TeamId = "", name: Text = "") -> Response:
    """The form for a new entry, perhaps with what the identity provider said."""
    values = {"officer_id": officer_id, "name": name}
    return await _entry_page(request, user, deps, Form[Any](values=values), None)


@router.post("/people/new")
async def add(request: Request, user: SignedIn, deps: Deps) -> Response:
    """A new entry."""
    form = await forms.read(request, NewOfficerForm, OFFICER_MESSAGES)
    return await _save(request, user, deps, form, None)


@router.get("/people/import")
async def show_import(request: Request, user: SignedIn, deps: Deps) -> Response:
    """The form for a spreadsheet."""
    async with deps.database.transaction([user.force_id]) as tx:
        await person(tx, user)
    return render(request, "people_import.html", form=Form[ImportForm](), report=None, columns=COLUMNS)


@router.post("/people/import")
async def import_people(request: Request, user: SignedIn, deps: Deps) -> Response:
    """Read a spreadsheet, and say row by row what it comes to."""
    form = await forms.read(request, ImportForm, IMPORT_MESSAGES)
    sent = (await request.form()).get("file")
    content = await sent.read() if isinstance(sent, UploadFile) else b""
    report = None
    if not content:
        form = form.refused(("file", "Select a CSV file"))
    elif form.data is not None:
        async with deps.database.transaction([user.force_id]) as tx:
            by = await person(tx, user)
            report = await register.import_officers(
                tx, by, content, form.data.choice, deps.clock(), policies=deps.policies
            )
        if report.choice is Choice.ALL and not report.taken:
            form = form.refused(("file", "Nothing was taken over: rows are wrong, or there are none"))
    status = 422 if form.errors else 200
    return render(request, "people_import.html", status, form=form, report=report, columns=COLUMNS)


@router.get("/people/{officer_id}")
async def show_person(request: Request, officer_id: str, user: SignedIn, deps: Deps) -> Response:
    """An officer: what stops them from walking, team and kind, training, when they can and cannot walk."""
    return await _person_page(request, officer_id, user, deps)


@router.get("/my-availability")
async def show_mine(request: Request, user: SignedIn, deps: Deps) -> Response:
    """The same of whoever is signed in."""
    return await _person_page(request, user.sub, user, deps)


@router.get("/people/{officer_id}/change")
async def show_change(request: Request, officer_id: str, user: SignedIn, deps: Deps) -> Response:
    """The form for an entry."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        found = await register.look_at_officer(tx, by, officer_id, deps.clock(), policies=deps.policies)
        teams = (await looking.names(tx, user.force_id)).teams
    officer = found.officer
    further = sorted(officer.team_ids - {officer.team_id})
    values = {
        "name": officer.name,
        "kind": officer.kind.value,
        "team_id": officer.team_id,
        "also_walks_in": "\n".join(teams.get(each, each) for each in further),
        "email": officer.email or "",
        "trained_on": day_shown(officer.trained_elsewhere_on),
        "active": "yes" if officer.active else "no",
    }
    return await _entry_page(request, user, deps, Form[Any](values=values), officer_id)


@router.post("/people/{officer_id}/change")
async def change(request: Request, officer_id: str, user: SignedIn, deps: Deps) -> Response:
    """An entry as it is to be."""
    form = await forms.read(request, OfficerForm, OFFICER_MESSAGES)
    return await _save(request, user, deps, form, officer_id)


async def _save(
    request: Request,
    user: User,
    deps: Dependencies,
    form: Form[OfficerForm] | Form[NewOfficerForm],
    officer_id: str | None,
) -> Response:
    if form.data is not None:
        async with deps.database.transaction([user.force_id]) as tx:
            teams = (await looking.names(tx, user.force_id)).teams
        further, unknown = teams_of(form.data.also_walks_in, teams)
        if unknown:
            form = form.refused(("also_walks_in", "Your force has no team of that name. Write one team a line"))
    if form.data is not None:
        data = form.data
        id_ = officer_id if officer_id is not None else getattr(data, "officer_id", "")
        try:
            async with deps.database.transaction([user.force_id]) as tx:
                by = await person(tx, user)
                languages: tuple[str, ...] = ()
                if officer_id is not None:
                    looked = await register.look_at_officer(tx, by, officer_id, deps.clock(), policies=deps.policies)
                    languages = looked.officer.languages
                entry = Entry(
                    id_,
                    data.name,
                    data.kind,
                    data.team_id,
                    further,
                    languages,
                    data.email,
                    data.trained_on,
                    data.active == "yes",
                )
                if officer_id is None:
                    await register.add_officer(tx, by, entry, deps.clock(), policies=deps.policies)
                else:
                    await register.change_officer(tx, by, entry, deps.clock(), policies=deps.policies)
            return RedirectResponse(f"/people/{id_}?done=saved", 303)
        except WrongField as refusal:
            form = form.refused((refusal.field, refusal.message))
    return await _entry_page(request, user, deps, form, officer_id)


async def _entry_page(
    request: Request, user: User, deps: Dependencies, form: Form[Any], officer_id: str | None
) -> Response:
    async with deps.database.transaction([user.force_id]) as tx:
        await person(tx, user)
        names = await looking.names(tx, user.force_id)
    return render(
        request,
        "officer_change.html",
        422 if form.errors else 200,
        form=form,
        officer_id=officer_id,
        names=names,
        kinds=tuple(OfficerKind),
        allowed=deps.policies[user.force_id].walks.officers,
    )


async def _person_page(
    request: Request,
    officer_id: str,
    user: User,
    deps: Dependencies,
    form: Form[Any] | None = None,
) -> Response:
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        names = await looking.names(tx, user.force_id)
        mine = by.id == officer_id
        found = None
        if not mine or by.officer is not None:
            found = await register.look_at_officer(tx, by, officer_id, now, policies=deps.policies)
    return render(
        request,
        "officer.html",
        422 if form is not None and form.errors else 200,
        form=form or Form[Any](),
        found=found,
        officer_id=officer_id,
        mine=mine,
        by=by,
        names=names,
        training=deps.policies[user.force_id].training,
        today=day(now),
        weekdays=tuple(Weekday),
        languages={code: name for code, name in wording.LANGUAGES.items() if code != "en"},
        notice=notice(request),
    )


def _back(officer_id: str, user: User, done: str) -> Response:
    at = "/my-availability" if officer_id == user.sub else f"/people/{officer_id}"
    return RedirectResponse(f"{at}?done={done}", 303)


@router.post("/people/{officer_id}/windows")
async def add_windows(request: Request, officer_id: str, user: SignedIn, deps: Deps) -> Response:
    """An officer can usually walk on these days of the week, from and to."""
    form = await forms.read(request, WindowForm, WINDOW_MESSAGES)
    if form.data is not None:
        data = form.data
        try:
            windows = [
                window(uuid4(), each, data.starts, data.ends, data.valid_from, data.valid_until)
                for each in dict.fromkeys(data.weekdays)
            ]
            async with deps.database.transaction([user.force_id]) as tx:
                await register.add_windows(tx, await person(tx, user), officer_id, windows, deps.clock())
            return _back(officer_id, user, "availability")
        except (WrongField, TooManyEntries) as refusal:
            form = form.refused(("ends", refusal.message))
    return await _person_page(request, officer_id, user, deps, form)


@router.post("/people/{officer_id}/windows/{window_id}/remove")
async def remove_window(officer_id: str, window_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Not any more."""
    async with deps.database.transaction([user.force_id]) as tx:
        await register.remove_window(tx, await person(tx, user), officer_id, window_id, deps.clock())
    return _back(officer_id, user, "availability")


@router.post("/people/{officer_id}/absences")
async def add_absence(request: Request, officer_id: str, user: SignedIn, deps: Deps) -> Response:
    """An officer is away."""
    form = await forms.read(request, AbsenceForm, ABSENCE_MESSAGES)
    if form.data is not None:
        try:
            days = absence(uuid4(), form.data.first_day, form.data.last_day, day(deps.clock()))
            async with deps.database.transaction([user.force_id]) as tx:
                await register.add_absence(tx, await person(tx, user), officer_id, days, deps.clock())
            return _back(officer_id, user, "absence")
        except (WrongField, TooManyEntries) as refusal:
            form = form.refused(("last_day", refusal.message))
    return await _person_page(request, officer_id, user, deps, form)


@router.post("/people/{officer_id}/absences/{absence_id}/remove")
async def remove_absence(officer_id: str, absence_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """There after all."""
    async with deps.database.transaction([user.force_id]) as tx:
        await register.remove_absence(tx, await person(tx, user), officer_id, absence_id, deps.clock())
    return _back(officer_id, user, "absence")


@router.post("/people/{officer_id}/languages")
async def set_languages(request: Request, officer_id: str, user: SignedIn, deps: Deps) -> Response:
    """What an officer speaks beside English."""
    form = await forms.read(request, LanguagesForm, {"languages": "Select from the list"})
    if form.data is None:
        return await _person_page(request, officer_id, user, deps, form)
    async with deps.database.transaction([user.force_id]) as tx:
        chosen = list(dict.fromkeys(form.data.languages))
        await register.set_languages(tx, await person(tx, user), officer_id, chosen, deps.clock())
    return _back(officer_id, user, "languages")
