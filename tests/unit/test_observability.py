"""What libraries say reaches the log without what they quote, and without filling the disk."""

from __future__ import annotations

import json
import logging

import pytest

from shared.observability import _Forward, configure_logging


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """Of libraries, without what is the same in all."""
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [{name: one[name] for name in ("template", "unsaid", "fault") if name in one} for one in found]


def test_a_line_of_a_library_is_written_once_in_ten_seconds_and_then_says_how_often_it_was_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another line, or the same with another fault, is written at once."""
    configure_logging("tests", "WARNING")
    now = 0.0
    handler = _Forward(logging.WARNING, clock=lambda: now)

    def say(template: str, *arguments: object, fault: Exception | None = None) -> None:
        info = (type(fault), fault, None) if fault else None
        handler.emit(logging.LogRecord("a.library", logging.ERROR, "", 0, template, arguments, info))

    for step in range(25_000):
        now = step / 1_000
        say("cannot reach %s", f"broker of {step}")
    say("another line")
    say("cannot reach %s", "one", fault=OSError("her@example.org"))
    assert lines(capsys) == [
        {"template": "cannot reach %s"},
        {"template": "cannot reach %s", "unsaid": 9_999},
        {"template": "cannot reach %s", "unsaid": 9_999},
        {"template": "another line"},
        {"template": "cannot reach %s", "fault": "OSError"},
    ]


def test_lines_without_end_in_their_difference_do_not_fill_the_memory(capsys: pytest.CaptureFixture[str]) -> None:
    """Some library puts its data into the template: each is written, and no more than a thousand are remembered."""
    configure_logging("tests", "WARNING")
    handler = _Forward(logging.WARNING)
    for step in range(2_500):
        handler.emit(logging.LogRecord("a.library", logging.ERROR, "", 0, f"line {step}", (), None))
    assert len(lines(capsys)) == 2_500
    assert len(handler._told) <= 1_000
