"""Erasure: what goes, what stays, what comes too late, and what a restored database learns before it serves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from prometheus_client import CollectorRegistry

from services.intake.handlers.erasure import forgetter
from services.intake.handlers.hers import PRIVATE_LINK
from services.intake.store import requests as request_rows
from shared.bus import outbox
from shared.bus.erasure import Gone, Ledger, bury, scrub
from shared.bus.inbox import Inbox
from shared.bus.metrics import BusMetrics
from shared.bus.subscriptions import Subscriptions
from shared.contracts.concerns import ConcernRedacted
from shared.contracts.feedback import SurveyInvited
from shared.contracts.kinds import SurveyName
from shared.contracts.referrals import ConcernResolved, Resolution
from shared.contracts.walk_requests import ContactRules, ContactRulesChanged, ParticipantErased, WalkRequestWithdrawn
from shared.timers import Fired
from tests.integration.test_intake_pages import csrf_of
from tests.servers.any_service import inbox_of
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, START, Intake, a_body, intake_service
from tests.servers.partners_service import a_concern, partners_service


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


def link_of(intake: Intake, request_id: str) -> str:
    """Her private page."""
    keeping = intake.deps.keeping
    return "/your-request/" + keeping.vault.seal_text(PRIVATE_LINK, [FORCE, UUID(request_id).hex])


async def erase(intake: Intake, request_id: str) -> httpx.Response:
    """She says yes on her own page."""
    async with intake.client() as client:
        page = await client.get(f"{link_of(intake, request_id)}/erase")
        return await client.post(f"{link_of(intake, request_id)}/erase", data={"csrf_token": csrf_of(page)})


async def test_she_erases_all_that_is_held_about_her(intake: Intake) -> None:
    """By her private link, after a page that says what goes: no row of hers is left, the others are told of her
    request, and the log of what was done stands."""
    asked = await intake.ask(baseline={"safe-after-dark": "very-unsafe"})
    other = await intake.ask(contact={"email": "other@example.com"})
    erased = await erase(intake, asked["request_id"])
    assert erased.status_code == 200 and "It is erased" in erased.text
    for table in ("participant", "walk_request", "message", "sending"):
        assert await intake.one(f"SELECT count(*) FROM {table}") == 1, table  # noqa: S608  # names from above
    assert await intake.one("SELECT count(*) FROM participant_digest") == 1
    assert await intake.one("SELECT count(*) FROM waiting_baseline") == 0
    assert await intake.one("SELECT id FROM walk_request") == UUID(other["request_id"])
    assert await intake.published("participant-erased") == [{"request_id": asked["request_id"]}]
    assert await intake.one("SELECT what FROM tombstone WHERE id = $1", UUID(asked["request_id"])) == "all"
    assert await intake.one("SELECT count(*) FROM audit WHERE action = 'erased' AND actor = 'participant'") == 1
    async with intake.client() as client:
        assert (await client.get(link_of(intake, asked["request_id"]))).status_code in (404, 410)
        again = await client.get(f"{link_of(intake, asked['request_id'])}/erase")
        assert again.status_code == 200 and "It is erased" in again.text


async def test_looking_at_the_page_erases_nothing(intake: Intake) -> None:
    """Mail scanners follow links: it takes a post from the page itself."""
    asked = await intake.ask()
    async with intake.client() as client:
        assert (await client.get(f"{link_of(intake, asked['request_id'])}/erase")).status_code == 200
        assert (await client.post(f"{link_of(intake, asked['request_id'])}/erase")).status_code == 403
    assert await intake.one("SELECT count(*) FROM participant") == 1


async def test_what_she_sent_does_not_come_back_when_it_is_sent_again(intake: Intake) -> None:
    """The same request under its old key is refused: a phone that tries again in the background must not undo it."""
    asked = await intake.ask(key="her phone's key")
    await erase(intake, asked["request_id"])
    async with intake.client() as client:
        answer = await client.post(
            "/api/v1/walk-requests", json=a_body(), headers={"Idempotency-Key": "her phone's key"}
        )
    assert answer.status_code == 410
    assert await intake.one("SELECT count(*) FROM participant") == 0


async def test_her_answers_are_withdrawn_at_night_among_those_of_the_day(intake: Intake) -> None:
    """Not in the transaction that erases her: the id of her answers would stand beside that of her request."""
    first, second = await intake.ask(), await intake.ask()
    pairs = set()
    for asked in (first, second):
        async with intake.database.web.transaction([FORCE]) as tx:
            stored = (await request_rows.requests(tx, [UUID(asked["request_id"])]))[UUID(asked["request_id"])]
            key = intake.deps.keeping.vault.data_key(stored.key, str(stored.held.participant_id))
            pairs.add(str(UUID(key.open(stored.pair, f"pair of {asked['request_id']}"))))
        await erase(intake, asked["request_id"])
    await intake.timers.fire_due()
    assert await intake.published("answers-withdrawn") == []
    intake.now += timedelta(days=1)
    while await intake.timers.fire_due():
        pass
    withdrawn = await intake.published("answers-withdrawn")
    assert {one["pair_id"] for one in withdrawn} == pairs
    assert await intake.one("SELECT count(*) FROM withdrawn_answers") == 0


async def test_the_log_of_what_was_published_forgets_and_keeps_its_numbers(intake: Intake) -> None:
    """Data is emptied, whether it has left or not; the numbers of its key have no gap, and a replay leaves it out."""
    asked = await intake.ask()
    await erase(intake, asked["request_id"])
    await intake.timers.fire_due()
    rows = await intake.rows(
        "SELECT sequence, scrubbed, data, type FROM outbox_log WHERE key = $1 ORDER BY sequence",
        UUID(asked["request_id"]),
    )
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["scrubbed"] for row in rows] == [*(True for _ in rows[:-1]), False]
    assert {bytes(row["data"]) for row in rows[:-1]} == {b"{}"}
    await intake.admin.execute(outbox.QUERIES.republish.sql, START - timedelta(days=300), None)
    assert await intake.one("SELECT count(*) FROM outbox_pending") == 1


async def test_events_of_hers_that_arrive_late_have_no_effect_and_nothing_waits(intake: Intake) -> None:
    """Her walk goes on where it has not been heard yet; nothing of it is written here, nothing is held for good."""
    asked = await intake.ask()
    await erase(intake, asked["request_id"])
    concern = uuid4()
    walk = await intake.walk_of(asked["request_id"], (concern,))
    await intake.take(
        SurveyInvited(invitation_id=uuid4(), walk_id=walk, survey=SurveyName.AFTER_WALK, send_from=intake.now),
        ConcernResolved(
            concern_id=concern, referral_id=uuid4(), partner_id="x", partner_name="X", resolution=Resolution.DONE
        ),
    )
    for table in ("held", "message", "walk_request", "participant"):
        assert await intake.one(f"SELECT count(*) FROM {table}") == 0, table  # noqa: S608  # names from above


async def test_erasure_overtakes_what_is_parked_of_its_key(
    database: ServiceDatabaseMaker, tmp_path: Path, intake: Intake
) -> None:
    """A record of hers nobody could read is dropped, its bytes on the parked topic too, and what comes later of
    her has no effect."""
    found = await database("assignment")
    request_id = uuid4()
    key = str(request_id).encode()
    async with inbox_of("assignment", found, tmp_path) as inbox:
        broken = intake.record(WalkRequestWithdrawn(request_id=request_id))
        broken = broken._replace(value=b'{"her": "Marked words"}')
        late = intake.record(WalkRequestWithdrawn(request_id=request_id))
        await inbox.take([broken, late])
        admin = await asyncpg.connect(found.admin_url)
        try:
            assert await admin.fetchval("SELECT count(*) FROM held WHERE key = $1", key) == 2
            await inbox.take([intake.record(ParticipantErased(request_id=request_id))])
            await inbox.take([intake.record(WalkRequestWithdrawn(request_id=request_id))])
            async with found.bus.transaction([FORCE, "unknown"]) as tx:
                await scrub(tx, [Fired(FORCE, request_id, intake.now)], intake.now)
            assert await admin.fetchval("SELECT count(*) FROM held") == 0
            parked = await admin.fetch("SELECT data, scrubbed FROM outbox_log WHERE topic = 'assignment.parked.v1'")
            assert [(bytes(row["data"]), row["scrubbed"]) for row in parked] == [(b"{}", True)]
        finally:
            await admin.close()


async def test_late_events_are_counted(database: ServiceDatabaseMaker, intake: Intake) -> None:
    """As an outcome of their own, so that it shows whether somebody still sends them."""
    request_id = uuid4()
    async with intake.database.bus.transaction([FORCE]) as tx:
        await bury(tx, [Gone(FORCE, request_id)], intake.now, intake.now)
    registry, taken = CollectorRegistry(), []
    subscribe = Subscriptions("intake")

    async def take(tx: object, received: object, now: object) -> None:
        taken.append(received)

    subscribe.to(ContactRulesChanged, take)
    inbox = Inbox(intake.database.bus, subscribe, intake.deps.clock, BusMetrics(registry), [FORCE])
    await inbox.take([intake.record(ContactRulesChanged(request_id=request_id, contact=ContactRules(channels=())))])
    assert taken == []
    counted = registry.get_sample_value(
        "walkandtalk_bus_events_total", {"event": "contact-rules-changed", "outcome": "erased"}
    )
    assert counted == 1


async def test_a_concern_loses_its_words_and_stays_to_be_put_right(database: ServiceDatabaseMaker) -> None:
    """Every partner that was ever asked is told to forget them; what was told before is told again without them; one
    that is raised late comes without them."""
    async with partners_service(database) as partners:
        raised = a_concern(words="Marked words", place_name="Behind Marked House")
        await partners.take(raised)
        await partners.take(ConcernRedacted(concern_id=raised.concern_id))
        (row,) = await partners.rows("SELECT words, place_name, state, category FROM concern")
        assert (row["words"], row["place_name"], row["state"]) == (None, None, "referred")
        told = [data for _, data in await partners.published("partner.%")]
        assert told[-1]["status"] == "redacted"
        await partners.timers.fire_due()
        assert "Marked" not in json.dumps(await partners.published())
        assert (await partners.published("partner.%"))[0][1]["category"] == raised.category.value

        late = a_concern(words="Marked words")
        await partners.take(ConcernRedacted(concern_id=late.concern_id))
        await partners.take(late)
        assert await partners.rows("SELECT id FROM concern WHERE words IS NOT NULL") == []
        assert len(await partners.rows("SELECT id FROM concern")) == 2


async def test_a_restored_database_learns_of_erasures_before_it_serves(intake: Intake, tmp_path: Path) -> None:
    """The tombstones stand in a file outside the database as well: rows that came back with an older copy go again."""
    asked = await intake.ask()
    ledger = Ledger(tmp_path / "intake.tombstones")
    assert await ledger.keep(intake.database.bus, [FORCE]) == 0
    before = await intake.rows("SELECT * FROM participant")
    requests = await intake.rows("SELECT * FROM walk_request")
    await erase(intake, asked["request_id"])
    assert await ledger.keep(intake.database.bus, [FORCE]) == 1
    assert await ledger.keep(intake.database.bus, [FORCE]) == 0
    # An older copy is put back: her rows are there again, and nothing knows that she was erased.
    await intake.admin.execute("DELETE FROM tombstone")
    for table, rows in (("participant", before), ("walk_request", requests)):
        records = [tuple(row.values()) for row in rows]
        await intake.admin.copy_records_to_table(table, records=records, columns=list(rows[0].keys()))
    restored = Ledger(tmp_path / "intake.tombstones")
    assert len(await restored.missing(intake.database.web, [FORCE])) == 1
    forget = forgetter(intake.deps.keeping)
    assert await restored.apply(intake.database.bus, [FORCE], forget, intake.now) == 1
    assert await restored.missing(intake.database.web, [FORCE]) == {}
    assert await intake.one("SELECT count(*) FROM participant") == 0
    assert await restored.apply(intake.database.bus, [FORCE], forget, intake.now) == 0
