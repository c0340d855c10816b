"""The register and training as other systems read them and fill them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request

from services.assignment.dependencies import Dependencies, Deps, Page, SignedIn, person
from services.assignment.domain.officers_csv import Choice
from services.assignment.domain.people import Officer, what_stops
from services.assignment.domain.training import TrainingSession, TrainingWay, session
from services.assignment.handlers import register, training
from services.assignment.routes.bodies import Body
from shared.contracts.envelope import ShortText, Slug
from shared.contracts.kinds import OfficerKind, TrainingTopic, Weekday
from shared.working_days import day

router = APIRouter(prefix="/api/v1")

MOST: Final = 2000
"""Officers ticked in one call."""


class AbsenceView(BaseModel):
    """Days away, both included."""

    first_day: date
    last_day: date


class OfficerView(BaseModel):
    """An entry of the register. `stops`: what keeps the officer from being given a walk today, in plain words."""

    officer_id: str
    name: str
    kind: OfficerKind
    team_id: str
    team_ids: tuple[str, ...]
    active: bool
    trained_on: date | None
    trained_until: date | None
    languages: tuple[str, ...]
    absences: tuple[AbsenceView, ...]
    stops: tuple[str, ...]


class WindowView(BaseModel):
    """Each week, in minutes since midnight in London."""

    weekday: Weekday
    from_minute: int
    to_minute: int
    valid_from: date | None
    valid_until: date | None


class RecordView(OfficerView):
    """An entry with when the officer can usually walk."""

    availability: tuple[WindowView, ...]


class OfficerList(BaseModel):
    """A page of officers, 50 at most; `more` when another page follows."""

    officers: tuple[OfficerView, ...]
    page: int
    more: bool


class ProblemView(BaseModel):
    """What is wrong with a row; an empty column is the row as a whole."""

    row: int
    column: str
    words: str


class RowView(BaseModel):
    """What a row comes to: added, changed or no change."""

    row: int
    officer_id: str
    outcome: str


class ReportView(BaseModel):
    """What a spreadsheet comes to. `taken`: all of it, or its good rows, were taken over."""

    taken: bool
    rows: tuple[RowView, ...]
    problems: tuple[ProblemView, ...]
    walks_returned: int


def officer_view(officer: Officer, deps: Dependencies) -> OfficerView:
    """An entry as the API shows it."""
    today = day(deps.clock())
    return OfficerView(
        officer_id=officer.id,
        name=officer.name,
        kind=officer.kind,
        team_id=officer.team_id,
        team_ids=tuple(sorted(officer.team_ids)),
        active=officer.active,
        trained_on=officer.trained_on,
        trained_until=officer.trained_until,
        languages=officer.languages,
        absences=tuple(AbsenceView(first_day=each.first_day, last_day=each.last_day) for each in officer.absences),
        stops=tuple(each.message for each in what_stops(officer, deps.policies[officer.force_id].walks, today, today)),
    )


@router.get("/people")
async def list_people(
    user: SignedIn,
    deps: Deps,
    q: Annotated[str, Query(max_length=200)] = "",
    team_id: Annotated[Slug | None, Query()] = None,
    everybody: bool = False,
    page: Page = 1,
) -> OfficerList:
    """The register by name; `everybody`: also those no longer in service."""
    async with deps.database.transaction([user.force_id]) as tx:
        found, more = await register.list_officers(
            tx, await person(tx, user), q.strip(), team_id, page, and_those_off=everybody
        )
    return OfficerList(officers=tuple(officer_view(each, deps) for each in found), page=page, more=more)


@router.get("/people/{officer_id}")
async def look_at_officer(officer_id: Slug, user: SignedIn, deps: Deps) -> RecordView:
    """One entry: to coordinators, and to the officer."""
    async with deps.database.transaction([user.force_id]) as tx:
        found = await register.look_at_officer(
            tx, await person(tx, user), officer_id, deps.clock(), policies=deps.policies
        )
    return RecordView(
        **dict(officer_view(found.officer, deps)),
        availability=tuple(
            WindowView(
                weekday=each.weekday,
                from_minute=each.from_minute,
                to_minute=each.to_minute,
                valid_from=each.valid_from,
                valid_until=each.valid_until,
            )
            for each in found.windows
        ),
    )


@router.post(
    "/people/import",
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def import_people(request: Request, user: SignedIn, deps: Deps, choice: Choice = Choice.CHECK) -> ReportView:
    """Read a spreadsheet: check it, take all of it over if no row is wrong, or take the good rows over."""
    content = await request.body()
    async with deps.database.transaction([user.force_id]) as tx:
        report = await register.import_officers(
            tx, await person(tx, user), content, choice, deps.clock(), policies=deps.policies
        )
    return ReportView(
        taken=report.taken,
        rows=tuple(
            RowView(row=each.row, officer_id=each.officer_id, outcome=outcome.value)
            for each, outcome in report.outcomes
        ),
        problems=tuple(ProblemView(row=each.row, column=each.column, words=each.words) for each in report.problems),
        walks_returned=report.returned,
    )


class SessionBody(Body):
    """A training session: its day, how it was held, and what it covered."""

    name: ShortText
    held_on: date
    way: TrainingWay
    covers: Annotated[tuple[TrainingTopic, ...], Field(min_length=1)]


class SessionView(SessionBody):
    """A session that is recorded, and how many were there."""

    session_id: UUID
    attended: int


class AttendanceBody(Body):
    """By officers' ids: who was there, and who was not after all. Others stay as they are."""

    came: Annotated[tuple[Slug, ...], Field(max_length=MOST)] = ()
    stayed_away: Annotated[tuple[Slug, ...], Field(max_length=MOST)] = ()


class AttendanceView(BaseModel):
    """Officers whose walks went back to the queue, because they are not trained after all, counted by walk."""

    walks_returned: int


class SessionList(BaseModel):
    """A page of sessions, 50 at most, the last first; `more` when another page follows."""

    sessions: tuple[SessionView, ...]
    page: int
    more: bool


def session_view(found: TrainingSession, attended: int) -> SessionView:
    """A session as the API shows it."""
    return SessionView(
        session_id=found.id,
        name=found.name,
        held_on=found.held_on,
        way=found.way,
        covers=tuple(sorted(found.covers)),
        attended=attended,
    )


@router.get("/training")
async def list_sessions(user: SignedIn, deps: Deps, page: Page = 1) -> SessionList:
    """Training sessions, the last first."""
    async with deps.database.transaction([user.force_id]) as tx:
        found, more = await training.list_sessions(tx, await person(tx, user), page)
    return SessionList(sessions=tuple(session_view(*each) for each in found), page=page, more=more)


@router.post("/training", status_code=201)
async def record_session(body: SessionBody, user: SignedIn, deps: Deps) -> SessionView:
    """Record a session that was held or is planned."""
    made = session(user.force_id, uuid4(), body.held_on, body.way, body.name, body.covers)
    async with deps.database.transaction([user.force_id]) as tx:
        await training.record_session(tx, await person(tx, user), made, deps.clock())
    return session_view(made, 0)


@router.post("/training/{session_id}/attendance")
async def tick(session_id: UUID, body: AttendanceBody, user: SignedIn, deps: Deps) -> AttendanceView:
    """Say who was at a session once it was held, and who was not."""
    async with deps.database.transaction([user.force_id]) as tx:
        returned = await training.tick(
            tx,
            await person(tx, user),
            session_id,
            body.came,
            body.stayed_away,
            deps.clock(),
            policies=deps.policies,
        )
    return AttendanceView(walks_returned=len(returned))
