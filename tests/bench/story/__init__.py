"""All four services: whole stories a second, and how soon a request stands in its team's queue."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from time import perf_counter, time
from typing import Any, Final
from uuid import UUID

import asyncpg

from shared.contracts.catalogue import SERVICES
from shared.embedded.demo import STAGES
from shared.embedded.stack import BROKER, MAILBOX, POSTGRES, Stack
from shared.runtime import settle
from tests.bench.figures import Bar, Figure, Found, Run, WrongEffect
from tests.bench.requests import processor, stack_of_our_own
from tests.bench.requests.jobs import Job, Result, generate
from tests.bench.story.people import Crowd

OURS: Final = "ours, four services on the embedded servers"
_WALKS: Final = 60
_FULL: Final = 300
_SECONDS: Final = 8.0
_AT_ONCE: Final = 32
_LONGEST: Final = 120.0
_PROBE: Final = "bench_probe"
_ROUTED: Final = (
    "SELECT r.id, pg_xact_commit_timestamp(r.xmin) AS at FROM request AS r JOIN walk AS w ON w.id = r.walk_id"
    " WHERE w.state = 'routed' AND r.id = ANY ($1)"
)
_WHERE: Final = "SELECT (SELECT count(*) FROM outbox_pending), (SELECT count(*) FROM held)"
_SHARES: Final = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


async def suite(run: Run) -> Found:
    """Whole stories first, on a fresh stack; then requests alone, at full and at half load."""
    with stack_of_our_own(()) as stack:
        # Commit times are asked of the server afterwards, so that nothing is added to what is measured.
        await asyncio.to_thread(stack.open)
        await _sql(stack, "postgres", "ALTER SYSTEM SET track_commit_timestamp = on")
        await asyncio.to_thread(stack.close)
        stack.services = SERVICES
        await asyncio.to_thread(stack.open)
        await asyncio.to_thread(stack.wait_for_bus)
        await _sql(stack, "assignment", f"CREATE TABLE {_PROBE} (at timestamptz NOT NULL)")
        stories, events, told = await _stories(run, stack)
        full, half, notes = await _requests(run, stack)
    p99 = next(one for one in half if one.contestant == "p99")
    return Found(
        [stories, events, full, *half],
        [Bar("request to team queue at half load", "ms, p99 of a round", 250.0, p99.values, "at most")],
        [told, *notes],
    )


# Whole stories


async def _stories(run: Run, stack: Stack) -> tuple[Figure, Figure, str]:
    many = run.many(_WALKS)
    stories = Figure("the whole story", OURS, "walks/s", many)
    events = Figure("the whole story", "events on the bus", "events/s", many)
    used: dict[str, list[float]] = {}
    bar = run.task("the whole story", run.rounds * many)
    a_walk: list[float] = []
    for n in range(run.rounds):
        before, published = _processors(stack), await _published(stack)
        crowd = Crowd(
            stack,
            many,
            seed=n,
            tell=lambda stage: run.progress.advance(bar) if stage == STAGES[-1] else None,
        )
        settle()
        began = perf_counter()
        report = await crowd.tell_all()
        seconds = perf_counter() - began
        if not report.well or report.requested != many or report.completed != many:
            raise WrongEffect(f"{report.line()}: {'; '.join(report.faults)}")
        stories.values.append(many / max(crowd.ended))
        more = await _published(stack) - published
        a_walk.append(more / many)
        events.values.append(more / seconds)
        for name, spent in _processors(stack).items():
            used.setdefault(name, []).append((spent - before[name]) / many)
    shares = ", ".join(f"{name} {1000 * statistics.median(each):.1f}" for name, each in used.items())
    return (
        stories,
        events,
        f"The whole story: {statistics.median(a_walk):.1f} events a walk; processor time, ms a walk: {shares}."
        " Nothing was lost or doubled: every round was compared in four databases and the mailbox.",
    )


async def _published(stack: Stack) -> int:
    return sum([(await _row(stack, service, "SELECT count(*) FROM outbox_log"))[0] for service in SERVICES])


def _processors(stack: Stack) -> dict[str, float]:
    return {name: processor(stack.pid(name)) for name in (*SERVICES, POSTGRES, BROKER, MAILBOX)}


# A request, until it stands in the queue


async def _requests(run: Run, stack: Stack) -> tuple[Figure, list[Figure], list[str]]:
    many, seconds = run.many(_FULL), _SECONDS / (4 if run.quick else 1)
    full = Figure("request to team queue, full load", OURS, "requests/s", many)
    half = [Figure("request to team queue at half load", name, "ms", 0) for name in _SHARES]
    everything: list[float] = []
    answered: list[float] = []
    late: list[float] = []
    bar = run.task("request to team queue", run.rounds * 2)
    for n in range(run.rounds):
        run.progress.update(bar, description="request to team queue: full load")
        result = await generate(_job(stack, "walk requests", many, 1000 + n))
        routed = await _routed(stack, result)
        first = await _first(stack, result)
        full.values.append(many / (max(routed.values()) - first))
        await _quiet(stack)
        run.progress.advance(bar)
        run.progress.update(bar, description="request to team queue: half load")
        a_second = full.values[-1] / 2
        job = _job(stack, "arrivals", max(20, round(a_second * seconds)), 2000 + n, a_second)
        probes: list[tuple[str, float]] = []
        probing = asyncio.create_task(_probe(stack, probes))
        try:
            result = await generate(job)
            routed = await _routed(stack, result)
        finally:
            probing.cancel()
            with suppress(asyncio.CancelledError):
                await probing
        late += await _later(stack, probes)
        # The postcodes of a district reach a little beyond its team's areas: these few stand before a coordinator.
        took = [
            routed[walk] - due
            for walk, due in zip(map(UUID, result.requests), result.due, strict=True)
            if walk in routed
        ]
        everything += took
        answered += result.took
        for figure, share in zip(half, _SHARES.values(), strict=True):
            figure.values.append(1000 * quantile(took, share))
        await _quiet(stack)
        run.progress.advance(bar)
    half = [Figure(one.load, one.contestant, one.unit, len(everything) // run.rounds, one.values) for one in half]
    return (
        full,
        half,
        [
            f"Of all {len(everything):,} requests at half load together: from due to the team's queue"
            f" {_three(everything)}; from due to the answer {_three(answered)}.",
            f"A commit is seen up to {1000 * quantile(late, 0.99):.1f} ms (p99 of {len(late)} probes; p50"
            f" {1000 * quantile(late, 0.5):.1f} ms) after the time the server keeps of it: add it to these figures.",
        ],
    )


def _job(stack: Stack, what: Any, many: int, seed: int, a_second: float = 1.0) -> Job:
    return Job(
        what=what,
        port=stack.ports.intake,
        many=many,
        at_once=_AT_ONCE,
        seed=seed,
        data=stack.folder / "data",
        quiet=False,
        a_second=a_second,
    )


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of all stays at or below."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _three(values: Sequence[float]) -> str:
    return ", ".join(f"{name} {1000 * quantile(values, s):.0f} ms" for name, s in _SHARES.items())


async def _routed(stack: Stack, result: Result) -> dict[UUID, float]:
    """When each request's walk came to stand in its team's queue: the commit's time, as the server keeps it. Walks
    outside all areas stand in triage, and are left out.

    :raises WrongEffect: not every request was accepted, and routed or brought to triage, once.
    """
    if set(result.statuses) != {201}:
        raise WrongEffect(f"intake answered {result.statuses}")
    ids = [UUID(one) for one in result.requests]
    standing = (
        "SELECT count(DISTINCT r.id) FILTER (WHERE w.state IN ('routed', 'triage')), count(*), count(DISTINCT r.id)"
        " FROM request AS r JOIN walk AS w ON w.id = r.walk_id WHERE r.id = ANY ($1)"
    )
    found: tuple[Any, ...] = ()
    with suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST):
            while (found := await _row(stack, "assignment", standing, ids))[2] < len(ids):  # noqa: ASYNC110  # elsewhere
                await asyncio.sleep(0.25)
    if set(found) != {len(ids)}:
        where = [await _row(stack, service, _WHERE) for service in SERVICES]
        raise WrongEffect(
            f"of {len(ids)}: routed or in triage, walks, requests: {found}; pending, held a service: {where}"
        )
    rows = await _rows(stack, "assignment", _ROUTED, ids)
    return {row["id"]: _seconds(row["at"]) for row in rows}


async def _first(stack: Stack, result: Result) -> float:
    """When the first of these requests was accepted."""
    ids = [UUID(one) for one in result.requests]
    [at] = await _row(stack, "intake", "SELECT min(requested_at) FROM walk_request WHERE id = ANY ($1)", ids)
    return _seconds(at)


async def _probe(stack: Stack, seen: list[tuple[str, float]]) -> None:
    """Commit ten times a second beside the load, and note when each commit had returned."""
    connection = await asyncpg.connect(_url(stack, "assignment"))
    try:
        while True:
            xid = await connection.fetchval(
                f"INSERT INTO {_PROBE} VALUES (clock_timestamp()) RETURNING xmin::text"  # noqa: S608 # our own constant
            )
            seen.append((xid, time()))
            await asyncio.sleep(0.1)
    finally:
        connection.terminate()


async def _later(stack: Stack, seen: Sequence[tuple[str, float]]) -> list[float]:
    """How much later than the time the server keeps of it each commit was seen."""
    rows = await _rows(
        stack,
        "assignment",
        f"SELECT xmin::text AS xid, pg_xact_commit_timestamp(xmin) AS at FROM {_PROBE}",  # noqa: S608 # our own constant
    )
    kept = {row["xid"]: _seconds(row["at"]) for row in rows}
    return [at - kept[xid] for xid, at in seen]


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


async def _quiet(stack: Stack) -> None:
    """Return when everything is published and everything due has left."""
    open_ = (
        "SELECT (SELECT count(*) FROM outbox_pending) + (SELECT count(*) FROM audit_unsealed)"
        " + (SELECT count(*) FROM sending WHERE state = 'due' AND due_at <= now())"
    )
    async with asyncio.timeout(_LONGEST):
        for service in SERVICES:
            while (await _row(stack, service, open_))[0]:  # noqa: ASYNC110  # it happens elsewhere
                await asyncio.sleep(0.25)


def _url(stack: Stack, database: str) -> str:
    return stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{database}"


async def _rows(stack: Stack, database: str, sql: str, *arguments: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(_url(stack, database))
    try:
        return list(await connection.fetch(sql, *arguments))
    finally:
        await connection.close()


async def _row(stack: Stack, database: str, sql: str, *arguments: Any) -> tuple[Any, ...]:
    return tuple((await _rows(stack, database, sql, *arguments))[0])


async def _sql(stack: Stack, database: str, sql: str) -> None:
    connection = await asyncpg.connect(_url(stack, database))
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
