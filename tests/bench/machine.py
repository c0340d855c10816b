"""What the figures were measured on: cores, versions, and how often a second this disk makes a page durable."""

from __future__ import annotations

import os
import platform
import statistics
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_PAGE = b"\0" * 8192


@dataclass(frozen=True, slots=True)
class Machine:
    """`fsync_rate` and `fsync_rate_after` are 8 kB writes a second, each made durable before the next (fdatasync, as
    `pg_test_fsync` does), before and after all measurements: where they differ much, others use the disk."""

    cores: int
    load: float
    architecture: str
    python: str
    aiokafka: str
    asyncpg: str
    faststream: str
    fsync_rate: int
    fsync_rate_after: int = 0


def describe(folder: Path) -> Machine:
    """This machine; the disk is the one under `folder`."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        load=round(os.getloadavg()[0], 2),
        architecture=platform.machine(),
        python=platform.python_version(),
        aiokafka=version("aiokafka"),
        asyncpg=version("asyncpg"),
        faststream=version("faststream"),
        fsync_rate=fsync_rate(folder / "fsync"),
    )


def fsync_rate(file: Path, seconds: float = 1.0) -> int:
    """8 kB writes a second, each made durable before the next."""
    # The same page again, as the tail of the log is; macOS has no fdatasync.
    durable = getattr(os, "fdatasync", os.fsync)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(handle, _PAGE * 128)
        os.fsync(handle)
        took: list[float] = []
        ends = time.perf_counter() + seconds
        while (began := time.perf_counter()) < ends:
            os.pwrite(handle, _PAGE, 0)
            durable(handle)
            took.append(time.perf_counter() - began)
    finally:
        os.close(handle)
        file.unlink()
    return round(1 / statistics.fmean(took))
