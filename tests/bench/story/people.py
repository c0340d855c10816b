"""The story told by many people at once: the demo's steps and checks, with boards looked at by one for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
from pydantic_core import to_json

from shared.contracts.catalogue import SERVICES
from shared.embedded.demo import Demo, Report, StoryStuck, _coordinator, _Story
from shared.embedded.stack import Stack
from tests.bench.requests.http import Answer, Broken, Connection, request

_CONNECTIONS: Final = 24
_PATIENCE: Final = 120.0
_EVERY: Final = 0.1


class Board:
    """What all wait for, looked up again and again by one; each finds there what concerns it."""

    def __init__(self, look: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        self._look = look
        self._seen: dict[str, Any] = {}
        self._news = asyncio.Condition()

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            # What is away for a moment is looked at again.
            with suppress(Broken, OSError):
                found = await self._look()
                async with self._news:
                    self._seen |= found
                    self._news.notify_all()
            await asyncio.sleep(_EVERY)

    async def of(self, key: str, what: str) -> Any:
        """What stands there under a key, once it does.

        :raises StoryStuck: it does not come.
        """
        try:
            async with asyncio.timeout(_PATIENCE), self._news:
                await self._news.wait_for(lambda: key in self._seen)
        except TimeoutError:
            raise StoryStuck(f"{what}: not within {_PATIENCE:.0f} seconds") from None
        return self._seen[key]


class Crowd(Demo):
    """The demo, with everybody on the way at the same time, over connections that stay open."""

    def __init__(self, stack: Stack, walks: int, *, seed: int, tell: Callable[[str], None]) -> None:
        super().__init__(stack, walks, seed=seed, tell=tell)
        self._at_once = asyncio.Semaphore(walks)
        self._free: dict[str, asyncio.Queue[Connection]] = {}
        self._pools: dict[str, asyncpg.Pool[asyncpg.Record]] = {}
        self.ended: list[float] = []
        """When each story was over, in seconds from the beginning."""

    async def tell_all(self) -> Report:
        """Run, with the boards watched."""
        admin = self._stack.postgres.admin_url.rsplit("/", 1)[0]
        for service in SERVICES:
            self._pools[service] = await asyncpg.create_pool(f"{admin}/{service}", min_size=1, max_size=2)
        self._told_board = Board(self._look_told)
        self._partner_board = Board(self._look_partner_told)
        self._referral_board = Board(self._look_referrals)
        self._follow_up_board = Board(self._look_follow_ups)
        boards = (self._told_board, self._partner_board, self._referral_board, self._follow_up_board)
        watching = [asyncio.create_task(board.watch()) for board in boards]
        self._began = perf_counter()
        try:
            return await self.run()
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            for pool in self._pools.values():
                pool.terminate()
            for free in self._free.values():
                while not free.empty():
                    free.get_nowait().close()

    async def _tell_story(self, story: _Story) -> None:
        await super()._tell_story(story)
        self.ended.append(perf_counter() - self._began)

    # One look for all -------------------------------------------------------------------------------------------

    async def _look_told(self) -> Mapping[str, Any]:
        requests = [UUID(story.request_id) for story in self._stories if story.request_id]
        rows = await self._rows(
            "intake",
            "SELECT m.kind, m.request_id FROM message m JOIN sending s ON s.force_id = m.force_id AND s.id = m.id"
            " WHERE s.state = 'sent' AND m.kind IN ('arranged', 'survey') AND m.request_id = ANY ($1)",
            requests,
        )
        return {f"{row['kind']} {row['request_id']}": True for row in rows}

    async def _look_partner_told(self) -> Mapping[str, Any]:
        concerns = [UUID(one) for story in self._stories for one in story.concern_ids]
        rows = await self._rows(
            "partners",
            "SELECT r.reference FROM delivery d JOIN referral r ON r.id = d.referral_id JOIN sending s ON s.id = d.id"
            " WHERE s.state = 'sent' AND r.concern_id = ANY ($1)",
            concerns,
        )
        return {str(row["reference"]): True for row in rows}

    async def _look_referrals(self) -> Mapping[str, Any]:
        listed = await self._all("partners", "referrals", "referrals")
        return {one["concern_id"]: one for one in listed if one.get("concern_id")}

    async def _look_follow_ups(self) -> Mapping[str, Any]:
        return {one["request_id"]: one for one in await self._all("assignment", "follow-ups", "follow_ups")}

    async def _all(self, service: str, path: str, name: str) -> Sequence[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for force in self._officers:
            page, more = 1, True
            while more:
                listed = await self._get(service, f"/api/v1/{path}?state=open&page={page}", _coordinator(force))
                if listed is None:
                    return found
                found += listed[name]
                page, more = page + 1, listed["more"]
        return found

    # What the demo looks for by itself --------------------------------------------------------------------------

    async def _told(self, story: _Story, kind: str) -> bool:
        return bool(await self._told_board.of(f"{kind} {story.request_id}", f"she is told: {kind}"))

    async def _partner_told(self, referral: Mapping[str, Any]) -> bool:
        return bool(await self._partner_board.of(referral["referral_id"], "a partner is told"))

    async def _referral_of(self, story: _Story, concern_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._referral_board.of(concern_id, "a concern is referred")
        return found

    async def _survey_link(self, story: _Story) -> str:
        await self._told(story, "survey")
        return await super()._survey_link(story)

    async def _follow_up(self, story: _Story) -> None:
        await self._follow_up_board.of(story.request_id, "a follow-up is opened")
        await super()._follow_up(story)

    # Talking ----------------------------------------------------------------------------------------------------

    async def _ask(
        self, method: str, service: str, path: str, who: str | None, body: Any = None, headers: Mapping[str, str] = {}
    ) -> httpx.Response | None:
        sent = dict(headers)
        if who is not None:
            sent["authorization"] = f"Bearer {await self._token(who)}"
        raw = request(method, path, body=to_json(body) if body is not None else b"", headers=sent)
        answer = await self._exchange(service, raw)
        if answer is None or answer.status in (500, 502, 503, 504):
            return None
        return httpx.Response(answer.status, content=answer.body)

    async def _exchange(self, service: str, raw: bytes) -> Answer | None:
        port = getattr(self._stack.ports, service)
        free = self._free.get(service)
        if free is None:
            free = self._free[service] = asyncio.Queue()
            for _ in range(_CONNECTIONS):
                free.put_nowait(Connection())
        connection = await free.get()
        try:
            if connection.closed:
                connection = await Connection.open(port)
            return await connection.ask(raw)
        except (Broken, OSError):
            return None
        finally:
            free.put_nowait(connection)

    async def _rows(self, service: str, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        return list(await self._pools[service].fetch(sql, *arguments))
