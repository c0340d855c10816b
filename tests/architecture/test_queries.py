"""Every named query fits the migrated schema and the rights of the login that runs it; the hot ones use their index."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shared import audit, sendings, timers
from shared.bus import outbox
from shared.contracts.catalogue import SERVICES
from shared.database import Queries, Query, Transaction
from shared.provisioning import ROOT
from tests.architecture.rows import Connection, insert, loosen, tables
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker

SHARED = (audit.QUERIES, outbox.QUERIES, sendings.QUERIES, timers.QUERIES)

HOT = {
    "intake": {
        "requests": ("walk_request", "id"),
        "requests_of_walks": ("walk_request", "walk_id"),
        "walks_of_concerns": ("walk_concern", "concern_id"),
        "message_to_send": ("message", "id"),
        "draft": ("draft", "digest"),
    },
    "assignment": {
        "walks_of_requests": ("request", "id"),
        "lock_walks": ("walk", "id"),
        "requests_of_walks": ("request", "walk_id"),
        "queue_of_force": ("walk", "state"),
        "queue_of_teams": ("walk", "team_id"),
        "follow_ups_of_force": ("follow_up", "completed_at IS NULL"),
        "follow_ups_of_officer": ("follow_up", "officer_id"),
        "walks_of_officer": ("walk", "officer_id"),
        "walks_with_officer": ("walk", "officer_id"),
        "walks_arranged_at": ("booking", "officer_id"),
        "check_ins_missed": ("walk", "check_in_at"),
        "officer_of_calendar": ("calendar_feed", "token_hash"),
        "concerns_of_walks": ("concern", "walk_id"),
        "known_contacts": ("follow_up", "contact_id"),
        "officers_by_id": ("officer", "id"),
        "absences_of_officers": ("absence", "officer_id"),
        "windows_of_officers": ("availability", "officer_id"),
        "sessions_of_officers": ("training_attendance", "officer_id"),
        "lock_open_walks_of_officers": ("walk", "officer_id"),
        "is_switched_off": ("scim_user", "subject"),
        "attendance": ("training_attendance", "session_id"),
        "members_of_groups": ("scim_member", "group_id"),
        "groups_of_users": ("scim_member", "user_id"),
        "passed_on_of_walks": ("passed_on", "walk_id"),
        "escalated_walks": ("passed_on", "force_id"),
        "attempts_of_walks": ("contact_attempt", "walk_id"),
        "walks_of_officers": ("booking", "officer_id"),
        "who_knows_her": ("contact_attempt", "request_id"),
        "take_notices": ("notice", "person_id"),
        "stands_of_walks": ("disclosure", "walk_id"),
        "follow_ups_of_requests": ("follow_up", "request_id"),
        "calls_of_follow_ups": ("follow_up_attempt", "follow_up_id"),
        "patrols_of_teams": ("patrol", "team_id"),
        "lock_patrols": ("patrol", "id"),
    },
    "partners": {
        "lock_concerns": ("concern", "id"),
        "referrals_of": ("referral", "concern_id"),
        "concerns_of_references": ("referral", "reference"),
        "deliveries_of": ("delivery", "referral_id"),
        "referrals_of_force": ("referral", "state"),
    },
    "feedback": {
        "is_answered": ("answers", "pair_id"),
        "draft": ("draft", "id"),
    },
}
"""Queries asked for every event or every page, the table that grows beneath each, and the column that narrows it."""

HOT_SHARED = {
    "next_pending": ("outbox_log", "position"),
    "forget_pending": ("outbox_pending", "position"),
    "held_keys": ("held", "topic"),
    "release": ("held", "awaits"),
    "next_timers": ("timer", "kind"),
    "take_timers": ("timer", "try_at"),
    "claim": ("sending", "due_at"),
    "next_sending": ("sending", "channel"),
    "mark_sent": ("sending", "id"),
    "held_or_erased": ("tombstone", "id"),
    "scrub_log": ("outbox_log", "key"),
    "scrub_words": ("outbox_log", "key"),
}

ROWS = 1000
each_service = pytest.mark.parametrize("service", SERVICES)


def queries_of(service: str) -> Queries:
    """The service's own."""
    found = import_module(f"services.{service}.store").QUERIES
    assert isinstance(found, Queries)
    return found


def files_of(service: str) -> list[Path]:
    """Where they stand: one file, or a folder of them."""
    folder = ROOT / "services" / service / "queries"
    return sorted(folder.glob("*.sql")) if folder.is_dir() else [folder.with_suffix(".sql")]


def all_queries(service: str) -> Iterator[Query]:
    """Its own and those of what every service carries."""
    for queries in (queries_of(service), *SHARED):
        yield from queries.values()


def test_no_sql_stands_outside_the_files_of_queries() -> None:
    """Each file of queries is read by the code, and so by these tests."""
    known = {file for service in SERVICES for file in files_of(service)}
    known |= {ROOT / "shared" / "bus" / "queries.sql"}
    known |= {ROOT / "shared" / f"{name}.sql" for name in ("audit", "sendings", "timers")}
    found = {
        file
        for folder in ("shared", "services")
        for file in (ROOT / folder).rglob("*.sql")
        if file.parent.name != "schema"
    }
    assert found == known


@each_service
def test_sql_of_a_service_stands_in_its_queries_alone(service: str) -> None:
    """No statement is written in Python, where no test would plan it."""
    sql = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|BEGIN|SET|CREATE|ALTER)\s+\S", re.ASCII)
    found = [
        (path.name, node.value[:60])
        for path in (ROOT / "services" / service).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and sql.match(node.value)
    ]
    assert found == []


@pytest.mark.parametrize("folder", [*(f"services/{service}" for service in SERVICES), "shared"])
def test_every_query_is_used(folder: str) -> None:
    """A statement nobody runs is deleted; those named retention_ are run by their name (shared/retention.py)."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.py"))
    files = [path for path in (ROOT / folder).rglob("*.sql") if path.parent.name != "schema"]
    unused = [name for path in files for name in Queries.read(path) if not re.search(rf"QUERIES\.{name}\b", text)]
    unused = [name for name in unused if not name.startswith("retention_")]
    assert unused == []


@each_service
async def test_every_query_prepares_and_may_be_run(service: str, database: ServiceDatabaseMaker) -> None:
    """Names, types and rights: each is explained, not run, as the web login or as the bus login."""
    found = await database(service)
    async with administered(found):
        pass
    refused: dict[str, list[str]] = {}
    for login in (found.web, found.bus):
        async with login.transaction(["avon-and-somerset"]) as tx:
            for query in all_queries(service):
                try:
                    async with tx.savepoint():
                        await explained(tx, query)
                except asyncpg.InsufficientPrivilegeError as fault:
                    refused.setdefault(query.name, []).append(str(fault))
    assert {name: faults for name, faults in refused.items() if len(faults) == 2} == {}


@each_service
async def test_hot_queries_use_their_index(service: str, database: ServiceDatabaseMaker) -> None:
    """An index fits: with other ways discouraged the plan narrows by more than the force, and reads no table whole.

    Which way is cheapest depends on rows and statistics; that there is a way does not.
    """
    found = await database(service)
    async with administered(found) as admin:
        await loosen(admin)
        for table in await tables(admin):
            if table.by_force and not table.partition and table.key != ("force_id",):
                # What waits for the relay is little beside the log.
                many = 5 if table.name == "outbox_pending" else ROWS
                await admin.execute(insert(table, "avon-and-somerset", many))
        await admin.execute("ANALYZE")
    own, shared = queries_of(service), {name: query for queries in SHARED for name, query in queries.items()}
    hot = [(own[name], *at) for name, at in HOT[service].items()]
    hot += [(shared[name], *at) for name, at in HOT_SHARED.items()]
    async with found.bus.transaction(["avon-and-somerset"]) as tx:
        for way in ("seqscan", "hashjoin", "mergejoin"):
            await tx.connection.execute(f"SET LOCAL enable_{way} = off")
        for query, table_name, column in hot:
            scans = [
                node
                for node in nodes(await explained(tx, query))
                if node.get("Relation Name", "").startswith(table_name) or table_name in node.get("Index Name", "")
            ]
            assert scans, f"{query.name} does not touch {table_name}"
            assert not [node for node in scans if node["Node Type"] == "Seq Scan"], f"{query.name} reads it whole"
            narrowed = [node for node in scans if column in node.get("Index Cond", "")]
            assert narrowed, f"{query.name} is not narrowed by {column}: {json.dumps(scans, indent=1)}"


_EXPLAINED = """
CREATE FUNCTION explained(statement text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE found json;
BEGIN
    EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || statement INTO found;
    RETURN found;
END $$
"""


@asynccontextmanager
async def administered(found: ServiceDatabase) -> AsyncIterator[Connection]:
    """The database as its administrator, with a function that explains (the driver wants values for parameters)."""
    admin: Connection = await asyncpg.connect(found.admin_url)
    try:
        await admin.execute(_EXPLAINED)
        yield admin
    finally:
        await admin.close()


async def explained(tx: Transaction, query: Query) -> dict[str, Any]:
    """The plan for any arguments, under the rights of who asks."""
    plan: dict[str, Any] = (await tx.connection.fetchval("SELECT explained($1)", query.sql))[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan."""
    yield {name: value for name, value in plan.items() if name != "Plans"}
    for below in plan.get("Plans", []):
        yield from nodes(below)
