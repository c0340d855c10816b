"""Marked values typed into the form are found nowhere but, sealed, in intake's database and in the mailbox."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from shared.embedded.demo import Demo
from shared.embedded.stack import Stack
from tests.servers.everywhere import everything, forms_of, mailbox
from tests.servers.form import fill_in

pytestmark = pytest.mark.timeout(240)

MARK = uuid4().hex[:8]
CANARY = {
    "name": f"Canary{MARK} Gwenhwyfar-Llwyd",
    "email": f"canary-{MARK}@nest.example",
    "phone": "+44 7700 9" + str(int(MARK, 16))[-5:].rjust(5, "7"),
    "address": f"Flat {MARK}, 1 Canary Row, Caerdydd",
}


async def _found(places: AsyncIterator[tuple[str, bytes]], forms: dict[str, list[bytes]]) -> set[tuple[str, str]]:
    """Which marked value stands where."""
    return {
        (name, place)
        async for place, content in places
        for name, written in forms.items()
        if any(form in content for form in written)
    }


async def test_who_she_is_stands_nowhere_but_in_the_mailbox(stack: Stack) -> None:
    """The form is filled in with marked name, e-mail, phone and address, the whole story goes on around it, a wrong
    entry and a refused one among it; then databases, topics, logs and metrics are searched in every way of writing."""
    async with httpx.AsyncClient(base_url=stack.urls["intake"], follow_redirects=True, timeout=20) as client:
        done = await fill_in(
            client,
            "avon-and-somerset",
            {
                "name": CANARY["name"],
                "channels": ["email", "text", "phone", "letter"],
                "email": CANARY["email"],
                "phone": CANARY["phone"],
                "address": CANARY["address"],
            },
        )
        assert re.search(r"[A-Z0-9]{4,}", done)
        refused = await client.post(
            "/api/v1/walk-requests",
            headers={"Idempotency-Key": f"canary-{CANARY['email']}"},
            json={"name": CANARY["name"], "contact": {"email": CANARY["email"], "channels": ["pigeon"]}},
        )
        assert refused.status_code == 422
        assert CANARY["email"] not in refused.text
        await client.get("/api/v1/walk-requests", params={"email": CANARY["email"]})
    report = await Demo(stack, 4, seed=7).run()
    assert report.faults == []

    forms = {name: forms_of(value) for name, value in CANARY.items()}
    # The search itself must find what is there: the demo's meeting place travels in the open.
    forms["control"] = forms_of("By the library steps")
    found = await _found(everything(stack), forms)
    assert {name for name, _ in found} == {"control"}, sorted(found - {one for one in found if one[0] == "control"})
    assert {"topic walks.v1", "assignment public.walk.meeting_place"} <= {place for _, place in found}

    async def told() -> bool:
        return bool(await _found(mailbox(stack), {"email": forms["email"]}))

    async with asyncio.timeout(30):
        while not await told():  # noqa: ASYNC110  # the message leaves from another process
            await asyncio.sleep(0.3)
