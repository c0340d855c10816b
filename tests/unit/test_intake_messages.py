"""The words of every message, and that a neutral one tells nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.intake.domain.messages import MessageKind, says_police
from services.intake.domain.person import Person
from services.intake.handlers.messages import ToSend
from services.intake.messages import Text, written
from shared.contracts.walk_requests import ContactRules
from shared.policies import Policies

POLICIES = Policies.read(Path(__file__).parents[2] / "deploy" / "forces")
LINK = "https://intake.example/your-request/abc"
FACTS: dict[MessageKind, dict[str, Any]] = {
    MessageKind.CONFIRMATION: {"link": LINK},
    MessageKind.ARRANGED: {
        "starts_at": datetime(2027, 3, 28, 17, 30, tzinfo=UTC).isoformat(),
        "meeting_place": "Outside the library",
        "link": LINK,
    },
    MessageKind.CANCELLED: {},
    MessageKind.SURVEY: {
        "link": "https://feedback.example/s/abc",
        "until": datetime(2027, 3, 31, 23, 30, tzinfo=UTC).isoformat(),
    },
    MessageKind.DONE: {"resolution": "done", "words": "The lamp was repaired.", "partner": "Bristol City Council"},
}


def a_message(kind: MessageKind, *, neutral: bool = False, name: str = "Ada", **facts: Any) -> Text:
    rules = ContactRules.model_validate({"channels": ["email"], "may_say_police": not neutral})
    person = Person(name, rules, email="ada@example.com")
    sent = ToSend(kind, "avon-and-somerset", "WT-7KF3-92QX", person, {**FACTS[kind], **facts}, neutral)
    return written(sent, POLICIES["avon-and-somerset"], "https://intake.example/avon-and-somerset/")


@pytest.mark.parametrize("kind", list(MessageKind))
def test_every_message_says_who_writes_and_what_it_is_about(kind: MessageKind) -> None:
    """Her name, the force, and a subject on one line; nothing of a template is left over."""
    text = a_message(kind)
    assert text.sender == "Avon and Somerset Police"
    assert text.body.startswith("Hello Ada,") and text.body.rstrip().endswith("Avon and Somerset Police")
    assert text.subject and "\n" not in text.subject
    assert "{" not in text.body and "None" not in text.body


@pytest.mark.parametrize("kind", list(MessageKind))
@pytest.mark.parametrize("resolution", ["done", "nothing-more"])
def test_a_neutral_message_tells_neither_who_writes_nor_why(kind: MessageKind, resolution: str) -> None:
    """No name of hers or of the force, no word that gives it away; the reference alone."""
    facts = {"resolution": resolution} if kind is MessageKind.DONE else {}
    text = a_message(kind, neutral=True, **facts)
    assert text.sender is None
    said = f"{text.subject}\n{text.body}"
    assert "WT-7KF3-92QX" in said
    assert not says_police(said)
    assert not any(word in said.lower() for word in ("ada", "somerset", "walk", "unsafe", "council"))


def test_words_that_would_tell_are_left_out_of_a_neutral_message() -> None:
    """A meeting place or a partner's words that name the police are replaced by what tells nothing."""
    arranged = a_message(MessageKind.ARRANGED, neutral=True, meeting_place="Bridewell Police Station")
    assert "the place that was agreed with you" in arranged.body
    done = a_message(MessageKind.DONE, neutral=True, words="The police patrol there now.")
    assert "patrol" not in done.body and "has been seen to" in done.body


def test_times_are_those_of_a_london_clock() -> None:
    """Half past five in UTC on the first day of summer time is half past six; midnight passes an hour earlier."""
    assert a_message(MessageKind.ARRANGED).subject == "Your walk is on Sunday 28 March 2027 at 6:30pm"
    assert "works until 1 April 2027" in a_message(MessageKind.SURVEY).body


def test_what_was_not_done_is_not_told_as_done() -> None:
    """Closed is not fixed: she reads that nothing more will be done, and why."""
    text = a_message(MessageKind.DONE, resolution="nothing-more", words="The land is private.")
    assert "nothing more will be done" in text.body and "The land is private." in text.body
    assert "it is done" not in text.body and text.subject.startswith("News about")


def test_a_resolution_without_words_is_told_without_an_empty_quotation() -> None:
    """Some partners only tick a box."""
    assert "In their words" not in a_message(MessageKind.DONE, words=None).body


def test_her_name_stands_as_she_wrote_it() -> None:
    """Plain text is not HTML: nothing is escaped, nothing is taken for a template."""
    assert "Hello O’Neil & {{ 7*7 }}," in a_message(MessageKind.CANCELLED, name="O’Neil & {{ 7*7 }}").body
