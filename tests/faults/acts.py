"""Does what the schedule says, and undoes it: one method a kind of fault."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.database import TRANSIENT
from shared.embedded.program import Program
from shared.embedded.stack import POSTGRES
from tests.faults.ground import Ground, Ways
from tests.faults.records import Mischief
from tests.faults.schedule import Fault, Kind
from tests.servers.tcp_proxy import TcpProxy

PATIENCE: Final = 240.0
"""Seconds a killed broker may take to answer again: a limit of the run, not a figure."""
WHOLE_AGAIN: Final = 120.0
"""Seconds the brokers get to be three equal copies again before the next of them is killed."""


class Acts:
    """Faults on this ground. Each act returns the loop's time at which its fault ended.

    A fault ends when what was killed is started again (its starting counts as recovery), connections are let
    through, the disk is freed, the clock is right, the records are on their topics.
    """

    def __init__(self, ground: Ground, mischief: Mischief) -> None:
        self._ground = ground
        self._stack = ground.stack
        self._mischief = mischief
        self._acts: dict[Kind, Callable[[Fault], Awaitable[float]]] = {
            Kind.KILL_SERVICE: lambda fault: self._kill(self._stack.programs[fault.target], fault.seconds),
            Kind.KILL_RELAY_LEADER: self._kill_relay_leader,
            Kind.KILL_BROKER: lambda fault: self._kill_broker(int(fault.target), fault.seconds),
            Kind.KILL_CONTROLLER: self._kill_controller,
            Kind.KILL_POSTGRES: self._kill_postgres,
            Kind.END_RELAY_SESSION: lambda fault: self._end_sessions(fault.target, "walkandtalk relay"),
            Kind.END_POOL_SESSIONS: lambda fault: self._end_sessions(fault.target, "walkandtalk"),
            Kind.CUT_POSTGRES: lambda fault: self._disturb(fault, _to_postgres, "cut"),
            Kind.CUT_KAFKA: lambda fault: self._disturb(fault, _to_kafka, "cut"),
            Kind.STALL_POSTGRES: lambda fault: self._disturb(fault, _to_postgres, "stall"),
            Kind.STALL_KAFKA: lambda fault: self._disturb(fault, _to_kafka, "stall"),
            Kind.DELAY_POSTGRES: lambda fault: self._disturb(fault, _to_postgres, "delay"),
            Kind.DELAY_KAFKA: lambda fault: self._disturb(fault, _to_kafka, "delay"),
            Kind.FILL_DISK: self._fill_disk,
            Kind.STEP_CLOCK: self._step_clock,
            Kind.REPEAT_RECORDS: self._repeat_records,
            Kind.SWAP_RECORDS: self._swap_records,
            Kind.SPOIL_RECORDS: self._spoil_records,
            Kind.REBALANCE: self._rebalance,
        }

    async def act(self, fault: Fault) -> float:
        """Let it happen, and end it."""
        return await self._acts[fault.kind](fault)

    def ended_by_themselves(self) -> list[str]:
        """What does not run although nobody killed it, or it was started again."""
        programs = {**self._stack.programs, **{one.name: one for one in self._stack.seconds.values()}}
        found = [name for name, program in programs.items() if not program.running()]
        found += [f"broker {node}" for node, broker in self._ground.cluster.brokers.items() if not broker.running()]
        return found + ([] if self._stack.postgres.running() else [POSTGRES])

    async def _kill(self, program: Program, seconds: float) -> float:
        await asyncio.to_thread(program.kill)
        await asyncio.sleep(seconds)
        ended = _now()
        program.start()
        return ended

    async def _kill_relay_leader(self, fault: Fault) -> float:
        leader = await self._ground.relay_leader(fault.target)
        return await self._kill(leader or self._stack.programs[fault.target], fault.seconds)

    async def _kill_broker(self, node: int, seconds: float) -> float:
        await self._brokers_whole()
        broker = self._ground.cluster.brokers[node]
        await asyncio.to_thread(broker.kill)
        await asyncio.sleep(seconds)
        ended = _now()
        await asyncio.to_thread(broker.start, PATIENCE)
        return ended

    async def _kill_controller(self, fault: Fault) -> float:
        return await self._kill_broker(await asyncio.to_thread(self._ground.cluster.controller), fault.seconds)

    async def _brokers_whole(self) -> None:
        """One broker at a time: wait until every partition has all its copies in step."""
        async with asyncio.timeout(WHOLE_AGAIN):
            while True:
                admin = AIOKafkaAdminClient(bootstrap_servers=self._ground.cluster.bootstrap, request_timeout_ms=5_000)
                with suppress(KafkaError, OSError):
                    try:
                        await admin.start()
                        topics = await admin.describe_topics()
                        partitions = [one for topic in topics for one in topic["partitions"]]
                        if partitions and all(len(one["isr"]) == len(one["replicas"]) == 3 for one in partitions):
                            return
                    finally:
                        await admin.close()
                await asyncio.sleep(0.2)

    async def _kill_postgres(self, fault: Fault) -> float:
        await asyncio.to_thread(self._stack.kill, POSTGRES)
        await asyncio.sleep(fault.seconds)
        ended = _now()
        await asyncio.to_thread(self._stack.start, POSTGRES)
        return ended

    async def _end_sessions(self, service: str, name: str) -> float:
        with suppress(*TRANSIENT):
            connection = await asyncpg.connect(self._stack.postgres.admin_url)
            try:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = $1 AND application_name = $2",
                    service,
                    name,
                )
            finally:
                await connection.close()
        return _now()

    async def _disturb(self, fault: Fault, which: Callable[[Ways], list[TcpProxy]], how: str) -> float:
        proxies = which(self._ground.ways[fault.target])
        for proxy in proxies:
            match how:
                case "cut":
                    proxy.cut()
                case "stall":
                    proxy.stall()
                case _:
                    proxy.delay = fault.amount
        await asyncio.sleep(fault.seconds)
        for proxy in proxies:
            proxy.mend()
        return _now()

    async def _fill_disk(self, fault: Fault) -> float:
        """Not a byte is left; what PostgreSQL frees is taken too. It may panic, and may not come back by itself."""
        assert self._ground.disk is not None
        ballast = self._ground.disk / "ballast"
        until = _now() + fault.seconds + 1.0
        while _now() < until:
            await asyncio.to_thread(_fill, self._ground.disk, ballast)
            await self._want_room()
            await asyncio.sleep(0.2)
        ballast.unlink(missing_ok=True)
        ended = _now()
        await asyncio.sleep(0.5)
        if not self._stack.postgres.running():
            await asyncio.to_thread(self._stack.start, POSTGRES)
        return ended

    async def _want_room(self) -> None:
        """Make the server begin another segment of its log, so that it meets the end of the disk there as well."""
        with suppress(*TRANSIENT, asyncpg.PostgresError):
            connection = await asyncpg.connect(self._stack.postgres.admin_url, timeout=2)
            try:
                await connection.execute("SELECT pg_logical_emit_message(true, '', ''); SELECT pg_switch_wal()")
            finally:
                await connection.close(timeout=2)

    async def _step_clock(self, fault: Fault) -> float:
        clock = self._stack.clock(fault.target)
        _write(clock, f"{fault.amount:+.0f}")
        await asyncio.sleep(fault.seconds)
        _write(clock, "+0")
        return _now()

    async def _repeat_records(self, fault: Fault) -> float:
        await self._mischief.repeat(fault.target, int(fault.amount))
        return _now()

    async def _swap_records(self, fault: Fault) -> float:
        await self._mischief.swap(fault.target, int(fault.amount))
        return _now()

    async def _spoil_records(self, fault: Fault) -> float:
        await self._mischief.spoil(fault.target, int(fault.amount))
        return _now()

    async def _rebalance(self, fault: Fault) -> float:
        """The second member leaves in good order, and comes back."""
        second = self._stack.seconds[fault.target]
        await asyncio.to_thread(second.stop)
        await asyncio.sleep(fault.seconds)
        ended = _now()
        second.start()
        return ended


def _now() -> float:
    return asyncio.get_running_loop().time()


def _to_postgres(ways: Ways) -> list[TcpProxy]:
    return [ways.postgres]


def _to_kafka(ways: Ways) -> list[TcpProxy]:
    return ways.kafka


def _fill(disk: Path, ballast: Path) -> None:
    free = os.statvfs(disk)
    with ballast.open("ab") as out, suppress(OSError):
        os.posix_fallocate(out.fileno(), out.tell(), max(1, free.f_bavail * free.f_frsize))


def _write(clock: Path, text: str) -> None:
    draft = clock.with_suffix(".draft")
    draft.write_text(text + "\n")
    os.replace(draft, clock)
