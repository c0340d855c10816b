"""What each page of the form accepts."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator

from services.intake.domain.wishes import Helper
from services.intake.requesting import (
    FURTHER_PLACES,
    EmailAddress,
    Name,
    Needs,
    PhoneNumber,
    PostalAddress,
    RecognitionWord,
    Words,
    slugs,
)
from shared.contracts.kinds import Channel, PartOfDay, Reason, Weekday
from shared.wording import Text

YesNo = Literal["yes", "no"]


class Eligibility(BaseModel):
    adult: YesNo


class Place(BaseModel):
    postcode: Annotated[str, Field(max_length=64)]


TWO_NUMBERS: Final = re.compile(r"\s*(-?\d{1,2}(?:\.\d+)?)\s*°?\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*")


def _two_numbers(text: str) -> str:
    if not TWO_NUMBERS.fullmatch(text):
        raise ValueError("Enter two numbers, latitude then longitude, like 51.4545, -2.5879")
    return text


class OnMap(BaseModel):
    point: Annotated[str, Field(max_length=80), AfterValidator(_two_numbers)]


def _places(text: str) -> str:
    if len([line for line in text.splitlines() if line.strip()]) > FURTHER_PLACES:
        raise ValueError(Text("Enter %(number)d places or fewer, one on each line", number=FURTHER_PLACES))
    return text


class Way(BaseModel):
    stops: Annotated[Needs, AfterValidator(_places)] = ""


class WordsGiven(BaseModel):
    words: Words = ""


class Access(BaseModel):
    access: Needs = ""


class Spoken(BaseModel):
    languages: Needs = ""


class Recognise(BaseModel):
    recognise: RecognitionWord = ""


class Who(BaseModel):
    who: Literal["herself", "with"]


class HelperGiven(BaseModel):
    helper: Helper


class First(BaseModel):
    """Three fields, as people write a date. The fault is the day's, where the page shows it; so the day comes last."""

    year: Annotated[str, Field(max_length=10)] = ""
    month: Annotated[str, Field(max_length=20)] = ""
    day: Annotated[str, Field(max_length=10, validate_default=True)] = ""

    @field_validator("day")
    @classmethod
    def _a_date(cls, given: str, others: ValidationInfo) -> str:
        texts = (others.data.get("year", "x"), others.data.get("month", "x"), given)
        if any(texts) and date_of(*texts) is None:
            raise ValueError("Enter a day, month and year, like 27 11 2026, or leave all three empty")
        return given

    @property
    def earliest(self) -> date | None:
        """The day, if she gave one."""
        return date_of(self.year, self.month, self.day)


def date_of(year: str, month: str, day: str) -> date | None:
    """A day as it was typed in three fields."""
    try:
        return date(int(year), int(month), int(day)) if year.isdecimal() and len(year) == 4 else None
    except ValueError:
        return None


class Local(BaseModel):
    local: YesNo


class Reasons(BaseModel):
    reasons: list[Reason] = []


class Days(BaseModel):
    days: Annotated[list[Weekday], Field(min_length=1)]


class Times(BaseModel):
    parts: Annotated[list[PartOfDay], Field(min_length=1)]


class Group(BaseModel):
    group: YesNo


class Named(BaseModel):
    name: Name


class Channels(BaseModel):
    channels: Annotated[list[Channel], Field(min_length=1)]


class EmailGiven(BaseModel):
    email: EmailAddress


class PhoneGiven(BaseModel):
    phone: PhoneNumber


class AddressGiven(BaseModel):
    address: PostalAddress


class ContactTimes(BaseModel):
    times: Annotated[list[PartOfDay], Field(min_length=1)]


class SayPolice(BaseModel):
    say_police: YesNo


class CalendarWanted(BaseModel):
    calendar: YesNo


class Voicemail(BaseModel):
    voicemail: YesNo


class Exclude(BaseModel):
    officers: Annotated[str, Field(max_length=400)] = ""

    @field_validator("officers")
    @classmethod
    def _numbers(cls, given: str) -> str:
        found = slugs(given)
        if len(found) > 20 or any(not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", one) for one in found):
            raise ValueError("Enter the numbers with commas between them, like A1234, B5678")
        return given


class ExcludeTeams(BaseModel):
    teams: Annotated[Needs, AfterValidator(_places)] = ""


class Consent(BaseModel):
    consent: Literal["yes"]
    subject: str = ""
    """Bait: hidden from eyes, screen readers, keyboard and autofill, so that only a program writes into it."""


class EqualityWanted(BaseModel):
    about: YesNo


class SurveyWanted(BaseModel):
    survey: YesNo
