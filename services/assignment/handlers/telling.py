"""Officers are told of new and changed work, as they choose; whom she excludes is told nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from uuid6 import uuid7

from services.assignment.domain import telling
from services.assignment.domain.people import Officer, Person
from services.assignment.domain.telling import Choice, News, Notice, Told
from services.assignment.domain.walks import Changed, Walk
from services.assignment.store import officers as officer_rows
from services.assignment.store import telling as telling_rows
from services.assignment.store import walks as walk_rows
from shared import sendings
from shared.database import Transaction

EMAIL: Final = "notice-email"
"""The channel notices leave by."""


async def tell_of(tx: Transaction, decided: Sequence[Changed], now: datetime, by: str | None = None) -> None:
    """Tell of what was decided whoever wants to know of it; `by` None where she, or nobody, caused it."""
    await tell(tx, [told for changed in decided for told in telling.news_of(changed, by)], now)


async def tell_of_changes(tx: Transaction, decided: Sequence[Changed], now: datetime) -> None:
    """Tell of what she changed: its officer where one has it, the team where it waits for one now."""
    mine = [Told(each.walk, News.CHANGED, each.walk.officer_id) for each in decided if each.walk.officer_id]
    others = [told for each in decided if not each.walk.officer_id for told in telling.news_of(each, None)]
    await tell(tx, [*mine, *others], now)


async def tell(tx: Transaction, news: Sequence[Told], now: datetime) -> None:
    """Schedule what is to be told; one message tells all that is due to a person when it leaves."""
    if not news:
        return
    choices = await telling_rows.choices(tx, {each.walk.force_id for each in news})
    if not choices:
        return
    officers = await officer_rows.officers_by_id(tx, [(each.force_id, each.person_id) for each in choices])
    notices: list[Notice] = []
    for told in news:
        for chosen in choices:
            if _concerns(told, chosen, officers.get((chosen.force_id, chosen.person_id))):
                due_at = telling.due(chosen, now, told.news)
                assert due_at is not None
                id_ = UUID(int=uuid7().int)
                notices.append(Notice(chosen.force_id, id_, chosen.person_id, told.walk.id, told.news, due_at))
    if notices:
        await telling_rows.save_notices(tx, notices)
        await sendings.schedule(tx, [sendings.Sending(each.force_id, each.id, EMAIL, each.due_at) for each in notices])


def _concerns(told: Told, chosen: Choice, officer: Officer | None) -> bool:
    if chosen.force_id != told.walk.force_id or not _may_be_told(told.walk, chosen, officer):
        return False
    if told.person_id is not None:
        return told.person_id == chosen.person_id
    if told.news is News.NOT_BACK:
        return chosen.is_coordinator
    return chosen.new_work and chosen.is_coordinator == (told.news is News.ESCALATED)


def _may_be_told(walk: Walk, chosen: Choice, officer: Officer | None) -> bool:
    if officer is not None and not officer.active:
        return False
    team_id, team_ids = (officer.team_id, officer.team_ids) if officer else (None, frozenset[str]())
    return telling.may_be_told(walk, chosen.person_id, team_id, team_ids, coordinates=chosen.is_coordinator)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: to whom, and of which walks it tells what. Nothing in it is hers."""

    email: str
    news: tuple[tuple[News, UUID], ...]
    notices: tuple[UUID, ...]


async def letter(tx: Transaction, force_id: str, notice_id: UUID, now: datetime) -> Letter | None:
    """What to send; None where it was told already, is not wanted any more, or may not be known any more."""
    due = await telling_rows.take_notices(tx, force_id, notice_id, now)
    if not due:
        return None
    person_id = due[0].person_id
    chosen = await telling_rows.choice_of(tx, force_id, person_id)
    if chosen is None or telling.due(chosen, now) is None:
        return None
    if await officer_rows.is_switched_off(tx, force_id, person_id):
        return None
    officer = (await officer_rows.officers_by_id(tx, [(force_id, person_id)])).get((force_id, person_id))
    walks = await walk_rows.walks(tx, [(force_id, each.walk_id) for each in due])
    news = [(each.news, each.walk_id) for each in due if _may_be_told(walks[each.walk_id], chosen, officer)]
    if not news:
        return None
    return Letter(chosen.email, tuple(dict.fromkeys(news)), tuple(each.id for each in due))


async def told(tx: Transaction, force_id: str, notices: Sequence[UUID]) -> None:
    """The message was taken: what it told is forgotten."""
    await telling_rows.forget(tx, force_id, notices)


async def choose(tx: Transaction, chosen: Choice) -> None:
    """Keep how somebody wants to be told from now on."""
    await telling_rows.save_choice(tx, chosen)


async def choice_of(tx: Transaction, by: Person) -> Choice | None:
    """How this person wants to be told; None where they never said."""
    return await telling_rows.choice_of(tx, by.force_id, by.id)


def escalated(walks: Iterable[Walk]) -> list[Told]:
    """The news for coordinators that these walks wait for them."""
    return [Told(walk, News.ESCALATED) for walk in walks]
