"""Whoever alters, removes, inserts or cuts off rows of the audit log is found out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from shared import audit
from shared.audit import Entry
from shared.database import Database
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FORCES = ("avon-and-somerset", "metropolitan")


@pytest.fixture
async def service(database: ServiceDatabaseMaker) -> ServiceDatabase:
    """Any service's database: this is shared by all four."""
    return await database("feedback")


@pytest.fixture
def feedback(service: ServiceDatabase) -> Database:
    return service.bus


@pytest.fixture
def administrator(service: ServiceDatabase) -> str:
    return service.admin_url


@pytest.fixture
def anchor(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "heads"


def clock() -> datetime:
    return NOON


async def recorded(database: Database, many: int = 3) -> None:
    entries = [
        Entry(FORCES[n % 2], "officer-1", "consulted", f"request-{n}", "to arrange the walk") for n in range(many)
    ]
    async with database.transaction(FORCES) as tx:
        await audit.record(tx, entries, NOON)


async def sealed(database: Database, anchor: Path, times: int = 3) -> None:
    for _ in range(times):
        await recorded(database)
        assert await audit.seal(database, FORCES, clock, anchor) == 3


async def test_an_untouched_log_has_no_faults(feedback: Database, anchor: Path) -> None:
    """Rows sealed in several links verify, those that still wait for their seal included."""
    await sealed(feedback, anchor)
    await recorded(feedback)
    assert await audit.verify(feedback, FORCES, anchor) == []
    assert len(anchored(anchor)) == 3


async def test_a_log_with_nothing_in_it_is_well(feedback: Database, anchor: Path) -> None:
    """Sealing nothing makes no link and no anchor."""
    assert await audit.seal(feedback, FORCES, clock, anchor) == 0
    assert await audit.verify(feedback, FORCES, anchor) == []


async def test_an_altered_row_is_found(feedback: Database, administrator: str, anchor: Path) -> None:
    """Changing one word of one row breaks its link, and only that one."""
    await sealed(feedback, anchor)
    async with tampering(administrator) as connection:
        await connection.execute("UPDATE audit SET reason = 'curiosity' WHERE id = 5")
    faults = await audit.verify(feedback, FORCES, anchor)
    assert faults == ["Link 2 does not fit its rows (4 to 6): something was altered."]


async def test_a_removed_row_is_found(feedback: Database, administrator: str, anchor: Path) -> None:
    """A row taken out of the middle is named."""
    await sealed(feedback, anchor)
    async with tampering(administrator) as connection:
        await connection.execute("DELETE FROM audit WHERE id = 4")
    assert await audit.verify(feedback, FORCES, anchor) == ["Row 4 was removed."]


async def test_a_row_removed_before_its_seal_is_found(feedback: Database, administrator: str, anchor: Path) -> None:
    """Even within the second before the seal a row cannot vanish, and sealing does not wipe out the trace."""
    await sealed(feedback, anchor)
    await recorded(feedback, 1)
    async with tampering(administrator) as connection:
        await connection.execute("DELETE FROM audit WHERE id = 10")
    await audit.seal(feedback, FORCES, clock, anchor)
    assert await audit.verify(feedback, FORCES, anchor) == ["Row 10 was removed before it was sealed."]


async def test_a_row_put_in_behind_the_sealers_back_is_found(
    feedback: Database, administrator: str, anchor: Path
) -> None:
    """A row that no link covers and that waits for none is a fault."""
    await sealed(feedback, anchor)
    async with tampering(administrator) as connection:
        await connection.execute(
            "INSERT INTO audit (force_id, at, actor, action, subject, reason) "
            "VALUES ('metropolitan', now(), 'nobody', 'consulted', 'x', 'y')"
        )
    assert await audit.verify(feedback, FORCES, anchor) == ["Row 10 was put in without a seal."]


async def test_a_tail_cut_off_is_found_by_the_anchor(feedback: Database, administrator: str, anchor: Path) -> None:
    """Removing the last link with its rows leaves a chain that fits; the head outside the database does not."""
    await sealed(feedback, anchor)
    async with tampering(administrator) as connection:
        await connection.execute("DELETE FROM audit WHERE id > 6")
        await connection.execute("DELETE FROM audit_seal WHERE link = 3")
    assert "The log was cut off: link 3 is anchored and gone." in await audit.verify(feedback, FORCES, anchor)


async def test_a_chain_written_anew_is_found_by_the_anchor(
    feedback: Database, administrator: str, anchor: Path
) -> None:
    """Whoever alters a row and computes every hash again still differs from what was anchored."""
    await sealed(feedback, anchor)
    async with tampering(administrator) as connection:
        await connection.execute("UPDATE audit SET actor = 'officer-2' WHERE id = 1")
        await connection.execute("INSERT INTO audit_unsealed SELECT force_id, id FROM audit")
        await connection.execute("DELETE FROM audit_seal")
    assert await audit.seal(feedback, FORCES, clock, None) == 9
    faults = await audit.verify(feedback, FORCES, anchor)
    assert "Link 1 is not the one that was anchored." in faults


async def test_a_sealer_that_died_before_anchoring_is_made_good(feedback: Database, anchor: Path) -> None:
    """A link committed without its anchor is anchored by the next sealing, even if there is nothing to seal."""
    await sealed(feedback, anchor, times=1)
    await recorded(feedback)
    await audit.seal(feedback, FORCES, clock, None)
    assert await audit.verify(feedback, FORCES, anchor) == ["Link 2 is not anchored."]
    await audit.seal(feedback, FORCES, clock, anchor)
    assert await audit.verify(feedback, FORCES, anchor) == []


async def test_an_anchor_line_broken_off_by_a_crash_is_made_good(feedback: Database, anchor: Path) -> None:
    """Half a line at the end is closed and the head written again."""
    await sealed(feedback, anchor, times=2)
    break_off(anchor)
    await audit.seal(feedback, FORCES, clock, anchor)
    assert await audit.verify(feedback, FORCES, anchor) == []


async def test_sealers_at_the_same_time_make_one_chain(feedback: Database, anchor: Path) -> None:
    """Of several sealers one seals; no row is sealed twice and none is left."""
    await recorded(feedback, 50)
    for _ in range(3):
        await asyncio.gather(*(audit.seal(feedback, FORCES, clock, anchor) for _ in range(5)))
    assert await audit.verify(feedback, FORCES, anchor) == []


async def test_a_service_cannot_change_what_it_has_logged(feedback: Database) -> None:
    """The login a service runs under may add to the log and read it, nothing else."""
    await recorded(feedback)
    for statement in ("UPDATE audit SET reason = ''", "DELETE FROM audit", "DELETE FROM audit_seal"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with feedback.transaction(FORCES) as tx:
                await tx.connection.execute(statement)


def anchored(anchor: Path) -> list[str]:
    return anchor.read_text().splitlines()


def break_off(anchor: Path) -> None:
    """What a crash in the middle of writing leaves."""
    anchor.write_text(anchor.read_text()[:-20])


@asynccontextmanager
async def tampering(administrator: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Somebody with the administrator's password."""
    connection = await asyncpg.connect(administrator)
    try:
        yield connection
    finally:
        await connection.close()
