"""What feedback hears from the bus, and what it then publishes, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest

from services.feedback import handlers, subscribers, timers
from services.feedback.metrics import FeedbackMetrics
from shared.bus.inbox import Inbox, Record
from shared.bus.metrics import BusMetrics
from shared.contracts.areas import AreaPublished
from shared.contracts.baseline import BaselineAnswered
from shared.contracts.concerns import ConcernRaised, ConcernWithdrawn
from shared.contracts.envelope import Envelope, Event
from shared.contracts.kinds import OfficerKind, PartOfDay, Point, Reason, SurveyName
from shared.contracts.referrals import (
    ConcernResolved,
    Progress,
    ReferralAccepted,
    ReferralDeclined,
    ReferralMade,
    ReferralUpdated,
    Resolution,
)
from shared.contracts.walks import (
    FollowUpCompleted,
    FollowUpOutcome,
    PatrolKind,
    PatrolLogged,
    PatrolWithdrawn,
    WalkCompleted,
)
from shared.database import Database, Query
from shared.policies import Policies
from shared.survey_link import Ticket
from shared.timers import TimerLoop
from shared.web.access import TABLES, Role
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker
from tests.servers.feedback_service import FORCE, FORCES, KEY, feedback_app
from tests.servers.visitors import a_user, visitor, walk_access

OTHER = "metropolitan"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PARTNER = {"partner_id": "bristol-city-council", "partner_name": "Bristol City Council"}


@pytest.fixture
async def service(database: ServiceDatabaseMaker) -> ServiceDatabase:
    return await database("feedback")


@pytest.fixture
def feedback(service: ServiceDatabase) -> Database:
    return service.bus


@pytest.fixture
def policies() -> Policies:
    return Policies.read(FORCES)


@pytest.fixture
def inbox(feedback: Database, policies: Policies) -> Inbox:
    metrics = BusMetrics(CollectorRegistry())
    return Inbox(feedback, subscribers.subscriptions(policies), lambda: NOW, metrics, policies.forces)


@pytest.fixture
async def app(service: ServiceDatabase) -> AsyncIterator[FastAPI]:
    made = feedback_app(service)
    async with made.router.lifespan_context(made):
        yield made


_offset = iter(range(1_000_000))


def a_record(event: Event, force: str = FORCE) -> Record:
    """A record as the relay of the event's writer makes it."""
    envelope = Envelope(uuid4(), "/test", event.type(), NOW, str(event.key), "", force, 1)
    return Record(
        event.bus_topic,
        0,
        next(_offset),
        str(event.key).encode(),
        event.model_dump_json(exclude_none=True).encode(),
        tuple(envelope.headers()),
    )


async def bring(inbox: Inbox, *events: Event, force: str = FORCE) -> None:
    await inbox.take([a_record(event, force) for event in events])


async def rows(database: Database, sql: str, forces: Sequence[str] = (FORCE,)) -> list[dict[str, Any]]:
    async with database.transaction(forces) as tx:
        return [dict(row) for row in await tx.fetch(Query("rows", "What a test looks at.", sql))]


def a_walk(walk_id: UUID | None = None, women: int = 1) -> WalkCompleted:
    return WalkCompleted(
        walk_id=walk_id or uuid4(),
        request_ids=tuple(uuid4() for _ in range(women)),
        area_id="bs1",
        team_id="bs1",
        officer_id="officer-avon-1",
        officer_kind=OfficerKind.PCSO,
        started_at=NOW - timedelta(hours=2),
        ended_at=NOW - timedelta(hours=1),
    )


def a_concern(concern_id: UUID | None = None, category: Reason = Reason.BADLY_LIT) -> ConcernRaised:
    return ConcernRaised(
        concern_id=concern_id or uuid4(),
        area_id="bs1",
        team_id="bs1",
        category=category,
        place=Point(latitude=51.45, longitude=-2.6),
        raised_on=date(2026, 11, 20),
    )


def a_resolution(concern_id: UUID, resolution: Resolution = Resolution.DONE) -> ConcernResolved:
    return ConcernResolved(concern_id=concern_id, referral_id=uuid4(), resolution=resolution, **PARTNER)


def a_baseline(pair_id: UUID, **answers: str) -> BaselineAnswered:
    given = {code.replace("_", "-"): answer for code, answer in answers.items()}
    return BaselineAnswered(pair_id=pair_id, month="2026-10", answers=given)


async def answered(feedback: Database, pair_id: UUID, **answers: str) -> None:
    ticket = Ticket(FORCE, SurveyName.AFTER_WALK, pair_id, "sealed", NOW + timedelta(days=1))
    given = {code.replace("_", "-"): answer for code, answer in answers.items()}
    async with feedback.transaction([FORCE]) as tx:
        await handlers.finish(tx, [handlers.Finish(ticket, given)], NOW, link_key=KEY)


async def test_a_completed_walk_invites_its_women_once(inbox: Inbox, feedback: Database, policies: Policies) -> None:
    """A second completion of the same walk, under another event id, invites nobody again."""
    walk = a_walk(women=3)
    await bring(inbox, walk)
    await bring(inbox, walk)
    (invitation,) = await rows(feedback, "SELECT * FROM invitation")
    assert (invitation["walk_id"], invitation["women"]) == (walk.walk_id, 3)
    wait = timedelta(hours=policies[FORCE].surveys.invite_after_hours)
    assert invitation["send_from"] == walk.ended_at + wait
    (told,) = await rows(feedback, "SELECT key, convert_from(data, 'UTF8')::jsonb AS data FROM outbox_log")
    assert told["key"] == walk.walk_id
    assert set(told["data"]) == {"invitation_id", "walk_id", "survey", "send_from"}


async def test_many_walks_of_several_forces_are_one_group(inbox: Inbox, feedback: Database) -> None:
    """A batch of two forces takes effect together, each row in its own force."""
    await inbox.take([a_record(a_walk(), force) for force in (FORCE, OTHER) for _ in range(20)])
    assert len(await rows(feedback, "SELECT * FROM invitation")) == 20
    assert len(await rows(feedback, "SELECT * FROM invitation", [OTHER])) == 20


async def test_a_resolution_heard_of_before_its_concern_waits_and_takes_effect(
    inbox: Inbox, feedback: Database
) -> None:
    """There is no order across topics: whatever comes of a concern is kept until the concern is known."""
    concern = a_concern()
    referral = {"concern_id": concern.concern_id, "referral_id": uuid4(), **PARTNER}
    await bring(
        inbox,
        ReferralMade(respond_by=date(2026, 12, 1), **referral),
        ReferralAccepted(**referral),
        ConcernResolved(resolution=Resolution.DONE, **referral),
    )
    assert await rows(feedback, "SELECT * FROM referral") == []
    await bring(inbox, concern)
    (kept,) = await rows(feedback, "SELECT * FROM concern")
    assert (kept["resolution"], kept["resolved_on"]) == ("done", date(2026, 11, 23))
    assert [row["state"] for row in await rows(feedback, "SELECT state FROM referral")] == ["done"]
    assert await rows(feedback, "SELECT * FROM held") == []


async def test_a_referral_is_followed_through_its_states(inbox: Inbox, feedback: Database) -> None:
    """Each event of a referral leaves it in the partner's own terms."""
    concern = a_concern()
    referral = {"concern_id": concern.concern_id, "referral_id": uuid4(), **PARTNER}
    await bring(inbox, concern)
    for event, state in (
        (ReferralMade(respond_by=date(2026, 12, 1), **referral), "referred"),
        (ReferralAccepted(**referral), "accepted"),
        (ReferralUpdated(progress=Progress.PARTLY_DONE, **referral), "partly-done"),
        (ReferralDeclined(reason="Not ours", **referral), "declined"),
        (ConcernResolved(resolution=Resolution.NOTHING_MORE, **referral), "nothing-more"),
    ):
        await bring(inbox, event)
        assert [row["state"] for row in await rows(feedback, "SELECT state FROM referral")] == [state]


async def test_a_withdrawn_concern_is_counted_no_longer(inbox: Inbox, feedback: Database) -> None:
    """What a team has taken back stands in no count."""
    concerns = [a_concern() for _ in range(20)]
    await bring(inbox, *concerns)
    await bring(inbox, *(ConcernWithdrawn(concern_id=one.concern_id) for one in concerns[:10]))
    async with feedback.transaction([FORCE]) as tx:
        found = await handlers.evaluation(tx, FORCE)
    assert found.concerns.total.text == "10"


async def test_areas_keep_their_latest_name(inbox: Inbox, feedback: Database) -> None:
    """A new version of an area renames it."""
    for name in ("Old Market", "Old Market and Temple"):
        await bring(
            inbox,
            AreaPublished(
                area_id="bs1", area_name=name, team_id="bs1", team_name="Central", boundary_version="2026-11"
            ),
        )
    assert [row["name"] for row in await rows(feedback, "SELECT name FROM area")] == ["Old Market and Temple"]


async def test_answers_before_and_after_are_paired(inbox: Inbox, feedback: Database) -> None:
    """Pairs show better, same and worse; who answered once only is counted apart."""
    for number in range(20):
        pair = uuid4()
        await bring(inbox, a_baseline(pair, safe_after_dark="very-unsafe"))
        await answered(feedback, pair, safe_after_dark="fairly-safe" if number < 10 else "very-unsafe")
    for _ in range(10):
        await bring(inbox, a_baseline(uuid4(), safe_after_dark="very-safe"))
        await answered(feedback, uuid4(), safe_after_dark="very-safe")
    async with feedback.transaction([FORCE]) as tx:
        found = await handlers.evaluation(tx, FORCE)
    assert {line.code: line.figure.text for line in found.pairing.lines} == {
        "paired": "20",
        "before-only": "10",
        "after-only": "10",
    }
    dark = found.questions[0]
    assert {line.code: (line.figure.text, line.percent) for line in dark.change.lines} == {
        "better": ("10", 50),
        "same": ("10", 50),
        "worse": ("0", 0),
    }


async def test_an_analyst_reads_the_evaluation_of_her_own_force_only(
    app: FastAPI, inbox: Inbox, feedback: Database
) -> None:
    """The call answers with protected figures, and another force's walks are not among them."""
    await bring(inbox, *(a_walk() for _ in range(12)))
    await bring(inbox, *(a_walk() for _ in range(40)), force=OTHER)
    await bring(
        inbox,
        *(
            FollowUpCompleted(
                follow_up_id=uuid4(),
                request_id=uuid4(),
                contact_id=uuid4(),
                outcome=FollowUpOutcome.REACHED,
                in_time=True,
            )
            for _ in range(3)
        ),
    )
    async with visitor(app, a_user(Role.ANALYST, force_id=FORCE)) as analyst:
        found = (await analyst.get("/api/v1/evaluation")).json()
        page = await analyst.get("/")
    assert found["walks_completed"] == {"value": 10, "text": "10"}
    assert found["follow_ups"]["total"] == {"value": None, "text": "fewer than 8"}
    assert page.status_code == 200
    assert "fewer than 8" in page.text


async def test_a_follow_up_opened_again_counts_once_and_late_if_it_ever_was(inbox: Inbox, feedback: Database) -> None:
    """In one batch or in two: its last outcome, and in time only if it was each time."""
    again, once = uuid4(), uuid4()

    def made(id_: UUID, outcome: FollowUpOutcome, *, in_time: bool) -> FollowUpCompleted:
        return FollowUpCompleted(
            follow_up_id=id_, request_id=uuid4(), contact_id=uuid4(), outcome=outcome, in_time=in_time
        )

    reached, missed = FollowUpOutcome.REACHED, FollowUpOutcome.NOT_REACHED
    await bring(inbox, made(again, missed, in_time=False), made(again, reached, in_time=True))
    await bring(inbox, made(once, missed, in_time=True))
    await bring(inbox, made(once, reached, in_time=True))
    found = await rows(feedback, "SELECT id, outcome, in_time FROM follow_up", [FORCE])
    assert {row["id"]: (row["outcome"], row["in_time"]) for row in found} == {
        again: ("reached", False),
        once: ("reached", True),
    }


async def test_patrols_are_kept_by_area_and_day_until_they_are_withdrawn(inbox: Inbox, feedback: Database) -> None:
    """Told before the concern they were for, and told again, each stands once; one logged wrongly stands no more."""
    concern = uuid4()
    kept, wrong = (
        PatrolLogged(
            patrol_id=uuid4(),
            area_id="bs1",
            kind=PatrolKind.FOOT,
            on=date(2026, 11, 20),
            part=PartOfDay.EVENING,
            minutes=75,
            concern_ids=concerns,
        )
        for concerns in ((concern, uuid4()), ())
    )
    await bring(inbox, kept, wrong)
    await bring(inbox, kept, PatrolWithdrawn(patrol_id=wrong.patrol_id))
    [found] = await rows(feedback, "SELECT * FROM patrol", [FORCE])
    assert (found["id"], found["area_id"], found["patrolled_on"]) == (kept.patrol_id, "bs1", date(2026, 11, 20))
    assert (found["part"], found["kind"], found["minutes"]) == ("evening", "foot", 75)
    assert tuple(found["concern_ids"]) == kept.concern_ids


async def test_the_empty_evaluation_is_a_page_too(app: FastAPI) -> None:
    """Before the first walk the page says so in words."""
    async with visitor(app, a_user(Role.COORDINATOR, force_id=FORCE)) as coordinator:
        page = await coordinator.get("/")
    assert page.status_code == 200
    assert "No concerns have been raised yet" in page.text


@pytest.mark.parametrize("role", [Role.OFFICER, Role.AUDITOR])
async def test_the_evaluation_is_not_for_every_role(app: FastAPI, role: Role) -> None:
    """Officers and auditors have no part in it."""
    async with visitor(app, a_user(role, force_id=FORCE)) as somebody:
        assert (await somebody.get("/api/v1/evaluation")).status_code == 403
        assert (await somebody.get("/")).status_code == 403


async def test_every_route_is_for_whom_the_access_table_says(app: FastAPI) -> None:
    """Each role, and nobody, sent through each route of feedback."""
    assert await walk_access(app, TABLES["feedback"]) == []


async def test_one_more_answer_moves_no_metric(inbox: Inbox, feedback: Database, policies: Policies) -> None:
    """Metrics are last night's protected figures: an answer given today makes no step anywhere."""
    registry = CollectorRegistry()
    metrics = FeedbackMetrics(registry)
    for _ in range(12):
        await answered(feedback, uuid4(), safe_after_dark="very-safe")
    async with feedback.transaction(policies.forces) as tx:
        await handlers.start(tx, policies.forces, NOW, metrics=metrics)
    before = generate_latest(registry)
    assert b'walkandtalk_evaluation{force="avon-and-somerset",line="after-only",table="pairing"} 10.0' in before
    await answered(feedback, uuid4(), safe_after_dark="very-safe")
    assert generate_latest(registry) == before


async def test_the_night_comes_back_every_night(feedback: Database, policies: Policies) -> None:
    """The night's work sets its own timer for three in the morning, London time."""
    metrics = FeedbackMetrics(CollectorRegistry())
    async with feedback.transaction(policies.forces) as tx:
        await handlers.start(tx, policies.forces, NOW, metrics=metrics)
    now = datetime(2026, 11, 24, 3, tzinfo=UTC)
    assert {row["due_at"] for row in await rows(feedback, "SELECT due_at FROM timer", policies.forces)} == {now}
    loop = TimerLoop(feedback, timers.timers(metrics), lambda: now, policies.forces)
    assert await loop.fire_due() == len(policies.forces)
    after = {row["due_at"] for row in await rows(feedback, "SELECT due_at FROM timer", policies.forces)}
    assert after == {now + timedelta(days=1)}
