"""Composition root of intake; nothing imports it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI

from services.intake import pages, routes, subscribers, timers
from services.intake.channels.ways import ways_out
from services.intake.dependencies import Dependencies
from services.intake.handlers.erasure import forgetter
from services.intake.settings import Settings
from shared.policies import Policies
from shared.runtime import run, service_app, utc_now
from shared.web.access import AUDITOR, COORDINATOR
from shared.web.pages import Link, Pages, Theme


def build(settings: Settings, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """The service, put together from its settings."""
    policies = Policies.read(settings.forces_dir)
    deps = Dependencies(settings, policies, clock)
    return service_app(
        service="intake",
        title="Walk and Talk",
        dependencies=deps,
        routers=[routes.router, pages.router],
        pages=Pages(
            "intake",
            [Path(__file__).parent / "templates"],
            themes={force: Theme.of(policy, settings.forces_dir / force) for force, policy in policies.items()},
            languages={force: policy.languages for force, policy in policies.items()},
            translations=[Path(__file__).parent / "translations"],
            navigation=[
                Link("Letters", "/staff/letters", COORDINATOR),
                Link("Campaigns", "/staff/campaigns", COORDINATOR),
                Link("Data protection", "/staff/data-protection", AUDITOR),
            ],
            leave=True,
        ),
        refusals=routes.REFUSALS,
        subscriptions=subscribers.subscriptions(deps.keeping),
        forget=forgetter(deps.keeping),
        timers=timers.timers(deps.keeping),
        retention=timers.retention(deps.keeping),
        channels=ways_out(deps),
        tidy=deps.forget_attempts,
        force_names=deps.force_names,
    )


def main() -> None:
    """Serve until told to stop."""
    run("intake", Settings, build)


if __name__ == "__main__":
    main()
