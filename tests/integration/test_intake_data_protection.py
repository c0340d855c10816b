"""The data protection officer's pages: a woman's requests found, copied and erased; each look logged, none in a URL."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.intake.domain.access import EXPORTED
from services.intake.handlers import search
from services.intake.handlers.access import copy_of_all
from services.intake.handlers.hers import PRIVATE_LINK
from services.intake.pages import paper
from services.intake.pages.paper import can_be_made
from shared.web.access import Role
from tests.integration.test_intake_pages import csrf_of
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.forces_folder import forces_folder
from tests.servers.intake_service import FORCE, Intake, intake_service
from tests.servers.lacking import lacks
from tests.servers.visitors import a_user, visitor
from tests.servers.welsh import WELSH

HERE = "/staff/data-protection"
WHY = "she wrote to us on Monday"


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


def officer(intake: Intake, *roles: Role, force: str = FORCE) -> httpx.AsyncClient:
    """A browser in which the data protection officer, or somebody of other roles, is signed in."""
    return visitor(intake.app, a_user(*(roles or (Role.AUDITOR,)), force_id=force))


async def found(browser: httpx.AsyncClient, by: str, text: str, **more: str) -> list[str]:
    """The references that a search shows."""
    answer = await browser.post(HERE, data={"by": by, "text": text, "reason": WHY, **more})
    assert answer.status_code == 200, answer.text
    assert text not in str(answer.url)
    return re.findall(r">(WT-[A-Z0-9]{4}-[A-Z0-9]{4})<", answer.text)


async def test_her_requests_are_found_by_what_she_gives_as_hers(intake: Intake) -> None:
    """Reference, e-mail, telephone, name; however they are written. What is shown is no name; each look is logged with
    its reason, and what was typed is not. Another force finds nothing."""
    contact = {"email": "Sian.Evans@Example.com", "phone": "07700 900 123", "channels": ["email", "text"]}
    hers = await intake.ask(name="Siân O’Neill-Evans", contact=contact)
    await intake.ask(name="Ana Other", contact={"email": "other@example.com"})
    looks = [
        ("reference", hers["reference"].lower()),
        ("email", "sian.evans@example.com"),
        ("phone", "+447700900123"),
        ("name", "SIAN evans"),
        ("name", "o'neill"),
    ]
    async with officer(intake) as browser:
        for by, text in looks:
            assert await found(browser, by, text) == [hers["reference"]], by
        assert await found(browser, "name", "Ceridwen") == []
        assert await found(browser, "email", "nobody@example.com") == []
        shown = await browser.get(f"{HERE}/requests/{hers['request_id']}")
        assert hers["reference"] in shown.text and "Evans" not in shown.text
    async with officer(intake, force="metropolitan") as browser:
        assert await found(browser, "name", "Evans") == [] == await found(browser, "reference", hers["reference"])
        assert (await browser.get(f"{HERE}/requests/{hers['request_id']}")).status_code == 404
    rows = await intake.rows(
        "SELECT actor, subject, reason FROM audit WHERE force_id = $1 AND actor = 'person-1'", FORCE
    )
    assert [row["subject"] for row in rows].count("search") == len(looks) + 2
    assert [row["subject"] for row in rows].count(hers["request_id"]) == len(looks)
    assert f"searched by name: 2 names opened, 1 requests found. {WHY}" in {row["reason"] for row in rows}
    assert not [row for row in rows if "evans" in row["reason"].lower() or "900123" in row["reason"]]


async def test_names_are_looked_through_page_by_page(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many at once and no more; the page says how far it is, and the next goes on from there until all are seen."""
    monkeypatch.setattr(search, "AT_ONCE", 4)
    monkeypatch.setattr(search, "_SLICE", 2)
    asked = [await intake.ask(name=f"Woman {n}", contact={"email": f"w{n}@example.com"}) for n in range(7)]
    seen: list[str] = []
    data = {"by": "name", "text": "woman", "reason": WHY}
    async with officer(intake) as browser:
        for passed in (4, 7):
            answer = await browser.post(HERE, data=data)
            assert f"Looked through the names of {passed} of 7 women" in answer.text
            seen += re.findall(r">(WT-[A-Z0-9]{4}-[A-Z0-9]{4})<", answer.text)
            after = re.search(r'name="after" value="([0-9a-f-]{36})"', answer.text)
            assert (after is not None) is (passed == 4)
            data |= {"after": after[1]} if after else {}
    assert sorted(seen) == sorted(one["reference"] for one in asked)


async def test_a_search_needs_a_reason_and_more_than_a_letter(intake: Intake) -> None:
    """And the auditor's role: nobody else, the administrator of the system neither, opens names."""
    await intake.ask(name="Ada")
    async with officer(intake) as browser:
        for data in (
            {"by": "name", "text": "a", "reason": WHY},
            {"by": "name", "text": "Ada"},
            {"text": "x", "reason": WHY},
        ):
            assert (await browser.post(HERE, data=data)).status_code == 422
    async with officer(intake, Role.OFFICER, Role.COORDINATOR, Role.ANALYST, Role.ADMIN) as browser:
        assert (await browser.get(HERE)).status_code == 403
    assert await intake.one("SELECT count(*) FROM audit WHERE actor = 'person-1'") == 0


async def test_a_copy_is_made_for_a_reason_that_stands_in_it(intake: Intake) -> None:
    """Without one there is none."""
    asked = await intake.ask(name="Marked Ceridwen")
    page = f"{HERE}/requests/{asked['request_id']}/copy"
    async with officer(intake) as browser:
        assert (await browser.post(page, data={"kind": "json"})).status_code == 422
        answer = await browser.post(page, data={"kind": "json", "reason": WHY})
    copy = answer.json()
    assert copy["held"]["participant"][0]["sealed"]["name"] == "Marked Ceridwen"
    last = copy["held"]["audit"][-1]
    assert (last["action"], last["actor"], last["reason"]) == ("disclosed", "person-1", WHY)


async def test_she_is_erased_for_a_reason_after_a_page_that_says_what_goes(intake: Intake) -> None:
    """As if she had done it herself, with the officer's reason in the log; a look at the page erases nothing."""
    asked = await intake.ask()
    page = f"{HERE}/requests/{asked['request_id']}/erase"
    async with officer(intake) as browser:
        assert asked["reference"] in (await browser.get(page)).text
        assert (await browser.post(page, data={})).status_code == 422
        assert await intake.one("SELECT count(*) FROM participant") == 1
        done = await browser.post(page, data={"reason": WHY}, follow_redirects=True)
        assert "It is erased" in done.text
    assert await intake.one("SELECT count(*) FROM participant") == 0
    assert await intake.one("SELECT count(*) FROM participant_key") == 0
    assert await intake.published("participant-erased") == [{"request_id": asked["request_id"]}]
    row = (await intake.rows("SELECT actor, reason FROM audit WHERE action = 'erased'"))[0]
    assert (row["actor"], row["reason"]) == ("person-1", WHY)


async def test_the_copy_is_a_pdf_that_people_and_screen_readers_can_read(intake: Intake, tmp_path: Path) -> None:
    """Hers by her link, and the officer's: tagged, titled, in English, with all that the other copy has; what she typed
    cannot make it fetch anything."""
    if not can_be_made():
        lacks("Pango (libpango-1.0-0, libpangoft2-1.0-0, libharfbuzz-subset0)")
    if shutil.which("pdftotext") is None:
        lacks("pdftotext (poppler-utils)")
    trick = 'Marked <img src="file:///etc/passwd"><link rel=attachment href="file:///etc/hostname">'
    asked = await intake.ask(
        name="Marked Ceridwen",
        words=trick,
        contact={"email": "marked@example.com"},
        baseline={"safe-after-dark": "very-unsafe"},
    )
    link = f"/your-request/{intake.deps.keeping.vault.seal_text(PRIVATE_LINK, [FORCE, UUID(asked['request_id']).hex])}"
    async with intake.client() as she:
        page = await she.get(f"{link}/copy")
        assert 'value="pdf"' in page.text
        hers = await she.post(f"{link}/copy", data={"csrf_token": csrf_of(page), "kind": "pdf"})
    async with officer(intake) as browser:
        theirs = await browser.post(
            f"{HERE}/requests/{asked['request_id']}/copy", data={"kind": "pdf", "reason": "Marked reason"}
        )
    for name, answer in (("hers", hers), ("theirs", theirs)):
        assert answer.headers["content-type"] == "application/pdf" and answer.headers["cache-control"] == "no-store"
        file = tmp_path / f"{name}.pdf"
        file.write_bytes(answer.content)
        text = await asyncio.to_thread(read, "pdftotext", "-layout", str(file), "-")
        for mark in (
            "Marked Ceridwen",
            "marked@example.com",
            asked["reference"],
            "unsafe",
            "Who looked at your details",
        ):
            assert mark in text, mark
        assert 'src="file:///etc/passwd"' in "".join(text.split()) and "root:" not in text
        told = await asyncio.to_thread(read, "pdfinfo", str(file))
        assert re.search(r"Tagged:\s+yes", told) and re.search(r"Title:\s+A copy of what we hold about you", told)
        assert (await asyncio.to_thread(read, "pdfdetach", "-list", str(file))).startswith("0 embedded files")
    assert "Marked reason" in await asyncio.to_thread(read, "pdftotext", "-layout", str(tmp_path / "theirs.pdf"), "-")


async def test_her_copy_on_paper_is_in_her_language(database: ServiceDatabaseMaker, tmp_path: Path) -> None:
    """Of a woman who is written to in Welsh the officer gets what she gets herself: every name on it is Welsh, and each
    sentence that is ours. What she typed stays as she typed it."""
    if not can_be_made():
        lacks("Pango (libpango-1.0-0, libpangoft2-1.0-0, libharfbuzz-subset0)")
    async with intake_service(database, forces_dir=forces_folder(tmp_path, WELSH)) as intake:
        asked = await intake.ask(name="Ceridwen", words="Tywyll iawn", language="cy")
        english = await intake.ask(name="Ada", contact={"email": "other@example.com"})
        policy, pages = intake.deps.policies[FORCE], intake.app.state.pages
        for request_id, language, said in (
            (
                asked["request_id"],
                "cy",
                ("Copi o’r hyn sydd gennym", "Rheolau, dulliau", "Ie", "dydd Llun", "Tywyll iawn"),
            ),
            (english["request_id"], "en", ("A copy of what we hold", "Rules, channels", "Yes", "Monday")),
        ):
            async with intake.database.web.transaction([FORCE]) as tx:
                found = await copy_of_all(
                    tx, FORCE, UUID(request_id), "person-1", WHY, intake.now, keeping=intake.deps.keeping
                )
            assert paper.language_of(found, policy) == language
            with pages.languages.speaking(language):
                text = paper.written(pages, found, policy.in_language(language))
            assert f'<html lang="{language}">' in text
            assert [one for one in said if one not in text] == []
            assert names_of(found["held"]) - set(paper.NAMES) == set()
        async with officer(intake) as browser:
            page = f"{HERE}/requests/{asked['request_id']}/copy"
            answer = await browser.post(page, data={"kind": "pdf", "reason": WHY})
        assert answer.headers["content-type"] == "application/pdf"


def names_of(held: Any) -> set[str]:
    """What everything in a copy is called, as it is put on paper; codes of questions are none."""
    match held:
        case dict():
            own = {name.replace("_", " ") for name in held if name not in (*EXPORTED, "sealed", "sending")}
            return own.union(*(names_of(one) for name, one in held.items() if name != "answers"))
        case list():
            return set().union(*map(names_of, held))
    return set()


def read(*command: str) -> str:
    """What one of poppler's programs says of a file."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
