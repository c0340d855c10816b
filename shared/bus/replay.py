"""Publishing the retained log again, within what the inboxes remember."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from shared.bus.outbox import QUERIES

INBOX_HORIZON = timedelta(days=400)
"""How far back every inbox remembers what took effect: longer than outbox logs, topics and parking are kept."""


class BeforeHorizon(Exception):
    """A replay from before the inboxes' horizon would take effect twice."""


async def replay_since(
    connection: asyncpg.Connection[Any], since: datetime, topics: Sequence[str] | None, now: datetime | None = None
) -> int:
    """Make events true since then (UTC) pending again, of all topics or some; how many.

    :raises BeforeHorizon: `since` lies before what inboxes remember.
    """
    horizon = (now or datetime.now(UTC)) - INBOX_HORIZON
    if since < horizon:
        raise BeforeHorizon(
            f"Inboxes remember since {horizon:%Y-%m-%d %H:%M} UTC; replay from then on at the earliest."
        )
    async with connection.transaction():
        done = await connection.execute(QUERIES.republish.sql, since, list(topics) if topics else None)
        await connection.execute("SELECT pg_notify('outbox', '')")
    return int(done.rpartition(" ")[2])
