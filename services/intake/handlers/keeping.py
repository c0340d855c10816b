"""What every handler is given, and a woman's row opened with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from services.intake.domain.messages import Means
from services.intake.domain.person import Person
from services.intake.domain.requests import Held
from services.intake.handlers.counting import Counting
from services.intake.metrics import IntakeMetrics
from services.intake.store.requests import Stored
from services.intake.vault import DataKey, Vault
from shared.contracts.policy import Limits


@dataclass(frozen=True)
class Keeping:
    """What intake's handlers need beyond their transaction: the vault, the key and addresses of links, the counters."""

    vault: Vault
    link_key: bytes = field(repr=False)
    feedback_url: str
    intake_url: str
    """Where every force's pages are."""
    metrics: IntakeMetrics
    means: Mapping[str, Means] = field(default_factory=dict)
    """By force, what it can send by; e-mail alone where it is not named."""
    limits: Mapping[str, Limits] = field(default_factory=dict)
    """By force, how often is too often."""
    confirming: Mapping[str, timedelta] = field(default_factory=dict)
    """By force that asks for it, how long a request waits to be confirmed."""
    homes: Mapping[str, str] = field(default_factory=dict)
    """By force, where its pages are if it has a host name of its own."""

    def home(self, force_id: str) -> str:
        """What an address of a force's page begins with."""
        return self.homes.get(force_id, self.intake_url)

    @cached_property
    def counting(self) -> Counting:
        """How often what is done; of this process, for what it remembers."""
        return Counting(self.vault, self.limits, self.metrics)


@dataclass(frozen=True, slots=True)
class Woman:
    """A request and who made it, open for the length of one transaction."""

    held: Held
    person: Person
    data_key: DataKey


def open_request(vault: Vault, stored: Stored) -> Woman:
    """Who made a request.

    :raises CannotOpen: her row was not written by this master key.
    """
    participant_id = stored.held.participant_id
    data_key = vault.data_key(stored.key, str(participant_id))
    return Woman(stored.held, Person.from_json(data_key.open(stored.sealed, f"person {participant_id}")), data_key)
