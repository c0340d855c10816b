"""What feedback's routes, pages and timers are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from starlette.requests import Request

from services.feedback import handlers
from services.feedback.metrics import FeedbackMetrics
from services.feedback.settings import Settings
from shared import runtime
from shared.survey_link import SurveyLinkInvalid, Ticket


@dataclass
class Dependencies(runtime.Dependencies[Settings]):
    """Feedback's own beside what every service has."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.metrics = FeedbackMetrics(self.registry)
        self.link_key = self.settings.link_key_bytes

    def open_link(self, token: str, now: datetime) -> Ticket:
        """The ticket of a survey's link.

        :raises SurveyLinkInvalid: it was not made here, or is of a force not served here.
        :raises SurveyLinkExpired: its time has passed.
        """
        ticket = Ticket.read(token, self.link_key, now)
        if ticket.force_id not in self.policies:
            raise SurveyLinkInvalid
        return ticket

    async def start(self) -> None:
        """At start: the night's work, whatever nights were missed; repeatable."""
        async with self.bus_database.transaction(self.policies.forces) as tx:
            await handlers.start(tx, self.policies.forces, self.clock(), metrics=self.metrics)


async def dependencies(request: Request) -> Dependencies:
    """What the running application was built with."""
    # FastAPI would call a plain function in a thread.
    return cast(Dependencies, request.app.state.dependencies)
