"""What she may change on her own page, in one form each; what the form asks anew is worded and judged as in the form.

Nothing that says who she is, or whom she fears, is ever filled in for her to see: somebody else may hold her link.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.intake.domain.standing import Reach
from services.intake.form import fields
from services.intake.form.questions import BY_SLUG
from services.intake.form.step import Asked
from services.intake.requesting import EmailAddress, PhoneNumber, PostalAddress, RecognitionWord, slugs
from shared.contracts.walk_requests import ContactRules, WalkRequestAmended


class Chosen(BaseModel):
    """Which of the proposed times she chooses."""

    proposal: UUID
    chosen: Literal["none"] | AwareDatetime

    @property
    def time(self) -> datetime | None:
        """The time; None where none suits."""
        return self.chosen if isinstance(self.chosen, datetime) else None


CHOSEN: Final = {"chosen": "Select one of the times, or that none of them suits you"}


class WhereAndWhen(fields.Days, fields.Times, fields.First):
    """Place, days and times; without a postcode the place stays."""

    postcode: Annotated[str, Field(max_length=64)] = ""
    group: fields.YesNo | None = None


class HowToReach(fields.Channels, fields.ContactTimes, fields.SayPolice, fields.Exclude, fields.ExcludeTeams):
    """Ways, details and rules; what is left empty stays as we have it."""

    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    address: PostalAddress | None = None
    voicemail: fields.YesNo = "no"
    recognise: RecognitionWord | None = None

    def reach(self, excluded_teams: tuple[str, ...] = ()) -> Reach:
        """What the domain is told; the teams are those at the postcodes."""
        return Reach(
            tuple(dict.fromkeys(self.channels)),
            tuple(dict.fromkeys(self.times)),
            self.say_police == "yes",
            self.voicemail == "yes",
            self.email,
            self.phone,
            self.address,
            self.recognise,
            slugs(self.officers),
            excluded_teams,
        )


WHERE: Final = ("place", "days", "times", "first")
HOW: Final = ("channels", "email", "phone", "address", "hours", "calling", "voicemail", "word", "people", "others")
WHERE_AND_WHEN: Final[tuple[Asked, ...]] = tuple(BY_SLUG[slug].asked for slug in WHERE)
HOW_TO_REACH: Final[tuple[Asked, ...]] = tuple(BY_SLUG[slug].asked for slug in HOW)

MESSAGES: Final = {field: sentence for slug in (*WHERE, *HOW) for field, sentence in BY_SLUG[slug].messages.items()}


def where_and_when(wanted: WalkRequestAmended | None) -> dict[str, str | list[str]]:
    """What the form shows first."""
    if wanted is None:
        return {}
    asked, earliest = wanted.availability, wanted.availability.earliest
    shown: dict[str, str | list[str]] = {
        "days": [day.value for day in asked.days],
        "parts": [part.value for part in asked.parts],
        "group": "yes" if wanted.group_walk_welcome else "no",
    }
    if earliest is not None:
        shown |= {"day": str(earliest.day), "month": str(earliest.month), "year": str(earliest.year)}
    return shown


def how_to_reach(rules: ContactRules) -> dict[str, str | list[str]]:
    """What the form shows first."""
    return {
        "channels": [channel.value for channel in rules.channels],
        "times": [part.value for part in rules.times],
        "say_police": "yes" if rules.may_say_police else "no",
        "voicemail": "yes" if rules.may_leave_voicemail else "no",
    }
