"""The contact card: whether she may be called now, what to say, and what else may be hers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.intake.handlers.hers import PRIVATE_LINK, stop_contact
from shared.contracts.walks import WalkTaken
from shared.embedded.sign_in import bearer_token
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, intake_service
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


# Contact stopped elsewhere


async def stopped_by_another(intake: Intake, **asked: Any) -> None:
    """Somebody asks with the same e-mail address and says that contact is not safe."""
    other = UUID((await intake.ask(**asked))["request_id"])
    async with intake.database.web.transaction([FORCE]) as tx:
        await stop_contact(tx, FORCE, other, intake.now, keeping=intake.deps.keeping)


async def test_a_coordinator_speaks_with_her_before_anybody_else_does(staffed: tuple[Intake, SignIn]) -> None:
    """Only the coordinator reads why, and gets her number; a reason is asked for and kept; then all is as before."""
    intake, sign_in = staffed
    path = await taken(intake, contact={"phone": "07700 900982", "channels": ["phone", "email"]})
    await stopped_by_another(intake)
    await intake.sender.send_due()
    spoken = path.replace("/contact", "/spoken")
    async with await sign_in("officer-avon-1") as officer, await sign_in("coordinator-avon") as coordinator:
        for answer in (await officer.get(path), await officer.post(path, data=WHY)):
            assert "A coordinator speaks with her first" in answer.text
            assert "stopped" not in answer.text and "900982" not in answer.text and "You may call" not in answer.text
        assert (await officer.post(spoken, data=WHY)).status_code == 403
        shown = await coordinator.get(path)
        assert "Contact stopped elsewhere" in shown.text and "Not sent: contact stopped elsewhere" in shown.text
        assert "900982" in (await coordinator.post(path, data=WHY)).text
        assert "Enter how you spoke to her" in (await coordinator.post(spoken, data={"reason": " "})).text
        intake.now += timedelta(minutes=1)
        done = await coordinator.post(spoken, data={"reason": "Rang her in the evening"})
        assert done.status_code == 303 and done.headers["location"] == path
        assert "Contact stopped elsewhere" not in (await coordinator.get(path)).text
        assert "You may call her now" in (await officer.get(path)).text
    kept = await intake.rows("SELECT actor, reason FROM audit WHERE reason LIKE 'spoke to her%'")
    assert [tuple(row) for row in kept] == [("coordinator-avon", "spoke to her: Rang her in the evening")]


async def test_whom_the_other_excludes_is_not_told_of_it(staffed: tuple[Intake, SignIn]) -> None:
    """A coordinator she fears reads that somebody else speaks with her, and not that she has asked before."""
    intake, sign_in = staffed
    path = await taken(intake)
    await stopped_by_another(intake, contact={"excluded_officers": ["coordinator-avon"]})
    await intake.sender.send_due()
    async with await sign_in("coordinator-avon") as coordinator:
        for answer in (await coordinator.get(path), await coordinator.post(path, data=WHY)):
            assert "A coordinator speaks with her first" in answer.text and "stopped" not in answer.text


async def test_who_asks_with_an_address_that_is_known_is_answered_as_everybody_is(
    staffed: tuple[Intake, SignIn],
) -> None:
    """The same answer and page of her own, and a confirmation on its way: that it is not to leave is found at the door,
    long after she was answered."""
    intake, _ = staffed
    seen = []
    for stopped in (False, True):
        if stopped:
            await stopped_by_another(intake)
        asked = await intake.ask()
        link = intake.deps.keeping.vault.seal_text(PRIVATE_LINK, [FORCE, UUID(asked["request_id"]).hex])
        async with intake.client() as client:
            page = (await client.get(f"/your-request/{link}")).text
        page = re.sub(r'value="[^"]*"|/your-request/[^/"]+', "", page.replace(asked["reference"], ""))
        seen.append((set(asked), page, (await intake.messages())[-1]))
    assert seen[0] == seen[1]
    await intake.sender.send_due()
    assert (await intake.messages())[-1][1] == "cancelled"
    assert await intake.one("SELECT refused FROM message ORDER BY id DESC LIMIT 1") == "contact stopped elsewhere"
