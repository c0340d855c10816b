"""An officer's arranged walks for the calendar on their phone, fetched by a secret address and nothing else."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from services.assignment.domain.people import Person
from services.assignment.domain.refusals import NotOnRegister, SwitchedOff
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers.people import person
from services.assignment.store import calendars as calendar_rows
from services.assignment.store import walks as walk_rows
from shared import audit
from shared.contracts.refusals import Refusal
from shared.database import Transaction


class CalendarNotFound(Refusal):
    """There is no such calendar. Its address may have been changed by its officer."""


async def renew(tx: Transaction, by: Person, now: datetime) -> str:
    """A new secret; whoever had the one before fetches nothing any more. It is told here once, and kept nowhere.

    :raises NotOnRegister: only officers walk, and so only they have such a calendar.
    """
    if by.officer is None:
        raise NotOnRegister
    secret = secrets.token_urlsafe(32)
    await calendar_rows.renew(tx, by.force_id, by.id, _digest(secret), now)
    await _note(tx, by, "made a secret address for the calendar", now)
    return secret


async def end(tx: Transaction, by: Person, now: datetime) -> None:
    """The calendar is fetched by nobody any more."""
    await calendar_rows.end(tx, by.force_id, by.id)
    await _note(tx, by, "ended the calendar", now)


async def made_at(tx: Transaction, by: Person) -> datetime | None:
    """Since when this officer's calendar can be fetched; None where it cannot."""
    return await calendar_rows.made_at(tx, by.force_id, by.id)


async def arranged(tx: Transaction, force_id: str, secret: str, now: datetime) -> list[Walk]:
    """The walks arranged for the officer whose secret this is, the next first; the look is logged.

    :raises CalendarNotFound: the secret opens nothing, or its officer is not on the register any more.
    """
    officer_id = await calendar_rows.officer_of(tx, force_id, _digest(secret))
    if officer_id is None:
        raise CalendarNotFound
    try:
        by = await person(tx, force_id, officer_id, is_coordinator=False, team_id=None)
    except SwitchedOff:
        raise CalendarNotFound from None
    if by.officer is None or not by.officer.active:
        raise CalendarNotFound
    walks = [
        walk
        for walk in await walk_rows.walks_with_officer(tx, force_id, officer_id)
        if walk.state is State.ARRANGED and by.may_see(walk)
    ]
    await audit.record(
        tx,
        [audit.Entry(force_id, officer_id, "consulted", f"walk {walk.id}", "fetched the calendar") for walk in walks],
        now,
    )
    return walks


async def _note(tx: Transaction, by: Person, what: str, now: datetime) -> None:
    await audit.record(tx, [audit.Entry(by.force_id, by.id, "altered", f"officer {by.id}", what)], now)


def _digest(secret: str) -> bytes:
    # Of 256 random bits: nothing to guess, so nothing to make slow.
    return hashlib.sha256(secret.encode()).digest()
