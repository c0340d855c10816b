"""Marked values are put into every field of every form and call of a walk; partners see what was passed alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.embedded.sign_in import bearer_token
from shared.embedded.stack import CLIENT_ID, IDENTITY, Stack
from shared.web.access import ASSIGNMENT
from tests.flow.test_proposals import Woman, until
from tests.servers.everywhere import everything, rows
from tests.servers.form import fields_of

pytestmark = pytest.mark.timeout(420)

FORM = re.compile(r'<form method="post" action="([^"]*)".*?</form>', re.DOTALL)
OPTION = re.compile(r'<select[^>]* name="([^"]+)".*?<option value="([^"]+)"', re.DOTALL)
MAIN = re.compile(r"<main.*</main>", re.DOTALL)
TEXT = frozenset({"text", "textarea", "", "search", "email", "tel"})
NOT_BY_THIS_TEST = re.compile(
    r"/(signout|cancel|not-held|take|pass-on|group|withdraw|reopen|remove|complete|second)(/|$)"
)
"""Forms that end the walk, or give it to somebody else."""


@dataclass
class Marks:
    """Marked values, where each was put, and what may become of it."""

    run: str = field(default_factory=lambda: uuid4().hex[:8])
    put: dict[str, str] = field(default_factory=dict)

    def new(self, where: str) -> str:
        """A value nobody wrote before, for this field."""
        value = f"Kept{self.run}n{len(self.put)}x"
        self.put[value] = where
        return value

    def found_in(self, text: str | bytes) -> dict[str, str]:
        """Which stand in a text, in any letters, and where they were put."""
        plain = (text if isinstance(text, str) else text.decode("utf-8", "replace")).lower()
        return {value: where for value, where in self.put.items() if value.lower() in plain}

    def of(self, part: str) -> set[str]:
        return {value for value, where in self.put.items() if part in where}


def body_of(schema: Mapping[str, Any], whole: Mapping[str, Any], marks: Marks, where: str) -> Any:
    """A body that fits a schema as far as a marked value in every field for text can."""
    if "$ref" in schema:
        return body_of(whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]], whole, marks, where)
    if "anyOf" in schema:
        return body_of(schema["anyOf"][0], whole, marks, where)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: body_of(one, whole, marks, f"{where} {name}") for name, one in properties.items()}
        case "array":
            return [body_of(schema["items"], whole, marks, where)] if "items" in schema else []
        case "boolean":
            return True
        case "number" | "integer":
            return max(51.45 if "latitude" in where else -2.58, schema.get("minimum", -9))
        case "string" if schema.get("format") == "date-time":
            return datetime.now(UTC).isoformat()
        case "string" if schema.get("format") in ("uuid", "date") or "pattern" in schema:
            return str(uuid4())
        case "string":
            return marks.new(where)
    return None


async def fill_every_form(client: httpx.AsyncClient, path: str, marks: Marks) -> list[str]:
    """Send every form of a page with a marked value in each field for text; where they went."""
    sent = []
    for found in FORM.finditer((await client.get(path)).text):
        action = found[1]
        if NOT_BY_THIS_TEST.search(action):
            continue
        chosen = dict(OPTION.findall(found[0]))
        values: dict[str, Any] = {}
        for one in fields_of(found[0]):
            name, kind = one.get("name", ""), one.get("type", "")
            if kind in ("radio", "checkbox", "hidden"):
                values.setdefault(name, one.get("value", ""))
            elif name in chosen:
                values[name] = chosen[name]
            elif kind in TEXT:
                # What is read as a number, a day or a place is tried as that too, in the calls.
                values[name] = "" if name in ("place", "way", "reference") else marks.new(f"form {action} {name}")
        files = {"photo": (marks.new("form photo") + ".jpg", b"", "image/jpeg")} if "multipart" in found[0] else None
        answer = await client.post(action, data=values, files=files)
        assert answer.status_code in (303, 403, 409, 422), (action, answer.status_code, answer.text[:300])
        sent.append(action)
    return sent


async def call_everything(client: httpx.AsyncClient, walk_id: str, marks: Marks) -> set[str]:
    """Every call of the API that is made of a walk, with a marked value in every field for text; which were made."""
    document = (await client.get("/openapi.json")).json()
    made = set()
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            row = f"{method.upper()} {path}"
            if "{walk_id}" not in path or method == "get" or NOT_BY_THIS_TEST.search(path):
                continue
            address = re.sub(r"\{[^}]+\}", lambda _: str(uuid4()), path.replace("{walk_id}", walk_id))
            content = one.get("requestBody", {}).get("content", {}).get("application/json")
            body = body_of(content["schema"], document, marks, row) if content else None
            answer = await client.request(method.upper(), address, json=body)
            assert answer.status_code < 500, (row, answer.text)
            made.add(row)
    return made


async def test_partners_see_what_was_passed_and_nothing_else(stack: Stack) -> None:
    """A disclosure is recorded, concerns are noted by form and by call, one of them is passed on: its words arrive at
    partners, and of everything else nothing, in the preview as in events, topics, pages and other databases."""
    marks, secret, urls = Marks(), stack.secrets.oidc_client_secret, stack.urls

    async def signed_in(service: str, who: str) -> httpx.AsyncClient:
        token = await bearer_token(urls[IDENTITY], CLIENT_ID, secret, who)
        return httpx.AsyncClient(base_url=urls[service], headers={"Authorization": f"Bearer {token}"}, timeout=30)

    async with (
        await signed_in("assignment", "officer-avon-1") as client,
        await signed_in("partners", "coordinator-avon") as partners,
        httpx.AsyncClient(timeout=30) as public,
    ):
        request_id = await Woman(stack, public).ask()

        async def walk() -> str | None:
            walks = (await client.get("/api/v1/walks?team_id=bs1")).json()["walks"]
            return next((one["walk_id"] for one in walks if one["requests"][0]["request_id"] == request_id), None)

        walk_id = str(await until("the walk", walk))
        assert (await client.post(f"/api/v1/walks/{walk_id}/take", json={})).status_code == 200
        when = {"starts_at": (datetime.now(UTC) + timedelta(days=300)).isoformat(), "meeting_place": "The library"}
        assert (await client.post(f"/api/v1/walks/{walk_id}/arrange", json=when)).status_code == 200

        # A disclosure first: from then on the walk cannot be closed before it is recorded.
        opened = await client.post(f"/walks/{walk_id}/disclose")
        disclosure = opened.headers["location"]
        number = f"52{int(marks.run, 16) % 10**8:08d}"
        done = datetime.now(UTC) - timedelta(hours=1)
        recorded = await client.post(
            disclosure,
            data={
                "kind": "crime",
                "reference": number,
                "safeguarding": ["made-safe"],
                "day": f"{done:%Y-%m-%d}",
                "clock": f"{done:%H:%M}",
                "safeguarded_by": "officer-avon-1",
                "signposted": ["how-to-report"],
            },
        )
        assert recorded.status_code == 303, recorded.text
        marks.put[number] = "disclosure"

        calls = await call_everything(client, walk_id, marks)
        assert {row for row in calls if "concerns" in row or "record" in row} >= {
            "PUT /api/v1/walks/{walk_id}/concerns/{concern_id}"
        }
        kept = {"category": "badly-lit", "words": "", "suggests": "", "place_name": ""}
        for _ in range(3):
            noted = {**kept, **{name: marks.new(f"noted {name}") for name in ("words", "suggests", "place_name")}}
            answer = await client.put(f"/api/v1/walks/{walk_id}/concerns/{uuid4()}", json=noted)
            assert answer.status_code == 200, answer.text
        sent = []
        for path in ("", "/arrange", "/propose", "/complete"):
            sent += await fill_every_form(client, f"/walks/{walk_id}{path}", marks)
        sent += await fill_every_form(client, f"/record/{walk_id}", marks)
        sent += await fill_every_form(client, disclosure, marks)
        assert {f"/record/{walk_id}", f"/record/{walk_id}/concerns", disclosure} <= set(sent)

        # Times as they were, and the one concern that is passed.
        began = datetime.now(UTC) - timedelta(days=2)
        said = {"day": f"{began:%Y-%m-%d}", "start": "10:00", "end": "11:00"}
        assert (await client.post(f"/record/{walk_id}", data=said)).status_code == 303
        told = f"Told{marks.run}"
        passed = str(uuid4())
        noted = {"category": "badly-lit", "words": f"{told} words", "suggests": f"{told} suggestion"}
        assert (await client.put(f"/api/v1/walks/{walk_id}/concerns/{passed}", json=noted)).status_code == 200

        page = MAIN.search((await client.get(f"/walks/{walk_id}/complete")).text)
        assert page is not None and told in page[0]
        shown = marks.found_in(page[0])
        of_concerns = {
            value for value, where in marks.put.items() if where.endswith(("words", "suggests", "place_name"))
        }
        assert set(shown) <= of_concerns, "the preview holds what is no part of a concern"
        assert marks.of("noted") <= set(shown), "the search finds what is there"

        looks = dict(re.findall(r'name="passed" type="checkbox" value="(([^":]+):[^"]+)"', page[0]))
        (look,) = [value for value, concern_id in looks.items() if concern_id == passed]
        closed = await client.post(f"/walks/{walk_id}/complete", data={"passed": look, "disclosed": "yes"})
        assert closed.status_code == 303, closed.text

        sql = "SELECT reference FROM referral JOIN concern c ON c.id = concern_id WHERE c.words LIKE $1"

        async def referred() -> str | None:
            found = await rows(stack, "partners", sql, f"{told}%")
            return str(found[0]["reference"]) if found else None

        reference = await until("the concern at partners", referred)
        assert told in (await partners.get(f"/referrals/{reference}")).text
        for where in ("/", "/triage", "/api/v1/referrals", "/api/v1/triage"):
            assert marks.found_in((await partners.get(where)).text) == {}, where
        for row in await rows(stack, "partners", "SELECT reference FROM referral"):
            for where in (f"/referrals/{row['reference']}", f"/api/v1/referrals/{row['reference']}"):
                assert marks.found_in((await partners.get(where)).text) == {}, where
        events = await rows(stack, "assignment", "SELECT data FROM outbox_log WHERE topic = 'concerns.v1'")
        assert any(told.encode() in row["data"] for row in events)
        assert [found for row in events if (found := marks.found_in(row["data"]))] == []

        # What was noted or disclosed stands nowhere but in its own table; a meeting place is hers to read.
        hers = {value for value in marks.put if "meeting_place" in marks.put[value]}
        strayed = set()
        async for place, content in everything(stack):
            for value, where in marks.found_in(content).items():
                hers_to_read = value in hers and place.startswith(("intake", "topic walk"))
                if not (place.startswith("assignment public.") or hers_to_read):
                    strayed.add((where, place))
        assert strayed == set()


def test_every_way_to_write_on_a_walk_is_tried_or_named() -> None:
    """A new form or call of a walk is met by the test above untold: by its page, or by the API’s document."""
    pages = {"", "/arrange", "/propose", "/complete", "/disclose"}
    forms = [path for method, path in ASSIGNMENT if method == "POST" and path.startswith("/walks/{walk_id}")]
    known = re.compile(r"/walks/\{walk_id\}(/(check-in|attempts/\{request_id\}|route))?$")
    for path in forms:
        rest = path.removeprefix("/walks/{walk_id}")
        assert rest in pages or NOT_BY_THIS_TEST.search(path) or known.search(path), path
