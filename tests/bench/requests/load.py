"""The load generator, a process of its own: one job of JSON in (tests.bench.requests.jobs), one result out."""

from __future__ import annotations

import asyncio
import random
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from time import perf_counter, time
from typing import Any, Final
from urllib.parse import urlencode

from shared.runtime import settle
from tests.bench.requests.http import Answer, Connection, request
from tests.bench.requests.jobs import Job, Result
from tests.bench.requests.women import Women, every_part, quiet_parts

_TOKEN: Final = re.compile(rb'name="csrf_token" value="([0-9a-f]+)"')
_FORM: Final = "/avon-and-somerset/request"


def arrivals(seed: int, many: int, a_second: float) -> list[float]:
    """When each of a Poisson stream comes, in seconds from its beginning; fixed before anything is sent."""
    chance, at, found = random.Random(seed), 0.0, []
    for _ in range(many):
        at += chance.expovariate(a_second)
        found.append(at)
    return found


async def closed(port: int, calls: Sequence[bytes], at_once: int) -> Result:
    """Each connection sends its next request when the last was answered."""
    connections = [await Connection.open(port) for _ in range(at_once)]
    waiting = iter(calls)
    answers: list[Answer] = []

    async def go(connection: Connection) -> None:
        for call in waiting:
            answers.append(await connection.ask(call))

    settle()
    began = perf_counter()
    await asyncio.gather(*(go(connection) for connection in connections))
    ended = perf_counter()
    for connection in connections:
        connection.close()
    return _result(ended - began, answers)


async def open_loop(port: int, calls: Sequence[bytes], due: Sequence[float], at_once: int) -> Result:
    """Each request is sent when it is due, however the others fare. One that finds no connection free waits for one,
    and its time runs from when it was due."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(at_once):
        free.put_nowait(await Connection.open(port))
    answers: list[Answer | None] = [None] * len(calls)
    took = [0.0] * len(calls)
    settle()
    # Epoch and monotonic clock are read together: what others write down is on the epoch's.
    began, epoch = perf_counter() + 0.05, time() + 0.05

    async def send(number: int) -> None:
        connection = await free.get()
        answers[number] = await connection.ask(calls[number])
        took[number] = perf_counter() - began - due[number]
        free.put_nowait(connection)

    sending = []
    for number, at in enumerate(due):
        wait = began + at - perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        sending.append(asyncio.create_task(send(number)))
    await asyncio.gather(*sending)
    whole = [one for one in answers if one is not None]
    found = _result(perf_counter() - began, whole)
    return found.model_copy(update={"took": took, "due": [epoch + at for at in due]})


def _result(seconds: float, answers: Sequence[Answer]) -> Result:
    statuses: dict[int, int] = {}
    for one in answers:
        statuses[one.status] = statuses.get(one.status, 0) + 1
    requests = [str(one.json()["request_id"]) for one in answers if one.status == 201]
    return Result(seconds=seconds, statuses=statuses, requests=requests)


def _cookies(found: dict[str, str]) -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={value}" for name, value in found.items())}


async def first_page(job: Job) -> Result:
    """The page of the first question, as somebody opens it who was never here."""
    found = await closed(job.port, [request("GET", f"{_FORM}/eligibility")] * job.many, job.at_once)
    return found


async def answers(job: Job) -> Result:
    """Each person answers the question of the place again and again: token, form, sealed draft read and written."""
    store = Women.of(job.seed, job.data, []).postcodes["avon-and-somerset"]
    chance = random.Random(job.seed)

    async def begin() -> tuple[Connection, list[bytes]]:
        connection = await Connection.open(job.port)
        page = await connection.ask(request("GET", f"{_FORM}/eligibility"))
        cookies = page.cookies()
        [token] = _TOKEN.findall(page.body)[:1]
        fields = {"csrf_token": token.decode()}
        kind = "application/x-www-form-urlencoded"
        body = urlencode({**fields, "adult": "yes"}).encode()
        begun = await connection.ask(
            request("POST", f"{_FORM}/eligibility", body=body, kind=kind, headers=_cookies(cookies))
        )
        cookies |= begun.cookies()
        calls = [
            request(
                "POST",
                f"{_FORM}/place",
                body=urlencode({**fields, "postcode": chance.choice(store)}).encode(),
                kind=kind,
                headers=_cookies(cookies),
            )
            for _ in range(job.many // job.at_once)
        ]
        return connection, calls

    people = [await begin() for _ in range(job.at_once)]
    found: list[Answer] = []

    async def go(connection: Connection, calls: Sequence[bytes]) -> None:
        for call in calls:
            found.append(await connection.ask(call))

    settle()
    began = perf_counter()
    await asyncio.gather(*(go(*person) for person in people))
    ended = perf_counter()
    return _result(ended - began, found)


async def walk_requests(job: Job) -> Result:
    """Requests for a walk by the API, one after another on each connection."""
    return await closed(job.port, _calls(job), job.at_once)


async def arriving(job: Job) -> Result:
    """Requests for a walk by the API, as a Poisson stream."""
    return await open_loop(job.port, _calls(job), arrivals(job.seed, job.many, job.a_second), job.at_once)


def _calls(job: Job) -> list[bytes]:
    now = datetime.now(UTC)
    women = Women.of(job.seed, job.data, quiet_parts(now) if job.quiet else every_part(now))
    return [women.call(number) for number in range(job.many)]


JOBS: Final[dict[str, Callable[[Job], Awaitable[Result]]]] = {
    "walk requests": walk_requests,
    "arrivals": arriving,
    "first page": first_page,
    "answers": answers,
}


def _main() -> None:
    job = Job.model_validate_json(sys.stdin.buffer.read())
    working: Any = JOBS[job.what](job)
    if sys.platform == "win32":
        result = asyncio.run(working)
    else:
        import uvloop

        result = uvloop.run(working)
    sys.stdout.write(result.model_dump_json())


if __name__ == "__main__":
    _main()
