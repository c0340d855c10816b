"""Named queries: from one file, or from a folder of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.database import Queries, Query

TWO = """-- first
-- Why it is there,
-- in two lines.
SELECT 1;

-- second
-- Another.
SELECT 2
-- of 2
FROM two;
"""
THIRD = "-- third\n-- One more.\nSELECT 3;\n"


def test_file_gives_each_statement_by_its_name(tmp_path: Path) -> None:
    """Name, sentence and SQL, in the order of the file."""
    (tmp_path / "queries.sql").write_text(TWO, encoding="utf-8")
    found = Queries.read(tmp_path / "queries.sql")
    assert list(found) == ["first", "second"]
    assert found.first == Query("first", "Why it is there, in two lines.", "SELECT 1")
    assert found["second"].sql == "SELECT 2\n-- of 2\nFROM two"


def test_folder_gives_the_statements_of_all_its_files(tmp_path: Path) -> None:
    """Every .sql file of the folder is read, and nothing else."""
    (tmp_path / "walks.sql").write_text(TWO, encoding="utf-8")
    (tmp_path / "answers.sql").write_text(THIRD, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("-- fourth\n", encoding="utf-8")
    assert set(Queries.read(tmp_path)) == {"first", "second", "third"}


def test_name_stands_once_in_all_files(tmp_path: Path) -> None:
    """The same name in two files of a folder, or twice in one, is refused."""
    (tmp_path / "walks.sql").write_text(THIRD, encoding="utf-8")
    (tmp_path / "answers.sql").write_text(THIRD, encoding="utf-8")
    with pytest.raises(ValueError, match=r"walks\.sql.*named twice: 'third'"):
        Queries.read(tmp_path)
    (tmp_path / "walks.sql").write_text(f"{TWO}\n{TWO}", encoding="utf-8")
    with pytest.raises(ValueError, match="named twice: 'first'"):
        Queries.read(tmp_path / "walks.sql")


@pytest.mark.parametrize("text", ["SELECT 1;\n", "-- first\nSELECT 1;\n", ""])
def test_statement_without_name_or_sentence_is_refused(tmp_path: Path, text: str) -> None:
    """Each says what it is called and why it is there."""
    (tmp_path / "queries.sql").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="lacks its name or sentence"):
        Queries.read(tmp_path / "queries.sql")


def test_folder_without_queries_is_refused(tmp_path: Path) -> None:
    """An image built without the files fails at start, not at the first request."""
    with pytest.raises(ValueError, match="no queries"):
        Queries.read(tmp_path)
