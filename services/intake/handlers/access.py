"""A copy of all that is held about her, made on the spot and kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.intake.domain.access import ELSEWHERE, EXPORTED, HOW_TO_GET_IT, LEFT_OUT
from services.intake.domain.person import WrappedKey
from services.intake.domain.refusals import RequestNotFound
from services.intake.handlers.answers import waiting_of
from services.intake.handlers.follow_ups import wanted_of
from services.intake.handlers.keeping import Keeping
from services.intake.store import access as access_rows
from shared import audit
from shared.audit import Entry
from shared.database import Transaction

Copy = dict[str, Any]


async def copy_of_all(
    tx: Transaction, force_id: str, request_id: UUID, actor: str, reason: str, now: datetime, *, keeping: Keeping
) -> Copy:
    """All that is stored about the woman who made a request, opened, by the names of its tables and columns.

    That it was made is logged, and stands in it.

    :raises RequestNotFound: nobody knows the request.
    """
    requests = await access_rows.requests(tx, force_id, request_id)
    if not requests:
        raise RequestNotFound
    who = requests[0]
    key = keeping.vault.data_key(WrappedKey(who["master"], who["wrapped_key"]), str(who["participant_id"]))
    ids = [one["id"] for one in requests]
    entries = [Entry(force_id, actor, "disclosed", str(id_), reason, recipient=actor) for id_ in ids]
    await audit.record(tx, entries, now)
    pairs = {UUID(key.open(one["pair"], f"pair of {one['id']}")) for one in requests}
    messages = await access_rows.messages(tx, force_id, ids)
    walks = [one["walk_id"] for one in requests if one["walk_id"]]
    held = {
        "participant": [
            {**_of("participant", who), "sealed": key.open(who["sealed"], f"person {who['participant_id']}")}
        ],
        "walk_request": [
            {
                **_of("walk_request", one),
                "wanted": key.open(one["wanted"], f"wanted {one['id']}") if one["wanted"] else None,
                "times": key.open(one["times"], f"times {one['id']}") if one["times"] else None,
            }
            for one in requests
        ],
        "message": [
            {
                **_of("message", one),
                "sealed": key.open(one["sealed"], f"message {one['id']}") if one["sealed"] else None,
                "sending": _of("sending", one),
            }
            for one in messages
        ],
        "waiting_baseline": await waiting_of(tx, keeping, force_id, pairs),
        "wanted_contact": await wanted_of(tx, keeping, force_id, set(ids)),
        "walk_concern": _all("walk_concern", await access_rows.concerns(tx, force_id, walks)),
        "accepted_key": _all("accepted_key", await access_rows.accepted_keys(tx, force_id, ids)),
        "unconfirmed": [
            {"sealed": key.open(one["sealed"], f"unconfirmed {one['request_id']}")}
            for one in await access_rows.unconfirmed(tx, force_id, ids)
        ],
        "audit": _all("audit", await access_rows.log(tx, force_id, ids)),
    }
    copy: Copy = {
        "made_at": now,
        "force": force_id,
        "held": held,
        "not_in_this_copy": dict(LEFT_OUT),
        "held_elsewhere": {
            "what": dict(ELSEWHERE),
            "how_to_get_it": HOW_TO_GET_IT,
        },
    }
    found = _plain(copy)
    assert isinstance(found, dict)
    return found


def _of(table: str, row: Any) -> dict[str, Any]:
    return {column: row[column] for column in EXPORTED[table]}


def _all(table: str, rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [_of(table, row) for row in rows]


def _plain(found: Any) -> Any:
    """As JSON can hold it."""
    match found:
        case dict():
            return {name: _plain(one) for name, one in found.items()}
        case list() | tuple():
            return [_plain(one) for one in found]
        case datetime() | date():
            return found.isoformat()
        case UUID():
            return str(found)
    return found
