"""What a walk's page shows beside the walk: suggestions, how it was passed on, attempts to reach her."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.assignment.dependencies import Dependencies
from services.assignment.domain.people import Person
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers import attempts, passing, suggesting
from services.assignment.routes.suggestions import NOTHING, SuggestionList, suggestion_views
from shared.contracts.walks import MOST_TIMES
from shared.database import Transaction
from shared.working_days import london


async def beside(tx: Transaction, walk: Walk, by: Person, now: datetime, deps: Dependencies) -> dict[str, Any]:
    """What the templates of a walk are given: `suggested`, `said_of_all`, `history`, `attempts`."""
    may_act = by.is_coordinator or walk.officer_id == by.id
    suggested = None
    if walk.state in (State.ROUTED, State.TAKEN):
        suggested = suggestion_views(await suggesting.suggestions(tx, walk, by, now, policies=deps.policies))
    return {
        "suggested": suggested,
        "said_of_all": _said_of_all(suggested) if suggested else (),
        "history": await passing.history(tx, walk),
        "attempts": await attempts.attempts_of(tx, walk) if may_act else [],
    }


def _said_of_all(suggested: SuggestionList) -> tuple[str, ...]:
    """The reasons that all of them share, which are said once; of one alone all stand beside it."""
    if len(suggested.suggestions) < 2:
        return ()
    first, *others = ([one.words for one in each.why] for each in suggested.suggestions)
    return tuple(words for words in first if all(words in other for other in others))


async def times_to_fill(
    tx: Transaction, walk: Walk, by: Person, now: datetime, deps: Dependencies
) -> tuple[dict[str, str], str]:
    """The suggested times as the form for times has them, the earliest first; what the page says of them."""
    suggested = await suggesting.suggestions(tx, walk, by, now, policies=deps.policies)
    if suggested.nothing:
        return {}, NOTHING[suggested.nothing]
    values: dict[str, str] = {}
    for number, at in enumerate(sorted(each.starts_at for each in suggested.found[:MOST_TIMES]), 1):
        values |= {f"day_{number}": f"{london(at):%Y-%m-%d}", f"clock_{number}": f"{london(at):%H:%M}"}
    return values, "The suggested times are filled in. Change what does not fit, and enter where you would meet."
