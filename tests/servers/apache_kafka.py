"""One Apache Kafka broker from Maven's jars (KRaft, controller and broker in one process), for the tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

from shared.embedded import kafka_protocol
from shared.embedded.processes import end, wait_until

POM = Path(__file__).parent / "kafka" / "pom.xml"


class Lacking(RuntimeError):
    """This machine lacks something Apache Kafka needs; the message names it."""


def kafka_version() -> str:
    """The version named once, in the pom."""
    version = ET.parse(POM).findtext("properties/kafka.version")
    if not version:
        raise LookupError(f"{POM} names no kafka.version")
    return version


def jars() -> Path:
    """The folder of Kafka's jars, filled by Maven the first time. Raises Lacking, naming what is missing."""
    version = kafka_version()
    kept = os.environ.get("WALKANDTALK_KAFKA_CACHE")
    folder = Path(kept) if kept else Path.home() / ".cache" / "walkandtalk" / f"kafka-{version}"
    if shutil.which("java") is None:
        raise Lacking("Java 17 (Debian: openjdk-17-jre-headless)")
    whole = folder / f"kafka_2.13-{version}.whole"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if whole.exists():
            return folder
        if shutil.which("mvn") is None:
            raise Lacking("Maven, to get the jars of Apache Kafka (Debian: maven)")
        copied = subprocess.run(
            [
                "mvn",
                "-q",
                "-B",
                "-f",
                str(POM),
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
                f"-DoutputDirectory={folder}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if copied.returncode:
            raise Lacking(f"the jars of Apache Kafka {version}: Maven said\n{copied.stdout[-2000:]}")
        # Written last: an interrupted download is completed by the next run instead of being taken as whole.
        whole.touch()
    return folder


class ApacheKafka:
    """A broker on 127.0.0.1 whose records live in `folder`: kept over stop, kill and start."""

    def __init__(self, folder: Path, port: int, controller_port: int) -> None:
        self.folder = folder
        self.port = port
        self.controller_port = controller_port
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
        return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self.controller_port}
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={self.folder / "data"}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# A killed broker's session with its own controller ends sooner, so a restart is ready sooner.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.threads=1
"""
