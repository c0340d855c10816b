"""What the bus brings to assignment, set-based and in any order, on a real database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.assignment import registers
from services.assignment.domain.people import Person
from services.assignment.domain.record import RecordedConcern
from services.assignment.domain.walks import State
from services.assignment.handlers import arranging, looking, people, referrals, requests, taking
from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers import record as recording
from services.assignment.handlers.areas import publish_areas
from services.assignment.handlers.arranging import Arrange
from services.assignment.handlers.follow_ups import CompleteFollowUp
from services.assignment.handlers.people import enrol_officers
from services.assignment.handlers.record import Complete
from services.assignment.handlers.taking import Take
from services.assignment.store import QUERIES
from services.assignment.store import areas as area_rows
from services.assignment.store import concerns as concern_rows
from services.assignment.store import requests as request_rows
from shared import timers
from shared.contracts.envelope import Received
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.kinds import Channel, PartOfDay, Point, Reason, Severity, SurveyName, Urgency, Weekday
from shared.contracts.referrals import ConcernResolved, ReferralMade, ReferralUpdated, Resolution
from shared.contracts.walk_requests import (
    Availability,
    ContactRules,
    ContactRulesChanged,
    ContactWanted,
    WalkRequested,
    WalkRequestWithdrawn,
)
from shared.contracts.walks import FollowUpOutcome
from shared.database import Database, Query
from shared.policies import Policies
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker

FORCE = "avon-and-somerset"
LONDON = "metropolitan"
FORCES = Path(__file__).resolve().parents[2] / "deploy" / "forces"
POLICIES = Policies.read(FORCES)
REGISTERS = registers.Registers(FORCES, POLICIES.forces)
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
CITY_CENTRE = Point(latitude=51.4545, longitude=-2.5879)
BATH = Point(latitude=51.3864, longitude=-2.3625)
TAUNTON = Point(latitude=51.0143, longitude=-3.1036)
AT_SEA = Point(latitude=50.2, longitude=-6.5)
SE1 = Point(latitude=51.5033, longitude=-0.1120)

route_requests = partial(requests.route_requests, policies=POLICIES, locate=REGISTERS.locate)
open_follow_ups = partial(following_up.open_follow_ups, policies=POLICIES)
open_reviews = partial(following_up.open_reviews, policies=POLICIES)


@pytest.fixture
async def service(database: ServiceDatabaseMaker) -> ServiceDatabase:
    """An empty database of assignment with the demo forces' areas and officers."""
    found = await database("assignment")
    for force_id in POLICIES.forces:
        async with found.bus.transaction([force_id]) as tx:
            await enrol_officers(tx, force_id, REGISTERS.officers[force_id], POLICIES[force_id], NOW)
            await publish_areas(tx, REGISTERS.areas[force_id], NOW)
    return found


@pytest.fixture
def bus(service: ServiceDatabase) -> Database:
    return service.bus


def received(event: Any, *, force_id: str = FORCE, time: datetime = NOW) -> Received[Any]:
    return Received(event, uuid4(), force_id, time, 1, None)


def a_request(
    *,
    request_id: UUID | None = None,
    place: Point = CITY_CENTRE,
    contact: ContactRules | None = None,
) -> WalkRequested:
    return WalkRequested(
        request_id=request_id or uuid4(),
        place=place,
        place_from_postcode=True,
        reasons=(Reason.BADLY_LIT,),
        availability=Availability(days=(Weekday.MONDAY,), parts=(PartOfDay.EVENING,), earliest=date(2026, 11, 25)),
        contact=contact or ContactRules(channels=(Channel.EMAIL,)),
    )


async def told(database: Database, topic: str, force_id: str = FORCE) -> list[tuple[str, bytes]]:
    """What was appended to a topic: names without prefix and version, and data, in order."""
    query = Query("told", "", "SELECT type, data FROM outbox_log WHERE topic = $1 ORDER BY position")
    async with database.transaction([force_id]) as tx:
        return [(row["type"].split(".")[-2], row["data"]) for row in await tx.fetch(query, topic)]


async def rows(database: Database, sql: str, *arguments: Any, forces: Sequence[str] = (FORCE,)) -> list[dict[str, Any]]:
    async with database.transaction(forces) as tx:
        return [dict(row) for row in await tx.fetch(Query("rows", "", sql), *arguments)]


async def handle(database: Database, handler: Any, *events: Received[Any]) -> Any:
    async with database.transaction({one.force_id for one in events}) as tx:
        return await handler(tx, events, NOW)


async def an_officer(database: Database, officer_id: str = "officer-avon-1", force_id: str = FORCE) -> Person:
    async with database.transaction([force_id]) as tx:
        return await people.person(tx, force_id, officer_id, is_coordinator=False, team_id=None)


async def a_walk_held(database: Database, request: WalkRequested) -> tuple[UUID, list[UUID]]:
    """Route, take, arrange and record a walk with one concern; its id and its concerns'."""
    await handle(database, route_requests, received(request))
    by = await an_officer(database)
    async with database.transaction([FORCE]) as tx:
        walk_id = (await request_rows.walks_of_requests(tx, [(FORCE, request.request_id)]))[request.request_id]
        await taking.take(tx, [Take(walk_id, by)], NOW, policies=POLICIES)
        arranged = Arrange(walk_id, by, NOW + timedelta(minutes=5), "The library")
        await arranging.arrange(tx, [arranged], NOW, policies=POLICIES)
        concern = RecordedConcern(Reason.BADLY_LIT, CITY_CENTRE, "Underpass", PartOfDay.EVENING, Severity.HIGH, "Dark")
        held = Complete(walk_id, by, NOW - timedelta(hours=1), NOW, True, [concern])
        await recording.complete(tx, [held], NOW, policies=POLICIES)
        return walk_id, [each.id for each in await concern_rows.concerns_of_walk(tx, (FORCE, walk_id))]


async def test_areas_are_told_once_a_version(bus: Database) -> None:
    """Starting again tells nothing; a new version of one area tells that area alone."""
    first = await told(bus, "areas.v1")
    areas = REGISTERS.areas[FORCE]
    assert len(first) == len(areas)
    async with bus.transaction([FORCE]) as tx:
        await publish_areas(tx, areas, NOW)
    assert await told(bus, "areas.v1") == first
    async with bus.transaction([FORCE]) as tx:
        await publish_areas(tx, [replace(areas[0], boundary_version="next"), *areas[1:]], NOW)
    assert len(await told(bus, "areas.v1")) == len(first) + 1


async def test_an_area_that_is_no_longer_listed_cannot_be_chosen(bus: Database) -> None:
    """Its name stays for the walks that were routed to it."""
    async with bus.transaction([FORCE]) as tx:
        await publish_areas(tx, REGISTERS.areas[FORCE][1:], NOW)
        left = {area.id for area in await area_rows.areas_in_force(tx, FORCE)}
    assert REGISTERS.areas[FORCE][0].id not in left
    assert await rows(bus, "SELECT name FROM area WHERE id = $1", REGISTERS.areas[FORCE][0].id)


async def test_five_hundred_requests_of_two_forces_become_walks_in_one_go(bus: Database) -> None:
    """Each has its team or waits for a coordinator, each routed one is told once, in a handful of statements."""
    avon = [received(a_request(place=CITY_CENTRE if n % 10 else AT_SEA)) for n in range(300)]
    met = [received(a_request(place=SE1), force_id=LONDON) for _ in range(200)]
    await handle(bus, route_requests, *avon, *met)
    by_state = await rows(
        bus,
        "SELECT force_id, state, team_id, count(*) AS many FROM walk GROUP BY 1, 2, 3 ORDER BY 1, 2",
        forces=(FORCE, LONDON),
    )
    assert [(row["force_id"], row["state"], row["team_id"], row["many"]) for row in by_state] == [
        (FORCE, "routed", "bs1", 270),
        (FORCE, "triage", None, 30),
        (LONDON, "routed", "se1", 200),
    ]
    assert len(await told(bus, "walks.v1")) == 270
    assert len(await told(bus, "walks.v1", LONDON)) == 200


async def test_a_request_that_has_a_walk_gets_no_second_one(bus: Database) -> None:
    """A replay from before the inbox's horizon does nothing."""
    request = a_request()
    await handle(bus, route_requests, received(request))
    await handle(bus, route_requests, received(request), received(a_request()))
    assert len(await rows(bus, "SELECT id FROM walk")) == 2
    assert len(await told(bus, "walks.v1")) == 2


async def test_a_force_does_not_see_the_walks_of_another(bus: Database) -> None:
    """Row-level security holds for what handlers write."""
    await handle(bus, route_requests, received(a_request()))
    assert await rows(bus, "SELECT id FROM walk", forces=(LONDON,)) == []


async def test_withdrawing_cancels_the_walk_and_tells_so(bus: Database) -> None:
    """The only request is gone, so nobody need walk."""
    request = a_request()
    await handle(bus, route_requests, received(request))
    await handle(bus, requests.withdraw_requests, received(WalkRequestWithdrawn(request_id=request.request_id)))
    assert [name for name, _ in await told(bus, "walks.v1")] == ["walk-routed", "walk-cancelled"]
    (walk,) = await rows(bus, "SELECT state, cancel_reason FROM walk")
    assert walk == {"state": "cancelled", "cancel_reason": "withdrawn"}


async def test_events_of_a_request_not_known_here_wait_for_it(bus: Database) -> None:
    """They name the request as what they wait for; those of known requests take effect."""
    known, unknown = a_request(), uuid4()
    await handle(bus, route_requests, received(known))
    contact = ContactRules(channels=(), stopped=True)
    for handler, event_of in (
        (requests.withdraw_requests, lambda id_: WalkRequestWithdrawn(request_id=id_)),
        (requests.change_contact_rules, lambda id_: ContactRulesChanged(request_id=id_, contact=contact)),
        (open_follow_ups, lambda id_: ContactWanted(request_id=id_, contact_id=uuid4(), urgency=Urgency.SOON)),
    ):
        early = received(event_of(unknown))
        outcome = await handle(bus, handler, received(event_of(known.request_id)), early)
        assert outcome.awaiting == {early.id: unknown}
    assert len(await rows(bus, "SELECT id FROM follow_up")) == 1


async def test_what_partners_say_waits_for_the_concern_and_is_shown_then(bus: Database) -> None:
    """ConcernResolved before the walk was recorded is kept; afterwards the team reads the last word."""
    early = received(
        ConcernResolved(
            concern_id=uuid4(), referral_id=uuid4(), partner_id="p", partner_name="P", resolution=Resolution.DONE
        )
    )
    outcome = await handle(bus, referrals.note_referrals, early)
    assert outcome.awaiting == {early.id: early.event.concern_id}
    _, (concern_id,) = await a_walk_held(bus, a_request())
    names: dict[str, Any] = {
        "concern_id": concern_id,
        "referral_id": uuid4(),
        "partner_id": "bristol-city-council",
        "partner_name": "Bristol City Council",
    }
    for event in (
        ReferralMade(**names, respond_by=date(2026, 12, 8)),
        ReferralUpdated(**names, progress="planned", words="A lamp is ordered", planned_for=date(2027, 1, 11)),
        ConcernResolved(**names, resolution=Resolution.DONE, words="Two lamps were fixed"),
    ):
        assert (await handle(bus, referrals.note_referrals, received(event))).awaiting == {}
    (referral,) = await rows(bus, "SELECT state, words, respond_by, planned_for FROM referral")
    assert referral == {
        "state": "done",
        "words": "Two lamps were fixed",
        "respond_by": date(2026, 12, 8),
        "planned_for": date(2027, 1, 11),
    }


async def test_a_walk_held_tells_its_concerns_without_the_walk(bus: Database) -> None:
    """ConcernRaised holds neither walk nor request; WalkCompleted names the concerns; both in one commit."""
    request = a_request()
    walk_id, (concern_id,) = await a_walk_held(bus, request)
    ((name, data),) = await told(bus, "concerns.v1")
    assert name == "concern-raised"
    for secret in (walk_id, request.request_id):
        assert str(secret).encode() not in data
    headers = await rows(bus, "SELECT correlation_id, causation_id FROM outbox_log WHERE topic = 'concerns.v1'")
    assert headers == [{"correlation_id": None, "causation_id": None}]
    completed = (await told(bus, "walks.v1"))[-1]
    assert completed[0] == "walk-completed" and str(concern_id).encode() in completed[1]


async def test_a_wanted_contact_opens_one_follow_up_for_the_officer_who_walked(bus: Database) -> None:
    """Told twice it is opened once, with a day to be done by and a timer for it."""
    request = a_request()
    await a_walk_held(bus, request)
    wanted = ContactWanted(request_id=request.request_id, contact_id=uuid4(), urgency=Urgency.SAME_DAY)
    await handle(bus, open_follow_ups, received(wanted))
    await handle(bus, open_follow_ups, received(wanted))
    (found,) = await rows(bus, "SELECT id, officer_id, due_at FROM follow_up")
    assert found["officer_id"] == "officer-avon-1"
    assert found["due_at"] == datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
    (timer,) = await rows(bus, "SELECT kind, subject, due_at FROM timer WHERE kind = 'follow-up-due'")
    assert timer == {"kind": "follow-up-due", "subject": found["id"], "due_at": found["due_at"]}


async def test_a_follow_up_that_passes_its_day_is_marked_overdue_unless_completed(bus: Database) -> None:
    """The timer marks it once; completing it in time takes the timer away and tells the outcome."""
    done, late = a_request(), a_request()
    for request in (done, late):
        await handle(bus, route_requests, received(request))
        wanted = ContactWanted(request_id=request.request_id, contact_id=uuid4(), urgency=Urgency.SAME_DAY)
        await handle(bus, open_follow_ups, received(wanted))
    coordinator = Person(FORCE, "coordinator-avon", True, None, frozenset(), None)
    ids = {row["request_id"]: row["id"] for row in await rows(bus, "SELECT id, request_id FROM follow_up")}
    async with bus.transaction([FORCE]) as tx:
        command = CompleteFollowUp(ids[done.request_id], coordinator, FollowUpOutcome.REACHED.value)
        await following_up.complete_follow_ups(tx, [command], NOW)
    still = await rows(bus, "SELECT subject FROM timer WHERE kind = 'follow-up-due'")
    assert [row["subject"] for row in still] == [ids[late.request_id]]
    fired = [timers.Fired(FORCE, id_, NOW) for id_ in ids.values()]
    async with bus.transaction([FORCE]) as tx:
        await following_up.mark_overdue(tx, fired, NOW + timedelta(days=1))
    overdue = await rows(bus, "SELECT id FROM follow_up WHERE overdue_at IS NOT NULL")
    assert [row["id"] for row in overdue] == [ids[late.request_id]]
    name, data = (await told(bus, "walks.v1"))[-1]
    assert name == "follow-up-completed" and b'"in_time":true' in data


async def test_an_answer_nobody_may_be_asked_about_becomes_a_review(bus: Database) -> None:
    """Flags with a sealed contact are intake's; the others are looked at by the team, once."""
    sealed = FeedbackFlagged(
        flag_id=uuid4(),
        survey=SurveyName.AFTER_WALK,
        reasons=("still-worried",),
        urgency=Urgency.SOON,
        contact="sealed",
    )
    unsealed = sealed.model_copy(update={"flag_id": uuid4(), "contact": None})
    await handle(bus, open_reviews, received(sealed), received(unsealed))
    coordinator = Person(FORCE, "coordinator-avon", True, None, frozenset(), None)
    async with bus.transaction([FORCE]) as tx:
        done = CompleteFollowUp(unsealed.flag_id, coordinator, "reviewed")
        await following_up.complete_follow_ups(tx, [done], NOW)
    await handle(bus, open_reviews, received(unsealed))
    (found,) = await rows(bus, "SELECT kind, request_id, walk_id, officer_id, reasons, outcome FROM follow_up")
    assert found == {
        "kind": "review", "request_id": None, "walk_id": None, "officer_id": None, "reasons": ["still-worried"],
        "outcome": "reviewed",
    }  # fmt: skip


async def test_an_officer_she_excludes_later_loses_the_walk_and_its_follow_ups(bus: Database) -> None:
    """An abuser may be police: the walk goes back to a coordinator, and the officer is shown nothing of it."""
    taken, held = a_request(), a_request()
    await a_walk_held(bus, held)
    wanted = ContactWanted(request_id=held.request_id, contact_id=uuid4(), urgency=Urgency.SOON)
    await handle(bus, open_follow_ups, received(wanted))
    await handle(bus, route_requests, received(taken))
    by = await an_officer(bus)
    async with bus.transaction([FORCE]) as tx:
        walk_id = (await request_rows.walks_of_requests(tx, [(FORCE, taken.request_id)]))[taken.request_id]
        await taking.take(tx, [Take(walk_id, by)], NOW, policies=POLICIES)
    contact = ContactRules(channels=(Channel.EMAIL,), excluded_officers=("officer-avon-1",))
    changed = [
        received(ContactRulesChanged(request_id=request.request_id, contact=contact)) for request in (taken, held)
    ]
    await handle(bus, requests.change_contact_rules, *changed)
    (walk,) = await rows(bus, "SELECT state, officer_id, triage_reason FROM walk WHERE id = $1", walk_id)
    assert walk == {"state": "triage", "officer_id": None, "triage_reason": "contact-rules"}
    (follow_up,) = await rows(bus, "SELECT officer_id FROM follow_up")
    assert follow_up["officer_id"] is None
    async with bus.transaction([FORCE]) as tx:
        assert await looking.work_in_hand(tx, by) == []
        for state in State:
            assert await looking.list_walks(tx, by, state, None, 1) == ([], False)


async def test_a_look_at_a_walk_and_each_change_are_logged(bus: Database) -> None:
    """Who, what and which walk stand in the audit log (Data Protection Act 2018 s.62)."""
    walk_id, _ = await a_walk_held(bus, a_request())
    async with bus.transaction([FORCE]) as tx:
        await looking.look_at_walk(
            tx, walk_id, await people.person(tx, FORCE, "officer-avon-1", is_coordinator=False, team_id=None), NOW
        )
    found = await rows(bus, "SELECT actor, action, reason FROM audit WHERE subject = $1 ORDER BY id", f"walk {walk_id}")
    assert [(row["actor"], row["action"]) for row in found] == [
        ("officer-avon-1", "altered"),
        ("officer-avon-1", "altered"),
        ("officer-avon-1", "altered"),
        ("officer-avon-1", "consulted"),
    ]


async def test_every_named_query_is_understood_by_the_migrated_schema(service: ServiceDatabase) -> None:
    """Each statement of queries.sql can be prepared."""
    async with service.web.pool.acquire() as connection:
        for query in QUERIES.values():
            await connection.prepare(query.sql)


async def test_the_queue_of_a_team_is_read_from_its_index(service: ServiceDatabase) -> None:
    """Among the walks of years a team's open ones are found by index, not by reading every walk."""
    places = [CITY_CENTRE, TAUNTON] * 1500 + [BATH] * 60
    await handle(service.bus, route_requests, *(received(a_request(place=place)) for place in places))
    admin = await asyncpg.connect(service.admin_url)
    try:
        await admin.execute("UPDATE walk SET state = 'cancelled', cancel_reason = 'old' WHERE team_id <> 'ba1'")
        await admin.execute("ANALYZE walk, request")
    finally:
        await admin.close()
    async with service.web.transaction([FORCE]) as tx:
        plan = await tx.connection.fetch(
            "EXPLAIN " + QUERIES.queue_of_teams.sql, FORCE, "routed", ["ba1"], "officer-avon-1", "bs1", 51, 0
        )
    text = "\n".join(row[0] for row in plan)
    assert "walk_of_team" in text and "Seq Scan on walk" not in text, text
