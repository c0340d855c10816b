"""New requests written whole, each idempotency key once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.limits import Count
from services.intake.domain.person import WrappedKey
from services.intake.store import QUERIES
from services.intake.store.messages import Message, columns
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class AcceptedKey:
    """What a key was used for."""

    body_digest: bytes
    request_id: UUID
    reference: str | None
    """None once it was erased."""


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request and who asked, ready to be written; `digest` is of its idempotency key, `body_digest` of itself."""

    force_id: str
    digest: bytes
    body_digest: bytes
    id: UUID
    reference: str
    pair: bytes
    wanted: bytes
    participant_id: UUID
    key: WrappedKey
    sealed: bytes
    digests: tuple[bytes, ...]
    count: Count | None = None
    """By what its sender is counted."""


async def accept(
    tx: Transaction, asked: Sequence[NewRequest], messages: Sequence[Message], now: datetime
) -> tuple[set[UUID], dict[bytes, int]]:
    """Write the requests whose keys were not used before, with all that is theirs; which these are, and how many came
    now from where they come from."""
    counts = [(one.count.force_id, one.id, one.count.digest, one.count.until) for one in asked if one.count]
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
        [one.wanted for one in asked],
        [participant_id for participant_id, _ in digests],
        [digest for _, digest in digests],
        now,
        *columns(messages),
        *([row[n] for row in counts] for n in range(4)),
    )
    fresh = {row["request_id"] for row in rows if row["request_id"] is not None}
    return fresh, {row["digest"]: row["many"] for row in rows if row["digest"] is not None}


async def accepted(tx: Transaction, keys: Sequence[tuple[str, bytes]]) -> dict[tuple[str, bytes], AcceptedKey]:
    """What keys, by force and digest, were used for; those nobody used are left out."""
    if not keys:
        return {}
    rows = await tx.fetch(QUERIES.accepted, [force for force, _ in keys], [digest for _, digest in keys])
    return {
        (row["force_id"], row["digest"]): AcceptedKey(row["body_digest"], row["request_id"], row["reference"])
        for row in rows
    }
