"""Partners on a real database: concerns come in through the inbox, answers through the handlers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.partners import domain, handlers
from services.partners.domain import Accept, Assign, Decline, ReferralState, Resolve, Update
from services.partners.metrics import PartnersMetrics
from services.partners.store import QUERIES
from shared.contracts.concerns import ConcernWithdrawn
from shared.contracts.envelope import Received
from shared.contracts.kinds import Reason
from shared.contracts.referrals import Progress, Resolution
from shared.contracts.refusals import Refusal
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.partners_service import (
    FORCE,
    MET,
    POLICIES,
    START,
    Partners,
    a_concern,
    an_area,
    partners_service,
    reference_of,
)


@pytest.fixture
async def partners(database: ServiceDatabaseMaker) -> AsyncIterator[Partners]:
    async with partners_service(database) as service:
        yield service


async def test_concern_is_referred_delivered_and_timed(partners: Partners) -> None:
    """One referral, its event, the partner's own view, an e-mail and a deadline, in one commit."""
    concern = a_concern()
    await partners.take(concern)
    referral = (await partners.rows("SELECT * FROM referral"))[0]
    assert referral["partner_id"] == "bristol-city-council"
    assert [name for name, _ in await partners.published()] == ["referral-made", "partner-concern-referred"]
    assert await partners.one("SELECT due_at FROM timer WHERE subject = $1", referral["id"]) == referral["respond_by"]
    assert await partners.one("SELECT count(*) FROM delivery d JOIN sending s USING (force_id, id)") == 1
    assert await partners.one("SELECT recipient FROM audit WHERE action = 'disclosed'") == "bristol-city-council"


async def test_narrower_agreements_of_the_demonstration_show(partners: Partners) -> None:
    """In the city centre cameras are the traders' matter, lamps the council's, followers the patrols'."""
    asked = {
        Reason.NO_CCTV: "harbourside-traders",
        Reason.BADLY_LIT: "bristol-city-council",
        Reason.FOLLOWED: "avon-and-somerset-patrols",
    }
    await partners.take(*(a_concern(category=category) for category in asked))
    rows = await partners.rows("SELECT c.category, r.partner_id FROM referral r JOIN concern c ON c.id = r.concern_id")
    assert {Reason(row["category"]): row["partner_id"] for row in rows} == asked


async def test_nothing_of_the_partners_view_leads_back(partners: Partners) -> None:
    """Its record names no concern and no referral, and carries neither moment nor correlation."""
    concern = a_concern()
    await partners.take(concern)
    view = (await partners.rows("SELECT * FROM outbox_log WHERE topic LIKE 'partner.%'"))[0]
    referral_id = await partners.one("SELECT id FROM referral")
    for id_ in (concern.concern_id, referral_id):
        assert str(id_) not in view["data"].decode()
    assert view["topic"] == "partner.bristol-city-council.v1"
    assert view["correlation_id"] is view["causation_id"] is view["traceparent"] is None
    assert view["id"].version == 4
    assert view["time"] == START.replace(hour=0)


async def test_five_hundred_concerns_take_one_set_of_statements(partners: Partners) -> None:
    """As many rows as concerns, whatever the batch; every one referred once."""
    concerns = [a_concern(category=list(Reason)[n % len(Reason)]) for n in range(500)]
    await partners.take(*concerns)
    assert await partners.one("SELECT count(*) FROM concern") == 500
    assert await partners.one("SELECT count(*) FROM referral") == 500
    assert await partners.one("SELECT count(*) FROM outbox_log") == 1000
    assert await partners.one("SELECT count(*) FROM sending") == 500
    assert await partners.one("SELECT count(*) FROM held") == 0


async def test_number_of_statements_does_not_grow_with_the_batch(partners: Partners) -> None:
    """Set-based: ten concerns cost as many statements as a hundred."""
    seen: Counter[int] = Counter()

    async def statements(many: int) -> int:
        records = [partners.record(a_concern()) for _ in range(many)]
        async with partners.database.bus.pool.acquire() as connection:
            connection.add_query_logger(lambda _: seen.update([many]))
        await partners.inbox.take(records)
        return seen[many]

    # The first batch also asks for the types of its columns.
    await statements(1)
    few = await statements(10)
    assert few > 0
    assert await statements(100) == few


async def test_redelivery_and_a_second_raising_refer_nobody_twice(partners: Partners) -> None:
    """Neither the same record nor the same concern under another event id asks again."""
    concern = a_concern()
    records = await partners.take(concern)
    await partners.inbox.take(records)
    await partners.take(concern)
    assert await partners.one("SELECT count(*) FROM referral") == 1
    assert await partners.one("SELECT count(*) FROM outbox_log") == 2


async def test_concern_waits_for_its_area(partners: Partners) -> None:
    """Events of two topics come in any order; nothing is lost and nobody is asked without a name of the place."""
    concern = a_concern("bs5")
    await partners.take(concern)
    assert await partners.one("SELECT count(*) FROM referral") == 0
    assert await partners.one("SELECT why FROM held") == "awaiting"
    await partners.take(an_area("bs5", "Easton"))
    assert await partners.one("SELECT count(*) FROM held") == 0
    assert (await partners.published("partner.%"))[0][1]["area_name"] == "Easton"


async def test_withdrawal_behind_a_waiting_concern_keeps_its_place(partners: Partners) -> None:
    """Raised and withdrawn while the area is unknown: first asked, then told it is over."""
    concern = a_concern("bs5")
    await partners.take(concern, ConcernWithdrawn(concern_id=concern.concern_id))
    await partners.take(an_area("bs5", "Easton"))
    assert await partners.one("SELECT state FROM concern") == "withdrawn"
    assert [name for name, _ in await partners.published("partner.%")] == [
        "partner-concern-referred",
        "partner-referral-changed",
    ]


async def test_concern_withdrawn_before_it_came_asks_nobody(partners: Partners) -> None:
    """The withdrawal leaves a tombstone; the concern that comes later has no effect."""
    concern = a_concern()
    await partners.take(ConcernWithdrawn(concern_id=concern.concern_id))
    await partners.take(concern)
    assert await partners.one("SELECT state FROM concern") == "withdrawn"
    assert await partners.one("SELECT count(*) FROM referral") == 0


async def test_withdrawn_concern_closes_its_referral_and_cancels_what_was_to_be_sent(partners: Partners) -> None:
    """The partner is told once, the deadline and the unsent e-mail go, and her words go."""
    concern = a_concern()
    await partners.take(concern)
    await partners.take(ConcernWithdrawn(concern_id=concern.concern_id))
    assert await partners.one("SELECT state FROM referral") == "withdrawn"
    assert await partners.one("SELECT words FROM concern") is None
    assert await partners.one("SELECT count(*) FROM timer") == 0
    rows = await partners.rows("SELECT d.kind, s.state FROM delivery d JOIN sending s USING (force_id, id)")
    assert {row["kind"]: row["state"] for row in rows} == {"referred": "cancelled", "withdrawn": "due"}


async def test_declined_concern_goes_to_the_next_then_to_triage(partners: Partners) -> None:
    """Traders say no, the council says no, and a coordinator has to choose."""
    concern = a_concern(category=Reason.NO_CCTV)
    await partners.take(concern)
    for partner_id in ("harbourside-traders", "bristol-city-council"):
        reference = await reference_of(partners, concern.concern_id, partner_id)
        await partners.answer(Decline(FORCE, reference, partner_id, "Not ours"))
    assert await partners.one("SELECT triage_reason FROM concern") == "all-declined"
    assert [name for name, _ in await partners.published("referrals.v1")] == [
        "referral-made",
        "referral-declined",
        "referral-made",
        "referral-declined",
    ]
    assert await partners.one("SELECT count(*) FROM timer") == 0


async def test_coordinator_refers_a_concern_out_of_triage(partners: Partners) -> None:
    """Whoever was chosen is asked, even beyond its agreement; whoever declined is not asked again."""
    concern = a_concern()
    await partners.take(concern)
    reference = await reference_of(partners, concern.concern_id)
    await partners.answer(Decline(FORCE, reference, "bristol-city-council", "Not ours"))
    for partner_id, refusal in (("bristol-city-council", domain.PartnerAlreadyAsked), ("x", domain.PartnerUnknown)):
        with pytest.raises(refusal):
            await assign(partners, concern.concern_id, partner_id)
    await assign(partners, concern.concern_id, "temple-quarter-homes")
    await assign(partners, concern.concern_id, "temple-quarter-homes")
    assert await partners.one("SELECT state FROM concern") == "referred"
    assert await partners.one("SELECT count(*) FROM referral") == 2


async def assign(partners: Partners, concern_id: UUID, partner_id: str) -> None:
    async with partners.database.web.transaction([FORCE]) as tx:
        command = Assign(FORCE, concern_id, partner_id)
        await handlers.assign(tx, [command], partners.now, policies=POLICIES, actor="coordinator-avon")


async def test_whole_story_of_a_referral(partners: Partners) -> None:
    """Accepted, updated, resolved; each told to the force and to the partner; repeats say nothing."""
    concern = a_concern()
    await partners.take(concern)
    reference = await reference_of(partners, concern.concern_id)
    us = (FORCE, reference, "bristol-city-council")
    for command in (
        Accept(*us),
        Update(*us, Progress.PLANNED, "Lamps are ordered", date(2026, 12, 15)),
        Resolve(*us, Resolution.DONE, "New lamps stand"),
    ):
        await partners.answer(command)
        await partners.answer(command)
    assert [name for name, _ in await partners.published("referrals.v1")] == [
        "referral-made",
        "referral-accepted",
        "referral-updated",
        "concern-resolved",
    ]
    assert len(await partners.published("partner.%")) == 4
    assert await partners.one("SELECT state FROM concern") == "resolved"
    assert await partners.one("SELECT count(*) FROM timer") == 0
    async with partners.database.web.transaction([FORCE]) as tx:
        sheet = await handlers.sheet(tx, reference, "bristol-city-council")
    assert [said.status for said in sheet.history] == ["accepted", "updated", "resolved"]


async def test_partner_sees_its_own_referrals_only(partners: Partners) -> None:
    """Neither in the list nor by reference, nor those of another force."""
    concern = a_concern()
    await partners.take(concern)
    reference = await reference_of(partners, concern.concern_id)
    async with partners.database.web.transaction([FORCE]) as tx:
        lines, more = await handlers.referrals(tx, "harbourside-traders", tuple(ReferralState), 1)
        assert (lines, more) == ([], False)
        with pytest.raises(domain.ReferralNotFound):
            await handlers.sheet(tx, reference, "harbourside-traders")
    async with partners.database.web.transaction([MET]) as tx:
        with pytest.raises(domain.ReferralNotFound):
            await handlers.sheet(tx, reference, "bristol-city-council")
    with pytest.raises(domain.ReferralNotFound):
        await partners.answer(Accept(FORCE, reference, "harbourside-traders"))


async def test_list_shows_overdue_first_and_pages(partners: Partners) -> None:
    """Fifty a page; what is late stands on top; what is closed stands below what is open."""
    await partners.take(*(a_concern() for _ in range(60)))
    late = await partners.one(
        "UPDATE referral SET overdue = true WHERE id = (SELECT max(id::text)::uuid FROM referral) RETURNING reference"
    )
    async with partners.database.web.transaction([FORCE]) as tx:
        first, more = await handlers.referrals(tx, None, tuple(ReferralState), 1)
        second, none = await handlers.referrals(tx, None, tuple(ReferralState), 2)
    assert first[0].reference == late
    assert (len(first), more, len(second), none) == (50, True, 10, False)


async def test_unanswered_referral_is_marked_and_the_partner_reminded_once(partners: Partners) -> None:
    """At the deadline, and not before; what was accepted meanwhile is left alone."""
    waiting, answered = a_concern(), a_concern()
    await partners.take(waiting, answered)
    reference = await reference_of(partners, answered.concern_id)
    await partners.answer(Accept(FORCE, reference, "bristol-city-council"))
    assert await partners.timers.fire_due() == 0
    partners.now = START + timedelta(days=20)
    assert await partners.timers.fire_due() == 1
    assert await partners.timers.fire_due() == 0
    rows = await partners.rows("SELECT concern_id FROM referral WHERE overdue")
    assert [row["concern_id"] for row in rows] == [waiting.concern_id]
    assert await partners.one("SELECT count(*) FROM delivery WHERE kind = 'reminder'") == 1


async def test_two_answers_at_once_end_in_one_truth(partners: Partners) -> None:
    """Accepted and declined by two people in the same moment: one is refused."""
    concern = a_concern()
    await partners.take(concern)
    reference = await reference_of(partners, concern.concern_id)
    us = (FORCE, reference, "bristol-city-council")
    outcomes = await asyncio.gather(
        partners.answer(Accept(*us)), partners.answer(Decline(*us, "Not ours")), return_exceptions=True
    )
    assert sum(isinstance(one, Refusal) for one in outcomes) == 1
    assert [one for one in outcomes if one is not None and not isinstance(one, Refusal)] == []


async def test_register_follows_the_policy(partners: Partners) -> None:
    """The same again changes nothing; a partner whose agreement ended is asked no more, its referrals stay."""
    concern = a_concern()
    await partners.take(concern)
    policy = POLICIES[FORCE]
    newer = policy.model_copy(
        update={
            "version": policy.version + 1,
            "partners": tuple(p for p in policy.partners if p.partner_id != "bristol-city-council"),
        }
    )
    async with partners.database.bus.transaction(POLICIES.forces) as tx:
        await handlers.keep_register(tx, POLICIES)
        await handlers.keep_register(tx, {FORCE: newer})
        # A process still on the older file does not bring it back.
        await handlers.keep_register(tx, POLICIES)
    await partners.take(a_concern())
    assert await partners.one("SELECT count(*) FROM concern WHERE triage_reason = 'not-covered'") == 1
    reference = await reference_of(partners, concern.concern_id)
    await partners.answer(Accept(FORCE, reference, "bristol-city-council"))


async def test_concern_before_the_register_is_taken_over_is_tried_again(database: ServiceDatabaseMaker) -> None:
    """A start in odd order asks for patience; nothing is sent to triage by mistake."""
    found = await database("partners")
    async with found.bus.transaction([FORCE]) as tx:
        with pytest.raises(domain.RegisterNotReady):
            received = [Received(a_concern(), uuid4(), FORCE, START, 1, None)]
            await handlers.open_referrals(tx, received, START, policies=POLICIES)


async def test_gauges_are_read_from_the_database(partners: Partners) -> None:
    """Whatever process asks, the numbers are those of the tables."""
    await partners.take(a_concern(), a_concern())
    registry = CollectorRegistry()
    await PartnersMetrics(registry).measure(partners.database.bus, POLICIES.forces)
    assert registry.get_sample_value("walkandtalk_referrals", {"state": "made"}) == 2
    assert registry.get_sample_value("walkandtalk_partner_deliveries", {"channel": "email", "outcome": "due"}) == 2


async def test_every_named_query_fits_the_tables(partners: Partners) -> None:
    """Prepared against the migrated schema, under the role that runs it."""
    async with partners.database.web.pool.acquire() as connection:
        for name, query in QUERIES.items():
            try:
                await connection.prepare(query.sql)
            except asyncpg.PostgresError as fault:
                raise AssertionError(f"{name}: {fault}") from fault


async def test_hot_queries_look_at_each_row_once_even_without_statistics(partners: Partners) -> None:
    """After a sudden rush nothing was analysed yet; a list that joins badly then takes seconds, then minutes."""
    many = 600
    admin = await asyncpg.connect(partners.database.admin_url)
    try:
        # The server would analyse some of them at a moment of its own.
        for table in ("concern", "referral", "referral_change", "delivery", "area"):
            await admin.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    finally:
        await admin.close()
    await partners.take(*(a_concern() for _ in range(many)))
    concern_id = await partners.one("SELECT id FROM concern LIMIT 1")
    reference = await partners.one("SELECT reference FROM referral LIMIT 1")
    delivery = await partners.one("SELECT id FROM delivery LIMIT 1")
    asked: dict[str, tuple[Any, ...]] = {
        "referrals_of_force": (FORCE, ["made", "accepted"], 51, 0),
        "referrals_of_partner": (FORCE, ["made", "accepted"], 51, 0, "bristol-city-council"),
        "referral_page": (reference, None),
        "triage": (51, 0),
        "letter": (delivery,),
        "deliveries": (uuid4(),),
        "lock_concerns": ([FORCE], [concern_id]),
        "referrals_of": ([FORCE], [concern_id]),
        "concerns_of_references": ([FORCE], [reference]),
    }
    async with partners.database.web.transaction([FORCE]) as tx:
        for name, arguments in asked.items():
            plan = await tx.connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {QUERIES[name].sql}", *arguments)
            assert max(looked_at(plan[0]["Plan"])) <= many, name


def looked_at(node: dict[str, Any]) -> list[float]:
    """Rows each node of a plan touched, over all its loops."""
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    below = [rows for child in node.get("Plans", []) for rows in looked_at(child)]
    return [(node["Actual Rows"] + removed) * node["Actual Loops"], *below]
