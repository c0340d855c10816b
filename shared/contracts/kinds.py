"""The words of the scheme: closed lists that every service spells alike."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.envelope import Value


class Reason(StrEnum):
    """What makes a place feel unsafe: StreetSafe's own list (POLICE.UK), environment first, then behaviour."""

    NO_CCTV = "no-cctv"
    BADLY_LIT = "badly-lit"
    EMPTY_OR_ISOLATED = "empty-or-isolated"
    POOR_LAYOUT = "poor-street-layout"
    RESTRICTED_VISIBILITY = "restricted-visibility"
    RUNDOWN = "rundown"
    DRUGS_OR_ALCOHOL = "signs-of-drug-or-alcohol-use"
    OTHER_ENVIRONMENT = "other-environment"
    HARASSED_BY_ONE = "verbal-harassment-by-one-stranger"
    HARASSED_BY_GROUP = "verbal-harassment-by-a-group"
    FOLLOWED = "being-followed"
    OTHER_HARASSMENT = "other-harassment"

    @property
    def is_behaviour(self) -> bool:
        """Whether people, rather than the place, are what is feared."""
        return self in (
            Reason.HARASSED_BY_ONE,
            Reason.HARASSED_BY_GROUP,
            Reason.FOLLOWED,
            Reason.OTHER_HARASSMENT,
        )


class PartOfDay(StrEnum):
    """When, in local time (Europe/London): before 9, 9 to 17, after 17."""

    EARLY_MORNING = "early-morning"
    DAYTIME = "daytime"
    EVENING = "evening"


class Weekday(StrEnum):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Channel(StrEnum):
    """A way she may be reached. The details stay in intake."""

    EMAIL = "email"
    TEXT = "text"
    PHONE = "phone"
    LETTER = "letter"


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class OfficerKind(StrEnum):
    """Who may walk is the force's policy (domain: Avon and Somerset, Metropolitan Police)."""

    OFFICER = "officer"
    PCSO = "pcso"
    DEDICATED_WARD_OFFICER = "dedicated-ward-officer"


class TrainingTopic(StrEnum):
    """What officers learn before they walk (the scheme's training session)."""

    HOW_IT_WORKS = "how-the-scheme-works"
    QUESTIONS = "frequent-questions"
    STREETSAFE = "streetsafe"


class Urgency(StrEnum):
    """How soon somebody has to look: the working day, or the force's usual days."""

    SAME_DAY = "same-day"
    SOON = "soon"


class SurveyName(StrEnum):
    BASELINE = "baseline"
    AFTER_WALK = "after-walk"


class Point(Value):
    """A place on the ground, WGS84 degrees."""

    latitude: Annotated[float, Field(ge=49.0, le=61.5)]
    longitude: Annotated[float, Field(ge=-9.0, le=2.5)]
