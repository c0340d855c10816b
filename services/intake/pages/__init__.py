"""HTML in and out: before the form, the form, her private page; the contact card and what else is for staff."""

from __future__ import annotations

from fastapi import APIRouter

from services.intake.pages import (
    access,
    campaigns,
    card,
    confirm,
    data_protection,
    elsewhere,
    erasure,
    form,
    hers,
    letters,
    start,
)

PARTS = (start, elsewhere, confirm, form, hers, access, erasure, card, letters, campaigns, data_protection)

# In this order: a page of the form by its name stands behind the pages that have a path of their own.
router = APIRouter(routes=[route for part in PARTS for route in part.router.routes])
