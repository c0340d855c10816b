"""The marker of personal data, by table and by whatever hypothesis thinks of."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.assignment.domain.personal import (
    ADDRESS,
    EMAIL,
    NAME,
    PHONE,
    PLATE,
    POSTCODE,
    hints,
    marks,
    pieces,
)

MARKED = [
    ("She says Mr Jones from the shop follows her", "Mr Jones", NAME),
    ("mr jones again", "mr jones", NAME),
    ("Mrs. O’Brien at the corner", "Mrs. O’Brien", NAME),
    ("ask Dr Siân Llewelyn-Huws about it", "Dr Siân Llewelyn-Huws", NAME),
    ("seen by Ms Angharad ferch Gruffudd, twice", "Ms Angharad ferch Gruffudd", NAME),
    ("Mr Dafydd ap Gwilym was there", "Mr Dafydd ap Gwilym", NAME),
    ("Mr ap Iorwerth", "Mr ap Iorwerth", NAME),
    ("Miss Ffion Ŵyn-Þor", "Miss Ffion Ŵyn-Þor", NAME),
    ("Cllr Llŷr Gruffydd knows", "Cllr Llŷr Gruffydd", NAME),
    ("y Parch Gwenllïan Rhŷs", "Parch Gwenllïan Rhŷs", NAME),
    ("Mr Ahmed al-Rashid bin Saleh", "Mr Ahmed al-Rashid bin Saleh", NAME),
    ("PC Amina Yusuf walked along", "PC Amina Yusuf", NAME),
    ("a man called Kevin Baker shouted", "Kevin Baker", NAME),
    ("dyn o’r enw Rhodri Môn", "Rhodri Môn", NAME),
    ("fy enw i yw Nia", "Nia", NAME),
    ("my name is Ceridwen", "Ceridwen", NAME),
    ("call me on 07700 900123 after six", "07700 900123", PHONE),
    ("07700900123", "07700900123", PHONE),
    ("+44 (0)7700 900 123", "+44 (0)7700 900 123", PHONE),
    ("(0117) 496 0123", "(0117) 496 0123", PHONE),
    ("0117-496-0123.", "0117-496-0123", PHONE),
    ("0044 7700 900123", "0044 7700 900123", PHONE),
    ("write to jane.doe+walks@example.co.uk please", "jane.doe+walks@example.co.uk", EMAIL),
    ("lamp out near BS1 4DJ", "BS1 4DJ", POSTCODE),
    ("lamp out near se101ah", "se101ah", POSTCODE),
    ("EC1A 1BB", "EC1A 1BB", POSTCODE),
    ("she lives at 14 Corn Street, upstairs", "14 Corn Street", ADDRESS),
    ("14b St Mary’s Rd.", "14b St Mary’s Rd.", ADDRESS),
    ("from 12, high street", "12, high street", ADDRESS),
    ("at 3-5 Park Row", "3-5 Park Row", ADDRESS),
    ("Flat 3, up the stairs", "Flat 3", ADDRESS),
    ("4 Heol y Bryn Mawr", "4 Heol y Bryn Mawr", ADDRESS),
    ("27a Stryd Fawr", "27a Stryd Fawr", ADDRESS),
    ("a van, WX19 ABC, waits", "WX19 ABC", PLATE),
    ("a van, wx19abc, waits", "wx19abc", PLATE),
    ("an old Golf R123 XYZ", "R123 XYZ", PLATE),
    ("ABC 123D", "ABC 123D", PLATE),
    ("AIA 4321", "AIA 4321", PLATE),
]
CLEAR = [
    "",
    "Two of the four lamps are broken in the underpass",
    "2 lamps on the street are out",
    "10 minutes from the road",
    "It is dark after 5pm, since 24 November 2026",
    "They wait on the A38 and at the M32 roundabout",
    "Harassed by 3 men near the park",
    "I miss the bus because of it; the dr is out",
    "Route 76 and 75, platform 2",
    "Mae’r goleuadau wedi torri yn Stryd Fawr",
    "a place called home",
    "01/02/2026 at 18:30",
    "£1,200 was spent, 0.5 of it",
    "the sister site and the father figure",
]


@pytest.mark.parametrize(("text", "marked", "what"), MARKED)
def test_what_says_who_somebody_is_is_marked(text: str, marked: str, what: str) -> None:
    """Just that, and as what it is."""
    assert [(text[mark.start : mark.end], mark.what) for mark in marks(text)] == [(marked, what)]


@pytest.mark.parametrize("text", CLEAR)
def test_what_says_nothing_of_anybody_is_not_marked(text: str) -> None:
    """An officer who sees marks everywhere looks at none of them."""
    assert marks(text) == ()


WORDS = st.lists(st.sampled_from(["dark", "here", "Mae’n", "dywyll", "lamps", "no", "CCTV", "ŵyr"]), max_size=6).map(
    " ".join
)
PERSONAL = st.sampled_from([(marked, what) for _, marked, what in MARKED if what != NAME]) | st.sampled_from(
    [(marked, what) for _, marked, what in MARKED if what == NAME and marked.split()[0] in ("Mr", "Mrs.", "Dr", "Cllr")]
)


@given(WORDS, PERSONAL, WORDS)
def test_personal_data_is_marked_wherever_it_stands(before: str, personal: tuple[str, str], after: str) -> None:
    """Among any words, every letter of it."""
    marked, what = personal
    text = f"{before} {marked}; {after}"
    start = len(before) + 1
    covered = {at for mark in marks(text) for at in range(mark.start, mark.end)}
    assert covered >= {at for at in range(start, start + len(marked)) if text[at] not in " ."}
    assert what in hints(text)


@given(st.text(max_size=400))
@example("Mr \u01c5afer")
@example("called ")
def test_pieces_are_the_text_and_marks_lie_in_it_side_by_side(text: str) -> None:
    """Whatever the text: nothing is lost, doubled or out of order."""
    assert "".join(piece.text for piece in pieces(text)) == text
    found = marks(text)
    assert all(0 <= mark.start < mark.end <= len(text) for mark in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert set(hints(text)) == {mark.what for mark in found}


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "a@" * 10_000, "0 " * 10_000, "1 a " * 5_000, "Mr " * 7_000, "é-" * 10_000]
)
def test_no_text_takes_long(text: str) -> None:
    """The longest text there may be is marked in a moment, however it is made."""
    began = time.process_time()
    marks(text)
    assert time.process_time() - began < 0.5
