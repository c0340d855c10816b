"""What must not have changed, and where no mark may stand: tables, processes, memory, logs, metrics."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import psutil

from shared.contracts.catalogue import SERVICES
from shared.embedded.stack import Stack
from tests.misuse.flood import Found
from tests.misuse.hostile import Marks
from tests.servers.everywhere import forms_of, rows

COUNTED: Final = (
    "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    " AND c.relname <> 'schema_migrations'"
)
BY_ITSELF: Final = re.compile(r"audit.*|timer|sending|relay_bus")
"""Tables that looking at something, or time, fills: who looked is logged, what falls due leaves."""
BROKEN: Final = ("a loop failed", "unexpected error", "Traceback")


@dataclass
class Watch:
    """The state of a stack before a kind is sent, to be compared afterwards."""

    stack: Stack
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    pids: dict[str, int | None] = field(default_factory=dict)
    resident: dict[str, float] = field(default_factory=dict)

    async def begin(self) -> None:
        """Remember how things stand; what was logged so far is of no interest."""
        for log in self.stack.log_files:
            log.open("w").close()
        self.counts = await self._counts()
        self.pids = {name: self.stack.pid(name) for name in self.stack.names}
        self.resident = self._resident()

    async def compare(self, found: Found, marks: Marks, expected: Counter[tuple[str, str]] | None = None) -> None:
        """Complete what was found: processes, memory, marks where none belong, rows nobody accepted.

        `expected`: how many rows each table must have got; None where it is not known beforehand.
        """
        for name, pid in self.pids.items():
            if self._ended(name, pid):
                found.crashes += 1
                found.faults.append(f"{name} ended")
        found.growth = {name: after - self.resident[name] for name, after in self._resident().items()}
        self._read_logs(found, marks)
        async with httpx.AsyncClient(timeout=60) as client:
            for service in SERVICES:
                told = (await client.get(f"{self.stack.urls[service]}/metrics")).text
                if marks.prefix in told:
                    found.leaks += 1
                    found.faults.append(f"a mark in the metrics of {service}")
        await self._read_tables(found, marks)
        if expected is not None:
            after = await self._counts()
            for table, count in after.items():
                more = count - self.counts.get(table, 0)
                if not BY_ITSELF.fullmatch(table[1]) and more != expected[table]:
                    found.half_done += abs(more - expected[table])
                    found.faults.append(f"{'.'.join(table)} has {more} rows more, not {expected[table]}")

    def _ended(self, name: str, pid: int | None) -> bool:
        return pid is None or self.stack.pid(name) != pid or not psutil.pid_exists(pid)

    def _resident(self) -> dict[str, float]:
        return {name: psutil.Process(self.stack.pid(name)).memory_info().rss / 1e6 for name in SERVICES}

    def _read_logs(self, found: Found, marks: Marks) -> None:
        wanted = forms_of(marks.prefix)
        for log in self.stack.log_files:
            for line in lines_with(log, wanted):
                found.leaks += 1
                found.faults.append(f"a mark in the log of {log.stem}: {line[:200]}")
            for line in lines_with(log, [one.encode() for one in BROKEN]):
                found.faults.append(f"{log.stem} says: {line[:400]}")

    async def _counts(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for service in SERVICES:
            tables = [row[0] for row in await rows(self.stack, service, COUNTED)]
            asked = " UNION ALL ".join(f"SELECT '{one}', count(*) FROM {one}" for one in tables)  # noqa: S608  # names from the catalogue
            found |= {(service, row[0]): row[1] for row in await rows(self.stack, service, asked)}
        return found

    async def _read_tables(self, found: Found, marks: Marks) -> None:
        """Marks of refused inputs stand nowhere but among what was parked."""
        hex_prefix = marks.prefix.encode().hex()
        pattern = re.compile(rf"{marks.prefix}(\d{{6}})|{hex_prefix}((?:3\d){{6}})")
        for service in SERVICES:
            parked: set[int] = set()
            standing: dict[int, str] = {}
            for table in sorted(row[0] for row in await rows(self.stack, service, COUNTED)):
                where = " AND topic NOT LIKE '%.parked.v1'" if table == "outbox_log" else ""
                # A row as text: columns of bytes in hex.
                sql = f"SELECT t::text AS row FROM {table} AS t WHERE t::text ~ $1{where}"  # noqa: S608  # names from the catalogue
                for row in await rows(self.stack, service, sql, f"{marks.prefix}|{hex_prefix}"):
                    for plain, coded in pattern.findall(row["row"]):
                        number = int(plain or bytes.fromhex(coded))
                        if table != "held":
                            standing[number] = table
                        elif ",unreadable," in row["row"] or ",failed," in row["row"]:
                            parked.add(number)
            for number in standing.keys() & (found.refused | parked):
                found.half_done += 1
                found.fault(number, f"refused, yet it stands in {service}.{standing[number]}")


def lines_with(log: Path, wanted: list[bytes]) -> list[str]:
    """The first few lines of a log that hold any of these."""
    lines: list[str] = []
    with log.open("rb") as read:
        for line in read:
            if any(one in line for one in wanted):
                lines.append(line.decode(errors="replace").strip())
                if len(lines) == 5:
                    break
    return lines
