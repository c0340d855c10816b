"""Puts partners together; nothing imports it."""

from __future__ import annotations

from fastapi import FastAPI

from services.partners import handlers, pages, routes
from services.partners.channels.email import Email
from services.partners.dependencies import Deps
from services.partners.metrics import PartnersMetrics
from services.partners.settings import Settings
from services.partners.subscribers import subscriptions
from services.partners.timers import timers
from shared.policies import Policies
from shared.runtime import run, service_app
from shared.web.pages import Pages, Theme


def build(settings: Settings) -> FastAPI:
    """The service from its settings.

    :raises PolicyFault: a force's policy cannot be read.
    """
    deps = Deps(settings, Policies.read(settings.forces_dir))
    metrics = PartnersMetrics(deps.registry)

    async def take_over_register() -> None:
        async with deps.bus_database.transaction(deps.policies.forces) as tx:
            await handlers.keep_register(tx, deps.policies)

    async def measure() -> None:
        await metrics.measure(deps.bus_database, deps.policies.forces)

    return service_app(
        service="partners",
        title="Walk and Talk: partners",
        dependencies=deps,
        routers=[routes.router, pages.router],
        pages=Pages(
            "partners",
            [pages.TEMPLATES],
            themes={force: Theme(name=policy.name, header=policy.colour) for force, policy in deps.policies.items()},
            navigation=pages.NAVIGATION,
        ),
        refusals=routes.REFUSALS,
        subscriptions=subscriptions(deps.policies),
        forget=handlers.forget,
        timers=timers(),
        channels={handlers.EMAIL: Email(deps.bus_database, settings, deps.clock).send},
        on_start=take_over_register,
        measure=measure,
    )


def main() -> None:
    """Read the environment and serve."""
    run("partners", Settings, build)


if __name__ == "__main__":
    main()
