"""Officers are told of their work by e-mail, as they choose, through a real mail server; nothing in it is hers."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from services.assignment.channels.email import Email
from services.assignment.domain.passing import What, WhyPassed
from services.assignment.domain.telling import Choice, Rhythm
from services.assignment.handlers import requests as requests_handlers
from services.assignment.handlers import telling
from services.assignment.handlers.telling import EMAIL
from shared.contracts.walk_requests import ContactRules, ContactRulesChanged, WalkRequestWithdrawn
from shared.database import Database
from shared.sendings import Sender
from shared.settings import ServiceSettings
from tests.integration.test_assignment_handlers import FORCE, NOW, POLICIES, a_request, bus, handle, received, service
from tests.integration.test_assignment_queue import ONE, TWO, coordinator, officer, pass_on, take, walks
from tests.servers.assignment_service import assignment_settings
from tests.servers.databases import ServiceDatabase
from tests.servers.local_programs import MailboxServer

__all__ = ["bus", "service"]


class Post:
    """The channel as it runs, at an hour of the test's, and what arrived for one address."""

    def __init__(self, database: Database, settings: ServiceSettings, mailbox: MailboxServer) -> None:
        self.now = NOW
        channel = Email(database, settings, lambda: self.now)
        self.sender = Sender(database, {EMAIL: channel.send}, lambda: self.now, POLICIES.forces)
        self._mailbox = mailbox

    async def arrived(self, address: str) -> list[str]:
        """Send what is due; the texts for this address so far, the oldest first."""
        await self.sender.send_due()
        async with httpx.AsyncClient(base_url=self._mailbox.url) as client:
            ids = [one["id"] for one in (await client.get("/api/messages", params={"to": address})).json()]
            return [(await client.get(f"/api/messages/{id_}")).json()["text"] for id_ in reversed(ids)]


@pytest.fixture
def post(service: ServiceDatabase, mailbox: MailboxServer, tmp_path: Path) -> Post:
    settings = assignment_settings(service, tmp_path).model_copy(update={"smtp_port": mailbox.smtp_port})
    return Post(service.bus, settings, mailbox)


async def choose(bus: Database, who: str, rhythm: Rhythm = Rhythm.AT_ONCE, *, coordinates: bool = False) -> str:
    """This person wants to be told so; at which address, a new one."""
    address = f"{uuid4().hex}@police.example"
    async with bus.transaction([FORCE]) as tx:
        await telling.choose(tx, Choice(FORCE, who, address, rhythm, is_coordinator=coordinates))
    return address


async def test_an_officer_is_told_that_a_walk_waits_and_nothing_of_hers(bus: Database, post: Post) -> None:
    """A link and a sentence; no place, no time, no word of the request. Once, however often the channel is asked."""
    address = await choose(bus, ONE)
    asked = a_request()
    (walk_id,) = await walks(bus, asked)
    (text,) = await post.arrived(address)
    assert f"/walks/{walk_id}" in text and "A walk waits for an officer of your team" in text
    assert str(asked.request_id) not in text and not re.search(r"51\.\d|BS1|badly|evening", text)
    assert await post.arrived(address) == [text]
    async with bus.transaction([FORCE]) as tx:
        assert await telling.letter(tx, FORCE, uuid4(), NOW) is None


async def test_once_a_day_all_of_it_comes_in_one_message(bus: Database, post: Post) -> None:
    """At eight the next morning, two walks and what became of one."""
    address = await choose(bus, ONE, Rhythm.DAILY)
    first, second = await walks(bus, a_request(), a_request())
    await take(bus, first, coordinator(), ONE)
    assert await post.arrived(address) == []
    post.now = NOW + timedelta(days=1)
    (text,) = await post.arrived(address)
    assert text.count(f"/walks/{first}") == 2 and text.count(f"/walks/{second}") == 1
    assert "A walk was given to you" in text


async def test_whom_she_excludes_is_told_nothing_even_if_it_was_on_its_way(bus: Database, post: Post) -> None:
    """Excluded before, no notice is made; excluded after, it does not leave."""
    address, other = await choose(bus, ONE), await choose(bus, TWO, Rhythm.DAILY)
    asked = a_request(contact=ContactRules(channels=(), excluded_officers=(ONE,)))
    await walks(bus, asked)
    assert await post.arrived(address) == []
    rules = ContactRules(channels=(), excluded_officers=(ONE, TWO))
    changed = ContactRulesChanged(request_id=asked.request_id, contact=rules)
    await handle(bus, requests_handlers.change_contact_rules, received(changed))
    post.now = NOW + timedelta(days=1)
    assert await post.arrived(other) == []


async def test_an_officer_learns_of_a_walk_handed_over_and_of_one_she_withdrew(bus: Database, post: Post) -> None:
    """And not of what the officer did alone."""
    address = await choose(bus, TWO)
    asked = a_request()
    (walk_id,) = await walks(bus, asked)
    assert len(await post.arrived(address)) == 1
    await take(bus, walk_id, await officer(bus))
    await pass_on(bus, walk_id, await officer(bus), What.TO_OFFICER, TWO)
    await handle(bus, requests_handlers.withdraw_requests, received(WalkRequestWithdrawn(request_id=asked.request_id)))
    (text,) = (await post.arrived(address))[1:]
    assert [line.partition(":")[0] for line in text.splitlines()[:2]] == [
        "A walk was given to you",
        "A walk of yours was cancelled",
    ]


async def test_coordinators_are_told_what_is_escalated(bus: Database, post: Post) -> None:
    """Those who want to know; officers of the team are not."""
    boss, address = await choose(bus, "boss", coordinates=True), await choose(bus, ONE)
    (walk_id,) = await walks(bus, a_request())
    await pass_on(bus, walk_id, await officer(bus), What.TO_COORDINATOR, why=WhyPassed.NEEDS_A_DECISION)
    (text,) = await post.arrived(boss)
    assert f"A walk waits for a coordinator: http://localhost:8002/walks/{walk_id}" in text
    assert [each.partition(":")[0] for each in await post.arrived(address)] == [
        "A walk waits for an officer of your team"
    ]
