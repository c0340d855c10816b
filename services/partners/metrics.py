"""What partners counts: what is open, waits or failed, never what is over; no force, area or partner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from services.partners import handlers
from services.partners.domain import OPEN
from shared.database import Database

STATES: Final = (*OPEN, "overdue")
OUTCOMES: Final = ("due", "failed")


class PartnersMetrics:
    """Gauges read from the database, so that they are right whatever process asks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._referrals = Gauge(
            "walkandtalk_referrals", "Open referrals by state; overdue ones apart.", ("state",), registry=registry
        )
        self._triage = Gauge(
            "walkandtalk_concerns_in_triage", "Concerns that wait for somebody to choose a partner.", registry=registry
        )
        self._deliveries = Gauge(
            "walkandtalk_partner_deliveries",
            "What is to be sent to partners and what could not be, by channel.",
            ("channel", "outcome"),
            registry=registry,
        )

    async def measure(self, database: Database, forces: Sequence[str]) -> None:
        """Count now."""
        async with database.transaction(forces) as tx:
            referrals, waiting, deliveries = await handlers.counts(tx)
        for state in STATES:
            self._referrals.labels(state).set(referrals.get(state, 0))
        self._triage.set(waiting)
        for outcome in OUTCOMES:
            self._deliveries.labels("email", outcome).set(deliveries.get(("email", outcome), 0))
