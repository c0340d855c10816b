"""How a postcode is read, whatever way it is typed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.refusals import Refusal
from shared.geography import postcodes
from shared.geography.grid import GridPoint
from shared.geography.postcodes import NotAPostcode, Postcodes, PostcodeWithoutPlace, UnknownPostcode, normalise

INWARD = "ABDEFGHJLNPQRSTUWXYZ"
OUTWARD = st.from_regex(r"[A-Z]{1,2}[0-9][0-9A-Z]?", fullmatch=True)
POSTCODES = st.builds(
    lambda outward, digit, unit: f"{outward} {digit}{unit}",
    OUTWARD,
    st.sampled_from("0123456789"),
    st.text(INWARD, min_size=2, max_size=2),
)
SPACES = st.text(" \t\n\u00a0\u2009\u200b", max_size=3)


def a_directory(**places: tuple[int, int]) -> Postcodes:
    """A look-up of a few postcodes, written without their space."""
    keys = postcodes._keys([postcodes._spread(text) for text in places])
    order = np.argsort(keys)
    return Postcodes(keys[order], np.asarray(list(places.values()), dtype=np.int32)[order])


@given(POSTCODES, SPACES, SPACES, st.booleans())
def test_the_same_postcode_is_read_however_it_is_typed(postcode: str, before: str, between: str, small: bool) -> None:
    """Case and spaces, those of phones and word processors included, make no difference."""
    outward, inward = postcode.split()
    typed = f"{before}{outward}{between}{inward}{before}"
    assert normalise(typed.lower() if small else typed) == postcode


@given(st.text(max_size=80))
def test_any_text_is_a_postcode_in_its_one_form_or_refused(text: str) -> None:
    """Nothing typed into the box makes anything but a normal form, which stays as it is, or NotAPostcode."""
    try:
        postcode = normalise(text)
    except NotAPostcode:
        return
    assert normalise(postcode) == postcode
    assert postcode.isascii() and postcode == postcode.upper()
    assert [len(half) for half in postcode.split(" ")][1:] == [3]


@given(st.lists(POSTCODES, min_size=1, max_size=50, unique=True))
def test_a_key_holds_the_whole_postcode(drawn: list[str]) -> None:
    """Keys of different postcodes differ, and give the postcode back."""
    keys = postcodes._keys([postcodes._spread(postcode) for postcode in drawn])
    assert postcodes._texts(keys) == drawn
    assert len(set(keys.tolist())) == len(drawn)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("BS1 5TR", "BS1 5TR"),
        ("bs15tr", "BS1 5TR"),
        ("B1  1AA", "B1 1AA"),
        ("SE101AH", "SE10 1AH"),
        ("e1w1aa", "E1W 1AA"),
        ("NPT 0AD", "NPT 0AD"),
        ("\uff22\uff33\uff11 5TR", "BS1 5TR"),
    ],
)
def test_ways_real_files_and_people_write_postcodes_are_understood(typed: str, meant: str) -> None:
    """The double blank of the directory's seven-character form, none at all, small and full-width letters."""
    assert normalise(typed) == meant


@pytest.mark.parametrize("typed", ["", "BS1", "BS1 5T", "5TR BS1", "BS1 5CI", "ß1 5TR", "BS1-5TR;", "B" * 100_000])
def test_what_is_no_postcode_is_refused_with_an_example(typed: str) -> None:
    """The refusal says what a postcode looks like, and never repeats what was typed."""
    with pytest.raises(NotAPostcode, match="Enter a full UK postcode, like BS1 5TR") as refused:
        normalise(typed)
    assert isinstance(refused.value, Refusal)


def test_a_postcode_nobody_has_is_unknown() -> None:
    """A well-formed postcode that is not in the directory is refused by name."""
    with pytest.raises(UnknownPostcode):
        a_directory(BS15TR=(358_200, 172_700)).find("BS1 5TS")


def test_a_postcode_without_a_place_is_refused_and_so_is_unknown() -> None:
    """A postcode the directory has no grid reference for cannot be routed, and says so."""
    with pytest.raises(UnknownPostcode) as refused:
        a_directory(BS19XS=(0, 0)).find("BS1 9XS")
    assert type(refused.value) is PostcodeWithoutPlace


def test_many_are_found_as_one_is() -> None:
    """The bulk look-up answers in the order asked, NaN for each that `find` would refuse."""
    directory = a_directory(BS15TR=(358_200, 172_700), BS19XS=(0, 0), SE17PB=(531_000, 179_900))
    eastings, northings = directory.find_many(["se1 7pb", "rubbish", "BS1 9XS", "BS15TR", "BS1 1AA", ""])
    np.testing.assert_array_equal(eastings, [531_000, np.nan, np.nan, 358_200, np.nan, np.nan])
    np.testing.assert_array_equal(northings, [179_900, np.nan, np.nan, 172_700, np.nan, np.nan])


def test_no_postcodes_asked_none_found() -> None:
    """An empty batch is answered with empty arrays."""
    eastings, northings = a_directory(BS15TR=(358_200, 172_700)).find_many([])
    assert eastings.size == northings.size == 0


def test_the_last_key_of_the_directory_is_not_mistaken_for_what_comes_after_it() -> None:
    """A postcode beyond the last one is unknown, not an error."""
    with pytest.raises(UnknownPostcode):
        a_directory(AB101AA=(394_200, 806_300)).find("ZE3 9XP")


def test_a_district_holds_its_own_postcodes_alone() -> None:
    """BS1 is not BS10 nor BS11, and postcodes without a place are left out."""
    directory = a_directory(BS15TR=(1, 2), BS109AA=(3, 4), BS110AA=(5, 6), BS10AA=(7, 8), BS19XS=(0, 0))
    texts, eastings, northings = directory.of_district("BS1")
    assert texts == ["BS1 0AA", "BS1 5TR"]
    assert (eastings.tolist(), northings.tolist()) == ([7, 1], [8, 2])


def test_postcodes_are_found_by_place_nearest_first() -> None:
    """One for each spot, none beyond the distance, none of another region, and none of a delivery office."""
    office = {f"BS999{letter}{other}": (1_000, 1_000) for letter in "ABDEF" for other in "ABDEFG"}
    directory = a_directory(
        BS11AA=(1_000, 1_010),
        BS11AB=(1_000, 1_010),
        BS11AD=(1_030, 1_000),
        BS11AE=(1_900, 1_000),
        M11AA=(9_000, 9_000),
        BT11AA=(0, 0),
        **office,
    )
    nearby = directory.within(0, 0, 2_000, 2_000)
    here = GridPoint(1_000.0, 1_000.0)
    assert [one.postcode for one in nearby.nearest(here, 5, 500)] == ["BS1 1AA", "BS1 1AD"]
    assert [one.postcode for one in nearby.nearest(here, 5, 2_000)] == ["BS1 1AA", "BS1 1AD", "BS1 1AE"]
    assert [one.postcode for one in nearby.nearest(here, 1, 2_000)] == ["BS1 1AA"]
    assert nearby.nearest(GridPoint(-9_000.0, 1_000.0), 5, 500) == []
