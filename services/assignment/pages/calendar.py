"""The secret address of an officer's calendar, and what is fetched there: times, meeting places and links, no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter
from fastapi import Path as InPath
from icalendar import Calendar, Event
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment.dependencies import Deps, SignedIn, person
from services.assignment.domain.walks import Walk
from services.assignment.handlers import calendars
from services.assignment.handlers.calendars import CalendarNotFound
from services.assignment.pages.notices import notice
from shared.web import forms
from shared.web.pages import render
from shared.working_days import london

router = APIRouter()

FETCHED_EVERY: Final = timedelta(minutes=30)


class CalendarForm(BaseModel):
    """A new address, or none any more."""

    do: Literal["renew", "end"]


@router.get("/calendar")
async def show_calendar(request: Request, user: SignedIn, deps: Deps) -> Response:
    """Whether there is an address, and since when; itself it is shown once."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        since = await calendars.made_at(tx, by)
    return render(request, "calendar.html", by=by, since=since, address=None, notice=notice(request))


@router.post("/calendar")
async def change_calendar(request: Request, user: SignedIn, deps: Deps) -> Response:
    """Make a new address, which ends the one before, or end it."""
    form = await forms.read(request, CalendarForm)
    if form.data is None:
        return RedirectResponse("/calendar", 303)
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        if form.data.do == "end":
            await calendars.end(tx, by, now)
            return RedirectResponse("/calendar?done=calendar-ended", 303)
        secret = await calendars.renew(tx, by, now)
    address = f"{_home(deps.settings.assignment_url)}/forces/{user.force_id}/calendar/{secret}.ics"
    return render(request, "calendar.html", by=by, since=now, address=address, notice=None)


@router.get("/forces/{force}/calendar/{token}.ics")
async def fetch(force: str, token: Annotated[str, InPath(max_length=100)], deps: Deps) -> Response:
    """The officer's arranged walks."""
    if force not in deps.policies:
        raise CalendarNotFound
    now = deps.clock()
    async with deps.database.transaction([force]) as tx:
        walks = await calendars.arranged(tx, force, token, now)
    return Response(
        file_of(walks, _home(deps.settings.assignment_url), now),
        media_type="text/calendar; charset=utf-8",
        headers={"cache-control": "private, no-store"},
    )


def file_of(walks: list[Walk], home: str, now: datetime) -> bytes:
    """An iCalendar file (RFC 5545): an entry a walk, which says when, where to meet and where to read more."""
    file = Calendar()
    file.add("prodid", "-//Walks//EN")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    file.add("x-wr-calname", "Walks")
    file.add("refresh-interval", FETCHED_EVERY, parameters={"value": "DURATION"})
    for walk in walks:
        assert walk.starts_at is not None and walk.busy_until is not None
        event = Event()
        event.add("uid", str(walk.id))
        event.add("dtstamp", now)
        event.add("dtstart", london(walk.starts_at))
        event.add("dtend", london(walk.busy_until))
        event.add("summary", "Walk")
        event.add("location", walk.meeting_place)
        event.add("url", f"{home}/walks/{walk.id}")
        event.add("class", "PRIVATE")
        file.add_component(event)
    file.add_missing_timezones()
    made: bytes = file.to_ical()
    return made


def _home(address: str) -> str:
    return address.rstrip("/")
