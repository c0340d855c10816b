"""Intake's own chain: of what was done to a woman's data no row can be altered, taken out or cut off unseen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from shared import audit
from shared.cli import app
from tests.integration.test_erasure import erase
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import ROOT, Intake, intake_service

TAMPERING = {
    "altered": ("UPDATE audit SET actor = 'nobody' WHERE id = 2", "does not fit its rows"),
    "removed": ("DELETE FROM audit WHERE id = 2", "Row 2 was removed."),
    "cut off": (
        "DELETE FROM audit WHERE action = 'erased'; DELETE FROM audit_seal WHERE link = 2",
        "The log was cut off: link 2 is anchored and gone.",
    ),
}


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


@pytest.mark.parametrize("how", TAMPERING)
async def test_whoever_touches_the_log_of_an_erasure_is_found_out(intake: Intake, tmp_path: Path, how: str) -> None:
    """She asks twice and erases it; the chain is whole. One row altered, removed, or the end of it cut off with its
    seal: `walkandtalk audit verify intake` names it and ends with 1."""
    anchor = tmp_path / "intake.audit-heads"
    asked = [await intake.ask(contact={"email": f"w{n}@example.com"}) for n in range(3)]
    assert await audit.seal(intake.database.bus, intake.deps.policies.forces, intake.deps.clock, anchor)
    await erase(intake, asked[0]["request_id"])
    assert await audit.seal(intake.database.bus, intake.deps.policies.forces, intake.deps.clock, anchor)
    whole = await verified(intake, anchor)
    assert whole.exit_code == 0 and "the audit log is whole" in whole.output
    statement, named = TAMPERING[how]
    await intake.admin.execute(statement)
    found = await verified(intake, anchor)
    assert found.exit_code == 1 and named in " ".join(found.output.split()), found.output


async def verified(intake: Intake, anchor: Path) -> Result:
    """What IT is told."""
    run: Callable[..., Result] = CliRunner().invoke
    told = {
        "WALKANDTALK_DATABASE_BUS_URL": intake.database.bus_url,
        "WALKANDTALK_FORCES_DIR": str(ROOT / "deploy" / "forces"),
    }
    return await asyncio.to_thread(run, app, ["audit", "verify", "intake", "--anchor", str(anchor)], env=told)
