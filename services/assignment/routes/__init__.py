"""The JSON API of assignment: walks and follow-ups as other systems and the pages' own people use them."""

from __future__ import annotations

from fastapi import APIRouter

from services.assignment.routes import follow_ups, scim, walks

PARTS = (walks, follow_ups, scim)

router = APIRouter(routes=[route for part in PARTS for route in part.router.routes])
