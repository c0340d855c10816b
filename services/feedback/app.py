"""Puts feedback together; nothing imports it."""

from __future__ import annotations

from fastapi import FastAPI

from services.feedback import handlers, pages, routes
from services.feedback.dependencies import Dependencies
from services.feedback.settings import Settings
from services.feedback.subscribers import subscriptions
from services.feedback.timers import timers
from shared.policies import Policies
from shared.runtime import run, service_app
from shared.web.pages import Pages, Theme


def build(settings: Settings) -> FastAPI:
    """The service from its settings.

    :raises PolicyFault: a force's policy cannot be read.
    """
    deps = Dependencies(settings, Policies.read(settings.forces_dir))
    return service_app(
        service="feedback",
        # Said in the history of browsers where a survey's link is refused, so it says no more than this.
        title="Feedback",
        dependencies=deps,
        routers=[routes.router, pages.router],
        pages=Pages(
            "feedback",
            [pages.TEMPLATES],
            themes={force: Theme(name=policy.name, header=policy.colour) for force, policy in deps.policies.items()},
            navigation=pages.NAVIGATION,
        ),
        refusals=routes.REFUSALS,
        subscriptions=subscriptions(deps.policies),
        forget=handlers.forget,
        timers=timers(deps.metrics),
        on_start=deps.start,
    )


def main() -> None:
    """Read the environment and serve."""
    run("feedback", Settings, build)


if __name__ == "__main__":
    main()
