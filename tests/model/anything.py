"""Anything in any order: a state machine whose rules are what can happen to the service, its broker and its people."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka.errors import KafkaError
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.contracts.envelope import Event
from shared.database import TRANSIENT
from tests.model.broker import Answer
from tests.model.events import READ, Child, Counted, Later, Parent, Tallied
from tests.model.house import House, Service
from tests.model.invariants import Broken
from tests.model.process import Fault

KEYS = [UUID(int=n + 1, version=4) for n in range(3)]
PROCESSES = 3

kinds = st.sampled_from(["counted", "tallied", "poison", "later", "child", "parent"])
drafts = st.lists(st.tuples(kinds, st.integers(0, len(KEYS) - 1)), min_size=1, max_size=4)
processes = st.integers(0, PROCESSES - 1)
anywhere = st.integers(0, 9_999)
"""A place in something whose size is known only then, taken modulo that size."""
steps = st.one_of(st.integers(0, 40), st.none())
"""After how many places a process pauses; None: it goes on to the end of what it does."""


class Explored:
    """What all runs together did."""

    def __init__(self) -> None:
        self.runs = 0
        self.rules: Counter[str] = Counter()
        self.places = 0
        self.deaths = 0
        self.cuts = 0
        self.events = 0


class Anything(RuleBasedStateMachine):
    """Three processes that append, relay, consume and sweep, a broker, a clock, and people who mend and decide.

    What a rule finds decides nothing about what is drawn: two runs of one example may differ in which of two processes
    PostgreSQL lets go first.
    """

    def __init__(self, house: House, explored: Explored) -> None:
        super().__init__()
        self.house = house
        self.explored = explored
        self.working: dict[int, tuple[Service, asyncio.Task[Any]]] = {}
        self.idle: dict[int, Service] = {}
        self.numbers: Counter[tuple[str, UUID]] = Counter()
        self.parked = False

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.house.run(work)

    @initialize(drafts=drafts)
    def begin(self, drafts: list[tuple[str, int]]) -> None:
        """Something has been decided, and most often is on the bus already."""
        self.explored.runs += 1
        self.run(self.house.fresh())
        self.append(0, drafts, None)
        self.work(0, "relay", None, 0)

    @rule(process=processes, drafts=drafts, most=steps)
    def append(self, process: int, drafts: list[tuple[str, int]], most: int | None) -> None:
        """A command decides."""
        events = [self._event(kind, KEYS[key]) for kind, key in drafts]
        self._start("append", process, most, lambda service: service.append(events))

    @rule(
        process=processes,
        what=st.sampled_from(["consume", "relay", "sweep", "consume"]),
        most=steps,
        records=st.integers(1, 8),
        fault=st.sampled_from([None, *Fault]),
    )
    def work(self, process: int, what: str, most: int | None, records: int, fault: Fault | None = None) -> None:
        """A process does a part of its work: to the end, until it pauses, or until something befalls it."""
        acts = {
            "relay": lambda service: service.relay_for(3.0),
            "consume": lambda service: service.consume_for(1.5, records),
            "sweep": lambda service: service.inbox.sweep(),
        }
        self._start(what, process, most, acts[what], fault)

    @rule(drafts=drafts, records=st.integers(1, 8))
    def all_goes_well(self, drafts: list[tuple[str, int]], records: int) -> None:
        """Events are decided, published and read, as far as processes are free to."""
        self.append(0, drafts, None)
        self.work(1, "relay", None, records)
        self.work(2, "consume", None, records)

    @rule(process=processes, most=steps)
    def go_on(self, process: int, most: int | None) -> None:
        """A process that paused goes on."""
        if process in self.working:
            self.explored.rules["go on"] += 1
            service, _ = self.working[process]
            assert service.process is not None
            service.process.allow(most)
            self.run(self._settle(process))

    @rule(process=processes, after=st.integers(1, 12), fault=st.sampled_from(list(Fault)))
    def befalls(self, process: int, after: int, fault: Fault) -> None:
        """A process that paused goes on, and is killed or cut off some places later."""
        if process in self.working:
            self.explored.rules[fault.value] += 1
            service, _ = self.working[process]
            assert service.process is not None
            service.process.fault = (len(service.process.places) + after, fault)
            service.process.allow(None)
            self.run(self._settle(process))

    @rule(process=processes)
    def dies(self, process: int) -> None:
        """A process that paused is killed where it stands."""
        if process in self.working:
            self.explored.rules["dies where it stands"] += 1
            self.run(self._end(process))

    @rule(
        what=st.sampled_from(["rebalance", "broker refuses", "clock steps", "deploy", "a parent appears"]),
        turn=st.integers(0, 5),
        answers=st.lists(st.sampled_from(list(Answer)), min_size=1, max_size=6),
        seconds=st.sampled_from([-7200, -60, -1, 1, 3, 61, 7200]),
        key=st.sampled_from(KEYS),
    )
    def happens(self, what: str, turn: int, answers: list[Answer], seconds: int, key: UUID) -> None:
        """Partitions move; the broker will refuse or not be heard; the clock is set forward or back; a version that
        fails no more, or reads more, or an older one again, is what starts from now on; a parent comes to be known."""
        self.explored.rules[what] += 1
        if what == "rebalance":
            self.house.broker.share_out(turn)
        elif what == "broker refuses":
            self.house.broker.answers.extend(answers)
        elif what == "clock steps":
            self.house.step_clock(seconds)
        elif what == "deploy":
            self.house.mended, self.house.new_reader = bool(turn & 1), bool(turn & 2)
            if turn % PROCESSES in self.idle:
                gone = self.idle.pop(turn % PROCESSES)
                self.run(gone.gone())
                self.house.services.remove(gone)
        else:
            self._person(self.house.appear([str(key)]))

    @rule()
    def broker_forgets(self) -> None:
        if any(self.house.broker.life.logs.values()):
            self.explored.rules["broker forgets"] += 1
            self.house.broker.forget_everything()

    @rule(log=anywhere, start=anywhere, many=st.integers(1, 4))
    def records_are_repeated(self, log: int, start: int, many: int) -> None:
        """Part of a log comes a second time, as after a lost answer."""
        logs = [one for one in self.house.broker.life.logs.values() if one]
        if logs:
            self.explored.rules["records are repeated"] += 1
            records = logs[log % len(logs)]
            start %= len(records)
            records += records[start : start + many]

    @rule(log=anywhere, record=anywhere)
    def stranger_sends(self, log: int, record: int) -> None:
        """A copy of a record arrives with its data destroyed."""
        logs = [one for (topic, _), one in self.house.broker.life.logs.items() if one and topic in READ]
        if logs:
            self.explored.rules["a record is corrupted"] += 1
            records = logs[log % len(logs)]
            copied = records[record % len(records)]
            value = b"{" + (copied.value or b"")
            self.house.known.corrupted.add(value)
            records.append(copied._replace(value=value))

    @rule(what=st.sampled_from(["retry all", "retry the first", "discard the first"]))
    def person(self, what: str) -> None:
        """Somebody decides about what is parked."""
        if not self.parked:
            return
        self.explored.rules[what] += 1
        self._person(
            self._discard_first()
            if what.startswith("discard")
            else self.house.retry_parked(first=what.endswith("first"))
        )

    @invariant()
    def everything_holds(self) -> None:
        if self.explored.rules:
            self.parked = any(one.why in ("unreadable", "failed") for one in self.run(self.house.check()).held)

    def teardown(self) -> None:
        """All is killed; a new process brings it to rest; people mend what is left, and everything takes effect."""
        for process in list(self.working):
            self.run(self._end(process))
        self.run(self.house.recover())
        healed = self.run(self.house.heal())
        self.explored.events += len(healed.log)

    def _event(self, kind: str, key: UUID) -> Event:
        made: dict[str, type[Counted] | type[Later]] = {
            "later": Later,
            "tallied": Tallied,
            "child": Child,
            "parent": Parent,
        }
        of = made.get(kind, Counted)
        self.numbers[(of.topic, key)] += 1
        number = self.numbers[(of.topic, key)]
        if issubclass(of, Later):
            return of(on=key, serial=number)
        return of(on=key, number=number, poison=kind == "poison")

    def _start(self, name: str, process: int, most: int | None, act: Any, fault: Fault | None = None) -> None:
        if process in self.working:
            return
        self.explored.rules[name] += 1
        self.run(self._work(process, most, act, fault))

    async def _work(self, process: int, most: int | None, act: Any, fault: Fault | None) -> None:
        service = self.idle.pop(process, None) or await self.house.service(f"process {process}")
        assert service.process is not None
        if fault is not None and most is not None:
            service.process.fault = (len(service.process.places) + most + 1, fault)
            self.explored.rules[fault.value] += 1
            most = None
        service.process.allow(most)

        async def work() -> None:
            await act(service)

        self.working[process] = (service, service.process.start(work))
        await self._settle(process)

    async def _settle(self, process: int) -> None:
        """Let a process go as far as it may; and others with it, that waited for its locks."""
        await self.house.until_still(self.working[process][0])
        for other, (service, task) in list(self.working.items()):
            assert service.process is not None
            if not await self.house.until_still(service):
                continue
            if service.process.dead:
                await self._end(other)
                continue
            told = task.exception()
            if told is not None and not isinstance(told, (*TRANSIENT, KafkaError)):
                raise Broken(f"process {other} ended with {told!r}") from told
            self._count(service)
            service.process.tasks.clear()
            service.process.fault = None
            del self.working[other]
            self.idle[other] = service

    async def _end(self, process: int) -> None:
        service, _ = self.working.pop(process)
        self._count(service)
        self.explored.deaths += 1
        await service.gone()
        self.house.services.remove(service)

    def _count(self, service: Service) -> None:
        assert service.process is not None
        self.explored.places += len(service.process.places)
        service.process.places.clear()

    def _person(self, work: Coroutine[Any, Any, Any]) -> None:
        self.run(self.house.ask("SELECT set_config('lock_timeout', '50ms', false)"))
        try:
            self.run(work)
        except asyncpg.LockNotAvailableError:
            # A process that stands still holds it; the person comes back another time.
            return
        finally:
            self.run(self.house.ask("SELECT set_config('lock_timeout', '0', false)"))

    async def _discard_first(self) -> None:
        parked = [one for one in (await self.house.look()).held if one.why in ("unreadable", "failed")]
        await self.house.discard([one.position for one in parked[:1]])
