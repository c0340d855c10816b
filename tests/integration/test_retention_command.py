"""`walkandtalk retention`: what it says, and when it lets nothing go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
from typer.testing import CliRunner

from shared.cli import app
from tests.servers.databases import ServiceDatabase

FORCE = "avon-and-somerset"


def run(*arguments: str) -> tuple[int, str]:
    """Exit code, and all that was said."""
    found = CliRunner().invoke(app, ["retention", *arguments], env={"COLUMNS": "200"})
    return found.exit_code, found.output


def withdrawn_long_ago(url: str, many: int) -> None:
    """So many requests of 2020."""

    async def work() -> None:
        admin = await asyncpg.connect(url)
        try:
            await admin.execute(
                "INSERT INTO participant (force_id, id, sealed, created_at)"
                " SELECT $1, gen_random_uuid(), '', '2020-01-01' FROM generate_series(1, $2::integer)",
                FORCE,
                many,
            )
            await admin.execute(
                "INSERT INTO walk_request (force_id, id, participant_id, reference, state, pair, requested_at)"
                " SELECT force_id, gen_random_uuid(), id, id::text, 'withdrawn', '', created_at FROM participant"
            )
        finally:
            await admin.close()

    asyncio.run(work())


def test_the_report_counts_and_a_first_run_waits_for_a_person(
    database_for_browser: Callable[[str], ServiceDatabase],
) -> None:
    """How many, since when, of how many; more than a fifth at once is refused, confirmed it is left to the service."""
    database = database_for_browser("intake")
    assert run("intake", "--dry-run", "--url", database.bus_url)[0] == 0
    withdrawn_long_ago(database.admin_url, 60)
    code, said = run("intake", "--dry-run", "--url", database.bus_url)
    assert code == 1
    assert "2020-01-01" in said and "365 days" in said
    assert "60 of 60 participant would go at once" in said
    assert run("intake", "--url", database.bus_url)[0] == 1
    code, said = run("intake", "--confirm", "--seconds", "1", "--url", database.bus_url)
    assert code == 1 and "does its bus role run?" in said


def test_a_service_in_which_nothing_has_a_time_of_its_own_says_so(
    database_for_browser: Callable[[str], ServiceDatabase],
) -> None:
    """What is hers there goes with her."""
    code, said = run("partners", "--dry-run", "--url", database_for_browser("partners").bus_url)
    assert code == 0 and "nothing has a time of its own" in said
