"""What is kept no longer goes, the report says so before, and what is open or on hold stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry

from services.intake.channels.door import let_through
from services.intake.domain.refusals import OnHold
from services.intake.handlers import hers
from services.intake.handlers.erasure import erase
from services.intake.handlers.follow_ups import CONTACT
from services.intake.handlers.retention import put_on_hold
from services.intake.timers import retention
from shared import retention as keeping
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.kinds import SurveyName, Urgency
from shared.contracts.referrals import ConcernResolved, Resolution
from shared.contracts.walk_requests import Availability
from shared.contracts.walks import WalkArranged, WalkCancelled
from shared.retention import CONFIRMED, DAILY, Line, Retention, RetentionMetrics, report
from shared.sendings import Sender
from shared.timers import TimerLoop, Timers
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, intake_service


class Nights:
    """The service's nights on its database: what would go, and what goes."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.registry = CollectorRegistry()
        self.kept = Retention(
            "intake", intake.deps.policies, retention(intake.deps.keeping), RetentionMetrics(self.registry)
        )
        due = Timers()
        self.kept.on(due)
        self.loop = TimerLoop(intake.database.bus, due, intake.deps.clock, intake.deps.policies.forces)

    async def report(self) -> dict[str, Line]:
        lines = await report(self.intake.database.bus, "intake", self.intake.deps.policies, self.intake.now)
        return {line.kind: line for line in lines if line.force_id == FORCE}

    async def going(self) -> dict[str, int]:
        return {kind: line.found.going for kind, line in (await self.report()).items() if line.found.going}

    async def run(self, timer: str = DAILY) -> int:
        """A night, to its end; how many batches it took."""
        async with self.intake.database.bus.transaction([FORCE]) as tx:
            await keeping.ask_for(tx, timer, [FORCE], self.intake.now)
        batches = 0
        while await self.loop.fire_due():
            batches += 1
        return batches

    def sample(self, name: str, kind: str) -> float | None:
        return self.registry.get_sample_value(f"walkandtalk_retention_{name}", {"force": FORCE, "kind": kind})


@pytest.fixture
async def nights(database: ServiceDatabaseMaker) -> AsyncIterator[Nights]:
    async with intake_service(database) as service:
        yield Nights(service)


async def held_walk(intake: Intake, **asked: Any) -> tuple[UUID, UUID]:
    """A request whose walk was held, with one concern; request and concern."""
    request, concern = (await intake.ask(**asked))["request_id"], uuid4()
    await intake.walk_of(request, (concern,))
    await leave(intake)
    return UUID(request), concern


def answered(concern: UUID) -> ConcernResolved:
    return ConcernResolved(
        concern_id=concern,
        referral_id=uuid4(),
        partner_id="bristol-city-council",
        partner_name="Bristol City Council",
        resolution=Resolution.DONE,
    )


async def leave(intake: Intake) -> None:
    """What may leave does; the wire is nothing."""

    async def wire(force_id: str, id_: UUID) -> None:
        await let_through(intake.deps, force_id, id_)

    channels = {"email": wire, "text": wire}
    await Sender(intake.database.bus, channels, intake.deps.clock, intake.deps.policies.forces).send_due()


async def requests(intake: Intake) -> set[UUID]:
    return {row["id"] for row in await intake.rows("SELECT id FROM walk_request")}


async def test_a_woman_whose_request_is_long_over_is_erased_as_if_she_had_asked(nights: Nights) -> None:
    """Held and told, withdrawn, cancelled: a year after the last of it, and not a day before; every service is told."""
    intake = nights.intake
    walked, concern = await held_walk(intake)
    await intake.take(answered(concern))
    await leave(intake)
    withdrawn = UUID((await intake.ask())["request_id"])
    cancelled = UUID((await intake.ask())["request_id"])
    await intake.take(WalkCancelled(walk_id=uuid4(), request_ids=(cancelled,), reason="no-officer"))
    async with intake.database.web.transaction([FORCE]) as tx:
        await hers.withdraw(tx, FORCE, withdrawn, intake.now)
    await leave(intake)
    intake.now += timedelta(days=365)
    assert "participant" not in await nights.going()
    intake.now += timedelta(days=1)
    assert (await nights.going())["participant"] == 3
    await nights.run()
    assert await requests(intake) == set() and await nights.going() == {}
    told = {UUID(one["request_id"]) for one in await intake.published("participant-erased")}
    assert told == {walked, withdrawn, cancelled}
    log = await intake.rows("SELECT subject, reason FROM audit WHERE actor = 'retention' AND action = 'erased'")
    assert {str(walked), str(withdrawn), str(cancelled), "participant"} <= {row["subject"] for row in log}
    assert nights.sample("erased_total", "participant") == 3


async def test_what_is_open_stays_and_the_report_says_why(nights: Nights) -> None:
    """A walk that is planned, a concern nobody answered, a call that is wanted, a message still to leave."""
    intake = nights.intake
    planned = UUID((await intake.ask())["request_id"])
    at = intake.now + timedelta(days=3000)
    place = {"officer_id": "officer-avon-1", "team_id": "bs1", "meeting_place": "The library"}
    await intake.take(WalkArranged(walk_id=uuid4(), request_ids=(planned,), starts_at=at, **place))
    asked_for_a_call, concern = await held_walk(intake)
    await intake.take(answered(concern))
    await held_walk(intake)
    waiting, concern = await held_walk(intake)
    await intake.take(answered(concern))
    await leave(intake)
    await intake.admin.execute(
        "UPDATE walk_request SET contact_wanted_at = $2 WHERE id = $1", asked_for_a_call, intake.now
    )
    await intake.admin.execute(
        "UPDATE sending SET state = 'due'"
        " WHERE id = (SELECT id FROM message WHERE request_id = $1 ORDER BY id LIMIT 1)",
        waiting,
    )
    intake.now += timedelta(days=1000)
    found = await nights.report()
    assert found["unarranged"].found.kept == {"a walk is planned": 1}
    assert found["participant"].found.kept == {
        "a call or visit is wanted": 1,
        "a concern is not answered": 1,
        "a message is still to leave": 1,
    }
    everybody = await requests(intake)
    await nights.run()
    assert await requests(intake) == everybody and len(everybody) == 4


async def test_a_call_that_is_wanted_is_noted(nights: Nights) -> None:
    """When it is asked for; it is open until somebody has called."""
    intake = nights.intake
    request, _ = await held_walk(intake)
    reference = intake.deps.keeping.vault.seal_text(CONTACT, [FORCE, request.hex])
    after = {"survey": SurveyName.AFTER_WALK, "reasons": ("still-worried",), "urgency": Urgency.SOON}
    await intake.take(FeedbackFlagged(flag_id=uuid4(), contact=reference, **after))
    intake.now += timedelta(minutes=1)
    await intake.timers.fire_due()
    assert await intake.one("SELECT contact_wanted_at FROM walk_request WHERE id = $1", request) == intake.now


async def test_who_asked_and_was_never_answered_is_erased_in_the_end(nights: Nights) -> None:
    """A year after the last that was heard of her: what she changed since begins it anew."""
    intake = nights.intake
    await intake.ask()
    heard = UUID((await intake.ask())["request_id"])
    await leave(intake)
    intake.now += timedelta(days=200)
    friday = hers.Amendment(Availability.model_validate({"days": ["friday"], "parts": ["daytime"]}))
    async with intake.database.web.transaction([FORCE]) as tx:
        await hers.amend(tx, FORCE, heard, friday, intake.now, keeping=intake.deps.keeping)
    intake.now += timedelta(days=200)
    assert await nights.going() == {"message": 2, "unarranged": 1}
    await nights.run()
    assert await requests(intake) == {heard}


async def test_nothing_on_hold_is_erased_by_age_or_by_herself(nights: Nights) -> None:
    """Not her request, not what her messages said, not her letters; let go again it all goes."""
    intake = nights.intake
    asked = await intake.ask()
    request = UUID(asked["request_id"])
    letter = await intake.ask(contact={"channels": ["letter"], "email": None, "address": "1 High Street"})
    await leave(intake)
    both = (request, UUID(letter["request_id"]))
    for one in both:
        await hold(intake, one, True)
    intake.now += timedelta(days=800)
    found = await nights.report()
    assert {kind: line.found.kept for kind, line in found.items()} == {
        "participant": {},
        "unarranged": {"on hold": 2},
        "message": {"on hold": 1},
        "letter": {"on hold": 1},
    }
    await nights.run()
    assert await intake.one("SELECT count(*) FROM message WHERE sealed IS NOT NULL") == 2
    with pytest.raises(OnHold):
        async with intake.database.web.transaction([FORCE]) as tx:
            await erase(tx, FORCE, request, "participant", "she asked", intake.now, keeping=intake.deps.keeping)
    for one in both:
        await hold(intake, one, False)
    await nights.run()
    # The letter that was never posted held its request; given up, it is over, and the next year erases it.
    assert await nights.going() == {}
    log = await intake.rows("SELECT reason FROM audit WHERE reason LIKE '%hold%' ORDER BY id")
    assert next(row["reason"] for row in log) == "put on hold: a court has asked" and len(log) == 4


async def hold(intake: Intake, request: UUID, on_hold: bool) -> None:
    async with intake.database.web.transaction([FORCE]) as tx:
        await put_on_hold(tx, FORCE, request, on_hold, "dpo", "a court has asked", intake.now)


async def test_what_messages_said_goes_and_letters_nobody_posted_are_given_up(nights: Nights) -> None:
    """That a message was sent stays; a letter is off the list, with the reason."""
    intake = nights.intake
    await intake.ask()
    await intake.ask(contact={"channels": ["letter"], "email": None, "address": "1 High Street"})
    await leave(intake)
    intake.now += timedelta(days=61)
    assert await nights.going() == {"letter": 1}
    intake.now += timedelta(days=30)
    assert await nights.going() == {"letter": 1, "message": 1}
    await nights.run()
    rows = await intake.rows("SELECT channel, refused, sealed FROM message ORDER BY id")
    assert [tuple(row) for row in rows] == [("email", None, None), ("letter", "its time has passed", None)]
    assert await intake.messages() == [("confirmation", "sent"), ("confirmation", "cancelled")]


async def test_days_are_counted_on_a_london_calendar(nights: Nights) -> None:
    """Asked half an hour after midnight of summer time, it is of that day, though in UTC it was the day before; and a
    year with a leap day has its 365 days."""
    intake = nights.intake
    intake.now = datetime(2027, 6, 14, 23, 30, tzinfo=UTC)
    request = UUID((await intake.ask())["request_id"])
    async with intake.database.web.transaction([FORCE]) as tx:
        await hers.withdraw(tx, FORCE, request, intake.now)
    await intake.admin.execute("UPDATE sending SET ended_at = NULL")
    # 15 June 2027 and 365 days, 29 February 2028 among them, is 14 June 2028: the day after it goes.
    intake.now = datetime(2028, 6, 14, 22, 59, tzinfo=UTC)
    assert "participant" not in await nights.going()
    intake.now = datetime(2028, 6, 14, 23, 1, tzinfo=UTC)
    assert (await nights.going())["participant"] == 1


async def test_a_night_goes_on_where_it_was_cut_off(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is a commit, and what is left comes back: at once, or after the next start."""
    monkeypatch.setattr(keeping, "BATCH", 2)
    intake = nights.intake
    await withdrawn_requests(intake, 5)
    intake.now += timedelta(days=400)
    async with intake.database.bus.transaction([FORCE]) as tx:
        await keeping.ask_for(tx, DAILY, [FORCE], intake.now)
    await nights.loop.fire_due()
    assert len(await requests(intake)) == 3
    again = Nights(intake)
    await again.kept.start(intake.database.bus, intake.now)
    while await again.loop.fire_due():
        pass
    assert await requests(intake) == set() and await again.going() == {}
    due = await intake.rows("SELECT due_at FROM timer WHERE kind = $1 AND force_id = $2", DAILY, FORCE)
    assert [row["due_at"] for row in due] == [keeping.next_night(intake.now)]


async def withdrawn_requests(intake: Intake, many: int) -> None:
    for _ in range(many):
        request = UUID((await intake.ask())["request_id"])
        async with intake.database.web.transaction([FORCE]) as tx:
            await hers.withdraw(tx, FORCE, request, intake.now)


async def test_one_that_cannot_go_holds_up_no_other(nights: Nights) -> None:
    """It is counted and stays; the others of its batch go."""
    intake = nights.intake
    await withdrawn_requests(intake, 3)
    stuck = await intake.one("SELECT id FROM walk_request ORDER BY id LIMIT 1")
    await intake.admin.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$"
    )
    await intake.admin.execute(
        f"CREATE TRIGGER refuse BEFORE DELETE ON walk_request FOR EACH ROW WHEN (OLD.id = '{stuck}')"
        " EXECUTE FUNCTION refuse()"
    )
    intake.now += timedelta(days=400)
    await nights.run()
    assert await requests(intake) == {stuck}
    assert nights.sample("failed_total", "participant") == 1


async def test_more_than_a_fifth_of_all_waits_for_a_person(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that was shortened by mistake erases nobody: it is told, and goes on once it is confirmed."""
    monkeypatch.setattr(keeping, "NEVER_MANY", 2)
    intake = nights.intake
    await withdrawn_requests(intake, 4)
    intake.now += timedelta(days=400)
    await withdrawn_requests(intake, 2)
    await nights.run()
    assert len(await requests(intake)) == 6 and nights.sample("stopped", "participant") == 1
    assert (await nights.report())["participant"].found.too_much
    await nights.run(CONFIRMED)
    assert len(await requests(intake)) == 2 and await nights.going() == {}
    await nights.run()
    assert nights.sample("stopped", "participant") == 0
