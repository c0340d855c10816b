"""The members of a consumer group as processes, seen from the one that measures them."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from time import perf_counter

from tests.bench.figures import WrongEffect


@dataclass(slots=True)
class Members:
    """One consumer group: so many processes that wait at a gate, and what they told."""

    many: int
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    partitions: dict[int, int] = field(default_factory=dict)
    took: int = 0
    cpu: float = 0.0
    told: asyncio.Condition = field(default_factory=asyncio.Condition)
    _reading: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, url: str, bootstrap: str, group: str) -> None:
        """Start the processes; they join by themselves."""
        for number in range(self.many):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.bench.scale.worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            self.processes.append(process)
            self._say(process, json.dumps({"url": url, "bootstrap": bootstrap, "group": group}))
            self._reading.append(asyncio.create_task(self._read(number, process)))

    async def _read(self, number: int, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            found = json.loads(line)
            async with self.told:
                if "partitions" in found:
                    self.partitions[number] = found["partitions"]
                else:
                    self.took += found["took"]
                    self.cpu += found["cpu"]
                self.told.notify_all()

    @staticmethod
    def _say(process: asyncio.subprocess.Process, line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(line.encode() + b"\n")

    async def joined(self, partitions: int) -> None:
        """Wait until every member has its share of so many partitions."""
        share = partitions // self.many
        async with asyncio.timeout(180), self.told:
            await self.told.wait_for(
                lambda: len(self.partitions) == self.many and all(n == share for n in self.partitions.values())
            )

    async def take(self, many: int) -> tuple[float, float]:
        """Open the gate until so many records have taken effect: records a second, and processor seconds a record."""
        took, cpu = self.took, self.cpu
        began = perf_counter()
        for process in self.processes:
            self._say(process, "go")
        async with asyncio.timeout(300), self.told:
            await self.told.wait_for(lambda: self.took - took >= many)
        seconds = perf_counter() - began
        for process in self.processes:
            self._say(process, "wait")
        if self.took - took != many:
            raise WrongEffect(f"{self.many} workers took {self.took - took} records of {many}")
        return many / seconds, (self.cpu - cpu) / many

    async def stop(self) -> None:
        """Close their input; they leave the group and end."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in self.processes:
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
        await asyncio.gather(*self._reading)
