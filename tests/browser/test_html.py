"""Every page of every service, and every page that says what is wrong, is valid HTML: the W3C's checker, run once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest

from services.intake.form.questions import BY_SLUG
from shared.contracts.policy import Limits
from shared.contracts.walks import WalkTaken
from shared.web.access import Role
from tests.browser.test_web_headers import cookies, pages
from tests.integration.test_intake_confirm import asked_by
from tests.integration.test_intake_hers import REACH, WHERE_AND_WHEN, Hers, a_woman
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.forces_folder import forces_folder
from tests.servers.form import ANSWERS, fields_of
from tests.servers.intake_service import FORCE, ROOT, Intake, intake_service
from tests.servers.jars import Lacking
from tests.servers.lacking import lacks
from tests.servers.two_forces import ABROAD, TwoForces
from tests.servers.valid_html import checker, faults
from tests.servers.visitors import a_user, visitor
from tests.servers.welsh import WELSH

TEMPLATES: Final = ROOT / "services" / "intake" / "templates"
UNSEEN: Final = {"copy_paper.html", "messages/frame.html"}
"""Templates of intake that no browser is shown: the copy on paper, and the frame of an e-mail."""

OWN_NAME: Final = "met.example"

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{40,}")
_ON_THE_WAY: Final[Mapping[str, str | list[str]]] = {
    **ANSWERS,
    "who": "with",
    "helper": "officer",
    "channels": ["email", "phone", "letter"],
    "recognise": "marmalade",
    "teams": "BS1 5TR",
    "condition": "yes",
}


class Shown:
    """Pages as browsers were shown them, by what was asked and answered."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}

    def to(self, client: httpx.AsyncClient) -> httpx.AsyncClient:
        """The same client, all of whose pages are kept."""
        client.event_hooks = {"response": [self._keep]}
        return client

    async def _keep(self, answer: httpx.Response) -> None:
        if answer.headers.get("content-type", "").startswith("text/html") and await answer.aread():
            asked = _TOKEN.sub("…", f"{answer.request.method} {answer.request.url}")
            self.pages[f"{asked}: {answer.status_code} ({len(answer.content)})"] = answer.text


async def go_through_the_form(client: httpx.AsyncClient, before: str, answers: Mapping[str, Any]) -> set[str]:
    """Every page of the form on the way, each sent empty and wrong before it is answered; their names."""
    here, seen = f"{before}/{FORCE}", set[str]()
    for path in (f"{before}/", f"{here}/", f"{here}/request/before", f"{here}/request/not-eligible"):
        await client.get(path)
    at = f"{here}/request/eligibility"
    while not at.endswith("/check"):
        page, slug = await client.get(at), at.rpartition("/")[2]
        assert page.status_code == 200, (at, page.status_code)
        seen.add(slug)
        if slug == "place":
            # The other way to answer it, which leads back to it.
            await client.get(f"{here}/request/point")
            await client.post(f"{here}/request/point", data={"point": "nowhere"})
            seen.add("point")
        names = {one["name"] for one in fields_of(page.text) if "name" in one} - {"csrf_token"}
        await client.post(at, data={})
        await client.post(at, data=dict.fromkeys(names, "☃" * 3000))
        if slug == "place" and before:
            for elsewhere in ("SE1 7PB", "M1 1AE"):
                await client.post(at, data={"postcode": elsewhere})
                await client.get(f"{here}/request/elsewhere")
        given = {name: answers[name] for name in names if name in answers}
        sent = await client.post(at, data=given)
        assert sent.status_code == 303, (at, given, sent.status_code)
        at = sent.headers["location"]
    await client.get(at)
    await client.post(at, data={})
    assert (await client.post(at, data={"consent": "yes"})).status_code == 303
    assert (await client.get(f"{here}/request/done")).status_code == 200
    return seen


async def look_at_her_pages(client: httpx.AsyncClient, her: Hers, before: str) -> None:
    """Her private page and all below it as her walk goes on, each form sent empty, to the end."""
    her.path = before + her.path
    await her.see()
    await her.taken()
    await her.see()
    await her.proposed()
    await client.post(f"{her.path}/answer", data={})
    for below, given in (("/change", WHERE_AND_WHEN), ("/contact", REACH)):
        assert (await her.see(below)).status_code == 200
        await client.post(her.path + below, data={"postcode": "nowhere", "channels": "nowhere"})
        assert (await client.post(her.path + below, data=given)).status_code == 303
    await her.see("?done=changed")
    await her.arranged()
    await her.see()
    for below in ("/copy", "/erase"):
        assert (await her.see(below)).status_code == 200
    await client.post(f"{her.path}/stop")
    await her.see()
    await client.post(f"{her.path}/erase")


async def look_at_what_goes_wrong(intake: Intake, client: httpx.AsyncClient, before: str) -> None:
    """Nothing there, a link that opens nothing, a form that is over, one that is not ours, too much, too often."""
    here = f"{before}/{FORCE}"
    for path in ("/nothing", "/your-request/" + "A" * 120, "/confirm/" + "A" * 120):
        assert (await client.get(before + path)).status_code == 404
    client.cookies.set("sitting", "of-a-form-that-is-over", domain="localhost.local")
    assert (await client.get(f"{here}/request/check")).status_code == 410
    client.cookies.delete("sitting")
    forged = await client.post(f"{here}/request/who", data={}, headers={"X-CSRF-Token": "forged"})
    assert forged.status_code == 403
    assert (await client.post(f"{here}/request/who", data={"who": "x" * 3_000_000})).status_code == 413
    assert (await client.put(f"{here}/request/who")).status_code == 405
    limits = intake.deps.keeping.limits
    # The mapping is the one the handlers hold.
    limits[FORCE] = Limits(forms_an_hour=1)  # type: ignore[index] # a dict behind a Mapping
    tries = [await client.post(f"{here}/request/eligibility", data={"adult": "yes"}) for _ in range(2)]
    assert tries[-1].status_code == 429
    limits[FORCE] = Limits()  # type: ignore[index] # a dict behind a Mapping
    intake.now += timedelta(hours=1)


async def confirm(intake: Intake, client: httpx.AsyncClient, before: str) -> None:
    """By code and by link, wrong and right."""
    intake.deps.keeping.confirming[FORCE] = timedelta(hours=48)  # type: ignore[index] # a dict behind a Mapping
    for by_link in (False, True):
        asked = await intake.ask()
        link, code = await asked_by(intake, asked["request_id"])
        at = before + (link if by_link else f"/{FORCE}/request/confirm")
        await client.get(at)
        await client.post(at, data={})
        given = {"reference": asked["reference"], "code": code}
        await client.post(at, data={**given, "code": "000000" if code != "000000" else "111111"})
        await client.post(at, data=given)
        await client.get(at)
    del intake.deps.keeping.confirming[FORCE]  # type: ignore[attr-defined] # a dict behind a Mapping


async def hand_a_form_over(client: httpx.AsyncClient) -> None:
    """From the name of a force's own to another force."""
    here = f"/{ABROAD}/request"
    client.headers["Host"] = OWN_NAME
    for page, given in (
        ("eligibility", {"adult": "yes"}),
        ("who", {"who": "herself"}),
        ("place", {"postcode": "BS1 4DJ"}),
    ):
        assert (await client.post(f"{here}/{page}", data=given)).status_code == 303
    assert (await client.post(f"{here}/elsewhere/hand-over")).status_code == 200


async def look_as_staff(intake: Intake, shown: Shown) -> None:
    """What staff do on intake's pages, each form sent empty first."""
    contact = {"channels": ["phone", "letter"], "phone": "07700 900982", "address": "1 High Street"}
    asked = [await intake.ask(contact=contact | {"email": email}) for email in (None, "stopped@example.com")]
    requests, why = [UUID(one["request_id"]) for one in asked], {"reason": "She rang us about it"}
    for request_id in requests:
        await intake.take(WalkTaken(walk_id=uuid4(), request_ids=(request_id,), officer_id="person-1", team_id="bs1"))
    async with intake.client() as client:
        # Somebody with the address of the second has stopped contact.
        other = await a_woman(intake, client, contact={"email": "stopped@example.com"})
        await other.send("stop")
    for role in Role:
        async with shown.to(visitor(intake.app, a_user(role, force_id=FORCE))) as client:
            for path in ("/me", "/staff/letters", "/staff/campaigns", "/staff/data-protection", "/docs", "/asyncapi"):
                await client.get(path)
            for request_id in requests:
                for given in ({}, why):
                    await client.get(f"/staff/requests/{request_id}/contact")
                    await client.post(f"/staff/requests/{request_id}/contact", data=given)
                await client.post(f"/staff/requests/{request_id}/spoken", data={})
            here = "/staff/data-protection"
            for search in ({}, {"by": "name", "text": "Ada", **why}, {"by": "name", "text": "Nobody", **why}):
                await client.post(here, data=search)
            for below in ("", "/copy", "/erase"):
                await client.get(f"{here}/requests/{requests[0]}{below}")
                await client.post(f"{here}/requests/{requests[0]}{below}", data={})
            await client.get(f"{here}/erased")
            for row in await intake.rows("SELECT id FROM sending WHERE channel = 'letter' AND state = 'due'"):
                await client.post(f"/staff/letters/{row['id']}/open")
            await client.post("/signout")
            await client.get("/signed-out")


async def look_at_every_service(world: TwoForces, shown: Shown) -> None:
    """Each page of the four services with work on it, as somebody it is for; one that is not; and nothing there."""
    async with shown.to(httpx.AsyncClient(timeout=30, headers={"Accept": "text/html"})) as client:
        for door, address in pages(world):
            for role in (Role.COORDINATOR, *Role):
                if door.admits(role):
                    break
            client.cookies.clear()
            held = "; ".join(f"{name}={value}" for name, value in cookies(world, role).items())
            await client.get(address, headers={"Cookie": held})
            stranger = next((role for role in Role if not door.admits(role)), None)
            if stranger is not None:
                held = "; ".join(f"{name}={value}" for name, value in cookies(world, stranger).items())
                assert (await client.get(address, headers={"Cookie": held})).status_code == 403
        for service in world.stack.services:
            assert (await client.get(f"{world.stack.urls[service]}/nothing")).status_code == 404


async def look_at_intake(intake: Intake, shown: Shown) -> None:
    """All of it, in both languages: at the end no template of its pages is left that was not shown."""
    seen: set[str] = set()
    for before, answers in (("", ANSWERS), ("/cy", _ON_THE_WAY)):
        async with shown.to(visitor(intake.app)) as client:
            seen |= await go_through_the_form(client, before, answers)
            await look_at_what_goes_wrong(intake, client, before)
            await confirm(intake, client, before)
            await look_at_her_pages(client, await a_woman(intake, client), before)
    async with shown.to(visitor(intake.app)) as client:
        await hand_a_form_over(client)
    await look_as_staff(intake, shown)
    assert set(BY_SLUG) - seen == set()
    rendered = {name for _, name in intake.app.state.pages.templates.cache}
    assert {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html")} - rendered == UNSEEN


@pytest.mark.timeout(300)
async def test_every_page_is_valid_html(two_forces: TwoForces, database: ServiceDatabaseMaker, tmp_path: Path) -> None:
    """The form in English and Welsh, each question with what is wrong with it; confirming; her page and all below it;
    what staff see; error pages; and every page of the other services that has something on it."""
    try:
        checker()
    except Lacking as lacking:
        lacks(str(lacking))
    shown = Shown()
    here = {**WELSH[FORCE], "walks": {"officers": ["officer", "pcso"], "arrange_within": 5, "group_size": 5}}
    forces = forces_folder(tmp_path, {FORCE: here, ABROAD: {"hosts": [OWN_NAME]}})
    async with intake_service(database, forces_dir=forces) as intake:
        await look_at_intake(intake, shown)
    of_intake = len(shown.pages)
    await look_at_every_service(two_forces, shown)
    assert of_intake > 200 and len(shown.pages) > of_intake + 50
    assert faults(shown.pages, tmp_path / "pages") == []
