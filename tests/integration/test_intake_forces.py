"""Two forces on one system: a place that is the other's, and a form handed over with all that was typed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.intake.handlers import hers
from services.intake.store import requests as request_rows
from tests.integration.test_intake_pages import FORM, csrf_of
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, a_body, intake_service

OTHER = "metropolitan"
HERE, THERE, NOWHERE = "BS1 4DJ", "SE1 7PB", "M1 1AE"


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


class Woman:
    """A browser of her own at the form of a force."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.token = ""

    async def see(self, page: str, force: str = FORCE) -> httpx.Response:
        return await self.client.get(f"/{force}/request/{page}")

    async def send(self, page: str, given: dict[str, Any] | None = None, force: str = FORCE) -> httpx.Response:
        if not self.token:
            self.token = csrf_of(await self.see("eligibility"))
        data = {**(given or {}), "csrf_token": self.token}
        return await self.client.post(f"/{force}/request/{page}", data=data)

    async def ask_at(self, postcode: str) -> httpx.Response:
        """Fill in up to the place."""
        for page, given in (("eligibility", {"adult": "yes"}), ("who", {"who": "herself"})):
            assert (await self.send(page, given)).status_code == 303
        return await self.send("place", {"postcode": postcode})


@pytest.fixture
async def woman(intake: Intake) -> AsyncIterator[Woman]:
    async with intake.client() as client:
        yield Woman(client)


async def drafts(intake: Intake) -> list[str]:
    return [row["force_id"] for row in await intake.rows("SELECT force_id FROM draft ORDER BY force_id")]


async def test_place_of_another_force_is_told_at_once(woman: Woman) -> None:
    """On the question itself, by name; nothing of hers stands in the address."""
    answer = await woman.ask_at(THERE)
    assert answer.headers["location"] == f"/{FORCE}/request/elsewhere"
    page = await woman.see("elsewhere")
    assert "This place is in the area of Metropolitan Police" in page.text
    assert "You chose SE1 7PB." in page.text


async def test_place_typed_is_still_there_when_she_goes_back(woman: Woman) -> None:
    """She mends one letter and need not type it again; then nothing is aside any more."""
    await woman.ask_at(THERE)
    assert 'value="SE1 7PB"' in (await woman.see("place")).text
    assert (await woman.see("local")).headers["location"] == f"/{FORCE}/request/place"
    assert (await woman.send("place", {"postcode": HERE})).headers["location"] == f"/{FORCE}/request/way"
    assert (await woman.see("elsewhere")).headers["location"] == f"/{FORCE}/request/place"
    assert 'value="BS1 4DJ"' in (await woman.see("place")).text


async def test_form_is_handed_over_with_all_she_typed(intake: Intake, woman: Woman) -> None:
    """She is asked only what the other force asks itself, and goes on where she stopped."""
    await woman.ask_at(THERE)
    answer = await woman.send("elsewhere/hand-over")
    assert answer.headers["location"] == f"/{OTHER}/request/eligibility?change=1"
    assert await drafts(intake) == [OTHER]
    asked = await woman.see("eligibility", OTHER)
    assert "Metropolitan Police" in asked.text
    answer = await woman.send("eligibility?change=1", {"adult": "yes"}, OTHER)
    assert answer.headers["location"].startswith(f"/{OTHER}/request/way")
    assert f'href="/{OTHER}/request/place" class="govuk-back-link"' in (await woman.see("way?change=1", OTHER)).text
    assert 'value="SE1 7PB"' in (await woman.see("place", OTHER)).text
    assert 'value="herself" checked' in (await woman.see("who", OTHER)).text


async def test_first_force_keeps_nothing_of_a_form_handed_over(intake: Intake, woman: Woman) -> None:
    """Row and timer are gone, and its pages say so."""
    await woman.ask_at(THERE)
    await woman.send("elsewhere/hand-over")
    rows = await intake.rows("SELECT DISTINCT force_id FROM timer UNION SELECT force_id FROM draft")
    assert [row["force_id"] for row in rows] == [OTHER]
    assert (await woman.see("place")).status_code == 410


async def test_form_handed_over_twice_at_once_is_one(intake: Intake, woman: Woman) -> None:
    """A double click: one form, and no answer lost."""
    await woman.ask_at(THERE)
    answers = await asyncio.gather(*(woman.send("elsewhere/hand-over") for _ in range(4)))
    assert await drafts(intake) == [OTHER]
    assert [one.status_code for one in answers].count(303) >= 1
    assert all(one.status_code in (303, 410) for one in answers)


async def test_form_is_not_handed_over_by_another_site(intake: Intake, woman: Woman) -> None:
    """Neither without a token nor from elsewhere; a look hands nothing over."""
    await woman.ask_at(THERE)
    await woman.see("elsewhere")
    assert (await woman.client.post(f"/{FORCE}/request/elsewhere/hand-over", data={})).status_code == 403
    forged = await woman.client.post(
        f"/{FORCE}/request/elsewhere/hand-over",
        data={"csrf_token": woman.token},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert forged.status_code == 403
    assert (await woman.see("elsewhere/hand-over")).status_code in (404, 405)
    assert await drafts(intake) == [FORCE]


async def test_nobody_else_can_be_handed_a_form(intake: Intake, woman: Woman) -> None:
    """Without the cookie of the sitting there is nothing to hand over."""
    await woman.ask_at(THERE)
    async with intake.client() as client:
        stranger = Woman(client)
        assert (await stranger.send("elsewhere/hand-over")).headers["location"] == f"/{FORCE}/"
    assert await drafts(intake) == [FORCE]


async def test_form_handed_over_from_the_end_keeps_every_answer(intake: Intake, woman: Woman) -> None:
    """She changes the place while checking her answers: asked what each force asks for itself, she is back at them."""
    for page, given in FORM.items():
        assert (await woman.send(page, given)).status_code == 303, page
    before = (await woman.see("check")).text
    answer = await woman.send("place?change=1", {"postcode": THERE})
    assert answer.headers["location"] == f"/{FORCE}/request/elsewhere?change=1"
    assert "BS1 4DJ" in (await woman.see("check")).text
    await woman.send("elsewhere/hand-over")
    answer = await woman.send("eligibility?change=1", {"adult": "yes"}, OTHER)
    assert answer.headers["location"] == f"/{OTHER}/request/people?change=1"
    assert 'value="A1234"' not in (await woman.see("people?change=1", OTHER)).text
    answer = await woman.send("people?change=1", {}, OTHER)
    assert answer.headers["location"] == f"/{OTHER}/request/others?change=1"
    answer = await woman.send("others?change=1", {}, OTHER)
    assert answer.headers["location"] == f"/{OTHER}/request/check"
    after = (await woman.see("check", OTHER)).text
    assert "SE1 7PB" in after
    assert "BS1 4DJ" not in after
    said = re.compile(r'<dd class="govuk-summary-list__value">(.*?)</dd>', re.DOTALL)
    kept = [one.strip() for one in said.findall(before) if one.strip() not in ("BS1 4DJ", "A1234", "a1234", "BS1 5TR")]
    assert [one for one in kept if one not in map(str.strip, said.findall(after))] == []
    sent = await woman.send("check", {"consent": "yes"}, OTHER)
    assert sent.headers["location"] == f"/{OTHER}/request/done"
    assert await intake.one("SELECT force_id FROM walk_request") == OTHER


async def test_place_of_nobody_we_know_is_told_whom_to_ask(woman: Woman) -> None:
    """No force on this system has it: where to find out, and nothing lost."""
    answer = await woman.ask_at(NOWHERE)
    assert answer.headers["location"] == f"/{FORCE}/request/elsewhere"
    page = await woman.see("elsewhere")
    assert "This place is not in the area of Avon and Somerset Police" in page.text
    assert "https://www.police.uk/pu/your-area/" in page.text
    assert (await woman.send("elsewhere/hand-over")).headers["location"] == f"/{FORCE}/request/elsewhere"


async def test_woman_may_say_that_the_place_is_the_forces_after_all(intake: Intake, woman: Woman) -> None:
    """Boundary files have gaps: a person looks at it rather than a program turning her away."""
    await woman.ask_at(NOWHERE)
    answer = await woman.send("elsewhere/keep")
    assert answer.headers["location"] == f"/{FORCE}/request/way"
    assert 'value="M1 1AE"' in (await woman.see("place")).text
    assert (await woman.see("elsewhere")).headers["location"] == f"/{FORCE}/request/place"


async def test_place_of_another_force_cannot_be_kept(woman: Woman) -> None:
    """That one is known to be another's."""
    await woman.ask_at(THERE)
    assert (await woman.send("elsewhere/keep")).headers["location"] == f"/{FORCE}/request/elsewhere"
    assert (await woman.see("way")).headers["location"] == f"/{FORCE}/request/place"


@pytest.mark.parametrize(
    ("place", "field"),
    [({"postcode": THERE}, "place.postcode"), ({"latitude": 51.503, "longitude": -0.1127}, "place")],
)
async def test_program_is_told_the_right_force(intake: Intake, place: dict[str, Any], field: str) -> None:
    """422, the field, and the force_id to send instead; nothing is stored."""
    async with intake.client() as client:
        sent = await client.post(
            "/api/v1/walk-requests", json=a_body(place=place), headers={"Idempotency-Key": uuid4().hex}
        )
    assert sent.status_code == 422
    message = f"This place is in the area of another force: send force_id {OTHER}"
    assert sent.json()["errors"] == [{"field": field, "message": message}]
    assert await intake.one("SELECT count(*) FROM walk_request") == 0
    assert (await intake.ask(force_id=OTHER, place=place))["reference"]


async def test_program_may_send_a_place_of_nobody_we_know(intake: Intake) -> None:
    """It goes to a person of the force, as a place in a harbour does."""
    assert (await intake.ask(place={"postcode": NOWHERE}))["reference"]


@pytest.mark.parametrize(
    ("postcode", "told"),
    [
        (THERE, f"in the area of Metropolitan Police. To walk there, ask for a walk at http://localhost:8001/{OTHER}/"),
        (NOWHERE, "This place is not in the area of Avon and Somerset Police. Call 101"),
    ],
)
async def test_request_that_was_sent_stays_with_its_force(intake: Intake, postcode: str, told: str) -> None:
    """On her own page she is told whom to ask, what she typed stays in the form, and her request stays as it was."""
    asked = await intake.ask()
    async with intake.database.web.transaction([FORCE]) as tx:
        id_ = UUID(asked["request_id"])
        held = (await request_rows.requests(tx, [id_]))[id_].held
    path = hers.private_link(intake.deps.keeping, held).removeprefix("http://localhost:8001")
    async with intake.client() as client:
        page = await client.get(f"{path}/change")
        given = {"postcode": postcode, "days": "monday", "parts": "evening", "csrf_token": csrf_of(page)}
        answer = await client.post(f"{path}/change", data=given)
    assert answer.status_code == 422
    assert told in answer.text
    assert f'value="{postcode}"' in answer.text
    assert await intake.published("walk-request-amended") == []
