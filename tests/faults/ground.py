"""What the faults act on: four services of two processes each, three brokers and a PostgreSQL, every way a proxy."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx

from shared.bus.topics import Topics, apply
from shared.contracts.catalogue import SERVICES
from shared.embedded.processes import free_port
from shared.embedded.program import ROOT, Program
from shared.embedded.stack import Ports, Stack
from shared.policies import Policies
from tests.servers.apache_kafka import BROKERS, KafkaCluster
from tests.servers.tcp_proxy import TcpProxy
from tests.servers.whole import ports_of_our_own, with_postcodes

FAKETIME: Final = (
    Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"),
    Path("/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"),
)
DISK: Final = 900 * 1024 * 1024
"""Bytes of the small filesystem under PostgreSQL: its databases, its log of changes, and a ballast to fill the rest."""


@dataclass
class Ways:
    """The proxies of one service: to its database, and to each broker."""

    postgres: TcpProxy
    kafka: list[TcpProxy]

    def all(self) -> list[TcpProxy]:
        return [self.postgres, *self.kafka]


class ProxiedStack(Stack):
    """The stack on a cluster, every service behind proxies of its own, with a second process of each for the bus."""

    def __init__(self, folder: Path, ports: Ports, cluster: KafkaCluster, ways: Mapping[str, Ways]) -> None:
        super().__init__(folder, ports, broker=cluster)
        self._cluster = cluster
        self._ways = ways
        self.seconds: dict[str, Program] = {}
        """By service: another process of its bus role, so that a relay's lead and partitions have somewhere to go."""

    def environment(self, service: str) -> dict[str, str]:
        found = super().environment(service)
        for name in ("WALKANDTALK_DATABASE_WEB_URL", "WALKANDTALK_DATABASE_BUS_URL"):
            parts = urlsplit(found[name])
            there = f"{parts.netloc.rpartition(':')[0]}:{self._ways[service].postgres.port}"
            found[name] = urlunsplit(parts._replace(netloc=there))
        found["WALKANDTALK_KAFKA_BOOTSTRAP"] = self._cluster.bootstrap_of(door(service))
        library = next((one for one in FAKETIME if one.exists()), None)
        if library is not None:
            clock = self.clock(service)
            clock.parent.mkdir(exist_ok=True)
            clock.write_text("+0\n")
            found |= {
                "LD_PRELOAD": str(library),
                "FAKETIME_TIMESTAMP_FILE": str(clock),
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "FAKETIME_CACHE_DURATION": "1",
            }
        return found

    def clock(self, service: str) -> Path:
        """What the processes of a service look at to know how wrong their clock is."""
        return self.folder / "clocks" / service

    def open(self) -> None:
        super().open()
        taken: list[int] = []
        for service in SERVICES:
            port = free_port(avoid=taken)
            taken.append(port)
            environment = self.environment(service) | {
                "WALKANDTALK_ROLES": "bus",
                "WALKANDTALK_PORT": str(port),
                "WALKANDTALK_DATABASE_CONNECTIONS": "6",
            }
            second = Program(f"{service}-2", f"services.{service}.app", port, self.folder, (), environment)
            self.seconds[service] = second
            second.start()
        for second in self.seconds.values():
            second.wait()

    def close(self) -> None:
        for second in self.seconds.values():
            second.ask_to_stop()
        for second in self.seconds.values():
            second.stop()
        super().close()

    def members(self, service: str) -> list[Program]:
        """Both processes of a service, the one with pages first."""
        return [self.programs[service], self.seconds[service]]


@dataclass
class Ground:
    """Everything that runs, and what faults need to know of it."""

    folder: Path
    cluster: KafkaCluster
    stack: ProxiedStack
    ways: dict[str, Ways]
    disk: Path | None
    """Where the small filesystem under PostgreSQL is mounted, or None where nobody may mount one."""
    lacking: list[str] = field(default_factory=list)
    """Kinds of fault that this machine cannot make, with what it lacks."""

    @property
    def has_clock(self) -> bool:
        return any(one.exists() for one in FAKETIME)

    async def relay_leader(self, service: str) -> Program | None:
        """The process whose relay publishes now."""
        async with httpx.AsyncClient(timeout=2) as client:
            for program in self.stack.members(service):
                try:
                    answer = await client.get(f"http://127.0.0.1:{program.port}/metrics")
                except httpx.HTTPError:
                    continue
                if "\nwalkandtalk_relay_leading 1.0" in answer.text:
                    return program
        return None


def door(service: str) -> str:
    """The listener that a service's processes come by."""
    return service.upper()


@asynccontextmanager
async def standing(folder: Path) -> AsyncIterator[Ground]:
    """Start everything; leave nothing behind."""
    ports = _free_ports(BROKERS * 2 + len(SERVICES) * (2 * BROKERS + 1))
    kafka_ports = {service: [next(ports) for _ in range(BROKERS)] for service in SERVICES}
    own = [next(ports) for _ in range(BROKERS * (2 + len(SERVICES)))]
    cluster = KafkaCluster(
        folder / "kafka", own, {door(service): tuple(there) for service, there in kafka_ports.items()}
    )
    stack_ports = ports_of_our_own()
    ways = {
        service: Ways(
            TcpProxy(next(ports), stack_ports.postgres),
            [TcpProxy(*pair) for pair in zip(kafka_ports[service], cluster.behind(door(service)), strict=True)],
        )
        for service in SERVICES
    }
    stack = ProxiedStack(with_postcodes(folder / "stack"), stack_ports, cluster, ways)
    disk, lacking = _small_disk(folder / "stack" / "postgres")
    ground = Ground(folder, cluster, stack, ways, disk, lacking)
    if not ground.has_clock:
        lacking.append("a stepped clock: libfaketime (Debian: faketime)")
    try:
        for way in ways.values():
            for proxy in way.all():
                await proxy.start()
        await asyncio.to_thread(cluster.start)
        policies = Policies.read(ROOT / "deploy" / "forces")
        topics = Topics.read(ROOT / "deploy" / "topics.yaml")
        await apply(cluster.bootstrap, topics.everything(policies))
        # Not to_thread: what the stack starts must find its ports as they were chosen.
        await asyncio.to_thread(stack.open)
        await asyncio.to_thread(stack.wait_for_bus)
        yield ground
    finally:
        await asyncio.to_thread(stack.close)
        for way in ways.values():
            for proxy in way.all():
                await proxy.stop()
        await asyncio.to_thread(cluster.kill)
        if disk is not None:
            await asyncio.to_thread(subprocess.run, ["umount", "-l", str(disk)], check=False)


def _free_ports(many: int) -> Iterator[int]:
    chosen: list[int] = []
    for _ in range(many):
        chosen.append(free_port(avoid=chosen))
    return iter(chosen)


def _small_disk(place: Path) -> tuple[Path | None, list[str]]:
    """A filesystem of its own for PostgreSQL, so small that it can be filled."""
    place.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return None, ["a full disk: root, to mount a small filesystem"]
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0711", "walkandtalk-faults", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return None, ["a full disk: the right to mount a small filesystem"]
    return place, []
