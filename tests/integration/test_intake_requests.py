"""Requests on a real database: each once, nothing of her in plain, nothing stored when refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.intake.domain.answers import BASELINE_BATCH
from services.intake.handlers.keeping import open_request
from services.intake.store import QUERIES
from services.intake.store import requests as request_rows
from shared.contracts.walk_requests import WalkRequested
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, a_body, intake_service

ANSWERS = {"safe-after-dark": "very-unsafe", "trust-listen": "neither"}


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


async def everything(intake: Intake) -> dict[str, str]:
    """Every table's whole content as text, byte columns as text too."""
    tables = await intake.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    found = {}
    for table in tables:
        rows = await intake.rows(f'SELECT * FROM "{table["relname"]}"')  # noqa: S608 (names from the catalogue)
        values = [value for row in rows for value in row.values()]
        found[table["relname"]] = "\n".join(
            value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values
        )
    return found


async def test_fifty_sendings_of_one_request_at_once_make_one_request(intake: Intake) -> None:
    """One is told 201, the others 200, all the same reference; one event, one message, one audit row."""
    async with intake.client() as client:
        answers = await asyncio.gather(
            *(
                client.post("/api/v1/walk-requests", json=a_body(), headers={"Idempotency-Key": "the-same-key"})
                for _ in range(50)
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.text for answer in answers}) == 1
    for table in ("walk_request", "participant", "message", "audit"):
        assert await intake.one(f"SELECT count(*) FROM {table}") == 1  # noqa: S608 (names above)
    assert len(await intake.published("walk-requested")) == 1


async def test_a_key_used_again_for_another_request_is_refused(intake: Intake) -> None:
    """The first request stands as it was."""
    first = await intake.ask("the-same-key")
    async with intake.client() as client:
        answer = await client.post(
            "/api/v1/walk-requests", json=a_body(name="Eve"), headers={"Idempotency-Key": "the-same-key"}
        )
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("key-used-for-another")
    assert str(await intake.one("SELECT id FROM walk_request")) == first["request_id"]


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"over_18": False}, "over_18"),
    ({"consent": False}, "consent"),
    ({"force_id": "nowhere"}, "force_id"),
    ({"name": "  "}, "name"),
    ({"contact": {"email": "nobody"}}, "contact.email"),
    ({"contact": {"channels": ["phone"]}}, "contact.phone"),
    ({"contact": {"channels": []}}, "contact.channels"),
    ({"contact": {"nickname": "x"}}, "contact.nickname"),
    ({"place": {"postcode": "ZZ1 1ZZ"}}, "place.postcode"),
    ({"place": {"latitude": 48.85, "longitude": 2.35}}, "place.latitude"),
    ({"place": {"latitude": 51.45}}, "place.longitude"),
    ({"place": {}}, "place"),
    ({"availability": {"days": [], "parts": ["evening"]}}, "availability.days"),
    ({"baseline": {"safe-after-dark": "petrified"}}, "baseline.safe-after-dark"),
)


async def test_a_bad_request_names_its_field_and_stores_nothing(intake: Intake) -> None:
    """422 problem+json; no row in any table of the service, whatever was wrong."""
    async with intake.client() as client:
        for changed, field in WRONG:
            answer = await client.post(
                "/api/v1/walk-requests", json=a_body(**changed), headers={"Idempotency-Key": uuid4().hex}
            )
            assert answer.status_code == 422, changed
            assert answer.headers["content-type"] == "application/problem+json"
            assert [error["field"] for error in answer.json()["errors"]] == [field]
    for table in ("accepted_key", "participant", "walk_request", "outbox_log", "audit", "message"):
        assert await intake.one(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 (names above)


async def test_a_request_without_an_idempotency_key_is_refused(intake: Intake) -> None:
    """A sender that could not repeat safely is told so."""
    async with intake.client() as client:
        answer = await client.post("/api/v1/walk-requests", json=a_body())
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]


async def test_what_is_marked_as_hers_stands_nowhere_in_plain(intake: Intake) -> None:
    """Name, e-mail, phone, address and key of a request that went all the way, in no column of any table."""
    marks = ("canary-name", "canary.mail", "07700900777", "07700 900777", "canary lane", "canary-key")
    asked = await intake.ask(
        "canary-key-1",
        name="Canary-Name",
        contact={
            "channels": ["email", "phone", "letter"],
            "email": "canary.mail@example.com",
            "phone": "07700 900777",
            "address": "1 Canary Lane, Bristol",
        },
        baseline=ANSWERS,
    )
    await intake.walk_of(asked["request_id"])
    found = await everything(intake)
    assert asked["request_id"] in found["walk_request"]
    for table, content in found.items():
        for mark in marks:
            assert mark not in content.lower(), f"{mark} in {table}"


async def test_the_event_carries_the_place_and_her_rules_alone(intake: Intake) -> None:
    """A postcode becomes its point; rules travel, details do not."""
    asked = await intake.ask(contact={"channels": ["email"], "excluded_officers": ["officer-avon-2"]})
    [told] = await intake.published("walk-requested")
    event = WalkRequested.model_validate(told)
    assert str(event.request_id) == asked["request_id"]
    assert event.place_from_postcode
    assert 51.4 < event.place.latitude < 51.5 and -2.7 < event.place.longitude < -2.5
    assert event.contact.excluded_officers == ("officer-avon-2",)


async def test_the_same_woman_is_recognised_by_digest(intake: Intake) -> None:
    """Two requests from one address, however written, have one digest in common; another woman's differs."""
    for email in ("ada@example.com", "ADA@Example.com", "eve@example.com"):
        await intake.ask(contact={"email": email})
    counts = await intake.rows("SELECT count(*) AS many FROM participant_digest GROUP BY digest ORDER BY many")
    assert [row["many"] for row in counts] == [1, 2]


async def test_answers_wait_until_eight_leave_together_in_another_order(intake: Intake) -> None:
    """Seven tell nothing; the eighth lets all go, shuffled, with month and pair id and nothing else."""
    for n in range(BASELINE_BATCH - 1):
        await intake.ask(baseline={"safe-by-day": "very-safe", "safe-after-dark": "very-unsafe"} if n else ANSWERS)
    assert await intake.published("baseline-answered") == []
    waiting = await intake.rows("SELECT sealed FROM waiting_baseline")
    assert len({len(row["sealed"]) for row in waiting}) == 1
    await intake.ask(baseline=ANSWERS)
    told = await intake.published("baseline-answered")
    assert len(told) == BASELINE_BATCH
    assert all(set(one) == {"pair_id", "month", "answers", "survey_version"} for one in told)
    assert {one["month"] for one in told} == {"2026-11"}
    assert await intake.one("SELECT count(*) FROM waiting_baseline") == 0
    assert await intake.one("SELECT count(*) FROM timer WHERE kind = 'baseline-leaves'") == 0
    rows = await intake.rows(
        "SELECT correlation_id, causation_id, traceparent, time FROM outbox_log WHERE type LIKE '%baseline-answered%'"
    )
    assert all(row["correlation_id"] is row["causation_id"] is row["traceparent"] is None for row in rows)
    assert all((row["time"].hour, row["time"].minute) == (0, 0) for row in rows)


async def test_the_order_in_which_answers_leave_is_not_the_order_they_came_in(intake: Intake) -> None:
    """Of forty women in five batches, not every batch leaves in the order its requests were made."""
    pairs = []
    for _ in range(5 * BASELINE_BATCH):
        asked = await intake.ask(baseline=ANSWERS)
        async with intake.database.web.transaction([FORCE]) as tx:
            [stored] = (await request_rows.requests(tx, [UUID(asked["request_id"])])).values()
        woman = open_request(intake.deps.keeping.vault, stored)
        pairs.append(woman.data_key.open(stored.pair, f"pair of {asked['request_id']}"))
    left = [UUID(one["pair_id"]).hex for one in await intake.published("baseline-answered")]
    assert sorted(left) == sorted(pairs)
    assert left != pairs


async def test_a_few_answers_leave_after_thirty_days(intake: Intake) -> None:
    """Where too few come to hide among, answers leave late rather than never."""
    await intake.ask(baseline=ANSWERS)
    await intake.timers.fire_due()
    assert await intake.published("baseline-answered") == []
    intake.now += timedelta(days=32)
    await intake.timers.fire_due()
    assert len(await intake.published("baseline-answered")) == 1
    assert await intake.one("SELECT count(*) FROM waiting_baseline") == 0


async def test_answers_at_once_leave_once_each(intake: Intake) -> None:
    """Of thirty women at the same moment no answer leaves twice, none is lost, and what is left is told by time."""
    await asyncio.gather(*(intake.ask(baseline=ANSWERS) for _ in range(30)))
    left = await intake.published("baseline-answered")
    waiting = await intake.one("SELECT count(*) FROM waiting_baseline")
    assert len({one["pair_id"] for one in left}) == len(left)
    assert len(left) + waiting == 30
    intake.now += timedelta(days=32)
    await intake.timers.fire_due()
    assert len({one["pair_id"] for one in await intake.published("baseline-answered")}) == 30


async def test_another_forces_transaction_sees_no_request(intake: Intake) -> None:
    """Row-level security: what is Avon's is not London's."""
    asked = await intake.ask()
    async with intake.database.web.transaction(["metropolitan"]) as tx:
        assert await request_rows.requests(tx, [UUID(asked["request_id"])]) == {}


async def test_every_named_query_fits_the_schema(intake: Intake) -> None:
    """Each statement of queries.sql can be prepared under the role that runs it."""
    connection = await asyncpg.connect(intake.database.web_url)
    try:
        for query in QUERIES.values():
            await connection.prepare(query.sql)
    finally:
        await connection.close()


async def test_requests_accepted_together_keep_their_own_answers_and_threads(intake: Intake) -> None:
    """Forty that come at once share transactions: each its reference and correlation, and one refused is refused alone.

    One of them uses another's key for something else, one repeats another, one asks for a day long gone.
    """
    bodies = [a_body(name=f"Wren Ash {n}") for n in range(40)]
    bodies[20]["availability"]["earliest"] = "2020-01-01"
    keys = [f"a-key-of-its-own-{n}" for n in range(40)]
    bodies[30], keys[30] = bodies[29], keys[29]
    keys[31] = keys[28]
    correlations = [str(uuid4()) for _ in range(40)]
    async with intake.client() as client:
        answers = await asyncio.gather(
            *(
                client.post(
                    "/api/v1/walk-requests",
                    json=body,
                    headers={"Idempotency-Key": key, "X-Correlation-Id": correlation},
                )
                for body, key, correlation in zip(bodies, keys, correlations, strict=True)
            )
        )
    statuses = [answer.status_code for answer in answers]
    assert statuses[20] == 422
    assert sorted((statuses[29], statuses[30])) == [200, 201]
    assert answers[29].json() == answers[30].json()
    assert sorted((statuses[28], statuses[31])) == [201, 422]
    assert [statuses[n] for n in range(40) if n not in (20, 28, 29, 30, 31)] == [201] * 35
    accepted = {answer.json()["request_id"]: n for n, answer in enumerate(answers) if answer.status_code == 201}
    rows = await intake.rows("SELECT key, correlation_id FROM outbox_log")
    assert {str(row["key"]): str(row["correlation_id"]) for row in rows} == {
        request: correlations[n] for request, n in accepted.items()
    }
    assert await intake.one("SELECT count(DISTINCT xmin::text) FROM walk_request") < len(accepted)
