"""The written scenarios: what stands before, and what the process does that is killed or cut off on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.contracts.envelope import Event
from tests.model.broker import Answer
from tests.model.events import READ, Child, Counted, Later, Parent, Tallied
from tests.model.house import House, Service

A, B, C, D, E = (UUID(int=n + 1, version=4) for n in range(5))

Prepare = Callable[[House], Awaitable[None]]
Act = Callable[[Service], Awaitable[object]]


@dataclass(frozen=True)
class Scenario:
    """One process at work; `prepare` is done by others before, and nothing befalls them."""

    name: str
    prepare: Prepare
    act: Act


@dataclass(frozen=True)
class Encounter:
    """Two processes at work at the same time."""

    name: str
    prepare: Prepare
    first: Act
    second: Act


async def _nothing(house: House) -> None:
    """Nothing stands before."""


def appended(*events: Event) -> Prepare:
    """These events stand in the outbox."""

    async def prepare(house: House) -> None:
        await house.healthy().append(events)

    return prepare


def on_the_bus(*events: Event) -> Prepare:
    """These events stand on the bus, unread."""

    async def prepare(house: House) -> None:
        await house.healthy().append(events)
        await house.publish()

    return prepare


def consumed(*events: Event) -> Prepare:
    """These events were read, and took effect if they could."""

    async def prepare(house: House) -> None:
        await on_the_bus(*events)(house)
        reader = house.healthy()
        await reader.consume_all()
        await reader.gone()

    return prepare


def then(*steps: Prepare) -> Prepare:
    """One after the other."""

    async def prepare(house: House) -> None:
        for step in steps:
            await step(house)

    return prepare


def answers(*given: Answer) -> Prepare:
    """What the broker will say to the next appends."""

    async def prepare(house: House) -> None:
        house.broker.answers.extend(given)

    return prepare


async def repeated(house: House) -> None:
    """Every record stands on the bus a second time, behind the first ones."""
    for log in house.broker.life.logs.values():
        log += list(log)


async def forgotten(house: House) -> None:
    """The broker has lost its memory."""
    house.broker.forget_everything()


async def mended(house: House) -> None:
    """The fault in the handler is mended, and the reader knows the newer events."""
    house.mended = house.new_reader = True


async def mended_handler(house: House) -> None:
    """The fault in the handler is mended; the newer events are as unreadable as before."""
    house.mended = True


async def asked_for(house: House) -> None:
    """A person has asked for everything parked."""
    await house.retry_parked()
    house.step_clock(1)


async def first_asked_for(house: House) -> None:
    """A person has asked for the first parked record of several."""
    await house.retry_parked(first=True)
    house.step_clock(1)


async def newer(house: House) -> None:
    """What starts from now on knows the newer events; the fault in the handler is as before."""
    house.new_reader = True


async def older(house: House) -> None:
    """What starts from now on knows the newer events no longer."""
    house.new_reader = False


async def first_given_up(house: House) -> None:
    """A person has discarded the first parked record of several."""
    parked = [one for one in (await house.look()).held if one.why in ("failed", "unreadable")]
    await house.discard([parked[0].position])


async def given_up(house: House) -> None:
    """A person has discarded everything parked."""
    now = await house.look()
    parked = [one for one in now.held if one.why in ("failed", "unreadable")]
    await house.discard([one.position for one in parked])


def known(*parents: UUID) -> Prepare:
    """Parents made by a web command: no event tells of them."""

    async def prepare(house: House) -> None:
        await house.appear([str(parent) for parent in parents])

    return prepare


async def later(house: House) -> None:
    """Late enough that everything which tries again is due."""
    house.step_clock(61)


def append(*events: Event) -> Act:
    async def act(service: Service) -> None:
        await service.append(events)

    return act


async def relay(service: Service) -> None:
    await service.relay_all()


async def consume(service: Service) -> None:
    await service.consume_all()


async def consume_by_two(service: Service) -> None:
    """In small batches, so that each record meets what the one before it left behind."""
    await service.consume_all(most=2)


async def one_batch(service: Service) -> None:
    await service.consume_for(0.5)


async def forget_and_relay(service: Service) -> None:
    """The broker loses its memory, and the log goes to the new one."""
    service.house.broker.forget_everything()
    await service.relay_all()


async def sweep(service: Service) -> None:
    await service.inbox.sweep()


async def everything(service: Service) -> None:
    await service.append([Counted(on=A, number=1), Child(on=B, number=1), Tallied(on=A, number=2)])
    await service.relay_all()
    await service.consume_all()
    await service.append([Parent(on=B, number=1)])
    await service.relay_all()
    await service.consume_all()
    service.house.step_clock(61)
    await service.inbox.sweep()


async def unnoticed(service: Service) -> None:
    """The broker forgets everything while a consumer stands far into the old log, and the new one outgrows that."""
    await service.consume_all()
    service.house.broker.forget_everything()
    await service.append([Counted(on=A, number=n) for n in range(10, 30)])
    await service.relay_all()
    await service.consume_all()


async def relay_and_consume(service: Service) -> None:
    await service.relay_all()
    await service.consume_all()


def _mixed() -> list[Event]:
    return [
        Counted(on=A, number=1),
        Tallied(on=A, number=2),
        Tallied(on=B, number=1),
        Counted(on=C, number=1),
        Counted(on=A, number=3),
        Counted(on=B, number=2),
    ]


def _bad() -> list[Event]:
    """One of A fails, followed by two; B and C have no fault."""
    return [
        Counted(on=A, number=1),
        Counted(on=A, number=2, poison=True),
        Counted(on=B, number=1),
        Counted(on=B, number=2),
        Tallied(on=A, number=3),
        Counted(on=C, number=1),
        Counted(on=A, number=4),
    ]


def _unreadable() -> list[Event]:
    """One of D cannot be read, between others of its key; E has no fault."""
    return [
        Counted(on=D, number=1),
        Later(on=D, serial=2),
        Counted(on=E, number=1),
        Tallied(on=D, number=3),
    ]


def _both() -> list[Event]:
    """A has a record that fails, one that cannot be read, and followers of each."""
    return [
        Counted(on=A, number=1, poison=True),
        Counted(on=A, number=2),
        Later(on=A, serial=3),
        Counted(on=A, number=4),
        Counted(on=B, number=1),
    ]


def _again() -> list[Event]:
    """More of the keys of _mixed, the other way round."""
    return [Tallied(on=C, number=2), Counted(on=B, number=3), Counted(on=A, number=4)]


def _children() -> list[Event]:
    return [Child(on=A, number=1), Child(on=A, number=2), Child(on=B, number=1)]


SCENARIOS: Final = (
    Scenario("an event is appended", _nothing, append(Counted(on=A, number=1))),
    Scenario("events of many keys and types are appended", _nothing, append(*_mixed(), *_children())),
    Scenario("a relay publishes flight after flight", appended(*_mixed(), *_children()), relay),
    Scenario(
        "a relay is refused by some partitions",
        then(appended(*_mixed()), answers(Answer.TAKES, Answer.REFUSES, Answer.TAKES_FIRST)),
        relay,
    ),
    Scenario(
        "a relay does not hear what was taken",
        then(appended(*_mixed()), answers(Answer.LOSES_ANSWER, Answer.TAKES, Answer.LOSES_ANSWER)),
        relay,
    ),
    Scenario("a relay finds another bus", then(consumed(*_mixed()), forgotten, appended(*_children())), relay),
    Scenario("a batch of mixed types takes effect", on_the_bus(*_mixed()), consume),
    Scenario(
        "a batch holds duplicates", then(consumed(*_mixed()), on_the_bus(*_again(), *_children()), repeated), consume
    ),
    Scenario("children come before their parent", on_the_bus(*_children(), Parent(on=A, number=1)), consume_by_two),
    Scenario(
        "a parent comes after its children", then(consumed(*_children()), on_the_bus(Parent(on=A, number=1))), consume
    ),
    Scenario("a record fails on its data", on_the_bus(*_bad()), consume),
    Scenario(
        "followers of a record that failed come later", then(consumed(*_bad()[:2]), on_the_bus(*_bad()[2:])), consume
    ),
    Scenario("a record cannot be read", on_the_bus(*_unreadable()), consume),
    Scenario("a record fails and another of its key cannot be read", on_the_bus(*_both()), consume_by_two),
    Scenario("a person asks for what was parked", then(consumed(*_bad(), *_unreadable()), mended, asked_for), sweep),
    Scenario(
        "a person asks for the first of two parked", then(consumed(*_both()), mended_handler, first_asked_for), sweep
    ),
    Scenario("a person asks in vain", then(consumed(*_bad()), asked_for), sweep),
    Scenario("a person gives up what was parked", then(consumed(*_bad()), given_up), sweep),
    Scenario("a person gives up the first of two parked", then(consumed(*_both()), first_given_up), sweep),
    Scenario(
        "an older version sweeps what a newer one put behind",
        then(newer, consumed(*_both()), older, first_given_up),
        sweep,
    ),
    Scenario("a sweep finds a parent that no event told of", then(consumed(*_children()), known(A), later), sweep),
    Scenario(
        "a consumer meets another bus",
        then(consumed(*_mixed()), on_the_bus(*_unreadable()), forgotten, appended(*_children())),
        relay_and_consume,
    ),
    Scenario("a consumer has not noticed another bus", then(on_the_bus(*_mixed()), repeated, repeated), unnoticed),
    Scenario("an unreadable record is repeated", then(on_the_bus(*_unreadable()), repeated), consume),
    Scenario(
        "a newer reader meets what an older one has parked", then(consumed(*_unreadable()), repeated, mended), consume
    ),
    Scenario("all of it in one process", _nothing, everything),
)


def relay_for(seconds: float) -> Act:
    async def act(service: Service) -> None:
        await service.relay_for(seconds)

    return act


async def take_over(service: Service) -> None:
    """All partitions go to this member, whatever the other is in the middle of."""
    service.house.broker.give(service.member, READ)
    await service.consume_all()


def consume_only(*topics: str) -> Act:
    async def act(service: Service) -> None:
        service.house.broker.give(service.member, topics)
        await service.consume_all()

    return act


ENCOUNTERS: Final = (
    Encounter(
        "a consumer is in the middle of a batch when the broker forgets",
        then(on_the_bus(*_mixed()), repeated, repeated, appended(*_children())),
        consume,
        forget_and_relay,
    ),
    Encounter("two commands decide about the same keys", _nothing, append(*_mixed()), append(*_again())),
    Encounter("an event is appended while a relay publishes", appended(*_mixed()), relay_for(3), append(*_again())),
    Encounter("two relays of one database", appended(*_mixed()), relay_for(3), relay_for(3)),
    Encounter("a member loses its partitions in the middle of a batch", on_the_bus(*_mixed()), one_batch, take_over),
    Encounter("and one of its records fails", on_the_bus(*_bad()), one_batch, take_over),
    Encounter("and one of its records cannot be read", on_the_bus(*_unreadable()), one_batch, take_over),
    Encounter("and its records await a parent", on_the_bus(*_children(), Parent(on=B, number=1)), one_batch, take_over),
    Encounter(
        "a child comes while its parent does",
        on_the_bus(*_children(), Parent(on=A, number=1)),
        consume_only(Child.topic),
        consume_only(Parent.topic),
    ),
    Encounter(
        "a sweep tries children again while another comes",
        then(consumed(*_children()), on_the_bus(Child(on=A, number=3)), later),
        sweep,
        consume,
    ),
    Encounter(
        "a sweep tries children again while another and the parent come",
        then(consumed(*_children()), on_the_bus(Child(on=A, number=3), Parent(on=A, number=1)), later),
        sweep,
        consume_by_two,
    ),
    Encounter(
        "a sweep finds the parent while another child comes",
        then(consumed(*_children()), on_the_bus(Child(on=A, number=3)), known(A), later),
        sweep,
        consume,
    ),
    Encounter("two sweeps at once", then(consumed(*_children()), known(A), later), sweep, sweep),
    Encounter(
        "a person asks in vain while a follower comes",
        then(consumed(*_bad()), on_the_bus(Counted(on=A, number=5)), asked_for),
        sweep,
        consume,
    ),
    Encounter(
        "a person asks for what was parked while a follower comes",
        then(consumed(*_bad()), on_the_bus(Counted(on=A, number=5)), mended, asked_for),
        sweep,
        consume,
    ),
    Encounter(
        "a person gives up what was parked while a follower comes",
        then(consumed(*_bad()), on_the_bus(Counted(on=A, number=5)), given_up),
        sweep,
        consume,
    ),
)
