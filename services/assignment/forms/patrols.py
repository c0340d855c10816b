"""A patrol as it is logged on a phone."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, Field

from services.assignment.domain.patrols import MOST_PLACES, Logged, Patrol
from services.assignment.forms.clock import Clock, Day, NoSuchTime, moment
from services.assignment.forms.record import PlaceOf, point_of, written
from shared.contracts.kinds import Point
from shared.contracts.refusals import Refusal
from shared.contracts.walks import PatrolKind
from shared.web.forms import Form
from shared.working_days import london

NOWHERE: Final = Point(latitude=51, longitude=0)


class PatrolForm(BaseModel):
    """One that ends before it began went on past midnight."""

    kind: PatrolKind
    day: Day
    start: Clock
    end: Clock
    area_id: Annotated[str, Field(max_length=63)] | None = None
    places: Annotated[str, Field(max_length=1000)] | None = None
    concern_ids: Annotated[tuple[UUID, ...], Field(max_length=50)] = ()
    conversations: Annotated[int, Field(ge=0, le=200)] = 0
    heard: Annotated[str, Field(max_length=5000)] | None = None


PATROL_MESSAGES: Final = {
    "kind": "Select whether you were on foot or cycling",
    "day": "Enter the day the patrol began",
    "start": "Enter when it began",
    "end": "Enter when it ended",
    "area_id": "Select an area",
    "places": "Enter places in 1,000 characters or fewer",
    "concern_ids": "Select concerns from the list",
    "conversations": "Enter how many people you spoke with, from 0 to 200",
    "heard": "What you heard must be 1,000 characters or fewer",
}


async def patrol_of(form: Form[PatrolForm], place_of: PlaceOf) -> tuple[Logged | None, Form[PatrolForm]]:
    """What was logged; None, and the form with what is wrong, where it cannot be so."""
    data = form.data
    if data is None:
        return None, form
    wrong: list[tuple[str, str]] = []
    points: list[Point] = []
    for number, line in enumerate(filter(None, map(str.strip, (data.places or "").splitlines())), 1):
        try:
            points.append(await point_of(line, NOWHERE, place_of))
        except (Refusal, ValueError) as fault:
            said = fault.message if isinstance(fault, Refusal) else "Enter a postcode, or latitude and longitude"
            wrong.append(("places", f"Line {number}: {said}"))
    if len(points) > MOST_PLACES:
        wrong.append(("places", f"Enter {MOST_PLACES} places or fewer"))
    if data.area_id is None and not points and not wrong:
        wrong.append(("area_id", "Select an area, or enter a place"))
    ends_on = data.day + timedelta(days=1) if data.end < data.start else data.day
    try:
        starts_at, ends_at = moment(data.day, data.start), moment(ends_on, data.end)
    except NoSuchTime as refusal:
        return None, form.refused(*wrong, ("start", refusal.message))
    if wrong:
        return None, form.refused(*wrong)
    return Logged(
        kind=data.kind,
        starts_at=starts_at,
        ends_at=ends_at,
        places=tuple(points),
        concern_ids=data.concern_ids,
        conversations=data.conversations,
        heard=data.heard,
    ), form


def values_of(patrol: Patrol) -> dict[str, str | list[str]]:
    """A patrol as the form shows it again."""
    said = patrol.said
    return {
        "kind": said.kind.value,
        "day": f"{london(said.starts_at):%Y-%m-%d}",
        "start": f"{london(said.starts_at):%H:%M}",
        "end": f"{london(said.ends_at):%H:%M}",
        "area_id": patrol.area_id,
        "places": "\n".join(map(written, said.places)),
        "concern_ids": [str(id_) for id_ in said.concern_ids],
        "conversations": str(said.conversations),
        "heard": said.heard or "",
    }
