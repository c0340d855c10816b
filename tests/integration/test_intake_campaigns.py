"""How she heard of it: from the link on a poster to a count that shows no single woman."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.intake.handlers.campaigns import heard_by
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.form import fill_in
from tests.servers.intake_service import FORCE, Intake, intake_service

CODES = ("library-posters", "freshers-week", "social-media")


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


async def test_the_link_she_came_by_is_counted_with_her_request(intake: Intake) -> None:
    """Start page, way out, first question: each passes the code on; what is counted leads to no request."""
    async with intake.client() as client:
        client.follow_redirects = True
        for page in ("", "request/before", "request/eligibility"):
            assert "?from=library-posters" in (await client.get(f"/{FORCE}/{page}?from=library-posters")).text
        await fill_in(client, FORCE, came_by="?from=library-posters")
    [row] = await intake.rows("SELECT * FROM heard_by")
    assert set(row.keys()) == {"force_id", "id", "campaign", "month"}
    assert (row["campaign"], row["month"]) == ("library-posters", "2026-11")
    assert await intake.one("SELECT count(*) FROM walk_request WHERE id = $1", row["id"]) == 0


async def test_a_code_the_force_does_not_know_is_left_out(intake: Intake) -> None:
    """Whatever stands in a link that somebody changed; her request is taken all the same."""
    async with intake.client() as client:
        client.follow_redirects = True
        page = await client.get(f"/{FORCE}/?from=%22%3E%3Cscript%3E")
        assert "script%3E" not in page.text and "?from=" not in page.text
        await fill_in(client, FORCE, came_by="?from=nobody-knows")
    await intake.ask(campaign="nobody-knows")
    assert await intake.one("SELECT count(*) FROM walk_request") == 2
    assert await intake.one("SELECT count(*) FROM heard_by") == 0


async def test_counts_of_few_women_are_not_shown(intake: Intake) -> None:
    """Seven by the posters and eight by social media: neither can be worked out from the other and the total."""
    for number in range(15):
        await intake.ask(campaign="library-posters" if number < 7 else "social-media")
    async with intake.database.web.transaction([FORCE]) as tx:
        heard = await heard_by(tx, FORCE, CODES, "2025-01")
    assert [heard[code].text for code in CODES] == ["not shown", "0", "not shown"]
    assert heard.total.text == "15"
