"""A force whose walks wait by the thousand, written straight into assignment's tables, for plans and measurements."""

from __future__ import annotations

from typing import Final

import asyncpg

FORCE: Final = "avon-and-somerset"
TEAM: Final = "bs1"

_WALKS: Final = """
INSERT INTO walk (
    force_id, id, state, latitude, longitude, requested_at, arrange_by, area_id, team_id, boundary_version, routed_by,
    distance_m, cancel_reason
)
SELECT $1, gen_random_uuid(), CASE WHEN n < $2 THEN 'routed' ELSE 'cancelled' END, 51.45, -2.59,
    now() - interval '1 minute' * n, now() - interval '1 minute' * n + interval '7 days', t.team, t.team, 'v1',
    'covers', 0, CASE WHEN n < $2 THEN NULL ELSE 'withdrawn' END
FROM generate_series(0, $2::int + $3::int - 1) AS g (n),
    LATERAL (SELECT CASE WHEN n % 2 = 0 THEN $4 ELSE 'bs2' END AS team) AS t
"""
_REQUESTS: Final = """
INSERT INTO request (
    force_id, id, walk_id, requested_at, latitude, longitude, place_from_postcode, lives_or_works_here, reasons,
    availability, contact, group_walk_welcome, language
)
SELECT force_id, gen_random_uuid(), id, requested_at, latitude, longitude, true, false, '{badly-lit,being-followed}',
    '{"days": ["monday", "friday"], "parts": ["evening"]}',
    CASE WHEN random() < 0.02 THEN '{"channels": ["email"], "excluded_officers": ["officer-avon-2"]}'::jsonb
        ELSE '{"channels": ["email"]}' END,
    false, 'en'
FROM walk WHERE force_id = $1
"""
_ESCALATED: Final = """
INSERT INTO passed_on (force_id, id, walk_id, at, what)
SELECT force_id, gen_random_uuid(), id, requested_at + interval '2 days', 'not-taken' FROM walk
WHERE force_id = $1 AND (state = 'routed' OR extract(minute FROM requested_at)::int % 2 = 0)
"""
_SETTLED: Final = """
UPDATE passed_on p SET settled_at = at + interval '1 day' FROM walk w
WHERE w.force_id = p.force_id AND w.id = p.walk_id AND w.state <> 'routed'
"""


async def fill(admin_url: str, waiting: int, past: int) -> None:
    """So many walks that wait, half of them for one team and each escalated, and so many that are over."""
    admin = await asyncpg.connect(admin_url)
    try:
        await admin.execute(_WALKS, FORCE, waiting, past, TEAM)
        await admin.execute(_REQUESTS, FORCE)
        await admin.execute(_ESCALATED, FORCE)
        await admin.execute(_SETTLED)
        await admin.execute("ANALYZE")
    finally:
        await admin.close()
