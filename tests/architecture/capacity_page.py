"""The tables of docs/capacity.md, worked out from its constants: `python -m tests.architecture.capacity_page`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.provisioning import ROOT

PAGE: Final = ROOT / "docs" / "capacity.md"
_BEGIN: Final = "<!-- worked out from the constants: python -m tests.architecture.capacity_page -->\n"
_END: Final = "<!-- end -->\n"
_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Size:
    """So many forces as large as the assumed one, and so many times its walks."""

    name: str
    forces: int
    times: int

    def walks(self, of: Mapping[str, float]) -> float:
        """A year."""
        return of["walks a force and year"] * self.forces * self.times

    def peak(self, of: Mapping[str, float]) -> float:
        """Walks a second in the busiest hour."""
        return self.walks(of) / _DAYS * of["share of a day in its busiest hour"] / 3600


SIZES: Final = (Size("one force", 1, 1), Size("43 forces", 43, 1), Size("43 forces, 1,000 times", 43, 1000))

Line = tuple[str, Callable[[Size, Mapping[str, float]], float], str]

_LOAD: Final[tuple[Line, ...]] = (
    ("walks a year", lambda s, of: s.walks(of), ""),
    ("walks a day", lambda s, of: s.walks(of) / _DAYS, ""),
    ("walks a second, busiest hour", lambda s, of: s.peak(of), ""),
    ("requests by HTTP a day", lambda s, of: s.walks(of) / _DAYS * of["requests by HTTP a walk"], ""),
    ("events published a day", lambda s, of: s.walks(of) / _DAYS * of["events published a walk"], ""),
    ("events taken in a day, all services", lambda s, of: s.walks(of) / _DAYS * of["events taken in a walk"], ""),
    ("events taken in a second, busiest hour", lambda s, of: s.peak(of) * of["events taken in a walk"], ""),
)
_NEED: Final[tuple[Line, ...]] = (
    ("processor of the services, busiest hour", lambda s, of: s.peak(of) * of["services' processor a walk"], "cores"),
    ("processor of PostgreSQL, busiest hour", lambda s, of: s.peak(of) * of["PostgreSQL's processor a walk"], "cores"),
    ("commits a second, busiest hour", lambda s, of: s.peak(of) * of["writing transactions a walk"], ""),
    ("write-ahead log a day", lambda s, of: s.walks(of) / _DAYS * of["write-ahead log a walk"] / 1e9, "GB"),
    ("databases grow in a year", lambda s, of: s.walks(of) * of["databases a walk"] / 1e9, "GB"),
    (
        "topics, fourteen days, three copies",
        lambda s, of: (
            s.walks(of) / _DAYS * 14 * 3 * of["events published a walk"] * of["bytes an event on the bus"] / 1e9
        ),
        "GB",
    ),
    ("processes", lambda s, of: float(_processes(s, of)), ""),
    ("connections to PostgreSQL, at most", lambda s, of: _processes(s, of) * of["connections a process"], ""),
    ("memory of the processes", lambda s, of: _processes(s, of) * of["memory a process"] / 1e3, "GB"),
)
_SHARES: Final[tuple[Line, ...]] = (
    (
        "one bus worker of feedback",
        lambda s, of: s.peak(of) * of["events taken in by feedback a walk"] / of["events a second of a bus worker"],
        "",
    ),
    (
        "relay of one database",
        lambda s, of: s.peak(of) * of["events published by partners a walk"] / of["events a second of a relay"],
        "",
    ),
    (
        "commits one disk makes durable",
        lambda s, of: s.peak(of) * of["writing transactions a walk"] / of["fsyncs a second"],
        "",
    ),
    (
        "processor of a database server of 32 cores",
        lambda s, of: s.peak(of) * of["PostgreSQL's processor a walk"] / 32,
        "",
    ),
    (
        "200 connections to one server",
        lambda s, of: _processes(s, of) * of["connections a process"] / 200,
        "",
    ),
    (
        "a disk of 2 TB, after five years",
        lambda s, of: 5 * s.walks(of) * of["databases a walk"] / 2e12,
        "",
    ),
    (
        "evaluation of a force within 2 seconds, after five years",
        lambda s, of: 5 * of["walks a force and year"] * s.times * of["evaluation a walk"] / 2,
        "",
    ),
)


def _processes(size: Size, of: Mapping[str, float]) -> int:
    """Four services, two of each at least, and as many more as the processor of the busiest hour asks for at 60 %."""
    return max(8, math.ceil(size.peak(of) * of["services' processor a walk"] / 0.6))


def constants(text: str) -> dict[str, float]:
    """The constants that stand in the page's first table, by name."""
    rows = re.findall(r"^\| ([^|]+) \| ([\d,.]+)(?: [^|]*)? \| [^|]+ \|$", text, re.MULTILINE)
    return {name.strip(): float(value.replace(",", "")) for name, value in rows}


def worked_out(of: Mapping[str, float]) -> str:
    """The tables of load, need and shares."""
    heads = "".join(f" {size.name} |" for size in SIZES)
    rule = "|---|" + "--:|" * len(SIZES) + "\n"
    parts = []
    for title, lines, shown in (
        ("load", _LOAD, _number),
        ("need", _NEED, _number),
        ("share of what one has, in the busiest hour", _SHARES, _share),
    ):
        parts.append(f"| {title} |{heads}\n{rule}")
        columns = [[compute(size, of) for _, compute, _ in lines] for size in SIZES]
        for n, (name, _, unit) in enumerate(lines):
            cells = []
            for column in columns:
                cell = shown(column[n]) + (f" {unit}" if unit else "")
                first = lines is _SHARES and column[n] == max(column)
                cells.append(f" **{cell}** |" if first else f" {cell} |")
            parts.append(f"| {name} |{''.join(cells)}\n")
        parts.append("\n")
    return "".join(parts)


def page(text: str) -> str:
    """The page with its tables worked out anew from its constants."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return before + _BEGIN + "\n" + worked_out(constants(before)) + _END + after


def _number(value: float) -> str:
    if value == 0:
        return "0"
    digits = max(0, 1 - math.floor(math.log10(abs(value))))
    return f"{round(value, digits):,.{min(digits, 4)}f}"


def _share(value: float) -> str:
    if value >= 2:
        return f"{_number(value)} times"
    return f"{value:.0%}" if value >= 0.01 else "below 1 %"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
