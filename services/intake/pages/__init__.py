"""HTML in and out: before the form, the form, her private page, the contact card, letters and campaigns for staff."""

from __future__ import annotations

from fastapi import APIRouter

from services.intake.pages import campaigns, card, erasure, form, hers, letters, start

# In this order: a page of the form by its name stands behind the pages that have a path of their own.
router = APIRouter(
    routes=[route for part in (start, form, hers, erasure, card, letters, campaigns) for route in part.router.routes]
)
