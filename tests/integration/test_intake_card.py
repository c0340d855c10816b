"""The contact card: whether she may be called now, what to say, and what else may be hers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.contracts.walks import WalkTaken
from shared.embedded.sign_in import bearer_token
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import Intake, intake_service
from tests.servers.local_programs import IdentityServer

SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]
WHY = {"reason": "To arrange the walk"}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CALLS: dict[str, Any] = {"channels": ["phone"], "phone": "07700 900982", "email": None, "times": ["evening"]}


@pytest.fixture
async def staffed(
    database: ServiceDatabaseMaker, identity_provider: IdentityServer
) -> AsyncIterator[tuple[Intake, SignIn]]:
    """The service behind the real sign-in, and `await sign_in(sub)`."""
    given = {
        "oidc_issuer": identity_provider.issuer,
        "oidc_client_id": identity_provider.client_id,
        "oidc_client_secret": identity_provider.client_secret,
    }
    async with intake_service(database, **given) as service:

        async def sign_in(sub: str) -> httpx.AsyncClient:
            token = await bearer_token(
                identity_provider.issuer, identity_provider.client_id, identity_provider.client_secret, sub
            )
            return service.client(authorization=f"Bearer {token}", accept="text/html")

        yield service, sign_in


async def taken(intake: Intake, **asked: Any) -> str:
    """A request an officer has taken on; the address of its card."""
    request_id = (await intake.ask(**asked))["request_id"]
    walk = WalkTaken(walk_id=uuid4(), request_ids=(UUID(request_id),), officer_id="officer-avon-1", team_id="bs1")
    await intake.take(walk)
    return f"/staff/requests/{request_id}/contact"


async def test_the_card_says_whether_she_may_be_called_now(staffed: tuple[Intake, SignIn]) -> None:
    """Before anything else of hers is opened; at midday not before five, and never who never said a call is safe."""
    intake, sign_in = staffed
    evenings, never = await taken(intake, contact=CALLS), await taken(intake)
    async with await sign_in("officer-avon-1") as officer:
        assert "Not before Monday 23 November 2026 at 5pm" in (await officer.get(evenings)).text
        refused = (await officer.post(never, data=WHY)).text
        assert "Do not call her" in refused and "If you call" not in refused
        intake.now = NOON.replace(hour=18)
        assert "You may call her now" in (await officer.get(evenings)).text


@pytest.mark.parametrize("police", [True, False])
@pytest.mark.parametrize("voicemail", [True, False])
async def test_the_script_says_only_what_her_rules_allow(
    staffed: tuple[Intake, SignIn], police: bool, voicemail: bool
) -> None:
    """Whom somebody else or a voicemail may hear of; her word before all else; nothing of it on the closed card."""
    intake, sign_in = staffed
    rules = {"may_say_police": police, "may_leave_voicemail": voicemail, "recognition_word": "marmalade"}
    path = await taken(intake, contact={**CALLS, **rules})
    async with await sign_in("officer-avon-1") as officer:
        closed = (await officer.get(path)).text
        opened = (await officer.post(path, data=WHY)).text
    assert "If you call" not in closed and "marmalade" not in closed
    said = opened[opened.index("If you call") : opened.index("Who she is")]
    she, rest = said.split("Somebody else answers")
    other, machine = rest.split("It goes to voicemail")
    assert she.index("marmalade") < she.index("Hello")
    for heard in (other, machine if voicemail else ""):
        assert ("from Avon and Somerset Police" in heard) == (police and bool(heard))
    assert ("Hang up without a word" in machine) == (not voicemail)
    assert ("Hello" in machine) == voicemail


async def test_an_address_no_safe_way_needs_is_not_shown(staffed: tuple[Intake, SignIn]) -> None:
    """She gave it and then said that only a call is safe."""
    intake, sign_in = staffed
    path = await taken(intake, contact={**CALLS, "email": "canary@example.com"})
    async with await sign_in("officer-avon-1") as officer:
        opened = (await officer.post(path, data=WHY)).text
    assert "07700 900982" in opened and "canary@example.com" not in opened


async def test_a_coordinator_reads_of_another_open_request_with_the_same_contact_details(
    staffed: tuple[Intake, SignIn],
) -> None:
    """By its reference, for a reason; not the officer, not one that excludes the coordinator, not one that is over."""
    intake, sign_in = staffed
    path = await taken(intake, contact={"email": "ada@example.com"})
    same = (await intake.ask(contact={"email": "ADA@example.com"}))["reference"]
    hidden = (await intake.ask(contact={"excluded_officers": ["coordinator-avon"]}))["reference"]
    other = (await intake.ask(contact={"email": "eve@example.com"}))["reference"]
    over = await intake.ask()
    await intake.admin.execute("UPDATE walk_request SET state = 'withdrawn' WHERE id = $1", UUID(over["request_id"]))
    async with await sign_in("coordinator-avon") as coordinator:
        assert same not in (await coordinator.get(path)).text
        opened = (await coordinator.post(path, data=WHY)).text
    assert same in opened
    assert not any(one in opened for one in (hidden, other, over["reference"]))
    async with await sign_in("officer-avon-1") as officer:
        assert same not in (await officer.post(path, data=WHY)).text
