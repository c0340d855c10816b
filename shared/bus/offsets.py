"""Offsets are committed by a member of its group, or not at all.

Told that it is no member any more, aiokafka forgets its number, and until it has joined again commits as somebody who
belongs to no group. A broker takes that where it knows no such group either: one that began anew (the embedded broker,
or a cluster put in another's place) then keeps offsets of the log it lost, and records of the new one are never read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError
from aiokafka.structs import OffsetAndMetadata

_AGAIN: Final = 0.1
"""Seconds before a commit is tried again that the broker could not take just now."""


async def commit(consumer: Any, offsets: Mapping[TopicPartition, int]) -> None:
    """Keep these as the next to be read, for as long as this is the member they were reached by.

    :raises CommitFailedError: the consumer is no member, or another one than when it was asked.
    :raises KafkaError: the broker refused them for good.
    """
    coordinator = consumer._coordinator
    member = _member(coordinator)
    reached = {place: OffsetAndMetadata(offset, "") for place, offset in offsets.items()}
    while True:
        await coordinator.ensure_coordinator_known()
        if coordinator.generation < 0 or _member(coordinator) != member:
            raise CommitFailedError("these offsets are of an earlier membership")
        try:
            # Nothing is awaited between the look at who it is and the request that says so.
            await coordinator._do_commit_offsets(None, reached)
            return
        except KafkaError as fault:
            if not fault.retriable:
                raise
        await asyncio.sleep(_AGAIN)


def _member(coordinator: Any) -> tuple[int, str]:
    return coordinator.generation, coordinator.member_id
