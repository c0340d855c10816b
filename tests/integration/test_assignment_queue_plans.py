"""With ten thousand walks waiting and more behind them, what the pages ask is read from its indexes, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from services.assignment.store import QUERIES
from shared.database import Transaction
from tests.integration.test_assignment_handlers import bus, service
from tests.servers.databases import ServiceDatabase
from tests.servers.long_queue import FORCE, TEAM, fill

__all__ = ["bus", "service"]

WAITING, PAST = 10_000, 5_000
PAGE = (51, 0)


@pytest.fixture
async def long_queue(service: ServiceDatabase) -> ServiceDatabase:
    await fill(service.admin_url, WAITING, PAST)
    return service


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


async def planned(tx: Transaction, name: str, *arguments: object) -> list[dict[str, Any]]:
    """The nodes of a query's plan, with the rows each really brought."""
    sql = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {QUERIES[name].sql}"
    found = await tx.connection.fetchval(sql, *arguments)
    return list(nodes((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))


async def test_ten_thousand_waiting_walks_are_read_by_index_and_a_page_at_a_time(long_queue: ServiceDatabase) -> None:
    """No hot query reads walks, requests or what was passed on whole, and a page reads little more than its rows."""
    asking = ("officer-avon-2", "bs1")
    async with long_queue.web.transaction([FORCE]) as tx:
        rows = await tx.fetch(QUERIES.queue_of_force, FORCE, "routed", *asking, *PAGE)
        ids: list[UUID] = [row["id"] for row in rows]
        forces = [FORCE] * len(ids)
        hot = {
            "queue_of_force": ((FORCE, "routed", *asking, *PAGE), "walk_of_force"),
            "queue_of_teams": ((FORCE, "routed", [TEAM, "bs2"], *asking, *PAGE), "walk_of_team"),
            "requests_of_walks": ((forces, ids), "request_of_walk"),
            "escalated_walks": ((FORCE, "coordinator", *PAGE), "passed_on_waiting"),
            "passed_on_of_walks": (([FORCE], ids[:1]), "passed_on_of_walk"),
            "attempts_of_walks": (([FORCE], ids[:1]), None),
            "walks_of_officers": ((FORCE, ["officer-avon-1", "officer-avon-2"], ids[0]), None),
            "who_knows_her": ((FORCE, ids[0]), None),
        }
        for name, (arguments, index) in hot.items():
            plan = await planned(tx, name, *arguments)
            whole = {
                node["Relation Name"]
                for node in plan
                if node["Node Type"] == "Seq Scan" and node["Relation Name"] in ("walk", "request", "passed_on")
            }
            assert whole == set(), f"{name} reads {whole} whole"
            if index is not None:
                assert index in {node.get("Index Name") for node in plan}, f"{name} does not use {index}"
            # Half of the page's walks may be another team's, and some exclude whoever asks.
            most = max(node["Actual Rows"] * node["Actual Loops"] for node in plan)
            assert most <= 150, f"{name} touches {most} rows for a page"
