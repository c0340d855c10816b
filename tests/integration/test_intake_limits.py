"""How often is too often: by address, in one table for all processes; and by inbox, when a message is to leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network
from uuid import uuid4

import httpx
import pytest

from services.intake.app import build
from services.intake.domain.messages import Refuse
from services.intake.handlers.hers import private_link
from services.intake.store import requests as request_rows
from shared.contracts.policy import Limits
from shared.web.access import Role
from tests.integration.test_intake_hers import REACH, WHERE_AND_WHEN, a_woman
from tests.integration.test_intake_pages import Visitor
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, a_body, intake_service
from tests.servers.local_programs import MailboxServer
from tests.servers.visitors import a_user, visitor

CALL = "/api/v1/walk-requests"
HERE = {"X-Forwarded-For": "198.51.100.7"}


@pytest.fixture
async def intake(database: ServiceDatabaseMaker, mailbox: MailboxServer) -> AsyncIterator[Intake]:
    """Behind a proxy that says who asks; networks of the force's own are not counted."""
    networks = (ip_network("192.0.2.0/24"),)
    async with intake_service(
        database,
        client_address_header="X-Forwarded-For",
        uncounted_networks=networks,
        smtp_host="127.0.0.1",
        smtp_port=mailbox.smtp_port,
    ) as found:
        yield found


def at_most(intake: Intake, **limits: int) -> None:
    """Let the force choose these limits."""
    # The mapping is the one the handlers hold.
    intake.deps.keeping.limits[FORCE] = Limits(**limits)  # type: ignore[index] # a dict behind a Mapping


async def ask(client: httpx.AsyncClient, address: str, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key or uuid4().hex, "X-Forwarded-For": address}
    return await client.post(CALL, json=a_body(), headers=headers)


async def test_too_many_requests_from_an_address_are_told_to_come_later(intake: Intake) -> None:
    """429 as problem details with Retry-After; others are served, nothing more is stored, and the next hour is free."""
    at_most(intake, requests_an_hour=3)
    async with intake.client() as client:
        statuses = [(await ask(client, "198.51.100.7")).status_code for _ in range(5)]
        assert statuses == [201, 201, 201, 429, 429]
        refused = await ask(client, "198.51.100.7")
        assert 0 < int(refused.headers["retry-after"]) <= 3601
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"].endswith("too-many")
        assert (await ask(client, "198.51.100.8")).status_code == 201
        assert await intake.one("SELECT count(*) FROM walk_request") == 4
        intake.now += timedelta(hours=1)
        assert (await ask(client, "198.51.100.7")).status_code == 201


async def test_the_last_entry_of_the_proxys_header_is_the_address(intake: Intake) -> None:
    """What a caller writes into the header stands before it and changes nothing; an IPv6 network of one site is one
    caller, and so is an IPv4 address however it is written."""
    at_most(intake, requests_an_hour=1)
    async with intake.client() as client:
        for first, second, third in (
            ("198.51.100.7", "203.0.113.1, 198.51.100.7", "203.0.113.2,198.51.100.7"),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "198.51.100.9, 2001:db8:1:2:a:b:c:d"),
            ("198.51.100.10", "::ffff:198.51.100.10", "nonsense, 198.51.100.10"),
            ("nonsense", "", "further nonsense"),
        ):
            assert [(await ask(client, one)).status_code for one in (first, second, third)] == [201, 429, 429]
        assert (await ask(client, "2001:db8:1:3::1")).status_code == 201


async def test_a_header_nobody_said_to_trust_is_not_read(database: ServiceDatabaseMaker) -> None:
    """Without the setting whoever connects is counted, whatever address the headers claim."""
    async with intake_service(database) as intake, intake.client() as client:
        at_most(intake, requests_an_hour=2)
        assert [(await ask(client, f"198.51.100.{n}")).status_code for n in range(3)] == [201, 201, 429]


async def test_our_own_networks_and_staff_are_not_counted(intake: Intake) -> None:
    """A server of the force that asks on behalf of many, and an officer at a station that shares one address."""
    at_most(intake, requests_an_hour=1)
    async with intake.client() as client:
        assert {(await ask(client, "192.0.2.77")).status_code for _ in range(4)} == {201}
    officer = a_user(Role.OFFICER, force_id=FORCE, team_id="bs1")
    async with visitor(intake.app, officer) as client:
        assert {(await ask(client, "198.51.100.7")).status_code for _ in range(4)} == {201}
    assert await intake.one("SELECT count(*) FROM attempt") == 0


async def test_a_request_sent_again_under_its_key_is_not_counted(intake: Intake) -> None:
    """A lost answer costs nobody a request."""
    at_most(intake, requests_an_hour=2)
    async with intake.client() as client:
        statuses = [(await ask(client, "198.51.100.7", "the same key")).status_code for _ in range(4)]
        assert statuses == [201, 200, 200, 200]
        assert (await ask(client, "198.51.100.7")).status_code == 201


async def test_processes_count_together(intake: Intake) -> None:
    """Two of them on one database let no more through than one."""
    at_most(intake, requests_an_hour=3)
    other = build(intake.settings, lambda: intake.now)
    async with other.router.lifespan_context(other), intake.client() as one:
        other.state.dependencies.keeping.limits[FORCE] = Limits(requests_an_hour=3)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(other), base_url="http://localhost:8001") as two:
            statuses = [(await ask(client, "198.51.100.7")).status_code for client in (one, two, one, two, one)]
    assert statuses == [201, 201, 201, 429, 429]


async def test_counts_hold_no_address_and_go_with_their_hour(intake: Intake) -> None:
    """Keyed digests that are others in another hour, and nothing once it is over."""
    async with intake.client() as client:
        await ask(client, "198.51.100.7")
        intake.now += timedelta(hours=1)
        await ask(client, "198.51.100.7")
    rows = await intake.rows("SELECT * FROM attempt ORDER BY until")
    assert [row["many"] for row in rows] == [1, 1]
    assert len({bytes(row["digest"]) for row in rows}) == 2 and all(len(row["digest"]) == 32 for row in rows)
    assert await intake.one("SELECT relpersistence FROM pg_class WHERE relname = 'attempt'") == b"u"
    await intake.deps.forget_attempts()
    assert await intake.one("SELECT count(*) FROM attempt") == 1
    intake.now += timedelta(hours=1)
    await intake.deps.forget_attempts()
    assert await intake.one("SELECT count(*) FROM attempt") == 0


async def test_at_the_form_nothing_she_typed_is_lost(intake: Intake) -> None:
    """Too many looks for a postcode, too many requests: her page says what to do and keeps what she typed; the form
    goes through in the next hour."""
    at_most(intake, postcodes_an_hour=3, requests_an_hour=1)
    async with intake.client(**HERE) as client:
        her = Visitor(client)
        await her.fill(until="place")
        for _ in range(3):
            assert (await her.send("place", {"postcode": "ZZ99 9ZZ"})).status_code == 422
        refused = await her.send("place", {"postcode": "BS1 4DJ"})
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
        assert 'value="BS1 4DJ"' in refused.text and "101" in refused.text and "999" in refused.text
        intake.now += timedelta(hours=1)
        await ask(client, "198.51.100.7")
        await her.fill()
        refused = await her.send("check", {"consent": "yes"})
        assert refused.status_code == 429 and "Canary marmalade" in refused.text and "101" in refused.text
        intake.now += timedelta(hours=1)
        assert (await her.send("check", {"consent": "yes"})).status_code == 303
    assert await intake.one("SELECT count(*) FROM walk_request") == 2


async def test_looks_at_the_map_are_counted_apart_from_the_form(intake: Intake) -> None:
    """A map asks whenever it comes to rest: too often is told so, and the same place as a postcode is still taken."""
    at_most(intake, map_looks_an_hour=2)
    async with intake.client(**HERE) as client:
        her = Visitor(client)
        await her.fill(until="place")
        where, token = {"latitude": 51.45, "longitude": -2.59}, {"X-CSRF-Token": her.token}
        looks = [await client.post(f"/api/v1/forces/{FORCE}/places", json=where, headers=token) for _ in range(3)]
        assert [look.status_code for look in looks] == [200, 200, 429]
        assert int(looks[-1].headers["retry-after"]) > 0 and looks[-1].json()["type"].endswith("too-many")
        assert (await her.send("place", {"postcode": "BS1 4DJ"})).status_code == 303


async def test_postcodes_on_her_private_page_are_counted_with_those_of_the_form(intake: Intake) -> None:
    """Where she would like to walk, and teams she does not want: said at the field, and nothing else is refused."""
    at_most(intake, postcodes_an_hour=2)
    async with intake.client(**HERE, Accept="text/html") as client:
        her = await a_woman(intake, client)
        for _ in range(2):
            assert (await her.send("change", **WHERE_AND_WHEN, postcode="BS1 5TR")).status_code == 303
        for what, given in (
            ("change", {**WHERE_AND_WHEN, "postcode": "BS1 5TR"}),
            ("contact", {**REACH, "teams": "BS1"}),
        ):
            refused = await her.send(what, **given)
            assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
            assert "This was done too often from where you are" in refused.text
        for what, given in (("change", WHERE_AND_WHEN), ("contact", REACH)):
            assert (await her.send(what, **given)).status_code == 303


async def test_forms_are_not_begun_without_end(intake: Intake) -> None:
    """Who has begun one goes on; a further one from the same address waits."""
    at_most(intake, forms_an_hour=1)
    async with intake.client(**HERE) as client, intake.client(**HERE, Accept="text/html") as another:
        her = Visitor(client)
        await her.fill(until="who")
        late = Visitor(another)
        refused = await late.send("eligibility", {"adult": "yes"})
        assert refused.status_code == 429 and "101" in refused.text and "999" in refused.text
        assert (await her.send("who", {"who": "herself"})).status_code == 303
    assert await intake.one("SELECT count(*) FROM draft") == 1


async def test_guessed_links_are_counted_and_a_right_one_always_opens(intake: Intake) -> None:
    """Whoever shares an address with somebody who guesses still reaches her page."""
    at_most(intake, wrong_links_an_hour=3)
    asked = await intake.ask()
    async with intake.database.web.transaction([FORCE]) as tx:
        stored = (await request_rows.requests(tx, [asked["request_id"]])).popitem()[1]
    hers = private_link(intake.deps.keeping, stored.held).removeprefix(intake.deps.keeping.intake_url)
    async with intake.client(**HERE) as client:
        statuses = [(await client.get(f"/your-request/guess-{n}")).status_code for n in range(5)]
        assert statuses == [404, 404, 404, 429, 429]
        assert (await client.get(hers)).status_code == 200


async def test_nobody_fills_an_inbox_through_us(intake: Intake) -> None:
    """Requests in one woman's name from everywhere are answered alike; of all they would have told her so many leave
    within a day as may, and the others keep the reason."""
    at_most(intake, messages_a_day=2)
    async with intake.client() as client:
        answers = [await ask(client, f"198.51.100.{n}") for n in range(5)]
    assert {(one.status_code, tuple(one.json())) for one in answers} == {(201, ("request_id", "reference"))}
    await intake.sender.send_due()
    assert await states(intake) == {"sent": 2, Refuse.FLOODED: 3}
    intake.now += timedelta(days=1, seconds=1)
    await intake.ask()
    await intake.sender.send_due()
    assert await states(intake) == {"sent": 3, Refuse.FLOODED: 3}


async def states(intake: Intake) -> Counter[str]:
    return Counter(
        row["state"]
        for row in await intake.rows(
            "SELECT coalesce(m.refused, s.state) AS state FROM message m LEFT JOIN sending s USING (force_id, id)"
        )
    )
