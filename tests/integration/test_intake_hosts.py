"""A force under a host name of its own: what is there and what is not, and names that are none of ours."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from services.intake.app import build
from services.intake.handlers import hers
from services.intake.store import requests as request_rows
from shared.policies import PolicyFault
from tests.integration.test_intake_pages import csrf_of
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.forces_folder import forces_folder
from tests.servers.intake_service import FORCE, Intake, intake_service, settings_of
from tests.servers.welsh import WELSH

OTHER: Final = "metropolitan"
OWN: Final = "walks.avon.example.police.uk"
ITS_OTHER: Final = "old-name.avon.example.police.uk"
ABROAD: Final = "walks.met.example.police.uk"
SHARED: Final = "localhost"
HOSTS: Final[dict[str, dict[str, Any]]] = {FORCE: {"hosts": [OWN, ITS_OTHER]}, OTHER: {"hosts": [ABROAD]}}


@pytest.fixture
async def intake(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[Intake]:
    async with intake_service(database, forces_dir=forces_folder(tmp_path, HOSTS)) as service:
        yield service


def at(intake: Intake, name: str) -> httpx.AsyncClient:
    """A browser that asks by this name."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(intake.app), base_url=f"http://{name}:8001")


async def link_of(intake: Intake, request_id: str) -> str:
    """The private link of a request, as a message has it."""
    async with intake.database.web.transaction([FORCE, OTHER]) as tx:
        held = (await request_rows.requests(tx, [UUID(request_id)]))[UUID(request_id)].held
    return hers.private_link(intake.deps.keeping, held)


@pytest.mark.parametrize("name", [OWN, ITS_OTHER, OWN.upper(), f"{OWN}."])
async def test_name_of_a_force_leads_to_its_first_page(intake: Intake, name: str) -> None:
    """Nobody chooses a force there; the link of a campaign keeps its code."""
    async with at(intake, name) as client:
        assert (await client.get("/")).headers["location"] == f"/{FORCE}/"
        assert (await client.get("/?from=library-posters")).headers["location"] == f"/{FORCE}/?from=library-posters"
        assert "Avon and Somerset Police" in (await client.get(f"/{FORCE}/")).text


async def test_logo_of_a_force_is_on_its_pages_and_under_its_name(
    database: ServiceDatabaseMaker, tmp_path: Path
) -> None:
    """Said in the language of the page; kept by browsers under an address that changes with the picture; what stands
    in it runs nothing, however it is opened; a force without one has none."""
    welsh = {"cy": {**WELSH[FORCE]["translations"]["cy"], "logo": "Heddlu Avon a Gwlad yr Haf"}}
    logo = {"file": "logo.svg", "text": "Avon and Somerset Police"}
    chosen = {**HOSTS[FORCE], **WELSH[FORCE], "translations": welsh, "logo": logo}
    folder = forces_folder(tmp_path, {FORCE: chosen})
    addresses = set()
    for fill in ("red", "blue"):
        picture = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z" fill="{fill}"/></svg>'
        (folder / FORCE / "logo.svg").write_text(picture)
        async with intake_service(database, forces_dir=folder) as intake, at(intake, OWN) as own:
            for before, said in (("", "Avon and Somerset Police"), ("/cy", "Heddlu Avon a Gwlad yr Haf")):
                page = (await own.get(f"{before}/{FORCE}/")).text
                [(address, alt)] = re.findall(r'<img class="walk-logo" src="([^"]+)" alt="([^"]+)">', page)
                assert alt == said
                addresses.add(address)
            shown = await own.get(unescape(address))
            assert (shown.status_code, shown.text) == (200, picture)
            assert shown.headers["content-type"].startswith("image/svg+xml")
            assert "immutable" in shown.headers["cache-control"]
            assert shown.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in shown.headers["content-security-policy"]
            async with at(intake, SHARED) as shared:
                assert (await shared.get(unescape(address))).text == picture
                assert "walk-logo" not in (await shared.get(f"/{OTHER}/")).text
                for nobodys in ("/logo", f"/logo?force={OTHER}", "/logo?force=nobody"):
                    assert (await shared.get(nobodys)).status_code == 404
    assert len(addresses) == 2


async def test_nothing_of_another_force_is_under_a_forces_name(intake: Intake) -> None:
    """Its pages are not found there, whichever page it is; under the shared name both are."""
    for path in ("", "request/before", "request/eligibility", "request/elsewhere", "request/done"):
        async with at(intake, OWN) as own, at(intake, SHARED) as shared:
            assert (await own.get(f"/{OTHER}/{path}")).status_code == 404
            assert (await own.get(f"/{FORCE}/{path}")).status_code != 404
            for force in (FORCE, OTHER):
                assert (await shared.get(f"/{force}/{path}")).status_code != 404


@pytest.mark.parametrize(
    "path",
    ["/signin", "/me", "/signed-out", "/staff/letters", "/staff/campaigns", "/docs", "/openapi.json", "/asyncapi"],
)
async def test_nothing_for_staff_is_under_a_forces_name(intake: Intake, path: str) -> None:
    """Staff sign in at the one shared name."""
    async with at(intake, OWN) as own, at(intake, SHARED) as shared:
        assert (await own.get(path)).status_code == 404
        assert (await shared.get(path)).status_code != 404


@pytest.mark.parametrize(
    "name",
    [
        "elsewhere.example",
        f"{OWN}.elsewhere.example",
        f"elsewhere.example@{OWN}",
        f"x{OWN}",
        "localhost.elsewhere.example",
        "",
        "[::1",
    ],
)
async def test_name_that_is_none_of_ours_is_refused(intake: Intake, name: str) -> None:
    """421 for page and call alike, without repeating it; whoever runs the containers still asks after health."""
    async with at(intake, SHARED) as client:
        for path in (f"/{FORCE}/", "/", "/signin"):
            answer = await client.get(path, headers={"Host": name})
            assert answer.status_code == 421
            assert "elsewhere" not in answer.text + str(answer.headers)
        assert (await client.get("/health/live", headers={"Host": name})).status_code == 200


async def test_two_names_at_once_are_refused(intake: Intake) -> None:
    """A proxy in front may have gone by the other one."""
    async with at(intake, SHARED) as client:
        both = [("Host", SHARED), ("Host", "elsewhere.example")]
        assert (await client.get(f"/{FORCE}/", headers=both)).status_code == 421


async def test_links_in_messages_have_the_forces_own_name(intake: Intake) -> None:
    """The first of its names, whatever the asker said of hosts; the path is the same as under the shared one."""
    for said in (
        {"Host": f"{ITS_OTHER}:8001"},
        {"X-Forwarded-Host": "elsewhere.example"},
        {"Forwarded": "host=elsewhere"},
    ):
        async with at(intake, SHARED) as client:
            page = await client.get(f"/{FORCE}/", headers=said)
            assert "elsewhere" not in page.text
    asked = await intake.ask()
    assert (await link_of(intake, asked["request_id"])).startswith(f"http://{OWN}:8001/your-request/")
    assert intake.deps.where_to_ask(FORCE) == f"http://{OWN}:8001/{FORCE}/"


async def test_private_link_opens_under_its_forces_names_and_the_shared_one(intake: Intake) -> None:
    """Links sent before a force had a name of its own lead to her page; under another force's name they do not."""
    asked = await intake.ask()
    path = (await link_of(intake, asked["request_id"])).removeprefix(f"http://{OWN}:8001")
    for name, status in ((OWN, 200), (ITS_OTHER, 200), (SHARED, 200), (ABROAD, 404)):
        async with at(intake, name) as client:
            assert (await client.get(path)).status_code == status, name


async def test_cookies_stay_with_one_name(intake: Intake) -> None:
    """No cookie names a domain, so that one force's name never sees another's; a form of one is forged at the other."""
    async with at(intake, OWN) as client:
        page = await client.get(f"/{FORCE}/request/eligibility")
        given = {"adult": "yes", "csrf_token": csrf_of(page)}
        foreign = {"Origin": f"http://{ABROAD}:8001"}
        assert (await client.post(f"/{FORCE}/request/eligibility", data=given, headers=foreign)).status_code == 403
        kept = await client.post(f"/{FORCE}/request/eligibility", data=given, headers={"Origin": f"http://{OWN}:8001"})
        assert kept.status_code == 303
        cookies = [*page.headers.get_list("set-cookie"), *kept.headers.get_list("set-cookie")]
        assert cookies
        assert not [one for one in cookies if "domain" in one.lower()]


async def handed_over(client: httpx.AsyncClient) -> httpx.Response:
    """Fill in up to a place of the other force, and agree to go there."""
    token = csrf_of(await client.get(f"/{FORCE}/request/eligibility"))
    answer = httpx.Response(500)
    for page, given in (
        ("eligibility", {"adult": "yes"}),
        ("who", {"who": "herself"}),
        ("place", {"postcode": "SE1 7PB"}),
        ("elsewhere/hand-over", {}),
    ):
        answer = await client.post(f"/{FORCE}/request/{page}", data={**given, "csrf_token": token})
    return answer


async def test_form_is_handed_over_to_another_name(intake: Intake) -> None:
    """In the body of a form to exactly that name; there she goes on with all she typed."""
    async with at(intake, OWN) as here, at(intake, ABROAD) as there:
        page = await handed_over(here)
        assert page.status_code == 200
        action = f"http://{ABROAD}:8001/{OTHER}/request/take-over"
        assert f'action="{action}"' in page.text
        assert f"form-action 'self' http://{ABROAD}:8001;" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "origin"
        found = re.search(r'name="sitting" value="([\w-]+)"', page.text)
        assert found is not None
        sitting = {"sitting": found[1]}
        for origin in ({}, {"Origin": "null"}, {"Origin": "http://elsewhere.example"}):
            assert (await there.post(action, data=sitting, headers=origin)).status_code == 403
        arrived = await there.post(action, data=sitting, headers={"Origin": f"http://{OWN}:8001"})
        assert arrived.headers["location"] == f"/{OTHER}/request/eligibility?change=1"
        given = {"adult": "yes", "csrf_token": csrf_of(await there.get(f"/{OTHER}/request/eligibility"))}
        answer = await there.post(f"/{OTHER}/request/eligibility?change=1", data=given)
        assert answer.headers["location"].startswith(f"/{OTHER}/request/way")
        assert 'value="SE1 7PB"' in (await there.get(f"/{OTHER}/request/place")).text
        assert (await here.get(f"/{FORCE}/request/place")).headers["location"] == f"/{FORCE}/"


async def test_made_up_form_is_taken_over_by_nobody(intake: Intake) -> None:
    """Neither a made-up token nor the token of the first force's form begins anything."""
    async with at(intake, ABROAD) as there:
        for given in ({"sitting": "a" * 43}, {"sitting": ""}, {}):
            answer = await there.post(
                f"/{OTHER}/request/take-over", data=given, headers={"Origin": f"http://{OWN}:8001"}
            )
            assert answer.headers["location"] == f"/{OTHER}/"
            assert "set-cookie" not in answer.headers


async def test_name_that_all_share_is_no_forces_own(database: ServiceDatabaseMaker, tmp_path: Path) -> None:
    """Told at start, with what to change."""
    folder = forces_folder(tmp_path, HOSTS)
    settings = settings_of(await database("intake"), forces_dir=folder, intake_url=f"https://{OWN}")
    with pytest.raises(PolicyFault, match=f"{FORCE}: hosts: {OWN} is the name of every force"):
        build(settings)
