"""Sends walks through the whole story by the services' own APIs, and compares what went in with what stands.

Nothing here is taken on trust: `lost` and `doubled` come from counting, in the four databases and the mailbox, every
thing that was accepted, against the number of times it must stand there.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import httpx
import yaml

from shared.contracts.catalogue import SERVICES
from shared.contracts.equality import EQUALITY
from shared.contracts.kinds import Reason
from shared.contracts.surveys import AFTER_WALK, BASELINE
from shared.database import TRANSIENT
from shared.embedded.demo_people import people, teams
from shared.embedded.program import ROOT
from shared.embedded.sign_in import bearer_token
from shared.embedded.stack import CLIENT_ID, IDENTITY, MAILBOX, Stack
from shared.geography.postcodes import Postcodes
from shared.policies import Policies

STAGES: Final = ("requested", "routed", "arranged", "completed", "referred", "resolved", "answered", "followed up")
"""What a walk passes, for the progress bar. A walk nobody worries about counts as followed up when answered."""

_AT_ONCE: Final = 12
_PATIENCE: Final = 120.0
_LINK: Final = re.compile(r"/s/([A-Za-z0-9_-]{40,})")
_HELD: Final = timedelta(hours=26)
"""Walks of the demo are recorded as held this long ago, so that the survey, a day later, is due at once."""
_NAMES: Final = (
    "Angharad Llewelyn-Prys", "Zoë O’Connor", "Siân Ffrancon-Davies", "Amara Okonkwo", "Priyanka Venkataraghavan",
    "Wren Ash", "Nia Gwenllian Rhys ap Gruffudd", "Małgorzata Wiśniewska", "Jo Li", "Fatemeh Hosseini",
)  # fmt: skip


@dataclass
class Report:
    """What became of the walks. `faults` name the checks that did not hold, with numbers and never with contents."""

    requested: int = 0
    routed: int = 0
    arranged: int = 0
    completed: int = 0
    concerns: int = 0
    referrals: int = 0
    resolved: int = 0
    surveys: int = 0
    flagged: int = 0
    followed_up: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether nothing was lost or doubled."""
        return self.lost == 0 and self.doubled == 0 and not self.faults

    def line(self) -> str:
        """The one line a demo ends with."""
        shown = {name: value for name, value in asdict(self).items() if isinstance(value, int)}
        return "demo: " + " ".join(f"{name}={value}" for name, value in shown.items())


@dataclass
class _Story:
    """One walk, as the demo knows it from what the services answered."""

    number: int
    force_id: str
    email: str
    key: str = field(default_factory=lambda: uuid4().hex)
    request_id: str = ""
    walk_id: str = ""
    team_id: str = ""
    concern_ids: list[str] = field(default_factory=list)
    worried: bool = False


class StoryStuck(RuntimeError):
    """A step of the story did not come about in time; the message names the step."""


class Demo:
    """Drives a running stack. `tell(stage)` is called each time a walk has passed a stage."""

    def __init__(
        self, stack: Stack, walks: int, *, seed: int = 1, tell: Callable[[str], None] = lambda stage: None
    ) -> None:
        self._stack = stack
        self._tell = tell
        self._random = random.Random(seed)
        forces = ("avon-and-somerset", "metropolitan")
        self._stories = [
            _Story(n, forces[n % 2], f"walker-{uuid4().hex[:10]}@demo.example", worried=n % 5 == 0)
            for n in range(walks)
        ]
        self._tokens: dict[str, str] = {}
        self._signing_in = asyncio.Lock()
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._officers = {force: _walking_officers(force) for force in forces}
        self._slots: Counter[str] = Counter()
        self._boards: dict[str, _Board] = {}

    async def run(self) -> Report:
        """Send every walk through the story, wait until all is quiet, and compare."""
        began = asyncio.get_running_loop().time()
        urls = self._stack.urls
        async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=40)) as client:
            self._client = client
            before = await self._counts()
            self._boards = {
                force: _Board(lambda force=force: self._routed(force))  # type: ignore[misc]  # bound at once
                for force in self._officers
            }
            watching = [asyncio.create_task(board.watch()) for board in self._boards.values()]
            self._postcodes = {
                force: [one for team in teams(force) for one in self._of_district(team)] for force in self._officers
            }
            try:
                async with asyncio.TaskGroup() as group:
                    for story in self._stories:
                        group.create_task(self._tell_story(story))
            finally:
                for task in watching:
                    task.cancel()
            await self._until("all is quiet", self._quiet)
            report = await self._compare(before)
        assert urls  # the stack outlives the client
        report.seconds = round(asyncio.get_running_loop().time() - began, 1)
        return report

    # The story of one walk -------------------------------------------------------------------------------------

    async def _tell_story(self, story: _Story) -> None:
        async with self._at_once:
            await self._request(story)
            self._tell("requested")
            await self._find_walk(story)
            self._tell("routed")
            await self._hold_walk(story)
            await self._act_on_concerns(story)
            await self._answer_survey(story)
            if story.worried:
                await self._follow_up(story)
            self._tell("followed up")

    async def _request(self, story: _Story) -> None:
        choose = self._random
        body = {
            "force_id": story.force_id,
            "name": _NAMES[story.number % len(_NAMES)],
            "over_18": True,
            "consent": True,
            "contact": {
                "channels": ["email"],
                "email": story.email,
                "times": ["early-morning", "daytime", "evening"],
                "may_say_police": story.number % 3 != 0,
                "recognition_word": "marmalade",
            },
            "place": {"postcode": choose.choice(self._postcodes[story.force_id])},
            "lives_or_works_here": story.number % 2 == 0,
            "reasons": [str(one) for one in choose.sample(list(Reason), 2)],
            "availability": {"days": ["monday", "wednesday", "saturday"], "parts": ["early-morning", "evening"]},
            "words": "The lamps have been out since the clocks changed.",
            "access_needs": "Step-free, please." if story.number % 4 == 0 else "",
            "route": [{"postcode": choose.choice(self._postcodes[story.force_id])}] if story.number % 3 == 0 else [],
            "equality": {question.code: choose.choice(question.choices).code for question in EQUALITY[:3]},
            "baseline": {question.code: choose.choice(question.scale()) for question in BASELINE.questions},
        }
        answer = await self._send(
            "intake", "/api/v1/walk-requests", body, headers={"Idempotency-Key": story.key}, what="a request"
        )
        story.request_id = answer["request_id"]

    async def _find_walk(self, story: _Story) -> None:
        walk = await self._boards[story.force_id].walk_of(story.request_id)
        story.walk_id, story.team_id = walk["walk_id"], walk["team_id"]

    async def _hold_walk(self, story: _Story) -> None:
        officers = [
            officer for officer, walks_in in self._officers[story.force_id].items() if story.team_id in walks_in
        ]
        officer = officers[story.number % len(officers)]
        self._slots[officer] += 1
        starts_at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        starts_at += timedelta(days=1, hours=3 * self._slots[officer])
        await self._act(officer, story.walk_id, "take", {}, {"taken", "arranged", "completed"})
        await self._act(
            officer,
            story.walk_id,
            "arrange",
            {"starts_at": starts_at.isoformat(), "meeting_place": "By the library steps"},
            {"arranged", "completed"},
        )
        # The officer walks when she knows of it: what was not sent by then never is, the walk being over.
        await self._until("she is told the time", lambda: self._told(story, "arranged"), every=0.2)
        self._tell("arranged")
        ended = datetime.now(UTC) - _HELD
        walk = await self._act(
            officer,
            story.walk_id,
            "complete",
            {
                "started_at": (ended - timedelta(minutes=45)).isoformat(),
                "ended_at": ended.isoformat(),
                "streetsafe_shown": True,
                "concerns": [self._concern() for _ in range(1 + story.number % 2)],
            },
            {"completed"},
        )
        story.concern_ids = [concern["concern_id"] for concern in walk["concerns"]]
        self._tell("completed")

    def _concern(self) -> dict[str, Any]:
        choose = self._random
        return {
            "category": str(choose.choice(list(Reason))),
            "place": {"latitude": 51.45 + choose.random() / 50, "longitude": -2.6 + choose.random() / 50},
            "place_name": "Path behind the station",
            "time_of_day": "evening",
            "severity": choose.choice(["low", "medium", "high"]),
            "words": "The lamps along the path have been out for weeks; the hedge hides who stands there.",
        }

    async def _act_on_concerns(self, story: _Story) -> None:
        """Whoever was asked accepts, says how it goes, and says what was done."""
        for concern_id in story.concern_ids:
            referral = await self._referral_of(story, concern_id)
            self._tell("referred")
            who = self._who_answers_for(referral["partner_id"], story.force_id)
            await self._until("a partner is told", lambda: self._partner_told(referral), every=0.2)  # noqa: B023  # awaited here
            path = f"/api/v1/referrals/{referral['referral_id']}"
            await self._answer_referral(who, path, "accept", {}, {"accepted", "resolved"})
            await self._answer_referral(
                who, path, "update", {"progress": "planned", "words": "Ordered for next week."}, {"resolved"}
            )
            await self._answer_referral(
                who, path, "resolve", {"resolution": "done", "words": "The lamps were repaired."}, {"resolved"}
            )
            self._tell("resolved")

    async def _told(self, story: _Story, kind: str) -> bool:
        rows = await self._rows(
            "intake",
            "SELECT 1 FROM message m JOIN sending s ON s.id = m.id"
            " WHERE s.state = 'sent' AND m.kind = $1 AND m.request_id = $2",
            kind,
            UUID(story.request_id),
        )
        return bool(rows)

    async def _partner_told(self, referral: Mapping[str, Any]) -> bool:
        """Whether the e-mail about a referral has left."""
        rows = await self._rows(
            "partners",
            "SELECT 1 FROM delivery d JOIN referral r ON r.id = d.referral_id JOIN sending s ON s.id = d.id"
            " WHERE s.state = 'sent' AND r.reference = $1",
            UUID(referral["referral_id"]),
        )
        return bool(rows)

    async def _referral_of(self, story: _Story, concern_id: str) -> dict[str, Any]:
        coordinator = _coordinator(story.force_id)
        found: dict[str, Any] = {}

        async def made() -> bool:
            page = 1
            while True:
                listed = await self._get("partners", f"/api/v1/referrals?state=open&page={page}", coordinator)
                if listed is None:
                    return False
                for one in listed["referrals"]:
                    if one.get("concern_id") == concern_id:
                        found.update(one)
                        return True
                if not listed["more"]:
                    return False
                page += 1

        await self._until("a concern is referred", made)
        return found

    def _who_answers_for(self, partner_id: str, force_id: str) -> str:
        signed_up = {person.partner_id: person.sub for person in people()}
        return signed_up.get(partner_id) or _coordinator(force_id)

    async def _answer_survey(self, story: _Story) -> None:
        """She opens the link that was sent to her, and answers."""
        token = await self._survey_link(story)
        choose = self._random
        answers = {question.code: question.scale()[0] for question in AFTER_WALK.questions if question.scale()}
        answers["safe-by-day"] = choose.choice(["very-safe", "fairly-safe"])
        answers |= {"still-worried": "no", "contact-me": "no"}
        if story.worried:
            answers |= {"safe-after-dark": "very-unsafe", "still-worried": "yes", "contact-me": "call"}
        await self._send("feedback", "/api/v1/answers", {"token": token, "answers": answers}, what="an answer")
        self._tell("answered")

    async def _survey_link(self, story: _Story) -> str:
        found: list[str] = []

        async def arrived() -> bool:
            listed = await self._get(MAILBOX, f"/api/messages?to={story.email}", None)
            for message in listed or ():
                whole = await self._get(MAILBOX, f"/api/messages/{message['id']}", None)
                link = _LINK.search((whole or {}).get("text") or "")
                if link:
                    found.append(link[1])
                    return True
            return False

        await self._until("the survey reaches her", arrived, every=0.2)
        return found[0]

    async def _follow_up(self, story: _Story) -> None:
        coordinator = _coordinator(story.force_id)
        found: list[str] = []

        async def opened() -> bool:
            page = 1
            while True:
                listed = await self._get("assignment", f"/api/v1/follow-ups?state=open&page={page}", coordinator)
                if listed is None:
                    return False
                for one in listed["follow_ups"]:
                    if one["request_id"] == story.request_id:
                        found.append(one["follow_up_id"])
                        return True
                if not listed["more"]:
                    return False
                page += 1

        await self._until("a follow-up is opened", opened)
        await self._send(
            "assignment",
            f"/api/v1/follow-ups/{found[0]}/complete",
            {"outcome": "reached"},
            who=coordinator,
            what="a follow-up",
            done_before=409,
        )

    # Talking to the services -----------------------------------------------------------------------------------

    async def _token(self, sub: str) -> str:
        async with self._signing_in:
            if sub not in self._tokens:
                secret = self._stack.secrets.oidc_client_secret
                self._tokens[sub] = await bearer_token(self._stack.urls[IDENTITY], CLIENT_ID, secret, sub)
            return self._tokens[sub]

    async def _ask(
        self, method: str, service: str, path: str, who: str | None, body: Any = None, headers: Mapping[str, str] = {}
    ) -> httpx.Response | None:
        """The answer, or None while the service is away or busy."""
        sent = dict(headers)
        if who is not None:
            sent["Authorization"] = f"Bearer {await self._token(who)}"
        try:
            answer = await self._client.request(method, self._stack.urls[service] + path, json=body, headers=sent)
        except httpx.TransportError:
            return None
        return None if answer.status_code in (500, 502, 503, 504) else answer

    async def _get(self, service: str, path: str, who: str | None) -> Any:
        answer = await self._ask("GET", service, path, who)
        return answer.json() if answer is not None and answer.status_code == 200 else None

    async def _send(
        self,
        service: str,
        path: str,
        body: Any,
        *,
        what: str,
        who: str | None = None,
        headers: Mapping[str, str] = {},
        done_before: int | None = None,
    ) -> Any:
        """Send until it is taken; a service that is away is waited for. Raises StoryStuck with the refusal."""
        result: list[Any] = []

        async def taken() -> bool:
            answer = await self._ask("POST", service, path, who, body, headers)
            if answer is None:
                return False
            if answer.status_code >= 400 and answer.status_code != done_before:
                raise StoryStuck(f"{what} was refused by {service} ({answer.status_code}): {_problem(answer)}")
            result.append(answer.json())
            return True

        await self._until(f"{what} is taken", taken)
        return result[0]

    async def _act(self, who: str, walk_id: str, action: str, body: Any, done: set[str]) -> dict[str, Any]:
        """A command on a walk. After a lost answer the walk itself says whether it was carried out."""
        return await self._carry_out(who, "assignment", f"/api/v1/walks/{walk_id}", action, body, done)

    async def _answer_referral(self, who: str, path: str, action: str, body: Any, done: set[str]) -> None:
        await self._carry_out(who, "partners", path, action, body, done)

    async def _carry_out(
        self, who: str, service: str, path: str, action: str, body: Any, done: set[str]
    ) -> dict[str, Any]:
        result: list[dict[str, Any]] = []

        async def taken() -> bool:
            answer = await self._ask("POST", service, f"{path}/{action}", who, body)
            if answer is None:
                return False
            if answer.status_code < 300:
                result.append(answer.json())
                return True
            current = await self._get(service, path, who)
            if current is None:
                return False
            if current["state"] in done:
                result.append(current)
                return True
            raise StoryStuck(f"{action} was refused by {service} ({answer.status_code}): {_problem(answer)}")

        await self._until(f"{action} is taken", taken)
        return result[0]

    async def _until(self, what: str, holds: Callable[[], Awaitable[bool]], every: float = 0.15) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                while not await holds():  # noqa: ASYNC110  # what is awaited happens in other processes
                    await asyncio.sleep(every)
        except TimeoutError:
            raise StoryStuck(f"{what}: not within {_PATIENCE:.0f} seconds") from None

    async def _routed(self, force_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            listed = await self._get("assignment", f"/api/v1/walks?state=routed&page={page}", _coordinator(force_id))
            if listed is None:
                return found
            found += listed["walks"]
            if not listed["more"]:
                return found
            page += 1

    def _of_district(self, team: str) -> list[str]:
        store = Postcodes.open(self._stack.folder / "data")
        found, _, _ = store.of_district(team.upper())
        return self._random.sample(found, min(40, len(found)))

    # What stands -----------------------------------------------------------------------------------------------

    async def _rows(self, service: str, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows as they stand. A server that is away just now, as the services may find it too, is asked again."""
        url = self._stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{service}"
        async with asyncio.timeout(_PATIENCE):
            while True:
                with suppress(*TRANSIENT):
                    connection = await asyncpg.connect(url)
                    try:
                        return list(await connection.fetch(sql, *arguments))
                    finally:
                        await connection.close()
                await asyncio.sleep(0.2)

    async def _counts(self) -> dict[str, int]:
        """What cannot be traced to a walk, by design, is counted as a whole before and after."""
        [feedback] = await self._rows(
            "feedback",
            "SELECT (SELECT count(*) FROM answers WHERE survey = 'after-walk') AS answers,"
            " (SELECT count(*) FROM answers WHERE survey = 'baseline') AS baselines,"
            " (SELECT count(*) FROM flag) AS flags, (SELECT count(*) FROM follow_up) AS follow_ups",
        )
        [intake] = await self._rows("intake", "SELECT count(*) AS waiting FROM waiting_baseline")
        return {**dict(feedback), "waiting": intake["waiting"]}

    async def _quiet(self) -> bool:
        """Nothing to publish, nothing held, nothing due to leave, and every concern told of to the end."""
        for service in SERVICES:
            [row] = await self._rows(
                service,
                "SELECT (SELECT count(*) FROM outbox_pending) + (SELECT count(*) FROM held WHERE why = 'awaiting')"
                " + (SELECT count(*) FROM sending WHERE state = 'due' AND due_at <= now()) AS open",
            )
            if row["open"]:
                return False
        report = Report()
        await self._compare_traceable(report)
        # What is missing may still be under way: the last events of a story reach four services.
        return report.lost == 0 or self._waited_enough()

    def _waited_enough(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._quiet_since = getattr(self, "_quiet_since", now)
        return now - self._quiet_since > 20

    async def _compare(self, before: Mapping[str, int]) -> Report:
        report = Report()
        await self._compare_traceable(report)
        after = await self._counts()
        worried = sum(story.worried for story in self._stories)
        grown = {name: after[name] - before[name] for name in before}
        report.surveys = grown["answers"]
        report.flagged = grown["flags"]
        self._check_count(report, "answers stored once", len(self._stories), grown["answers"])
        self._check_count(report, "flags raised once", worried, grown["flags"])
        self._check_count(report, "follow-ups counted once", worried, grown["follow_ups"])
        self._check_count(report, "baselines kept once", len(self._stories), grown["baselines"] + grown["waiting"])
        return report

    async def _compare_traceable(self, report: Report) -> None:
        """Compare everything that can be traced to what was sent in; fills the counts of the report."""
        requests = [UUID(story.request_id) for story in self._stories if story.request_id]
        walks = [UUID(story.walk_id) for story in self._stories if story.walk_id]
        concerns = [UUID(one) for story in self._stories for one in story.concern_ids]
        worried = [UUID(story.request_id) for story in self._stories if story.worried]

        async def ids(service: str, sql: str, *arguments: Any) -> Counter[UUID]:
            return Counter(row[0] for row in await self._rows(service, sql, *arguments))

        def check(name: str, wanted: Iterable[UUID], found: Mapping[UUID, int]) -> int:
            return self._check(report, name, Counter(wanted), found)

        report.requested = check(
            "requests in intake",
            requests,
            await ids("intake", "SELECT id FROM walk_request WHERE id = ANY ($1)", requests),
        )
        report.routed = check(
            "requests in assignment",
            requests,
            await ids("assignment", "SELECT id FROM request WHERE id = ANY ($1)", requests),
        )
        check(
            "walks of a request",
            requests,
            await ids(
                "assignment",
                "SELECT r.id FROM request r JOIN walk w ON w.id = r.walk_id WHERE r.id = ANY ($1)",
                requests,
            ),
        )
        report.arranged = check(
            "walks told as arranged",
            requests,
            await ids(
                "intake", "SELECT request_id FROM message WHERE kind = 'arranged' AND request_id = ANY ($1)", requests
            ),
        )
        report.completed = check(
            "walks completed",
            walks,
            await ids("assignment", "SELECT id FROM walk WHERE state = 'completed' AND id = ANY ($1)", walks),
        )
        check(
            "walks completed in intake",
            requests,
            await ids("intake", "SELECT id FROM walk_request WHERE state = 'completed' AND id = ANY ($1)", requests),
        )
        report.concerns = check(
            "concerns in assignment",
            concerns,
            await ids("assignment", "SELECT id FROM concern WHERE walk_id = ANY ($1)", walks),
        )
        check(
            "concerns in partners",
            concerns,
            await ids("partners", "SELECT id FROM concern WHERE id = ANY ($1)", concerns),
        )
        check(
            "concerns in feedback",
            concerns,
            await ids("feedback", "SELECT id FROM concern WHERE id = ANY ($1)", concerns),
        )
        check(
            "concerns in intake",
            concerns,
            await ids("intake", "SELECT concern_id FROM walk_concern WHERE concern_id = ANY ($1)", concerns),
        )
        report.referrals = check(
            "referrals in partners",
            concerns,
            await ids("partners", "SELECT concern_id FROM referral WHERE concern_id = ANY ($1)", concerns),
        )
        for service in ("assignment", "feedback"):
            check(
                f"referrals in {service}",
                concerns,
                await ids(service, "SELECT concern_id FROM referral WHERE concern_id = ANY ($1)", concerns),
            )
        report.resolved = check(
            "concerns resolved in partners",
            concerns,
            await ids("partners", "SELECT id FROM concern WHERE state = 'resolved' AND id = ANY ($1)", concerns),
        )
        check(
            "concerns resolved in feedback",
            concerns,
            await ids("feedback", "SELECT id FROM concern WHERE resolved_on IS NOT NULL AND id = ANY ($1)", concerns),
        )
        check(
            "partners told",
            concerns,
            await ids(
                "partners",
                "SELECT r.concern_id FROM delivery d JOIN referral r ON r.id = d.referral_id"
                " JOIN sending s ON s.id = d.id WHERE d.kind = 'referred' AND s.state = 'sent'"
                " AND r.concern_id = ANY ($1)",
                concerns,
            ),
        )
        check(
            "surveys invited",
            walks,
            await ids("feedback", "SELECT walk_id FROM invitation WHERE walk_id = ANY ($1)", walks),
        )
        told = "SELECT m.request_id FROM message m JOIN sending s ON s.id = m.id WHERE s.state = 'sent' AND m.kind = "
        for kind, wanted in (
            ("confirmation", requests),
            ("arranged", requests),
            ("survey", requests),
            ("done", [UUID(story.request_id) for story in self._stories for _ in story.concern_ids]),
        ):
            found = await ids("intake", f"{told}'{kind}' AND m.request_id = ANY ($1)", requests)
            check(f"messages sent: {kind}", wanted, found)
        report.followed_up = check(
            "follow-ups completed",
            worried,
            await ids(
                "assignment",
                "SELECT request_id FROM follow_up WHERE completed_at IS NOT NULL AND request_id = ANY ($1)",
                requests,
            ),
        )
        check(
            "follow-ups told to intake",
            worried,
            await ids(
                "intake", "SELECT id FROM walk_request WHERE followed_up_at IS NOT NULL AND id = ANY ($1)", requests
            ),
        )
        await self._compare_mailbox(report, requests)

    async def _compare_mailbox(self, report: Report, requests: Sequence[UUID]) -> None:
        """Every message marked as sent arrived in the mailbox, once."""
        sent = [
            row["id"]
            for row in await self._rows(
                "intake",
                "SELECT m.id FROM message m JOIN sending s ON s.id = m.id"
                " WHERE s.state = 'sent' AND m.request_id = ANY ($1)",
                list(requests),
            )
        ]
        arrived: Counter[UUID] = Counter()
        for story in self._stories:
            for message in await self._get(MAILBOX, f"/api/messages?to={story.email}", None) or ():
                found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", message["message_id"])
                if found:
                    arrived[UUID(found[0])] += 1
        self._check(report, "messages in the mailbox", Counter(sent), arrived)

    def _check(self, report: Report, name: str, wanted: Mapping[UUID, int], found: Mapping[UUID, int]) -> int:
        """How many of the wanted stand; what is missing is lost, what stands too often or unasked is doubled."""
        lost = sum(max(0, many - found.get(one, 0)) for one, many in wanted.items())
        doubled = sum(max(0, many - wanted.get(one, 0)) for one, many in found.items())
        self._note(report, name, lost, doubled)
        return sum(min(many, found.get(one, 0)) for one, many in wanted.items())

    def _check_count(self, report: Report, name: str, wanted: int, found: int) -> None:
        self._note(report, name, max(0, wanted - found), max(0, found - wanted))

    @staticmethod
    def _note(report: Report, name: str, lost: int, doubled: int) -> None:
        report.lost += lost
        report.doubled += doubled
        if lost or doubled:
            report.faults.append(f"{name}: lost {lost}, doubled {doubled}")


class _Board:
    """A team's queue looked at now and then, so that many stories need not all look."""

    def __init__(self, look: Callable[[], Awaitable[list[dict[str, Any]]]]) -> None:
        self._look = look
        self._seen: dict[str, dict[str, Any]] = {}
        self._news = asyncio.Condition()

    async def watch(self) -> None:
        while True:
            for walk in await self._look():
                for request in walk["requests"]:
                    self._seen.setdefault(request["request_id"], walk)
            async with self._news:
                self._news.notify_all()
            await asyncio.sleep(0.3)

    async def walk_of(self, request_id: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_PATIENCE), self._news:
                await self._news.wait_for(lambda: request_id in self._seen)
        except TimeoutError:
            raise StoryStuck(f"a request is routed: not within {_PATIENCE:.0f} seconds") from None
        return self._seen[request_id]


def _coordinator(force_id: str) -> str:
    return next(one.sub for one in people() if one.force_id == force_id and "coordinator" in one.roles)


def _walking_officers(force_id: str) -> dict[str, set[str]]:
    """Officers of the force's register who are trained and whom its policy lets walk, and the teams each walks for."""
    folder = ROOT / "deploy" / "forces"
    allowed = Policies.read(folder)[force_id].walks.officers
    register = yaml.safe_load((folder / force_id / "officers.yaml").read_text(encoding="utf-8"))
    return {
        one["officer_id"]: {one["team_id"], *one.get("also_walks_in", ())}
        for one in register["officers"]
        if one.get("trained_on") and one["kind"] in allowed
    }


def _problem(answer: httpx.Response) -> str:
    """What a refusal says of itself: title and names of fields, never values."""
    try:
        problem = answer.json()
    except ValueError:
        return "no problem document"
    fields = ", ".join(one.get("field", "") for one in problem.get("errors", ()))
    return f"{problem.get('detail') or problem.get('title')} {fields}".strip()
