"""The queue page with ten thousand walks waiting, at the server: from the request to the last byte of HTML."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Final, cast

import asyncpg
import httpx
from fastapi import FastAPI

from services.assignment.app import build
from services.assignment.dependencies import Dependencies
from shared.contracts.catalogue import SERVICES
from shared.database import Database
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port
from shared.provisioning import LOGINS, login_url, migrate, provision
from shared.runtime import settle
from tests.bench.figures import Bar, Figure, Found, Run, WrongEffect
from tests.servers.assignment_service import COORDINATOR, OFFICER, assignment_settings
from tests.servers.databases import ServiceDatabase
from tests.servers.long_queue import TEAM, fill
from tests.servers.visitors import visitor

WAITING: Final = 10_000
PAST: Final = 90_000
LIMIT_MS: Final = 200.0
_CALLS: Final = 40

_PAGES: Final = {
    "queue of a force": (COORDINATOR, "/queue"),
    "queue of a force, page 100": (COORDINATOR, "/queue?page=100"),
    "queue of one team": (COORDINATOR, f"/queue?team_id={TEAM}"),
    "queue of an officer's teams": (OFFICER, "/queue"),
    "the same by API": (OFFICER, "/api/v1/walks"),
    "what is escalated": (COORDINATOR, "/escalated"),
    "a walk with its suggestions": (COORDINATOR, "/walks/{walk}"),
}
_HELD: Final = tuple(name for name in _PAGES if name.startswith("queue"))
"""Whose 95th centile has to stay below the limit."""


async def suite(run: Run) -> Found:
    """Each page so many times a round, one after the other, as a signed-in officer's browser asks for it."""
    waiting = run.many(WAITING)
    bar = run.task("filling the queue", 1)
    async with _served(waiting, run.many(PAST)) as (app, walk):
        run.progress.advance(bar)
        settle()
        bar = run.task("asking for pages", run.rounds * len(_PAGES))
        median = {name: Figure(name, "median", "ms", waiting) for name in _PAGES}
        slow = {name: Figure(name, "95th centile", "ms", waiting) for name in _PAGES}
        for n in range(run.rounds):
            for name in run.turns(tuple(_PAGES), n):
                who, path = _PAGES[name]
                async with visitor(app, who) as client:
                    took, cpu = await _asked(client, path.format(walk=walk))
                median[name].values.append(statistics.median(took))
                median[name].cpu.append(cpu)
                slow[name].values.append(statistics.quantiles(took, n=20)[-1])
                run.progress.advance(bar)
    bars = [
        Bar(
            name,
            f"of {LIMIT_MS:.0f} ms, at the 95th centile",
            1.0,
            [ms / LIMIT_MS for ms in slow[name].values],
            "at most",
        )
        for name in _HELD
    ]
    notes = [f"{waiting:,} walks wait, {run.many(PAST):,} are over; fifty a page; database and pages on one machine."]
    return Found([one for name in _PAGES for one in (median[name], slow[name])], bars, notes)


async def _asked(client: httpx.AsyncClient, path: str) -> tuple[list[float], float]:
    """Milliseconds of each call, and seconds of processor of one."""
    for _ in range(3):
        await client.get(path)
    took: list[float] = []
    spent = process_time()
    for _ in range(_CALLS):
        began = perf_counter()
        answer = await client.get(path)
        took.append((perf_counter() - began) * 1e3)
        if answer.status_code != 200:
            raise WrongEffect(f"{path} answered {answer.status_code}")
    return took, (process_time() - spent) / _CALLS


@asynccontextmanager
async def _served(waiting: int, past: int) -> AsyncIterator[tuple[FastAPI, str]]:
    """Assignment in this process on a database of its own, and the id of a walk that waits."""
    folder = _folder()
    postgres = EmbeddedPostgres(folder / "postgres", free_port())
    try:
        await asyncio.to_thread(postgres.start)
        passwords = {f"{service}_{login}": secrets.token_urlsafe(12) for service in SERVICES for login in LOGINS}
        await provision(postgres.admin_url, passwords)
        web, bus, owner = (
            login_url(postgres.admin_url, "assignment", login, passwords[f"assignment_{login}"])
            for login in ("web", "bus", "owner")
        )
        await asyncio.to_thread(migrate, "assignment", owner)
        admin_url = postgres.admin_url.rsplit("/", 1)[0] + "/assignment"
        app = build(assignment_settings(ServiceDatabase(Database(web), Database(bus), web, bus, admin_url), folder))
        async with app.router.lifespan_context(app):
            await cast(Dependencies, app.state.dependencies).take_registers()
            await fill(admin_url, waiting, past)
            admin = await asyncpg.connect(admin_url)
            walk = await admin.fetchval("SELECT id FROM walk WHERE state = 'routed' LIMIT 1")
            await admin.close()
            yield app, str(walk)
    finally:
        postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    found = Path(tempfile.mkdtemp(prefix="walkandtalk-bench-"))
    found.chmod(0o711)  # a PostgreSQL started by root runs as another user
    return found
