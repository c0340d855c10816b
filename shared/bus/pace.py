"""aiokafka looks for brokers again at once when it found none, as often as its other tasks wish: a pause between.

A service whose brokers had all gone, after one of them had told it of partitions without a leader, kept a core busy and
wrote two megabytes of log a second.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

FOUND_NONE: Final = 0.25
"""Seconds until brokers that did not answer are asked again."""


def pace(client: Any) -> None:
    """Let a connected aiokafka client rest after it found no broker; whoever waits for what it finds waits as well."""
    look = client._metadata_update

    async def look_and_rest(*arguments: Any) -> bool:
        if await look(*arguments):
            return True
        await asyncio.sleep(FOUND_NONE)
        return False

    client._metadata_update = look_and_rest
