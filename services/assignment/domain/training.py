"""Training: sessions that were held, what they covered, who was there, and how long that counts."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.assignment.domain.refusals import SessionNotHeld, SessionWrong
from services.assignment.domain.words import LONGEST_NAME, plain
from shared.contracts.kinds import TrainingTopic
from shared.contracts.policy import TrainingRules


class TrainingWay(StrEnum):
    """How a session was held. Online: by Teams or the like."""

    ONLINE = "online"
    IN_PERSON = "in-person"


@dataclass(frozen=True, slots=True)
class TrainingSession:
    """A session on a day in London."""

    force_id: str
    id: UUID
    held_on: date
    way: TrainingWay
    name: str
    covers: frozenset[TrainingTopic]


@dataclass(frozen=True, slots=True)
class Trained:
    """Since when an officer is trained in all the policy asks for, None where not; and the last day it counts."""

    on: date | None
    until: date | None


def session(
    force_id: str, session_id: UUID, held_on: date, way: TrainingWay, name: str, covers: Iterable[TrainingTopic]
) -> TrainingSession:
    """A session to record; it may still be to come.

    :raises SessionWrong: without a name, or covering nothing.
    """
    named, topics = plain(name)[:LONGEST_NAME], frozenset(covers)
    if not named or not topics or not 2000 <= held_on.year <= 2200:
        raise SessionWrong
    return TrainingSession(force_id, session_id, held_on, way, named, topics)


def refuse_not_held(found: TrainingSession, today: date) -> None:
    """Nobody was at a session that is still to come.

    :raises SessionNotHeld:
    """
    if found.held_on > today:
        raise SessionNotHeld


def trained(attended: Iterable[TrainingSession], elsewhere_on: date | None, rules: TrainingRules) -> Trained:
    """What an officer's sessions come to: each topic counts from the last session that covered it, and all are needed.

    A session that is not recorded here (`elsewhere_on`) counts for every topic.
    """
    days = [elsewhere_on] if elsewhere_on is not None else []
    latest: dict[TrainingTopic, date] = {topic: max(days) for topic in rules.covers if days}
    for each in attended:
        for topic in each.covers & set(rules.covers):
            latest[topic] = max(latest.get(topic, each.held_on), each.held_on)
    if set(latest) != set(rules.covers):
        return Trained(None, None)
    on = min(latest.values())
    return Trained(on, months_later(on, rules.lasts_months) if rules.lasts_months is not None else None)


def months_later(start: date, months: int) -> date:
    """The same day of a later month, or its last day where that has fewer."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))
