"""What is said of a walk as a whole, and a concern as it is noted."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from services.assignment.domain.noting import Record, Said
from services.assignment.domain.walks import Walk
from services.assignment.forms.clock import Clock, Day, NoSuchTime, moment
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.refusals import Refusal
from shared.web.forms import Form
from shared.working_days import london

YesNo = Literal["yes", "no"]
MOST_ON_THE_WAY: Final = 50
PlaceOf = Callable[[str], Awaitable[Point]]

_POINT: Final = re.compile(r"(-?\d{1,2}(?:\.\d{1,12})?)\s*°?\s*[,; ]\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*°?")


class RecordForm(BaseModel):
    """The walk as a whole; what is left empty has not been said."""

    day: Day | None = None
    start: Clock | None = None
    end: Clock | None = None
    way: Annotated[str, Field(max_length=5000)] | None = None
    came: Annotated[tuple[UUID, ...], Field(max_length=50)] = ()
    strategy: YesNo | None = None
    streetsafe: YesNo | None = None
    used: YesNo | None = None
    signposted: YesNo | None = None
    sticker: YesNo | None = None


RECORD_MESSAGES: Final = {
    "day": "Enter the day of the walk",
    "start": "Enter when the walk started",
    "end": "Enter when the walk ended",
    "way": "The way you walked must be 5,000 characters or fewer",
    "came": "Select who came",
}


def _can_be_kept(text: str) -> str:
    if "\0" in text:
        raise ValueError("There is a character in it that cannot be kept")
    return text


Text = Annotated[str, AfterValidator(_can_be_kept), Field(max_length=20_000)]


class NoteForm(BaseModel):
    """A concern. Its photograph is read apart."""

    category: Reason
    place: Annotated[str, Field(max_length=64)] | None = None
    place_name: Annotated[str, AfterValidator(_can_be_kept), Field(max_length=200)] | None = None
    time_of_day: PartOfDay | None = None
    severity: Severity = Severity.MEDIUM
    words: Text | None = None
    suggests: Text | None = None
    patrol_wanted: Annotated[bool, BeforeValidator(lambda given: given == "yes")] = False
    photo_looked_at: Annotated[bool, BeforeValidator(lambda given: given == "yes")] = False


NOTE_MESSAGES: Final = {
    "category": "Select what it is about",
    "place": "Enter a postcode, or latitude and longitude",
    "place_name": "The place must be 200 characters or fewer",
    "words": "What she said must be 4,000 characters or fewer",
    "suggests": "What she suggests must be 4,000 characters or fewer",
}


async def point_of(typed: str | None, elsewhere: Point, place_of: PlaceOf) -> Point:
    """A postcode or two numbers as a place; `elsewhere` where nothing was typed.

    :raises Refusal: there is no such postcode.
    :raises ValueError: the numbers lie nowhere in the United Kingdom.
    """
    if not typed or not typed.strip():
        return elsewhere
    if found := _POINT.fullmatch(typed.strip()):
        return Point(latitude=float(found[1]), longitude=float(found[2]))
    return await place_of(typed)


async def said_of(
    form: Form[NoteForm], elsewhere: Point, photo: str | None, place_of: PlaceOf
) -> tuple[Said | None, Form[NoteForm]]:
    """What was noted; None, and the form with what is wrong, where it cannot be so."""
    data = form.data
    if data is None:
        return None, form
    try:
        place = await point_of(data.place, elsewhere, place_of)
    except Refusal as refusal:
        return None, form.refused(("place", refusal.message))
    except ValueError:
        return None, form.refused(("place", NOTE_MESSAGES["place"]))
    return Said(
        category=data.category,
        place=place,
        place_name=data.place_name,
        time_of_day=data.time_of_day,
        severity=data.severity,
        words=data.words,
        suggests=data.suggests,
        patrol_wanted=data.patrol_wanted,
        photo=photo,
        photo_looked_at=bool(photo) and data.photo_looked_at,
    ), form


def values_of(said: Said) -> dict[str, str]:
    """A concern as the form shows it again."""
    values = {
        "category": said.category.value,
        "place": written(said.place),
        "place_name": said.place_name or "",
        "time_of_day": said.time_of_day.value if said.time_of_day else "",
        "severity": said.severity.value,
        "words": said.words or "",
        "suggests": said.suggests or "",
        "patrol_wanted": "yes" if said.patrol_wanted else "",
        "photo_looked_at": "yes" if said.photo_looked_at else "",
    }
    return {name: value for name, value in values.items() if value}


def written(point: Point) -> str:
    """A place as people may type it."""
    return f"{point.latitude:.5f}, {point.longitude:.5f}"


async def record_of(form: Form[RecordForm], place_of: PlaceOf) -> tuple[Record | None, Form[RecordForm]]:
    """What was said of the walk; None, and the form with what is wrong, where it cannot be so."""
    data = form.data
    if data is None:
        return None, form
    wrong: list[tuple[str, str]] = []
    moments: dict[str, datetime | None] = {"start": None, "end": None}
    for field, clock in (("start", data.start), ("end", data.end)):
        if clock is None:
            continue
        if data.day is None:
            wrong.append(("day", RECORD_MESSAGES["day"]))
            break
        try:
            moments[field] = moment(data.day, clock)
        except NoSuchTime as refusal:
            wrong.append((field, refusal.message))
    points: list[Point] = []
    for number, line in enumerate(filter(None, map(str.strip, (data.way or "").splitlines())), 1):
        try:
            points.append(await point_of(line, Point(latitude=51, longitude=0), place_of))
        except (Refusal, ValueError) as fault:
            said = fault.message if isinstance(fault, Refusal) else NOTE_MESSAGES["place"]
            wrong.append(("way", f"Line {number}: {said}"))
    if len(points) > MOST_ON_THE_WAY:
        wrong.append(("way", f"Enter {MOST_ON_THE_WAY} places or fewer"))
    if wrong:
        return None, form.refused(*wrong)
    return Record(
        started_at=moments["start"],
        ended_at=moments["end"],
        route=tuple(points),
        came=frozenset(data.came) if "came" in form.values or data.came else None,
        strategy_discussed=_said(data.strategy),
        streetsafe_shown=_said(data.streetsafe),
        streetsafe_used=_said(data.used),
        signposted=_said(data.signposted),
        sticker_handed_over=_said(data.sticker),
    ), form


def values_of_record(record: Record, walk: Walk) -> dict[str, str | list[str]]:
    """The record as the form shows it; the day is that of the walk where nobody said another."""
    values: dict[str, str | list[str]] = {}
    if day := record.started_at or record.ended_at or walk.starts_at:
        values["day"] = f"{london(day):%Y-%m-%d}"
    if record.started_at:
        values["start"] = f"{london(record.started_at):%H:%M}"
    if record.ended_at:
        values["end"] = f"{london(record.ended_at):%H:%M}"
    if record.route:
        values["way"] = "\n".join(map(written, record.route))
    came = record.came if record.came is not None else frozenset(walk.request_ids)
    values["came"] = [str(id_) for id_ in walk.request_ids if id_ in came]
    answers = {
        "strategy": record.strategy_discussed,
        "streetsafe": record.streetsafe_shown,
        "used": record.streetsafe_used,
        "signposted": record.signposted,
        "sticker": record.sticker_handed_over,
    }
    return values | {name: "yes" if answer else "no" for name, answer in answers.items() if answer is not None}


def _said(answer: YesNo | None) -> bool | None:
    return None if answer is None else answer == "yes"
