"""Work in every state on a running stack, so that bad input meets real walks, referrals and follow-ups."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx

from shared.embedded.demo import Demo
from shared.embedded.sign_in import bearer_token
from shared.embedded.stack import CLIENT_ID, IDENTITY, Stack
from tests.flow.test_story import a_request

OFFICER = "officer-avon-1"


async def furnish(stack: Stack, *, walks: int = 5, each: int = 6, in_days: int = 40) -> list[str]:
    """Some walks through the whole story, and `each` left where they wait: routed, taken, arranged, held.

    :param in_days: when those that are arranged begin; other days for the same officer's next ones.
    :returns: the walks that were left, in that order.
    """
    report = await Demo(stack, walks, seed=5).run()
    assert report.faults == [], report.faults
    token = await bearer_token(stack.urls[IDENTITY], CLIENT_ID, stack.secrets.oidc_client_secret, OFFICER)
    auth = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(timeout=60) as client:
        for n in range(4 * each):
            answer = await client.post(
                f"{stack.urls['intake']}/api/v1/walk-requests",
                # The centre of the area of the officer's own team.
                json=a_request(place={"postcode": "BS1 4DJ"}, name=f"Walker {n}"),
                headers={"Idempotency-Key": uuid4().hex},
            )
            assert answer.status_code == 201, answer.text
        waiting: list[str] = []
        api = f"{stack.urls['assignment']}/api/v1/walks"
        async with asyncio.timeout(90):
            while len(waiting) < 4 * each:
                listed = await client.get(api, params={"state": "routed"}, headers=auth)
                waiting = [one["walk_id"] for one in listed.json()["walks"]]
                await asyncio.sleep(0.2)
        starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=in_days)
        for n, walk in enumerate(waiting[: 3 * each]):
            taken = await client.post(f"{api}/{walk}/take", json={}, headers=auth)
            assert taken.status_code == 200, taken.text
            if n >= each:
                when = {"starts_at": (starts_at + timedelta(hours=3 * n)).isoformat(), "meeting_place": "By the steps"}
                arranged = await client.post(f"{api}/{walk}/arrange", json=when, headers=auth)
                assert arranged.status_code == 200, arranged.text
            if n >= 2 * each:
                ended = datetime.now(UTC) - timedelta(hours=2)
                held = {
                    "started_at": (ended - timedelta(minutes=40)).isoformat(),
                    "ended_at": ended.isoformat(),
                    "concerns": [{"category": "badly-lit", "place": {"latitude": 51.452, "longitude": -2.595}}],
                }
                done = await client.post(f"{api}/{walk}/complete", json=held, headers=auth)
                assert done.status_code == 200, done.text
        return waiting[: 4 * each]
