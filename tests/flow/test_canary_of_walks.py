"""Marked values of a disclosure and of a patrol, typed in on a running stack, are found in one column each."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from secrets import randbelow
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.embedded.sign_in import bearer_token
from shared.embedded.stack import CLIENT_ID, IDENTITY, Stack
from shared.working_days import london
from tests.flow.test_proposals import Woman, until
from tests.servers.everywhere import everything, forms_of

pytestmark = pytest.mark.timeout(240)

NUMBER = "7" + "".join(str(randbelow(10)) for _ in range(13)) + "/26"
HEARD = f"canary {uuid4().hex} on the bridge"
MEETING = f"By the canary {uuid4().hex[:8]}"


async def test_what_was_disclosed_and_heard_stands_in_one_column_each(stack: Stack) -> None:
    """The number of a crime report and what was heard on a patrol, with a walk closed, partners told and surveys sent
    around them: databases, topics, logs and metrics are searched in every way of writing. That there was a disclosure
    at all is in no other database, no topic, no log and no metric but the one gauge."""
    urls, secret = stack.urls, stack.secrets.oidc_client_secret
    officer = {"Authorization": f"Bearer {await bearer_token(urls[IDENTITY], CLIENT_ID, secret, 'officer-avon-1')}"}
    async with httpx.AsyncClient(timeout=20) as client:
        woman = Woman(stack, client)
        request_id = await woman.ask()

        async def walk_of() -> str | None:
            found = (await client.get(f"{urls['assignment']}/api/v1/walks?team_id=bs1", headers=officer)).json()
            for walk in found["walks"]:
                if walk["requests"][0]["request_id"] == request_id:
                    return str(walk["walk_id"])
            return None

        async def send(path: str, **fields: Any) -> httpx.Response:
            address = urls["assignment"] + path
            return await client.post(address, data=fields, headers={**officer, "Accept": "text/html"})

        async def call(path: str, **body: Any) -> httpx.Response:
            return await client.post(f"{urls['assignment']}/api/v1/walks/{walk_id}/{path}", json=body, headers=officer)

        walk_id = await until("the walk", walk_of)
        starts_at = datetime.now(UTC) + timedelta(days=230)
        assert (await call("take")).status_code == 200
        arranged = await call("arrange", starts_at=starts_at.isoformat(), meeting_place=MEETING)
        assert arranged.status_code == 200, arranged.text
        opened = await send(f"/walks/{walk_id}/disclose")
        assert opened.status_code == 303, opened.text
        address = opened.headers["location"]
        ended = datetime.now(UTC)
        held = {
            "started_at": (ended - timedelta(minutes=50)).isoformat(),
            "ended_at": ended.isoformat(),
            "concerns": [{"category": "badly-lit", "place": {"latitude": 51.45, "longitude": -2.59}}],
        }
        assert (await call("complete", **held)).status_code == 409
        yesterday = london(ended - timedelta(days=1))
        recorded = await send(
            address,
            kind="crime",
            reference=NUMBER,
            safeguarding="made-safe",
            day=f"{yesterday:%Y-%m-%d}",
            clock="18:00",
            signposted="victim-support",
        )
        assert recorded.status_code == 303, recorded.text
        closed = await call("complete", **held)
        assert closed.status_code == 200, closed.text
        logged = await send(
            "/patrols/log",
            kind="foot",
            day=f"{yesterday:%Y-%m-%d}",
            start="19:00",
            end="20:00",
            area_id="bs1",
            conversations="2",
            heard=HEARD,
        )
        assert logged.status_code == 303, logged.text
        concern_id = closed.json()["concerns"][0]["concern_id"]

    async def settled() -> bool:
        # The concern has reached partners and the patrol feedback: what could travel has.
        seen = {
            (place, content)
            async for place, content in everything(stack)
            if place in ("partners public.concern.id", "feedback public.patrol.minutes")
        }
        return any(content == concern_id.encode() for _, content in seen) and any(c == b"60" for _, c in seen)

    await until("partners and feedback", settled)
    marks = {"number": forms_of(NUMBER), "heard": forms_of(HEARD), "control": forms_of(MEETING)}
    disclosure = address.rpartition("/")[2].encode()
    found: dict[str, set[str]] = {name: set() for name in (*marks, "id", "word")}
    async for place, content in everything(stack):
        for name, written in marks.items():
            if any(form in content for form in written):
                found[name].add(place)
        if disclosure in content:
            found["id"].add(place)
        if not place.startswith("assignment public.") and not place.endswith(".audit.action"):
            found["word"] |= _told(place, content)
    assert found["number"] == {"assignment public.disclosure.reference"}
    assert found["heard"] == {"assignment public.patrol.heard"}
    assert {"topic walks.v1", "assignment public.walk.meeting_place"} <= found["control"]
    assert found["id"] <= {
        "assignment public.disclosure.id",
        "assignment public.audit.subject",
        "assignment public.timer.subject",
    }
    assert found["word"] == set()


def _told(place: str, content: bytes) -> set[str]:
    """Lines that say there was one: neither the gauge nor a visitor turned away at the door does."""
    harmless = re.compile(rb'walkandtalk_disclosures_overdue|"?status"?(=|: )"?(401|403|303)\b')
    return {
        f"{place}: {line[:200]!r}"
        for line in content.splitlines()
        if re.search(rb"disclos|safeguard", line, re.IGNORECASE) and not harmless.search(line)
    }
