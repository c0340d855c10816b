"""Which handler takes which event: one line an event type in each service's subscribers.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from shared.contracts.envelope import E, Event, Received
from shared.database import Transaction

E_contra = TypeVar("E_contra", bound=Event, contravariant=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler tells the bus beyond "done"."""

    awaiting: Mapping[UUID, UUID] = field(default_factory=dict)
    """Events (by id) whose parent aggregate (by id) is not known here yet; the bus keeps them until it is."""
    arrived: Sequence[UUID] = ()
    """Aggregates known from now on, beyond the keys of the events just handled."""


class Handler(Protocol[E_contra]):
    """Takes a group: events of one type, each key at most once, in one transaction the caller owns."""

    def __call__(
        self, tx: Transaction, received: Sequence[Received[E_contra]], now: datetime, /
    ) -> Awaitable[Outcome | None]: ...


@dataclass(frozen=True, slots=True)
class Subscription:
    event: type[Event]
    handler: Callable[[Transaction, Sequence[Any], datetime], Awaitable[Outcome | None]]


class Subscriptions:
    """What one service consumes: `subscribe.to(ConcernRaised, handlers.open_referrals)`."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._by_type: dict[str, Subscription] = {}

    def to(self, event: type[E], handler: Handler[E]) -> None:
        """Let this handler take every event of this type.

        :raises ValueError: the type has a handler already.
        """
        if event.type() in self._by_type:
            raise ValueError(f"{self.service} handles {event.name} twice")
        self._by_type[event.type()] = Subscription(event, handler)

    def get(self, type_: str) -> Subscription | None:
        """The subscription for a CloudEvents type, or None where this service does not know it."""
        return self._by_type.get(type_)

    @property
    def events(self) -> tuple[type[Event], ...]:
        return tuple(subscription.event for subscription in self._by_type.values())

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics these events travel on, sorted."""
        return tuple(sorted({event.topic for event in self.events}))
