"""A form that looks like a program's is never lost: whoever sent it is asked to press once more."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from prometheus_client import generate_latest

from tests.integration.test_intake_pages import Visitor
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import Intake, intake_service

SEND = {"consent": "yes", "subject": ""}


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database, form_least_seconds=6.0) as service:
        yield service


def doubts(intake: Intake) -> dict[str, int]:
    told = generate_latest(intake.deps.registry).decode()
    found = re.findall(r'walkandtalk_form_doubts_total\{sign="(\w+)"\} (\d+)', told)
    return {sign: int(many) for sign, many in found}


async def test_whoever_takes_her_time_meets_none_of_it(intake: Intake) -> None:
    """The whole form, and sent."""
    async with intake.client() as client:
        her = Visitor(client)
        await her.fill()
        intake.now += timedelta(seconds=7)
        answer = await her.send("check", SEND)
    assert answer.headers["location"].endswith("/done") and doubts(intake) == {}
    assert await intake.one("SELECT count(*) FROM walk_request") == 1


@pytest.mark.parametrize(
    ("seconds", "subject", "sign"), [(60, "Buy now", "field"), (3, "", "pace"), (3, "Buy now", "field")]
)
async def test_a_form_that_looks_like_a_programs_is_to_be_sent_once_more(
    intake: Intake, seconds: int, subject: str, sign: str
) -> None:
    """Nothing is stored until the button is pressed again; then it is one request like any other, even where something
    on her device writes into the hidden field each time."""
    async with intake.client() as client:
        her = Visitor(client)
        await her.fill()
        intake.now += timedelta(seconds=seconds)
        asked = await her.send("check", {"consent": "yes", "subject": subject})
        assert asked.status_code == 422 and "once more" in asked.text and "Canary marmalade" in asked.text
        assert doubts(intake) == {sign: 1}
        assert await intake.one("SELECT count(*) FROM walk_request") == 0
        answer = await her.send("check", {"consent": "yes", "subject": subject})
        assert answer.headers["location"].endswith("/done")
    assert await intake.one("SELECT count(*) FROM walk_request") == 1
    assert doubts(intake) == {sign: 1, "confirmed": 1}


async def test_the_hidden_field_is_out_of_everybodys_way(intake: Intake) -> None:
    """Not shown, not read out, not reached by keyboard, and not filled in by browser or password manager."""
    async with intake.client() as client:
        her = Visitor(client)
        await her.fill()
        page = (await her.see("check")).text
    found = re.search(r'<div hidden>.*?(<input[^>]*name="subject"[^>]*>)', page, re.DOTALL)
    assert found is not None
    for needed in ('tabindex="-1"', 'autocomplete="off"', "data-1p-ignore", "data-lpignore", "data-bwignore"):
        assert needed in found[1]
