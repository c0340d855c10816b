"""Who may open the contact card."""

from __future__ import annotations

from dataclasses import dataclass

from services.intake.domain.refusals import ContactNotYours, ContactStopped, RequestNotFound
from services.intake.domain.requests import Held, RequestState
from shared.contracts.walk_requests import ContactRules


@dataclass(frozen=True, slots=True)
class Asker:
    """The member of staff who asks to see who she is."""

    id: str
    team_id: str | None
    coordinator: bool
    officer: bool


def refuse_contact(asker: Asker, request: Held, rules: ContactRules) -> None:
    """Let the officer assigned and the coordinator pass.

    :raises RequestNotFound: for an officer or a team she excludes: whom she fears learns not even that she asked.
    :raises ContactNotYours: for everybody else.
    :raises ContactStopped: for all, once she has said so.
    """
    if asker.id in rules.excluded_officers or (asker.team_id and asker.team_id in rules.excluded_teams):
        raise RequestNotFound
    assigned = asker.officer and request.officer_id is not None and asker.id == request.officer_id
    if not assigned and not asker.coordinator:
        raise ContactNotYours
    if request.state is RequestState.WITHDRAWN and not asker.coordinator:
        raise ContactNotYours
    if rules.stopped:
        raise ContactStopped
