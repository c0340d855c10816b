"""Refusals by name.

Refusal
├── WalkNotFound, FollowUpNotFound        nothing this person may know of
├── NotYourWalk, NotYourFollowUp, NotOfThisTeam, NotOnRegister, NotTrained, KindNotAllowed, OfficerExcluded
├── WalkNotRouted, WalkNotInTriage, WalkAlreadyTaken, WalkNotTaken, WalkNotArranged, WalkAlreadyCompleted,
│   WalkAlreadyCancelled, ContactStopped, FollowUpAlreadyCompleted, OfficerDoubleBooked, ProposedToSeveral
└── WrongField                            what was entered cannot be right; `fields` names it
    └── AreaUnknown, TimesWrong, AnswerTooLate, StartsInThePast, StartsTooFarAhead, MeetingPlaceMissing,
        EndsBeforeStart, EndsInTheFuture, WalkTooShort, WordsTooLong, OutcomeDoesNotFit
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.refusals import Refusal


class WalkNotFound(Refusal):
    """There is no such walk, or it is not for you."""


class FollowUpNotFound(Refusal):
    """There is no such follow-up, or it is not for you."""


class NotYourWalk(Refusal):
    """Only the officer who took this walk, or a coordinator, can do that."""


class NotYourFollowUp(Refusal):
    """Only the officer this follow-up is assigned to, or a coordinator, can do that."""


class NotOfThisTeam(Refusal):
    """This walk belongs to another team."""


class NotOnRegister(Refusal):
    """This officer is not on the force’s register of walking officers. Ask your coordinator."""


class NotTrained(Refusal):
    """This officer has not had the training session yet."""


class KindNotAllowed(Refusal):
    """The force’s policy does not let this kind of officer walk."""


class OfficerExcluded(Refusal):
    """This officer or team cannot be given this walk. Choose another."""


class WalkNotRouted(Refusal):
    """A coordinator has to choose an area for this walk first."""


class WalkNotInTriage(Refusal):
    """This walk has a team already."""


class WalkAlreadyTaken(Refusal):
    """Another officer has already taken this walk."""


class WalkNotTaken(Refusal):
    """No officer has taken this walk yet."""


class WalkNotArranged(Refusal):
    """Arrange this walk before you record it."""


class WalkAlreadyCompleted(Refusal):
    """This walk has already been recorded."""


class WalkAlreadyCancelled(Refusal):
    """This walk was cancelled."""


class ContactStopped(Refusal):
    """She has said that contact is no longer safe. Do not contact her."""


class FollowUpAlreadyCompleted(Refusal):
    """This follow-up has already been completed."""


class OfficerDoubleBooked(Refusal):
    """The officer has another walk arranged at that time."""

    fields: Mapping[str, str] = {"starts_at": "is within an hour of another walk of this officer"}


class ProposedToSeveral(Refusal):
    """Times can be proposed to one woman alone. Agree the time of a group walk with each of them, then arrange it."""


class WrongField(Refusal):
    """Something that was entered cannot be right."""

    field: str = ""

    @property
    def fields(self) -> Mapping[str, str]:
        return {self.field: self.message}


class AreaUnknown(WrongField):
    """Choose an area of this force."""

    field = "area_id"


class StartsInThePast(WrongField):
    """The time must be in the future."""

    field = "starts_at"


class StartsTooFarAhead(WrongField):
    """The time must be within a year."""

    field = "starts_at"


class TimesWrong(WrongField):
    """Propose one to five times, in the future, within a year and on the five minutes of the clock."""

    field = "times"


class AnswerTooLate(WrongField):
    """She must be able to answer from now on, and before the first of the times."""

    field = "answer_by"


class MeetingPlaceMissing(WrongField):
    """Enter where you will meet."""

    field = "meeting_place"


class EndsBeforeStart(WrongField):
    """The end must be after the start."""

    field = "ended_at"


class EndsInTheFuture(WrongField):
    """The end cannot be in the future."""

    field = "ended_at"


class WalkTooShort(WrongField):
    """The walk was shorter than the force’s minimum."""

    field = "ended_at"

    def __init__(self, minimum_minutes: int) -> None:
        super().__init__()
        self.minimum_minutes = minimum_minutes

    @property
    def message(self) -> str:
        return f"The walk must have lasted at least {self.minimum_minutes} minutes."


class WordsTooLong(WrongField):
    """The words for sharing must be 4,000 characters or fewer."""

    field = "words"


class OutcomeDoesNotFit(WrongField):
    """Choose an outcome that fits this kind of follow-up."""

    field = "outcome"
