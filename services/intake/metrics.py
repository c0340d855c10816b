"""What intake counts; labels are closed lists, nothing of a person."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from services.intake.domain.messages import MessageKind


class IntakeMetrics:
    """Counters of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "walkandtalk_walk_requests",
            "Requests by what became of them: accepted, repeated or refused.",
            ("way", "outcome"),
            registry=registry,
        )
        self._messages = Counter(
            "walkandtalk_messages",
            "Messages to participants by kind and outcome: due, withheld by her rules, sent, delivered, failed.",
            ("kind", "outcome"),
            registry=registry,
        )
        self._baselines = Counter(
            "walkandtalk_baselines_released", "Answers before the walk that left, shuffled.", registry=registry
        )

    def request(self, way: str, outcome: str) -> None:
        """A request came in by `form` or `api`."""
        self._requests.labels(way, outcome).inc()

    def message(self, kind: MessageKind, outcome: str) -> None:
        """A message changed its state."""
        self._messages.labels(kind.value, outcome).inc()

    def baselines(self, many: int) -> None:
        """Answers left."""
        self._baselines.inc(many)
