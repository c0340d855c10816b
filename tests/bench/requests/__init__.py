"""The request side: our real intake service against a bare ASGI app that does the same transaction, and its form."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import statistics
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import psutil

from services.intake.handlers.keeping import open_request
from services.intake.store import requests as request_rows
from services.intake.vault import Vault
from shared.database import Database
from shared.embedded.processes import free_port
from shared.embedded.program import Program
from shared.embedded.stack import FOLDER, Ports, Stack
from shared.geography import postcodes
from shared.provisioning import login_url
from tests.bench.figures import Bar, Figure, Found, Run, WrongEffect, ratio
from tests.bench.requests.http import Answer, Connection, post_json
from tests.bench.requests.jobs import Job, Result, generate
from tests.bench.requests.women import FORCES, HEADER, PATH, Women, quiet_parts

OURS: Final = "ours, as make up runs it: web and bus in one process"
WEB: Final = "ours, the web role alone"
CEILING: Final = "bare ASGI + asyncpg (ceiling)"
LOAD: Final = "walk requests"
HALF: Final = "walk requests arriving at half that rate"
_TAIL: Final = 10.0
"""How many times the median the slowest of a hundred may take, at half of what goes."""
_OTHERS: Final = 1_000
"""Added to a seed: other women than those who asked as fast as it goes."""
_MANY: Final = 2_000
_PAGES: Final = 500
_AT_ONCE: Final = 32

_EFFECT: Final = """
SELECT (SELECT count(*) FROM accepted_key), (SELECT count(*) FROM participant),
       (SELECT sum(octet_length(sealed)) FROM participant), (SELECT sum(octet_length(k.wrapped_key))
        FROM participant_key AS k JOIN participant AS p ON p.id = k.participant_id),
       (SELECT count(*) FROM participant_digest AS d JOIN participant AS p ON p.id = d.participant_id),
       (SELECT md5(string_agg(encode(digest, 'hex'), ',' ORDER BY digest)) FROM participant_digest),
       (SELECT count(*) FROM walk_request AS r JOIN participant AS p ON p.id = r.participant_id
        JOIN accepted_key AS a ON a.request_id = r.id WHERE r.state = 'received'),
       (SELECT sum(octet_length(pair)) FROM walk_request), (SELECT sum(octet_length(wanted)) FROM walk_request),
       (SELECT count(*) FROM outbox_key AS k JOIN walk_request AS r ON r.id = k.key WHERE k.sequence = 1),
       (SELECT md5(string_agg(one, ',' ORDER BY one)) FROM (
            SELECT force_id || topic || sequence || type || (convert_from(data, 'utf8')::jsonb - 'request_id') AS one
            FROM outbox_log WHERE correlation_id IS NOT NULL AND traceparent IS NOT NULL
            AND convert_from(data, 'utf8')::jsonb ->> 'request_id' = key::text) AS l),
       (SELECT count(*) FROM audit AS a JOIN walk_request AS r ON r.id::text = a.subject
        WHERE a.actor = 'participant' AND a.action = 'collected' AND a.reason = 'asked for a walk'),
       (SELECT count(*) FROM message AS m JOIN walk_request AS r ON r.id = m.request_id
        JOIN sending AS s ON s.id = m.id AND s.channel = m.channel WHERE m.kind = 'confirmation' AND s.state = 'due'),
       (SELECT sum(octet_length(sealed)) FROM message),
       (SELECT min(octet_length(digest)) FROM attempt)
"""
"""What all contestants must have left behind alike: rows joined as they belong, and digests of what is not random."""


@dataclass(frozen=True)
class Contestant:
    """A process that accepts requests, and its database."""

    name: str
    program: Program
    database: str


@contextmanager
def stack_of_our_own(services: tuple[str, ...]) -> Iterator[Stack]:
    """The embedded stack in a folder and on ports of its own, gone afterwards; not started yet."""
    folder = Path(tempfile.mkdtemp(prefix="walkandtalk-bench-"))
    folder.chmod(0o711)  # a PostgreSQL started by root runs as another user
    taken: list[int] = []
    for _ in range(10):
        taken.append(free_port(avoid=taken))
    # Each woman from an address of her own, as behind a proxy: from one of all they would wait for one row.
    stack = Stack(folder, Ports(*taken), services=services, told={"CLIENT_ADDRESS_HEADER": HEADER})
    try:
        # The postcode store of this checkout is made once and linked, not built for every run.
        made = postcodes.build(FOLDER / "data")
        (folder / "data").mkdir()
        (folder / "data" / made.name).symlink_to(made)
        yield stack
    finally:
        stack.close()
        shutil.rmtree(folder, ignore_errors=True)


async def suite(run: Run) -> Found:
    """Requests a second at a fixed number of connections, each contestant in turn; then pages of the form."""
    async with contestants() as (stack, found):
        for one in found:
            await _keeps_its_promises(stack, one)
        return await _rounds(run, stack, found)


@asynccontextmanager
async def contestants() -> AsyncIterator[tuple[Stack, list[Contestant]]]:
    """Intake as the stack runs it, the same with its web role alone, and the ceiling; each with a database."""
    with stack_of_our_own(("intake",)) as stack:
        await asyncio.to_thread(stack.open)
        await asyncio.to_thread(stack.stop, "intake")
        beside = [("web", "services.intake.app", WEB), ("bare", "tests.bench.requests.bare", CEILING)]
        found = [Contestant(OURS, stack.programs["intake"], "intake")]
        for name, module, told in beside:
            await _run_sql(stack, "postgres", f"CREATE DATABASE intake_{name} TEMPLATE intake OWNER intake_owner")
            environment = stack.environment("intake") | {"WALKANDTALK_ROLES": "web"}
            for login in ("web", "bus"):
                url = stack.database_url("intake", login).rsplit("/", 1)[0] + f"/intake_{name}"
                environment[f"WALKANDTALK_DATABASE_{login.upper()}_URL"] = url
            port = free_port()
            environment["WALKANDTALK_PORT"] = str(port)
            program = Program(f"intake-{name}", module, port, stack.folder, (), environment)
            found.append(Contestant(told, program, f"intake_{name}"))
        try:
            for one in found:
                await asyncio.to_thread(one.program.start)
                await asyncio.to_thread(one.program.wait)
            await asyncio.to_thread(stack.wait_for_bus)
            yield stack, found
        finally:
            for one in found[1:]:
                one.program.stop()


async def _rounds(run: Run, stack: Stack, contestants: list[Contestant]) -> Found:
    many, pages, data = run.many(_MANY), run.many(_PAGES), stack.folder / "data"
    figures = {one.name: Figure(LOAD, one.name, "requests/s", many) for one in contestants}
    shown = {
        "first page": Figure("GET of the form's first page", OURS, "requests/s", pages),
        "answers": Figure("POST of an answer of the form", OURS, "requests/s", pages),
    }
    half = {
        (one.name, part): Figure(HALF, f"{one.name}: {part}", "ms", many)
        for one in contestants
        for part in ("p50", "p99")
    }
    servers: dict[str, list[float]] = {one.name: [] for one in contestants}
    by_name = {one.name: one for one in contestants}
    bar = run.task(LOAD, run.rounds * (2 * len(contestants) + len(shown)))
    for n in range(run.rounds):
        for name in run.turns(list(by_name), n):
            one = by_name[name]
            run.progress.update(bar, description=f"{LOAD}: {name}")
            job = Job(what="walk requests", port=one.program.port, many=many, at_once=_AT_ONCE, seed=n, data=data)
            before, database = processor(one.program.pid), processor(stack.postgres.pid)
            result = await generate(job)
            if result.statuses != {201: many}:
                raise WrongEffect(f"{name} answered {result.statuses}")
            figures[name].values.append(many / result.seconds)
            figures[name].cpu.append((processor(one.program.pid) - before) / many)
            servers[name].append((processor(stack.postgres.pid) - database) / many)
            await _settled(stack, one)
            await _opens(stack, one, job, result)
            run.progress.advance(bar)
            run.progress.update(bar, description=f"{HALF}: {name}")
            p50, p99 = await _at_half(one, job, many / result.seconds / 2)
            half[name, "p50"].values.append(1000 * p50)
            half[name, "p99"].values.append(1000 * p99)
            await _settled(stack, one)
            run.progress.advance(bar)
        left = {name: await _looked_up(stack, one.database, _EFFECT) for name, one in by_name.items()}
        if len(set(left.values())) != 1:
            raise WrongEffect(f"not everybody left the same behind: {left}")
        for what, figure in shown.items():
            run.progress.update(bar, description=figure.load)
            await _page(stack, contestants[0], what, pages, n, figure)
            run.progress.advance(bar)
    used = ", ".join(f"{name}: {1e6 * sorted(each)[len(each) // 2]:,.0f}" for name, each in servers.items())
    return Found(
        [*figures.values(), *half.values(), *shown.values()],
        [
            Bar(LOAD, "of the ceiling", 0.5, ratio(figures, OURS, CEILING)),
            Bar(HALF, "p99 in p50s, ours", _TAIL, _tails(half, OURS), direction="at most"),
        ],
        [f"PostgreSQL's own processor time, µs a request: {used}."],
    )


async def _at_half(one: Contestant, job: Job, a_second: float) -> tuple[float, float]:
    """The median and the slowest of a hundred, in seconds from when each was due: an open loop, whose arrivals wait for
    nobody."""
    arriving = job.model_copy(update={"what": "arrivals", "seed": _OTHERS + job.seed, "a_second": a_second})
    result = await generate(arriving)
    if result.statuses != {201: job.many}:
        raise WrongEffect(f"{one.name} answered {result.statuses}")
    parts = statistics.quantiles(result.took, n=100)
    return parts[49], parts[98]


def _tails(half: Mapping[tuple[str, str], Figure], name: str) -> list[float]:
    return [p99 / p50 for p99, p50 in zip(half[name, "p99"].values, half[name, "p50"].values, strict=True)]


async def _page(stack: Stack, ours: Contestant, what: Any, many: int, seed: int, figure: Figure) -> None:
    port, data, before = ours.program.port, stack.folder / "data", processor(ours.program.pid)
    result = await generate(Job(what=what, port=port, many=many, at_once=_AT_ONCE // 2, seed=seed, data=data))
    if set(result.statuses) != {200 if what == "first page" else 303}:
        raise WrongEffect(f"{figure.load}: {result.statuses}")
    done = sum(result.statuses.values())
    figure.values.append(done / result.seconds)
    figure.cpu.append((processor(ours.program.pid) - before) / done)


async def _keeps_its_promises(stack: Stack, one: Contestant) -> None:
    """Whoever is fast must still make one request of many sendings, refuse another body under a key, and see faults."""
    women = Women.of(-1, stack.folder / "data", quiet_parts(datetime.now(UTC)))

    async def send(body: Any, key: str) -> Answer:
        connection = await Connection.open(one.program.port)
        try:
            return await connection.ask(post_json(PATH, body, {"idempotency-key": key}))
        finally:
            connection.close()

    same = await asyncio.gather(*(send(women.body(0), women.key(0)) for _ in range(8)))
    statuses = sorted(answer.status for answer in same)
    answers = {answer.body for answer in same}
    if statuses != [200] * 7 + [201] or len(answers) != 1:
        raise WrongEffect(f"{one.name}: one request sent eight times: {statuses}, {len(answers)} answers")
    good = women.body(1)
    wrong = [
        (women.body(2), women.key(0)),
        (good, "short"),
        ({**good, "name": " "}, women.key(1)),
        ({**good, "consent": False}, women.key(1)),
        ({**good, "force_id": "nowhere"}, women.key(1)),
        ({**good, "unknown": 1}, women.key(1)),
        ({**good, "place": {"postcode": "ZZ99 9ZZ"}}, women.key(1)),
        ({**good, "contact": {**good["contact"], "email": "nobody"}}, women.key(1)),
        ({**good, "contact": {**good["contact"], "channels": ["letter"]}}, women.key(1)),
        ({**good, "reasons": ["none-of-ours"]}, women.key(1)),
    ]
    for number, (body, key) in enumerate(wrong):
        answer = await send(body, key)
        if answer.status != 422:
            raise WrongEffect(f"{one.name} answered {answer.status} to what is not valid (number {number})")


async def _opens(stack: Stack, one: Contestant, job: Job, result: Result) -> None:
    """What was sealed opens under the master key, and holds what was sent."""
    vault = Vault.of(stack.secrets.master_key)
    women = Women.of(job.seed, job.data, [])
    sent = {women.body(number)["contact"]["email"] for number in range(job.many)}
    url = login_url(stack.postgres.admin_url, "intake", "web", stack.secrets.passwords["intake_web"])
    database = Database(url.rsplit("/", 1)[0] + f"/{one.database}", largest=1)
    await database.open()
    try:
        async with database.transaction(FORCES) as tx:
            found = await request_rows.requests(tx, [UUID(id_) for id_ in result.requests[:: max(1, job.many // 50)]])
    finally:
        await database.close()
    emails = [open_request(vault, stored).person.email for stored in found.values()]
    if not emails or len(set(emails)) != len(emails) or not sent.issuperset(emails):
        raise WrongEffect(f"{one.name}: what was sealed is not what was sent")


async def _settled(stack: Stack, one: Contestant) -> None:
    """Return when nothing waits for the relay or the sealer; where nobody takes it, it is taken away."""
    waiting = "SELECT (SELECT count(*) FROM outbox_pending) + (SELECT count(*) FROM audit_unsealed)"
    if one.name != OURS:
        await _run_sql(stack, one.database, "TRUNCATE outbox_pending, audit_unsealed")
    async with asyncio.timeout(60):
        while (await _looked_up(stack, one.database, waiting))[0]:  # noqa: ASYNC110  # it happens elsewhere
            await asyncio.sleep(0.1)


async def _looked_up(stack: Stack, database: str, sql: str) -> tuple[Any, ...]:
    connection = await asyncpg.connect(stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{database}")
    try:
        return tuple(await connection.fetchrow(sql) or ())
    finally:
        await connection.close()


async def _run_sql(stack: Stack, database: str, sql: str) -> None:
    connection = await asyncpg.connect(stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{database}")
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def processor(pid: int | None) -> float:
    """Seconds of processor a process and its children have spent."""
    whole = psutil.Process(pid)
    times = [each.cpu_times() for each in itertools.chain([whole], whole.children())]
    return float(sum(each.user + each.system for each in times))
