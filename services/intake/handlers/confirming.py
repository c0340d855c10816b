"""Where a force asks for it, a request waits until whoever reads her messages confirms it; none of it is on the bus."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from services.intake.domain.messages import MessageKind
from services.intake.domain.refusals import LinkInvalid, RequestNotFound
from services.intake.domain.requests import Held, RequestWalk
from services.intake.handlers.answers import keep_baselines, sealed_baseline
from services.intake.handlers.equality import keep_equality
from services.intake.handlers.erasure import erase
from services.intake.handlers.hers import private_link
from services.intake.handlers.keeping import Keeping, Woman, open_request
from services.intake.handlers.messages import Decided, Notice, announce, call_back, decide
from services.intake.handlers.proposals import open_wanted
from services.intake.store import campaigns as campaign_rows
from services.intake.store import confirming as confirming_rows
from services.intake.store import requests as request_rows
from services.intake.store import standing as standing_rows
from services.intake.store.confirming import Unconfirmed
from services.intake.vault import CannotOpen
from shared import audit, timers
from shared.audit import Entry
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.kinds import Channel
from shared.contracts.walk_requests import WalkRequested
from shared.database import Transaction
from shared.timers import Due, Fired
from shared.working_days import month

NOT_CONFIRMED: Final = "not-confirmed"
CONFIRM_LINK: Final = "link to confirm"
TRIES: Final = 5
"""Of a million codes, for one reference."""
_IN_WRITING: Final = (Channel.EMAIL, Channel.TEXT)


def confirm_link(keeping: Keeping, held: Held) -> str:
    """The address of the page on which she confirms."""
    return (
        f"{keeping.home(held.force_id)}/confirm/{keeping.vault.seal_text(CONFIRM_LINK, [held.force_id, held.id.hex])}"
    )


def open_confirm_link(keeping: Keeping, token: str) -> tuple[str, UUID]:
    """(force, request) of such a link; one that is none of ours leads to a request nobody has.

    :raises LinkInvalid: it is none of ours, and we serve no force.
    """
    try:
        force_id, request = keeping.vault.open_text(CONFIRM_LINK, token)
    except CannotOpen:
        if not keeping.limits:
            raise LinkInvalid from None
        return min(keeping.limits), uuid4()
    return force_id, UUID(request)


def ask_to_confirm(keeping: Keeping, woman: Woman, actor: str, now: datetime) -> tuple[Decided, str] | None:
    """The message that asks her to confirm, and its code. None where the force does not ask, somebody asks with her, or
    her rules let nothing in writing reach her: then her request stands at once."""
    held, person = woman.held, woman.person
    if held.force_id not in keeping.confirming or person.wishes.helper or actor != "participant":
        return None
    code = f"{secrets.randbelow(1_000_000):06d}"
    facts = {"link": confirm_link(keeping, held), "code": code}
    [decided] = decide(keeping, [Notice(woman, MessageKind.CONFIRM, facts, now)], now)
    return (decided, code) if decided.going is not None and decided.message.channel in _IN_WRITING else None


def _digest(keeping: Keeping, force_id: str, reference: str, code: str) -> bytes:
    return keeping.vault.digest("confirmation code", f"{force_id} {reference} {code}")


async def let_wait(tx: Transaction, keeping: Keeping, asked: Sequence[tuple[Woman, RequestWalk, Decided, str]]) -> None:
    """Keep what is told with requests until they are confirmed. The time for it runs from when she is asked."""
    waiting, due = [], []
    for woman, command, decided, code in asked:
        held = woman.held
        told = {
            "baseline": dict(command.baseline), "equality": dict(command.equality), "campaign": command.campaign
        }  # fmt: skip
        sealed = woman.data_key.seal(told, f"unconfirmed {held.id}")
        waiting.append(
            Unconfirmed(held.force_id, held.id, _digest(keeping, held.force_id, held.reference, code), sealed)
        )
        assert decided.going is not None
        due.append(Due(held.force_id, held.id, decided.going.due_at + keeping.confirming[held.force_id]))
    await confirming_rows.add_unconfirmed(tx, waiting)
    await timers.set(tx, NOT_CONFIRMED, due)


async def waits(tx: Transaction, force_id: str, request_id: UUID) -> bool:
    """Whether a request waits to be confirmed.

    :raises RequestNotFound: nobody knows it: it was never made, or was erased.
    """
    if request_id not in await request_rows.requests(tx, [request_id]):
        raise RequestNotFound
    return await confirming_rows.is_unconfirmed(tx, force_id, request_id)


async def confirm(tx: Transaction, force_id: str, request_id: UUID, now: datetime, *, keeping: Keeping) -> None:
    """She, or whoever reads her messages, confirms: now her request is told. A second time changes nothing.

    :raises RequestNotFound: nobody knows it.
    """
    stored = await request_rows.lock_request(tx, force_id, request_id)
    if stored is None:
        raise RequestNotFound
    sealed = await confirming_rows.take_unconfirmed(tx, force_id, request_id)
    if sealed is None:
        return
    woman = open_request(keeping.vault, stored)
    told: dict[str, Any] = woman.data_key.open(sealed, f"unconfirmed {request_id}")
    wanted = open_wanted(woman, (await standing_rows.standing(tx, [request_id]))[request_id])
    assert wanted is not None
    event = WalkRequested.model_validate({**dict(wanted), "contact": woman.person.rules})
    command = RequestWalk(
        force_id,
        woman.person,
        wanted.place,
        wanted.place_from_postcode,
        wanted.availability,
        baseline=told["baseline"],
        equality=told["equality"],
    )
    await timers.cancel(tx, NOT_CONFIRMED, force_id, [request_id])
    await outbox.append(tx, [Fact(event, force_id, now)])
    await audit.record(tx, [Entry(force_id, "participant", "altered", str(request_id), "confirmed her request")], now)
    if command.baseline:
        pair_id = UUID(woman.data_key.open(stored.pair, f"pair of {request_id}"))
        await keep_baselines(tx, keeping, [sealed_baseline(keeping.vault, command, pair_id, now)], now)
    await keep_equality(tx, keeping, [command], now)
    await campaign_rows.add_heard(tx, [(force_id, told["campaign"], month(now))] if told["campaign"] else [])
    await call_back(tx, [request_id], [MessageKind.CONFIRM])
    facts = {"link": private_link(keeping, woman.held)}
    await announce(tx, keeping, [Notice(woman, MessageKind.CONFIRMATION, facts, now)], now)


async def confirm_by_code(
    tx: Transaction, force_id: str, reference: str, code: str, now: datetime, *, keeping: Keeping
) -> bool:
    """She gives the code from her message; whether it was one. A reference nobody has, one that is confirmed, one that
    was tried too often and a wrong code are one and the same. No refusal: that it was tried has to stand."""
    digest = _digest(keeping, force_id, reference, code)
    request_id = await confirming_rows.try_code(tx, force_id, reference, digest, TRIES)
    if request_id is not None:
        await confirm(tx, force_id, request_id, now, keeping=keeping)
    return request_id is not None


async def erase_unconfirmed(tx: Transaction, fired: Sequence[Fired], now: datetime, *, keeping: Keeping) -> None:
    """Nobody confirmed in time: all of it is erased."""
    for one in fired:
        if await confirming_rows.is_unconfirmed(tx, one.force_id, one.subject):
            await erase(tx, one.force_id, one.subject, "retention", "not confirmed in time", now, keeping=keeping)
