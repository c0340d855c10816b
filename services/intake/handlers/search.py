"""What the data protection officer looks for: a woman's requests, by what she gives as hers; each look is logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from services.intake.domain.person import normal_email, normal_phone
from services.intake.domain.refusals import RequestNotFound
from services.intake.domain.searching import is_she, words_of
from services.intake.handlers.keeping import Keeping
from services.intake.store import search as search_rows
from services.intake.store.search import Found
from services.intake.vault import CannotOpen
from shared import audit
from shared.audit import Entry
from shared.database import Transaction

By = Literal["reference", "email", "phone", "name"]

AT_ONCE: Final = 2000
"""Rows opened for one page: some 80 ms of processor."""
_SLICE: Final = 100
"""Opened without a breath; others are served in between."""
NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, by whom and why. A search by name goes on after the place where the last page ended."""

    force_id: str
    actor: str
    reason: str
    by: By
    text: str
    after: UUID = NOBODY


@dataclass(frozen=True, slots=True)
class Looked:
    """What a search has found so far: of a search by name, how many of all have been looked through."""

    found: Sequence[Found]
    passed: int = 0
    everybody: int = 0
    after: UUID | None = None
    """Where the next page begins; None when there is none."""


async def search(tx: Transaction, asked: Search, now: datetime, *, keeping: Keeping) -> Looked:
    """Look, and log who looked, why, and whose requests were found; never what was typed."""
    opened = 0
    if asked.by == "reference":
        looked = Looked(await search_rows.by_reference(tx, asked.force_id, asked.text.strip().upper()))
    elif asked.by == "name":
        looked, opened = await _by_name(tx, asked, keeping)
    else:
        normal = normal_email(asked.text) if asked.by == "email" else normal_phone(asked.text)
        digest = keeping.vault.digest(asked.by, normal)
        looked = Looked(await search_rows.by_digest(tx, asked.force_id, digest))
    told = f"searched by {asked.by}: {opened} names opened, {len(looked.found)} requests found. {asked.reason}"
    subjects = ["search", *(str(one.id) for one in looked.found)]
    entries = [
        Entry(asked.force_id, asked.actor, "consulted", subject, told, recipient=asked.actor) for subject in subjects
    ]
    await audit.record(tx, entries, now)
    return looked


async def all_of_hers(tx: Transaction, force_id: str, request_id: UUID) -> tuple[Found, Sequence[Found]]:
    """A request, and all of the woman who made it: a copy or an erasure is of all.

    :raises RequestNotFound: nobody knows it.
    """
    found = await search_rows.of_same(tx, force_id, request_id)
    for one in found:
        if one.id == request_id:
            return one, found
    raise RequestNotFound


async def _by_name(tx: Transaction, asked: Search, keeping: Keeping) -> tuple[Looked, int]:
    searched, hers, opened, place = words_of(asked.text), [], 0, asked.after
    while opened < AT_ONCE:
        people = await search_rows.people_from(tx, asked.force_id, place, _SLICE)
        for one in people:
            place, opened = one.participant_id, opened + 1
            try:
                key = keeping.vault.data_key(one.key, str(one.participant_id))
                name = key.open(one.sealed, f"person {one.participant_id}")["name"]
            except CannotOpen:
                continue
            if is_she(searched, name):
                hers.append(one.participant_id)
        if len(people) < _SLICE:
            break
    found = await search_rows.of_people(tx, asked.force_id, hers)
    passed, everybody = await search_rows.counted(tx, asked.force_id, place)
    return Looked(found, passed, everybody, place if passed < everybody else None), opened
