"""The capacity model follows from the constants that stand beside it."""

from __future__ import annotations

from tests.architecture.capacity_page import PAGE, page


def test_tables_of_the_capacity_model_follow_from_its_constants() -> None:
    """Whoever measures a constant anew has the tables worked out anew: python -m tests.architecture.capacity_page."""
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text
