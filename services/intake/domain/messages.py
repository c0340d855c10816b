"""The one door: whether and when a message may go to her, and by which channel."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from services.intake.domain.person import Person
from services.intake.domain.receipts import Receipt
from shared.contracts.kinds import Channel, PartOfDay
from shared.contracts.walk_requests import ContactRules
from shared.working_days import LONDON
from shared.working_days import day as london_day


class MessageKind(StrEnum):
    """What there is to tell her. That contact is stopped is told to nobody."""

    CONFIRM = "confirm"
    CONFIRMATION = "confirmation"
    PROPOSED = "proposed"
    ARRANGED = "arranged"
    MOVED = "moved"
    AGAIN = "again"
    CANCELLED = "cancelled"
    REMINDER = "reminder"
    SURVEY = "survey"
    DONE = "done"


OF_A_TIME: Final = (
    MessageKind.PROPOSED,
    MessageKind.ARRANGED,
    MessageKind.MOVED,
    MessageKind.AGAIN,
    MessageKind.CANCELLED,
    MessageKind.REMINDER,
)
"""What dies with the time it tells of: once another of these is told, it leaves no more."""


@dataclass(frozen=True, slots=True)
class Send:
    """She may be sent this, not before `at` (UTC); `neutral` means that nothing in it may say police or why."""

    at: datetime
    neutral: bool


class Refuse(StrEnum):
    """She may not be sent this, and why."""

    STOPPED = "contact stopped"
    ELSEWHERE = "contact stopped elsewhere"
    FLOODED = "as many went to this address or number today as may"
    WITHDRAWN = "request withdrawn"
    CHANNEL = "channel not allowed"
    NO_TIME = "no time of day allowed"
    NO_TEXTS = "texts are not set up here: an officer rings"
    NO_ADDRESS = "no address for it"
    LATE = "its time has passed"
    SUPERSEDED = "she was told anew since"
    TELLING = "its link would tell who writes"


@dataclass(frozen=True, slots=True)
class Told:
    """A message as staff see it: never what it says."""

    id: UUID
    kind: MessageKind
    channel: Channel | None
    refused: str | None
    receipt: Receipt | None
    perhaps: bool
    """Notify was asked to send it and has not answered."""
    created_at: datetime
    state: str | None
    due_at: datetime | None
    ended_at: datetime | None
    fault: str | None


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


@dataclass(frozen=True, slots=True)
class Means:
    """What a force can send by: e-mail always; texts, and neutral ones, if it has an account for them."""

    texts: bool = False
    neutral_texts: bool = False


def channel_for(person: Person, means: Means) -> Channel | Refuse:
    """The channel a message goes by: e-mail, else a text, else a letter that a person posts; calls are an officer's."""
    wanted = person.rules.channels
    if Channel.EMAIL in wanted:
        return Channel.EMAIL
    texts = means.texts if person.rules.may_say_police else means.neutral_texts
    if Channel.TEXT in wanted and texts:
        return Channel.TEXT
    if Channel.LETTER in wanted:
        return Channel.LETTER
    return Refuse.NO_TEXTS if Channel.TEXT in wanted else Refuse.CHANNEL


def outdated(kind: MessageKind, facts: Mapping[str, Any], channel: Channel, now: datetime) -> bool:
    """Whether a message would come too late to be of use: its walk has begun, its survey or proposal is over.

    A reminder by post would come after the walk.
    """
    if kind is MessageKind.REMINDER and channel is Channel.LETTER:
        return True
    ends = facts.get("until") if kind in (MessageKind.SURVEY, MessageKind.PROPOSED) else facts.get("starts_at")
    return ends is not None and datetime.fromisoformat(ends) <= now


REMINDED_FROM: Final = time(9)
"""From when on the day before she may be reminded, on a London clock."""


def reminder_from(starts_at: datetime, now: datetime) -> datetime | None:
    """When (UTC) the reminder of a walk may leave: the day before; None where that day has come already."""
    before = london_day(starts_at) - timedelta(days=1)
    at = datetime.combine(before, REMINDED_FROM, LONDON).astimezone(UTC)
    return at if at > now and london_day(now) < before else None


_LINK: Final = re.compile(r"https?://\S+")
_SAYS_POLICE: Final = re.compile(
    r"\b(?:polic\w*|officers?|constab\w*|constables?|pcsos?|pcs?|dwos?|sergeants?|sgt|inspectors?|cops?|crime\w*|"
    r"walk and talk|streetsafe|neighbourhood team|scheme|999|101|"
    r"heddlu\w*|swyddog\w*|cwnstabl\w*|scch|rhingyll\w*|sarsiant|arolygydd|trosedd\w*|"
    r"cerdded a siarad|t[iî]m cymdogaeth|cynllun)\b",
    re.IGNORECASE,
)


def says_police(text: str) -> bool:
    """Whether words from elsewhere (a meeting place, what a partner did) would give away who is writing."""
    return _SAYS_POLICE.search(text) is not None


def tells(text: str) -> bool:
    """The same for a text that may hold links: of a link only the host counts, for its token may spell anything."""
    return says_police(_LINK.sub(lambda link: f" {urlsplit(link[0]).hostname or ''} ", text))
