"""What she is told, when and how; what the bus brings; whom a worrying answer leads to. Real database, real mailbox."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.intake.handlers import hers
from services.intake.handlers.follow_ups import CONTACT
from shared.contracts.feedback import FeedbackFlagged, SurveyInvited
from shared.contracts.kinds import SurveyName, Urgency
from shared.contracts.referrals import ConcernResolved, Resolution
from shared.contracts.walks import (
    ConcernsAttached,
    FollowUpCompleted,
    FollowUpOutcome,
    WalkArranged,
    WalkCancelled,
)
from shared.survey_link import Ticket
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, intake_service
from tests.servers.local_programs import MailboxServer

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
        ("arranged", "cancelled"),
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
    assert [state for _, state in await intake.messages()] == ["due", "cancelled", "due"]
    intake.now = intake.now.replace(hour=18)
    await intake.sender.send_due()
    assert [one["subject"] for one in await letters(address) if "walk is on" in one["subject"]] == [
        "Your walk is on Wednesday 2 December 2026 at 6pm"
    ]


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
    """So that whoever opens her request knows that somebody has spoken with her."""
    asked = await intake.ask()
    await intake.take(
        FollowUpCompleted(
            follow_up_id=uuid4(),
            request_id=UUID(asked["request_id"]),
            contact_id=uuid4(),
            outcome=FollowUpOutcome.REACHED,
            in_time=True,
        )
    )
    assert await intake.one("SELECT followed_up_at FROM walk_request") == intake.now


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
