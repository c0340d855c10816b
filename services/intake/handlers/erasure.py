"""She is erased: her key and all under it go in the transaction that tells the others; her answers follow at night."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID, uuid4

from services.intake.domain.answers import withdrawn_on
from services.intake.domain.receipts import asking_id
from services.intake.domain.refusals import OnHold, RequestNotFound
from services.intake.handlers.answers import forget_waiting
from services.intake.handlers.follow_ups import CONTACT_IS_TOLD, request_wanted
from services.intake.handlers.keeping import Keeping
from services.intake.store import erasure as erasure_rows
from services.intake.store import follow_ups as follow_up_rows
from services.intake.store import retention as retention_rows
from services.intake.store.erasure import Hers, Withdrawn
from services.intake.vault import CannotOpen
from shared import audit, sendings, timers
from shared.audit import Entry
from shared.bus import erasure, outbox
from shared.bus.erasure import Forget, Gone
from shared.bus.outbox import Fact
from shared.contracts.baseline import AnswersWithdrawn
from shared.contracts.walk_requests import ParticipantErased
from shared.database import Transaction
from shared.timers import Due, Fired
from shared.working_days import day

ANSWERS_WITHDRAWN: Final = "answers-withdrawn"
_WITHDRAWN: Final = "withdrawn answers"
_WITHDRAWN_SIZE: Final = 64
_CHANCE: Final = random.SystemRandom()


async def is_erased(tx: Transaction, force_id: str, request_id: UUID) -> bool:
    """Whether a request was erased."""
    return bool(await erasure.buried(tx, [(force_id, request_id)]))


async def erase(
    tx: Transaction, force_id: str, request_id: UUID, actor: str, reason: str, now: datetime, *, keeping: Keeping
) -> None:
    """Erase all that is held about the woman who made a request, and have every service do so. A second time is
    as the first.

    :param actor: `participant`, `retention`, or who is signed in.
    :raises RequestNotFound: nobody knows it.
    :raises OnHold: the data protection officer keeps it.
    """
    hers = await erasure_rows.lock_all_of_hers(tx, [(force_id, request_id)])
    if not hers and not await is_erased(tx, force_id, request_id):
        raise RequestNotFound
    if await retention_rows.held_back(tx, force_id, [one.request_id for one in hers]):
        raise OnHold
    await _erase(tx, hers, now, keeping)
    entries = [Entry(force_id, actor, "erased", str(one.request_id), reason) for one in hers]
    await audit.record(tx, entries, now)


def forgetter(keeping: Keeping) -> Forget:
    """What a database that was restored from before erasures does to learn of them."""
    return partial(_forget, keeping=keeping)


async def _forget(tx: Transaction, gone: Sequence[Gone], now: datetime, *, keeping: Keeping) -> None:
    hers = await erasure_rows.lock_all_of_hers(tx, [(one.force_id, one.id) for one in gone])
    await _erase(tx, hers, now, keeping)
    # Her key is not there to tell the pair ids of a request; those that were told have tombstones themselves.
    await forget_waiting(tx, keeping, {(one.force_id, one.id) for one in gone})
    entries = [
        Entry(one.force_id, "restore", "erased", str(one.request_id), "erased before the database was restored")
        for one in hers
    ]
    await audit.record(tx, entries, now)


async def _erase(tx: Transaction, hers: Sequence[Hers], now: datetime, keeping: Keeping) -> None:
    if not hers:
        return
    pairs = {(one.force_id, pair) for one in hers if (pair := _pair(keeping, one)) is not None}
    await forget_waiting(tx, keeping, pairs)
    await _withdraw_at_night(tx, keeping, sorted(pairs), now)
    await _forget_wanted(tx, keeping, {(one.force_id, one.request_id) for one in hers})
    messages = await erasure_rows.erase(tx, hers)
    for force_id in {force_id for force_id, _ in messages}:
        ids = [id_ for force, id_ in messages if force == force_id]
        await sendings.forget(tx, force_id, [*ids, *map(asking_id, ids)])
    left = await erasure_rows.walks_with_requests(tx, [one.walk_id for one in hers if one.walk_id])
    await erasure.bury(
        tx,
        [
            *(Gone(one.force_id, one.request_id) for one in hers),
            *(Gone(one.force_id, one.walk_id, "words") for one in hers if one.walk_id and one.walk_id not in left),
        ],
        now,
        now,
    )
    await outbox.append(tx, [Fact(ParticipantErased(request_id=one.request_id), one.force_id, now) for one in hers])


def _pair(keeping: Keeping, hers: Hers) -> UUID | None:
    """The id her answers carry; None where it was destroyed already."""
    if hers.key is None:
        return None
    try:
        key = keeping.vault.data_key(hers.key, str(hers.participant_id))
        return UUID(key.open(hers.pair, f"pair of {hers.request_id}"))
    except CannotOpen:
        return None


async def _withdraw_at_night(
    tx: Transaction, keeping: Keeping, pairs: Sequence[tuple[str, UUID]], now: datetime
) -> None:
    waiting = []
    for force_id, pair_id in pairs:
        id_ = uuid4()
        sealed = keeping.vault.seal(_WITHDRAWN, pair_id.hex, str(id_), size=_WITHDRAWN_SIZE)
        waiting.append(Withdrawn(force_id, id_, sealed))
    await erasure_rows.add_withdrawn(tx, waiting)
    night = withdrawn_on(day(now))
    await timers.set(tx, ANSWERS_WITHDRAWN, [Due(one.force_id, one.id, night) for one in waiting])


async def _forget_wanted(tx: Transaction, keeping: Keeping, requests: set[tuple[str, UUID]]) -> None:
    """A call that was wanted and not told yet: sealed, so each that waits is opened to find hers."""
    hers = [
        one
        for one in await follow_up_rows.all_wanted_contacts(tx, {force_id for force_id, _ in requests})
        if (one.force_id, request_wanted(keeping, one)) in requests
    ]
    await follow_up_rows.take_wanted_contacts(tx, [one.id for one in hers])
    for one in hers:
        await timers.cancel(tx, CONTACT_IS_TOLD, one.force_id, [one.id])


async def withdraw_answers(tx: Transaction, fired: Sequence[Fired], now: datetime, *, keeping: Keeping) -> None:
    """At night: the answers of all who were erased this day are withdrawn together, in no order, naming nobody."""
    facts = []
    for one in await erasure_rows.take_withdrawn(tx, [one.subject for one in fired]):
        pair_id = UUID(keeping.vault.open(_WITHDRAWN, one.sealed, str(one.id)))
        facts.append(Fact(AnswersWithdrawn(pair_id=pair_id), one.force_id, now))
    _CHANCE.shuffle(facts)
    await outbox.append(tx, facts)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    await erasure.bury(tx, [Gone(fact.force_id, fact.event.key) for fact in facts], today, now)


async def bury_walks(tx: Transaction, walks: Sequence[tuple[str, UUID, Sequence[UUID]]], now: datetime) -> None:
    """Remember walks, as (force, walk, requests), whose women were all erased before the walk was heard of."""
    known = await erasure.buried(tx, [(force_id, id_) for force_id, _, ids in walks for id_ in ids])
    if known:
        gone = [Gone(force, walk, "words") for force, walk, ids in walks if all((force, id_) in known for id_ in ids)]
        await erasure.bury(tx, gone, now, now)
