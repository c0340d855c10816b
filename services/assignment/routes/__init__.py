"""The JSON API of assignment: walks and follow-ups as other systems and the pages' own people use them."""

from __future__ import annotations

from fastapi import APIRouter

from services.assignment.routes import follow_ups, map, people, record, routing, scim, suggestions, together, walks

PARTS = (walks, together, suggestions, record, map, follow_ups, people, scim, routing)

router = APIRouter(routes=[route for part in PARTS for route in part.router.routes])
