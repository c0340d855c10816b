"""What feedback counts: the evaluation's own protected figures, once a night, so that no answer makes a step."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from services.feedback.evaluation import Evaluation


class FeedbackMetrics:
    """Gauges of the evaluation, by force. A figure that may not be published is absent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._figures = Gauge(
            "walkandtalk_evaluation",
            "Published figures as of last night: counts under 8 are absent, others rounded to 5.",
            ("force", "table", "line"),
            registry=registry,
        )

    def show(self, evaluation: Evaluation) -> None:
        """Show these figures, and take away those that are published no longer."""
        for table in evaluation.tables:
            for line in table.lines:
                labels = (evaluation.force_id, table.code, line.code)
                if line.figure.value is not None:
                    self._figures.labels(*labels).set(line.figure.value)
                elif labels in self._figures._metrics:
                    self._figures.remove(*labels)
