"""Apache Kafka from Maven's jars (KRaft, controller and broker in one process), for the tests: one broker or three."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.embedded import kafka_protocol
from shared.embedded.processes import end, wait_until
from tests.servers.jars import CACHE, copied, version_in

POM = Path(__file__).parent / "kafka" / "pom.xml"


def kafka_version() -> str:
    """The version named once, in the pom."""
    return version_in(POM, "kafka")


def jars() -> Path:
    """The folder of Kafka's jars, filled by Maven the first time. Raises Lacking, naming what is missing."""
    version, kept = kafka_version(), os.environ.get("WALKANDTALK_KAFKA_CACHE")
    folder = Path(kept) if kept else CACHE / f"kafka-{version}"
    return copied(POM, folder, f"kafka_2.13-{version}", f"Apache Kafka {version}")


@dataclass(frozen=True)
class Door:
    """One more listener of a broker, for clients that are told to come by another port: a proxy's."""

    name: str
    port: int
    advertised: int


class ApacheKafka:
    """A broker on 127.0.0.1 whose records live in `folder`: kept over stop, kill and start.

    One of several knows the controller ports of all, by node.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        controller_port: int,
        *,
        node: int = 1,
        voters: Mapping[int, int] | None = None,
        doors: Iterable[Door] = (),
    ) -> None:
        self.folder = folder
        self.port = port
        self.controller_port = controller_port
        self.node = node
        self._voters = dict(voters or {node: controller_port})
        self._doors = tuple(doors)
        self.bootstrap = f"127.0.0.1:{port}"
        self.log = folder / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def running(self) -> bool:
        """Whether the broker's process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, seconds: float = 60) -> None:
        """Format the folder the first time, start the broker and wait until it answers a metadata request."""
        if self._process is not None and self._process.poll() is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        properties.write_text(self._properties())
        if not (self.folder / "data" / "meta.properties").exists():
            self._java(
                "kafka.tools.StorageTool", "format", "--config", str(properties),
                "--cluster-id", "MkU3OEVBNTcwNTJENDM2Qg", "--ignore-formatted",
            )  # fmt: skip
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command("kafka.Kafka", str(properties), heap="512m"),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                # Its own session, as every server of ours: Ctrl-C reaches the tests alone, which then end it in order.
                start_new_session=True,
            )
        wait_until(
            lambda: kafka_protocol.answers(self.port),
            process=self._process,
            what="Apache Kafka",
            log=self.log,
            seconds=seconds,
        )

    def stop(self) -> None:
        """Stop in good order."""
        if self._process is not None:
            end(self._process, seconds=30)
            self._process = None

    def kill(self) -> None:
        """End without a chance to write anything (SIGKILL), and wait until the process is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop, then start on the same records."""
        self.stop()
        self.start()

    def _command(self, main: str, *arguments: str, heap: str) -> list[str]:
        return [
            "java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
            f"-Dlog4j2.configurationFile={POM.parent / 'log4j2.properties'}",
            "-cp", f"{jars()}/*", main, *arguments,
        ]  # fmt: skip

    def _java(self, main: str, *arguments: str) -> None:
        done = subprocess.run(
            self._command(main, *arguments, heap="256m"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{main} failed:\n{done.stdout[-2000:]}")

    def _properties(self) -> str:
        own = [("PLAINTEXT", self.port, self.port), *((door.name, door.port, door.advertised) for door in self._doors)]
        copies = len(self._voters)
        insync = max(1, copies - 1)
        return f"""\
process.roles=broker,controller
node.id={self.node}
controller.quorum.voters={",".join(f"{node}@127.0.0.1:{port}" for node, port in self._voters.items())}
listeners={",".join(f"{name}://127.0.0.1:{port}" for name, port, _ in own)},CONTROLLER://127.0.0.1:{self.controller_port}
advertised.listeners={",".join(f"{name}://127.0.0.1:{port}" for name, _, port in own)}
listener.security.protocol.map={",".join(f"{name}:PLAINTEXT" for name, *_ in own)},CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={self.folder / "data"}
auto.create.topics.enable=false
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.num.partitions=4
transaction.state.log.min.isr={insync}
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.min.isr={insync}
min.insync.replicas={insync}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# A killed broker's session with its own controller ends sooner, so a restart is ready sooner.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads={2 if copies == 1 else 1}
num.io.threads=4
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.threads=1
"""


class KafkaCluster:
    """Three brokers, each a controller too. With `doors`, clients of each name come by a port of their own.

    `doors` is, by name, the port that each broker advertises to these clients, in the order of brokers.
    """

    def __init__(self, folder: Path, ports: Iterable[int], doors: Mapping[str, tuple[int, ...]] | None = None) -> None:
        free = iter(ports)
        pairs = [(next(free), next(free)) for _ in range(BROKERS)]
        voters = {node: controller for node, (_, controller) in enumerate(pairs, 1)}
        self.brokers = {
            node: ApacheKafka(
                folder / f"broker-{node}",
                port,
                controller,
                node=node,
                voters=voters,
                doors=[Door(name, next(free), there[node - 1]) for name, there in (doors or {}).items()],
            )
            for node, (port, controller) in enumerate(pairs, 1)
        }
        self._doors = dict(doors or {})
        self.bootstrap = ",".join(broker.bootstrap for broker in self.brokers.values())

    def behind(self, name: str) -> list[int]:
        """The ports of the brokers themselves behind a door, in order."""
        return [door.port for broker in self.brokers.values() for door in broker._doors if door.name == name]

    def bootstrap_of(self, name: str) -> str:
        """Where clients that come by this door begin."""
        return ",".join(f"127.0.0.1:{port}" for port in self._doors[name])

    @property
    def log(self) -> Path:
        return self.brokers[1].log

    @property
    def pid(self) -> int | None:
        return self.brokers[1].pid

    def running(self) -> bool:
        """Whether every broker's process runs."""
        return all(broker.running() for broker in self.brokers.values())

    def start(self, seconds: float = 120) -> None:
        """Start every broker that does not run, together: alone none of them has a quorum."""
        with ThreadPoolExecutor(BROKERS) as pool:
            list(pool.map(lambda broker: broker.start(seconds), self.brokers.values()))

    def stop(self) -> None:
        """Stop every broker in good order."""
        with ThreadPoolExecutor(BROKERS) as pool:
            list(pool.map(ApacheKafka.stop, self.brokers.values()))

    def kill(self) -> None:
        """SIGKILL every broker."""
        for broker in self.brokers.values():
            broker.kill()

    def controller(self, seconds: float = 30) -> int:
        """The node that leads the quorum of controllers now."""
        deadline = time.monotonic() + seconds
        while True:
            for broker in self.brokers.values():
                leader = _quorum_leader(broker.port) if broker.running() else -1
                if leader in self.brokers:
                    return leader
            if time.monotonic() > deadline:
                raise TimeoutError(f"no controller leads after {seconds:.0f} seconds")
            time.sleep(0.2)


BROKERS: Final = 3
_DESCRIBE_QUORUM: Final = 55


def _quorum_leader(port: int) -> int:
    """Who leads, as this broker is told (DescribeQuorum v0), or -1: clients have no request for it."""
    topic = b"__cluster_metadata"
    header = struct.pack(">hhih", _DESCRIBE_QUORUM, 0, 1, -1) + b"\0"
    # One topic of one partition: compact arrays and strings carry their length plus one, structures end in no tags.
    body = b"\x02" + bytes([len(topic) + 1]) + topic + b"\x02" + struct.pack(">i", 0) + b"\0" + b"\0" + b"\0"
    request = header + body
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(4096)
    except OSError:
        return -1
    # size, correlation, tags, error code, then the topic as above, its partition's number, error code and leader.
    place = 4 + 4 + 1 + 2 + 1 + 1 + len(topic) + 1 + 4
    if len(answer) < place + 6 or struct.unpack_from(">h", answer, 9)[0] or struct.unpack_from(">h", answer, place)[0]:
        return -1
    return int(struct.unpack_from(">i", answer, place + 2)[0])
