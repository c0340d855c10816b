"""What a server spent on a measurement: pages touched, log written, processor time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import asyncpg
import psutil

from tests.bench.ground import Clone, Ground


@dataclass(frozen=True, slots=True)
class Spent:
    """Since the server began, or between two looks at it."""

    pages: float
    """Pages that client sessions looked at, whether they were in memory or not. Autovacuum's do not count."""
    wal: float
    """Bytes of write-ahead log, images of whole pages among them."""
    images: float
    """Images of whole pages, written when a page is first changed after a checkpoint."""
    cpu: float
    """Seconds of processor of all the server's processes."""

    def since(self, before: Spent) -> Spent:
        """What was spent since an earlier look."""
        return Spent(
            self.pages - before.pages,
            self.wal - before.wal,
            self.images - before.images,
            self.cpu - before.cpu,
        )


async def spent(ground: Ground, clone: Clone) -> Spent:
    """Look at the server, once nobody uses the measured database: a session tells what it did when it ends."""
    admin = await asyncpg.connect(ground.postgres.admin_url)
    try:
        name = clone.admin_url.rsplit("/", 1)[1]
        async with asyncio.timeout(30):
            # The server tells nobody when it has finished with a session.
            while await admin.fetchval(  # noqa: ASYNC110
                "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'", name
            ):
                await asyncio.sleep(0.02)
        row = await admin.fetchrow(
            "SELECT (SELECT sum(hits) + sum(reads) FROM pg_stat_io WHERE backend_type = 'client backend') AS pages,"
            " wal_bytes, wal_fpi FROM pg_stat_wal"
        )
    finally:
        await admin.close()
    assert row is not None
    return Spent(float(row["pages"]), float(row["wal_bytes"]), float(row["wal_fpi"]), _cpu(ground))


def _cpu(ground: Ground) -> float:
    assert ground.postgres.pid is not None
    server = psutil.Process(ground.postgres.pid)
    own = server.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in server.children():
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return float(total)
