"""Small numbers stay small: what is published never tells a count of one to seven, not even by subtraction."""

from __future__ import annotations

from collections import defaultdict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.disclosure import HIDDEN, SMALL, Figure, percent, protect, protect_row

COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 400), min_size=1)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (1, "fewer than 8"), (7, "fewer than 8"), (8, "10"), (12, "10"), (13, "15"), (25, "25"), (102, "100")],
)
def test_a_count_is_hidden_or_rounded(count: int, text: str) -> None:
    """1 to 7 are hidden, everything else is rounded to the nearest 5."""
    assert protect(count).text == text


@given(COUNTS)
def test_only_multiples_of_five_are_ever_shown(counts: dict[str, int]) -> None:
    """No published value tells more than its nearest 5, and none lies between 1 and 7 or stands for such a count."""
    row = protect_row(counts)
    for key, figure in row.cells.items():
        if figure.value is not None:
            assert figure.value % 5 == 0
            assert abs(figure.value - counts[key]) <= 2
            assert not 0 < counts[key] < 8
        else:
            assert figure == HIDDEN


@given(COUNTS)
def test_a_hidden_cell_is_never_alone_in_its_row(counts: dict[str, int]) -> None:
    """Where the total is shown, one hidden cell would be the total less the others."""
    row = protect_row(counts)
    hidden = [figure for figure in row.cells.values() if not figure.shown]
    assert not row.total.shown or len(hidden) != 1


@given(COUNTS)
def test_a_total_is_shown_as_its_own_count_would_be(counts: dict[str, int]) -> None:
    """The total is protected like any other count, from the exact sum."""
    assert protect_row(counts).total == protect(sum(counts.values()))


def test_no_published_row_of_three_gives_a_hidden_cell_away() -> None:
    """Of all rows of three counts up to 24: whoever knows the rules and sees what is published can take each hidden
    cell for at least three different counts.

    Tried in full: every row of exact counts is grouped by what is published of it.
    """
    behind: dict[tuple[Figure, ...], list[tuple[int, ...]]] = defaultdict(list)
    for counts in product(range(25), repeat=3):
        row = protect_row(dict(enumerate(counts)))
        behind[(*row.cells.values(), row.total)].append(counts)
    for published, candidates in behind.items():
        for cell in range(3):
            if not published[cell].shown:
                assert len({counts[cell] for counts in candidates}) >= 3, published


def test_of_fewer_than_eight_altogether_no_cell_is_shown() -> None:
    """Seven women who all said the same are not told apart from seven who did not."""
    row = protect_row({"better": 7, "same": 0, "worse": 0})
    assert row.total == SMALL
    assert set(row.cells.values()) == {HIDDEN}


def test_the_second_cell_to_go_is_the_smallest_that_hides_anything() -> None:
    """As little as possible is lost, and a cell of nobody would hide nothing."""
    row = protect_row({"better": 3, "same": 20, "worse": 9, "other": 0})
    assert row["better"] == row["worse"] == HIDDEN
    assert (row["same"].text, row["other"].text) == ("20", "0")


def test_hidden_cells_look_alike() -> None:
    """1 + 8 + 8 is published as about 15: if it showed which hidden cell is 8 or more, the other could only be 1."""
    row = protect_row({"better": 1, "same": 8, "worse": 8})
    assert row["better"] == row["same"] == HIDDEN
    assert (row["worse"].text, row.total.text) == ("10", "15")


def test_an_empty_row_is_all_noughts() -> None:
    """Nothing counted is nothing to hide."""
    row = protect_row({"a": 0, "b": 0})
    assert (row["a"].text, row["b"].text, row.total.text) == ("0", "0", "0")


@given(st.integers(0, 400), st.integers(0, 400))
def test_percentages_come_from_published_counts_alone(part: int, rest: int) -> None:
    """A share tells nothing the two published counts do not tell."""
    shown, whole = protect(part), protect(part + rest)
    found = percent(shown, whole)
    if shown.value is None or not whole.value:
        assert found is None
    else:
        assert found == min(100, round(100 * shown.value / whole.value))
