"""What each refusal answers with."""

from __future__ import annotations

from typing import Final

from services.assignment.domain.refusals import (
    FollowUpNotFound,
    KindNotAllowed,
    NotOfThisTeam,
    NotOnRegister,
    NotTrained,
    NotYourFollowUp,
    NotYourWalk,
    OfficerExcluded,
    WalkNotFound,
    WrongField,
)
from shared.contracts.refusals import Refusal

REFUSALS: Final[dict[type[Refusal], int]] = {
    WalkNotFound: 404,
    FollowUpNotFound: 404,
    NotYourWalk: 403,
    NotYourFollowUp: 403,
    NotOfThisTeam: 403,
    NotOnRegister: 403,
    NotTrained: 403,
    KindNotAllowed: 403,
    OfficerExcluded: 403,
    WrongField: 422,
}
