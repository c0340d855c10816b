"""`make test`: the suite as two runs beside each other, each with servers of its own. While one waits for brokers and
leases the other computes, so that two cores are at work most of the time.

Options for pytest go to both; with a path it is one run of pytest, of that.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import IO, Final

import pytest

ROOT: Final = Path(__file__).parents[1]
_ON_THE_STACK: Final = ("tests/browser/test_web_headers.py", "tests/browser/test_html.py")
"""Tests in a browser that look at the whole stack, which the other run starts anyway."""

PARTS: Final[Mapping[str, Sequence[str]]] = {
    "the parts": (
        *("tests/unit", "tests/architecture", "tests/contracts", "tests/integration", "tests/model", "tests/browser"),
        *(f"--ignore={path}" for path in _ON_THE_STACK),
    ),
    # Last what wrecks: bad input erases women, ends walks and fills queues.
    "the whole": ("tests/flow", "tests/faults", *_ON_THE_STACK, "tests/misuse"),
}

_NOTHING: Final = int(pytest.ExitCode.NO_TESTS_COLLECTED)


class Run:
    """One run of pytest, whose words are kept until they may be said."""

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        self.name = name
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._kept: list[bytes] = []
        self._aloud = False
        self._reading = Thread(target=self._read, args=(self.process.stdout,))
        self._reading.start()

    def _read(self, said: IO[bytes]) -> None:
        while some := said.read1(65536):  # type: ignore[attr-defined] # a buffered reader
            self._kept.append(some)
            if self._aloud:
                self._say()

    def _say(self) -> None:
        while self._kept:
            sys.stdout.buffer.write(self._kept.pop(0))
        sys.stdout.buffer.flush()

    def listen(self) -> int:
        """Say what it said, and go on until it has ended; how it ended."""
        print(f"\n=== {self.name} ===", flush=True)  # noqa: T201 - a command
        self._aloud = True
        self._reading.join()
        self._say()
        return self.process.wait()


def main(options: Sequence[str]) -> int:
    """Run both, or one where something is named; 0 only if all is well."""
    if any((ROOT / option.partition("::")[0]).exists() for option in options if not option.startswith("-")):
        return subprocess.call([sys.executable, "-m", "pytest", *options], cwd=ROOT)
    runs = [Run(name, [*arguments, *options]) for name, arguments in PARTS.items()]

    def end(number: int, frame: FrameType | None) -> None:
        for run in runs:
            run.process.send_signal(number)

    # Ctrl-C reaches them by itself; each stops its servers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    ended = [abs(run.listen()) for run in runs]
    # Options may choose tests of one of them alone.
    return max(ended) if set(ended) == {_NOTHING} else max(code for code in ended if code != _NOTHING)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
