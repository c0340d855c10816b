"""The words of every message, and that a neutral one tells nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from services.intake.domain.messages import MessageKind, tells
from services.intake.domain.person import Person
from services.intake.handlers.messages import ToSend
from services.intake.messages.words import FORMS, SAMPLE, Text, Words
from shared.contracts.walk_requests import ContactRules
from shared.policies import Policies, PolicyFault

FORCES = Path(__file__).parents[2] / "deploy" / "forces"
POLICIES = Policies(
    {force: one.model_copy(update={"languages": ("en", "cy")}) for force, one in Policies.read(FORCES).items()}
)
WORDS = Words.read(POLICIES, FORCES)
LINK = "https://intake.example/your-request/abc"
OF_A_TIME = {
    "starts_at": datetime(2027, 3, 28, 17, 30, tzinfo=UTC).isoformat(),
    "meeting_place": "Outside the library",
    "link": LINK,
}
FACTS: dict[MessageKind, dict[str, Any]] = {
    MessageKind.CONFIRM: {"link": LINK, "code": "019305"},
    MessageKind.CONFIRMATION: {"link": LINK},
    MessageKind.PROPOSED: {
        "times": [datetime(2027, 3, 28, hour, 30, tzinfo=UTC).isoformat() for hour in (9, 17)],
        "until": datetime(2027, 3, 26, 17, tzinfo=UTC).isoformat(),
        "meeting_place": "Outside the library",
        "link": LINK,
    },
    MessageKind.ARRANGED: OF_A_TIME,
    MessageKind.MOVED: OF_A_TIME,
    MessageKind.REMINDER: OF_A_TIME,
    MessageKind.AGAIN: {"link": LINK},
    MessageKind.CANCELLED: {},
    MessageKind.SURVEY: {
        "link": "https://feedback.example/s/abc",
        "until": datetime(2027, 3, 31, 23, 30, tzinfo=UTC).isoformat(),
    },
    MessageKind.DONE: {"resolution": "done", "words": "The lamp was repaired.", "partner": "Bristol City Council"},
}


def to_send(
    kind: MessageKind, *, neutral: bool = False, name: str = "Ada", language: str = "en", **facts: Any
) -> ToSend:
    rules = ContactRules.model_validate({"channels": ["email"], "may_say_police": not neutral})
    person = Person(name, rules, email="ada@example.com", language=language)
    return ToSend(kind, "avon-and-somerset", "WT-7KF3-92QX", person, {**FACTS[kind], **facts}, neutral)


def a_message(kind: MessageKind, **given: Any) -> Text:
    return WORDS.email(to_send(kind, **given), "https://intake.example/avon-and-somerset/")


def a_text(kind: MessageKind, **given: Any) -> str:
    return WORDS.text(to_send(kind, **given), "https://intake.example/avon-and-somerset/")


every_kind = pytest.mark.parametrize("kind", list(MessageKind))
both_languages = pytest.mark.parametrize("language", ["en", "cy"])
HELLO = {"en": "Hello", "cy": "Helo"}


@every_kind
@both_languages
def test_every_message_says_who_writes_and_what_it_is_about(kind: MessageKind, language: str) -> None:
    """Her name, the force, and a subject on one line; nothing of a template is left over."""
    text = a_message(kind, language=language)
    assert text.sender == "Avon and Somerset Police"
    assert text.body.startswith(f"{HELLO[language]} Ada,")
    assert text.body.rstrip().endswith("Avon and Somerset Police")
    assert text.subject and "\n" not in text.subject
    assert "{" not in text.body and "None" not in text.body and "\n\n\n" not in text.body


@every_kind
@both_languages
@pytest.mark.parametrize("resolution", ["done", "nothing-more"])
def test_a_neutral_message_tells_neither_who_writes_nor_why(kind: MessageKind, resolution: str, language: str) -> None:
    """No name of hers or of the force, no word that gives it away; the reference alone. By e-mail and by text."""
    facts = {"resolution": resolution} if kind is MessageKind.DONE else {}
    mail = a_message(kind, neutral=True, language=language, **facts)
    assert mail.sender is None
    for said in (f"{mail.subject}\n{mail.body}", mail.html, a_text(kind, neutral=True, language=language, **facts)):
        assert not tells(said)
        telling = r"\bada\b|somerset|walk|unsafe|council|cerdd|\btro\b|anniogel|cyngor"
        assert not re.search(telling, re.sub(r"https://\S+", "", said), re.IGNORECASE)
    assert "WT-7KF3-92QX" in mail.subject + mail.body


@every_kind
@both_languages
@pytest.mark.parametrize("neutral", [True, False])
def test_a_text_is_short_and_says_what_the_email_says(kind: MessageKind, language: str, neutral: bool) -> None:
    """One paragraph that six parts hold, with the link and the time where there are any."""
    said = a_text(kind, neutral=neutral, language=language)
    assert len(said) <= 918 and "None" not in said and "{" not in said
    if not neutral:
        assert said.startswith("Avon and Somerset Police: ") and "\n" not in said
        # The page her link opens is in the language of the message.
        link = str(FACTS[kind].get("link"))
        led_to = link if language == "en" else link.replace("/your-request/", f"/{language}/your-request/")
        assert ("link" in FACTS[kind]) == (led_to in said)


@every_kind
@both_languages
def test_the_html_says_the_same_and_fetches_nothing(kind: MessageKind, language: str) -> None:
    """Every word of the plain text, in paragraphs; no picture, no script, nothing from anywhere; links are links."""
    text = a_message(kind, language=language)
    shown = unescape(re.sub(r"<[^>]+>", "", text.html.partition("<body")[2].partition(">")[2]))
    assert shown.split() == text.body.split()
    assert f'lang="{language}"' in text.html
    assert not re.search(r"<(img|script|link|iframe|object|style)|src=|url\(|@import", text.html, re.IGNORECASE)
    assert set(re.findall(r'href="([^"]+)"', text.html)) == set(re.findall(r"https://\S+", text.body))


def test_her_name_is_no_markup_in_html() -> None:
    """What she typed is shown, never interpreted."""
    html = a_message(MessageKind.CANCELLED, name="<b>O’Neil</b> & {{ 7*7 }}").html
    assert "&lt;b&gt;O’Neil&lt;/b&gt; &amp; {{ 7*7 }}" in html


def test_days_are_named_in_welsh() -> None:
    """Language and clock go together: the first evening of summer time."""
    assert a_message(MessageKind.ARRANGED, language="cy").subject == "Mae eich tro dydd Sul 28 Mawrth 2027 am 6:30pm"
    midday = datetime(2026, 12, 1, 12, tzinfo=UTC).isoformat()
    assert (
        "dydd Mawrth 1 Rhagfyr 2026 am hanner dydd"
        in a_message(MessageKind.ARRANGED, language="cy", starts_at=midday).subject
    )


def test_a_language_the_force_does_not_offer_is_english() -> None:
    """She asked in Welsh of a force that has since stopped offering it."""
    words = Words(Policies.read(FORCES), FORCES)
    assert words.email(to_send(MessageKind.CONFIRMATION, language="cy"), "").body.startswith("Hello Ada,")


def test_a_link_whose_host_tells_is_left_out_of_a_neutral_message() -> None:
    """What the token happens to spell tells nothing; the name of the host may."""
    telling = "https://walks.police.uk/your-request/abc"
    assert telling not in a_message(MessageKind.PROPOSED, neutral=True, link=telling).body
    harmless = "https://a.example/your-request/x-pcs-101-y"
    assert harmless in a_message(MessageKind.PROPOSED, neutral=True, link=harmless).body


# A force's own words


def own_words(folder: Path, files: dict[str, str]) -> Words:
    for name, text in files.items():
        path = folder / "avon-and-somerset" / "messages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Words.read(POLICIES, folder)


def test_a_force_may_say_it_in_its_own_words(tmp_path: Path) -> None:
    """Its file takes the place of ours; every other stays."""
    words = own_words(tmp_path, {"en/cancelled.txt": "Not this time\nDear {{ name }}, sorry.\n"})
    text = words.email(to_send(MessageKind.CANCELLED), "")
    assert (text.subject, text.body) == ("Not this time", "Dear Ada, sorry.\n")
    assert words.email(to_send(MessageKind.CONFIRMATION), "").body == a_message(MessageKind.CONFIRMATION).body


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("en/canceled.txt", "Subject\nBody", "is not the name of a message"),
        ("en/cancelled.txt", "Subject\nBody {{ officer }}", "'officer' is undefined"),
        ("en/cancelled.txt", "Subject\n{{ reference", "unexpected end of template"),
        ("en/cancelled.txt", "Subject alone", "begins with the subject"),
        ("en/cancelled.neutral.txt", "Your walk\nThe police will not come.", "must not say who writes"),
        ("cy/cancelled.neutral.txt", "Apwyntiad\nNi fydd y swyddog yn dod.", "must not say who writes"),
        ("en/cancelled.neutral.txt", "Hello\nAvon and Somerset Police", "must not say who writes"),
        ("en/cancelled.text.txt", "x" * 919, "too long for a text"),
    ],
)
def test_words_of_a_force_that_cannot_be_sent_stop_the_start(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    """Found when the service starts, not when she waits; the file is named."""
    with pytest.raises(PolicyFault) as told:
        own_words(tmp_path, {name: text})
    assert complaint in str(told.value) and name in str(told.value)


def test_every_message_is_written_in_every_form_and_language() -> None:
    """No file is missing, none is there that nothing sends."""
    folder = Path(__file__).parents[2] / "services" / "intake" / "templates" / "messages"
    wanted = {f"{lang}/{kind}{form}.txt" for lang in ("en", "cy") for kind in MessageKind for form in FORMS}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.txt")} == wanted
    assert all(set(FACTS[kind]) - {"resolution"} <= set(SAMPLE) for kind in MessageKind)


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
