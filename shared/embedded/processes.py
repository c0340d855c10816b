"""Child processes of one machine: ports, waiting until ready, stopping, and recognising our own leftovers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil


class NotReady(RuntimeError):
    """A process ended, or did not answer in time, before it was ready."""


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection of an earlier run still in TIME_WAIT does not make the port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None, *, avoid: Iterable[int] = ()) -> int:
    """The preferred port or one of the fifty after it that is free and not in `avoid`, else any free one."""
    taken = set(avoid)
    if preferred is not None:
        for port in range(preferred, min(preferred + 50, 65536)):
            if port not in taken and port_is_free(port):
                return port
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def wait_until(
    ready: Callable[[], bool], *, process: subprocess.Popen[bytes], what: str, log: Path | None, seconds: float
) -> None:
    """Return once `ready()` is true; raise NotReady with the end of the log if the process ends or time is up."""
    deadline = time.monotonic() + seconds
    pause = 0.02
    while not ready():
        if process.poll() is not None:
            raise NotReady(f"{what} ended with exit code {process.returncode} before it was ready.{end_of(log)}")
        if time.monotonic() > deadline:
            raise NotReady(f"{what} was not ready within {seconds:.0f} seconds.{end_of(log)}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


def end_of(log: Path | None, lines: int = 12) -> str:
    """The last lines of a log, ready to append to a sentence; empty when there is none."""
    if log is None or not log.is_file():
        return ""
    tail = log.read_text(errors="replace").splitlines()[-lines:]
    return f" The end of {log}:\n" + "\n".join(tail) if tail else ""


def end(process: subprocess.Popen[bytes], *, with_signal: int = signal.SIGTERM, seconds: float = 15) -> None:
    """Ask our child to stop and wait for it; after `seconds`, kill it. A child that has ended is only reaped."""
    if process.poll() is None:
        process.send_signal(with_signal)
        try:
            process.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


@dataclass(frozen=True)
class Birth:
    """A process named so that a later one with the same number is not taken for it."""

    pid: int
    started: float
    """Seconds since the epoch, as the operating system tells it."""

    @classmethod
    def of(cls, pid: int) -> Birth | None:
        """The process now running under this number, or None."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return cls(pid, process.create_time())
        except psutil.Error:
            return None

    def alive(self) -> bool:
        """Whether that very process still runs."""
        now = Birth.of(self.pid)
        # The clock may be stepped between two readings of the same process; a reused number is far younger.
        return now is not None and abs(now.started - self.started) < 2


@dataclass(frozen=True)
class PidFile:
    """Remembers a child across a crash of its parent, so that the next start can end what was left running."""

    path: Path

    def write(self, pid: int) -> None:
        born = Birth.of(pid)
        if born is None:
            return
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps({"pid": born.pid, "started": born.started}))
        os.replace(draft, self.path)

    def read(self) -> Birth | None:
        try:
            kept = json.loads(self.path.read_text())
            return Birth(int(kept["pid"]), float(kept["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)

    def end_leftover(self, *, with_signal: int = signal.SIGTERM, seconds: float = 10) -> bool:
        """End the process an earlier run left behind, if it is still that process. True if one was ended."""
        born = self.read()
        self.forget()
        return born is not None and end_stranded(born, with_signal=with_signal, seconds=seconds)


def end_stranded(born: Birth, *, with_signal: int = signal.SIGTERM, seconds: float = 10) -> bool:
    """End a process that is not our child: signal it, wait, then kill it. False if it was gone already."""
    if not born.alive():
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(born.pid, with_signal)
    if not _gone(born, seconds):
        with contextlib.suppress(ProcessLookupError):
            os.kill(born.pid, signal.SIGKILL)
        _gone(born, 5)
    return True


def _gone(born: Birth, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while born.alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
