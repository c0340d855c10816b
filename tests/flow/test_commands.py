"""What force IT types against a running system."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shared.contracts.catalogue import SERVICES
from shared.embedded.demo import Demo
from shared.embedded.stack import Stack
from tests.flow.test_out_of_order import STATES
from tests.servers.everywhere import rows

pytestmark = pytest.mark.timeout(240)


def walkandtalk(stack: Stack, service: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`walkandtalk …` under the bus login of a service."""
    return subprocess.run(
        [sys.executable, "-m", "shared.cli", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "WALKANDTALK_DATABASE_BUS_URL": stack.database_url(service, "bus"), "COLUMNS": "250"},
    )


async def _standing(stack: Stack) -> dict[str, list[list[tuple[object, ...]]]]:
    return {
        service: [sorted((tuple(row) for row in await rows(stack, service, sql)), key=repr) for sql in STATES[service]]
        for service in SERVICES
    }


async def _duplicates(stack: Stack) -> float:
    total = 0.0
    async with httpx.AsyncClient(timeout=20) as client:
        for service in SERVICES:
            for line in (await client.get(f"{stack.urls[service]}/metrics")).text.splitlines():
                if line.startswith("walkandtalk_bus_events_total") and 'outcome="duplicate"' in line:
                    total += float(line.rsplit(" ", 1)[1])
    return total


async def test_a_replay_of_everything_changes_nothing(stack: Stack) -> None:
    """All four logs are published again by command: every event is recognised, and all stands as before."""
    report = await Demo(stack, 3, seed=31).run()
    assert report.faults == []
    before, seen = await _standing(stack), await _duplicates(stack)
    since = (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%S")
    for service in SERVICES:
        done = await asyncio.to_thread(walkandtalk, stack, service, "replay", service, "--since", since)
        assert done.returncode == 0, done.stderr
        assert "events are published again" in done.stdout
    report = await Demo(stack, 1, seed=32).run()
    assert report.faults == []
    assert await _duplicates(stack) > seen + 50
    after = await _standing(stack)
    for service in SERVICES:
        for stood, stands in zip(before[service], after[service], strict=True):
            # The one walk sent behind the replay is new; nothing else moved but counts by topic or kind.
            lost = [row for row in stood if row not in stands and not isinstance(row[-1], int)]
            assert lost == []


async def test_a_replay_from_before_the_inboxes_remember_is_refused(stack: Stack) -> None:
    """Events older than every inbox's memory would take effect twice: exit 2 and a sentence that says since when."""
    done = await asyncio.to_thread(walkandtalk, stack, "intake", "replay", "intake", "--since", "2020-01-01T00:00:00")
    assert done.returncode == 2
    assert "Inboxes remember since" in done.stderr


async def test_the_audit_log_of_a_running_system_is_whole(stack: Stack) -> None:
    """`walkandtalk audit verify` against the heads kept outside the database finds no fault in any service."""
    for service in SERVICES:
        anchor = str(stack.folder / "data" / f"{service}.audit-heads")
        done = await asyncio.to_thread(walkandtalk, stack, service, "audit", "verify", service, "--anchor", anchor)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("parked", "list", "kitchen"), "There is no service kitchen"),
        (("parked", "discard", "intake", "999999", "--yes"), "nothing is parked under 999999"),
        (("parked", "show", "intake", "999999"), "no record 999999 is parked"),
    ],
)
async def test_a_command_that_cannot_be_done_says_why(stack: Stack, words: tuple[str, ...], said: str) -> None:
    """Exit code and one sentence, no traceback."""
    done = await asyncio.to_thread(walkandtalk, stack, "intake", *words)
    assert done.returncode in (1, 2)
    assert said in done.stderr and "Traceback" not in done.stderr
