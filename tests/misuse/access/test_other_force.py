"""What people of one force can learn of another's rows: by every id, parameter, list and form, and under them in
PostgreSQL. Everything tried comes from the route tables and from what stands in the databases."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from pydantic import BaseModel

from shared.contracts.catalogue import SERVICES
from shared.web.access import Open, Role
from tests.architecture.rows import Table, tables
from tests.servers.every_door import Answer, Door, Visits, choices, doors, everything_shown, plainly, visiting
from tests.servers.form import fields_of
from tests.servers.two_forces import ABROAD, HOME, TwoForces, Visitor

pytestmark = pytest.mark.timeout(300)

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FORM = re.compile(r'<form method="post" action="([^"]*)".*?</form>', re.DOTALL)
_OPTION = re.compile(r'<option value="([^"]*)"')
_SELECT = re.compile(r'<select[^>]*name="([^"]*)".*?</select>', re.DOTALL)

SOON = datetime.now(UTC) + timedelta(days=3)
NOON = SOON.replace(hour=12, minute=0, second=0, microsecond=0)
HELD = datetime.now(UTC) - timedelta(hours=3)
DAY = {"day": f"{SOON:%Y-%m-%d}"}

BODIES: dict[str, Any] = {
    "assignment POST /api/v1/walks/{walk_id}/take": {},
    "assignment POST /api/v1/walks/{walk_id}/arrange": {"starts_at": SOON.isoformat(), "meeting_place": "Library"},
    "assignment POST /api/v1/walks/{walk_id}/propose": {"times": [NOON.isoformat()], "meeting_place": "Library"},
    "assignment POST /api/v1/walks/{walk_id}/cancel": {"reason": "other"},
    "assignment POST /api/v1/walks/{walk_id}/complete": {
        "started_at": HELD.isoformat(),
        "ended_at": (HELD + timedelta(hours=1)).isoformat(),
    },
    "assignment POST /api/v1/walks/{walk_id}/route": {"area_id": "bs1"},
    "assignment POST /api/v1/follow-ups/{follow_up_id}/complete": {"outcome": "reached"},
    "assignment POST /api/v1/walks/{walk_id}/second": {"officer_id": "officer-avon-2"},
    "assignment POST /api/v1/walks/{walk_id}/join": {"joined": "0198c0de-0000-7000-8000-000000000000"},
    "assignment POST /api/v1/walks/{walk_id}/part": {"request_id": "0198c0de-0000-7000-8000-000000000000"},
    "assignment POST /api/v1/walks/{walk_id}/not-held": {"why": "weather", "what_next": "again"},
    "assignment POST /api/v1/walks/{walk_id}/check-in": {"answer": "back"},
    "assignment POST /walks/{walk_id}/group/join": {"joined": "0198c0de-0000-7000-8000-000000000000"},
    "assignment POST /walks/{walk_id}/group/part": {"request_id": "0198c0de-0000-7000-8000-000000000000"},
    "assignment POST /walks/{walk_id}/not-held": {"why": "weather", "what_next": "again"},
    "assignment POST /walks/{walk_id}/check-in": {"answer": "back"},
    "assignment POST /follow-ups/{follow_up_id}/hand-over": {"officer_id": "officer-avon-2"},
    "assignment POST /follow-ups/{follow_up_id}/attempts": {
        "way": "call",
        "result": "reached",
        "day": f"{HELD:%Y-%m-%d}",
        "clock": "00:05",
    },
    "assignment POST /disclosures/{disclosure_id}/withdraw": {"because": "recorded-twice"},
    "assignment POST /patrols/{patrol_id}/correct": {
        "kind": "foot",
        "day": f"{HELD:%Y-%m-%d}",
        "start": "00:05",
        "end": "00:25",
    },
    "assignment POST /api/v1/training/{session_id}/attendance": {"came": []},
    "assignment POST /api/v1/walks/{walk_id}/pass-on": {"what": "to-coordinator", "why": "other"},
    "assignment POST /api/v1/walks/{walk_id}/attempts": {
        "request_id": "0198c0de-0000-7000-8000-000000000000",
        "way": "email",
        "outcome": "sent",
    },
    "assignment POST /walks/{walk_id}/pass-on/{what}": {"why": "other", "to": "bs2"},
    "assignment POST /walks/{walk_id}/attempts/{request_id}": {"way": "email", "outcome": "sent"},
    "assignment POST /walks/{walk_id}/arrange": {**DAY, "clock": "10:00", "meeting_place": "Library"},
    "assignment POST /walks/{walk_id}/propose": {
        "day_1": f"{SOON:%Y-%m-%d}",
        "clock_1": "10:00",
        "meeting_place": "Library",
    },
    "assignment POST /walks/{walk_id}/cancel": {"reason": "other"},
    "assignment POST /walks/{walk_id}/complete": {"disclosed": "no"},
    "assignment PUT /api/v1/walks/{walk_id}/started": {"at": HELD.isoformat()},
    "assignment PUT /api/v1/walks/{walk_id}/ended": {"at": HELD.isoformat()},
    "assignment PUT /api/v1/walks/{walk_id}/concerns/{concern_id}": {"category": "badly-lit"},
    "assignment POST /walks/{walk_id}/route": {"area_id": "bs1"},
    "assignment POST /follow-ups/{follow_up_id}/complete": {"outcome": "reached"},
    "assignment POST /people/{officer_id}/change": {"name": "PC Example", "kind": "pcso", "team_id": "bs1"},
    "assignment POST /people/{officer_id}/windows": {"weekdays": "monday", "starts": "10:00", "ends": "11:00"},
    "assignment POST /people/{officer_id}/absences": {"first_day": f"{SOON:%Y-%m-%d}"},
    "partners POST /api/v1/referrals/{referral_id}/decline": {"reason": "Not ours"},
    "partners POST /api/v1/referrals/{referral_id}/update": {"progress": "planned"},
    "partners POST /api/v1/referrals/{referral_id}/resolve": {"resolution": "done"},
    "partners POST /api/v1/triage/{concern_id}/assign": {"partner_id": "bristol-city-council"},
    "partners POST /referrals/{referral_id}/decline": {"reason": "Not ours"},
    "partners POST /referrals/{referral_id}/update": {"progress": "planned"},
    "partners POST /referrals/{referral_id}/resolve": {"resolution": "done"},
    "partners POST /triage/{concern_id}/assign": {"partner_id": "bristol-city-council"},
    "intake POST /staff/requests/{request_id}/contact": {"reason": "To agree a time"},
    "intake POST /staff/requests/{request_id}/spoken": {"reason": "Rang her"},
    "intake POST /api/v1/requests/{request_id}/hold": {"on_hold": True, "reason": "A complaint"},
    "intake POST /{force}/request/{step}": {"adult": "yes"},
    "feedback POST /s/{token}/question/{number}": {"answer": "fairly-safe"},
}
"""Bodies that get as far as the look-up of what the address names. A route that needs one and is not here fails."""

NOT_404 = {
    "partners POST /api/v1/triage/{concern_id}/assign": (
        409,
        "there or not, it waits in nobody's triage",
    ),
    "partners POST /triage/{concern_id}/assign": (409, "the same on its page"),
    "feedback GET /S/{token}": (307, "leads to /s/… without opening the link"),
    **{
        f"assignment {method} /scim/v2/{path}": (401, "a program without a force's token is told nothing")
        for path in ("Users/{user_id}", "Groups/{group_id}")
        for method in ("GET", "PUT", "PATCH", "DELETE")
    },
    "assignment GET /scim/v2/ResourceTypes/{name}": (401, "the same"),
    "assignment GET /scim/v2/Schemas/{uri}": (401, "the same"),
}
"""Routes whose answer about what is not there is another."""


async def ids_of(world: TwoForces, force_id: str, most: int) -> set[str]:
    """Ids that stand in rows of a force and nowhere in rows of the other, so many of each column at most."""
    own, other = await world.ids(force_id), await world.ids(HOME if force_id == ABROAD else ABROAD)
    shared = set().union(*other.values())
    return {value for values in own.values() for value in sorted(values - shared)[:most]}


def is_uuid(value: str) -> bool:
    return _UUID.fullmatch(value) is not None


def stranger_like(value: str) -> str:
    """An id of the same shape that was never given to anything: some fields take slugs, which begin with a letter."""
    return value[0] + (str(uuid4())[1:] if is_uuid(value) else uuid4().hex[:10])


def others_in_path(world: TwoForces, door: Door) -> dict[str, str]:
    """What stands in the other places of a path while one of them is tried."""
    token = world.work[HOME].survey
    known = {"force": HOME, "step": "eligibility", "number": "1", "what": "given-back", "token": token}
    return {name: known.get(name) or str(uuid4()) for name in door.in_path}


def askers(world: TwoForces, door: Door) -> list[Visitor | None]:
    """People of HOME whom the table lets in; the public where there is no sign-in."""
    if isinstance(door.rule, Open):
        return [None]
    return [world.visitor(HOME, role) for role in Role if door.admits(role)]


async def answered(
    visits: Visits, door: Door, values: dict[str, str], visitor: Visitor | None, query: dict[str, str] | None = None
) -> httpx.Response:
    """The answer to an address, asked with a whole body where one is taken."""
    body = BODIES.get(str(door), {}) if door.method != "GET" else None
    headers = {} if visitor else {"X-CSRF-Token": visits.world.form_token(door.service, "")}
    sent = {"json": body} if door.body is not None else {"form": body}
    return await visits.visit(door, door.at(values, **(query or {})), visitor, headers=headers, **sent)


def tried(world: TwoForces) -> Iterator[tuple[Door, str, str, Any]]:
    """(door, where, name, type) of every parameter that may name something."""
    for door in doors():
        for name, (where, kind) in door.takes.items():
            if where in ("path", "query") and plainly(kind) in (UUID, str):
                yield door, where, name, kind
            else:
                # Whatever else there may be has a case, or fails here.
                assert where != "cookie"
                choices(door, name, kind, [])


async def test_id_of_another_force_is_an_id_of_nothing(two_forces: TwoForces) -> None:
    """Every id that stands in the other force's rows, in every path and query that takes an id, as every role that is
    let in: the same answer, byte for byte, as for an id that never was; and nothing is changed by asking."""
    before = await two_forces.settled()
    foreign = sorted(await ids_of(two_forces, ABROAD, 1))
    assert len(foreign) > 30
    wrong: list[str] = []
    asked = 0

    async def compare(
        visits: Visits, door: Door, where: str, name: str, ids: Iterable[str], who: Visitor | None
    ) -> None:
        nonlocal asked
        others = others_in_path(two_forces, door)

        async def answer(value: str) -> Answer:
            values, query = (others | {name: value}, None) if where == "path" else (others, {name: value})
            return Answer.of(await answered(visits, door, values, who, query), [value])

        nothing = await answer(str(uuid4()))
        if where == "path" and name != "force":
            wanted = NOT_404.get(str(door), (404, ""))[0]
            # Otherwise the look-up was not reached, and the comparison would be of nothing: give it a body above.
            assert nothing.status == wanted, f"{door}: {nothing}"
        for value in ids:
            asked += 1
            if (got := await answer(value)) != (nothing if is_uuid(value) else await answer(stranger_like(value))):
                wrong.append(f"{door} {name}={value} as {who.role if who else 'nobody'}: {got.status}")

    async with visiting(two_forces) as visits, asyncio.TaskGroup() as group:
        for door, where, name, kind in tried(two_forces):
            fitting = [value for value in foreign if plainly(kind) is str or is_uuid(value)]
            for number, who in enumerate(askers(two_forces, door)):
                # The mightiest role asks for everything, the others for a part.
                group.create_task(compare(visits, door, where, name, fitting[number::7] if number else fitting, who))
    assert wrong == []
    assert asked > 1000
    assert await two_forces.settled() == before


async def test_own_ids_lead_somewhere(two_forces: TwoForces) -> None:
    """The comparison above is no formality: each page and call that shows one thing shows one of the own force."""
    home = two_forces.work[HOME]
    own = [*home.walks.values(), *home.requests.values(), *home.referrals.values(), home.follow_up, home.session]
    own += [home.disclosure, home.patrol]
    async with visiting(two_forces) as visits:
        for door in doors():
            if door.method != "GET" or [plainly(kind) for kind in door.in_path.values()] != [UUID]:
                continue
            (name,) = door.in_path
            for value in own:
                answer = await answered(visits, door, {name: value}, askers(two_forces, door)[-1])
                if answer.status_code == 200:
                    break
            else:
                pytest.fail(f"{door} shows nothing of this force's own")


async def test_lists_are_the_same_with_and_without_the_other_force(two_forces: TwoForces) -> None:
    """All lists, filters, counts, pages and exports that people of one force were shown before the other began its work
    are the same after it, and hold no id of the other's rows."""
    now = await everything_shown(two_forces)
    assert len(now) > 100
    assert [where for where, answer in now.items() if answer != two_forces.seen_alone[where]] == []
    foreign = {value for value in await ids_of(two_forces, ABROAD, 10_000) if is_uuid(value)}
    assert len(foreign) > 100
    assert [where for where, answer in now.items() if foreign & set(_UUID.findall(answer.body))] == []


def id_fields(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The fields of a body, inner ones too, that may name something."""
    for name, described in model.model_fields.items():
        kind = plainly(described.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from id_fields(kind, (*path, name))
        elif kind is UUID or name.endswith(("_id", "_ids")) or name == "token":
            yield (*path, name)


async def test_body_that_names_something_of_another_force_names_nothing(two_forces: TwoForces) -> None:
    """In each field of a JSON body that takes an id, and each control of a form that offers ids, an officer, area or
    partner of the other force is what an unknown one is; on a walk or concern that would take one of the own."""
    home = two_forces.work[HOME]
    own, foreign = await ids_of(two_forces, HOME, 10_000), await ids_of(two_forces, ABROAD, 1)
    foreign = {value for value in foreign if not is_uuid(value)} | {two_forces.work[ABROAD].walks["routed"]}
    assert {"lambeth-council"} < foreign
    ready = {
        "assignment POST /api/v1/walks/{walk_id}/take": {"walk_id": home.walks["routed"]},
        "assignment POST /api/v1/walks/{walk_id}/route": {"walk_id": home.walks["triage"]},
        "assignment POST /api/v1/walks/{walk_id}/attempts": {"walk_id": home.walks["routed"]},
        "assignment POST /api/v1/walks/{walk_id}/second": {"walk_id": home.walks["taken"]},
        "assignment POST /api/v1/walks/{walk_id}/join": {"walk_id": home.walks["taken"]},
        "assignment POST /api/v1/walks/{walk_id}/part": {"walk_id": home.walks["taken"]},
        "partners POST /api/v1/triage/{concern_id}/assign": {"concern_id": home.concern_in_triage},
        "intake POST /api/v1/walk-requests": {},
        "feedback POST /api/v1/answers": {},
    }
    whole = BODIES | {
        "intake POST /api/v1/walk-requests": {
            "name": "Ada",
            "over_18": True,
            "consent": True,
            "contact": {"channels": ["email"], "email": "ada@demo.example"},
            "place": {"postcode": "BS1 4DJ"},
            "availability": {"days": ["monday"], "parts": ["evening"]},
        },
        "feedback POST /api/v1/answers": {"answers": {}},
    }
    wrong: list[str] = []
    fields = 0
    async with visiting(two_forces) as visits:
        choosing = await forms_that_offer_ids(visits, own)
        # A form that is refused is shown again, which is logged as a look: from here on nothing else may change.
        before = await two_forces.settled_but_for_looks()
        for door in doors():
            if door.body is None:
                continue
            for path in id_fields(door.body):
                fields += 1
                assert len(path) == 1 and str(door) in ready, f"{door} takes {path}: say above on what to try it"

                async def call(value: str, door: Door = door, field: str = path[0]) -> Answer:
                    answer = await visits.visit(
                        door,
                        door.at(ready[str(door)]),
                        None if isinstance(door.rule, Open) else two_forces.visitor(HOME, Role.COORDINATOR),
                        json=whole[str(door)] | {field: value},
                        headers={"Idempotency-Key": uuid4().hex},
                    )
                    return Answer.of(answer, [value])

                for value in sorted(foreign):
                    if await call(value) != await call(stranger_like(value)):
                        wrong.append(f"{door} {path}={value}")

        offered = 0
        for service, address, action, control, sent in choosing:
            offered += 1

            async def post(
                value: str,
                service: str = service,
                action: str = action,
                control: str = control,
                sent: dict[str, str] = sent,
            ) -> Answer:
                answer = await visits.client.post(
                    two_forces.stack.urls[service] + action,
                    data=sent | {control: value},
                    headers={**two_forces.visitor(HOME, Role.COORDINATOR).bearer, "Accept": "text/html"},
                )
                return Answer.of(answer, [value])

            for value in sorted(foreign):
                got = await post(value)
                if got != await post(stranger_like(value)) or got.status < 400:
                    wrong.append(f"{service} {address} {control}={value}: {got.status}")
    assert wrong == []
    assert fields == len(ready)
    assert offered >= 3  # an officer for a walk, an area for a walk, a partner for a concern
    assert await two_forces.settled_but_for_looks() == before


async def forms_that_offer_ids(visits: Visits, own: set[str]) -> list[tuple[str, str, str, str, dict[str, str]]]:
    """(service, address, action, control, other fields) of each form on a page of HOME that offers ids to choose."""
    world = visits.world
    home = world.work[HOME]
    values = {"walk_id": (home.walks["routed"], home.walks["triage"]), "follow_up_id": (home.follow_up,)}
    values |= {"referral_id": tuple(home.referrals.values()), "request_id": (home.requests["routed"],)}
    values |= {"what": ("to-team", "to-officer"), "concern_id": (home.noted,), "photo": ("0" * 64,)}
    values |= {"disclosure_id": (home.disclosure,), "patrol_id": (home.patrol,)}
    values |= {"code": ("library-posters",), "officer_id": ("officer-avon-1",), "session_id": (home.session,)}
    found: dict[tuple[str, str], tuple[str, str, str, str, dict[str, str]]] = {}
    for door in doors():
        if door.method != "GET" or door.is_call or not door.admits(Role.COORDINATOR) or isinstance(door.rule, Open):
            continue
        addresses = (
            [door.at()]
            if not door.in_path
            else [
                door.at(dict(zip(door.in_path, chosen, strict=True)))
                for chosen in product(*(values[name] for name in door.in_path))
            ]
        )
        for address in addresses:
            page = await visits.visit(door, address, world.visitor(HOME, Role.COORDINATOR))
            for form in _FORM.finditer(page.text):
                choosing = {one[1] for one in _SELECT.finditer(form[0]) if own & set(_OPTION.findall(one[0]))}
                fields = fields_of(form[0])
                choosing |= {one["name"] for one in fields if one.get("type") != "hidden" and one.get("value") in own}
                sent = {one["name"]: one["value"] for one in fields if one.get("type") == "hidden"}
                for control in choosing:
                    found.setdefault((door.path, control), (door.service, address, form[1], control, sent))
    return list(found.values())


async def test_form_begun_with_another_force_is_not_there(two_forces: TwoForces) -> None:
    """The cookie of a form begun with one force opens nothing under another's address, and looking there neither ends
    the form nor takes the cookie away."""
    sitting = f"sitting={two_forces.work[ABROAD].sitting}"
    async with httpx.AsyncClient(base_url=two_forces.stack.urls["intake"], headers={"Cookie": sitting}) as browser:
        own = await browser.get(f"/{ABROAD}/request/place")
        assert own.status_code == 200
        for page in ("place", "check", "done", "name"):
            answer = await browser.get(f"/{HOME}/request/{page}")
            assert answer.status_code == 410
            assert "sitting=" not in answer.headers.get("set-cookie", "")
        assert (await browser.get(f"/{ABROAD}/request/place")).status_code == 200


async def test_links_belong_to_one_woman_and_looking_spends_nothing(two_forces: TwoForces) -> None:
    """A survey's link is no private link and the other way round; a spent one shows no answers; opening a link a
    hundred times, by GET, changes no row."""
    before = await two_forces.settled()
    home = two_forces.work[HOME]
    urls = two_forces.stack.urls
    async with httpx.AsyncClient() as client:
        for wrong in (f"{urls['feedback']}/s/{home.private}", f"{urls['intake']}/your-request/{home.survey}"):
            assert (await client.get(wrong)).status_code == 404
        spent = await client.get(f"{urls['feedback']}/s/{home.spent_survey}")
        assert spent.status_code == 200 and "<form" not in spent.text
        again = await client.get(f"{urls['feedback']}/s/{home.spent_survey}/question/1")
        assert again.status_code == 303
        body = {"token": home.spent_survey, "answers": {"safe-by-day": "very-safe"}}
        repeated = await client.post(f"{urls['feedback']}/api/v1/answers", json=body)
        assert (repeated.status_code, repeated.json()) == (200, {"receipt_id": None})
        looks = [f"{urls['feedback']}/s/{home.survey}{page}" for page in ("", "/question/1", "/question/2", "/check")]
        looks.append(f"{urls['intake']}/your-request/{home.private}")
        statuses = {(await client.get(address)).status_code for address in looks * 4}
        assert statuses == {200}
    assert await two_forces.settled() == before


async def test_idempotency_key_of_another_tells_nothing(two_forces: TwoForces) -> None:
    """Somebody's key with other words is refused and makes nothing; with another force it is another key."""
    url = two_forces.stack.urls["intake"] + "/api/v1/walk-requests"
    body = {
        "force_id": HOME,
        "name": "Ada",
        "over_18": True,
        "consent": True,
        "contact": {"channels": ["email"], "email": f"{uuid4().hex}@demo.example"},
        "place": {"postcode": "BS1 4DJ"},
        "availability": {"days": ["monday"], "parts": ["evening"]},
    }
    abroad = {"force_id": ABROAD, "place": {"postcode": "SE1 7PB"}}
    key = {"Idempotency-Key": uuid4().hex}
    async with httpx.AsyncClient() as client:
        made = await client.post(url, json=body, headers=key)
        again = await client.post(url, json=body, headers=key)
        assert (made.status_code, again.status_code) == (201, 200)
        assert made.json() == again.json()
        other = await client.post(url, json=body | {"name": "Eve"}, headers=key)
        elsewhere = await client.post(url, json=body | abroad, headers=key)
    assert other.status_code == 422
    assert made.json()["reference"] not in other.text and made.json()["request_id"] not in other.text
    assert elsewhere.status_code == 201 and elsewhere.json()["request_id"] != made.json()["request_id"]


async def as_login(world: TwoForces, service: str, login: str) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(world.stack.database_url(service, login))


async def secured(world: TwoForces, service: str) -> dict[str, tuple[Table, dict[str, int], str]]:
    """Every table with a force: its rows by force, and one row of ABROAD as JSON where there is one."""
    found = {}
    async with world.admin(service) as admin:
        for table in await tables(admin):
            if table.by_force and not table.partition:
                name = f'"{table.name}"'
                counts = await admin.fetch(f"SELECT force_id, count(*) AS many FROM {name} GROUP BY 1")  # noqa: S608 - a name of the catalogue
                row = await admin.fetchval(f"SELECT to_jsonb(t) FROM {name} AS t WHERE force_id = $1 LIMIT 1", ABROAD)  # noqa: S608 - as above
                found[table.name] = (table, {one["force_id"]: one["many"] for one in counts}, row)
    return found


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("login", ["web", "bus"])
@pytest.mark.parametrize("forces", [HOME, "", None])
async def test_rows_of_another_force_are_out_of_reach(
    two_forces: TwoForces, service: str, login: str, forces: str | None
) -> None:
    """Under the services' own logins, with real rows and every constraint in place: another force's rows are not seen,
    locked, changed, removed, copied, added or moved in, and without a force nothing is."""
    connection = await as_login(two_forces, service, login)
    tried_on = 0

    async def touched(sql: str, *arguments: Any) -> int:
        """How many rows a statement reaches; none where it is refused. Undone in any case."""
        inner = connection.transaction()
        await inner.start()
        try:
            status = await connection.execute(sql, *arguments)
        except asyncpg.InsufficientPrivilegeError:
            return 0
        finally:
            await inner.rollback()
        return int(status.rpartition(" ")[2])

    try:
        async with connection.transaction():
            if forces is not None:
                await connection.execute("SELECT set_config('walkandtalk.forces', $1, true)", forces)
            for name, (_, counts, row) in (await secured(two_forces, service)).items():
                table = f'"{name}"'
                # The sealer takes rows out of this one at any moment.
                mine = counts.get(HOME, 0) if forces and name != "audit_unsealed" else 0
                seen = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of the catalogue
                assert seen >= mine if forces else seen == 0, name
                for sql in (
                    f"SELECT FROM {table} WHERE force_id = $1",
                    f"SELECT FROM {table} WHERE force_id = $1 FOR UPDATE",
                    f"UPDATE {table} SET force_id = force_id WHERE force_id = $1",  # noqa: S608 - as above
                    f"DELETE FROM {table} WHERE force_id = $1",  # noqa: S608 - as above
                ):
                    assert await touched(sql, ABROAD) == 0, sql
                if mine:
                    moved = f"UPDATE {table} SET force_id = $1 WHERE force_id = $2"  # noqa: S608 - as above
                    assert await touched(moved, ABROAD, HOME) == 0, name
                if row is not None:
                    tried_on += 1
                    populated = f"jsonb_populate_record(NULL::{table}, $1)"
                    copied = f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {populated}"  # noqa: S608 - as above
                    assert await touched(copied, row) == 0, name
                    assert await touched(copied + " ON CONFLICT DO NOTHING", row) == 0, name
    finally:
        await connection.close()
    assert tried_on >= 8


@pytest.mark.parametrize("service", SERVICES)
async def test_no_constraint_or_function_tells_of_another_force(two_forces: TwoForces, service: str) -> None:
    """Every key, unique index and foreign key holds the force, so that no conflict tells of a row unseen; the logins
    have no right that goes round the rows' rules, and what runs as its owner is known."""
    by_position = {"outbox_log", "outbox_pending"}  # numbers the database gives out itself
    async with two_forces.admin(service) as admin:
        unique = await admin.fetch(
            "SELECT t.relname AS table, i.relname AS index, x.indkey::int2[] AS columns, t.oid FROM pg_index AS x"
            " JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS t ON t.oid = x.indrelid"
            " WHERE (x.indisunique OR x.indisexclusion) AND t.relnamespace = 'public'::regnamespace"
            " AND NOT t.relispartition"
        )
        for one in unique:
            force = await admin.fetchval(
                "SELECT attnum FROM pg_attribute WHERE attrelid = $1 AND attname = 'force_id'", one["oid"]
            )
            assert force is None or force in one["columns"] or one["table"] in by_position, one["index"]
        foreign = await admin.fetch(
            "SELECT conname, conkey,"
            " (SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = 'force_id') AS force"
            " FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        )
        assert [one["conname"] for one in foreign if one["force"] not in one["conkey"]] == []
        rights = await admin.fetch(
            "SELECT c.relname, l, r FROM pg_class AS c, unnest($1::text[]) AS l,"
            " unnest('{TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS r"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
            " AND has_table_privilege(l, c.oid, r)",
            [f"{service}_web", f"{service}_bus"],
        )
        assert rights == []
        definers = await admin.fetch(
            "SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        )
        assert {one["proname"] for one in definers} == {"roll_partitions"}
        views = await admin.fetch(
            # A view that asks as whoever looks is bound by the rules of the rows beneath it.
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'f')"
            " AND NOT (relkind = 'v' AND coalesce(reloptions, '{}') @> '{security_invoker=true}')"
        )
        assert views == []
        assert not await admin.fetchval(
            "SELECT has_schema_privilege($1, 'public', 'CREATE') OR has_schema_privilege($2, 'public', 'CREATE')",
            f"{service}_web",
            f"{service}_bus",
        )
