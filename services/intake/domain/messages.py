"""The one door: whether and when a message may go to her, and by which channel."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from services.intake.domain.person import Person
from shared.contracts.kinds import Channel, PartOfDay
from shared.contracts.walk_requests import ContactRules
from shared.working_days import LONDON
from shared.working_days import day as london_day


class MessageKind(StrEnum):
    CONFIRMATION = "confirmation"
    ARRANGED = "arranged"
    CANCELLED = "cancelled"
    SURVEY = "survey"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Send:
    """She may be sent this, not before `at` (UTC); `neutral` means that nothing in it may say police or why."""

    at: datetime
    neutral: bool


class Refuse(StrEnum):
    """She may not be sent this, and why."""

    STOPPED = "contact stopped"
    WITHDRAWN = "request withdrawn"
    CHANNEL = "channel not allowed"
    NO_TIME = "no time of day allowed"


MESSAGE_HOURS: Final[Mapping[PartOfDay, tuple[time, time]]] = {
    PartOfDay.EARLY_MORNING: (time(6), time(9)),
    PartOfDay.DAYTIME: (time(9), time(17)),
    PartOfDay.EVENING: (time(17), time(22)),
}
"""When a part of the day is, for messages, on a London clock. Who allows every part may be written to at any hour."""


def may_send(rules: ContactRules, channel: Channel, now: datetime, *, withdrawn: bool = False) -> Send | Refuse:
    """The one door: whether and when a message may go to her by this channel, under her own rules.

    It asks for no kind of message: her rules hold for all of them.

    :param now: the moment from which it may go, aware.
    """
    if rules.stopped:
        return Refuse.STOPPED
    if withdrawn:
        return Refuse.WITHDRAWN
    if channel not in rules.channels:
        return Refuse.CHANNEL
    if not rules.times:
        return Refuse.NO_TIME
    return Send(next_allowed(rules.times, now), neutral=not rules.may_say_police)


def next_allowed(times: Sequence[PartOfDay], now: datetime) -> datetime:
    """The first moment (UTC) from now on that lies in one of these parts of a London day.

    Days are walked on the London clock, so a part keeps its hours over both changes of the clock.

    :raises ValueError: no part is allowed.
    """
    now = now.astimezone(UTC)
    if set(times) >= set(PartOfDay):
        return now
    today = london_day(now)
    for day in (today, today + timedelta(days=1)):
        for part in PartOfDay:
            opens, closes = (datetime.combine(day, at, LONDON).astimezone(UTC) for at in MESSAGE_HOURS[part])
            if part in times and now < closes:
                return max(now, opens)
    raise ValueError("no part of the day is allowed")


AUTOMATIC_CHANNELS: Final = (Channel.EMAIL,)
"""Channels a message of ours can leave by itself; for the others an officer reads the contact card."""


def channel_for(person: Person) -> Channel | None:
    """The channel a message goes by: the first of hers that we can send by; None when a person has to do it."""
    return next((channel for channel in AUTOMATIC_CHANNELS if channel in person.rules.channels), None)


_SAYS_POLICE: Final = re.compile(
    r"\b(?:polic\w*|officers?|constab\w*|constables?|pcsos?|pcs?|dwos?|sergeants?|sgt|inspectors?|cops?|crime\w*|"
    r"walk and talk|streetsafe|neighbourhood team|scheme|999|101)\b",
    re.IGNORECASE,
)


def says_police(text: str) -> bool:
    """Whether words from elsewhere (a meeting place, what a partner did) would give away who is writing."""
    return _SAYS_POLICE.search(text) is not None
