"""What intake counts; labels are closed lists, nothing of a person."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from services.intake.domain.limits import Act
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

        self._limited = Counter(
            "walkandtalk_limited",
            "What was refused because it came too often from one address.",
            ("act",),
            registry=registry,
        )
        self._trapped = Counter(
            "walkandtalk_form_doubts",
            "Forms that looked like a program's: asked to press once more, and those who did.",
            ("sign",),
            registry=registry,
        )

    def limited(self, act: Act) -> None:
        """Something was refused because it came too often."""
        self._limited.labels(act.value).inc()

    def doubted(self, sign: str) -> None:
        """A form looked like a program's, by `field` or `pace`; or was sent once more: `confirmed`."""
        self._trapped.labels(sign).inc()

    def request(self, way: str, outcome: str) -> None:
        """A request came in by `form` or `api`."""
        self._requests.labels(way, outcome).inc()

    def message(self, kind: MessageKind, outcome: str) -> None:
        """A message changed its state."""
        self._messages.labels(kind.value, outcome).inc()

    def baselines(self, many: int) -> None:
        """Answers left."""
        self._baselines.inc(many)
