"""One walk after another through all four services, and what happens to them when parts go away."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from shared.contracts.catalogue import SERVICES
from shared.embedded.demo import Demo, Report
from shared.embedded.stack import BROKER, Stack
from tests.servers.whole import with_postcodes

pytestmark = pytest.mark.timeout(300)


async def test_walks_pass_through_all_four_services(stack: Stack) -> None:
    """Every walk is routed, arranged, held, its concerns referred and resolved, its survey answered, its worry met."""
    report = await Demo(stack, 25).run()
    assert report.faults == []
    assert (report.requested, report.routed, report.arranged, report.completed) == (25, 25, 25, 25)
    assert report.concerns == report.referrals == report.resolved == 37
    assert (report.surveys, report.flagged, report.followed_up) == (25, 5, 5)
    assert (report.lost, report.doubled) == (0, 0)


def test_each_service_stays_small(stack: Stack) -> None:
    """Each service's process has less than 200 MB resident after the walks above, the postcode look-up included."""
    resident = {name: psutil.Process(stack.pid(name)).memory_info().rss / 1e6 for name in SERVICES}
    print(" ".join(f"{name}={megabytes:.0f}MB" for name, megabytes in resident.items()))  # noqa: T201  # for -rP
    assert all(megabytes < 200 for megabytes in resident.values()), resident


async def disturbed(stack: Stack, walks: int, disturb: Callable[[], None], after: str = "completed") -> Report:
    """Run walks; when the third has passed a stage, disturb (in a thread) while the others go on."""
    passed: Counter[str] = Counter()
    reached = asyncio.Event()

    def tell(stage: str) -> None:
        passed[stage] += 1
        if passed[after] >= 3:
            reached.set()

    running = asyncio.create_task(Demo(stack, walks, seed=walks, tell=tell).run())
    waiting = asyncio.create_task(reached.wait())
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
    assert not running.done(), "the walks were over before anything was disturbed"
    await asyncio.to_thread(disturb)
    return await running


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_that_goes_away_is_missed_by_nobody_and_catches_up(stack: Stack, service: str) -> None:
    """One service is stopped in the middle: the other three stay ready, and after it is back all is there once."""
    others = [name for name in SERVICES if name != service]

    def disturb() -> None:
        stack.stop(service)
        with httpx.Client(timeout=5) as client:
            for name in others:
                assert client.get(f"{stack.urls[name]}/health/ready").status_code == 200
                assert client.get(f"{stack.urls[name]}/health/ready/bus").status_code == 200
        stack.start(service)

    report = await disturbed(stack, 8, disturb)
    assert report.faults == []
    assert report.completed == 8


async def test_a_broker_that_comes_back_empty_loses_and_doubles_nothing(stack: Stack) -> None:
    """The embedded broker is killed in the middle and comes back without a record; the relays publish again."""

    def disturb() -> None:
        stack.kill(BROKER)
        stack.start(BROKER)

    report = await disturbed(stack, 12, disturb)
    assert report.faults == []
    assert report.completed == 12


async def test_requests_are_accepted_while_the_broker_is_down(stack: Stack) -> None:
    """Form and API go on without the broker, and pages say they are ready; the walk is routed when it is back."""
    await asyncio.to_thread(stack.kill, BROKER)
    try:
        async with httpx.AsyncClient(base_url=stack.urls["intake"], timeout=20) as client:
            assert (await client.get("/health/ready")).status_code == 200
            answer = await client.post(
                "/api/v1/walk-requests", json=a_request(), headers={"Idempotency-Key": uuid4().hex}
            )
            assert answer.status_code == 201
    finally:
        await asyncio.to_thread(stack.start, BROKER)
    report = await Demo(stack, 2, seed=99).run()
    assert report.faults == []


def test_the_demo_prints_one_line_and_the_same_as_json(server_folder: Path) -> None:
    """`walkandtalk demo --json` exits 0 and says in numbers that nothing was lost or doubled."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "shared.cli",
            "demo",
            "--walks",
            "3",
            "--json",
            "--folder",
            str(with_postcodes(server_folder / "demo")),
        ],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "COLUMNS": "100"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert (told["requested"], told["completed"], told["lost"], told["doubled"]) == (3, 3, 0, 0)


def a_request(**changed: object) -> dict[str, object]:
    """A valid request as the API takes it."""
    return {
        "force_id": "avon-and-somerset",
        "name": "Siân Ffrancon-Davies",
        "over_18": True,
        "consent": True,
        "contact": {"channels": ["email"], "email": f"{uuid4().hex}@demo.example"},
        "place": {"postcode": "BS1 4DJ"},
        "availability": {"days": ["monday"], "parts": ["evening"]},
        **changed,
    }
