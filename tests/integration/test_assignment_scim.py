"""The register kept by an identity provider: real requests of Entra ID, Okta and Keycloak against the real service."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.assignment.app import build
from services.assignment.dependencies import Dependencies
from services.assignment.domain.people import Officer
from services.assignment.domain.telling import Choice, Rhythm
from services.assignment.handlers import telling
from services.assignment.store import officers as officer_rows
from services.assignment.store import walks as walk_rows
from shared.database import Query
from shared.policies import PolicyFault
from shared.web.access import TABLES, Open, Role
from shared.web.session import User
from tests.servers.assignment_service import COORDINATOR, FORCE, OFFICER, ask_for_a_walk, assignment_settings
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.provisioning import (
    ENTERPRISE,
    GROUP,
    OTHER_TOKEN,
    PATCH,
    TOKEN,
    USER,
    entra_user,
    keycloak_user,
    okta_user,
    operations,
    provider,
    tokens_file,
)
from tests.servers.visitors import visitor


@pytest.fixture
async def app(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[FastAPI]:
    service = await database("assignment")
    made = build(assignment_settings(service, tmp_path, scim_tokens_file=tokens_file(tmp_path)))
    async with made.router.lifespan_context(made):
        await deps_of(made).take_registers()
        yield made


def deps_of(app: FastAPI) -> Dependencies:
    return cast(Dependencies, app.state.dependencies)


async def entry(app: FastAPI, officer_id: str) -> Officer | None:
    async with deps_of(app).database.transaction([FORCE]) as tx:
        return (await officer_rows.officers_by_id(tx, [(FORCE, officer_id)])).get((FORCE, officer_id))


async def made(client: httpx.AsyncClient, what: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/{what}", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"] == "application/scim+json"
    assert answer.headers["location"] == answer.json()["meta"]["location"]
    return cast(dict[str, Any], answer.json())


async def test_somebody_whom_entra_creates_is_on_the_register(app: FastAPI) -> None:
    """With kind and team from its mapping, her name as it is spelled, her work address, and no training yet."""
    async with provider(app) as client:
        # Its test of the connection, and its look before each creation.
        empty = (await client.get("/Users", params={"filter": f'userName eq "{uuid4()}"'})).json()
        assert (empty["totalResults"], empty["Resources"]) == (0, [])
        sent = await made(client, "Users", entra_user("pc-4711"))
        shown = (await client.get(f"/Users/{sent['id']}")).json()
    assert shown == sent
    assert (shown["userName"], shown["active"], shown["externalId"]) == (
        "pc-4711@avon-and-somerset.example",
        True,
        "pc-4711",
    )
    assert "phoneNumbers" not in shown and "employeeNumber" not in shown[ENTERPRISE]
    officer = await entry(app, "pc-4711")
    assert officer is not None
    assert (officer.name, officer.kind, officer.team_id) == ("PC Siân Llŷr-Jones", "officer", "bs1")
    assert (officer.trained_on, officer.active) == (None, True)
    assert officer.email == "pc-4711@avon-and-somerset.example"


CHANGES: list[tuple[str, dict[str, Any], str, Any]] = [
    (
        "Entra, name and address",
        operations(
            {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@avon.example"},
            {"op": "Replace", "path": "displayName", "value": "PC Siân Llŷr"},
        ),
        "email",
        "new@avon.example",
    ),
    (
        "Entra, a part of the name",
        operations({"op": "Replace", "path": "name.familyName", "value": "Morgan"}),
        "name",
        "PC Siân Llŷr-Jones",
    ),
    ("Entra, off", operations({"op": "Replace", "path": "active", "value": False}), "active", False),
    ("Entra of old, off in words", operations({"op": "Replace", "path": "active", "value": "False"}), "active", False),
    ("Entra, off without a path", operations({"op": "replace", "value": {"active": False}}), "active", False),
    (
        "Entra of old, keys with dots",
        operations(
            {
                "op": "replace",
                "value": {
                    "displayName": "PC Bjfe",
                    "name.givenName": "Kjfe",
                    "active": "False",
                    f"{ENTERPRISE}:department": "bs5",
                },
            }
        ),
        "team_id",
        "bs5",
    ),
    (
        "Entra, department by its whole path",
        operations({"op": "Add", "path": f"{ENTERPRISE}:department", "value": "BS5"}),
        "team_id",
        "bs5",
    ),
    (
        "Entra, manager nobody keeps",
        operations(
            {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "2819c223-7f76-453a-919d-413861904646"},
            {"op": "Add", "path": "title", "value": "Sergeant"},
        ),
        "team_id",
        "bs1",
    ),
    (
        "Entra, extension as an object",
        operations({"op": "Add", "value": {ENTERPRISE: {"department": "bs2", "costCenter": "9"}}}),
        "team_id",
        "bs2",
    ),
    ("Okta, off", operations({"op": "replace", "value": {"active": False}}), "active", False),
    ("kind", operations({"op": "replace", "path": "userType", "value": "PCSO"}), "kind", "pcso"),
    (
        "kind in words",
        operations({"op": "replace", "path": "userType", "value": "Dedicated ward officer"}),
        "kind",
        "dedicated-ward-officer",
    ),
    (
        "a kind nobody knows changes nothing",
        operations({"op": "replace", "path": "userType", "value": "Sergeant"}),
        "kind",
        "officer",
    ),
    (
        "a team nobody knows changes nothing",
        operations({"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Press office"}),
        "team_id",
        "bs1",
    ),
    ("names in any case", operations({"OP": "Replace", "PATH": "ACTIVE", "VALUE": "false"}), "active", False),
    (
        "an address of a kind that was never there",
        operations({"op": "Replace", "path": 'emails[type eq "home"].value', "value": "h@avon.example"}),
        "email",
        "pc-4711@avon-and-somerset.example",
    ),
]


@pytest.mark.parametrize(
    ("body", "field", "expected"), [each[1:] for each in CHANGES], ids=[each[0] for each in CHANGES]
)
async def test_a_change_reaches_the_register(app: FastAPI, body: dict[str, Any], field: str, expected: Any) -> None:
    """As each provider writes it."""
    async with provider(app) as client:
        sent = await made(client, "Users", entra_user("pc-4711"))
        answer = await client.patch(f"/Users/{sent['id']}", json=body)
        assert answer.status_code == 200, answer.text
    officer = await entry(app, "pc-4711")
    assert officer is not None and getattr(officer, field) == expected


async def test_okta_and_keycloak_send_people_whole(app: FastAPI) -> None:
    """With too little for an entry they are kept, and walk nowhere until they are placed. PUT replaces."""
    async with provider(app) as client:
        okta = await made(client, "Users", okta_user())
        keycloak = await made(client, "Users", keycloak_user())
        assert "password" not in okta and okta["displayName"] == "Test User"
        asked = {"filter": 'userName eq "TEST.user@okta.local"', "startIndex": "1", "count": "100"}
        found = (await client.get("/Users", params=asked)).json()
        assert [each["id"] for each in found["Resources"]] == [okta["id"]]
        assert await entry(app, keycloak["externalId"]) is None
        whole = keycloak_user(userType="pcso", id=keycloak["id"]) | {ENTERPRISE: {"department": "BS2"}}
        answer = await client.put(f"/Users/{keycloak['id']}", json=whole)
        assert answer.status_code == 200 and answer.json()["userType"] == "pcso"
        placed = await entry(app, keycloak["externalId"])
        assert placed is not None and (placed.kind, placed.team_id) == ("pcso", "bs2")
        del whole["displayName"]
        assert "displayName" not in (await client.put(f"/Users/{keycloak['id']}", json=whole)).json()


async def test_groups_called_like_teams_say_who_walks_there(app: FastAPI) -> None:
    """Created, filled and emptied as Entra, Okta and Keycloak do it; a group of another name changes nothing."""
    async with provider(app) as client:
        somebody = await made(client, "Users", entra_user("pc-4711"))
        member = somebody["id"]
        entra = {
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
            "displayName": "BS7",
            "members": [],
            "meta": {"resourceType": "Group"},
        }
        group = await made(client, "Groups", entra)
        at = f"/Groups/{group['id']}"

        async def walks_for(*body: dict[str, Any]) -> set[str]:
            answer = await client.patch(at, json=operations(*body))
            assert answer.status_code == 204, answer.text
            officer = await entry(app, "pc-4711")
            assert officer is not None and officer.team_id == "bs1"
            return set(officer.team_ids)

        added = {"op": "Add", "path": "members", "value": [{"$ref": None, "value": member}]}
        assert await walks_for(added) == {"bs1", "bs7"}
        assert await walks_for(added) == {"bs1", "bs7"}
        shown = (await client.get(f"/Users/{member}")).json()["groups"]
        assert [(each["value"], each["display"]) for each in shown] == [(group["id"], "BS7")]
        without = (await client.get(at, params={"excludedAttributes": "members"})).json()
        assert "members" not in without and without["displayName"] == "BS7"
        asked = {"excludedAttributes": "members", "filter": 'displayName eq "bs7"'}
        assert (await client.get("/Groups", params=asked)).json()["totalResults"] == 1
        asked = {"filter": f'id eq "{group["id"]}" and members eq "{member}"'}
        assert (await client.get("/Groups", params=asked)).json()["totalResults"] == 1
        # Renamed, it is another team's.
        renamed = {"op": "Replace", "path": "displayName", "value": "bs8"}
        assert await walks_for(renamed) == {"bs1", "bs8"}
        okta_renamed = {"op": "replace", "value": {"id": group["id"], "displayName": "Press office"}}
        assert "bs7" not in await walks_for(okta_renamed)
        assert await walks_for(renamed) == {"bs1", "bs8"}
        nobody = {"op": "remove", "path": f'members[value eq "{uuid4()}"]'}
        assert await walks_for(nobody) == {"bs1", "bs8"}
        await walks_for(
            {"op": "remove", "path": f'members[value eq "{member}"]'},
            {"op": "add", "path": "members", "value": [{"value": member, "display": "PC"}]},
        )
        assert (await client.get(at)).json()["members"][0]["value"] == member
        # Entra names in `value` who is to go; by the standard everybody would.
        second = await made(client, "Users", entra_user("pc-4712"))
        await walks_for({"op": "Add", "path": "members", "value": [{"value": second["id"]}]})
        await walks_for({"op": "Remove", "path": "members", "value": [{"$ref": None, "value": second["id"]}]})
        assert [each["value"] for each in (await client.get(at)).json()["members"]] == [member]
        await walks_for({"op": "remove", "path": "members"})
        assert (await client.get(at)).json()["members"] == []
        keycloak = {
            "schemas": [GROUP],
            "displayName": "bs9",
            "externalId": "k",
            "members": [{"value": member, "$ref": f"Users/{member}"}],
        }
        answer = await client.put(at, json=keycloak)
        assert answer.status_code == 200 and [each["value"] for each in answer.json()["members"]] == [member]
        assert await walks_for(renamed) == {"bs1", "bs8"}
        assert (await client.delete(at)).status_code == 204
        assert (await client.get(at)).status_code == 404
        assert (await client.get("/Groups")).json()["totalResults"] == 0


REFUSED: list[tuple[str, str, str, Any, int, str | None]] = [
    ("no userName", "POST", "/Users", {"schemas": [USER]}, 400, "invalidValue"),
    ("no object", "POST", "/Users", [], 400, "invalidSyntax"),
    ("no JSON", "POST", "/Users", b"{", 400, "invalidSyntax"),
    ("too deep", "POST", "/Users", b"[" * 200_000, 400, "invalidSyntax"),
    ("userName is a number", "POST", "/Users", {"userName": 7}, 400, "invalidValue"),
    (
        "taken by userName",
        "POST",
        "/Users",
        entra_user("other", userName="PC-4711@avon-and-somerset.example"),
        409,
        "uniqueness",
    ),
    ("taken by externalId", "POST", "/Users", entra_user("pc-4711", userName="other"), 409, "uniqueness"),
    ("nobody", "GET", f"/Users/{uuid4()}", None, 404, None),
    ("nobody, no id at all", "GET", "/Users/me", None, 404, None),
    (
        "nobody to change",
        "PATCH",
        f"/Users/{uuid4()}",
        operations({"op": "add", "path": "title", "value": "x"}),
        404,
        None,
    ),
    ("nobody to delete", "DELETE", f"/Users/{uuid4()}", None, 404, None),
    ("no group", "PATCH", f"/Groups/{uuid4()}", operations({"op": "add", "path": "members", "value": []}), 404, None),
    ("no operations", "PATCH", "/Users/{id}", {"schemas": [PATCH]}, 400, "invalidSyntax"),
    (
        "unknown operation",
        "PATCH",
        "/Users/{id}",
        operations({"op": "move", "path": "active", "value": True}),
        400,
        "invalidSyntax",
    ),
    ("removal of everything", "PATCH", "/Users/{id}", operations({"op": "remove"}), 400, "noTarget"),
    (
        "unreadable path",
        "PATCH",
        "/Users/{id}",
        operations({"op": "add", "path": "emails[type", "value": "x"}),
        400,
        "invalidPath",
    ),
    (
        "active is maybe",
        "PATCH",
        "/Users/{id}",
        operations({"op": "replace", "path": "active", "value": "maybe"}),
        400,
        "invalidValue",
    ),
    ("userName removed", "PATCH", "/Users/{id}", operations({"op": "remove", "path": "userName"}), 400, "mutability"),
    (
        "a name of 300 characters",
        "PATCH",
        "/Users/{id}",
        operations({"op": "replace", "path": "displayName", "value": "x" * 300}),
        400,
        "invalidValue",
    ),
    (
        "1,001 operations",
        "PATCH",
        "/Users/{id}",
        operations(*[{"op": "add", "path": "title", "value": "x"}] * 1001),
        413,
        "tooMany",
    ),
    ("filter by like", "GET", '/Users?filter=userName co "pc"', None, 400, "invalidFilter"),
    ("filter by or", "GET", '/Users?filter=userName eq "a" or userName eq "b"', None, 400, "invalidFilter"),
    ("filter by something else", "GET", '/Users?filter=title eq "x"', None, 400, "invalidFilter"),
    ("filter of SQL", "GET", "/Users?filter=userName eq '' OR 1=1", None, 400, "invalidFilter"),
    ("startIndex in words", "GET", "/Users?startIndex=one", None, 400, "invalidValue"),
    (
        "a member that is no id",
        "POST",
        "/Groups",
        {"displayName": "x", "members": [{"value": "pc-4711"}]},
        400,
        "invalidValue",
    ),
    ("a group without a name", "POST", "/Groups", {"members": []}, 400, "invalidValue"),
    ("no such schema", "GET", "/Schemas/urn:x", None, 404, None),
    ("no such type", "GET", "/ResourceTypes/Device", None, 404, None),
]


async def test_what_cannot_be_is_refused_as_the_standard_says(app: FastAPI) -> None:
    """Status, scimType and a sentence that repeats nothing that was sent; and nothing has changed."""
    async with provider(app) as client:
        there = await made(client, "Users", entra_user("pc-4711"))
        for what, method, path, body, status, kind in REFUSED:
            content = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
            answer = await client.request(method, path.replace("{id}", there["id"]), **content)
            assert answer.status_code == status, (what, answer.text)
            assert answer.headers["content-type"] == "application/scim+json", what
            told = answer.json()
            assert told["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"], what
            assert (told["status"], told.get("scimType")) == (str(status), kind), what
            assert "4711" not in told["detail"], what
        assert (await client.get(f"/Users/{there['id']}")).json() == there
        assert (await client.get("/Users")).json()["totalResults"] == 1


async def test_lists_come_in_pages(app: FastAPI) -> None:
    """From one, with the total; less than the first is the first, and none may be asked for."""
    async with provider(app) as client:
        ids = [
            (await made(client, "Users", okta_user(f"u{number}", userName=f"u{number}")))["id"] for number in range(5)
        ]

        async def page(**asked: int) -> tuple[list[int], int, int]:
            found = (await client.get("/Users", params=asked)).json()
            assert found["itemsPerPage"] == len(found["Resources"])
            return [ids.index(each["id"]) for each in found["Resources"]], found["startIndex"], found["totalResults"]

        assert await page() == ([0, 1, 2, 3, 4], 1, 5)
        assert await page(startIndex=2, count=2) == ([1, 2], 2, 5)
        assert await page(startIndex=0, count=1) == ([0], 1, 5)
        assert await page(startIndex=9, count=2) == ([], 9, 5)
        assert await page(count=0) == ([], 1, 5)
        assert await page(count=-3) == ([], 1, 5)
        assert await page(startIndex=-5, count=10**12) == ([0, 1, 2, 3, 4], 1, 5)
        few = (await client.get("/Users", params={"attributes": "userName"})).json()["Resources"][0]
        assert set(few) == {"schemas", "id", "userName"}


async def test_without_the_token_of_a_force_nothing_is_told(app: FastAPI) -> None:
    """Not of another force, not of nobody, not of a member of staff; a force sees its own people alone."""
    async with provider(app) as client, provider(app, OTHER_TOKEN) as other:
        there = await made(client, "Users", entra_user("pc-4711"))
        assert (await other.get(f"/Users/{there['id']}")).status_code == 404
        assert (await other.get("/Users")).json()["totalResults"] == 0
        assert (await other.delete(f"/Users/{there['id']}")).status_code == 404
        await made(other, "Users", entra_user("pc-4711"))
    for token in (None, "", TOKEN[:-1], f"{TOKEN} ".upper(), "x" * 40_000):
        async with provider(app, token) as stranger:
            for path in (
                "/Users",
                "/Groups",
                "/ServiceProviderConfig",
                "/Schemas",
                "/ResourceTypes",
                f"/Users/{there['id']}",
            ):
                answer = await stranger.get(path)
                assert (answer.status_code, answer.headers.get("www-authenticate")) == (401, "Bearer"), (token, path)
                assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
            assert (await stranger.post("/Users", json=okta_user())).status_code == 401
    async with visitor(app, COORDINATOR) as client:
        assert (await client.get("/scim/v2/Users")).status_code == 401
    digests = tuple(digest for _, digest in deps_of(app).scim_tokens)
    assert TOKEN.encode() not in digests and all(len(digest) == 32 for digest in digests)


async def test_an_identity_provider_learns_what_there_is(app: FastAPI) -> None:
    """What is supported, and every attribute that is kept."""
    async with provider(app) as client:
        config = (await client.get("/ServiceProviderConfig")).json()
        assert config["patch"]["supported"] and config["filter"]["supported"] and not config["bulk"]["supported"]
        assert {each["id"] for each in (await client.get("/ResourceTypes")).json()["Resources"]} == {"User", "Group"}
        schemas = {each["id"]: each for each in (await client.get("/Schemas")).json()["Resources"]}
        assert set(schemas) == {USER, ENTERPRISE, GROUP}
        kept = {each["name"] for each in schemas[USER]["attributes"]}
        sent = await made(client, "Users", entra_user("pc-4711"))
        assert set(sent) - {"schemas", "id", "meta", ENTERPRISE} == kept
        for uri, schema in schemas.items():
            assert (await client.get(f"/Schemas/{uri}")).json() == schema


async def trained(app: FastAPI, officer_id: str) -> None:
    await run(
        app,
        "UPDATE officer SET trained_on = '2026-01-05', trained_elsewhere_on = '2026-01-05' WHERE id = $1",
        officer_id,
    )


async def run(app: FastAPI, sql: str, *arguments: Any) -> list[dict[str, Any]]:
    async with deps_of(app).database.transaction([FORCE]) as tx:
        return [dict(row) for row in await tx.fetch(Query("run", "", sql), *arguments)]


OFF: dict[str, Any] = {
    "off": operations({"op": "replace", "value": {"active": False}}),
    "deleted": None,
}


@pytest.mark.parametrize("how", OFF)
async def test_whoever_is_off_loses_everything_at_once(app: FastAPI, how: str) -> None:
    """Walks go back to the queue, follow-ups to a coordinator, and the session that is still open is worth nothing."""
    first, second = await ask_for_a_walk(deps_of(app)), await ask_for_a_walk(deps_of(app))
    leaver = User("pc-4711", "PC Siân Llŷr-Jones", frozenset({Role.OFFICER, Role.COORDINATOR}), FORCE, "bs1")
    async with provider(app) as idp, visitor(app, leaver) as client, visitor(app, OFFICER) as colleague:
        there = await made(idp, "Users", entra_user("pc-4711"))
        await trained(app, "pc-4711")
        for walk_id in (first, second):
            taken = await client.post(f"/api/v1/walks/{walk_id}/take", json={})
            assert taken.status_code == 200, taken.text
        starts_at = "2027-01-11T10:00:00Z"
        arranged = await client.post(
            f"/api/v1/walks/{first}/arrange", json={"starts_at": starts_at, "meeting_place": "The library"}
        )
        assert arranged.status_code == 200, arranged.text
        at = f"/Users/{there['id']}"
        answer = await (idp.delete(at) if OFF[how] is None else idp.patch(at, json=OFF[how]))
        assert answer.status_code in (200, 204), answer.text
        for path in ("/", "/queue", f"/walks/{first}", "/api/v1/walks", "/triage"):
            assert (await client.get(path)).status_code == 403, path
        queue = (await colleague.get("/api/v1/walks?state=routed")).json()["walks"]
        assert {each["walk_id"] for each in queue} == {first, second}
        assert all(each["officer_id"] is None and each["starts_at"] is None for each in queue)
        again = await colleague.post(f"/api/v1/walks/{first}/take", json={})
        assert again.status_code == 200, again.text
        told = await run(app, "SELECT type FROM outbox_log WHERE key = $1 ORDER BY position", first)
        assert [each["type"].split(".")[-2] for each in told][-2:] == ["walk-routed", "walk-taken"]
        # And cannot be given a walk by somebody else either.
        async with visitor(app, COORDINATOR) as coordinator:
            given = await coordinator.post(f"/api/v1/walks/{second}/take", json={"officer_id": "pc-4711"})
            assert given.status_code == 403, given.text
        # Who comes back may work again, and has to take walks anew.
        if OFF[how] is None:
            await made(idp, "Users", entra_user("pc-4711"))
        else:
            await idp.patch(at, json=operations({"op": "Replace", "path": "active", "value": "True"}))
        assert (await client.get("/")).status_code == 200
        assert (await client.post(f"/api/v1/walks/{second}/take", json={})).status_code == 200


async def test_a_coordinator_who_is_off_loses_everything_too(app: FastAPI) -> None:
    """Without an entry on the register: the identity provider's word is enough."""
    async with provider(app) as idp, visitor(app, COORDINATOR) as client:
        there = await made(idp, "Users", okta_user(COORDINATOR.sub))
        assert (await client.get("/")).status_code == 200
        await idp.patch(f"/Users/{there['id']}", json=operations({"op": "replace", "value": {"active": False}}))
        assert (await client.get("/")).status_code == 403
        assert (await client.get("/api/v1/walks")).status_code == 403


async def test_what_the_identity_provider_did_is_in_the_log_of_the_force(app: FastAPI) -> None:
    """By the officer's id, without a name; and its token in no line."""
    async with provider(app) as client:
        there = await made(client, "Users", entra_user("pc-4711"))
        await client.delete(f"/Users/{there['id']}")
    lines = await run(
        app, "SELECT actor, action, subject, reason FROM audit WHERE actor = 'identity-provider' ORDER BY id"
    )
    assert [(each["action"], each["subject"]) for each in lines] == [("altered", "officer pc-4711")] * 2
    assert "Llŷr" not in str(lines) and TOKEN not in str(lines)
    (row,) = await run(app, "SELECT document, active FROM scim_user")
    assert (row["document"], row["active"]) == ({}, False)


@pytest.mark.parametrize(
    ("text", "fault"),
    [("atlantis " + "0" * 64, "atlantis: is no force served here"), ("avon-and-somerset secret", "line 1 must be")],
)
async def test_a_wrong_file_of_tokens_stops_the_start(
    database: ServiceDatabaseMaker, tmp_path: Path, text: str, fault: str
) -> None:
    """Rather than leave a force without its door, or a token in plain text in a file."""
    file = tmp_path / "wrong"
    file.write_text(text)
    service = await database("assignment")
    with pytest.raises((PolicyFault, ValueError), match=fault):
        build(assignment_settings(service, tmp_path, scim_tokens_file=file))


async def test_no_page_and_no_call_opens_to_who_is_off(app: FastAPI) -> None:
    """Every address of the access table that staff may ask for, with the session of whoever was switched off."""
    shown = {
        path for (method, path), rule in TABLES["assignment"].items() if method == "GET" and not isinstance(rule, Open)
    }
    off = User("coordinator-off", "Sergeant Off", frozenset(Role), FORCE, "bs1")
    async with provider(app) as idp, visitor(app, off) as client:
        there = await made(idp, "Users", okta_user(off.sub))
        addresses = {path: re.sub(r"\{[^}]*\}", str(uuid4()), path) for path in sorted(shown)}
        before = {path: (await client.get(address)).status_code for path, address in addresses.items()}
        assert 403 not in before.values(), before
        await idp.patch(f"/Users/{there['id']}", json=operations({"op": "replace", "value": {"active": False}}))
        after = {path: (await client.get(address)).status_code for path, address in addresses.items()}
    # The empty page a device keeps for when there is no signal, whose content is asked for and refused; and lines of
    # the force's areas, which intake shows to everybody.
    assert (after.pop("/record/offline"), after.pop("/api/v1/areas")) == (200, 200)
    assert {path: status for path, status in after.items() if status not in (403, 422)} == {}


async def test_nothing_more_is_told_to_who_is_off(app: FastAPI) -> None:
    """A message that was waiting does not leave, to a coordinator without an entry either."""
    now = datetime.now(UTC)
    walk_id = UUID(await ask_for_a_walk(deps_of(app)))
    async with provider(app) as idp:
        there = await made(idp, "Users", okta_user(COORDINATOR.sub))
        async with deps_of(app).database.transaction([FORCE]) as tx:
            chosen = Choice(FORCE, COORDINATOR.sub, "h@avon.example", Rhythm.AT_ONCE, is_coordinator=True)
            await telling.choose(tx, chosen)
            walk = (await walk_rows.walks(tx, [(FORCE, walk_id)]))[walk_id]
            await telling.tell(tx, telling.escalated([walk]), now)
        (notice,) = await run(app, "SELECT id FROM notice")
        later = now + timedelta(days=4)
        letters = []
        for active in (True, False):
            await idp.patch(f"/Users/{there['id']}", json=operations({"op": "replace", "value": {"active": active}}))
            async with deps_of(app).database.transaction([FORCE]) as tx:
                letters.append(await telling.letter(tx, FORCE, notice["id"], later))
    assert letters[0] is not None and letters[0].email == "h@avon.example"
    assert letters[1] is None
