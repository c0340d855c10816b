"""What the bus counts, by Prometheus conventions, labels bounded by the contracts."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.contracts.catalogue import BY_TYPE


class BusMetrics:
    """Counters of one service's way in and way out."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "walkandtalk_bus_events",
            "Events by what became of them here.",
            ("event", "outcome"),
            registry=registry,
        )
        self._put_aside = Counter(
            "walkandtalk_bus_put_aside", "Records put aside, by why.", ("why",), registry=registry
        )
        self._held = Gauge("walkandtalk_bus_held", "Records held now, by why.", ("why",), registry=registry)
        self._retries = Counter(
            "walkandtalk_bus_retries", "Batches tried again after a transient fault.", registry=registry
        )
        self.batch_seconds = Histogram(
            "walkandtalk_bus_batch_seconds", "Time a batch took, commit included.", registry=registry
        )
        self.batch_records = Histogram(
            "walkandtalk_bus_batch_records",
            "Records a batch.",
            buckets=(1, 5, 20, 50, 100, 200, 500),
            registry=registry,
        )
        self._published = Counter("walkandtalk_relay_published", "Events the bus acknowledged.", registry=registry)
        self._relay_faults = Counter("walkandtalk_relay_faults", "Flights that failed.", registry=registry)
        self.republished = Counter(
            "walkandtalk_relay_republished", "Times the retained log was published again.", registry=registry
        )
        self.leading = Gauge("walkandtalk_relay_leading", "1 while this process publishes.", registry=registry)
        self.outbox_waiting = Gauge("walkandtalk_outbox_waiting", "Events not published yet.", registry=registry)
        self.outbox_age = Gauge(
            "walkandtalk_outbox_oldest_seconds", "Age of the oldest event not published yet.", registry=registry
        )

    def applied(self, event: str, many: int) -> None:
        self._events.labels(event, "applied").inc(many)

    def duplicate(self, event: str) -> None:
        self._events.labels(event, "duplicate").inc()

    def erased(self, event: str) -> None:
        """It came late, about somebody whose data was erased, and had no effect."""
        self._events.labels(event, "erased").inc()

    def skipped(self, type_: str) -> None:
        # A type nobody declared must not make a label of its own.
        known = BY_TYPE.get(type_)
        self._events.labels(known.name if known else "unknown", "skipped").inc()

    def put_aside(self, why: str) -> None:
        self._put_aside.labels(why).inc()

    def held(self, by_why: Mapping[str, int]) -> None:
        for why in ("unreadable", "failed", "behind", "awaiting"):
            self._held.labels(why).set(by_why.get(why, 0))

    def retried(self) -> None:
        self._retries.inc()

    def published(self, many: int) -> None:
        self._published.inc(many)

    def relay_fault(self) -> None:
        self._relay_faults.inc()
