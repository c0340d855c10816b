"""A walk proposed, answered on her page and arranged; moved; another changed by her and routed anew: the whole way."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.embedded.sign_in import bearer_token
from shared.embedded.stack import CLIENT_ID, IDENTITY, MAILBOX, Stack

pytestmark = pytest.mark.timeout(300)

FORCE = "avon-and-somerset"
LINK = re.compile(r"/your-request/[A-Za-z0-9_-]+")
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


async def until(what: str, holds: Callable[[], Awaitable[Any]]) -> Any:
    """What `holds` gives once it gives something."""
    for _ in range(600):
        if found := await holds():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{what} did not come about")


class Woman:
    """Asks, reads her mail, and uses her page."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient) -> None:
        self.stack, self.client = stack, client
        self.email = f"{uuid4().hex}@demo.example"
        self.page = ""

    async def ask(self) -> str:
        body = {
            "force_id": FORCE,
            "name": "Siân",
            "over_18": True,
            "consent": True,
            "contact": {"channels": ["email"], "email": self.email, "may_say_police": True},
            "place": {"postcode": "BS1 4DJ"},
            "availability": {"days": ["monday"], "parts": ["evening"]},
        }
        headers = {"Idempotency-Key": uuid4().hex}
        answer = await self.client.post(f"{self.stack.urls['intake']}/api/v1/walk-requests", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        self.page = self.stack.urls["intake"] + await until("her link", self._link)
        return str(answer.json()["request_id"])

    async def _link(self) -> str | None:
        mailbox = self.stack.urls[MAILBOX]
        for message in (await self.client.get(f"{mailbox}/api/messages?to={self.email}")).json():
            whole = (await self.client.get(f"{mailbox}/api/messages/{message['id']}")).json()
            if found := LINK.search(whole["text"] or ""):
                return found[0]
        return None

    async def sees(self, words: str) -> str | None:
        """Her page, once these words stand on it."""
        shown = (await self.client.get(self.page)).text
        return shown if words in shown else None

    async def send(self, what: str, **data: Any) -> None:
        token = TOKEN.search((await self.client.get(self.page)).text)
        assert token is not None
        answer = await self.client.post(f"{self.page}/{what}", data={"csrf_token": token[1], **data})
        assert answer.status_code == 303, answer.text


async def test_a_walk_is_proposed_answered_moved_and_changed(stack: Stack) -> None:
    """Each step seen where the other side sees it, over the bus."""
    secret, urls = stack.secrets.oidc_client_secret, stack.urls
    officer = {"Authorization": f"Bearer {await bearer_token(urls[IDENTITY], CLIENT_ID, secret, 'officer-avon-1')}"}
    async with httpx.AsyncClient(timeout=20) as client:

        async def walk_of(request_id: str) -> dict[str, Any] | None:
            answer = await client.get(f"{urls['assignment']}/api/v1/walks?team_id=bs1", headers=officer)
            walks: list[dict[str, Any]] = answer.json()["walks"]
            return next((one for one in walks if one["requests"][0]["request_id"] == request_id), None)

        async def act(walk_id: str, what: str, **body: Any) -> dict[str, Any]:
            path = f"{urls['assignment']}/api/v1/walks/{walk_id}/{what}"
            answer = await client.post(path, json=body, headers=officer)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found

        async def now_of(walk_id: str) -> dict[str, Any]:
            found: dict[str, Any] = (
                await client.get(f"{urls['assignment']}/api/v1/walks/{walk_id}", headers=officer)
            ).json()
            return found

        async def taken_walk(woman: Woman) -> str:
            request_id = await woman.ask()
            walk_id = str((await until("the walk", lambda: walk_of(request_id)))["walk_id"])
            await act(walk_id, "take")
            return walk_id

        day = (datetime.now(UTC) + timedelta(days=200)).replace(hour=18, minute=0, second=0, microsecond=0)
        woman = Woman(stack, client)
        walk_id = await taken_walk(woman)
        proposed = await act(
            walk_id, "propose", times=[day.isoformat(), (day + timedelta(days=1)).isoformat()], meeting_place="Library"
        )
        await until("her choice", lambda: woman.sees("Which of these times suits you?"))
        chosen = day + timedelta(days=1)
        await woman.send("answer", proposal=proposed["proposal"]["proposal_id"], chosen=chosen.isoformat())
        await until("the arranged walk", lambda: woman.sees("Your walk is arranged"))
        arranged = await now_of(walk_id)
        assert (arranged["state"], datetime.fromisoformat(arranged["starts_at"])) == ("arranged", chosen)

        await act(walk_id, "arrange", starts_at=day.isoformat(), meeting_place="The station")
        await until("the new place", lambda: woman.sees("The station"))

        other = Woman(stack, client)
        walk_id = await taken_walk(other)
        await until("who has it", lambda: other.sees("An officer has taken it on"))
        await other.send("change", days="friday", parts="evening", postcode="BA1 1SU")
        await until("another team", lambda: other.sees("The neighbourhood team has it"))
        # The officer of the first team is told nothing of it any more.
        seen = await client.get(f"{urls['assignment']}/api/v1/walks/{walk_id}", headers=officer)
        assert seen.status_code == 404
