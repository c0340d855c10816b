"""What is forgotten with her."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.assignment.domain import contact
from services.assignment.domain.walks import ENDED
from services.assignment.handlers.follow_ups import FOLLOW_UP_DUE
from services.assignment.handlers.noting import let_go
from services.assignment.handlers.walks import facts
from services.assignment.store import attempts as attempt_rows
from services.assignment.store import disclosures as disclosure_rows
from services.assignment.store import erasure as erasure_rows
from services.assignment.store import follow_ups as follow_up_rows
from services.assignment.store import record as record_rows
from services.assignment.store import requests as request_rows
from services.assignment.store import routings as routing_rows
from services.assignment.store import walks as walk_rows
from shared import audit, timers
from shared.bus import erasure, outbox
from shared.bus.erasure import Gone
from shared.bus.outbox import Fact, Thread
from shared.contracts.concerns import ConcernRedacted
from shared.contracts.envelope import Received
from shared.contracts.walk_requests import ParticipantErased
from shared.database import Transaction


async def forget_erased(tx: Transaction, received: Sequence[Received[ParticipantErased]], now: datetime) -> None:
    """Forget what was known of women who were erased. A request that never came is buried all the same."""
    await forget(tx, [Gone(one.force_id, one.event.request_id) for one in received], now)


async def forget(tx: Transaction, gone: Sequence[Gone], now: datetime) -> None:
    """Keep of these requests no more than counts need: team, area, month, state. Doing it again changes nothing.

    A walk that is not over goes on for the others or is cancelled. Of a walk with no woman left the meeting place and
    the words of its concerns go too; the concerns stand, for the place is as dark as it was.
    """
    erased = [(one.force_id, one.id) for one in gone if one.what == "all"]
    walk_of = await request_rows.walks_of_requests(tx, erased)
    walks = await walk_rows.lock_walks(tx, {(force_id, walk_of[id_]) for force_id, id_ in erased if id_ in walk_of})
    ids = frozenset(id_ for _, id_ in erased)
    decided = [contact.withdraw(walk, ids, now) for walk in walks.values() if walk.state not in ENDED]
    await walk_rows.save_walks(tx, [each.walk for each in decided])
    await request_rows.save_requests(tx, [each.walk for each in decided])
    await outbox.append(tx, [fact._replace(thread=Thread(None, None)) for fact in facts(decided, now)])
    await erasure_rows.erase_requests(tx, erased)
    await attempt_rows.erase(tx, erased)
    await follow_up_rows.erase_calls(tx, erased)
    for force_id, follow_up_id in await erasure_rows.drop_open_contacts(tx, erased):
        await timers.cancel(tx, FOLLOW_UP_DUE, force_id, [follow_up_id])

    buried = await erasure.buried(
        tx, [(walk.force_id, request.id) for walk in walks.values() for request in walk.requests]
    )
    left = [
        (walk.force_id, walk.id)
        for walk in walks.values()
        if all(request.id in ids or (walk.force_id, request.id) in buried for request in walk.requests)
    ]
    await erasure_rows.erase_walks(tx, left)
    await disclosure_rows.unlink(tx, left)
    await routing_rows.erase_routings(tx, left)
    await let_go(tx, await record_rows.erase_records(tx, left), now)
    redacted = await erasure_rows.erase_concerns(tx, left)
    # Nothing in them leads from a concern to a request: not what caused them either.
    await outbox.append(
        tx,
        [Fact(ConcernRedacted(concern_id=id_), force_id, now, thread=Thread(None, None)) for force_id, id_ in redacted],
    )
    words = [Gone(force_id, id_, "words") for force_id, id_ in (*left, *redacted)]
    await erasure.bury(tx, [*(Gone(*key) for key in erased), *words], now, now)
    await audit.record(
        tx,
        [audit.Entry(force_id, "assignment", "erased", f"request {id_}", "intake told it") for force_id, id_ in erased],
        now,
    )
