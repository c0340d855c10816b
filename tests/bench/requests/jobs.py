"""What the load generator is told, and what it tells."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from tests.bench.requests.http import Broken

_GENERATOR: Final = "tests.bench.requests.load"


class Job(BaseModel):
    """What to send, where and how."""

    what: Literal["walk requests", "arrivals", "first page", "answers"]
    port: int
    many: int
    at_once: int
    seed: int
    data: Path
    quiet: bool = True
    """Whether no message may leave now."""
    a_second: Annotated[float, Field(gt=0)] = 1.0
    """Of arrivals."""


class Result(BaseModel):
    """What came back. Times are seconds; of arrivals also when each was due (epoch), and its request."""

    seconds: float
    statuses: dict[int, int]
    took: list[float] = []
    due: list[float] = []
    requests: list[str] = []


async def generate(job: Job) -> Result:
    """Run a job in a process of its own.

    :raises Broken: the generator failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _GENERATOR, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(job.model_dump_json().encode())
    if process.returncode:
        raise Broken(f"the load generator ended with exit code {process.returncode}")
    return Result.model_validate_json(out)
