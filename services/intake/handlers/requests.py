"""A request is accepted once however often it is sent, with all that goes with it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from uuid6 import uuid7

from services.intake.domain.limits import Count
from services.intake.domain.messages import MessageKind
from services.intake.domain.refusals import FieldsWrong, KeyUsedForAnother, RequestErased
from services.intake.domain.requests import Held, RequestState, RequestWalk, refuse_request
from services.intake.domain.requests import reference as reference_of
from services.intake.handlers.answers import keep_baselines, sealed_baseline
from services.intake.handlers.confirming import ask_to_confirm, let_wait
from services.intake.handlers.equality import keep_equality
from services.intake.handlers.hers import private_link
from services.intake.handlers.keeping import Keeping, Woman
from services.intake.handlers.messages import Decided, Notice, decide, send_on
from services.intake.handlers.proposals import seal_wanted
from services.intake.store import accepting as accepting_rows
from services.intake.store import campaigns as campaign_rows
from services.intake.store.accepting import NewRequest
from services.intake.vault import Vault
from shared import audit
from shared.audit import Entry
from shared.bus import outbox
from shared.bus.outbox import Fact, Thread
from shared.contracts.walk_requests import WalkRequestAmended, WalkRequested
from shared.database import Transaction
from shared.working_days import day, month


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request and the key under which its sender may repeat it."""

    command: RequestWalk
    idempotency_key: str
    actor: str = "participant"
    thread: Thread | None = None
    """Of the call that brought it, where several are accepted together."""
    count: Count | None = None
    """By what its sender is counted."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the sender of a request is told."""

    request_id: UUID
    reference: str
    repeated: bool
    unconfirmed: bool = False
    """Whether it waits until she confirms it."""


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A request ready to be written, and who asks, open for the length of one transaction."""

    keyed: Keyed
    new: NewRequest
    event: WalkRequested
    woman: Woman
    pair_id: UUID

    @property
    def key(self) -> tuple[str, bytes]:
        """The idempotency key's force and digest."""
        return self.new.force_id, self.new.digest


async def request_walks(tx: Transaction, asked: Sequence[Keyed], now: datetime, *, keeping: Keeping) -> list[Accepted]:
    """Accept requests, each once however often it is sent.

    :raises FieldsWrong: something is missing or not valid; nothing of any of them is stored.
    :raises KeyUsedForAnother: a key was used before for another request.
    :raises RequestErased: what was sent under this key was erased since, and is not to come back.
    :raises TooMany: too many came from where one of them comes from.
    """
    sealed = [_sealed_request(keeping.vault, keyed) for keyed in asked]
    wrong = [refuse_request(keyed.command, day(now)) for keyed in asked]
    sound = [one for one, faults in zip(sealed, wrong, strict=True) if not faults]
    asks = {one.new.id: ask_to_confirm(keeping, one.woman, one.keyed.actor, now) for one in sound}
    told = decide(keeping, [_confirmation(keeping, one, now) for one in sound if asks[one.new.id] is None], now)
    told += [asked_her[0] for asked_her in asks.values() if asked_her is not None]
    fresh: set[UUID] = set()
    if sound:
        fresh, many = await accepting_rows.accept(tx, [one.new for one in sound], [one.message for one in told], now)
        for one in sound:
            if one.new.count is not None and one.new.id in fresh:
                keeping.counting.judge(one.new.count, many[one.new.count.digest], now)
    await _follow(tx, keeping, [one for one in sound if one.new.id in fresh and asks[one.new.id] is None], now)
    await _wait(tx, keeping, [(one, asks[one.new.id]) for one in sound if one.new.id in fresh], now)
    await send_on(tx, keeping, [one for one in told if one.message.request_id in fresh])
    # A repeat is answered as before: what was accepted yesterday is not refused because its earliest day has passed.
    known = await accepting_rows.accepted(tx, [one.key for one in sealed if one.new.id not in fresh])
    answers = []
    for one, faults in zip(sealed, wrong, strict=True):
        if one.new.id in fresh:
            waits = asks[one.new.id] is not None
            answers.append(Accepted(one.new.id, one.new.reference, repeated=False, unconfirmed=waits))
        elif (found := known.get(one.key)) is None:
            raise FieldsWrong(faults)
        elif found.reference is None:
            raise RequestErased
        elif found.body_digest != one.new.body_digest:
            raise KeyUsedForAnother
        else:
            answers.append(Accepted(found.request_id, found.reference, repeated=True))
    return answers


async def _follow(tx: Transaction, keeping: Keeping, accepted: Sequence[_Sealed], now: datetime) -> None:
    """What goes with requests just written: events, the log of who collected what, her answers."""
    if not accepted:
        return
    facts, entries = [], []
    for one in accepted:
        command, request_id = one.keyed.command, one.new.id
        facts.append(Fact(one.event, command.force_id, now, thread=one.keyed.thread))
        entries.append(Entry(command.force_id, one.keyed.actor, "collected", str(request_id), "asked for a walk"))
    await outbox.append(tx, facts)
    await audit.record(tx, entries, now)
    baselines = [
        sealed_baseline(keeping.vault, one.keyed.command, one.pair_id, now)
        for one in accepted
        if one.keyed.command.baseline
    ]
    await keep_baselines(tx, keeping, baselines, now)
    await campaign_rows.add_heard(
        tx,
        [(one.new.force_id, one.keyed.command.campaign, month(now)) for one in accepted if one.keyed.command.campaign],
    )
    await keep_equality(tx, keeping, [one.keyed.command for one in accepted], now)


async def _wait(
    tx: Transaction, keeping: Keeping, fresh: Sequence[tuple[_Sealed, tuple[Decided, str] | None]], now: datetime
) -> None:
    """What goes with requests that she is asked to confirm: no event, and her answers sealed aside."""
    waiting = [(one, asked) for one, asked in fresh if asked is not None]
    if not waiting:
        return
    await let_wait(tx, keeping, [(one.woman, one.keyed.command, *asked) for one, asked in waiting])
    entries = [
        Entry(one.new.force_id, one.keyed.actor, "collected", str(one.new.id), "asked for a walk") for one, _ in waiting
    ]
    await audit.record(tx, entries, now)


def _confirmation(keeping: Keeping, asked: _Sealed, now: datetime) -> Notice:
    return Notice(asked.woman, MessageKind.CONFIRMATION, {"link": private_link(keeping, asked.woman.held)}, now)


def _canonical(command: RequestWalk, person: Mapping[str, Any], event: WalkRequested) -> str:
    """The command as one text, the same for the same request."""
    asked = event.model_dump(mode="json", exclude={"request_id"})
    return json.dumps([command.force_id, person, asked, dict(command.baseline), dict(command.equality)], sort_keys=True)


def _sealed_request(vault: Vault, keyed: Keyed) -> _Sealed:
    command = keyed.command
    person = replace(command.person, language=command.language)
    request_id, participant_id, pair_id = UUID(int=uuid7().int), uuid4(), uuid4()
    reference = reference_of(os.urandom(8))
    data_key, wrapped = vault.new_data_key(str(participant_id))
    content, event = person.as_json(), command.event(request_id)
    new = NewRequest(
        command.force_id,
        vault.digest("idempotency key", keyed.idempotency_key),
        vault.digest("request", _canonical(command, content, event)),
        request_id,
        reference,
        data_key.seal(pair_id.hex, f"pair of {request_id}"),
        seal_wanted(data_key, WalkRequestAmended.model_validate(dict(event))),
        participant_id,
        wrapped,
        data_key.seal(content, f"person {participant_id}"),
        tuple(vault.digest(kind, text) for kind, text in person.looked_up_by()),
        keyed.count,
    )
    held = Held(command.force_id, request_id, reference, RequestState.RECEIVED, None, None, participant_id)
    return _Sealed(keyed, new, event, Woman(held, person, data_key), pair_id)
