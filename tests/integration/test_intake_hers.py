"""Her private page as a browser without JavaScript meets it: times answered, things changed, contact stopped."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.intake.handlers import hers
from services.intake.handlers.keeping import open_request
from services.intake.store import requests as request_rows
from shared.contracts.walks import WalkArranged, WalkCancelled, WalkProposed, WalkRearranged, WalkTaken
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, intake_service

TUESDAY = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)
THURSDAY = datetime(2026, 12, 3, 18, 30, tzinfo=UTC)
OFFICER = {"officer_id": "officer-avon-1", "team_id": "bs1"}
WHERE_AND_WHEN = {"days": ["monday"], "parts": ["evening"], "group": "no"}
REACH = {
    "channels": ["email"],
    "times": ["early-morning", "daytime", "evening"],
    "say_police": "yes",
    "voicemail": "no",
}


@dataclass
class Hers:
    """One woman's request, her walk, and her page."""

    intake: Intake
    client: httpx.AsyncClient
    request_id: UUID
    path: str
    walk_id: UUID
    proposal_id: UUID

    async def see(self, page: str = "") -> httpx.Response:
        return await self.client.get(f"{self.path}{page}")

    async def send(self, what: str, **data: Any) -> httpx.Response:
        """Post a form of her page, with its token."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', (await self.see()).text)
        assert token is not None
        return await self.client.post(f"{self.path}/{what}", data={"csrf_token": token[1], **data})

    async def taken(self) -> None:
        await self.intake.take(WalkTaken(walk_id=self.walk_id, request_ids=(self.request_id,), **OFFICER))

    async def proposed(self, *times: datetime, proposal_id: UUID | None = None) -> None:
        await self.intake.take(
            WalkProposed(
                walk_id=self.walk_id,
                request_ids=(self.request_id,),
                proposal_id=proposal_id or self.proposal_id,
                times=times or (TUESDAY, THURSDAY),
                meeting_place="Castle Park bandstand",
                answer_by=TUESDAY - timedelta(hours=1),
                **OFFICER,
            )
        )

    async def arranged(self, starts_at: datetime = TUESDAY) -> None:
        await self.intake.take(
            WalkArranged(
                walk_id=self.walk_id,
                request_ids=(self.request_id,),
                starts_at=starts_at,
                meeting_place="The library",
                **OFFICER,
            )
        )

    async def state(self) -> tuple[str, str | None]:
        [row] = await self.intake.rows("SELECT state, officer_id FROM walk_request WHERE id = $1", self.request_id)
        return row["state"], row["officer_id"]


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


async def a_woman(intake: Intake, client: httpx.AsyncClient, **asked: Any) -> Hers:
    request_id = UUID((await intake.ask(**asked))["request_id"])
    async with intake.database.web.transaction([FORCE]) as tx:
        [stored] = (await request_rows.requests(tx, [request_id])).values()
    path = hers.private_link(intake.deps.keeping, stored.held).removeprefix("http://localhost:8001")
    return Hers(intake, client, request_id, path, uuid4(), uuid4())


@pytest.fixture
async def her(intake: Intake) -> AsyncIterator[Hers]:
    async with intake.client(accept="text/html") as client:
        yield await a_woman(intake, client)


async def test_she_chooses_one_of_the_proposed_times(her: Hers) -> None:
    """Asked on her page, told once however often she sends it, and shown as arranged when it is."""
    await her.taken()
    await her.proposed()
    page = await her.see()
    assert "Tuesday 1 December 2026 at 6pm" in page.text and "Castle Park bandstand" in page.text
    answer = {"proposal": str(her.proposal_id), "chosen": THURSDAY.isoformat()}
    for _ in range(2):
        assert (await her.send("answer", **answer)).status_code == 303
    [told] = await her.intake.published("proposal-answered")
    assert told == {
        "request_id": str(her.request_id),
        "walk_id": str(her.walk_id),
        "proposal_id": str(her.proposal_id),
        "chosen": "2026-12-03T18:30:00Z",
    }
    assert "You chose Thursday 3 December 2026 at 6:30pm" in (await her.see()).text
    await her.arranged(THURSDAY)
    page = await her.see()
    assert "Your walk is arranged" in page.text and "The library" in page.text and "You chose" not in page.text


async def test_none_of_the_times_suits_her(her: Hers) -> None:
    """It is told as an answer without a time, and the next proposal can be answered anew."""
    await her.taken()
    await her.proposed()
    await her.send("answer", proposal=str(her.proposal_id), chosen="none")
    assert ["chosen" in one for one in await her.intake.published("proposal-answered")] == [False]
    assert "none of the times suits you" in (await her.see()).text
    await her.proposed(THURSDAY, proposal_id=uuid4())
    assert "Which of these times suits you?" in (await her.see()).text


@pytest.mark.parametrize("what", ["another proposal", "another time", "too late", "another answer", "cancelled"])
async def test_times_that_have_gone_are_not_chosen(her: Hers, what: str) -> None:
    """She is told so, and nothing is told to anybody else."""
    await her.taken()
    await her.proposed()
    proposal, chosen = str(her.proposal_id), TUESDAY.isoformat()
    before = 0
    match what:
        case "another proposal":
            proposal = str(uuid4())
        case "another time":
            chosen = (TUESDAY + timedelta(hours=2)).isoformat()
        case "too late":
            her.intake.now = TUESDAY - timedelta(minutes=59)
        case "another answer":
            await her.send("answer", proposal=proposal, chosen="none")
            before = 1
        case "cancelled":
            await her.intake.take(WalkCancelled(walk_id=her.walk_id, request_ids=(her.request_id,), reason="other"))
    answer = await her.send("answer", proposal=proposal, chosen=chosen)
    assert answer.status_code == 409 and "can no longer be chosen" in answer.text
    assert len(await her.intake.published("proposal-answered")) == before


async def test_an_answer_without_a_choice_is_asked_again(her: Hers) -> None:
    """The page says what to select; nothing is told."""
    await her.taken()
    await her.proposed()
    answer = await her.send("answer", proposal=str(her.proposal_id))
    assert answer.status_code == 422 and "Select one of the times" in answer.text
    assert await her.intake.published("proposal-answered") == []


async def test_a_walk_that_is_moved_is_shown_at_its_new_time(her: Hers) -> None:
    """The time before is not shown any more; times proposed for the move can be chosen while the old time stands."""
    await her.taken()
    await her.arranged()
    await her.proposed(THURSDAY)
    page = await her.see()
    assert "Your walk is arranged" in page.text and "Which of these times suits you?" in page.text
    await her.intake.take(
        WalkRearranged(
            walk_id=her.walk_id,
            request_ids=(her.request_id,),
            starts_at=THURSDAY,
            before=TUESDAY,
            meeting_place="The station",
            **OFFICER,
        )
    )
    page = await her.see()
    assert "Thursday 3 December 2026 at 6:30pm" in page.text and "The station" in page.text
    assert "Tuesday 1 December" not in page.text and "Which of these times" not in page.text


async def test_what_stands_about_her_walk_is_sealed(her: Hers) -> None:
    """No time and no place can be read from a dump."""
    await her.taken()
    await her.proposed()
    [row] = await her.intake.rows("SELECT wanted, times FROM walk_request")
    assert b"Castle" not in row["times"] and b"2026" not in row["times"] and b"latitude" not in row["wanted"]


async def test_she_changes_the_days_and_nothing_else(her: Hers) -> None:
    """The place stays as it is to the digit; the proposed times lapse; the same again tells nothing."""
    await her.taken()
    await her.proposed()
    assert 'value="monday" checked' in (await her.see("/change")).text
    for _ in range(2):
        answer = await her.send("change", **{**WHERE_AND_WHEN, "days": ["friday", "sunday"]})
        assert answer.status_code == 303
    [first] = await her.intake.published("walk-requested")
    [changed] = await her.intake.published("walk-request-amended")
    del first["contact"]
    assert changed == {**first, "availability": {**first["availability"], "days": ["friday", "sunday"]}}
    assert await her.state() == ("taken", "officer-avon-1")
    assert "Which of these times" not in (await her.see()).text
    assert (await her.send("answer", proposal=str(her.proposal_id), chosen="none")).status_code == 409


async def test_a_new_place_takes_her_card_from_the_officer_until_one_is_told(her: Hers) -> None:
    """It may be another team's; the other places on the way go with the old place."""
    await her.taken()
    assert (await her.send("change", **WHERE_AND_WHEN, postcode="BA1 1SU")).status_code == 303
    [first] = await her.intake.published("walk-requested")
    [changed] = await her.intake.published("walk-request-amended")
    assert changed["place"] != first["place"] and changed["place_from_postcode"] and changed["route"] == []
    assert await her.state() == ("received", None)
    await her.taken()
    assert await her.state() == ("taken", "officer-avon-1")


async def test_a_new_place_may_be_a_point_of_the_map_and_takes_the_words_of_the_old_way_along(intake: Intake) -> None:
    """Two numbers where a postcode may stand; her contact card names no place the walk passes no more."""
    async with intake.client(accept="text/html") as client:
        her = await a_woman(intake, client, route=[{"postcode": "BS1 5TR"}])

        async def stops() -> str:
            async with intake.database.web.transaction([FORCE]) as tx:
                [stored] = (await request_rows.requests(tx, [her.request_id])).values()
            return open_request(intake.deps.keeping.vault, stored).person.wishes.stops

        assert await stops() == "BS1 5TR"
        assert (await her.send("change", **WHERE_AND_WHEN, postcode="51.38110, -2.35900")).status_code == 303
        [changed] = await intake.published("walk-request-amended")
        assert changed["place"] == {"latitude": 51.3811, "longitude": -2.359}
        assert not changed["place_from_postcode"] and changed["route"] == []
        assert await stops() == ""


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"days": []}, "Select at least one day"),
        ({"postcode": "ZZ99 9ZZ"}, "postcode"),
        ({"postcode": "48.85, 2.35"}, "not in Great Britain"),
        ({"day": "1", "month": "1", "year": "2020"}, "The earliest day must be today or later"),
        ({"day": "x"}, "Enter a day, month and year"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_in_words(her: Hers, given: dict[str, Any], wrong: str) -> None:
    """The page shows what was typed and what is wrong; nothing is stored or told."""
    answer = await her.send("change", **{**WHERE_AND_WHEN, **given})
    assert answer.status_code == 422 and wrong in answer.text
    assert await her.intake.published("walk-request-amended") == []


async def test_nothing_is_changed_once_a_time_is_agreed(her: Hers) -> None:
    """Her page says what to do instead, and a form left open in another tab changes nothing."""
    await her.taken()
    await her.arranged()
    assert "tell the officer" in (await her.see()).text
    assert (await her.see("/change")).status_code == 303
    assert (await her.send("change", **{**WHERE_AND_WHEN, "days": ["friday"]})).status_code == 303
    assert await her.intake.published("walk-request-amended") == []


async def test_she_changes_how_she_may_be_contacted(her: Hers) -> None:
    """The rules are told, the details are sealed and what no way needs any more is forgotten; none of it is shown."""
    page = await her.see("/contact")
    assert "ada@example.com" not in page.text
    reach = {**REACH, "channels": ["phone"], "phone": "07700 900983", "say_police": "no", "recognise": "marmalade"}
    for _ in range(2):
        assert (await her.send("contact", **reach)).status_code == 303
    [told] = await her.intake.published("contact-rules-changed")
    assert (told["contact"]["channels"], told["contact"]["may_say_police"]) == (["phone"], False)
    async with her.intake.database.web.transaction([FORCE]) as tx:
        [stored] = (await request_rows.requests(tx, [her.request_id])).values()
    person = open_request(her.intake.deps.keeping.vault, stored).person
    assert (person.email, person.phone, person.wishes.recognise) == (None, "07700 900983", "marmalade")
    digest = her.intake.deps.keeping.vault.digest("phone", "+447700900983")
    assert [row["digest"] for row in await her.intake.rows("SELECT digest FROM participant_digest")] == [digest]
    page = await her.see("/contact")
    assert "900983" not in page.text and "marmalade" not in page.text


async def test_a_way_we_have_no_number_for_is_asked_for(her: Hers) -> None:
    """Nothing is changed before it is given."""
    answer = await her.send("contact", **{**REACH, "channels": ["email", "text"]})
    assert answer.status_code == 422 and "Enter your phone number" in answer.text
    assert await her.intake.published("contact-rules-changed") == []


async def test_the_officer_she_excludes_has_nothing_of_hers_any_more(her: Hers) -> None:
    """At once, whatever the team knows by then; she waits for another, and whom she named is not on her page."""
    await her.taken()
    await her.arranged()
    await her.send("contact", **REACH, officers="Officer-Avon-1")
    assert await her.state() == ("received", None)
    [told] = await her.intake.published("contact-rules-changed")
    assert told["contact"]["excluded_officers"] == ["officer-avon-1"]
    for page in (await her.see(), await her.see("/contact")):
        assert "officer-avon-1" not in page.text.lower() and "The library" not in page.text
    assert ("arranged", "due") not in await her.intake.messages()
    # Who takes it on next is not asked about officers she left out the second time.
    await her.send("contact", **{**REACH, "say_police": "no"})
    assert (await her.intake.published("contact-rules-changed"))[-1]["contact"]["excluded_officers"] == [
        "officer-avon-1"
    ]


async def test_the_team_she_excludes_is_told_on_the_bus_and_stays_excluded(her: Hers) -> None:
    """Found by a postcode, since she may not know its name; shown on no page of hers, added to by a later change."""
    wrong = await her.send("contact", **REACH, teams="nowhere")
    assert wrong.status_code == 422 and "Line 1: Enter a full UK postcode" in wrong.text
    await her.send("contact", **REACH, teams="bs2 0ja")
    await her.send("contact", **REACH, teams="BS1 5TR")
    told = await her.intake.published("contact-rules-changed")
    assert [one["contact"]["excluded_teams"] for one in told] == [["bs2"], ["bs2", "bs1"]]
    assert "bs2" not in (await her.see("/contact")).text.lower()


async def test_stopping_contact_stops_everything_and_nothing_on_her_page_begins_it_again(her: Hers) -> None:
    """No message leaves, no time can be chosen, and her page says so plainly."""
    await her.taken()
    await her.proposed()
    await her.send("stop")
    assert {state for _, state in await her.intake.messages()} <= {"cancelled", "contact stopped"}
    page = await her.see()
    assert "You told us to stop" in page.text and "Which of these times" not in page.text
    assert "/contact" not in page.text
    assert (await her.see("/contact")).status_code == 303
    await her.send("contact", **{**REACH, "say_police": "no"})
    assert [one["contact"]["stopped"] for one in await her.intake.published("contact-rules-changed")] == [True]


async def test_looking_changes_nothing_anywhere_on_her_page(her: Hers) -> None:
    """Mail scanners follow every link."""
    await her.taken()
    await her.proposed()
    before = await her.intake.one("SELECT count(*) FROM outbox_log")
    for page in ("", "/change", "/contact"):
        seen = await her.see(page)
        assert seen.status_code == 200 and "Ada" not in seen.text
    for only_by_post in ("/answer", "/withdraw", "/stop"):
        assert (await her.see(only_by_post)).status_code == 405
    assert await her.intake.one("SELECT count(*) FROM outbox_log") == before
    assert await her.state() == ("taken", "officer-avon-1")


async def test_her_link_reaches_her_request_and_no_other(her: Hers, intake: Intake) -> None:
    """One letter changed is nobody's link, on every page; another woman's proposal cannot be answered with it."""
    async with intake.client(accept="text/html") as client:
        other = await a_woman(intake, client, contact={"email": "other@example.com"})
        await other.taken()
        await other.proposed()
        await her.taken()
        assert (await her.send("answer", proposal=str(other.proposal_id), chosen="none")).status_code == 409
    token = her.path.rsplit("/", 1)[1]
    for at in (0, len(token) // 2, len(token) - 2):
        altered = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        for page in ("", "/change", "/contact"):
            assert (await her.client.get(f"/your-request/{altered}{page}")).status_code == 404
