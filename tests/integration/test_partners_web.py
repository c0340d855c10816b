"""Partners' API, pages and e-mail, signed in at a real identity provider, sent to a real mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.partners import handlers
from services.partners.app import build
from services.partners.channels.email import Email
from shared.contracts.concerns import ConcernWithdrawn
from shared.contracts.kinds import PartOfDay, Reason
from shared.embedded.sign_in import bearer_token
from shared.sendings import Sender
from shared.web.access import TABLES
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.local_programs import IdentityServer, MailboxServer
from tests.servers.partners_service import (
    FORCE,
    POLICIES,
    Partners,
    a_concern,
    partners_service,
    reference_of,
    settings_of,
)
from tests.servers.visitors import walk_access

COUNCIL = "partner-bristol-city-council"
TRADERS = "partner-harbourside-traders"
COORDINATOR = "coordinator-avon"

SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def partners(database: ServiceDatabaseMaker) -> AsyncIterator[Partners]:
    async with partners_service(database) as service:
        yield service


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[FastAPI]:
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def signed_in(partners: Partners, identity_provider: IdentityServer) -> AsyncIterator[SignIn]:
    """`await signed_in(sub)`: a client of the service with that person's token."""
    clients: list[httpx.AsyncClient] = []
    async with running(build(settings_of(partners.database, identity_provider))) as app:

        async def sign_in(sub: str) -> httpx.AsyncClient:
            token = await bearer_token(
                identity_provider.issuer, identity_provider.client_id, identity_provider.client_secret, sub
            )
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url="http://localhost:8003",
                headers={"authorization": f"Bearer {token}"},
            )
            clients.append(client)
            return client

        yield sign_in
        await asyncio.gather(*(client.aclose() for client in clients))


async def test_every_route_is_for_whom_the_access_table_says(partners: Partners) -> None:
    """Each role, and nobody, sent through each route of partners."""
    async with running(build(settings_of(partners.database))) as app:
        assert await walk_access(app, TABLES["partners"]) == []


async def test_partner_accepts_updates_and_resolves_by_the_api(partners: Partners, signed_in: SignIn) -> None:
    """The partner's own referral, under the reference made for it and no other id."""
    concern = a_concern()
    await partners.take(concern)
    client = await signed_in(COUNCIL)
    (line,) = (await client.get("/api/v1/referrals", params={"state": "open"})).json()["referrals"]
    assert "concern_id" not in line
    path = f"/api/v1/referrals/{line['referral_id']}"
    assert (await client.post(f"{path}/accept")).json()["state"] == "accepted"
    updated = await client.post(f"{path}/update", json={"progress": "planned", "planned_for": "2026-12-15"})
    assert updated.json()["progress"] == "planned"
    resolved = await client.post(f"{path}/resolve", json={"resolution": "done", "words": "New lamps stand"})
    assert resolved.json()["state"] == "resolved"
    assert str(concern.concern_id) not in resolved.text
    assert [said["status"] for said in resolved.json()["history"]] == ["accepted", "updated", "resolved"]


async def test_refusals_are_problems_with_names(partners: Partners, signed_in: SignIn) -> None:
    """Not accepted yet: 409 with its own type; unknown field and missing reason: 422 naming them."""
    concern = a_concern()
    await partners.take(concern)
    client = await signed_in(COUNCIL)
    path = f"/api/v1/referrals/{await reference_of(partners, concern.concern_id)}"
    early = await client.post(f"{path}/resolve", json={"resolution": "done"})
    assert early.status_code == 409
    assert early.headers["content-type"] == "application/problem+json"
    assert early.json()["type"].endswith("referral-not-accepted")
    wrong = await client.post(f"{path}/decline", json={"because": "no"})
    assert wrong.status_code == 422
    assert {error["field"] for error in wrong.json()["errors"]} == {"because", "reason"}


async def test_another_partners_referral_is_not_found(partners: Partners, signed_in: SignIn) -> None:
    """By API and page, reading and answering alike."""
    concern = a_concern()
    await partners.take(concern)
    reference = await reference_of(partners, concern.concern_id)
    client = await signed_in(TRADERS)
    assert (await client.get("/api/v1/referrals")).json()["referrals"] == []
    for path in (f"/api/v1/referrals/{reference}", f"/referrals/{reference}"):
        assert (await client.get(path)).status_code == 404
        assert (await client.post(f"{path}/accept")).status_code == 404
    assert await partners.one("SELECT state FROM referral") == "made"


async def test_triage_is_for_coordinators(partners: Partners, signed_in: SignIn) -> None:
    """A partner may not see what others declined; a coordinator chooses whom to ask."""
    concern = a_concern()
    await partners.take(concern)
    council = await signed_in(COUNCIL)
    path = f"/api/v1/referrals/{await reference_of(partners, concern.concern_id)}"
    assert (await council.post(f"{path}/decline", json={"reason": "Not our land"})).status_code == 200
    assert (await council.get("/api/v1/triage")).status_code == 403
    coordinator = await signed_in(COORDINATOR)
    (waiting,) = (await coordinator.get("/api/v1/triage")).json()["concerns"]
    assert waiting["reason"] == "all-declined"
    page = await coordinator.get("/triage")
    assert "Every partner that covers it has declined" in page.text
    assert "Bristol City Council</option>" not in page.text
    chosen = f"/api/v1/triage/{concern.concern_id}/assign"
    assert (await coordinator.post(chosen, json={"partner_id": "harbourside-traders"})).status_code == 204
    assert (await coordinator.get("/api/v1/triage")).json()["concerns"] == []
    (line,) = (await coordinator.get("/api/v1/referrals", params={"state": "open"})).json()["referrals"]
    assert line["concern_id"] == str(concern.concern_id)


async def test_pages_lead_from_the_list_to_the_end(partners: Partners, signed_in: SignIn) -> None:
    """Empty, then one line, its page, and each form with its errors and its effect."""
    client = await signed_in(COUNCIL)
    assert "Nothing is waiting for you." in (await client.get("/")).text
    concern = a_concern(words="<b>Dark</b> & lonely", time_of_day=PartOfDay.EVENING, place_name="Underpass")
    await partners.take(concern)
    path = f"/referrals/{await reference_of(partners, concern.concern_id)}"
    assert f'href="{path}"' in (await client.get("/")).text
    page = await client.get(path)
    assert "&lt;b&gt;Dark&lt;/b&gt; &amp; lonely" in page.text
    assert str(concern.concern_id) not in page.text
    assert (await client.post(f"{path}/accept")).headers["location"] == path
    for form in ("update", "resolve"):
        assert (await client.get(f"{path}/{form}")).status_code == 200
        empty = await client.post(f"{path}/{form}", data={})
        assert empty.status_code == 422
        assert "There is a problem" in empty.text
    bad = await client.post(f"{path}/update", data={"progress": "planned", "planned_for": "soon"})
    assert "Enter a real day" in bad.text
    planned = {"progress": "planned", "planned_for": "2026-12-15"}
    assert (await client.post(f"{path}/update", data=planned)).status_code == 303
    assert "Work is planned (Tuesday 15 December 2026)" in (await client.get(path)).text
    assert (await client.post(f"{path}/resolve", data={"resolution": "done", "words": "Lamps"})).status_code == 303
    assert "resolved by the partner" in (await client.get(path)).text
    assert "There are none" in (await client.get("/", params={"state": "declined"})).text


async def test_declining_needs_a_reason(partners: Partners, signed_in: SignIn) -> None:
    """Why is what the next one, and the woman, are owed."""
    concern = a_concern()
    await partners.take(concern)
    client = await signed_in(COUNCIL)
    path = f"/referrals/{await reference_of(partners, concern.concern_id)}/decline"
    assert (await client.get(path)).status_code == 200
    assert "Enter why you cannot act" in (await client.post(path, data={"reason": " "})).text
    assert (await client.post(path, data={"reason": "Not our land"})).status_code == 303
    assert await partners.one("SELECT reason FROM referral") == "Not our land"


async def test_coordinator_chooses_on_the_page(partners: Partners, signed_in: SignIn) -> None:
    """Without a choice the page says so; with one the concern is referred."""
    concern = a_concern()
    await partners.take(concern)
    coordinator = await signed_in(COORDINATOR)
    assert "No concern is waiting" in (await coordinator.get("/triage")).text
    path = f"/referrals/{await reference_of(partners, concern.concern_id)}/decline"
    assert (await coordinator.post(path, data={"reason": "They told us by phone"})).status_code == 303
    assert "Select a partner" in (await coordinator.post(f"/triage/{concern.concern_id}/assign", data={})).text
    choice = {"partner_id": "harbourside-traders"}
    assert (await coordinator.post(f"/triage/{concern.concern_id}/assign", data=choice)).status_code == 303
    assert await partners.one("SELECT count(*) FROM referral WHERE state = 'made'") == 1


async def messages(mailbox: MailboxServer, subject: str) -> list[Any]:
    async with httpx.AsyncClient(base_url=mailbox.url) as client:
        ids = [one["id"] for one in (await client.get("/api/messages")).json() if subject in one["subject"]]
        return [(await client.get(f"/api/messages/{id_}")).json() for id_ in ids]


async def test_partner_is_written_to_and_may_be_reminded_and_told_it_is_over(
    partners: Partners, mailbox: MailboxServer
) -> None:
    """What, where, by when and a link to its own page; nothing that leads back; a repeat is recognised."""
    concern = a_concern(category=Reason.RUNDOWN, words="Every bench is broken – it feels forgotten")
    await partners.take(concern)
    settings = settings_of(partners.database, smtp_port=mailbox.smtp_port)
    channel = Email(partners.database.bus, settings, partners.clock)
    sender = Sender(partners.database.bus, {handlers.EMAIL: channel.send}, partners.clock, POLICIES.forces)
    assert await sender.send_due() == 1
    reference = str(await reference_of(partners, concern.concern_id))
    (mail,) = [one for one in await messages(mailbox, "rundown") if reference in str(one)]
    text = str(mail)
    assert "safer-streets@bristol-city-council.example" in text
    assert f"http://localhost:8003/referrals/{reference}" in text
    assert "Every bench is broken – it feels forgotten" in text
    assert "51.450000, -2.590000" in text
    referral_id = await partners.one("SELECT id FROM referral")
    assert str(concern.concern_id) not in text
    assert str(referral_id) not in text

    delivery = await partners.one("SELECT id FROM delivery")
    await channel.send(FORCE, delivery)
    assert len([one for one in await messages(mailbox, "rundown") if reference in str(one)]) == 1

    partners.now += timedelta(days=20)
    await partners.timers.fire_due()
    await partners.take(ConcernWithdrawn(concern_id=concern.concern_id))
    assert await sender.send_due() == 1
    subjects = [one["subject"] for one in await messages(mailbox, "rundown") if reference in str(one)]
    assert any(subject.startswith("No longer needed") for subject in subjects)
    rows = await partners.rows("SELECT d.kind, s.state FROM delivery d JOIN sending s USING (force_id, id)")
    assert {row["kind"]: row["state"] for row in rows} == {
        "referred": "sent",
        "reminder": "cancelled",
        "withdrawn": "sent",
    }
