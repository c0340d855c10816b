"""Every word of the scheme's closed lists has its words for people, and e-mails say what a partner needs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from services.partners import wording
from services.partners.channels.email import body, subject
from services.partners.domain import By, Concern, ConcernState, Letter, ReferralState, TriageReason
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.partner_view import PartnerReferralStatus
from shared.contracts.referrals import Progress, Resolution


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (wording.CATEGORIES, Reason),
        (wording.TIMES, PartOfDay),
        (wording.SEVERITIES, Severity),
        (wording.STATES, ReferralState),
        (wording.STATUSES, PartnerReferralStatus),
        (wording.PROGRESS, Progress),
        (wording.RESOLUTIONS, Resolution),
        (wording.TRIAGE, TriageReason),
        (wording.WHO, By),
    ],
)
def test_every_word_of_a_list_has_words_for_people(words: dict[Any, str], kind: Any) -> None:
    """A new word cannot reach a page unspelled."""
    assert set(words) == set(kind)


def a_letter(kind: str, **of_concern: Any) -> Letter:
    concern = Concern(
        **{
            "force_id": "avon-and-somerset",
            "id": uuid4(),
            "area_id": "bs1",
            "area_name": "Bristol city centre",
            "category": Reason.BADLY_LIT,
            "place": Point(latitude=51.4545, longitude=-2.5879),
            "place_name": None,
            "time_of_day": None,
            "severity": Severity.HIGH,
            "words": "Two lamps are out",
            "raised_on": date(2026, 11, 20),
            "state": ConcernState.REFERRED,
            **of_concern,
        }
    )
    now = datetime(2026, 11, 23, 10, tzinfo=UTC)
    respond_by = datetime(2026, 12, 7, 23, 59, 59, tzinfo=UTC)
    return Letter(kind, now, "a@council.example", "A Council", uuid4(), ReferralState.MADE, respond_by, concern)


@pytest.mark.parametrize("kind", ["referred", "reminder"])
def test_letter_says_what_where_and_by_when(kind: str) -> None:
    """Enough to act without signing in, and the link to answer."""
    letter = a_letter(kind, place_name="Underpass", time_of_day=PartOfDay.EVENING)
    text = "\n".join(body(letter, "https://partners.example/referrals/x"))
    for part in (
        str(letter.reference),
        "Badly lit",
        "Bristol city centre",
        "Underpass",
        "51.454500, -2.587900",
        "Evening, after 5pm",
        "Please answer by: Monday 7 December 2026",
        "Two lamps are out",
        "https://partners.example/referrals/x",
    ):
        assert part in text
    assert str(letter.concern.id) not in text


def test_letter_of_a_withdrawal_repeats_nothing_of_the_concern() -> None:
    """What was taken back is not told again."""
    text = "\n".join(body(a_letter("withdrawn"), "https://partners.example/referrals/x"))
    assert "Two lamps are out" not in text
    assert "51.45" not in text


@pytest.mark.parametrize("kind", ["referred", "reminder", "withdrawn"])
def test_subject_holds_nobodys_words(kind: str) -> None:
    """Subjects show on locked screens; they name the category and the area."""
    line = subject(a_letter(kind))
    assert "badly lit, Bristol city centre" in line
    assert "lamps" not in line


def test_category_keeps_its_abbreviations_in_a_subject() -> None:
    """CCTV is not spelled in small letters."""
    assert "no CCTV" in subject(a_letter("referred", category=Reason.NO_CCTV))
