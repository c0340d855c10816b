"""What has to hold after every step, and what once all is quiet."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.model.broker import SimulatedBroker, Stored
from tests.model.events import PARKED, READ, Echoed

Place = tuple[str, str]
"""Topic and key."""


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True)
class Logged:
    """An event of the outbox log."""

    position: int
    place: Place
    sequence: int
    id: UUID
    cause: UUID | None
    data: dict[str, Any]

    @property
    def number(self) -> int:
        return int(self.data.get("number", self.data.get("serial", 0)))

    @property
    def unreadable(self) -> bool:
        return "serial" in self.data

    @property
    def poison(self) -> bool:
        return bool(self.data.get("poison"))


@dataclass(frozen=True)
class Aside:
    """A row of `held`."""

    position: int
    place: Place
    why: str
    id: UUID | None
    awaits: UUID | None
    value: bytes


@dataclass
class Seen:
    """Everything that stands in the database."""

    facts: Counter[tuple[str, str, int]]
    log: list[Logged]
    parked_told: Counter[bytes]
    effects: list[tuple[Place, int, UUID]]
    held: list[Aside]
    pending: set[int]
    parents: set[str]
    bus_id: str | None

    @property
    def by_place(self) -> dict[Place, list[Logged]]:
        found: dict[Place, list[Logged]] = defaultdict(list)
        for event in self.log:
            found[event.place].append(event)
        return {place: sorted(events, key=lambda event: event.sequence) for place, events in found.items()}

    @property
    def progress(self) -> tuple[int, ...]:
        """Changes whenever anything of what is owed does."""
        return (len(self.log), len(self.effects), len(self.held), len(self.pending))


SEE = """
SELECT json_build_object(
  'facts', (SELECT coalesce(json_agg(json_build_array(topic, key, number)), '[]') FROM fact),
  'log', (SELECT coalesce(json_agg(json_build_array(position, topic, key, sequence, id, causation_id,
                                                    encode(data, 'hex'), headers IS NULL)), '[]') FROM outbox_log),
  'effects', (SELECT coalesce(json_agg(json_build_array(topic, key, sequence, event_id) ORDER BY at), '[]')
              FROM effect),
  'held', (SELECT coalesce(json_agg(json_build_array(position, topic, convert_from(key, 'UTF8'), why, id, awaits,
                                                     encode(value, 'hex')) ORDER BY position), '[]') FROM held),
  'pending', (SELECT coalesce(json_agg(position), '[]') FROM outbox_pending),
  'parents', (SELECT coalesce(json_agg(key), '[]') FROM parent),
  'bus', (SELECT bus_id FROM relay_bus)
)
"""


def seen(answer: str) -> Seen:
    """What SEE answered."""
    found = json.loads(answer)
    log: list[Logged] = []
    told: Counter[bytes] = Counter()
    for position, topic, key, sequence, id_, cause, data, ours in found["log"]:
        raw = bytes.fromhex(data)
        if ours:
            log.append(
                Logged(position, (topic, key), sequence, UUID(id_), UUID(cause) if cause else None, json.loads(raw))
            )
        else:
            if topic != PARKED:
                raise Broken(f"a record with headers of its own on {topic}")
            told[raw] += 1
    return Seen(
        Counter((topic, key, number) for topic, key, number in found["facts"]),
        log,
        told,
        [((topic, key), sequence, UUID(id_)) for topic, key, sequence, id_ in found["effects"]],
        [
            Aside(
                position,
                (topic, key),
                why,
                UUID(id_) if id_ else None,
                UUID(awaits) if awaits else None,
                bytes.fromhex(value or ""),
            )
            for position, topic, key, why, id_, awaits, value in found["held"]
        ],
        set(found["pending"]),
        set(found["parents"]),
        found["bus"],
    )


@dataclass
class Known:
    """What the test itself has done that the database cannot know."""

    given_up: set[UUID]
    """Events whose parked record a person has discarded."""
    corrupted: set[bytes]
    """Values that a stranger put on the bus."""


def always(now: Seen, broker: SimulatedBroker, known: Known) -> None:
    """After every step, a crash included.

    :raises Broken: with what does not hold.
    """
    _state_and_event_are_one(now)
    _log_is_gapless(now)
    _effects_once_and_in_order(now, known)
    _published_in_order(now, broker, known)
    _held_for_a_reason(now, known)


def when_quiet(now: Seen, broker: SimulatedBroker, known: Known) -> None:
    """Once relay, consumers and sweep have nothing left to do.

    :raises Broken: with what does not hold.
    """
    always(now, broker, known)
    _demand(not now.pending, f"events are still pending: {sorted(now.pending)}")
    _demand(broker.lag(READ) == 0, f"{broker.lag(READ)} records are not acknowledged")
    published = {dict(stored.headers).get("ce_id", b"").decode() for log in broker.life.logs.values() for stored in log}
    for event in now.log:
        _demand(str(event.id) in published, f"{_name(event)} is not on the bus")
    effects = {id_ for _, _, id_ in now.effects}
    aside = {one.id for one in now.held if one.value not in known.corrupted}
    for place, events in now.by_place.items():
        if place[0] not in READ:
            continue
        left = [event for event in events if event.id not in effects and event.id not in known.given_up]
        for event in left:
            _demand(event.id in aside, f"{_name(event)} took no effect, and is not held either")
        if left:
            _head_is_at_fault(left[0], [one for one in now.held if one.place == place], now, known)


def _head_is_at_fault(head: Logged, held: Sequence[Aside], now: Seen, known: Known) -> None:
    """The first event of a key that took no effect is one that cannot; or a stranger's record stands before it."""
    mine = next(one for one in held if one.id == head.id and one.value not in known.corrupted)
    if mine.why == "awaiting":
        _demand(
            head.place[0] == "model-two.v1" and head.place[1] not in now.parents,
            f"{_name(head)} awaits what is known",
        )
    elif mine.why == "behind":
        _demand(
            any(
                one.position < mine.position
                and (one.value in known.corrupted or one.id in known.given_up or _read_by_another_version(one, now))
                for one in held
            ),
            f"{_name(head)} is held behind nothing",
        )


def _read_by_another_version(one: Aside, now: Seen) -> bool:
    """It took effect with a newer version and came again to an older one, which parks what it cannot read."""
    return one.why == "unreadable" and any(id_ == one.id for _, _, id_ in now.effects)


def _state_and_event_are_one(now: Seen) -> None:
    told = Counter((*event.place, event.number) for event in now.log if event.place[0] != Echoed.topic)
    _demand(now.facts == told, f"state without event, or event without state: {now.facts - told} {told - now.facts}")
    echoed = Counter(event.cause for event in now.log if event.place[0] == Echoed.topic and event.cause)
    effects = Counter(id_ for _, _, id_ in now.effects)
    _demand(echoed == effects, f"effect without event, or event without effect: {effects - echoed} {echoed - effects}")


def _log_is_gapless(now: Seen) -> None:
    for place, events in now.by_place.items():
        sequences = [event.sequence for event in events]
        _demand(sequences == list(range(1, len(events) + 1)), f"sequences of {place}: {sequences}")
        positions = [event.position for event in events]
        _demand(positions == sorted(positions), f"positions of {place} are not in the order of its sequences")


def _effects_once_and_in_order(now: Seen, known: Known) -> None:
    ids = {event.id: event for event in now.log}
    by_place: dict[Place, list[int]] = defaultdict(list)
    for place, sequence, id_ in now.effects:
        _demand(id_ in ids, f"an effect at {place} of no event")
        if id_ not in known.given_up:
            by_place[place].append(sequence)
    many = Counter(id_ for _, _, id_ in now.effects)
    _demand(all(n == 1 for n in many.values()), f"doubled: {[_name(ids[id_]) for id_, n in many.items() if n > 1]}")
    for place, found in by_place.items():
        expected = [event.sequence for event in now.by_place[place] if event.id not in known.given_up]
        _demand(found == expected[: len(found)], f"effects at {place}: {found} of {expected}")


def _published_in_order(now: Seen, broker: SimulatedBroker, known: Known) -> None:
    rows = {str(event.id): event for event in now.log}
    first: dict[str, Stored] = {}
    order: dict[Place, list[int]] = defaultdict(list)
    for (topic, _), log in broker.life.logs.items():
        for stored in log:
            if topic == PARKED or (stored.value or b"") in known.corrupted:
                continue
            id_ = dict(stored.headers)["ce_id"].decode()
            _demand(id_ in rows, f"a record on {topic} of no event")
            if id_ in first:
                _demand(stored == first[id_], f"{_name(rows[id_])} was repeated otherwise than it was first")
                continue
            first[id_] = stored
            order[rows[id_].place].append(rows[id_].sequence)
    for place, found in order.items():
        _demand(found == list(range(1, len(found) + 1)), f"first on the bus at {place}: {found}")


def _held_for_a_reason(now: Seen, known: Known) -> None:
    ids = {event.id: event for event in now.log}
    effects = {id_ for _, _, id_ in now.effects}
    many = Counter(one.id for one in now.held if one.id is not None and one.value not in known.corrupted)
    _demand(all(n == 1 for n in many.values()), "an event is held twice")
    told = Counter(now.parked_told)
    last: dict[Place, int] = defaultdict(int)
    for one in now.held:
        if one.why in ("unreadable", "failed"):
            _demand(told[one.value] > 0, f"a record parked at {one.place} was not told of")
        if one.value in known.corrupted:
            _demand(one.why == "unreadable", f"a stranger's record is held as {one.why}")
            continue
        if one.id is None:
            raise Broken(f"a record nobody sent is held at {one.place}")
        event = ids[one.id]
        if event.unreadable and _read_by_another_version(one, now):
            continue
        if one.id not in known.given_up:
            _demand(event.sequence > last[one.place], f"{_name(event)} is held behind a later one of its key")
            last[one.place] = event.sequence
        _demand(one.id not in effects, f"{_name(event)} took effect and is held as {one.why}")
        if one.why == "failed":
            _demand(event.poison, f"{_name(event)} is parked as failed and has no fault")
        if one.why == "unreadable":
            _demand(event.unreadable, f"{_name(event)} is parked as unreadable and has no fault")


def _name(event: Logged) -> str:
    return f"{event.place[0].removeprefix('model-').removesuffix('.v1')} {event.place[1][-1:]} no. {event.sequence}"


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)
