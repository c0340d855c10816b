"""Puts assignment together; nothing imports it but what starts the service."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI

from services.assignment import pages, routes, subscribers, timers, wording
from services.assignment.channels.email import Email
from services.assignment.dependencies import Dependencies
from services.assignment.handlers import telling
from services.assignment.handlers.erasure import forget
from services.assignment.photos import LARGEST_SENT
from services.assignment.routes.refusals import REFUSALS
from services.assignment.settings import Settings
from shared.policies import Policies
from shared.runtime import run, service_app
from shared.web.access import AUDITOR, COORDINATOR, OFFICER, POLICE
from shared.web.pages import Link, Pages, Theme

MARGIN: Final = 100_000
"""What a form holds beside its photograph."""


def site_pages(policies: Policies, intake_url: str) -> Pages:
    """The pages of assignment in the colours of each force."""
    found = Pages(
        "assignment",
        [Path(__file__).with_name("templates")],
        themes={
            policy.force_id: Theme(name=policy.name, header=policy.colour, brand=policy.colour)
            for policy in policies.values()
        },
        navigation=[
            Link("Queue", "/queue", POLICE),
            Link("Need an area", "/triage", COORDINATOR),
            Link("Escalated", "/escalated", COORDINATOR),
            Link("Follow-ups", "/follow-ups", POLICE),
            Link("Patrols", "/patrols", POLICE),
            Link("Not back", "/check-ins", COORDINATOR),
            Link("Disclosures", "/disclosures", POLICE | AUDITOR),
            Link("People", "/people", COORDINATOR),
            Link("Training", "/training", COORDINATOR),
            Link("My availability", "/my-availability", OFFICER),
            Link("Campaigns", f"{intake_url.rstrip('/')}/staff/campaigns", COORDINATOR),
        ],
    )
    found.templates.filters.update(
        said=wording.said,
        listed=wording.listed,
        language=wording.language,
        stop=wording.stop,
        waited=wording.days_waiting,
        days_left=wording.days_left,
        state_colour=wording.STATE_COLOURS.__getitem__,
    )
    return found


def build(settings: Settings) -> FastAPI:
    """Assignment as an application, its web and bus sides as the settings' roles say."""
    policies = Policies.read(settings.forces_dir)
    deps = Dependencies(settings, policies)
    return service_app(
        service="assignment",
        title="Walks",
        dependencies=deps,
        routers=[routes.router, pages.router],
        pages=site_pages(policies, settings.intake_url),
        refusals=REFUSALS,
        subscriptions=subscribers.subscriptions(deps),
        forget=forget,
        channels={telling.EMAIL: Email(deps.bus_database, settings, deps.clock).send},
        timers=timers.timers(policies, deps.attachments),
        retention=timers.retention(),
        on_start=deps.take_registers,
        measure=deps.measure,
        roomy={r"/record/[^/]+/concerns(/[^/]+)?|/api/v1/walks/[^/]+/photos": LARGEST_SENT + MARGIN},
    )


def main() -> None:
    """Run assignment until it is told to stop."""
    run("assignment", Settings, build)


if __name__ == "__main__":
    main()
