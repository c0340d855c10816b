"""The pages of officers and coordinators: their work, the queue, a walk and what is done with it, follow-ups."""

from __future__ import annotations

from fastapi import APIRouter

from services.assignment.pages import (
    arranging,
    calendar,
    closing,
    disclosures,
    follow_ups,
    my_work,
    offline,
    out,
    passing,
    patrols,
    people,
    queue,
    record,
    telling,
    together,
    training,
    triage,
    walk,
)

PARTS = (
    my_work,
    queue,
    walk,
    arranging,
    passing,
    telling,
    together,
    out,
    calendar,
    offline,
    record,
    closing,
    triage,
    follow_ups,
    disclosures,
    patrols,
    people,
    training,
)

router = APIRouter(routes=[route for part in PARTS for route in part.router.routes])
