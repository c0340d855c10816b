"""The one door, from outside: whatever happens to her walk, and whatever her rules become, nothing leaves against them.

The real handlers on PostgreSQL; only the last step, the wire, is a list. What is expected is worked out here, from the
rules as she gave them, and not asked of the code.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.intake.channels.door import let_through
from services.intake.domain.card import Asker
from services.intake.domain.messages import Means, MessageKind
from services.intake.domain.refusals import RequestNotFound
from services.intake.domain.standing import Reach
from services.intake.handlers import card, erasure, hers
from services.intake.messages.calendar import entry
from shared.contracts.feedback import SurveyInvited
from shared.contracts.kinds import Channel, OfficerKind, PartOfDay, SurveyName
from shared.contracts.referrals import ConcernResolved, Resolution
from shared.contracts.walks import (
    ConcernsAttached,
    RoutedBy,
    WalkArranged,
    WalkCancelled,
    WalkCompleted,
    WalkNotHeld,
    WalkProposed,
    WalkRearranged,
    WalkRouted,
    WhatNext,
    WhyNotHeld,
)
from shared.sendings import NoLonger, NotYet, Sender
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.forces_folder import forces_folder
from tests.servers.intake_service import FORCE, Intake, intake_service
from tests.servers.welsh import WELSH

LONDON = ZoneInfo("Europe/London")
HOURS = {"early-morning": (6, 9), "daytime": (9, 17), "evening": (17, 22)}
TELLING = re.compile(
    r"polic|heddlu|officer|swyddog|constab|pcso|avon and somerset|walk|\btro\b|cerdd|crime|trosedd|unsafe|anniogel|"
    r"council|cyngor|scheme|cynllun|\bada\b|\b999\b|\b101\b",
    re.IGNORECASE,
)
EVERY_TIME = ("early-morning", "daytime", "evening")


@dataclass(frozen=True)
class Rules:
    """How she may be reached, as she said it last."""

    channels: tuple[str, ...] = ("email",)
    times: tuple[str, ...] = EVERY_TIME
    police: bool = True
    language: str = "en"
    calendar: bool = False

    def contact(self) -> dict[str, Any]:
        return {
            "channels": list(self.channels),
            "times": list(self.times),
            "may_say_police": self.police,
            "calendar_invites": self.calendar,
            "email": "ada@example.com" if "email" in self.channels else None,
            "phone": "07700 900982" if {"text", "phone"} & set(self.channels) else None,
            "address": "1 High Street" if "letter" in self.channels else None,
        }


@dataclass(frozen=True)
class Left:
    """A message that left: what was on the wire, and when."""

    id: UUID
    kind: MessageKind
    channel: str
    sender: str | None
    said: str
    facts: dict[str, Any]
    at: datetime


@dataclass
class Door:
    """The service with a list for a wire, and what she would say about all that leaves."""

    intake: Intake
    rules: Rules = field(default_factory=Rules)
    silent: bool = False
    """She has withdrawn, stopped contact, or was erased."""
    gone: bool = False
    """She was erased."""
    elsewhere: bool = False
    """Somebody with her address and number has stopped all contact, and no coordinator has spoken to her since."""
    starts_at: datetime | None = None
    """When her walk is, as it stands."""
    request: UUID = field(default_factory=uuid4)
    walk: UUID = field(default_factory=uuid4)
    left: list[Left] = field(default_factory=list)

    def wire(self, channel: str) -> Callable[[str, UUID], Coroutine[Any, Any, None]]:
        async def leave(force_id: str, id_: UUID) -> None:
            deps = self.intake.deps
            found = await let_through(deps, force_id, id_)
            text = deps.words.email(found, deps.where_to_ask(force_id))
            said = f"{text.subject}\n{text.body}\n{text.html}" if channel == "email" else deps.words.text(found, "")
            kept = entry(found, "no-reply@messages.invalid", self.intake.now) if found.person.calendar else None
            said += kept[1].decode().replace("\r\n ", "").replace("mailto:ada@example.com", "") if kept else ""
            sender = text.sender if channel == "email" else None
            self.left.append(Left(id_, found.kind, channel, sender, said, dict(found.facts), self.intake.now))
            self.check(self.left[-1])

        return leave

    def check(self, left: Left) -> None:
        """What she would say, had she seen it."""
        assert not self.silent, f"{left.kind} left after she had stopped, withdrawn, or was erased"
        assert not self.elsewhere, f"{left.kind} left though contact was stopped elsewhere"
        assert left.channel in self.rules.channels, f"{left.kind} left by {left.channel}"
        clock = left.at.astimezone(LONDON)
        if set(self.rules.times) != set(EVERY_TIME):
            inside = [opens <= clock.hour < closes for opens, closes in (HOURS[part] for part in self.rules.times)]
            assert any(inside), f"{left.kind} left at {clock:%H:%M}"
        if not self.rules.police:
            assert left.sender is None
            words = re.sub(r"https?://\S+|<style[^>]*>|<[^>]+>", " ", left.said)
            assert not (found := TELLING.search(words)), f"{left.kind} says {found}"
        assert ("Helo" in left.said or "cyfeirnod" in left.said.lower()) == (self.rules.language == "cy") or (
            left.channel == "text"
        )
        if left.kind in (MessageKind.ARRANGED, MessageKind.MOVED, MessageKind.REMINDER):
            told = datetime.fromisoformat(left.facts["starts_at"])
            assert told == self.starts_at, f"{left.kind} tells {told}, the walk is at {self.starts_at}"
            assert told > left.at, f"{left.kind} left after the walk had begun"
        if left.kind is MessageKind.REMINDER and self.starts_at is not None:
            before = self.starts_at.astimezone(LONDON).date() - timedelta(days=1)
            assert clock.date() >= before
        if left.kind is MessageKind.AGAIN:
            assert self.starts_at is None, "a walk that is arranged was told to need a new time"
        if left.kind is MessageKind.CANCELLED:
            assert self.starts_at is None, "cancelled was told of a walk that is arranged"

    async def ask(self, rules: Rules) -> None:
        """She asks, under these rules; what is left of others' messages is taken away, and nobody is known any more."""
        await self.intake.admin.execute("UPDATE sending SET state = 'cancelled' WHERE state = 'due'")
        await self.intake.admin.execute("DELETE FROM participant_digest")
        self.rules, self.silent, self.gone, self.elsewhere, self.starts_at = rules, False, False, False, None
        self.walk, self.left = uuid4(), []
        asked = await self.intake.ask(contact=rules.contact(), language=rules.language)
        self.request = UUID(asked["request_id"])

    def named(self) -> dict[str, Any]:
        return {"walk_id": self.walk, "request_ids": (self.request,)}

    async def send(self) -> None:
        """Let leave what may."""
        wires = {channel: self.wire(channel) for channel in ("email", "text")}
        faults: list[BaseException] = []

        def told(leave: Callable[[str, UUID], Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
            async def caught(force_id: str, id_: UUID) -> None:
                try:
                    await leave(force_id, id_)
                except (NoLonger, NotYet):
                    raise
                except BaseException as fault:  # the sender would try again: here it is told
                    faults.append(fault)

            return caught

        deps = self.intake.deps
        sender = Sender(
            deps.bus_database,
            {channel: told(leave) for channel, leave in wires.items()},
            deps.clock,
            deps.policies.forces,
        )
        await sender.send_due()
        if faults:
            raise faults[0]

    async def pass_by(self, **time_: float) -> None:
        self.intake.now += timedelta(**time_)
        await self.send()

    async def through_the_day(self) -> None:
        """A day and three hours: each part of it is come upon."""
        for _ in range(9):
            await self.pass_by(hours=3)

    # What happens to her walk.

    async def proposed(self) -> None:
        at = self.intake.now + timedelta(days=9)
        await self.intake.take(
            WalkProposed(
                **self.named(),
                proposal_id=uuid4(),
                officer_id="officer-avon-1",
                team_id="bs1",
                times=(at, at + timedelta(days=1)),
                meeting_place="Bridewell Police Station",
                answer_by=at - timedelta(days=2),
            )
        )

    async def arranged(self, days: int) -> None:
        self.starts_at = self._evening(days)
        await self.intake.take(WalkArranged(**self._time()))

    async def moved(self, days: int) -> None:
        if self.starts_at is None:
            return
        before, self.starts_at = self.starts_at, self._evening(days) + timedelta(minutes=30)
        await self.intake.take(WalkRearranged(**self._time(), before=before))

    def _evening(self, days: int) -> datetime:
        """Six in the evening in London, so many days from now."""
        day = self.intake.now.astimezone(LONDON).date() + timedelta(days=days)
        return datetime.combine(day, time(18), LONDON).astimezone(UTC)

    def _time(self) -> dict[str, Any]:
        place = {"officer_id": "officer-avon-1", "team_id": "bs1", "meeting_place": "Bridewell Police Station"}
        return {**self.named(), **place, "starts_at": self.starts_at}

    async def cancelled(self) -> None:
        self.starts_at = None
        await self.intake.take(WalkCancelled(**self.named(), reason="officer-ill"))

    async def not_held(self) -> None:
        if self.starts_at is None:
            return
        missed, self.starts_at = self.starts_at, None
        await self.intake.take(
            WalkNotHeld(
                **self.named(),
                officer_id="officer-avon-1",
                team_id="bs1",
                starts_at=missed,
                why=WhyNotHeld.SHE_DID_NOT_COME,
                what_next=WhatNext.AGAIN,
            )
        )

    async def routed_anew(self) -> None:
        """She walks alone from now on, or with another officer."""
        self.starts_at, self.walk = None, uuid4()
        await self.intake.take(
            WalkRouted(
                **self.named(), area_id="bs1", team_id="bs1", routed_by=RoutedBy.COVERS, boundary_version="2026-10"
            )
        )

    async def held(self) -> None:
        concern = uuid4()
        at, self.starts_at = self.intake.now, None
        await self.intake.take(
            WalkCompleted(
                **self.named(),
                area_id="bs1",
                team_id="bs1",
                officer_id="officer-avon-1",
                officer_kind=OfficerKind.PCSO,
                started_at=at,
                ended_at=at,
            ),
            ConcernsAttached(**self.named(), concern_ids=(concern,)),
            SurveyInvited(
                invitation_id=uuid4(), walk_id=self.walk, survey=SurveyName.AFTER_WALK, send_from=self.intake.now
            ),
            ConcernResolved(
                concern_id=concern,
                referral_id=uuid4(),
                partner_id="bristol-city-council",
                partner_name="Bristol City Council",
                resolution=Resolution.DONE,
                words="Police officers patrol there now.",
            ),
        )

    # What she does.

    async def change(self, rules: Rules) -> None:
        if self.silent:
            return
        reach = Reach(
            channels=tuple(Channel(one) for one in rules.channels),
            times=tuple(PartOfDay(one) for one in rules.times),
            may_say_police=rules.police,
            may_leave_voicemail=False,
            **{name: rules.contact()[name] for name in ("email", "phone", "address")},
        )
        async with self.intake.database.web.transaction([FORCE]) as tx:
            await hers.change_contact(tx, FORCE, self.request, reach, self.intake.now, keeping=self.intake.deps.keeping)
        self.rules = replace(rules, language=self.rules.language, calendar=self.rules.calendar)

    @contextmanager
    def _known(self) -> Iterator[None]:
        """What she asks of a request that was erased is told to be of none."""
        if not self.gone:
            yield
            return
        with pytest.raises(RequestNotFound):
            yield

    async def withdraws(self) -> None:
        with self._known():
            async with self.intake.database.web.transaction([FORCE]) as tx:
                await hers.withdraw(tx, FORCE, self.request, self.intake.now)
        self.silent = self.silent or await self.intake.one(
            "SELECT state = 'withdrawn' FROM walk_request WHERE id = $1", self.request
        )

    async def stops(self) -> None:
        keeping = self.intake.deps.keeping
        with self._known():
            async with self.intake.database.web.transaction([FORCE]) as tx:
                await hers.stop_contact(tx, FORCE, self.request, self.intake.now, keeping=keeping)
        self.silent = True

    async def another_stops(self) -> None:
        """Somebody asks with her address and number, and says that contact is not safe."""
        everything = Rules(channels=("email", "letter", "phone", "text"))
        asked = UUID((await self.intake.ask(contact=everything.contact()))["request_id"])
        keeping = self.intake.deps.keeping
        async with self.intake.database.web.transaction([FORCE]) as tx:
            await hers.stop_contact(tx, FORCE, asked, self.intake.now, keeping=keeping)
        self.elsewhere = True

    async def spoken_to(self) -> None:
        """A coordinator has spoken to her."""
        if self.silent:
            return
        self.intake.now += timedelta(minutes=1)
        coordinator = Asker("coordinator-avon", None, coordinator=True, officer=False)
        keeping = self.intake.deps.keeping
        async with self.intake.database.web.transaction([FORCE]) as tx:
            await card.note_spoken(tx, coordinator, self.request, "rang her", self.intake.now, keeping=keeping)
        self.elsewhere = False

    async def erased(self) -> None:
        keeping = self.intake.deps.keeping
        async with self.intake.database.web.transaction([FORCE]) as tx:
            await erasure.erase(tx, FORCE, self.request, "participant", "asked", self.intake.now, keeping=keeping)
        self.silent = self.gone = True


@asynccontextmanager
async def a_door(database: ServiceDatabaseMaker, folder: Path) -> AsyncIterator[Door]:
    """A force that writes Welsh too."""
    async with intake_service(database, forces_dir=forces_folder(folder, WELSH)) as intake:
        yield Door(intake)


@pytest.fixture
async def door(database: ServiceDatabaseMaker, tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(database, tmp_path) as found:
        yield found


def sends(door: Door, *, texts: bool, neutral: bool) -> None:
    """What the force can send texts by."""
    # The mapping is the one the handlers hold: no message asks the settings again.
    door.intake.deps.keeping.means[FORCE] = Means(texts, neutral)  # type: ignore[index] # a dict behind a Mapping


ALL = set(MessageKind) - {MessageKind.CONFIRM}
"""That she is asked to confirm is a force's choice: tests/integration/test_intake_confirm.py."""
NONE: set[MessageKind] = set()
BY_RULE: dict[str, tuple[Rules, bool, bool, set[MessageKind]]] = {
    "email at any time": (Rules(), True, True, ALL),
    "email, may not be told who writes": (Rules(police=False), True, True, ALL),
    "email, early mornings alone": (Rules(times=("early-morning",)), True, True, ALL),
    "email, the day alone": (Rules(times=("daytime",)), True, True, ALL),
    "email, evenings alone": (Rules(times=("evening",)), True, True, ALL),
    "email in Welsh, neutral, with her calendar": (Rules(police=False, language="cy", calendar=True), True, True, ALL),
    "texts": (Rules(channels=("text",)), True, True, ALL),
    "texts, neutral, evenings": (Rules(channels=("text",), police=False, times=("evening",)), True, True, ALL),
    "texts of a force that sends none": (Rules(channels=("text",)), False, False, NONE),
    "neutral texts of a force without": (Rules(channels=("text",), police=False), True, False, NONE),
    "calls alone": (Rules(channels=("phone",)), True, True, NONE),
    "letters alone": (Rules(channels=("letter",)), True, True, NONE),
    "email and texts": (Rules(channels=("text", "email")), True, True, ALL),
}


@pytest.mark.parametrize("rule", list(BY_RULE))
async def test_every_kind_of_message_under_every_rule(door: Door, rule: str) -> None:
    """What may be sent is sent once, in her hours, by her way, in her words; what may not be is not."""
    rules, texts, neutral, expected = BY_RULE[rule]
    sends(door, texts=texts, neutral=neutral)
    await door.ask(rules)
    await door.through_the_day()
    await door.proposed()
    await door.through_the_day()
    await door.arranged(12)
    await door.through_the_day()
    await door.moved(5)
    for _ in range(5):
        await door.through_the_day()
    await door.held()
    await door.through_the_day()
    first = door.left
    await door.ask(rules)
    await door.arranged(3)
    await door.not_held()
    await door.through_the_day()
    await door.arranged(3)
    await door.cancelled()
    await door.through_the_day()
    assert {one.kind for one in (*first, *door.left)} == expected
    assert len({one.id for one in (*first, *door.left)}) == len(first) + len(door.left)
    if rule == "email and texts":
        assert {one.channel for one in first} == {"email"}


@pytest.mark.parametrize("silence", ["stops", "withdraws", "erased", "another_stops"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_nothing_of_any_kind_leaves_once_she_is_to_be_left_in_peace(door: Door, silence: str, when: str) -> None:
    """What waited before, and what happens after: not one message."""
    await door.ask(Rules(times=("evening",)))
    if when == "before":
        await door.proposed()
        await door.arranged(12)
        await door.moved(5)
        await getattr(door, silence)()
    else:
        await getattr(door, silence)()
        await door.proposed()
        await door.arranged(12)
        await door.moved(5)
    for _ in range(5):
        await door.through_the_day()
    await door.held()
    await door.through_the_day()
    await door.cancelled()
    await door.through_the_day()
    assert door.left == []


@pytest.mark.parametrize("by", ["email", "text"])
async def test_messages_leave_again_once_a_coordinator_has_spoken_to_her(door: Door, by: str) -> None:
    """Contact was stopped by somebody with the same address or number: what was written meanwhile is withheld, with the
    reason; what is written after leaves; and nothing again once somebody stops again."""
    sends(door, texts=True, neutral=True)
    await door.ask(Rules(channels=(by,)))
    await door.another_stops()
    await door.through_the_day()
    withheld = await door.intake.rows("SELECT refused, sealed FROM message WHERE request_id = $1", door.request)
    assert [tuple(row) for row in withheld] == [("contact stopped elsewhere", None)]
    await door.spoken_to()
    await door.arranged(4)
    await door.through_the_day()
    assert [one.kind for one in door.left] == [MessageKind.ARRANGED]
    await door.another_stops()
    await door.moved(6)
    await door.through_the_day()
    assert [one.kind for one in door.left] == [MessageKind.ARRANGED]


async def test_the_proof_can_fail(door: Door) -> None:
    """Were her rules read once and never again, the list above would say so."""
    await door.ask(Rules(times=("evening",)))
    door.rules = Rules(channels=("phone",))
    with pytest.raises(AssertionError, match="confirmation left by email"):
        await door.through_the_day()
    await door.ask(Rules())
    door.rules = Rules(police=False)
    with pytest.raises(AssertionError):
        await door.send()
    await door.ask(Rules())
    await door.arranged(4)
    door.starts_at = None
    with pytest.raises(AssertionError, match="arranged tells"):
        await door.send()


some_rules = st.builds(
    Rules,
    channels=st.one_of(
        st.just(("email",)),
        st.sets(st.sampled_from(["email", "text", "phone", "letter"]), min_size=1).map(
            lambda chosen: (*sorted(chosen),)
        ),
    ),
    times=st.sets(st.sampled_from(EVERY_TIME), min_size=1).map(lambda chosen: tuple(sorted(chosen))),
    police=st.booleans(),
    language=st.sampled_from(["en", "cy"]),
    calendar=st.booleans(),
)
days = st.integers(1, 6)
events = st.one_of(
    st.tuples(
        st.sampled_from(["proposed", "cancelled", "held", "withdraws", "stops", "erased", "another_stops", "spoken_to"])
    ),
    st.tuples(st.sampled_from(["not_held", "routed_anew"])),
    st.tuples(st.sampled_from(["arranged", "moved"]), days),
    st.tuples(st.just("change"), some_rules),
    st.tuples(st.just("pass_by"), st.integers(1, 40)),
    st.tuples(st.just("pass_by"), st.integers(1, 40)),
)
beginnings = st.sampled_from([date(2026, 10, 23), date(2027, 3, 26), date(2026, 11, 23)])
"""Two days before the clock goes back, before it goes forward, and an ordinary Monday."""


async def test_whatever_happens_nothing_leaves_against_her_rules_of_that_moment(
    database: ServiceDatabaseMaker, tmp_path: Path
) -> None:
    """Random rules, languages, ways of a force, and any events in any order, over both changes of the clock."""
    loop, seen = asyncio.get_running_loop(), 0
    async with a_door(database, tmp_path) as door:

        @settings(
            max_examples=80,
            deadline=None,
            # The same stories every time: how many messages leave is a property of them, and is held to below.
            derandomize=True,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(
            begins=beginnings,
            hour=st.integers(0, 23),
            rules=some_rules,
            texts=st.booleans(),
            neutral=st.booleans(),
            story=st.lists(events, max_size=14),
        )
        def told(
            begins: date, hour: int, rules: Rules, texts: bool, neutral: bool, story: list[tuple[Any, ...]]
        ) -> None:
            async def happens() -> None:
                nonlocal seen
                door.intake.now = datetime.combine(begins, time(hour, 30), UTC)
                sends(door, texts=texts, neutral=neutral)
                await door.ask(rules)
                for name, *given_ in story:
                    if name == "pass_by":
                        await door.pass_by(hours=given_[0])
                    else:
                        await getattr(door, name)(*given_)
                for _ in range(40):
                    await door.pass_by(hours=5)
                assert len({one.id for one in door.left}) == len(door.left), "a message left twice"
                seen += len(door.left)

            asyncio.run_coroutine_threadsafe(happens(), loop).result(60)

        await asyncio.to_thread(told)
    print(f"{seen} messages left")  # noqa: T201  # pytest -rP shows it
    assert seen > 50, f"only {seen} messages left: the proof proves little"
