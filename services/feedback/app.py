"""Puts feedback together; nothing imports this."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from services.feedback import handlers, pages, routes, subscribers, timers
from services.feedback.routes import FeedbackDependencies
from services.feedback.settings import Settings
from shared.policies import Policies
from shared.runtime import run, service_app
from shared.web.access import ADMIN, ANALYST, COORDINATOR
from shared.web.pages import Link, Pages, Theme

SERVICE = "feedback"


def build(settings: Settings) -> FastAPI:
    """Feedback as a web application whose lifespan runs its bus side too."""
    policies = Policies.read(settings.forces_dir)
    dependencies = FeedbackDependencies(settings, policies)

    async def start() -> None:
        async with dependencies.bus_database.transaction(policies.forces) as tx:
            await handlers.start(tx, policies.forces, dependencies.clock(), metrics=dependencies.metrics)

    return service_app(
        service=SERVICE,
        title="Feedback",
        dependencies=dependencies,
        routers=[routes.router, pages.router],
        pages=Pages(
            SERVICE,
            [Path(__file__).with_name("templates")],
            themes={
                force_id: Theme(name=policy.name, header=policy.colour, brand=policy.colour)
                for force_id, policy in policies.items()
            },
            navigation=[Link("What has changed", "/", ANALYST | COORDINATOR | ADMIN)],
        ),
        refusals=routes.REFUSALS,
        subscriptions=subscribers.subscriptions(policies),
        timers=timers.timers(dependencies.metrics),
        on_start=start,
    )


def main() -> None:
    run(SERVICE, Settings, build)


if __name__ == "__main__":
    main()
