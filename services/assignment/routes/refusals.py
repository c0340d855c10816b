"""What each refusal answers with."""

from __future__ import annotations

from typing import Final

from services.assignment.domain.refusals import (
    ConcernNotFound,
    DisclosureNotFound,
    FollowUpNotFound,
    MayNotWalk,
    NotByWhoOpenedIt,
    NotOfThisTeam,
    NotOnRegister,
    NotYourFollowUp,
    NotYourPatrol,
    NotYourWalk,
    OfficerExcluded,
    OfficerNotFound,
    OnlyCoordinators,
    PatrolNotFound,
    SessionNotFound,
    SwitchedOff,
    WalkNotFound,
    WrongField,
)
from services.assignment.handlers.calendars import CalendarNotFound
from shared.attachments import AttachmentGone
from shared.contracts.refusals import Refusal

REFUSALS: Final[dict[type[Refusal], int]] = {
    DisclosureNotFound: 404,
    PatrolNotFound: 404,
    NotYourPatrol: 403,
    OnlyCoordinators: 403,
    NotByWhoOpenedIt: 403,
    WalkNotFound: 404,
    CalendarNotFound: 404,
    FollowUpNotFound: 404,
    NotYourWalk: 403,
    NotYourFollowUp: 403,
    NotOfThisTeam: 403,
    NotOnRegister: 403,
    MayNotWalk: 403,
    OfficerExcluded: 403,
    SwitchedOff: 403,
    OfficerNotFound: 404,
    SessionNotFound: 404,
    ConcernNotFound: 404,
    AttachmentGone: 404,
    WrongField: 422,
}
