"""Disclosures, follow-ups and patrols on a phone and on a desk: every page accessible, and kept to itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from services.assignment.app import build
from services.assignment.domain.noting import Said
from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers import record as recording
from services.assignment.handlers.arranging import Arrange, arrange
from services.assignment.handlers.noting import Note, note
from services.assignment.handlers.people import person
from services.assignment.handlers.record import Complete
from services.assignment.handlers.requests import change_contact_rules
from services.assignment.handlers.taking import Take, take
from services.assignment.settings import Settings
from shared.contracts.kinds import Channel, Reason, Severity, Urgency
from shared.contracts.walk_requests import ContactRules, ContactRulesChanged, ContactWanted
from shared.database import Query
from shared.embedded.processes import free_port
from tests.browser.conftest import WatchedPage
from tests.browser.test_assignment_pages import assert_decent
from tests.browser.test_assignment_queue_pages import look
from tests.servers.assignment_service import (
    CITY_CENTRE,
    COORDINATOR,
    FORCE,
    OFFICER,
    ask_for_a_walk,
    assignment_settings,
    bus_side,
    received,
)
from tests.servers.databases import ServiceDatabase, beside
from tests.servers.served import served
from tests.servers.visitors import cookies_of


@pytest.fixture
def settings(database_for_browser: Callable[[str], ServiceDatabase], tmp_path: Path) -> Settings:
    return assignment_settings(database_for_browser("assignment"), tmp_path)


@pytest.fixture
def site(settings: Settings) -> Iterator[tuple[FastAPI, str, str, str]]:
    """The running service; an arranged walk, and a follow-up of one that was held and wants a patrol."""
    arranged, follow_up = beside(fill(settings))
    app = build(settings)
    with served(app, free_port()) as origin:
        yield app, origin, arranged, follow_up


async def fill(settings: Settings) -> tuple[str, str]:
    now = datetime.now(UTC)
    async with bus_side(settings) as deps:
        await deps.take_registers()
        walks = [await ask_for_a_walk(deps) for _ in range(2)]
        await deps.database.open()
        for number, walk in enumerate(walks):
            async with deps.database.transaction([FORCE]) as tx:
                by = await person(tx, FORCE, OFFICER.sub, is_coordinator=False, team_id="bs1")
                await take(tx, [Take(UUID(walk), by)], now, policies=deps.policies)
                at = now + timedelta(hours=2 + 3 * number)
                await arrange(tx, [Arrange(UUID(walk), by, at, "The library")], now, policies=deps.policies)
                if number:
                    said = Said(Reason.BADLY_LIT, CITY_CENTRE, "The bridge", None, Severity.HIGH, patrol_wanted=True)
                    await note(tx, Note(UUID(walk), by, uuid4(), said), now)
                    held = Complete(UUID(walk), by, now - timedelta(hours=1), now, True, [])
                    await recording.complete(tx, [held], now, policies=deps.policies)
        await deps.database.close()
        async with deps.bus_database.transaction([FORCE]) as tx:
            request = Query("request", "", "SELECT id FROM request WHERE walk_id = $1")
            request_id: UUID = await tx.fetch_value(request, UUID(walks[1]))
            rules = ContactRules(channels=(Channel.PHONE, Channel.LETTER), may_say_police=True)
            changed = ContactRulesChanged(request_id=request_id, contact=rules)
            await change_contact_rules(tx, [received(changed)], now)
            wanted = ContactWanted(request_id=request_id, contact_id=uuid4(), urgency=Urgency.SAME_DAY)
            await following_up.open_follow_ups(tx, [received(wanted)], now - timedelta(days=9), policies=deps.policies)
            follow_up = await tx.fetch_value(Query("follow_up", "", "SELECT id FROM follow_up"))
    return walks[0], str(follow_up)


def looked_at(page: Page, name: str) -> None:
    """As in the tests of the queue; then it is a phone again."""
    look(page, name)
    page.set_viewport_size({"width": 375, "height": 800})


def test_an_officer_records_a_disclosure_and_closes_the_walk(
    site: tuple[FastAPI, str, str, str], watched_page: WatchedPage
) -> None:
    """Opened from the walk on a phone, refused by field, recorded, found again; a coordinator sees what waits."""
    app, origin, walk, _ = site
    watched = watched_page(origin, 375, cookies_of(app, OFFICER, "bound"))
    page = watched.page
    page.goto(f"{origin}/walks/{walk}")
    looked_at(page, "walk-disclose")
    page.get_by_role("link", name="Something was disclosed").click()
    expect(page.get_by_text("Never what was said. There is no field for it")).to_be_visible()
    looked_at(page, "disclose")
    page.get_by_role("button", name="Open the record").click()
    expect(page.get_by_text("To be recorded", exact=True)).to_be_visible()
    looked_at(page, "disclosure-open")
    page.get_by_label("Its number in the force’s system").fill("He followed her home")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    looked_at(page, "disclosure-refused")
    page.get_by_label("Crime", exact=True).check()
    page.get_by_label("Its number in the force’s system").fill("5226 123456")
    page.get_by_label("Safeguarding referral made").check()
    page.get_by_label("Day it was done").fill(f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}")
    page.get_by_label("Victim Support").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Number and safeguarding are recorded.")).to_be_visible()
    expect(page.get_by_text("Crime 5226123456")).to_be_visible()
    looked_at(page, "disclosure-recorded")
    page.goto(f"{origin}/disclosures")
    expect(page.get_by_text("None is waiting.")).to_be_visible()
    looked_at(page, "disclosures")
    page.get_by_role("link", name="Those that are recorded").click()
    looked_at(page, "disclosures-recorded")
    watched.assert_kept_to_itself()
    second = watched_page(origin, 1280, cookies_of(app, COORDINATOR, "bound")).page
    second.goto(f"{origin}/walks/{walk}/disclose")
    second.get_by_role("button", name="Open the record").click()
    assert_decent(second)
    second.goto(f"{origin}/disclosures")
    look(second, "disclosures-waiting")


def test_an_officer_logs_attempts_and_hands_a_follow_up_over(
    site: tuple[FastAPI, str, str, str], watched_page: WatchedPage
) -> None:
    """Only her ways are offered; the coordinator finds what is overdue and gives it to somebody else."""
    app, origin, _, follow_up = site
    watched = watched_page(origin, 375, cookies_of(app, OFFICER, "bound"))
    page = watched.page
    page.goto(f"{origin}/follow-ups/{follow_up}")
    looked_at(page, "follow-up")
    page.get_by_role("button", name="Log the attempt").click()
    expect(page.get_by_role("link", name="Select how you tried")).to_be_visible()
    looked_at(page, "follow-up-refused")
    page.get_by_role("group", name="How did you try?").get_by_label("Visit").check()
    page.get_by_label("How did it end?").select_option(label="No answer")
    page.get_by_role("button", name="Log the attempt").click()
    expect(page.get_by_text("The attempt was logged.")).to_be_visible()
    expect(page.get_by_text("Visit: No answer")).to_be_visible()
    looked_at(page, "follow-up-tried")
    watched.assert_kept_to_itself()
    desk = watched_page(origin, 1280, cookies_of(app, COORDINATOR, "bound")).page
    desk.goto(f"{origin}/follow-ups")
    desk.get_by_role("link", name="Overdue follow-ups").click()
    look(desk, "follow-ups-overdue")
    desk.get_by_role("link", name=re.compile("Call or visit, due")).click()
    desk.get_by_label("To", exact=True).select_option(label="PC Rachel Cole")
    desk.get_by_role("button", name="Hand it over").click()
    expect(desk.get_by_text("The follow-up was handed over.")).to_be_visible()
    desk.goto(f"{origin}/follow-ups?which=reviews")
    assert_decent(desk)


def test_an_officer_logs_a_patrol_where_one_is_wanted(
    site: tuple[FastAPI, str, str, str], watched_page: WatchedPage
) -> None:
    """From what is wanted to what was logged, corrected, on a phone."""
    app, origin, _, _ = site
    watched = watched_page(origin, 375, cookies_of(app, OFFICER, "bound"))
    page = watched.page
    page.goto(f"{origin}/patrols")
    looked_at(page, "patrols-empty")
    page.get_by_role("link", name="Where patrols are wanted").click()
    expect(page.get_by_text("The bridge")).to_be_visible()
    looked_at(page, "patrols-wanted")
    page.get_by_role("button", name="Log a patrol there, number 1 of the list").click()
    expect(page.get_by_label(re.compile("Badly lit, The bridge"))).to_be_checked()
    looked_at(page, "patrol-log")
    page.get_by_role("button", name="Log the patrol").click()
    expect(page.get_by_role("link", name="Select whether you were on foot or cycling")).to_be_visible()
    looked_at(page, "patrol-log-refused")
    page.get_by_label("By cycle").check()
    page.get_by_label("Day it began").fill(f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}")
    page.get_by_label("From").fill("20:00")
    page.get_by_label("To", exact=True).fill("21:15")
    page.get_by_label("What did you hear? (optional)").fill("The lamps have been out for a week")
    page.get_by_role("button", name="Log the patrol").click()
    expect(page.get_by_text("The patrol was logged.")).to_be_visible()
    looked_at(page, "patrols")
    page.get_by_role("link", name=re.compile("to 9:15pm")).click()
    expect(page.get_by_text("The lamps have been out for a week")).to_be_visible()
    looked_at(page, "patrol")
    page.get_by_role("button", name="Correct it").click()
    looked_at(page, "patrol-correct")
    page.get_by_label("To", exact=True).fill("21:30")
    page.get_by_role("button", name="Correct the patrol").click()
    expect(page.get_by_text("The patrol was corrected.")).to_be_visible()
    watched.assert_kept_to_itself()
