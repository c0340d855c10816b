"""A part this machine lacks is named: a skip on a desk, a failure where everything is required."""

from __future__ import annotations

import pytest

from tests.servers import lacking


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests name must not show in the summary of the real run."""
    monkeypatch.setattr(lacking, "named", set())


def test_a_lack_skips_the_test_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without REQUIRE_ALL the test is skipped with the name of what is missing."""
    monkeypatch.delenv("REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Chromium"):
        lacking.lacks("Chromium")
    assert lacking.named == {"Chromium"}


def test_a_lack_fails_when_everything_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """With REQUIRE_ALL=1 the same lack is a failure."""
    monkeypatch.setenv("REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="Chromium"):
        lacking.lacks("Chromium")
