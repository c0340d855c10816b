"""The only module that touches intake's rows. Sets in, sets out; what is sealed stays sealed here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from services.intake.domain import Held, MessageKind, Refuse, RequestState, WrappedKey
from shared.contracts.kinds import Channel
from shared.database import Queries, Row, Transaction

QUERIES: Final = Queries.read(Path(__file__).with_name("queries.sql"))


@dataclass(frozen=True, slots=True)
class AcceptedKey:
    """What a key was used for."""

    body_digest: bytes
    request_id: UUID
    reference: str


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request and who asked, ready to be written; `digest` is of its idempotency key, `body_digest` of itself."""

    force_id: str
    digest: bytes
    body_digest: bytes
    id: UUID
    reference: str
    pair: bytes
    participant_id: UUID
    key: WrappedKey
    sealed: bytes
    digests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A request as it stands, with what opens it."""

    held: Held
    pair: bytes
    key: WrappedKey
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Move:
    """How far a request has come; `team_id` None keeps the team, `officer_id` None leaves nobody assigned."""

    force_id: str
    request_id: UUID
    state: RequestState
    walk_id: UUID
    team_id: str | None
    officer_id: str | None


@dataclass(frozen=True, slots=True)
class WantedContact:
    """Whom an officer is to call or visit, and how soon: sealed under the master key."""

    force_id: str
    id: UUID
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Baseline:
    """Answers that wait, sealed; the day they were given in London."""

    force_id: str
    id: UUID
    sealed: bytes
    answered_on: date | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be said, its facts sealed; or the reason why it may not be."""

    force_id: str
    id: UUID
    request_id: UUID
    kind: MessageKind
    channel: Channel | None
    refused: Refuse | None
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message about to leave."""

    kind: MessageKind
    channel: Channel
    facts: bytes
    request: Stored


@dataclass(frozen=True, slots=True)
class Draft:
    """A form half filled in, sealed."""

    id: UUID
    sealed: bytes


async def accept(tx: Transaction, asked: Sequence[NewRequest], messages: Sequence[Message], now: datetime) -> set[UUID]:
    """Write the requests whose keys were not used before, with all that is theirs; which these are."""
    digests = [(one.participant_id, digest) for one in asked for digest in one.digests]
    rows = await tx.fetch(
        QUERIES.accept,
        [one.force_id for one in asked],
        [one.digest for one in asked],
        [one.body_digest for one in asked],
        [one.id for one in asked],
        [one.participant_id for one in asked],
        [one.key.master for one in asked],
        [one.key.wrapped for one in asked],
        [one.sealed for one in asked],
        [one.reference for one in asked],
        [one.pair for one in asked],
        [participant_id for participant_id, _ in digests],
        [digest for _, digest in digests],
        now,
        *_columns(messages),
    )
    return {row["request_id"] for row in rows}


async def accepted(tx: Transaction, keys: Sequence[tuple[str, bytes]]) -> dict[tuple[str, bytes], AcceptedKey]:
    """What keys, by force and digest, were used for; those nobody used are left out."""
    if not keys:
        return {}
    rows = await tx.fetch(QUERIES.accepted, [force for force, _ in keys], [digest for _, digest in keys])
    return {
        (row["force_id"], row["digest"]): AcceptedKey(row["body_digest"], row["request_id"], row["reference"])
        for row in rows
    }


async def requests(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Stored]:
    """Requests by id; those this transaction may not see, or nobody knows, are left out."""
    return {row["id"]: _stored(row) for row in await tx.fetch(QUERIES.requests, list(ids))}


async def requests_of_walks(tx: Transaction, walk_ids: Iterable[UUID]) -> dict[UUID, list[Stored]]:
    """Requests by the walk that answers them."""
    found: dict[UUID, list[Stored]] = {}
    for row in await tx.fetch(QUERIES.requests_of_walks, list(walk_ids)):
        found.setdefault(row["walk_id"], []).append(_stored(row))
    return found


async def lock_request(tx: Transaction, force_id: str, request_id: UUID) -> Stored | None:
    """One request, held still until the transaction ends."""
    if await tx.fetch_value(QUERIES.lock_request, force_id, request_id) is None:
        return None
    return (await requests(tx, [request_id])).get(request_id)


async def move(tx: Transaction, moves: Sequence[Move]) -> None:
    """Write how far requests have come; the last of several for one request holds."""
    latest = {(one.force_id, one.request_id): one for one in moves}.values()
    await tx.run(
        QUERIES.move_requests,
        [one.force_id for one in latest],
        [one.request_id for one in latest],
        [one.state for one in latest],
        [one.walk_id for one in latest],
        [one.team_id for one in latest],
        [one.officer_id for one in latest],
    )


async def withdraw(tx: Transaction, force_id: str, request_id: UUID) -> None:
    """Mark a request as withdrawn."""
    await tx.run(QUERIES.withdraw_request, force_id, request_id)


async def reseal(tx: Transaction, force_id: str, participant_id: UUID, sealed: bytes) -> None:
    """Write who she is anew."""
    await tx.run(QUERIES.reseal_participant, force_id, participant_id, sealed)


async def note_follow_ups(tx: Transaction, ended: Sequence[tuple[str, UUID]], now: datetime) -> None:
    """Write that the call or visit these (force, request) were owed is over."""
    await tx.run(QUERIES.note_follow_ups, [force for force, _ in ended], [request for _, request in ended], now)


async def add_concerns(tx: Transaction, concerns: Sequence[tuple[str, UUID, UUID]]) -> None:
    """Write (force, concern, walk)."""
    if concerns:
        await tx.run(QUERIES.add_concerns, *(list(column) for column in zip(*concerns, strict=True)))


async def walks_of_concerns(tx: Transaction, concern_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The walk of each concern that is known."""
    rows = await tx.fetch(QUERIES.walks_of_concerns, list(concern_ids))
    return {row["concern_id"]: row["walk_id"] for row in rows}


async def add_baselines(tx: Transaction, answers: Sequence[Baseline]) -> None:
    """Let answers wait among others."""
    if answers:
        await tx.run(
            QUERIES.add_baselines,
            [one.force_id for one in answers],
            [one.id for one in answers],
            [one.sealed for one in answers],
            [one.answered_on for one in answers],
        )


async def waiting_baselines(tx: Transaction, forces: Iterable[str]) -> list[Baseline]:
    """All that wait in these forces and nobody else is releasing."""
    return [_baseline(row) for row in await tx.fetch(QUERIES.waiting_baselines, list(forces))]


async def waiting_baselines_named(tx: Transaction, ids: Iterable[UUID]) -> list[Baseline]:
    """Of these, the ones that still wait."""
    return [_baseline(row) for row in await tx.fetch(QUERIES.waiting_baselines_named, list(ids))]


async def remove_baselines(tx: Transaction, ids: Iterable[UUID]) -> None:
    """Forget what has left."""
    await tx.run(QUERIES.remove_baselines, list(ids))


async def add_wanted_contacts(tx: Transaction, wanted: Sequence[WantedContact]) -> None:
    """Let wanted contacts wait until they are told."""
    if wanted:
        await tx.run(
            QUERIES.add_wanted_contacts,
            [one.force_id for one in wanted],
            [one.id for one in wanted],
            [one.sealed for one in wanted],
        )


async def take_wanted_contacts(tx: Transaction, ids: Iterable[UUID]) -> list[WantedContact]:
    """Take these out, to be told."""
    rows = await tx.fetch(QUERIES.take_wanted_contacts, list(ids))
    return [WantedContact(row["force_id"], row["id"], row["sealed"]) for row in rows]


async def add_messages(tx: Transaction, messages: Sequence[Message], now: datetime) -> None:
    """Write messages."""
    if messages:
        await tx.run(QUERIES.add_messages, *_columns(messages), now)


def _columns(messages: Sequence[Message]) -> Sequence[list[Any]]:
    return (
        [one.force_id for one in messages],
        [one.id for one in messages],
        [one.request_id for one in messages],
        [one.kind for one in messages],
        [one.channel for one in messages],
        [one.refused for one in messages],
        [one.sealed for one in messages],
    )


async def unsent_messages(
    tx: Transaction, request_ids: Iterable[UUID], kinds: Iterable[MessageKind]
) -> dict[str, list[UUID]]:
    """Messages that have not left yet, by force."""
    found: dict[str, list[UUID]] = {}
    for row in await tx.fetch(QUERIES.unsent_messages, list(request_ids), list(kinds)):
        found.setdefault(row["force_id"], []).append(row["id"])
    return found


async def message_to_send(tx: Transaction, force_id: str, id_: UUID) -> Outgoing | None:
    """A message with all it needs; None where there is none, or nothing of it may leave."""
    row = await tx.fetch_row(QUERIES.message_to_send, force_id, id_)
    if row is None or row["facts"] is None or row["channel"] is None:
        return None
    return Outgoing(MessageKind(row["kind"]), Channel(row["channel"]), row["facts"], _stored(row))


async def add_draft(
    tx: Transaction, force_id: str, id_: UUID, digest: bytes, sealed: bytes, expires_at: datetime
) -> None:
    """Begin a form."""
    await tx.run(QUERIES.add_draft, force_id, id_, digest, sealed, expires_at)


async def draft(tx: Transaction, force_id: str, digest: bytes, now: datetime, *, hold: bool = False) -> Draft | None:
    """A form that has not expired; held still until the transaction ends if asked."""
    row = await tx.fetch_row(QUERIES.hold_draft if hold else QUERIES.draft, force_id, digest, now)
    return Draft(row["id"], row["sealed"]) if row else None


async def save_draft(tx: Transaction, force_id: str, id_: UUID, sealed: bytes) -> None:
    """Write a form anew."""
    await tx.run(QUERIES.save_draft, force_id, id_, sealed)


async def remove_drafts(tx: Transaction, drafts: Sequence[tuple[str, UUID]]) -> int:
    """Erase forms by (force, id); how many there were."""
    return await tx.run(QUERIES.remove_drafts, [force for force, _ in drafts], [id_ for _, id_ in drafts])


def _baseline(row: Row) -> Baseline:
    return Baseline(row["force_id"], row["id"], row["sealed"])


def _stored(row: Row) -> Stored:
    values: Any = row
    return Stored(
        Held(
            values["force_id"],
            values["id"],
            values["reference"],
            RequestState(values["state"]),
            values["walk_id"],
            values["officer_id"],
            values["participant_id"],
        ),
        values["pair"],
        WrappedKey(values["master"], values["wrapped_key"]),
        values["sealed"],
    )
