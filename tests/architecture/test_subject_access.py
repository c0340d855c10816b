"""A copy of what is held about a woman leaves nothing out that has no reason."""

from __future__ import annotations

import asyncpg

from services.intake.domain.access import ELSEWHERE, EXPORTED, LEFT_OUT
from shared.contracts.catalogue import SERVICES
from tests.architecture.rows import tables
from tests.servers.databases import ServiceDatabaseMaker


async def test_every_column_of_intake_is_in_the_copy_or_has_a_reason(database: ServiceDatabaseMaker) -> None:
    """A new table or column is neither: whoever adds it decides. None is both, and none is named that is not there."""
    found = await database("intake")
    admin = await asyncpg.connect(found.admin_url)
    try:
        held = {
            table.name: {column.name for column in table.columns} - {"force_id"}
            for table in await tables(admin)
            if not table.partition
        }
    finally:
        await admin.close()
    copied = {(table, column) for table, columns in EXPORTED.items() for column in columns}
    reasoned = {
        (table, column)
        for name in LEFT_OUT
        for table, _, one in [name.partition(".")]
        for column in ({one} if one else held.get(table, {"?"}))
    }
    there = {(table, column) for table, columns in held.items() for column in columns}
    assert there - copied - reasoned == set()
    assert (copied | reasoned) - there == set()
    assert copied & reasoned == set()
    assert all(len(reason) > 10 for reason in LEFT_OUT.values())


def test_the_copy_says_what_every_other_service_holds() -> None:
    """They are not asked: it follows from the contracts."""
    assert set(ELSEWHERE) == set(SERVICES) - {"intake"}
