"""Spreadsheets of officers as people make them: what is read, and what is told of a row that is wrong."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.domain.officers_csv import MOST_ROWS, Problem, Sheet, read
from shared.contracts.kinds import OfficerKind

TODAY = date(2026, 11, 23)
TEAMS = {"bs1": "Bristol City Centre", "bs2": "Temple Meads", "ynys-mon": "Ynys Môn"}
HEADING = "officer_id,name,kind,team,also_walks_in,languages,email,trained_on\n"
WHOLE = HEADING + "pc-1,PC Siân Llŷr,officer,bs1,bs2|Ynys Môn,cy ur,s@avon.example,2026-02-11\n"


def sheet(text: str | bytes, *known: str) -> Sheet:
    return read(text.encode() if isinstance(text, str) else text, TEAMS, frozenset(known), TODAY)


def test_a_row_is_read_with_all_it_says() -> None:
    """Teams by id or name, several with a bar between them, languages with a space, names as they are spelled."""
    found = sheet(WHOLE)
    assert not found.problems
    (row,) = found.rows
    assert (row.row, row.officer_id, row.name, row.kind) == (2, "pc-1", "PC Siân Llŷr", OfficerKind.OFFICER)
    assert (row.team_id, row.also_walks_in, row.languages) == ("bs1", ("bs2", "ynys-mon"), ("cy", "ur"))
    assert (row.email, row.trained_on) == ("s@avon.example", date(2026, 2, 11))


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + WHOLE.encode(),
        WHOLE.replace(",", ";").encode(),
        WHOLE.replace(",", "\t").encode(),
        WHOLE.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + WHOLE.replace(",", ";").replace("\n", "\r\n").encode() + b";;;;;;;\r\n;;;;;;;\r\n",
        WHOLE.replace("officer_id,name,kind,team", "Officer ID, Name ,KIND,Team ID").encode(),
        WHOLE.replace("PC Siân Llŷr", '"PC Siân Llŷr"').encode(),
        WHOLE.replace("2026-02-11", "11/02/2026").encode(),
        WHOLE.replace("bs1,bs2", "BRISTOL CITY CENTRE,BS2").replace("officer,", "Officer,").encode(),
        WHOLE.replace("trained_on\n", "trained_on,,\n").encode(),
    ],
)
def test_spreadsheets_write_csv_in_many_ways(content: bytes) -> None:
    """With a mark of byte order, semicolons, tabs, either end of line, empty rows and columns, other capitals."""
    assert sheet(content) == Sheet(sheet(WHOLE).rows, [])


def test_a_comma_in_quotes_is_part_of_a_name() -> None:
    """And so are quotation marks that stand twice, and an end of line between names of teams."""
    text = HEADING + 'pc-1,"Rees, PC ""Bron""",officer,bs1,"bs2\nynys-mon",,,\n'
    (row,) = sheet(text).rows
    assert (row.name, row.also_walks_in) == ('Rees, PC "Bron"', ("bs2", "ynys-mon"))


def test_a_cell_left_empty_leaves_what_is_there() -> None:
    """Of an officer on the register a row need name no more than what changes."""
    found = sheet("officer_id;trained_on\npc-1;2026-10-01\n", "pc-1")
    assert not found.problems
    assert (found.rows[0].name, found.rows[0].kind, found.rows[0].team_id) == (None, None, None)
    assert found.rows[0].trained_on == date(2026, 10, 1)


WRONG: list[tuple[str, list[tuple[int, str, str]]]] = [
    ("", [(1, "", "empty")]),
    ("\ufeff  \n", [(1, "", "empty")]),
    ("name,kind\n", [(1, "officer_id", "is missing")]),
    ("officer_id,rank\npc-1,3\n", [(1, "rank", "is not a column")]),
    ("officer_id,name,NAME\n", [(1, "name", "stands twice")]),
    ("officer_id,name,id\n", [(1, "officer_id", "stands twice")]),
    ("officer_id,name\npc-1,A\n", [(2, "kind", "new"), (2, "team", "new")]),
    (HEADING + ",A,pcso,bs1,,,,\n", [(2, "officer_id", "is missing")]),
    (HEADING + "PC 1,A,pcso,bs1,,,,\n", [(2, "officer_id", "small letters")]),
    (HEADING + "pc-1,A,dragon,bs1,,,,\n", [(2, "kind", "dedicated-ward-officer")]),
    (HEADING + "pc-1,A,pcso,Atlantis,,,,\n", [(2, "team", "does not have")]),
    (HEADING + "pc-1,A,pcso,bs1,bs2|Atlantis,,,\n", [(2, "also_walks_in", "does not have")]),
    (HEADING + "pc-1,A,pcso,bs1,,Welsh,,\n", [(2, "languages", "two letters")]),
    (HEADING + "pc-1,A,pcso,bs1,,,me,\n", [(2, "email", "no e-mail")]),
    (HEADING + "pc-1,A,pcso,bs1,,,,11.2.26\n", [(2, "trained_on", "must be a day")]),
    (HEADING + "pc-1,A,pcso,bs1,,,,31/02/2026\n", [(2, "trained_on", "must be a day")]),
    (HEADING + "pc-1,A,pcso,bs1,,,,2026-11-24\n", [(2, "trained_on", "future")]),
    (HEADING + "pc-1,A,pcso,bs1,,,,11/02/0026\n", [(2, "trained_on", "before 2000")]),
    (HEADING + "pc-1,A,pcso,bs1,,,,,,x\n", [(2, "", "10 cells")]),
    (HEADING + f"pc-1,{'A' * 201},pcso,bs1,,,,\n", [(2, "name", "longer")]),
    (HEADING + "pc-1,A\u200bB,pcso,bs1,,,,\n", [(2, "name", "cannot be seen")]),
    (HEADING + "pc-1,A,pcso,bs1,,,,\n\npc-1,B,pcso,bs1,,,,\n", [(4, "officer_id", "row 2")]),
    (HEADING + 'pc-1,"A,pcso,bs1,,,,\n', [(2, "", "quotation mark")]),
    (HEADING + "a,A,x,bs1,,,,\nb,B,pcso,y,,,,\n", [(2, "kind", "must be"), (3, "team", "does not have")]),
]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_what_is_wrong_is_told_by_row_and_column(text: str, expected: list[tuple[int, str, str]]) -> None:
    """As the spreadsheet counts rows: the heading is the first."""
    problems = sheet(text).problems
    assert [(each.row, each.column) for each in problems] == [(row, column) for row, column, _ in expected]
    assert all(part in each.words for each, (_, _, part) in zip(problems, expected, strict=True))


def test_another_encoding_is_told_with_the_row_where_it_shows() -> None:
    """Rather than names with the wrong letters."""
    (problem,) = sheet((HEADING + "pc-0,A,pcso,bs1,,,,\npc-1,Siân,pcso,bs1,,,,\n").encode("cp1252")).problems
    assert (problem.row, problem.column) == (3, "")
    assert "CSV UTF-8" in problem.words


def test_a_row_that_is_wrong_leaves_the_good_ones_good() -> None:
    """Whether they are taken over is the choice of whoever imports."""
    found = sheet(HEADING + "a,A,pcso,bs1,,,,\nb,B,dragon,bs1,,,,\nc,C,pcso,bs2,,,,\n")
    assert [row.officer_id for row in found.rows] == ["a", "c"]
    assert found.problems == [Problem(3, "kind", "must be officer, pcso or dedicated-ward-officer")]


def test_a_file_has_an_end() -> None:
    """Five thousand rows, and a sentence about the rest."""
    text = HEADING + "".join(f"pc-{number},A,pcso,bs1,,,,\n" for number in range(MOST_ROWS + 5))
    found = sheet(text)
    assert len(found.rows) == MOST_ROWS
    assert [each.words for each in found.problems] == ["A file may have 5,000 rows. Split it."]


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEADING + text).encode()))
def test_no_file_is_too_odd_to_be_told_about(content: bytes) -> None:
    """Whatever is uploaded: rows and problems, never a fault."""
    found = sheet(content)
    assert all(row.officer_id and row.name and row.kind and row.team_id for row in found.rows)
