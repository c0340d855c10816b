"""Two forces at work on one stack, something of every kind in each, and people of every role of both signed in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from shared.contracts.catalogue import SERVICES
from shared.contracts.surveys import AFTER_WALK, BASELINE
from shared.embedded.demo_people import Person, people
from shared.embedded.sign_in import bearer_token
from shared.embedded.stack import CLIENT_ID, IDENTITY, MAILBOX, Stack
from shared.geography.postcodes import Postcodes
from shared.web import csrf, session
from shared.web.access import Role
from shared.web.site import derived_key
from tests.architecture.rows import tables
from tests.servers.databases import beside
from tests.servers.form import fields_of

HOME: Final = "avon-and-somerset"
ABROAD: Final = "metropolitan"
DISTRICTS: Final = {HOME: "BS1", ABROAD: "SE1"}
COUNCILS: Final = {HOME: "bristol-city-council", ABROAD: "lambeth-council"}
OUTSIDE: Final = {"latitude": 50.12, "longitude": -5.53}
"""In Cornwall: of no area of either force."""
PLANTED: Final = "\"'><script>planted(1)</script><img src=x onerror=planted(2)><svg onload=planted(3)>{{7*7}}${7*7}"
"""What people with bad intentions type into every field that takes words."""
FORM: Final = "the-cookie-forms-are-bound-to"

_LINK: Final = re.compile(r"/(s|your-request)/([A-Za-z0-9_-]{40,})")
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_PATROL: Final = re.compile(r"/patrols/([0-9a-f]{8}-[0-9a-f-]{27})")
_PATIENCE: Final = 60.0


@dataclass(frozen=True)
class Visitor:
    """Somebody signed in: by token as another system, by cookie as a browser."""

    person: Person
    token: str = field(repr=False)
    session: str = field(repr=False)

    @property
    def role(self) -> Role:
        return Role(self.person.roles[0])

    @property
    def bearer(self) -> dict[str, str]:
        """The header that signs this person in, with a cookie that makes form tokens come out alike."""
        return {"Authorization": f"Bearer {self.token}", "Cookie": f"walkandtalk-{csrf.COOKIE}={FORM}"}

    def cookie(self, form: str = FORM) -> str:
        """The Cookie header of a browser in which this person is signed in."""
        return f"walkandtalk-{session.COOKIE}={self.session}; walkandtalk-{csrf.COOKIE}={form}"


@dataclass
class Work:
    """What a force has in hand: ids and links, by how far each has come."""

    requests: dict[str, str] = field(default_factory=dict)
    walks: dict[str, str] = field(default_factory=dict)
    referrals: dict[str, str] = field(default_factory=dict)
    concern_in_triage: str = ""
    noted: str = ""
    """A concern on the record of the arranged walk that nobody was told of."""
    follow_up: str = ""
    survey: str = ""
    spent_survey: str = ""
    private: str = ""
    sitting: str = ""
    session: str = ""
    disclosure: str = ""
    """Opened on the arranged walk, and not recorded yet."""
    patrol: str = ""


@dataclass
class TwoForces:
    """The stack with both forces at work. `seen_alone` is what people of HOME saw before ABROAD began."""

    stack: Stack
    visitors: dict[tuple[str, Role], Visitor]
    work: dict[str, Work]
    seen_alone: Any = None

    def visitor(self, force_id: str, role: Role) -> Visitor:
        return self.visitors[force_id, role]

    def form_token(self, service: str, subject: str, form: str = FORM) -> str:
        """The form token that a page of this service would hold for this person."""
        key = derived_key(SecretStr(self.stack.secrets.session_secret), f"form of {service}")
        return csrf.token(key, form, subject)

    def sealed(self, content: Mapping[str, Any], age: timedelta = timedelta(0)) -> str:
        """A session cookie as the services seal it."""
        key = derived_key(SecretStr(self.stack.secrets.session_secret), "session")
        return session.sealed(key, dict(content), datetime.now(UTC) - age)

    def admin_url(self, service: str) -> str:
        """The service's database as its administrator sees it."""
        return self.stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{service}"

    @asynccontextmanager
    async def admin(self, service: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        connection = await asyncpg.connect(self.admin_url(service))
        try:
            yield connection
        finally:
            await connection.close()

    async def ids(self, force_id: str) -> dict[tuple[str, str, str], set[str]]:
        """Every id that stands in rows of a force: (service, table, column) → values."""
        found: dict[tuple[str, str, str], set[str]] = {}
        for service in SERVICES:
            async with self.admin(service) as admin:
                for table in await tables(admin):
                    columns = [
                        one.name
                        for one in table.columns
                        if one.type == "uuid"
                        or (one.type == "text" and (one.name in ("id", "reference") or one.name.endswith("_id")))
                    ]
                    if table.partition or not table.by_force:
                        continue
                    shown = ", ".join(f'"{name}"::text' for name in columns)
                    rows = await admin.fetch(
                        f'SELECT {shown} FROM "{table.name}" WHERE force_id = $1',  # noqa: S608 - names of the catalogue
                        force_id,
                    )
                    for name in set(columns) - {"force_id"}:
                        values = {row[name] for row in rows} - {None}
                        if values:
                            found[service, table.name, name] = values
        return found

    async def fingerprint(self) -> dict[tuple[str, str, str], str]:
        """(service, table, force) → a digest of every row of it; tables that log what was looked at are left out."""
        found: dict[tuple[str, str, str], str] = {}
        for service in SERVICES:
            async with self.admin(service) as admin:
                for table in await tables(admin):
                    if table.partition or not table.by_force or table.name == "audit_unsealed":
                        continue
                    digest = "count(*) || ' ' || md5(string_agg(md5(t::text), '' ORDER BY md5(t::text)))"
                    sql = f'SELECT force_id, {digest} AS digest FROM "{table.name}" AS t GROUP BY force_id'  # noqa: S608 - a name of the catalogue
                    rows = await admin.fetch(sql)
                    found |= {(service, table.name, row["force_id"]): row["digest"] for row in rows}
        return found

    async def settled(self) -> dict[tuple[str, str, str], str]:
        """Wait until nothing changes any more; the fingerprint then."""
        before = await self.fingerprint()
        async with asyncio.timeout(_PATIENCE):
            while True:
                await asyncio.sleep(0.7)
                now = await self.fingerprint()
                if now == before and not await self._under_way():
                    return now
                before = now

    async def settled_but_for_looks(self) -> dict[tuple[str, str, str], str]:
        """The same without the log, in which each look at a list or at a form that is shown again stands."""
        return {key: digest for key, digest in (await self.settled()).items() if key[1] != "audit"}

    async def _under_way(self) -> bool:
        for service in SERVICES:
            async with self.admin(service) as admin:
                if await admin.fetchval(
                    "SELECT (SELECT count(*) FROM outbox_pending) + (SELECT count(*) FROM held WHERE why = 'awaiting')"
                    " + (SELECT count(*) FROM sending WHERE state = 'due' AND due_at <= now())"
                    " + (SELECT count(*) FROM timer WHERE due_at <= now() + interval '6 seconds')"
                ):
                    return True
        return False


@pytest.fixture(scope="session")
def two_forces(stack: Stack) -> TwoForces:
    """HOME put to work and looked at, then ABROAD put to work."""
    return beside(_both_at_work(stack))


async def _both_at_work(stack: Stack) -> TwoForces:
    from tests.servers.every_door import everything_shown

    await asyncio.to_thread(stack.wait_for_bus)
    everybody = [person for force_id in (HOME, ABROAD) for role in Role for person in [_chosen(force_id, role)]]
    visitors = {(one.force_id, Role(one.roles[0])): await _sign_in(stack, one) for one in everybody}
    world = TwoForces(stack, visitors, {HOME: Work(), ABROAD: Work()})
    await _Force(world, HOME).work()
    await world.settled()
    world.seen_alone = await everything_shown(world)
    await _Force(world, ABROAD).work()
    await world.settled()
    return world


def _chosen(force_id: str, role: Role) -> Person:
    """The demo's person of this role whose team and organisation the work below is given to."""
    return next(
        one
        for one in people()
        if one.force_id == force_id
        and one.roles == (role,)
        and one.team_id in (None, DISTRICTS[force_id].lower())
        and one.partner_id in (None, COUNCILS[force_id])
    )


async def _sign_in(stack: Stack, person: Person) -> Visitor:
    """Sign in as a browser does, and as another system does."""
    token = await bearer_token(stack.urls[IDENTITY], CLIENT_ID, stack.secrets.oidc_client_secret, person.sub)
    async with httpx.AsyncClient(timeout=20) as browser:
        begun = await browser.get(stack.urls["assignment"] + "/signin")
        chosen = await browser.post(begun.headers["location"], data={"sub": person.sub})
        back = await browser.get(chosen.headers["location"], headers={"Accept": "text/html"})
        assert back.status_code == 303, back.text
        cookie = back.headers["set-cookie"].partition(f"walkandtalk-{session.COOKIE}=")[2].partition(";")[0]
    return Visitor(person, token, cookie)


class _Force:
    """Puts one force to work by the services' own APIs."""

    def __init__(self, world: TwoForces, force_id: str) -> None:
        self.world = world
        self.force_id = force_id
        self.urls = world.stack.urls
        self.own = world.work[force_id]
        self.postcodes, _, _ = Postcodes.open(world.stack.folder / "data").of_district(DISTRICTS[force_id])
        self.emails: dict[str, str] = {}

    async def work(self) -> None:
        async with httpx.AsyncClient(timeout=20) as self.client:
            for state in ("triage", "routed", "taken", "arranged", "worried", "asked"):
                await self._ask_for_a_walk(state)
            await self._until("every walk is known", self._known)
            for number, state in enumerate(("taken", "arranged", "worried", "asked")):
                await self._go_as_far_as(state, number)
            await self._until("every concern is referred", self._referred)
            await self._answer_as_partner()
            await self._until("links arrive", self._links)
            await self._answer_surveys()
            await self._until("a call is wanted", self._wanted)
            await self._begin_a_form()
            session = {"name": "Training", "held_on": "2026-02-11", "way": "online", "covers": ["streetsafe"]}
            kept = await self._send("assignment", "/api/v1/training", Role.COORDINATOR, session)
            self.own.session = kept["session_id"]
            await self._disclose_and_patrol()

    async def _ask_for_a_walk(self, state: str) -> None:
        self.emails[state] = f"two-forces-{uuid4().hex}@demo.example"
        place = OUTSIDE if state == "triage" else {"postcode": self.postcodes[len(self.emails) * 7]}
        answer = await self._send(
            "intake",
            "/api/v1/walk-requests",
            None,
            {
                "force_id": self.force_id,
                "name": PLANTED[:100],
                "over_18": True,
                "consent": True,
                "contact": {
                    "channels": ["email", "letter"],
                    "email": self.emails[state],
                    "address": PLANTED,
                    "times": ["early-morning", "daytime", "evening"],
                    "may_say_police": True,
                },
                "place": place,
                "reasons": ["badly-lit"],
                "availability": {"days": ["monday"], "parts": ["evening"]},
                "baseline": {question.code: question.scale()[0] for question in BASELINE.questions},
            },
            **{"Idempotency-Key": uuid4().hex},
        )
        self.own.requests[state] = answer["request_id"]

    async def _known(self) -> bool:
        for state in ("triage", "routed"):
            page: dict[str, Any] = {"more": True, "page": 0}
            while page["more"]:
                page = await self._get(
                    "assignment", f"/api/v1/walks?state={state}&page={page['page'] + 1}", Role.COORDINATOR
                )
                for walk in page["walks"]:
                    for asked, request_id in self.own.requests.items():
                        if request_id in {one["request_id"] for one in walk["requests"]}:
                            self.own.walks[asked] = walk["walk_id"]
        return self.own.walks.keys() == self.own.requests.keys()

    async def _go_as_far_as(self, state: str, number: int) -> None:
        path = f"/api/v1/walks/{self.own.walks[state]}"
        await self._send("assignment", f"{path}/take", Role.OFFICER, {})
        if state == "taken":
            return
        starts_at = datetime.now(UTC) + timedelta(days=40 + number)
        await self._send(
            "assignment",
            f"{path}/arrange",
            Role.OFFICER,
            {"starts_at": starts_at.isoformat(), "meeting_place": PLANTED},
        )
        if state == "arranged":
            self.own.noted = str(uuid4())
            noted = {"category": "badly-lit", "words": PLANTED, "suggests": PLANTED, "place_name": PLANTED}
            noted_at = f"{path}/concerns/{self.own.noted}"
            await self._send("assignment", noted_at, Role.OFFICER, noted, method="PUT")
            return
        ended = datetime.now(UTC) - timedelta(hours=26)
        concern = {
            "place": {"latitude": 51.45, "longitude": -2.59},
            "place_name": PLANTED,
            "words": f"{PLANTED} < img src=x onerror=planted(4) >",
        }
        categories = ("badly-lit", "rundown", "other-environment") if state == "worried" else ("being-followed",)
        await self._send(
            "assignment",
            f"{path}/complete",
            Role.OFFICER,
            {
                "started_at": (ended - timedelta(hours=1)).isoformat(),
                "ended_at": ended.isoformat(),
                "concerns": [concern | {"category": category} for category in categories],
            },
        )

    async def _referred(self) -> bool:
        walk = await self._get("assignment", f"/api/v1/walks/{self.own.walks['worried']}", Role.COORDINATOR)
        concerns = {one["concern_id"]: one["category"] for one in walk["concerns"]}
        page: dict[str, Any] = {"more": True, "page": 0}
        while page["more"]:
            page = await self._get(
                "partners", f"/api/v1/referrals?state=open&page={page['page'] + 1}", Role.COORDINATOR
            )
            for one in page["referrals"]:
                if one["concern_id"] in concerns:
                    self.own.referrals[concerns[one["concern_id"]]] = one["referral_id"]
        self.own.concern_in_triage = next(id_ for id_, category in concerns.items() if category == "other-environment")
        return len(self.own.referrals) == len(concerns)

    async def _answer_as_partner(self) -> None:
        path = {category: f"/api/v1/referrals/{reference}" for category, reference in self.own.referrals.items()}
        words = {"words": PLANTED}
        await self._send("partners", f"{path['rundown']}/accept", Role.PARTNER, None)
        await self._send("partners", f"{path['rundown']}/update", Role.PARTNER, {"progress": "investigating", **words})
        await self._send("partners", f"{path['other-environment']}/decline", Role.PARTNER, {"reason": PLANTED})

    async def _links(self) -> bool:
        found: dict[str, str] = {}
        for state in ("worried", "asked"):
            for message in await self._mail(f"/api/messages?to={self.emails[state]}"):
                whole = await self._mail(f"/api/messages/{message['id']}")
                for kind, token in _LINK.findall(whole["text"] or ""):
                    found[f"{kind} {state}"] = token
        self.own.survey = found.get("s asked", "")
        self.own.spent_survey = found.get("s worried", "")
        self.own.private = found.get("your-request asked", "")
        return all((self.own.survey, self.own.spent_survey, self.own.private))

    async def _answer_surveys(self) -> None:
        answers = {question.code: question.scale()[-1] for question in AFTER_WALK.questions if question.scale()}
        answers |= {"safe-after-dark": "very-unsafe", "still-worried": "yes", "contact-me": "call"}
        await self._send("feedback", "/api/v1/answers", None, {"token": self.own.spent_survey, "answers": answers})
        page = f"/s/{self.own.survey}/question/1"
        shown = await self.client.get(self.urls["feedback"] + page)
        fields = fields_of(shown.text)
        sent = {one["name"]: one["value"] for one in fields if one.get("name") == csrf.FIELD}
        sent["answer"] = next(one["value"] for one in fields if one.get("name") == "answer")
        kept = await self.client.post(self.urls["feedback"] + page, data=sent)
        assert kept.status_code == 303, kept.text

    async def _wanted(self) -> bool:
        page = 1
        while True:
            listed = await self._get("assignment", f"/api/v1/follow-ups?page={page}", Role.COORDINATOR)
            for one in listed["follow_ups"]:
                if one["request_id"] == self.own.requests["worried"]:
                    self.own.follow_up = one["follow_up_id"]
                    return True
            if not listed["more"]:
                return False
            page += 1

    async def _begin_a_form(self) -> None:
        form = f"{self.urls['intake']}/{self.force_id}/request"
        for step, answer in (("eligibility", {"adult": "yes"}), ("who", {"who": "herself"})):
            shown = await self.client.get(f"{form}/{step}")
            sent = {one["name"]: one["value"] for one in fields_of(shown.text) if one.get("name") == csrf.FIELD}
            begun = await self.client.post(f"{form}/{step}", data=sent | answer)
            assert begun.status_code == 303, begun.text
            self.own.sitting = begun.cookies.get("sitting") or self.own.sitting

    async def _disclose_and_patrol(self) -> None:
        opened = await self._fill("assignment", f"/walks/{self.own.walks['arranged']}/disclose", {})
        self.own.disclosure = _ID.findall(opened)[-1]
        day = datetime.now(UTC) - timedelta(days=1)
        area = {"area_id": DISTRICTS[self.force_id].lower(), "heard": PLANTED}
        said = {"kind": "foot", "day": f"{day:%Y-%m-%d}", "start": "10:00", "end": "10:30", **area}
        await self._fill("assignment", "/patrols/log", said)
        listed = await self.client.get(
            self.urls["assignment"] + "/patrols", headers=self.world.visitor(self.force_id, Role.OFFICER).bearer
        )
        self.own.patrol = _PATROL.findall(listed.text)[0]

    async def _fill(self, service: str, path: str, data: dict[str, str]) -> str:
        """Send a form as an officer; where it leads."""
        headers = self.world.visitor(self.force_id, Role.OFFICER).bearer | {"Accept": "text/html"}
        answer = await self.client.post(self.urls[service] + path, data=data, headers=headers)
        assert answer.status_code == 303, (path, answer.status_code, answer.text)
        return answer.headers["location"]

    async def _mail(self, path: str) -> Any:
        return (await self.client.get(self.urls[MAILBOX] + path)).json()

    async def _get(self, service: str, path: str, role: Role) -> Any:
        answer = await self.client.get(
            self.urls[service] + path, headers=self.world.visitor(self.force_id, role).bearer
        )
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def _send(
        self, service: str, path: str, role: Role | None, body: Any, method: str = "POST", **headers: str
    ) -> Any:
        if role is not None:
            headers |= self.world.visitor(self.force_id, role).bearer
        answer = await self.client.request(method, self.urls[service] + path, json=body, headers=headers)
        assert answer.status_code < 300, (path, answer.status_code, answer.text)
        return answer.json()

    async def _until(self, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                while not await holds():  # noqa: ASYNC110 - what is awaited happens in other processes
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{what}: not within {_PATIENCE:.0f} seconds") from None
