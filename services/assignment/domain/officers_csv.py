"""Officers and their training as a spreadsheet gives them: CSV in UTF-8, by comma or semicolon, read row by row.

A cell left empty leaves what the register has. Every fault names its row, as the spreadsheet counts, and its column.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from shared.contracts.kinds import OfficerKind

MOST_ROWS: Final = 5000
LONGEST_CELL: Final = 200

COLUMNS: Final = {
    "officer_id": "what the identity provider signs the officer in by",
    "name": "rank and name",
    "kind": "officer, pcso or dedicated-ward-officer",
    "team": "id or name of the officer’s own team",
    "also_walks_in": "further teams, with a vertical bar between them",
    "languages": "codes like cy or ur, with a space between them",
    "email": "work e-mail address",
    "trained_on": "the day of a training session that is not recorded here, like 2026-02-11 or 11/02/2026",
}
_SEVERAL: Final = re.compile(r"[|\n]")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LANGUAGE: Final = re.compile(r"[a-z]{2}")
_OTHER_NAMES: Final = {
    "id": "officer_id",
    "officer": "officer_id",
    "team_id": "team",
    "e_mail": "email",
    "also_walks_for": "also_walks_in",
    "trained": "trained_on",
    "language": "languages",
}


class Choice(StrEnum):
    """What is taken over. Check: nothing, only the report. All: everything if no row is wrong. Good: the good rows."""

    CHECK = "check"
    ALL = "all"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: row as the spreadsheet counts (1 is the heading), column by name, "" for the row as a whole."""

    row: int
    column: str
    words: str


@dataclass(frozen=True, slots=True)
class OfficerRow:
    """What a row says; None, or nothing, where it leaves what is there."""

    row: int
    officer_id: str
    name: str | None = None
    kind: OfficerKind | None = None
    team_id: str | None = None
    also_walks_in: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    email: str | None = None
    trained_on: date | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was read: its good rows, and what is wrong with the others."""

    rows: Sequence[OfficerRow] = ()
    problems: Sequence[Problem] = ()


@dataclass
class _Cells:
    """The cells of a row while they are read, and what was found wrong."""

    row: int
    values: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, column: str, words: str) -> None:
        self.problems.append(Problem(self.row, column, words))


def read(content: bytes, teams: Mapping[str, str], known: frozenset[str], today: date) -> Sheet:
    """Read a file. `teams`: names of the force's teams by id. `known`: who is on the register; others must be whole."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        at = content[: fault.start].count(b"\n") + 1
        return Sheet(problems=[Problem(at, "", "The file is not in UTF-8. Save it as “CSV UTF-8” and try again.")])
    if not text.strip():
        return Sheet(problems=[Problem(1, "", "The file is empty.")])
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    teams_by_name = {key.casefold(): id_ for id_, name in teams.items() for key in (name, id_)}
    rows: list[OfficerRow] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    number = 0
    try:
        columns, problems = _heading(next(lines))
        number = 1
        if problems:
            return Sheet(problems=problems)
        for number, cells in enumerate(lines, 2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) + len(problems) >= MOST_ROWS:
                problems.append(Problem(number, "", f"A file may have {MOST_ROWS:,} rows. Split it."))
                break
            if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
                problems.append(Problem(number, "", f"has {len(cells)} cells; the heading has {len(columns)} columns"))
                continue
            given = _Cells(number, {name: cell.strip() for name, cell in zip(columns, cells, strict=False)})
            found = _row(given, teams_by_name, known, today)
            if found.officer_id in seen:
                given.wrong("officer_id", f"stands in row {seen[found.officer_id]} already")
            seen.setdefault(found.officer_id, number)
            problems += given.problems
            if not given.problems:
                rows.append(found)
    except csv.Error:
        problems.append(Problem(number + 1, "", "A quotation mark is not closed, or something follows one."))
    return Sheet(rows, problems)


def _delimiter(text: str) -> str:
    heading = text.splitlines()[0]
    return max(",;\t", key=heading.count)


def _heading(cells: Sequence[str]) -> tuple[list[str], list[Problem]]:
    names = [re.sub(r"[\s-]+", "_", cell.strip().lower()) for cell in cells]
    columns = [_OTHER_NAMES.get(name, name) for name in names]
    while columns and not columns[-1]:
        # Spreadsheets add empty columns at the end.
        columns.pop()
    problems = [
        Problem(1, cell.strip()[:40] or f"column {number}", "is not a column of this file")
        for number, (cell, name) in enumerate(zip(cells, columns, strict=False), 1)
        if name not in COLUMNS
    ]
    problems += [Problem(1, name, "stands twice") for name in COLUMNS if columns.count(name) > 1]
    if "officer_id" not in columns:
        problems.append(Problem(1, "officer_id", "is missing"))
    return columns, problems


def _row(given: _Cells, teams: Mapping[str, str], known: frozenset[str], today: date) -> OfficerRow:
    for column, value in given.values.items():
        if len(value) > LONGEST_CELL and column != "also_walks_in":
            given.wrong(column, f"is longer than {LONGEST_CELL} characters")
        if not all(character.isprintable() or character in "\n" for character in value):
            given.wrong(column, "holds a character that cannot be seen")
    officer_id = given.values.get("officer_id", "")
    if not officer_id:
        given.wrong("officer_id", "is missing")
    elif not _ID.fullmatch(officer_id):
        given.wrong("officer_id", "must be small letters, digits, dots, hyphens and underscores, 63 at most")
    if officer_id not in known:
        for column in ("name", "kind", "team"):
            if not given.values.get(column):
                given.wrong(column, "is missing: this officer is new")
    return OfficerRow(
        row=given.row,
        officer_id=officer_id,
        name=given.values.get("name") or None,
        kind=_read(given, "kind", _kind),
        team_id=_read(given, "team", lambda text: _team(text, teams)),
        also_walks_in=tuple(_each(given, "also_walks_in", lambda text: _team(text, teams))),
        languages=tuple(_each(given, "languages", _language)),
        email=_read(given, "email", _email),
        trained_on=_read(given, "trained_on", lambda text: _day(text, today)),
    )


T = TypeVar("T")


def _read(given: _Cells, column: str, meaning: Callable[[str], T]) -> T | None:
    text = given.values.get(column, "")
    if not text:
        return None
    try:
        return meaning(text)
    except ValueError as fault:
        given.wrong(column, str(fault))
        return None


def _each(given: _Cells, column: str, meaning: Callable[[str], str]) -> list[str]:
    parts = _SEVERAL.split(given.values.get(column, "")) if column != "languages" else _spaced(given, column)
    found: list[str] = []
    for part in parts:
        if part.strip():
            try:
                found.append(meaning(part.strip()))
            except ValueError as fault:
                given.wrong(column, str(fault))
                break
    return list(dict.fromkeys(found))


def _spaced(given: _Cells, column: str) -> list[str]:
    return re.split(r"[\s|,]+", given.values.get(column, ""))


def _kind(text: str) -> OfficerKind:
    try:
        return OfficerKind(re.sub(r"[\s_]+", "-", text.strip().lower()))
    except ValueError:
        raise ValueError("must be officer, pcso or dedicated-ward-officer") from None


def _team(text: str, teams: Mapping[str, str]) -> str:
    found = teams.get(text.casefold())
    if found is None:
        raise ValueError("names a team the force does not have")
    return found


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text.lower()):
        raise ValueError("must be codes of two letters, like cy")
    return text.lower()


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("is no e-mail address")
    return text


def _day(text: str, today: date) -> date:
    """A day, as the standard or as people here write it."""
    british = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text)
    try:
        found = date(int(british[3]), int(british[2]), int(british[1])) if british else date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a day, like 2026-02-11 or 11/02/2026") from None
    if found > today:
        raise ValueError("is in the future")
    if found.year < 2000:
        raise ValueError("is before 2000")
    return found
