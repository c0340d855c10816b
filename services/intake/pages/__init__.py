"""HTML in and out: before the form, the form, her private page, and the contact card for staff."""

from __future__ import annotations

from fastapi import APIRouter

from services.intake.pages import card, erasure, form, hers, start

# In this order: a page of the form by its name stands behind the pages that have a path of their own.
router = APIRouter(
    routes=[*start.router.routes, *form.router.routes, *hers.router.routes, *erasure.router.routes, *card.router.routes]
)
