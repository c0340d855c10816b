"""Her pages in another language than English: where they are, how one leads to the other, and what stays English."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from services.intake.handlers import hers
from services.intake.handlers.keeping import open_request
from services.intake.store import requests as request_rows
from shared.web.languages import LanguageNotTranslated, Languages, prefixed
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.forces_folder import forces_folder
from tests.servers.form import fill_in
from tests.servers.intake_service import FORCE, Intake, intake_service
from tests.servers.welsh import WELSH

OTHER = "metropolitan"


@pytest.fixture
async def intake(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[Intake]:
    async with intake_service(database, forces_dir=forces_folder(tmp_path, WELSH)) as service:
        yield service


def links(page: str) -> set[str]:
    """Where the links and forms of a page lead, but for the other languages and what is no page."""
    found = re.findall(r'(?<!hreflang="en" )\b(?:href|action)="(/[^"]*)"', page)
    return {unescape(one) for one in found if not one.startswith(("/static/", "/theme.css"))}


async def test_page_is_there_in_each_language_of_its_force_and_names_the_others(intake: Intake) -> None:
    """Its own name for each language, the language of the page said to browsers and screen readers."""
    async with intake.client() as client:
        english, welsh = await client.get(f"/{FORCE}/"), await client.get(f"/cy/{FORCE}/")
    assert (english.headers["content-language"], welsh.headers["content-language"]) == ("en", "cy")
    assert ('<html lang="en"' in english.text, '<html lang="cy"' in welsh.text) == (True, True)
    assert re.search(rf'<a [^>]*lang="cy" hreflang="cy" href="/cy/{FORCE}/">Cymraeg</a>', english.text)
    assert re.search(rf'<a [^>]*lang="en" hreflang="en" href="/{FORCE}/">English</a>', welsh.text)
    assert "Cerddwch gyda swyddog" in welsh.text
    assert "Heddlu Avon a Gwlad yr Haf" in welsh.text
    assert {one for one in links(welsh.text) if not one.startswith("/cy/")} == set()


async def test_language_her_force_does_not_offer_is_not_found(intake: Intake) -> None:
    """The page that says so is in the language asked for, can be left at once, and leads to the English one."""
    async with intake.client() as client:
        missing = await client.get(f"/cy/{OTHER}/", headers={"Accept": "text/html"})
        unheard_of = await client.get(f"/fr/{FORCE}/", headers={"Accept": "text/html"})
    assert (missing.status_code, unheard_of.status_code) == (404, 404)
    assert "Heb ddod o hyd i’r dudalen" in missing.text
    assert f'hreflang="en" href="/{OTHER}/">English</a>' in missing.text
    assert ("govuk-exit-this-page" in missing.text, "govuk-exit-this-page" in unheard_of.text) == (True, True)


@pytest.mark.parametrize(
    "path",
    [f"api/v1/forces/{FORCE}/areas", "staff/letters", "health/live", "signin", "docs", "static/icon.svg", "me"],
)
async def test_what_is_not_hers_has_one_address(intake: Intake, path: str) -> None:
    """Staff, programs and files know no languages."""
    async with intake.client() as client:
        assert (await client.get(f"/cy/{path}")).status_code == 404


async def test_woman_asks_for_a_walk_in_welsh_and_is_written_to_in_welsh(intake: Intake) -> None:
    """Every redirect and form stays in the language; no page of the form has a word of the frame in English left."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(intake.app), base_url="http://localhost:8001", follow_redirects=True
    ) as client:
        done = await fill_in(client, f"cy/{FORCE}")
    assert "Cais wedi’i anfon" in done
    reference = re.search(r"WT-[0-9A-Z]{4}-[0-9A-Z]{4}", done)
    assert reference is not None
    id_ = UUID(str(await intake.one("SELECT id FROM walk_request WHERE reference = $1", reference[0])))
    async with intake.database.web.transaction([FORCE]) as tx:
        stored = (await request_rows.requests(tx, [id_]))[id_]
    assert open_request(intake.deps.keeping.vault, stored).person.language == "cy"
    token = hers.private_link(intake.deps.keeping, stored.held).rpartition("/")[2]
    async with intake.client() as client:
        page = await client.get(f"/cy/your-request/{token}")
        assert "Eich cais" in page.text
        assert f'href="/cy/your-request/{token}/contact"' in page.text
        assert f'hreflang="en" href="/your-request/{token}"' in page.text


async def test_form_begun_in_one_language_goes_on_in_another(intake: Intake) -> None:
    """The sitting is of the browser, not of a language; faults are said in the language of the page."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(intake.app), base_url="http://localhost:8001", follow_redirects=True
    ) as client:
        begun = await client.get(f"/{FORCE}/request/eligibility")
        token = re.search(r'name="csrf_token" value="([^"]+)"', begun.text)
        assert token is not None
        sent = {"csrf_token": token[1], "adult": "yes"}
        who = await client.post(f"/{FORCE}/request/eligibility", data=sent)
        assert who.url.path == f"/{FORCE}/request/who"
        welsh = await client.get(f"/cy/{FORCE}/request/who")
        assert "Pwy sy’n llenwi’r ffurflen hon?" in welsh.text
        wrong = await client.post(f"/cy/{FORCE}/request/who", data={"csrf_token": token[1]})
        assert wrong.status_code == 422
        assert "<title>Gwall: Cwestiwn 2</title>" in wrong.text
        assert "Mae problem" in wrong.text
        assert wrong.text.count("Dewiswch pwy sy’n llenwi’r ffurflen hon") == 2
        sent = {"csrf_token": token[1], "who": "herself"}
        place = await client.post(f"/cy/{FORCE}/request/who", data=sent)
        assert place.url.path == f"/cy/{FORCE}/request/place"
        sent = {"csrf_token": token[1], "postcode": "nowhere"}
        nowhere = await client.post(f"/cy/{FORCE}/request/place", data=sent)
        assert "Rhowch god post llawn yn y DU, fel BS1 5TR." in nowhere.text


async def test_errors_of_her_pages_can_be_left_at_once_and_tell_the_history_nothing(intake: Intake) -> None:
    """Whatever the error, in either language; a page of staff who are signed in has no such button."""
    async with intake.client(accept="text/html") as client:
        pages = [
            await client.get(f"/{FORCE}/nothing-here"),
            await client.get("/nothing-here/at/all"),
            await client.get("/your-request/invented"),
            await client.post(f"/{FORCE}/request/check", data={}),
            await client.post(f"/cy/{FORCE}/request/check", data={}),
            await client.put(f"/{FORCE}/"),
            await client.get(f"/{FORCE}/request/place?x=%00"),
        ]
    assert {page.status_code >= 400 for page in pages} == {True}
    for page in pages:
        assert 'data-module="govuk-exit-this-page"' in page.text, page.url
        title = re.search("<title>(.*?)</title>", page.text, re.DOTALL)
        assert title is not None
        assert not re.search("walk|police|heddlu|tro", title[1], re.IGNORECASE), title[1]


def test_language_without_texts_stops_the_service_at_its_start(tmp_path: Path) -> None:
    """A force cannot offer what nobody has translated."""
    with pytest.raises(LanguageNotTranslated):
        Languages([tmp_path], {"en", "pl"})


def test_what_somebody_typed_is_no_link(tmp_path: Path) -> None:
    """Only mark-up of ours is put into the language; a quotation mark somebody typed is escaped by then."""
    page = '<a href="/x/">x</a> <a hreflang="en" href="/y/">y</a> <p>href=&#34;/z/</p> <script src="/static/a.js">'
    assert prefixed(page, "cy") == page.replace('"/x/"', '"/cy/x/"')
    assert prefixed(page, "en") == page
