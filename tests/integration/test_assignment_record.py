"""The record of a walk on a real database: each concern once, passed on as it was seen, taken back, erased."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from services.assignment.app import build
from services.assignment.dependencies import Dependencies
from services.assignment.handlers import erasure, noting, referrals
from shared.attachments import digest_of
from shared.contracts.referrals import ConcernResolved, ReferralMade, Resolution
from shared.contracts.walk_requests import ParticipantErased
from shared.database import Query
from shared.timers import TimerLoop, Timers
from shared.web.session import User
from tests.servers.assignment_service import (
    COLLEAGUE,
    COORDINATOR,
    FORCE,
    OFFICER,
    OTHER_FORCE,
    ask_for_a_walk,
    assignment_settings,
    received,
)
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.visitors import visitor
from tests.unit.test_assignment_photos import SECRET, a_photo

PICTURE = {"content-type": "image/jpeg"}
NOTED = {"category": "badly-lit", "words": "Two lamps are broken", "suggests": "Mend them", "severity": "high"}


@pytest.fixture
async def app(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[FastAPI]:
    service = await database("assignment")
    made = build(assignment_settings(service, tmp_path))
    async with made.router.lifespan_context(made):
        await deps_of(made).take_registers()
        yield made


def deps_of(app: FastAPI) -> Dependencies:
    return cast(Dependencies, app.state.dependencies)


async def an_arranged_walk(app: FastAPI, officer: User = OFFICER) -> str:
    walk_id = await ask_for_a_walk(deps_of(app))
    soon = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
    async with visitor(app, officer) as client:
        assert (await client.post(f"/api/v1/walks/{walk_id}/take", json={})).status_code == 200
        place = {"starts_at": soon, "meeting_place": "The library"}
        assert (await client.post(f"/api/v1/walks/{walk_id}/arrange", json=place)).status_code == 200
    return walk_id


async def put(client: httpx.AsyncClient, walk_id: str, concern_id: UUID | None = None, **body: Any) -> httpx.Response:
    return await client.put(f"/api/v1/walks/{walk_id}/concerns/{concern_id or uuid4()}", json={**NOTED, **body})


def kind(answer: httpx.Response) -> str:
    """Which refusal it is."""
    return str(answer.json()["type"]).rpartition(":")[2]


async def send_photo(client: httpx.AsyncClient, walk_id: str, content: bytes) -> httpx.Response:
    return await client.post(f"/api/v1/walks/{walk_id}/photos", content=content, headers=PICTURE)


async def held(client: httpx.AsyncClient, walk_id: str) -> None:
    """Started an hour ago, ended just now."""
    now = datetime.now(UTC)
    for what, at in (("started", now - timedelta(hours=1)), ("ended", now)):
        answer = await client.put(f"/api/v1/walks/{walk_id}/{what}", json={"at": at.isoformat()})
        assert answer.status_code == 204, answer.text


async def looks(client: httpx.AsyncClient, walk_id: str) -> dict[str, str]:
    """What may be passed on, as its page offers it: by concern, what the form sends."""
    page = (await client.get(f"/walks/{walk_id}/complete")).text
    return {one[:36]: one for one in re.findall(r'name="passed" type="checkbox" value="([^"]+)"', page)}


async def close(client: httpx.AsyncClient, walk_id: str, *passed: str) -> httpx.Response:
    return await client.post(f"/walks/{walk_id}/complete", data={"passed": list(passed), "disclosed": "no"})


async def told(app: FastAPI) -> list[tuple[str, dict[str, Any]]]:
    """What was told of walks and concerns since they were arranged: names and data, in order."""
    rows = "SELECT type, data FROM outbox_log WHERE type ~ 'concern|completed' ORDER BY position"
    async with deps_of(app).database.transaction([FORCE]) as tx:
        found = await tx.fetch(Query("told", "", rows))
    return [(row["type"].split(".")[-2], json.loads(row["data"])) for row in found]


async def fire(app: FastAPI) -> None:
    """What has fallen due of photographs is done."""
    deps = deps_of(app)
    await deps.bus_database.open()
    try:
        due = Timers()

        async def let_go(tx: Any, fired: Any, now: datetime) -> None:
            await noting.let_go_of_photos(tx, fired, now, attachments=deps.attachments)

        due.on(noting.PHOTO_LET_GO, let_go)
        await TimerLoop(deps.bus_database, due, deps.clock, deps.policies.forces).fire_due()
    finally:
        await deps.bus_database.close()


def files(app: FastAPI) -> list[str]:
    folder = deps_of(app).settings.data_dir / "attachments"
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_the_same_concern_sent_many_times_at_once_is_one(app: FastAPI) -> None:
    """Ten at once, and one after it was corrected: one concern, as corrected; other words under its id are refused."""
    walk_id, concern_id = await an_arranged_walk(app), uuid4()
    async with visitor(app, OFFICER) as client:
        answers = await asyncio.gather(*(put(client, walk_id, concern_id) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        page = f"/record/{walk_id}/concerns/{concern_id}"
        assert (await client.post(page, data={**NOTED, "words": "Three are"})).status_code == 303
        again = await put(client, walk_id, concern_id)
        assert (again.status_code, again.json()["words"]) == (200, "Three are")
        other = await put(client, walk_id, concern_id, words="Four are")
        assert (other.status_code, kind(other)) == (409, "concern-noted-otherwise")
        record = (await client.get(f"/api/v1/walks/{walk_id}/record")).json()
        assert [one["words"] for one in record["concerns"]] == ["Three are"]


async def test_a_concern_removed_before_it_arrives_does_not_stand(app: FastAPI) -> None:
    """Undone where the answer was lost: the late copy is refused, and nothing of what it said is kept."""
    walk_id, concern_id = await an_arranged_walk(app), uuid4()
    async with visitor(app, OFFICER) as client:
        for _ in range(2):
            gone = await client.delete(f"/api/v1/walks/{walk_id}/concerns/{concern_id}")
            assert gone.status_code == 204
        late = await put(client, walk_id, concern_id)
        assert (late.status_code, kind(late)) == (409, "concern-removed")
        assert (await client.get(f"/api/v1/walks/{walk_id}/record")).json()["concerns"] == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"postcode": "ZZ99 9ZZ"}, "postcode"),
        ({"category": "murder"}, "category"),
        ({"words": "x" * 4001}, "words"),
        ({"words": "x" * 3000, "suggests": "y" * 1000}, "words"),
        ({"photo": "0" * 64, "photo_looked_at": True}, "photo"),
        ({"photo": "0" * 64}, "photo_looked_at"),
        ({"who": "she"}, "who"),
    ],
)
async def test_what_cannot_be_noted_is_refused_by_field(app: FastAPI, changed: dict[str, Any], field: str) -> None:
    """The phone can show beside the field what has to be mended."""
    walk_id = await an_arranged_walk(app)
    async with visitor(app, OFFICER) as client:
        answer = await put(client, walk_id, **changed)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


async def test_only_her_officer_and_coordinators_write_on_the_record(app: FastAPI) -> None:
    """A colleague is told whose it is, another force that there is none; both see nothing of it."""
    walk_id = await an_arranged_walk(app)
    async with visitor(app, OFFICER) as client:
        digest = (await send_photo(client, walk_id, a_photo())).json()["photo"]
        assert (await put(client, walk_id, photo=digest, photo_looked_at=True)).status_code == 200
    for who, status in ((COLLEAGUE, 403), (OTHER_FORCE, 404), (COORDINATOR, 200)):
        async with visitor(app, who) as client:
            assert (await put(client, walk_id)).status_code == status
            assert (await client.get(f"/api/v1/walks/{walk_id}/record")).status_code == status
            for path in (f"/record/{walk_id}", f"/walks/{walk_id}/complete", f"/record/{walk_id}/photos/{digest}"):
                assert (await client.get(path)).status_code == status, path


async def test_start_and_end_are_stamped_once_and_can_be_corrected(app: FastAPI) -> None:
    """A press repeated for want of an answer moves nothing; the form does. An end before the start is refused."""
    walk_id, now = await an_arranged_walk(app), datetime.now(UTC).replace(microsecond=0)
    async with visitor(app, OFFICER) as client:
        path = f"/api/v1/walks/{walk_id}"
        for minutes in (50, 20):
            at = (now - timedelta(minutes=minutes)).isoformat()
            assert (await client.put(f"{path}/started", json={"at": at})).status_code == 204
        before = await client.put(f"{path}/ended", json={"at": (now - timedelta(hours=2)).isoformat()})
        assert (before.status_code, before.json()["errors"][0]["field"]) == (422, "ended_at")
        assert (await client.post(f"/record/{walk_id}/end")).status_code == 303
        record = (await client.get(f"{path}/record")).json()
        assert datetime.fromisoformat(record["started_at"]) == now - timedelta(minutes=50)
        said = {"day": "2026-01-05", "start": "18:30", "end": "19:10", "sticker": "yes", "used": "no"}
        assert (await client.post(f"/record/{walk_id}", data=said)).status_code == 303
        record = (await client.get(f"{path}/record")).json()
        assert datetime.fromisoformat(record["started_at"]) == datetime(2026, 1, 5, 18, 30, tzinfo=UTC)
        assert (record["sticker_handed_over"], record["streetsafe_used"], record["signposted"]) == (True, False, None)


async def test_what_is_passed_on_is_what_was_seen_and_the_rest_stays(app: FastAPI) -> None:
    """One of two is passed with the walk, the other after it was closed; intake is told which concerns there are."""
    walk_id, first, second = await an_arranged_walk(app), uuid4(), uuid4()
    async with visitor(app, OFFICER) as client:
        await put(client, walk_id, first)
        await put(client, walk_id, second, words="Not yet to be told")
        await held(client, walk_id)
        offered = await looks(client, walk_id)
        assert set(offered) == {str(first), str(second)}
        assert (await close(client, walk_id, offered[str(first)])).status_code == 303
        raised, completed = await told(app)
        assert raised[0] == "concern-raised" and raised[1]["words"] == "Two lamps are broken\n\nShe suggests: Mend them"
        assert (completed[0], completed[1]["concern_ids"]) == ("walk-completed", [str(first)])
        assert "Not yet to be told" not in str(await told(app))
        refused = await client.post(f"/record/{walk_id}/concerns/{first}", data=NOTED)
        assert refused.status_code == 409
        later = await looks(client, walk_id)
        assert set(later) == {str(second)}
        assert (await close(client, walk_id, later[str(second)])).status_code == 303
        raised, attached = (await told(app))[2:]
        assert (raised[0], raised[1]["concern_id"]) == ("concern-raised", str(second))
        assert (attached[0], attached[1]["concern_ids"]) == ("concerns-attached", [str(second)])
        assert (await close(client, walk_id, later[str(second)])).status_code == 422
        assert len(await told(app)) == 4


async def test_what_changed_since_it_was_seen_is_not_passed_on(app: FastAPI) -> None:
    """Any field that a partner would be told of; a forged look is none."""
    walk_id, concern_id = await an_arranged_walk(app), uuid4()
    async with visitor(app, OFFICER) as client:
        await put(client, walk_id, concern_id)
        await held(client, walk_id)
        for field, value in (
            ("category", "being-followed"),
            ("place", "51.45, -2.59"),
            ("place_name", "Elsewhere"),
            ("time_of_day", "evening"),
            ("severity", "low"),
            ("words", "Other words"),
            ("suggests", "Other lamps"),
        ):
            seen = (await looks(client, walk_id))[str(concern_id)]
            changed = {**NOTED, "place": "51.44, -2.58", field: value}
            assert (await client.post(f"/record/{walk_id}/concerns/{concern_id}", data=changed)).status_code == 303
            refused = await close(client, walk_id, seen)
            assert refused.status_code == 422 and "not as you saw it any more" in refused.text, field
        assert (await close(client, walk_id, f"{concern_id}:{'0' * 64}")).status_code == 422
        assert (await close(client, walk_id, f"{uuid4()}:{'0' * 64}")).status_code == 422
    assert await told(app) == []


async def test_a_concern_is_withdrawn_and_one_called_resolved_is_reopened(app: FastAPI) -> None:
    """Each once: reopened again only when a partner has called it resolved again; never after it was withdrawn."""
    walk_id, concern_id = await an_arranged_walk(app), uuid4()
    async with visitor(app, OFFICER) as client:
        await put(client, walk_id, concern_id)
        await held(client, walk_id)
        await close(client, walk_id, *(await looks(client, walk_id)).values())
        path = f"/walks/{walk_id}/concerns/{concern_id}"
        assert (await client.post(f"{path}/reopen")).status_code == 409
        named = {"concern_id": concern_id, "referral_id": uuid4(), "partner_id": "council", "partner_name": "Council"}
        async with deps_of(app).database.transaction([FORCE]) as tx:
            asked = received(ReferralMade(**named, respond_by=datetime.now(UTC).date()))
            done = received(ConcernResolved(**named, resolution=Resolution.DONE))
            await referrals.note_referrals(tx, [asked], datetime.now(UTC))
            await referrals.note_referrals(tx, [done], datetime.now(UTC))
        assert "It is not resolved" in (await client.get(f"/walks/{walk_id}")).text
        assert (await client.post(f"{path}/reopen")).status_code == 303
        assert (await client.post(f"{path}/reopen")).status_code == 409
        assert (await client.post(f"{path}/withdraw")).status_code == 303
        assert (await client.post(f"{path}/withdraw")).status_code == 409
        assert (await client.post(f"{path}/reopen")).status_code == 409
        assert (await client.post(f"/walks/{walk_id}/concerns/{uuid4()}/withdraw")).status_code == 404
    assert [name for name, _ in await told(app)][2:] == ["concern-reopened", "concern-withdrawn"]


async def test_a_photo_is_kept_without_what_it_said_and_goes_with_its_last_concern(app: FastAPI) -> None:
    """By form and by API; the same picture of two concerns is one file, until the second lets go of it."""
    walk_id = await an_arranged_walk(app)
    async with visitor(app, OFFICER) as client:
        sent = {"photo": ("rain.jpg", a_photo(), "image/jpeg")}
        unseen = await client.post(f"/record/{walk_id}/concerns", data=NOTED, files=sent)
        assert unseen.status_code == 422 and "must not show faces" in unseen.text
        noted = await client.post(f"/record/{walk_id}/concerns", data={**NOTED, "photo_looked_at": "yes"}, files=sent)
        assert noted.status_code == 303, noted.text
        digest = (await send_photo(client, walk_id, a_photo())).json()["photo"]
        second = uuid4()
        assert (await put(client, walk_id, second, photo=digest, photo_looked_at=True)).status_code == 200
        assert files(app) == [digest]
        shown = await client.get(f"/record/{walk_id}/photos/{digest}")
        assert shown.headers["content-type"] == "image/jpeg" and digest_of(shown.content) == digest
        assert SECRET not in shown.content
        first = next(iter(set(await looks(client, walk_id)) - {str(second)}))
        for concern_id, left in ((first, [digest]), (str(second), [])):
            assert (await client.post(f"/record/{walk_id}/concerns/{concern_id}/remove")).status_code == 303
            await fire(app)
            assert files(app) == left
        gone = await client.get(f"/record/{walk_id}/photos/{digest}")
        assert gone.status_code == 404


async def test_what_is_no_photo_or_too_large_is_refused_by_its_field(app: FastAPI) -> None:
    """A large photograph passes where photographs arrive, and nowhere else."""
    walk_id = await an_arranged_walk(app)
    noise = BytesIO()
    Image.effect_noise((900, 900), 99).convert("RGB").save(noise, "PNG")
    assert len(noise.getvalue()) > 1_200_000
    async with visitor(app, OFFICER) as client:
        for content, status in ((b"no photo\0", 422), (noise.getvalue(), 200), (bytes(12_200_000), 413)):
            assert (await send_photo(client, walk_id, content)).status_code == status
        elsewhere = await client.post(f"/record/{walk_id}", data={"way": "x" * 1_100_000})
        assert elsewhere.status_code == 413
        form = await client.post(
            f"/record/{walk_id}/concerns", data=NOTED, files={"photo": ("x.jpg", b"no photo\0", "image/jpeg")}
        )
        assert form.status_code == 422 and "a JPEG, PNG or WebP file that opens" in form.text
        words = await client.post(f"/record/{walk_id}/concerns", data={**NOTED, "words": "\0"}, files={"photo": b""})
        assert words.status_code == 422


async def test_erased_with_her_are_what_was_noted_the_photos_and_the_way(app: FastAPI) -> None:
    """Passed on or not: no word, no name of a place, no file; that a concern stands there stays."""
    walk_id = await an_arranged_walk(app)
    deps = deps_of(app)
    mark = f"Marked{uuid4().hex[:8]}"
    async with visitor(app, OFFICER) as client:
        digest = (await send_photo(client, walk_id, a_photo())).json()["photo"]
        told_of, kept = uuid4(), uuid4()
        marked = {"words": mark, "suggests": mark, "place_name": mark}
        await put(client, walk_id, told_of, **marked)
        await put(client, walk_id, kept, **marked, photo=digest, photo_looked_at=True)
        await client.post(f"/record/{walk_id}", data={"way": "51.45, -2.59\n51.46, -2.58"})
        await held(client, walk_id)
        assert (await close(client, walk_id, (await looks(client, walk_id))[str(told_of)])).status_code == 303
    await deps.bus_database.open()
    async with deps.bus_database.transaction([FORCE]) as tx:
        request_id = await tx.fetch_value(Query("r", "", "SELECT id FROM request WHERE walk_id = $1"), UUID(walk_id))
        await erasure.forget_erased(tx, [received(ParticipantErased(request_id=request_id))], datetime.now(UTC))
    await deps.bus_database.close()
    await fire(app)
    assert files(app) == []
    async with deps.database.transaction([FORCE]) as tx:
        for table in ("noted_concern", "walk_record", "concern", "photo"):
            rows = await tx.fetch(Query("all", "", f"SELECT * FROM {table}"))  # noqa: S608 - a test's own names
            assert mark not in str([dict(row) for row in rows])
            assert [row["route"] for row in rows if table == "walk_record"] in ([], [None])
        assert await tx.fetch_value(Query("n", "", "SELECT count(*) FROM noted_concern")) == 2


async def test_the_map_of_the_record_shows_ones_own_force(app: FastAPI) -> None:
    """Areas as lines; a point and a postcode by the names people know; what is no place is refused by field."""
    async with visitor(app, OFFICER) as client:
        lines, again = await asyncio.gather(*(client.get("/api/v1/areas") for _ in range(2)))
        assert len(lines.json()["features"]) == 80 and again.content == lines.content
        found = (await client.post("/api/v1/places", json={"postcode": "bs14dj"})).json()
        assert found["area"] == "BS1 Bristol city centre and Harbourside"
        here = {"latitude": found["latitude"], "longitude": found["longitude"]}
        around = (await client.post("/api/v1/places", json=here)).json()["around"]
        assert "BS1 4DJ" in [one["postcode"] for one in around[:3]]
        for wrong, field in (({}, "place"), ({"postcode": "ZZ99 9ZZ"}, "postcode"), ({"latitude": 0}, "latitude")):
            answer = await client.post("/api/v1/places", json=wrong)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
