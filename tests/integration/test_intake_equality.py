"""Equality answers from the request to where they are counted: nothing leads from one to her, or to another of hers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.feedback.handlers import keep_equality
from services.intake.domain.answers import BASELINE_BATCH, BASELINE_WAITS
from shared.contracts.baseline import EqualityAnswered
from shared.contracts.envelope import Received
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, intake_service

GIVEN: Final = {"sex": "female", "age": "25-34", "religion": "prefer-not"}


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


async def test_answers_wait_for_those_of_other_women(intake: Intake) -> None:
    """Seven women's stay, sealed and of one length; with the eighth all leave, one answer an event, by the day."""
    for number in range(BASELINE_BATCH - 1):
        await intake.ask(equality=GIVEN if number else {"sex": "prefer-not"})
    assert await intake.published("equality-answered") == []
    waiting = await intake.rows("SELECT sealed FROM waiting_equality")
    assert len({len(row["sealed"]) for row in waiting}) == 1
    await intake.ask(equality=GIVEN)
    told = await intake.published("equality-answered")
    assert len(told) == 1 + len(GIVEN) * (BASELINE_BATCH - 1)
    assert len({one["answer_id"] for one in told}) == len(told)
    assert all(one.keys() == {"answer_id", "month", "question", "answer"} for one in told)
    assert await intake.one("SELECT count(*) FROM waiting_equality") == 0
    assert await intake.one("SELECT count(*) FROM timer WHERE kind = 'equality-leaves'") == 0
    marks = await intake.rows(
        "SELECT correlation_id, causation_id, traceparent, time FROM outbox_log WHERE type LIKE '%equality-answered%'"
    )
    assert all(row["correlation_id"] is row["causation_id"] is row["traceparent"] is None for row in marks)
    assert all(row["time"].hour == row["time"].minute == row["time"].second == 0 for row in marks)


async def test_after_thirty_days_they_leave_even_where_few_came(intake: Intake) -> None:
    """One woman's three answers, each on its own."""
    await intake.ask(equality=GIVEN)
    intake.now += BASELINE_WAITS + timedelta(days=1)
    await intake.timers.fire_due()
    assert len(await intake.published("equality-answered")) == len(GIVEN)


async def test_an_answer_nobody_offered_is_refused_by_name(intake: Intake) -> None:
    """As with every other field."""
    async with intake.client() as client:
        answer = await client.post(
            "/api/v1/walk-requests",
            headers={"Idempotency-Key": uuid4().hex},
            json={
                "force_id": FORCE,
                "name": "Ada",
                "over_18": True,
                "consent": True,
                "contact": {"channels": ["email"], "email": "ada@example.com"},
                "place": {"postcode": "BS1 4DJ"},
                "availability": {"days": ["monday"], "parts": ["evening"]},
                "equality": {"sex": "purple", "colour": "red"},
            },
        )
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"equality.sex", "equality.colour"}


async def test_no_value_leads_from_an_equality_answer_to_anything_else(
    intake: Intake, database: ServiceDatabaseMaker
) -> None:
    """Where they are counted a row holds a question, an answer and a month; its id stands nowhere else at all."""
    for _ in range(BASELINE_BATCH):
        await intake.ask(equality=GIVEN, baseline={"safe-by-day": "very-safe"})
    events = [EqualityAnswered.model_validate(one) for one in await intake.published("equality-answered")]
    feedback = await database("feedback")
    received = [Received(one, UUID(int=n), FORCE, intake.now, 1, None) for n, one in enumerate(events)]
    async with feedback.bus.transaction([FORCE]) as tx:
        await keep_equality(tx, received, intake.now)
        await keep_equality(tx, received, intake.now)
    admin = await asyncpg.connect(feedback.admin_url)
    try:
        rows = await admin.fetch("SELECT * FROM equality_answer")
    finally:
        await admin.close()
    assert len(rows) == len(events)
    assert set(rows[0].keys()) == {"force_id", "id", "month", "question", "answer"}
    ids = {str(row["id"]) for row in rows}
    assert len(ids) == len(rows)
    tables = await intake.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^outbox'")
    lines = []
    for table in tables:
        whole = f'SELECT t::text AS line FROM "{table["tablename"]}" AS t'  # noqa: S608  # names of our own tables
        lines += [str(row["line"]) for row in await intake.rows(whole)]
    others = [json.dumps(one) for one in await intake.published("baseline-answered")]
    others += [json.dumps(one) for one in await intake.published("walk-requested")]
    assert len(lines) > BASELINE_BATCH and len(others) == 2 * BASELINE_BATCH
    assert not [line for line in (*lines, *others) for one in ids if one in line]
