"""What she is told, when and how; what the bus brings; whom a worrying answer leads to. Real database, real mailbox."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from icalendar import Calendar, Event

from services.intake.domain.messages import tells
from services.intake.handlers import hers
from services.intake.handlers.follow_ups import CONTACT
from shared.contracts.feedback import FeedbackFlagged, SurveyInvited
from shared.contracts.kinds import SurveyName, Urgency
from shared.contracts.referrals import ConcernResolved, Resolution
from shared.contracts.walks import (
    ConcernsAttached,
    FollowUpCompleted,
    FollowUpHandedOver,
    FollowUpOutcome,
    RoutedBy,
    WalkArranged,
    WalkCancelled,
    WalkNotHeld,
    WalkProposed,
    WalkRearranged,
    WalkReturned,
    WalkRouted,
    WhatNext,
    WhyNotHeld,
)
from shared.survey_link import Ticket
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.forces_folder import forces_folder
from tests.servers.intake_service import FORCE, Intake, a_body, intake_service
from tests.servers.local_programs import MailboxServer
from tests.servers.welsh import WELSH

Letters = Callable[[str], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
async def intake(database: ServiceDatabaseMaker, mailbox: MailboxServer) -> AsyncIterator[Intake]:
    async with intake_service(database, smtp_host="127.0.0.1", smtp_port=mailbox.smtp_port) as service:
        yield service


@pytest.fixture
async def letters(mailbox: MailboxServer) -> AsyncIterator[Letters]:
    """`await letters(address)`: what has arrived there, oldest first, with text."""
    async with httpx.AsyncClient(base_url=mailbox.url) as client:

        async def arrived(address: str) -> list[dict[str, Any]]:
            found = (await client.get("/api/messages", params={"to": address})).json()
            whole = [(await client.get(f"/api/messages/{one['id']}")).json() for one in found]
            return sorted(whole, key=lambda one: str(one["received_at"]))

        yield arrived


def an_address() -> str:
    """The mailbox is shared by the whole run."""
    return f"ada-{uuid4().hex[:10]}@example.com"


def resolved(concern_id: UUID, **changed: Any) -> ConcernResolved:
    return ConcernResolved(
        **{
            "concern_id": concern_id,
            "referral_id": uuid4(),
            "partner_id": "bristol-city-council",
            "partner_name": "Bristol City Council",
            "resolution": Resolution.DONE,
            "words": "The lamp under the bridge was repaired.",
            **changed,
        }
    )


def invited(walk_id: UUID, send_from: datetime) -> SurveyInvited:
    return SurveyInvited(invitation_id=uuid4(), walk_id=walk_id, survey=SurveyName.AFTER_WALK, send_from=send_from)


async def sealed_contact(intake: Intake, request_id: str) -> str:
    return intake.deps.keeping.vault.seal_text(CONTACT, [FORCE, UUID(request_id).hex])


async def test_she_is_told_of_every_step_at_her_address(intake: Intake, letters: Letters) -> None:
    """Confirmation, time and place, survey, and what was done about her concern: one message each."""
    address, concern = an_address(), uuid4()
    asked = await intake.ask(contact={"email": address})
    walk = await intake.walk_of(asked["request_id"], (concern,))
    await intake.take(invited(walk, intake.now), resolved(concern))
    await intake.sender.send_due()
    assert await intake.messages() == [
        ("confirmation", "sent"),
        ("arranged", "its time has passed"),
        ("survey", "sent"),
        ("done", "sent"),
    ]
    found = {one["subject"]: one for one in await letters(address)}
    confirmation = found[f"We have your Walk and Talk request {asked['reference']}"]
    assert "Hello Ada" in confirmation["text"] and "Avon and Somerset Police" in confirmation["text"]
    done = next(one for subject, one in found.items() if "What was done" in subject)
    assert "The lamp under the bridge was repaired." in done["text"]
    assert "Bristol City Council" in done["text"]


async def test_she_is_told_when_and_where_on_a_london_clock(intake: Intake, letters: Letters) -> None:
    """Half past six in winter is the same in UTC; the meeting place stands as it was agreed."""
    address = an_address()
    asked = await intake.ask(contact={"email": address})
    await intake.take(arranged(asked, datetime(2026, 12, 1, 18, 30, tzinfo=UTC)))
    await intake.sender.send_due()
    # What is due at once leaves side by side, so which of the two arrives first is nobody's promise.
    [told] = [one for one in await letters(address) if "request" not in one["subject"]]
    assert told["subject"] == "Your walk is on Tuesday 1 December 2026 at 6:30pm"
    assert "Where to meet: Outside the library" in told["text"]


def arranged(asked: dict[str, Any], starts_at: datetime, walk_id: UUID | None = None, **changed: Any) -> WalkArranged:
    return WalkArranged(
        **{
            "walk_id": walk_id or uuid4(),
            "request_ids": (UUID(asked["request_id"]),),
            "officer_id": "officer-avon-1",
            "team_id": "bs1",
            "starts_at": starts_at,
            "meeting_place": "Outside the library",
            **changed,
        }
    )


async def test_a_message_id_is_the_message_and_a_repeat_is_recognised(intake: Intake, letters: Letters) -> None:
    """Sent again after a lost acknowledgement, the mailbox keeps one."""
    address = an_address()
    await intake.ask(contact={"email": address})
    await intake.sender.send_due()
    await intake.admin.execute("UPDATE sending SET state = 'due', ended_at = NULL")
    await intake.sender.send_due()
    [letter] = await letters(address)
    assert letter["duplicates"] == 1
    message_id = await intake.one("SELECT id FROM message")
    assert letter["message_id"].strip("<>") == f"{message_id}@walkandtalk"


async def test_messages_say_neither_police_nor_why_unless_she_allows_it(intake: Intake, letters: Letters) -> None:
    """Sender, subject and text of every kind; words from elsewhere that would tell are left out."""
    address, concern, other = an_address(), uuid4(), uuid4()
    asked = await intake.ask(contact={"email": address, "may_say_police": False})
    walk = await intake.walk_of(asked["request_id"], (concern, other))
    await intake.take(
        arranged(asked, intake.now + timedelta(days=2), walk, meeting_place="Bridewell Police Station"),
        invited(walk, intake.now),
        resolved(concern),
        resolved(other, words="Police patrols were doubled", partner_name="Avon and Somerset neighbourhood patrols"),
    )
    await intake.sender.send_due()
    await intake.take(WalkCancelled(walk_id=walk, request_ids=(UUID(asked["request_id"]),), reason="officer-ill"))
    await intake.sender.send_due()
    found = await letters(address)
    assert len(found) == 6
    for letter in found:
        # The token of a link is random letters, which may spell anything.
        text = re.sub(r"/s/\S+", "", letter["text"])
        said = " ".join((letter["sender"], letter["subject"], text, letter["message_id"])).lower()
        assert not any(word in said for word in ("police", "walk", "officer", "somerset", "safe", "crime")), said
        assert asked["reference"].lower() in said


@pytest.mark.parametrize("police", [True, False])
async def test_a_time_that_no_longer_stands_is_told_once_and_leaves_her_page(
    intake: Intake, letters: Letters, police: bool
) -> None:
    """Not held, then given to another officer: one message, without a reproach; nothing of the old time leaves."""
    address, walk = an_address(), uuid4()
    asked = await intake.ask(contact={"email": address, "may_say_police": police})
    request_id, at = UUID(asked["request_id"]), intake.now + timedelta(days=3)
    await intake.take(arranged(asked, at, walk))
    await intake.sender.send_due()
    intake.now = at + timedelta(hours=1)
    named = {"walk_id": walk, "request_ids": (request_id,), "team_id": "bs1"}
    missed = WalkNotHeld(
        **named, officer_id="officer-avon-1", starts_at=at, why=WhyNotHeld.SHE_DID_NOT_COME, what_next=WhatNext.QUEUE
    )
    await intake.take(missed, WalkRouted(**named, area_id="bs1", routed_by=RoutedBy.COVERS, boundary_version="1"))
    await intake.sender.send_due()
    told = [one for one in await letters(address) if "no longer stands" in one["text"]]
    assert len(told) == 1
    assert told[0]["subject"].startswith("Your walk needs a new time" if police else "New time needed")
    assert "did not come" not in told[0]["text"]
    state = await intake.one("SELECT state FROM walk_request WHERE id = $1", request_id)
    assert (state, await intake.one("SELECT times FROM walk_request WHERE id = $1", request_id)) == ("routed", None)


async def test_she_who_is_taken_out_of_a_group_hears_that_its_time_is_not_hers(
    intake: Intake, letters: Letters
) -> None:
    """The entry leaves her calendar too; the others of the group hear nothing."""
    hers, other, walk = an_address(), an_address(), uuid4()
    asked = [await intake.ask(contact={"email": address, "calendar_invites": True}) for address in (hers, other)]
    ids = tuple(UUID(one["request_id"]) for one in asked)
    at = intake.now + timedelta(days=3)
    place = {"officer_id": "officer-avon-1", "team_id": "bs1", "meeting_place": "The library"}
    await intake.take(WalkArranged(walk_id=walk, request_ids=ids, starts_at=at, **place))
    await intake.sender.send_due()
    alone = {"walk_id": uuid4(), "request_ids": ids[:1], "area_id": "bs1", "team_id": "bs1"}
    await intake.take(WalkRouted(**alone, routed_by=RoutedBy.COVERS, boundary_version="1"))
    await intake.sender.send_due()
    assert [sum("no longer stands" in one["text"] for one in await letters(each)) for each in (hers, other)] == [1, 0]
    intake.now = at - timedelta(days=1)
    await intake.sender.send_due()
    assert [sum("reminder" in one["text"] for one in await letters(each)) for each in (hers, other)] == [0, 1]


async def test_a_message_waits_for_her_hours(intake: Intake, letters: Letters) -> None:
    """Asked for at noon, with evenings alone safe: nothing before five, then at once."""
    address = an_address()
    await intake.ask(contact={"email": address, "times": ["evening"]})
    await intake.sender.send_due()
    assert await letters(address) == []
    intake.now = intake.now.replace(hour=17)
    await intake.sender.send_due()
    assert len(await letters(address)) == 1


async def test_a_message_held_up_past_her_hours_waits_for_the_next(intake: Intake, letters: Letters) -> None:
    """Due in the evening but nobody could send it: it does not arrive in the night, but the evening after."""
    address = an_address()
    await intake.ask(contact={"email": address, "times": ["evening"]})
    intake.now = intake.now.replace(hour=23)
    await intake.sender.send_due()
    assert await letters(address) == []
    assert await intake.one("SELECT due_at FROM sending") == datetime(2026, 11, 24, 17, tzinfo=UTC)
    intake.now = datetime(2026, 11, 24, 17, tzinfo=UTC)
    await intake.sender.send_due()
    assert len(await letters(address)) == 1


async def test_who_wants_calls_only_is_written_nothing(intake: Intake) -> None:
    """The message is kept as withheld, so that an officer knows she was not told."""
    await intake.ask(contact={"channels": ["phone"], "phone": "07700 900982", "email": None})
    assert await intake.messages() == [("confirmation", "channel not allowed")]
    assert await intake.one("SELECT sealed FROM message") is None


async def test_an_earlier_time_is_not_sent_after_a_later_one(intake: Intake, letters: Letters) -> None:
    """Rearranged before she was told: she hears the new time alone."""
    address = an_address()
    asked = await intake.ask(contact={"email": address, "times": ["evening"]})
    walk = uuid4()
    await intake.take(arranged(asked, datetime(2026, 12, 1, 18, tzinfo=UTC), walk))
    await intake.take(arranged(asked, datetime(2026, 12, 2, 18, tzinfo=UTC), walk))
    assert await intake.messages() == [
        ("confirmation", "due"),
        ("arranged", "cancelled"),
        ("reminder", "cancelled"),
        ("arranged", "due"),
        ("reminder", "due"),
    ]
    intake.now = intake.now.replace(hour=18)
    await intake.sender.send_due()
    assert [one["subject"] for one in await letters(address) if "walk is on" in one["subject"]] == [
        "Your walk is on Wednesday 2 December 2026 at 6pm"
    ]


def moved(
    asked: dict[str, Any], before: datetime, starts_at: datetime, walk_id: UUID, **changed: Any
) -> WalkRearranged:
    return WalkRearranged(**arranged(asked, starts_at, walk_id, **changed).model_dump(), before=before)


def proposed(asked: dict[str, Any], times: tuple[datetime, ...], answer_by: datetime, walk_id: UUID) -> WalkProposed:
    return WalkProposed(
        walk_id=walk_id,
        request_ids=(UUID(asked["request_id"]),),
        proposal_id=uuid4(),
        officer_id="officer-avon-1",
        team_id="bs1",
        times=times,
        meeting_place="Outside the library",
        answer_by=answer_by,
    )


async def test_she_is_asked_which_time_suits_until_one_is_arranged(intake: Intake, letters: Letters) -> None:
    """The officer's times and her own page; a later proposal takes the place of one she was not told yet."""
    address, walk = an_address(), uuid4()
    asked = await intake.ask(contact={"email": address})
    times = (datetime(2026, 12, 1, 18, tzinfo=UTC), datetime(2026, 12, 2, 18, 30, tzinfo=UTC))
    until = datetime(2026, 11, 30, 17, tzinfo=UTC)
    await intake.take(proposed(asked, times[:1], until, walk))
    await intake.take(proposed(asked, times, until, walk))
    assert await intake.messages() == [("confirmation", "due"), ("proposed", "cancelled"), ("proposed", "due")]
    await intake.sender.send_due()
    [asking] = [one for one in await letters(address) if one["subject"].startswith("When can you come")]
    assert "Tuesday 1 December 2026 at 6pm\nWednesday 2 December 2026 at 6:30pm\n" in asking["text"].replace(
        "\r\n", "\n"
    )
    assert "by 30 November 2026" in asking["text"] and "/your-request/" in asking["text"]
    await intake.take(proposed(asked, times, until, walk))
    await intake.take(arranged(asked, times[0], walk))
    assert ("proposed", "due") not in await intake.messages()


async def test_she_is_reminded_the_day_before(intake: Intake, letters: Letters) -> None:
    """From nine on, once; of the walk as it stands."""
    address = an_address()
    asked = await intake.ask(contact={"email": address})
    await intake.take(arranged(asked, datetime(2026, 12, 1, 18, tzinfo=UTC)))
    intake.now = datetime(2026, 11, 30, 8, 59, tzinfo=UTC)
    await intake.sender.send_due()
    assert ("reminder", "due") in await intake.messages()
    intake.now = datetime(2026, 11, 30, 9, tzinfo=UTC)
    await intake.sender.send_due()
    [reminder] = [one for one in await letters(address) if "This is a reminder" in one["text"]]
    assert reminder["subject"] == "Your walk is on Tuesday 1 December 2026 at 6pm"


@pytest.mark.parametrize("what", ["moved", "cancelled", "completed", "withdrawn", "stopped"])
async def test_no_reminder_outlives_its_time(intake: Intake, letters: Letters, what: str) -> None:
    """Moved, cancelled, held, withdrawn or stopped: the day before the old time nothing leaves."""
    address, walk = an_address(), uuid4()
    asked = await intake.ask(contact={"email": address})
    old, new = datetime(2026, 12, 1, 18, tzinfo=UTC), datetime(2026, 12, 8, 18, tzinfo=UTC)
    await intake.take(arranged(asked, old, walk))
    await intake.sender.send_due()
    named = {"walk_id": walk, "request_ids": (UUID(asked["request_id"]),)}
    if what == "moved":
        await intake.take(moved(asked, old, new, walk))
    elif what == "cancelled":
        await intake.take(WalkCancelled(**named, reason="officer-ill"))
    elif what == "completed":
        await intake.walk_of(asked["request_id"])
    elif what == "withdrawn":
        async with intake.database.web.transaction([FORCE]) as tx:
            await hers.withdraw(tx, FORCE, UUID(asked["request_id"]), intake.now)
    else:
        await stop(intake, asked)
    live = await intake.rows(
        "SELECT m.kind, s.due_at FROM message m JOIN sending s USING (force_id, id)"
        " WHERE s.state = 'due' AND m.kind = 'reminder'"
    )
    assert [row["due_at"] for row in live] == ([datetime(2026, 12, 7, 9, tzinfo=UTC)] if what == "moved" else [])
    await intake.sender.send_due()
    before = len(await letters(address))
    intake.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    await intake.sender.send_due()
    assert len(await letters(address)) == before
    intake.now = datetime(2026, 12, 7, 12, tzinfo=UTC)
    await intake.sender.send_due()
    reminders = (await letters(address))[before:]
    assert [one["subject"] for one in reminders] == (
        ["Your walk is on Tuesday 8 December 2026 at 6pm"] if what == "moved" else []
    )


async def test_a_message_that_comes_too_late_is_not_sent(intake: Intake, letters: Letters) -> None:
    """Her evenings alone are safe and the walk is this afternoon: she is not told of it in the evening."""
    address = an_address()
    asked = await intake.ask(contact={"email": address, "times": ["evening"]})
    await intake.take(arranged(asked, intake.now + timedelta(hours=2)))
    assert ("arranged", "its time has passed") in await intake.messages()


async def test_what_may_leave_no_longer_keeps_the_reason_and_none_of_its_words(
    intake: Intake, letters: Letters
) -> None:
    """Her rules change while a message waits: withheld for that reason, not failed, and nothing of it is kept."""
    address = an_address()
    asked = await intake.ask(contact={"email": address})
    await intake.admin.execute("UPDATE walk_request SET state = 'withdrawn' WHERE id = $1", UUID(asked["request_id"]))
    await intake.sender.send_due()
    [row] = await intake.rows("SELECT m.refused, m.sealed, s.state FROM message m JOIN sending s USING (force_id, id)")
    assert (row["refused"], row["sealed"], row["state"]) == ("request withdrawn", None, "cancelled")
    assert await letters(address) == []


async def raw(letters: Letters, mailbox: MailboxServer, address: str) -> list[EmailMessage]:
    """What arrived there, whole, oldest first."""
    files = [mailbox.folder / f"{one['id']}.eml" for one in await letters(address)]
    return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]


def entry_of(mail: EmailMessage) -> tuple[str, Calendar] | None:
    """(method, calendar) of a message that has an entry."""
    for part in mail.walk():
        if part.get_content_type() == "text/calendar":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return str(part.get_param("method")), Calendar.from_ical(content)
    return None


@pytest.mark.parametrize("police", [True, False])
async def test_her_calendar_is_updated_never_doubled(
    intake: Intake, letters: Letters, mailbox: MailboxServer, police: bool
) -> None:
    """Arranged, moved, cancelled: one identity, a sequence that rises, times of London; neutral where it must be."""
    address, walk = an_address(), uuid4()
    contact = {"email": address, "may_say_police": police, "calendar_invites": True}
    asked = await intake.ask(contact=contact)
    old, new = datetime(2026, 12, 1, 18, tzinfo=UTC), datetime(2027, 7, 8, 17, tzinfo=UTC)
    await intake.take(arranged(asked, old, walk))
    await intake.sender.send_due()
    await intake.take(moved(asked, old, new, walk, meeting_place="Bridewell Police Station"))
    await intake.sender.send_due()
    named = {"walk_id": walk, "request_ids": (UUID(asked["request_id"]),)}
    await intake.take(WalkCancelled(**named, reason="officer-ill"))
    await intake.sender.send_due()
    entries = [found for mail in await raw(letters, mailbox, address) if (found := entry_of(mail))]
    assert [method for method, _ in entries] == ["REQUEST", "REQUEST", "CANCEL"]
    events = [calendar.events[0] for _, calendar in entries]
    assert len({str(event["uid"]) for event in events}) == 1
    sequences = [event.sequence for event in events]
    assert sequences == sorted(set(sequences))
    assert [event.start for event in events[:2]] == [old, new]
    assert str(events[1]["dtstart"].params["tzid"]) == "Europe/London" and entries[1][1].timezones
    assert events[2]["status"] == "CANCELLED"
    # What a calendar does with them, by RFC 5546: the highest sequence of an identity holds.
    shown: dict[str, Event] = {}
    for event in events:
        shown[str(event["uid"])] = max(shown.get(str(event["uid"]), event), event, key=lambda one: one.sequence)
    assert [str(event["status"]) for event in shown.values()] == ["CANCELLED"]
    for _, calendar in entries:
        text = calendar.to_ical().decode().replace("\r\n ", "")
        assert set(re.findall(r"mailto:([^\s;]+)", text)) == {
            address,
            intake.settings.mail_from if police else intake.settings.neutral_mail_from,
        }
        assert police or not tells(text.replace(str(events[0]["uid"]), "")), text
        assert police or "walk" not in text.lower().replace(address, ""), text


async def test_an_arranged_walk_that_nobody_has_any_more_is_told_and_not_reminded_of(
    intake: Intake, letters: Letters, mailbox: MailboxServer
) -> None:
    """Her officer may not walk with her any more: the old time leaves nothing, and the next one its own entry."""
    address, walk = an_address(), uuid4()
    asked = await intake.ask(contact={"email": address, "calendar_invites": True})
    request_id, at = UUID(asked["request_id"]), intake.now + timedelta(days=3)
    await intake.take(arranged(asked, at, walk))
    await intake.sender.send_due()
    await intake.take(WalkReturned(walk_id=walk, request_ids=(request_id,)))
    await intake.sender.send_due()
    row = "SELECT (state, times IS NULL, officer_id IS NULL)::text FROM walk_request WHERE id = $1"
    assert await intake.one(row, request_id) == "(received,t,t)"
    intake.now = at - timedelta(days=1)
    await intake.sender.send_due()
    said = [one["text"] for one in await letters(address)]
    assert [sum(word in text for text in said) for word in ("no longer stands", "reminder")] == [1, 0]
    await intake.take(arranged(asked, at + timedelta(days=2), walk))
    await intake.sender.send_due()
    entries = [found for mail in await raw(letters, mailbox, address) if (found := entry_of(mail))]
    events = [calendar.events[0] for _, calendar in entries]
    assert [method for method, _ in entries] == ["REQUEST", "CANCEL", "REQUEST"]
    assert len({str(event["uid"]) for event in events}) == 1
    assert [event.sequence for event in events] == sorted({event.sequence for event in events})


async def test_what_her_earlier_walk_had_told_is_not_told_of_her_any_more(intake: Intake, letters: Letters) -> None:
    """Taken out of a group, she hears of her own walk first: a time the group's had been given before is not hers."""
    address, group, hers = an_address(), uuid4(), uuid4()
    asked = await intake.ask(contact={"email": address})
    request_id, at = UUID(asked["request_id"]), intake.now + timedelta(days=3)
    before = intake.record(arranged(asked, at, group))
    intake.now += timedelta(minutes=5)
    alone = {"walk_id": hers, "request_ids": (request_id,), "area_id": "bs1", "team_id": "bs1"}
    await intake.take(WalkRouted(**alone, routed_by=RoutedBy.COVERS, boundary_version="1"))
    await intake.inbox.take([before])
    await intake.sender.send_due()
    assert [one["text"] for one in await letters(address) if "Outside the library" in one["text"]] == []
    row = "SELECT (state, walk_id)::text FROM walk_request WHERE id = $1"
    assert await intake.one(row, request_id) == f"(routed,{hers})"
    await intake.take(arranged(asked, at, hers))
    await intake.sender.send_due()
    assert sum("Outside the library" in one["text"] for one in await letters(address)) == 1


async def test_nothing_is_put_in_her_calendar_unasked(intake: Intake, letters: Letters, mailbox: MailboxServer) -> None:
    """A calendar may be shared: no entry unless she wants one; plain text and HTML always."""
    address = an_address()
    asked = await intake.ask(contact={"email": address})
    await intake.take(arranged(asked, datetime(2026, 12, 1, 18, tzinfo=UTC)))
    await intake.sender.send_due()
    for mail in await raw(letters, mailbox, address):
        assert mail.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


async def test_who_asked_in_welsh_is_answered_in_welsh(
    database: ServiceDatabaseMaker, mailbox: MailboxServer, letters: Letters, tmp_path: Path
) -> None:
    """The language of her request, one of those her force offers; another is refused."""
    address = an_address()
    smtp = {"smtp_host": "127.0.0.1", "smtp_port": mailbox.smtp_port}
    async with intake_service(database, forces_dir=forces_folder(tmp_path, WELSH), **smtp) as intake:
        await intake.ask(contact={"email": address}, language="cy")
        await intake.sender.send_due()
        [letter] = await letters(address)
        assert letter["text"].startswith("Helo Ada,")
        async with intake.client() as client:
            body = a_body(language="fr")
            answer = await client.post("/api/v1/walk-requests", json=body, headers={"Idempotency-Key": uuid4().hex})
        assert answer.status_code == 422 and "language" in answer.text


async def test_a_resolution_before_its_walk_waits_and_is_told(intake: Intake) -> None:
    """ConcernResolved overtakes WalkCompleted: held, then told once, also when the concern was attached later."""
    asked = await intake.ask()
    first, late = uuid4(), uuid4()
    records = await intake.take(resolved(first), resolved(late))
    assert await intake.one("SELECT count(*) FROM held WHERE why = 'awaiting'") == 2
    walk = await intake.walk_of(asked["request_id"], (first,))
    await intake.inbox.sweep()
    assert [kind for kind, _ in await intake.messages()].count("done") == 1
    await intake.take(ConcernsAttached(walk_id=walk, request_ids=(UUID(asked["request_id"]),), concern_ids=(late,)))
    await intake.inbox.sweep()
    assert [kind for kind, _ in await intake.messages()].count("done") == 2
    assert await intake.one("SELECT count(*) FROM held") == 0
    await intake.inbox.take(records)
    assert [kind for kind, _ in await intake.messages()].count("done") == 2


async def test_an_invitation_before_its_walk_waits_and_goes_to_each_woman_once(intake: Intake) -> None:
    """SurveyInvited overtakes the walk's first event; both women of a group get a link of their own."""
    walk = uuid4()
    one, two = await intake.ask(), await intake.ask()
    await intake.take(invited(walk, intake.now))
    requests = (UUID(one["request_id"]), UUID(two["request_id"]))
    assert [kind for kind, _ in await intake.messages()].count("survey") == 0
    await intake.take(arranged(one, intake.now, walk, request_ids=requests))
    await intake.inbox.sweep()
    assert [kind for kind, _ in await intake.messages()].count("survey") == 2


async def test_a_survey_waits_for_its_day(intake: Intake) -> None:
    """Feedback says from when; nothing leaves before."""
    asked = await intake.ask()
    walk = await intake.walk_of(asked["request_id"])
    await intake.take(invited(walk, intake.now + timedelta(hours=24)))
    await intake.sender.send_due()
    assert ("survey", "due") in await intake.messages()
    intake.now += timedelta(hours=24)
    await intake.sender.send_due()
    assert ("survey", "sent") in await intake.messages()


async def test_the_link_holds_her_pair_id_and_a_reference_only_intake_opens(intake: Intake, letters: Letters) -> None:
    """What feedback reads from it is random; her contact reference leads back through the vault alone."""
    address = an_address()
    asked = await intake.ask(contact={"email": address}, baseline={"safe-after-dark": "very-unsafe"})
    await intake.take(invited(await intake.walk_of(asked["request_id"]), intake.now))
    await intake.sender.send_due()
    letter = next(one for one in await letters(address) if "/s/" in one["text"])
    token = letter["text"].partition("/s/")[2].split()[0]
    ticket = Ticket.read(token, intake.deps.keeping.link_key, intake.now)
    assert (ticket.force_id, ticket.survey) == (FORCE, SurveyName.AFTER_WALK)
    assert asked["request_id"] not in str(ticket) and UUID(asked["request_id"]).hex not in str(ticket)
    opened = intake.deps.keeping.vault.open_text(CONTACT, ticket.contact)
    assert opened == [FORCE, UUID(asked["request_id"]).hex]


def flagged(contact: str | None) -> FeedbackFlagged:
    return FeedbackFlagged(
        flag_id=uuid4(),
        survey=SurveyName.AFTER_WALK,
        reasons=("still-worried",),
        urgency=Urgency.SAME_DAY,
        contact=contact,
    )


async def test_a_worrying_answer_asks_for_contact_without_telling_why(intake: Intake) -> None:
    """ContactWanted names the request and how soon; neither flag, cause nor moment; nothing joins them here."""
    asked = await intake.ask()
    flag = flagged(await sealed_contact(intake, asked["request_id"]))
    [record] = await intake.take(flag)
    assert await intake.published("contact-wanted") == []
    intake.now += timedelta(seconds=6)
    await intake.timers.fire_due()
    [wanted] = await intake.published("contact-wanted")
    assert wanted.keys() == {"request_id", "contact_id", "urgency"}
    assert (wanted["request_id"], wanted["urgency"]) == (asked["request_id"], "same-day")
    [row] = await intake.rows("SELECT * FROM outbox_log WHERE type LIKE '%contact-wanted%'")
    assert row["correlation_id"] is row["causation_id"] is row["traceparent"] is None
    assert (row["time"].hour, row["time"].minute) == (0, 0)
    assert str(flag.flag_id) not in str([tuple(one) for one in await intake.rows("SELECT * FROM outbox_log")])
    seen = await intake.rows("SELECT xmin::text FROM inbox WHERE id = $1", UUID(dict(record.headers)["ce_id"].decode()))
    told = await intake.rows("SELECT xmin::text FROM outbox_log WHERE type LIKE '%contact-wanted%'")
    assert seen[0]["xmin"] != told[0]["xmin"], "one transaction's mark would join the flag and the request"
    assert await intake.one("SELECT count(*) FROM wanted_contact") == 0
    await intake.inbox.take([record])
    intake.now += timedelta(seconds=6)
    await intake.timers.fire_due()
    assert len(await intake.published("contact-wanted")) == 1


async def test_who_wants_no_contact_after_an_answer_is_left_in_peace(intake: Intake) -> None:
    """No reference, no search; and none for her who has stopped all contact since."""
    asked = await intake.ask()
    await intake.take(flagged(None))
    await stop(intake, asked)
    await intake.take(flagged(await sealed_contact(intake, asked["request_id"])))
    intake.now += timedelta(seconds=6)
    await intake.timers.fire_due()
    assert await intake.published("contact-wanted") == []


async def test_a_forged_reference_is_parked_and_leads_to_nobody(intake: Intake) -> None:
    """Sealed by no master key of ours, or for another force."""
    asked = await intake.ask()
    met = intake.deps.keeping.vault.seal_text(CONTACT, ["metropolitan", UUID(asked["request_id"]).hex])
    await intake.take(flagged("A" * 80), flagged(met))
    assert await intake.published("contact-wanted") == []
    assert await intake.one("SELECT count(*) FROM held WHERE why = 'failed'") == 2


async def test_the_end_of_a_follow_up_is_noted_on_her_request(intake: Intake) -> None:
    """So that whoever opens her request knows that somebody has spoken with her; whoever it was handed over to opens
    her contact card no longer."""
    asked = await intake.ask()
    follow_up_id = uuid4()
    for officer_id in ("officer-avon-2", "officer-avon-3"):
        handed = FollowUpHandedOver(
            follow_up_id=follow_up_id, request_id=UUID(asked["request_id"]), officer_id=officer_id
        )
        await intake.take(handed)
        assert await intake.one("SELECT caller_id FROM walk_request") == officer_id
    await intake.take(
        FollowUpCompleted(
            follow_up_id=follow_up_id,
            request_id=UUID(asked["request_id"]),
            contact_id=uuid4(),
            outcome=FollowUpOutcome.REACHED,
            in_time=True,
        )
    )
    assert await intake.one("SELECT followed_up_at FROM walk_request") == intake.now
    assert await intake.one("SELECT caller_id FROM walk_request") is None


async def stop(intake: Intake, asked: dict[str, Any]) -> None:
    async with intake.database.web.transaction([FORCE]) as tx:
        await hers.stop_contact(tx, FORCE, UUID(asked["request_id"]), intake.now, keeping=intake.deps.keeping)


async def test_nothing_reaches_her_once_contact_is_stopped(intake: Intake, letters: Letters) -> None:
    """What was on its way is taken back, what comes later is withheld, and the others are told the rule."""
    address, concern = an_address(), uuid4()
    asked = await intake.ask(contact={"email": address})
    await stop(intake, asked)
    await stop(intake, asked)
    walk = await intake.walk_of(asked["request_id"], (concern,))
    await intake.take(invited(walk, intake.now), resolved(concern))
    await intake.sender.send_due()
    assert await letters(address) == []
    assert {state for _, state in await intake.messages()} == {"cancelled", "contact stopped"}
    [told] = await intake.published("contact-rules-changed")
    assert told["contact"]["stopped"] is True


async def test_a_message_claimed_before_she_stopped_is_not_sent_after(intake: Intake, letters: Letters) -> None:
    """The door is asked once more the moment a message leaves."""
    address = an_address()
    asked = await intake.ask(contact={"email": address})
    await stop(intake, asked)
    await intake.admin.execute("UPDATE sending SET state = 'due'")
    await intake.sender.send_due()
    assert await letters(address) == []
    assert await intake.one("SELECT fault FROM sending") == "contact stopped"


async def test_a_withdrawn_request_stays_withdrawn_whatever_the_walk_does(intake: Intake) -> None:
    """Late events of the walk are no fault and change nothing; no message leaves; one event tells the others."""
    asked = await intake.ask()
    async with intake.database.web.transaction([FORCE]) as tx:
        await hers.withdraw(tx, FORCE, UUID(asked["request_id"]), intake.now)
        await hers.withdraw(tx, FORCE, UUID(asked["request_id"]), intake.now)
    await intake.walk_of(asked["request_id"])
    assert await intake.one("SELECT state FROM walk_request") == "withdrawn"
    assert {state for _, state in await intake.messages()} == {"cancelled", "request withdrawn"}
    assert len(await intake.published("walk-request-withdrawn")) == 1
    assert await intake.one("SELECT count(*) FROM held") == 0
