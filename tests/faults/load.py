"""A steady stream of whole stories while everything around them breaks, and a note of all that was accepted."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import httpx

from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.concerns import ConcernWithdrawn
from shared.database import TRANSIENT, Database
from shared.embedded.demo import Demo, StoryStuck, _Board, _Story
from shared.embedded.demo_people import teams
from shared.embedded.stack import MAILBOX, Stack

AT_ONCE: Final = 5
MANY: Final = 20_000
"""More stories than any run tells."""
_PRIVATE: Final = re.compile(r"(/your-request/\S+)")
_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')
_NOWHERE: Final = {"latitude": 51.95, "longitude": -3.6}
"""In no team's area: a coordinator's triage."""


@dataclass
class Accepted:
    """What the services said yes to, so that it must stand. Ids alone."""

    requests: dict[UUID, str] = field(default_factory=dict)
    """Request to the key it was sent under."""
    withdrawn: set[UUID] = field(default_factory=set)
    walks: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    """Completed walks and the concerns recorded on them."""
    withdrawn_concerns: set[UUID] = field(default_factory=set)
    resolved: set[UUID] = field(default_factory=set)
    """Concerns a partner said were resolved."""
    answers: int = 0
    worried: set[UUID] = field(default_factory=set)
    """Requests behind worried answers that were followed up."""
    recipients: set[str] = field(default_factory=set)
    told: int = 0
    """Stories that came to their end."""
    left: Counter[str] = field(default_factory=Counter)
    """Stories that did not, by the step at which patience ended."""
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Answers by service and HTTP status; 0 where none came."""


class Load(Demo):
    """Tells stories until told to stop. What is refused for the moment is asked again, under the same key."""

    def __init__(self, stack: Stack, seed: int, *, patience: float = 60, tell: Callable[[], None] = lambda: None):
        super().__init__(stack, MANY, seed=seed)
        self.accepted = Accepted()
        self._patience = patience
        self._told_one = tell
        self._next = iter(self._stories)
        self._outside = {story.email for story in self._stories if story.number % 11 == 5}
        self._bus = Database(stack.database_url("assignment", "web"), largest=2, name="walkandtalk faults")

    async def tell_stories(self, stopping: asyncio.Event, at_once: int = AT_ONCE) -> Accepted:
        """Several stories at any time; those begun are told to their end, or as far as patience goes."""
        await self._bus.open()
        async with httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=40)) as client:
            self._client = client
            self._boards = {
                force: _Board(lambda force=force: self._routed(force))  # type: ignore[misc]  # bound at once
                for force in self._officers
            }
            self._postcodes = {
                force: [one for team in teams(force) for one in self._of_district(team)] for force in self._officers
            }
            watching = [asyncio.create_task(board.watch()) for board in self._boards.values()]
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(at_once):
                        group.create_task(self._one_after_another(stopping))
            finally:
                for task in watching:
                    task.cancel()
                await self._bus.close()
        return self.accepted

    async def _one_after_another(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            story = next(self._next)
            self.accepted.recipients.add(story.email)
            try:
                await self._tell_one(story)
                self.accepted.told += 1
            except StoryStuck as stuck:
                self.accepted.left[str(stuck).partition(": not within")[0]] += 1
            self._told_one()

    async def _tell_one(self, story: _Story) -> None:
        """Two in twelve are withdrawn, before or after it is routed; every eleventh lies outside all areas."""
        await self._request_until_accepted(story)
        request_id = UUID(story.request_id)
        # Not those who want no word of the police in their messages: theirs hold no link.
        if story.number % 12 in (4, 10):
            if story.number % 12 == 4:
                await self._find_walk(story)
            await self._withdraw(story)
            self.accepted.withdrawn.add(request_id)
            return
        if story.number % 11 == 5:
            return
        await self._find_walk(story)
        await self._hold_walk(story)
        concerns = [UUID(one) for one in story.concern_ids]
        self.accepted.walks[UUID(story.walk_id)] = tuple(concerns)
        if story.number % 7 == 2:
            await self._withdraw_concern(story.force_id, concerns[0])
            self.accepted.withdrawn_concerns.add(concerns[0])
            story.concern_ids = story.concern_ids[1:]
        await self._act_on_concerns(story)
        self.accepted.resolved |= {UUID(one) for one in story.concern_ids}
        await self._answer_survey(story)
        self.accepted.answers += 1
        if story.worried:
            await self._follow_up(story)
            self.accepted.worried.add(request_id)

    async def _request_until_accepted(self, story: _Story) -> None:
        """Whatever happens in between: what she sent in is sent again under its key until it is answered."""
        while True:
            try:
                await self._request(story)
            except StoryStuck as stuck:
                if "not within" not in str(stuck):
                    raise
            else:
                self.accepted.requests[UUID(story.request_id)] = story.key
                return

    async def _send(self, service: str, path: str, body: Any, **more: Any) -> Any:
        if path == "/api/v1/walk-requests" and body["contact"]["email"] in self._outside:
            body = body | {"place": _NOWHERE}
        return await super()._send(service, path, body, **more)

    async def _withdraw(self, story: _Story) -> None:
        """She follows the link of her confirmation and takes her request back, until the page says so."""
        link = await self._private_link(story)
        url = self._stack.urls["intake"] + link

        async def taken_back() -> bool:
            with suppress(httpx.TransportError):
                async with httpx.AsyncClient(timeout=10) as browser:
                    page = await browser.get(url)
                    token = _TOKEN.search(page.text)
                    if page.status_code != 200 or token is None:
                        # No form is left on the page of a request that was taken back.
                        return page.status_code == 200
                    sent = await browser.post(f"{url}/withdraw", data={"csrf_token": token[1]})
                    self.accepted.statuses[("intake", sent.status_code)] += 1
                    return sent.status_code == 303
            return False

        await self._until("a request is withdrawn", taken_back)

    async def _private_link(self, story: _Story) -> str:
        found: list[str] = []

        async def arrived() -> bool:
            listed = await self._get(MAILBOX, f"/api/messages?to={story.email}", None)
            for message in listed or ():
                whole = await self._get(MAILBOX, f"/api/messages/{message['id']}", None)
                if link := _PRIVATE.search((whole or {}).get("text") or ""):
                    found.append(link[1])
                    return True
            return False

        await self._until("the confirmation reaches her", arrived, every=0.2)
        return found[0]

    async def _withdraw_concern(self, force_id: str, concern_id: UUID) -> None:
        """The team takes a concern back: no page does so yet, but what follows from it is built."""

        async def told() -> bool:
            done = await self._rows(
                "assignment", "SELECT 1 FROM outbox_log WHERE key = $1 AND type LIKE '%concern-withdrawn%'", concern_id
            )
            if done:
                return True
            with suppress(*TRANSIENT):
                async with self._bus.transaction([force_id]) as tx:
                    await outbox.append(
                        tx, [Fact(ConcernWithdrawn(concern_id=concern_id), force_id, datetime.now(UTC))]
                    )
            return False

        await self._until("a concern is withdrawn", told)

    async def _ask(
        self, method: str, service: str, path: str, who: str | None, body: Any = None, headers: Mapping[str, str] = {}
    ) -> httpx.Response | None:
        """As the demo asks, and every answer is noted. A token that a stepped clock refuses is no refusal of ours."""
        sent = dict(headers)
        if who is not None:
            sent["Authorization"] = f"Bearer {await self._token(who)}"
        try:
            answer = await self._client.request(method, self._stack.urls[service] + path, json=body, headers=sent)
        except httpx.TransportError:
            self.accepted.statuses[(service, 0)] += 1
            return None
        self.accepted.statuses[(service, answer.status_code)] += 1
        if answer.status_code == 401 and who is not None:
            self._tokens.pop(who, None)
            return None
        return None if answer.status_code >= 500 else answer

    async def _until(self, what: str, holds: Callable[[], Awaitable[bool]], every: float = 0.15) -> None:
        try:
            async with asyncio.timeout(self._patience):
                while not await holds():  # noqa: ASYNC110  # what is awaited happens in other processes
                    # Less often than the demo looks: it is the services that are to be busy.
                    await asyncio.sleep(2 * every)
        except TimeoutError:
            raise StoryStuck(f"{what}: not within {self._patience:.0f} seconds") from None
