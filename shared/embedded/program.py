"""One Python program of the stack: a child process with a log, a pid file and an address that says it is ready."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.embedded.processes import PidFile, end, wait_until

ROOT = Path(__file__).resolve().parents[2]
_LARGEST_LOG = 10 * 1024 * 1024


@dataclass
class Program:
    """`python -m MODULE ARGUMENTS` with an environment of its own."""

    name: str
    module: str
    port: int
    folder: Path
    """Keeps logs/NAME.log and run/NAME.pid."""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def pid_file(self) -> PidFile:
        """Names its process for the next start after a crash of ours."""
        return PidFile(self.folder / "run" / f"{self.name}.pid")

    @property
    def pid(self) -> int | None:
        """The number of the running process, or None."""
        return None if self._process is None else self._process.pid

    def running(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it if it does not run; `wait` tells when it is ready."""
        if self.running():
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.pid_file.path.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        # Nothing of the shell's own settings may leak in: a service sees exactly what the stack decided.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WALKANDTALK_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                # One arena: threads otherwise reserve memory that a service of this size never uses.
                env={**kept, "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "1", **self.environment},
                start_new_session=True,
            )
        self.pid_file.write(self._process.pid)

    def wait(self, seconds: float = 60) -> None:
        """Return when it is ready; raises NotReady with the end of its log."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        wait_until(self.ready, process=self._process, what=self.name, log=self.log, seconds=seconds)

    def ready(self, path: str = "/health/ready") -> bool:
        """Whether it answers at this path that it is ready."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", path, headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """SIGTERM, and wait until it has ended."""
        if self._process is not None:
            end(self._process, seconds=20)
            self._forget()

    def ask_to_stop(self) -> None:
        """SIGTERM without waiting, so that several can end at the same time; `stop` waits."""
        if self.running() and self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """SIGKILL, for fault tests; returns when the process is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._forget()

    def _forget(self) -> None:
        self._process = None
        self.pid_file.forget()
