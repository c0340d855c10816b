"""What each page of the form accepts."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, field_validator

from services.intake.requesting import EmailAddress, Name, PhoneNumber, PostalAddress, slugs
from shared.contracts.kinds import Channel, PartOfDay, Reason, Weekday

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


class Consent(BaseModel):
    consent: Literal["yes"]


class SurveyWanted(BaseModel):
    survey: YesNo
