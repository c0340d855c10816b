"""Names are compared without capitals and accents, by the beginnings of their words."""

from __future__ import annotations

import pytest

from services.intake.domain.searching import is_she, words_of


@pytest.mark.parametrize(
    ("searched", "name"),
    [
        ("sian", "Siân Evans"),
        ("EVANS SI", "Siân Evans"),
        ("ŵyn", "Wyn Prŷs"),
        ("oneill", "Aoife O’Neill"),
        ("o'neill", "Aoife ONeill"),
        ("smith jones", "Ann Smith-Jones"),
        ("strasse", "Eva Straße"),
        ("lukasz", "Łukasz"),
        ("宇", "宇多田 ヒカル"),
    ],
)
def test_she_is_found(searched: str, name: str) -> None:
    """However somebody else spells it."""
    assert is_she(words_of(searched), name)


@pytest.mark.parametrize(
    ("searched", "name"), [("evans", "Ann Bevan"), ("ann smith", "Ann Jones"), ("", "Ann"), ("’", "Ann")]
)
def test_somebody_else_is_not(searched: str, name: str) -> None:
    """Every word has to begin a word of hers, and nothing finds nobody."""
    assert not is_she(words_of(searched), name)
