"""The protocol with one mistake each: what the explorations must be able to catch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from aiokafka.errors import NotEnoughReplicasError

from shared.bus import inbox, outbox, relay
from shared.bus.consumption import Consumption
from shared.bus.inbox import Inbox, _Batch, _follow, _hold
from shared.bus.outbox import QUERIES, Fact
from shared.contracts.envelope import Event
from shared.database import Transaction
from tests.model import events, house
from tests.model.broker import SimulatedBroker

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutant:
    """A mistake, and the scenario or encounter that shows it."""

    mistake: str
    patch: Patch
    shown_by: str


def _statement(name: str, change: Callable[[str], str]) -> Patch:
    """A statement of queries.sql, changed."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        query = QUERIES[name]
        changed = change(query.sql)
        assert changed != query.sql, f"{name} is not what this mistake was written for"
        monkeypatch.setitem(QUERIES._found, name, replace(query, sql=changed))

    return patch


def _attribute(of: Any, name: str, value: Any) -> Patch:
    return lambda monkeypatch: monkeypatch.setattr(of, name, value)


_effect = Consumption._effect


async def _acknowledged_first(self: Consumption, consumer: Any, batch: Any) -> Any:
    await consumer.commit(batch.ends)
    return await _effect(self, consumer, batch)


async def _in_two_commits(tx: Transaction, decided: Sequence[Event], now: Any) -> None:
    connection = tx.connection
    await tx.run(
        events.STATE,
        [events.FORCE for _ in decided],
        [event.topic for event in decided],
        [event.key for event in decided],
        [events.number_of(event) for event in decided],
    )
    await connection.execute("COMMIT")
    await connection.execute(f"BEGIN; SELECT set_config('walkandtalk.forces', '{events.FORCE}', true)")
    await outbox.append(tx, [Fact(event, events.FORCE, now) for event in decided])


async def _another_bus_is_the_same(self: Any, connection: Any, bus_id: str, stopping: Any) -> None:
    await connection.execute(QUERIES.keep_bus_id.sql, bus_id)


async def _none_behind(self: _Batch, todo: Any) -> Any:
    return list(todo)


_put_aside = _Batch.hold


async def _held_unremembered(self: _Batch, held: Any, told: bool = False) -> None:
    await _put_aside(self, held, told)
    self._held.clear()


async def _told_before(self: _Batch, held: Any, told: bool = False) -> None:
    await _put_aside(self, held, told or any(one.position is not None for one in held))


async def _parked_together(self: _Batch, group: Any) -> Any:
    if not self._isolate:
        return await self._call(group)
    try:
        async with self._tx.savepoint():
            return await self._call(group)
    except ValueError:
        await self.hold([_hold(one, "failed", "ValueError") for one in group])
        return []


@asynccontextmanager
async def _no_savepoint(self: Transaction) -> AsyncIterator[None]:
    yield


def _by_type_alone(items: Any) -> list[list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for type_, _, item in items:
        groups.setdefault(type_, []).append(item)
    return list(groups.values())


def _unreadable_first(readable: Any, unreadable: Any) -> Any:
    places = {held.place for held in unreadable}
    behind = [_follow(one, None) for one in readable if one.place in places]
    return [one for one in readable if one.place not in places], [*unreadable, *behind]


def _duplicates_within_kept(self: Inbox, readable: Any, rows: Any) -> Any:
    fresh = {row["id"] for row in rows}
    return [one for one in readable if one.received.id in fresh]


_append = SimulatedBroker.append


def _refusal_unheard(self: SimulatedBroker, place: Any, records: Any) -> None:
    try:
        _append(self, place, records)
    except NotEnoughReplicasError:
        return


def _digest_with_place(self: Any) -> bytes:
    return b"%d %d %s" % (self.partition, self.offset, self.value or b"")


MUTANTS: Final = (
    Mutant(
        "offsets are committed before the database",
        _attribute(Consumption, "_effect", _acknowledged_first),
        "a batch of mixed types takes effect",
    ),
    Mutant(
        "the inbox insert is left out",
        _statement(
            "receive",
            lambda _: (
                "SELECT id FROM unnest($1::text[], $2::uuid[]) AS i (force_id, id) WHERE $3::timestamptz IS NOT NULL"
            ),
        ),
        "a batch holds duplicates",
    ),
    Mutant(
        "a record twice in one batch is taken for two",
        _attribute(Inbox, "_without_duplicates", _duplicates_within_kept),
        "a batch holds duplicates",
    ),
    Mutant(
        "the relay forgets what is pending before it is acknowledged",
        _statement(
            "next_pending",
            lambda sql: " ".join(("WITH forgotten AS (DELETE FROM outbox_pending)", sql)),
        ),
        "a relay publishes flight after flight",
    ),
    Mutant(
        "the relay takes a refusal for an acknowledgement",
        _attribute(SimulatedBroker, "append", _refusal_unheard),
        "a relay is refused by some partitions",
    ),
    Mutant(
        "the relay does not tell one bus from another",
        _attribute(relay.Relay, "_recognise", _another_bus_is_the_same),
        "a relay finds another bus",
    ),
    Mutant(
        "the relay does not wait until consumers have noticed another bus",
        _attribute(relay, "_SETTLE", 0.0),
        "a consumer has not noticed another bus",
    ),
    Mutant(
        "state and event are two commits",
        _attribute(house, "decide", _in_two_commits),
        "an event is appended",
    ),
    Mutant(
        "waves do not look at keys", _attribute(inbox, "waves", _by_type_alone), "a batch of mixed types takes effect"
    ),
    Mutant(
        "followers that come later are not held",
        _attribute(_Batch, "without_followers", _none_behind),
        "followers of a record that failed come later",
    ),
    Mutant(
        "followers in the same batch are not held",
        _attribute(_Batch, "hold", _held_unremembered),
        "a record fails on its data",
    ),
    Mutant(
        "what came before an unreadable record is held behind it",
        _attribute(inbox, "_apart", _unreadable_first),
        "a record cannot be read",
    ),
    Mutant(
        "a whole group is parked for one of its records",
        _attribute(_Batch, "_handle", _parked_together),
        "a record fails on its data",
    ),
    Mutant(
        "what a record did before it failed is not undone",
        _attribute(Transaction, "savepoint", _no_savepoint),
        "a record fails on its data",
    ),
    Mutant(
        "an event whose parent is unknown is dropped",
        _statement(
            "hold", lambda sql: sql.replace("ORDER BY i.ordinal", "WHERE i.why <> 'awaiting' ORDER BY i.ordinal")
        ),
        "children come before their parent",
    ),
    Mutant(
        "what is released is tried newest first",
        _attribute(inbox, "_position", lambda row: -row["position"]),
        "a sweep finds a parent that no event told of",
    ),
    Mutant(
        "a retry takes followers past another parked record",
        _statement("take_due", lambda sql: sql.replace("p.position <= h.position", "false")),
        "a person asks for the first of two parked",
    ),
    Mutant(
        "what was only held behind is taken to have been told of",
        _attribute(_Batch, "hold", _told_before),
        "an older version sweeps what a newer one put behind",
    ),
    Mutant(
        "what is behind a discarded record waits for a later one too",
        _statement("take_due", lambda sql: sql.replace("p.position < held.position", "true")),
        "a person gives up the first of two parked",
    ),
    Mutant(
        "what is put back goes to the end",
        _statement("hold_again", lambda sql: sql.replace("SELECT i.position,", "SELECT i.position + 1000000,")),
        "a sweep tries children again while another comes",
    ),
    Mutant(
        "two take out of holding at the same time",
        _statement("release_alone", lambda _: "SELECT 1"),
        "a sweep tries children again while another and the parent come",
    ),
    Mutant(
        "what an older reader has parked is received when a newer one meets it again",
        _statement("not_received", lambda _: "SELECT $1::text[], $2::uuid[]"),
        "a newer reader meets what an older one has parked",
    ),
    Mutant(
        "a repeated record that cannot be read is parked again",
        _attribute(inbox.Record, "digest", property(_digest_with_place)),
        "an unreadable record is repeated",
    ),
)
