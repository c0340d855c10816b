"""What this machine lacks for the whole suite: skipped and named in the summary, or a failure with REQUIRE_ALL=1."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

named: set[str] = set()


def lacks(what: str) -> NoReturn:
    """Skip the test because this machine lacks `what`; fail it when everything is required."""
    named.add(what)
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"REQUIRE_ALL=1, but this machine lacks: {what}", pytrace=False)
    pytest.skip(f"this machine lacks: {what}")
