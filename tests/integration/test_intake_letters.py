"""Letters, which a person posts; and what staff see of messages on the contact card."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.contracts.walks import WalkArranged, WalkRearranged
from shared.embedded.sign_in import bearer_token
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import Intake, intake_service
from tests.servers.local_programs import IdentityServer

SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]
BY_POST = {"channels": ["letter"], "email": None, "address": "1 High Street\nBristol"}


@pytest.fixture
async def staffed(
    database: ServiceDatabaseMaker, identity_provider: IdentityServer
) -> AsyncIterator[tuple[Intake, SignIn]]:
    """The service behind the real sign-in, and `await sign_in(sub)`."""
    provider = (identity_provider.issuer, identity_provider.client_id, identity_provider.client_secret)
    given = dict(zip(("oidc_issuer", "oidc_client_id", "oidc_client_secret"), provider, strict=True))
    async with intake_service(database, **given) as service:

        async def sign_in(sub: str) -> httpx.AsyncClient:
            return service.client(authorization=f"Bearer {await bearer_token(*provider, sub)}", accept="text/html")

        yield service, sign_in


def arranged(asked: dict[str, Any], starts_at: datetime, walk: UUID) -> WalkArranged:
    return WalkArranged(
        walk_id=walk,
        request_ids=(UUID(asked["request_id"]),),
        officer_id="officer-avon-1",
        team_id="bs1",
        starts_at=starts_at,
        meeting_place="Outside the library",
    )


async def waiting(intake: Intake) -> list[UUID]:
    rows = await intake.rows("SELECT id FROM sending WHERE channel = 'letter' AND state = 'due' ORDER BY due_at, id")
    return [row["id"] for row in rows]


async def test_a_letter_waits_for_a_person_and_is_posted_once(staffed: tuple[Intake, SignIn]) -> None:
    """Nothing sends it by itself; the list shows no name, opening is logged, and posted is posted."""
    intake, sign_in = staffed
    asked = await intake.ask(contact=BY_POST, name="Canary Ada")
    await intake.sender.send_due()
    [letter] = await waiting(intake)
    async with await sign_in("coordinator-avon") as coordinator:
        listed = await coordinator.get("/staff/letters")
        assert asked["reference"] in listed.text and "Canary" not in listed.text and "High Street" not in listed.text
        opened = await coordinator.post(f"/staff/letters/{letter}/open")
        assert "Canary Ada" in opened.text and "1 High Street<br>Bristol" in opened.text
        assert f"We have your Walk and Talk request {asked['reference']}" in opened.text
        posted = await coordinator.post(f"/staff/letters/{letter}/posted")
        assert posted.status_code == 303
        assert (await coordinator.post(f"/staff/letters/{letter}/posted")).status_code == 404
        assert (await coordinator.post(f"/staff/letters/{letter}/open")).status_code == 404
        assert "No letters wait" in (await coordinator.get("/staff/letters")).text
    assert await intake.messages() == [("confirmation", "sent")]
    actions = [row["action"] for row in await intake.rows("SELECT action FROM audit WHERE actor = 'coordinator-avon'")]
    assert actions == ["consulted", "disclosed"]


async def test_a_letter_obeys_the_door_like_every_message(staffed: tuple[Intake, SignIn]) -> None:
    """Neutral where she may not be told who writes; an old time is taken from the list; no reminder by post."""
    intake, sign_in = staffed
    asked = await intake.ask(contact={**BY_POST, "may_say_police": False})
    walk, first = uuid4(), datetime(2026, 12, 8, 18, tzinfo=UTC)
    await intake.take(arranged(asked, first, walk))
    assert ("reminder", "its time has passed") in await intake.messages()
    confirmation, old = await waiting(intake)
    later = arranged(asked, first + timedelta(days=1), walk).model_dump()
    await intake.take(WalkRearranged(**later, before=first))
    assert old not in await waiting(intake)
    async with await sign_in("coordinator-avon") as coordinator:
        opened = await coordinator.post(f"/staff/letters/{confirmation}/open")
        assert "plain paper" in opened.text and "Walk and Talk request" not in opened.text
        assert (await coordinator.post(f"/staff/letters/{old}/open")).status_code == 404
        await intake.admin.execute("UPDATE walk_request SET state = 'withdrawn'")
        refused = await coordinator.post(f"/staff/letters/{confirmation}/open")
        assert "not to be posted any more: request withdrawn" in refused.text and "High Street" not in refused.text
    assert ("confirmation", "cancelled") in await intake.messages()


async def test_letters_are_for_the_coordinator_of_the_force_whom_she_does_not_exclude(
    staffed: tuple[Intake, SignIn],
) -> None:
    """An officer, another force, and whom she fears learn nothing."""
    intake, sign_in = staffed
    await intake.ask(contact={**BY_POST, "excluded_officers": ["coordinator-avon"]})
    [letter] = await waiting(intake)
    for sub, status in (("officer-avon-1", 403), ("coordinator-met", 404), ("coordinator-avon", 404)):
        async with await sign_in(sub) as client:
            assert (await client.post(f"/staff/letters/{letter}/open")).status_code == status
            assert (await client.post(f"/staff/letters/{letter}/posted")).status_code == status
    assert await waiting(intake) == [letter]


async def test_the_contact_card_says_what_she_was_not_told(staffed: tuple[Intake, SignIn]) -> None:
    """A message that failed stands out; withheld, sent and waiting ones say why and when."""
    intake, sign_in = staffed
    asked = await intake.ask(contact={"channels": ["email"], "email": "ada@example.com"})
    await intake.take(arranged(asked, datetime(2026, 12, 8, 18, tzinfo=UTC), uuid4()))
    await intake.admin.execute(
        "UPDATE sending SET state = 'failed', fault = 'her mail server does not take it' FROM message AS m"
        " WHERE m.id = sending.id AND m.kind = 'arranged'"
    )
    async with await sign_in("coordinator-avon") as coordinator:
        card = (await coordinator.get(f"/staff/requests/{asked['request_id']}/contact")).text
    assert "Failed by email: her mail server does not take it" in card and "A message failed" in card
    assert "To be sent by email from Monday 7 December 2026 at 9am" in card


async def test_the_contact_card_says_that_a_force_sends_no_texts(staffed: tuple[Intake, SignIn]) -> None:
    """So an officer knows to ring."""
    intake, sign_in = staffed
    asked = await intake.ask(contact={"channels": ["text", "phone"], "phone": "07700 900982", "email": None})
    async with await sign_in("coordinator-avon") as coordinator:
        card = (await coordinator.get(f"/staff/requests/{asked['request_id']}/contact")).text
    assert "Not sent: texts are not set up here: an officer rings" in card and "A message failed" not in card
