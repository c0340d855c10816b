"""Refusals by name.

Refusal
├── WalkNotFound, FollowUpNotFound, DisclosureNotFound        nothing this person may know of
├── NotYourWalk, NotYourFollowUp, NotOfThisTeam, NotOnRegister, OfficerExcluded, SwitchedOff
├── MayNotWalk                            the officer, not the walk
│   └── OfficerOff, NotTrained, TrainingExpired, KindNotAllowed, OfficerAway
├── OfficerNotFound, SessionNotFound, SessionNotHeld, TooManyEntries
├── WalkNotRouted, WalkNotInTriage, WalkAlreadyTaken, WalkNotTaken, WalkNotArranged, WalkAlreadyCompleted,
│   WalkAlreadyCancelled, ContactStopped, FollowUpAlreadyCompleted, OfficerDoubleBooked, ProposedToSeveral
├── DisclosureOpen, DisclosureNotOpened, DisclosureSettled, DisclosureWithdrawn, OnlyCoordinators, NotByWhoOpenedIt,
│   NobodyToContact
├── PatrolNotFound, NotYourPatrol, PatrolStands, PatrolWithdrawnAlready
├── ConcernNotFound, ConcernNotedOtherwise, ConcernRemoved, ConcernAlreadyPassed, ConcernAlreadyWithdrawn,
│   ConcernNotResolved, ConcernChanged, TooManyConcerns
└── WrongField                            what was entered cannot be right; `fields` names it
    └── AreaUnknown, TeamUnknown, OfficerKnown, EntryWrong, SessionWrong, WindowWrong, DaysWrong,
        TimesWrong, AnswerTooLate, StartsInThePast, StartsTooFarAhead, MeetingPlaceMissing,
        EndsBeforeStart, EndsInTheFuture, WalkTooShort, WordsTooLong, OutcomeDoesNotFit, StartsInTheFuture,
        TimesMissing, NobodyCame, PostcodeWrong, PlaceMissing,
        NotAPhoto, PhotoTooLarge, PhotoGone, PhotoNotLookedAt,
        NothingRecorded, ReferenceWrong, DisclosureKindMissing, SafeguardingUnclear, SafeguardingTimeWrong,
        AttemptTimeWrong, PatrolTooLong, PatrolTooOld, ConversationsWrong, HeardTooLong, ConcernsUnknown
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


class SwitchedOff(Refusal):
    """You cannot use this service any more. If that is wrong, ask your coordinator."""


class MayNotWalk(Refusal):
    """This officer cannot be given this walk."""


class OfficerOff(MayNotWalk):
    """This officer is no longer in service here."""


class NotTrained(MayNotWalk):
    """This officer has not had the training session yet."""


class TrainingExpired(MayNotWalk):
    """This officer’s training has expired by then. Another session is needed first."""


class KindNotAllowed(MayNotWalk):
    """The force’s policy does not let this kind of officer walk."""


class OfficerAway(MayNotWalk):
    """This officer is away on that day."""


class OfficerNotFound(Refusal):
    """There is no such officer on the register."""


class TooManyEntries(Refusal):
    """There are too many entries. Remove those that do not hold any more."""


class SessionNotFound(Refusal):
    """There is no such training session."""


class SessionNotHeld(Refusal):
    """This session is still to come. Tick who was there once it was held."""


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


class ConcernNotFound(Refusal):
    """There is no such concern on this walk."""


class ConcernNotedOtherwise(Refusal):
    """A concern was noted under this number already, with other words. Change that one, or note a new one."""


class ConcernRemoved(Refusal):
    """This concern was taken off the record."""


class ConcernAlreadyPassed(Refusal):
    """Partners have been told of this concern, so it cannot be changed any more. Withdraw it and note a new one."""


class ConcernAlreadyWithdrawn(Refusal):
    """This concern was withdrawn."""


class ConcernNotResolved(Refusal):
    """No partner has said that this concern is resolved."""


class ConcernChanged(Refusal):
    """A concern is not as you saw it any more. Look again at what partners will see."""


class TooManyConcerns(Refusal):
    """As many concerns are noted on this walk as there can be."""


class WrongField(Refusal):
    """Something that was entered cannot be right."""

    field: str = ""

    @property
    def fields(self) -> Mapping[str, str]:
        return {self.field: self.message}


class AreaUnknown(WrongField):
    """Choose an area of this force."""

    field = "area_id"


class TeamUnknown(WrongField):
    """Choose a team of this force."""

    field = "team_id"


class OfficerKnown(WrongField):
    """This officer is on the register already."""

    field = "officer_id"


class EntryWrong(WrongField):
    """Enter a name, and an id of small letters, digits, dots, hyphens and underscores."""

    field = "officer_id"


class SessionWrong(WrongField):
    """Enter a name and a day, and select what the session covers."""

    field = "name"


class WindowWrong(WrongField):
    """The end must be after the start."""

    field = "ends"


class DaysWrong(WrongField):
    """The last day must not be before the first, nor past, and within two years."""

    field = "last_day"


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


class StartsInTheFuture(WrongField):
    """The start cannot be in the future."""

    field = "started_at"


class TimesMissing(WrongField):
    """Enter when the walk started and ended."""

    field = "started_at"


class NobodyCame(WrongField):
    """Say who came. Where nobody came, cancel the walk."""

    field = "came"


class PostcodeWrong(WrongField):
    """We cannot find that postcode. Check it, or leave it empty."""

    field = "postcode"


class PlaceMissing(WrongField):
    """Give a postcode, or a latitude and longitude."""

    field = "place"


class NotAPhoto(WrongField):
    """Choose a photo: a JPEG, PNG or WebP file that opens."""

    field = "photo"


class PhotoTooLarge(WrongField):
    """The photo must be smaller than 12 MB and 50 megapixels."""

    field = "photo"


class PhotoGone(WrongField):
    """The photo did not arrive. Choose it again."""

    field = "photo"


class PhotoNotLookedAt(WrongField):
    """Look at the photo: it must not show faces or number plates. Then say that you have looked."""

    field = "photo_looked_at"


class DisclosureNotFound(Refusal):
    """There is no such record, or it is not for you."""


class DisclosureOpen(Refusal):
    """Record the force’s reference and the safeguarding first. The walk cannot be closed before."""


class DisclosureNotOpened(Refusal):
    """You said that something was disclosed. Record its reference and the safeguarding first."""


class DisclosureSettled(Refusal):
    """Reference or safeguarding are recorded, so it cannot be taken back."""


class DisclosureWithdrawn(Refusal):
    """This record was taken back."""


class OnlyCoordinators(Refusal):
    """Only a coordinator can do that."""


class NotByWhoOpenedIt(Refusal):
    """You opened this record yourself. Another coordinator has to take it back."""


class PatrolNotFound(Refusal):
    """There is no such patrol, or it is not for you."""


class NotYourPatrol(Refusal):
    """Only whoever logged this patrol, or a coordinator, can do that."""


class PatrolStands(Refusal):
    """A patrol can be changed for a day after it was logged."""


class PatrolWithdrawnAlready(Refusal):
    """This patrol was taken back."""


class PatrolTooLong(WrongField):
    """A patrol lasts twelve hours at most. Log it in parts."""

    field = "ended_at"


class PatrolTooOld(WrongField):
    """Log a patrol within fourteen days."""

    field = "started_at"


class ConversationsWrong(WrongField):
    """Enter how many people you spoke with, from 0 to 200."""

    field = "conversations"


class HeardTooLong(WrongField):
    """What you heard must be 1,000 characters or fewer."""

    field = "heard"


class ConcernsUnknown(WrongField):
    """Select concerns from the list."""

    field = "concern_ids"


class NobodyToContact(Refusal):
    """Nobody is to be contacted about this."""


class AttemptTimeWrong(WrongField):
    """Enter when you tried: since the contact was wanted, and not in the future."""

    field = "at"


class NothingRecorded(WrongField):
    """Enter the reference, or select what was done."""

    field = "reference"


class ReferenceWrong(WrongField):
    """Enter the report’s number alone, like 5226123456 or CAD 1234/01DEC26. Nothing of what was said belongs here."""

    field = "reference"


class DisclosureKindMissing(WrongField):
    """Select whether it is the number of a crime or of an intelligence report."""

    field = "kind"


class SafeguardingUnclear(WrongField):
    """Select what was done, or that nothing was needed, not both."""

    field = "safeguarding"


class SafeguardingTimeWrong(WrongField):
    """Enter when it was done, not in the future."""

    field = "safeguarded_at"
