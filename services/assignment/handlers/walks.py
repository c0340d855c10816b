"""Walks locked for whoever commands or tells something, and saved, logged and told when it is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from uuid6 import uuid7

from services.assignment.domain.people import Person
from services.assignment.domain.refusals import NotYourWalk, WalkNotFound
from services.assignment.domain.walks import Changed, Walk
from services.assignment.handlers.telling import tell_of
from services.assignment.store import requests as request_rows
from services.assignment.store import walks as walk_rows
from shared import audit
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.envelope import Event, Received
from shared.contracts.policy import ForcePolicy
from shared.contracts.walk_requests import (
    ContactRulesChanged,
    ContactWanted,
    ProposalAnswered,
    WalkRequestAmended,
    WalkRequestWithdrawn,
)
from shared.database import Transaction

Policies = Mapping[str, ForcePolicy]


def new_id() -> UUID:
    """An id for something new of ours."""
    return UUID(int=uuid7().int)


A = TypeVar("A", WalkRequestWithdrawn, WalkRequestAmended, ProposalAnswered, ContactRulesChanged, ContactWanted)


async def walks_asked_about(
    tx: Transaction, received: Sequence[Received[A]]
) -> tuple[dict[UUID, Walk], dict[UUID, list[Received[A]]], dict[UUID, UUID]]:
    """Walks locked, what was received about each, and which events have to wait for their request."""
    walk_of = await request_rows.walks_of_requests(tx, [(one.force_id, one.event.request_id) for one in received])
    causes: defaultdict[UUID, list[Received[A]]] = defaultdict(list)
    awaiting: dict[UUID, UUID] = {}
    for one in received:
        walk_id = walk_of.get(one.event.request_id)
        if walk_id is None:
            awaiting[one.id] = one.event.request_id
        else:
            causes[walk_id].append(one)
    walks = await walk_rows.lock_walks(tx, [(group[0].force_id, walk_id) for walk_id, group in causes.items()])
    return walks, causes, awaiting


def facts(
    decided: Sequence[Changed], now: datetime, causes: Mapping[UUID, Received[Event]] | None = None
) -> list[Fact]:
    """The events of what was decided, each with what caused it."""
    return [
        Fact(event, each.walk.force_id, now, (causes or {}).get(each.walk.id))
        for each in decided
        for event in each.events
    ]


class Command(Protocol):
    """What a person wants done with a walk."""

    @property
    def walk_id(self) -> UUID:
        """The walk."""

    @property
    def by(self) -> Person:
        """Who wants it."""


async def walks_commanded(tx: Transaction, commands: Sequence[Command]) -> dict[UUID, Walk]:
    """The walks that people command something of, locked.

    :raises WalkNotFound: there is none, or whoever commands may not know of it.
    """
    walks = await walk_rows.lock_walks(tx, [(command.by.force_id, command.walk_id) for command in commands])
    for command in commands:
        walk = walks.get(command.walk_id)
        if walk is None or not command.by.may_see(walk):
            raise WalkNotFound
    return walks


def own(walk: Walk, by: Person) -> Walk:
    """The walk, of its officer and of coordinators.

    :raises NotYourWalk: another officer has it.
    """
    if not by.is_coordinator and walk.officer_id != by.id:
        raise NotYourWalk
    return walk


async def save(
    tx: Transaction, commands: Sequence[Command], decided: Sequence[Changed], what: str, now: datetime
) -> list[Walk]:
    """Write, log and tell what was decided; `what` is the word of the log."""
    walks = [each.walk for each in decided]
    await walk_rows.save_walks(tx, walks)
    await audit.record(
        tx,
        [
            audit.Entry(walk.force_id, command.by.id, "altered", f"walk {walk.id}", what)
            for command, walk in zip(commands, walks, strict=True)
        ],
        now,
    )
    for command, each in zip(commands, decided, strict=True):
        await tell_of(tx, [each], now, command.by.id)
    await outbox.append(tx, facts(decided, now))
    return walks
