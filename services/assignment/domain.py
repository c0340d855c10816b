"""The life of a walk and of a follow-up as pure decisions: values in, values and events out, refusals by name.

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

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.contracts.concerns import ConcernRaised
from shared.contracts.envelope import Event
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.kinds import OfficerKind, PartOfDay, Point, Reason, Severity, Urgency
from shared.contracts.policy import ForcePolicy, WalkRules
from shared.contracts.referrals import (
    ConcernResolved,
    ReferralAccepted,
    ReferralDeclined,
    ReferralEvent,
    ReferralMade,
    ReferralUpdated,
)
from shared.contracts.refusals import Refusal
from shared.contracts.walk_requests import (
    Availability,
    ContactRules,
    ContactWanted,
    ProposalAnswered,
    WalkRequestAmended,
    WalkRequested,
)
from shared.contracts.walks import (
    MOST_TIMES,
    FollowUpCompleted,
    FollowUpOutcome,
    RoutedBy,
    WalkArranged,
    WalkCancelled,
    WalkCompleted,
    WalkProposed,
    WalkRearranged,
    WalkRouted,
    WalkTaken,
)
from shared.working_days import due, london

PLANNED_MINUTES: Final = 60
"""How long an arranged walk occupies its officer; forces that set a longer minimum get that."""
CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far a phone's clock may be ahead of ours before an end counts as in the future."""
LONGEST_AHEAD: Final = timedelta(days=366)
GRID_MINUTES: Final = 5
"""Proposed times stand on the clock's five minutes, so that nobody is asked to meet at 18:07."""
ANSWER_BEFORE: Final = timedelta(hours=1)
"""How long before the first proposed time she has to have chosen, where the officer names no moment."""
LONGEST_NAME: Final = 200
LONGEST_WORDS: Final = 4000


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


class State(StrEnum):
    """Where a walk is in its life. Triage: a coordinator has to choose an area."""

    TRIAGE = "triage"
    ROUTED = "routed"
    TAKEN = "taken"
    ARRANGED = "arranged"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({State.COMPLETED, State.CANCELLED})


class TriageReason(StrEnum):
    """Why a person has to choose."""

    OUTSIDE_ALL_AREAS = "outside-all-areas"
    CONTACT_RULES = "contact-rules"


@dataclass(frozen=True, slots=True)
class Request:
    """One woman's request, as far as it concerns the team: never who she is."""

    id: UUID
    requested_at: datetime
    place: Point
    place_from_postcode: bool
    lives_or_works_here: bool
    reasons: tuple[Reason, ...]
    availability: Availability
    contact: ContactRules
    group_walk_welcome: bool
    language: str
    withdrawn_at: datetime | None = None
    amended_at: datetime | None = None
    """When she last changed where or when she wants to walk."""
    route: tuple[Point, ...] = ()
    """Where she would like to pass, `place` first; none where it is one place."""


@dataclass(frozen=True, slots=True)
class Officer:
    """An officer on the force's register; `trained_on` is None until the training session.

    `team_id` is the officer's own team, `team_ids` all teams they walk for, their own among them.
    """

    force_id: str
    id: str
    name: str
    kind: OfficerKind
    team_id: str
    team_ids: frozenset[str]
    trained_on: date | None


@dataclass(frozen=True, slots=True)
class Area:
    """A neighbourhood area in force, and the team answerable for it."""

    force_id: str
    id: str
    name: str
    team_id: str
    team_name: str
    boundary_version: str


@dataclass(frozen=True, slots=True)
class Located:
    """The area a place belongs to and why; `distance_m` is how far outside it lies, metres."""

    area_id: str
    team_id: str
    boundary_version: str
    how: RoutedBy
    distance_m: float = 0.0


class ProposalAnswer(StrEnum):
    """What came of proposed times that did not become a walk. Not possible: she chose one that has gone since."""

    NONE_SUITS = "none-suits"
    NOT_POSSIBLE = "not-possible"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Times she can choose from (UTC, ascending), until when, and what came of it; open while `answer` is None."""

    id: UUID
    times: tuple[datetime, ...]
    meeting_place: str
    answer_by: datetime
    answer: ProposalAnswer | None = None
    chosen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk answering one to many requests."""

    force_id: str
    id: UUID
    state: State
    place: Point
    requested_at: datetime
    arrange_by: datetime
    requests: tuple[Request, ...]
    triage_reason: TriageReason | None = None
    located: Located | None = None
    officer_id: str | None = None
    officer_kind: OfficerKind | None = None
    starts_at: datetime | None = None
    busy_until: datetime | None = None
    meeting_place: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    streetsafe_shown: bool = False
    cancel_reason: str | None = None
    proposal: Proposal | None = None

    @property
    def request_ids(self) -> tuple[UUID, ...]:
        """The requests it answers: those not withdrawn, or all once none is left."""
        left = tuple(request.id for request in self.requests if request.withdrawn_at is None)
        return left or tuple(request.id for request in self.requests)

    @property
    def contact_stopped(self) -> bool:
        """Whether any woman of this walk has said that contact is no longer safe."""
        return any(request.contact.stopped for request in self.requests)

    def excludes_officer(self, officer_id: str | None) -> bool:
        """Whether a woman of this walk has excluded this officer."""
        return any(officer_id in request.contact.excluded_officers for request in self.requests)

    def excludes_team(self, team_id: str | None) -> bool:
        """Whether a woman of this walk has excluded this team."""
        return any(team_id in request.contact.excluded_teams for request in self.requests)

    def is_shown_to(self, officer_id: str, team_id: str | None, team_ids: frozenset[str]) -> bool:
        """Whether an officer of this team, who walks for these, may know of this walk.

        An excluded officer is told nothing at all: a refusal that said why would tell an abuser what she chose.
        """
        if self.located is None or self.excludes_officer(officer_id) or self.excludes_team(team_id):
            return False
        return self.officer_id == officer_id or self.located.team_id in team_ids


@dataclass(frozen=True, slots=True)
class Changed:
    """What a decision made of a walk, and what is to be told."""

    walk: Walk
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedConcern:
    """A concern as the officer records it; `words` only what was passed for sharing."""

    category: Reason
    place: Point
    place_name: str | None
    time_of_day: PartOfDay | None
    severity: Severity
    words: str | None


@dataclass(frozen=True, slots=True)
class Concern:
    """A concern raised on a walk."""

    force_id: str
    id: UUID
    walk_id: UUID
    category: Reason
    place: Point
    place_name: str | None
    time_of_day: PartOfDay | None
    severity: Severity
    words: str | None
    raised_on: date


@dataclass(frozen=True, slots=True)
class Completed(Changed):
    """A walk that was held, with what was raised on it."""

    concerns: tuple[Concern, ...] = ()


def request_of(asked: WalkRequested, at: datetime) -> Request:
    """The request as the team keeps it, made at `at` (UTC)."""
    return Request(
        id=asked.request_id,
        requested_at=at,
        place=asked.place,
        place_from_postcode=asked.place_from_postcode,
        lives_or_works_here=asked.lives_or_works_here,
        reasons=asked.reasons,
        availability=asked.availability,
        contact=asked.contact,
        group_walk_welcome=asked.group_walk_welcome,
        language=asked.language,
        route=asked.route,
    )


def route(force_id: str, walk_id: UUID, request: Request, located: Located | None, rules: WalkRules) -> Changed:
    """A new walk for this request, with the team of its place, or in triage for a coordinator.

    Outside every area, or of a team she has excluded, is no error: a person decides.
    """
    walk = Walk(
        force_id=force_id,
        id=walk_id,
        state=State.TRIAGE,
        place=request.place,
        requested_at=request.requested_at,
        arrange_by=due(request.requested_at, rules.arrange_within),
        requests=(request,),
        triage_reason=TriageReason.OUTSIDE_ALL_AREAS,
    )
    if located is None:
        return Changed(walk)
    if walk.excludes_team(located.team_id):
        return Changed(replace(walk, triage_reason=TriageReason.CONTACT_RULES))
    return _routed(walk, located)


def route_by_hand(walk: Walk, area: Area | None) -> Changed:
    """A coordinator chooses the area of a walk in triage.

    :raises AreaUnknown: the force has no such area.
    :raises OfficerExcluded: a woman of this walk has excluded that area's team.
    """
    _refuse_ended(walk)
    if walk.state is not State.TRIAGE:
        raise WalkNotInTriage
    if area is None:
        raise AreaUnknown
    if walk.excludes_team(area.team_id):
        raise OfficerExcluded
    return _routed(walk, Located(area.id, area.team_id, area.boundary_version, RoutedBy.COORDINATOR))


def _routed(walk: Walk, located: Located) -> Changed:
    event = WalkRouted(
        walk_id=walk.id,
        request_ids=walk.request_ids,
        area_id=located.area_id,
        team_id=located.team_id,
        routed_by=located.how,
        boundary_version=located.boundary_version,
        distance_m=located.distance_m,
    )
    return Changed(replace(walk, state=State.ROUTED, triage_reason=None, located=located), (event,))


def take(walk: Walk, officer: Officer, rules: WalkRules) -> Changed:
    """An officer takes the walk on, once.

    :raises Refusal: the walk is not waiting, contact is no longer safe, or the officer may not walk it (not of the
        team, not trained, not of a kind the policy names, excluded by her).
    """
    _refuse_ended(walk)
    if walk.state is State.TRIAGE or walk.located is None:
        raise WalkNotRouted
    if walk.state is not State.ROUTED:
        raise WalkAlreadyTaken
    if walk.contact_stopped:
        raise ContactStopped
    if walk.located.team_id not in officer.team_ids:
        raise NotOfThisTeam
    if walk.excludes_officer(officer.id) or walk.excludes_team(officer.team_id):
        raise OfficerExcluded
    if officer.kind not in rules.officers:
        raise KindNotAllowed
    if officer.trained_on is None:
        raise NotTrained
    event = WalkTaken(
        walk_id=walk.id, request_ids=walk.request_ids, officer_id=officer.id, team_id=walk.located.team_id
    )
    return Changed(replace(walk, state=State.TAKEN, officer_id=officer.id, officer_kind=officer.kind), (event,))


def arrange(walk: Walk, starts_at: datetime, meeting_place: str, rules: WalkRules, now: datetime) -> Changed:
    """Time (UTC) and place are agreed with her; an arranged walk may be moved. What was proposed lapses.

    :raises StartsInThePast, StartsTooFarAhead, MeetingPlaceMissing: what was entered cannot be right.
    """
    located, officer_id, _ = _on_hand(walk)
    if walk.contact_stopped:
        raise ContactStopped
    if starts_at <= now:
        raise StartsInThePast
    if starts_at > now + LONGEST_AHEAD:
        raise StartsTooFarAhead
    meeting_place = _meeting_place(meeting_place)
    arranged = WalkArranged(
        walk_id=walk.id,
        request_ids=walk.request_ids,
        officer_id=officer_id,
        team_id=located.team_id,
        starts_at=starts_at,
        meeting_place=meeting_place,
    )
    event = arranged
    if walk.state is State.ARRANGED and walk.starts_at is not None:
        event = WalkRearranged(**dict(arranged), before=walk.starts_at)
    return Changed(
        replace(
            walk,
            state=State.ARRANGED,
            starts_at=starts_at,
            busy_until=busy_until(starts_at, rules),
            meeting_place=meeting_place,
            proposal=None,
        ),
        (event,),
    )


def busy_until(starts_at: datetime, rules: WalkRules) -> datetime:
    """Until when a walk that starts then occupies its officer."""
    return starts_at + timedelta(minutes=max(PLANNED_MINUTES, rules.minimum_minutes))


def _meeting_place(text: str) -> str:
    meeting_place = plain(text)[:LONGEST_NAME]
    if not meeting_place:
        raise MeetingPlaceMissing
    return meeting_place


def propose(
    walk: Walk,
    proposal_id: UUID,
    times: Sequence[datetime],
    meeting_place: str,
    answer_by: datetime | None,
    now: datetime,
) -> Changed:
    """Times (UTC) she may choose from; they replace what was proposed before, and an arranged walk stands until then.

    :raises ProposedToSeveral: more than one woman walks.
    :raises TimesWrong, AnswerTooLate, MeetingPlaceMissing: what was entered cannot be right.
    """
    located, officer_id, _ = _on_hand(walk)
    if walk.contact_stopped:
        raise ContactStopped
    if len(walk.request_ids) != 1:
        raise ProposedToSeveral
    times = sorted(set(times))
    if not 1 <= len(times) <= MOST_TIMES or times[0] <= now or times[-1] > now + LONGEST_AHEAD:
        raise TimesWrong
    if any(at.minute % GRID_MINUTES or at.second or at.microsecond for at in times):
        raise TimesWrong
    if answer_by is None:
        answer_by = times[0] - ANSWER_BEFORE
        if answer_by <= now:
            answer_by = times[0]
    if not now < answer_by <= times[0]:
        raise AnswerTooLate
    event = WalkProposed(
        walk_id=walk.id,
        request_ids=walk.request_ids,
        proposal_id=proposal_id,
        officer_id=officer_id,
        team_id=located.team_id,
        times=tuple(times),
        meeting_place=_meeting_place(meeting_place),
        answer_by=answer_by,
    )
    proposal = Proposal(proposal_id, event.times, event.meeting_place, answer_by)
    return Changed(replace(walk, proposal=proposal), (event,))


def answer_proposal(
    walk: Walk, answered: ProposalAnswered, answered_at: datetime, rules: WalkRules, now: datetime
) -> Changed:
    """She chose: the walk is arranged, or the officer sees that none of the times suits.

    A late or repeated answer, one of a proposal that was replaced or has lapsed, and a time nobody proposed change
    nothing: what she is told follows from what happened meanwhile.
    """
    proposal = walk.proposal
    if (
        walk.state in ENDED
        or walk.contact_stopped
        or proposal is None
        or proposal.id != answered.proposal_id
        or proposal.answer is not None
        or answered_at > proposal.answer_by
    ):
        return Changed(walk)
    if answered.chosen is None:
        return Changed(replace(walk, proposal=replace(proposal, answer=ProposalAnswer.NONE_SUITS)))
    if answered.chosen not in proposal.times:
        return Changed(walk)
    if answered.chosen <= now:
        return Changed(not_possible(walk, answered.chosen))
    return arrange(walk, answered.chosen, proposal.meeting_place, rules, now)


def not_possible(walk: Walk, chosen: datetime) -> Walk:
    """She chose a time at which her officer cannot walk any more; the officer sees it and proposes anew."""
    if walk.proposal is None:
        return walk
    return replace(walk, proposal=replace(walk.proposal, answer=ProposalAnswer.NOT_POSSIBLE, chosen=chosen))


def amend(walk: Walk, amended: WalkRequestAmended, located: Located | None, at: datetime) -> Changed:
    """She wants to walk elsewhere or at other times; `located` is where her place belongs now, None outside all areas.

    What was proposed lapses. A walk of hers alone goes to the team of the new place, unless it is arranged or has been
    held: then she keeps it, and the officer reads what she has changed.
    """
    request = next(each for each in walk.requests if each.id == amended.request_id)
    changed = replace(
        request,
        place=amended.place,
        place_from_postcode=amended.place_from_postcode,
        lives_or_works_here=amended.lives_or_works_here,
        reasons=amended.reasons,
        availability=amended.availability,
        group_walk_welcome=amended.group_walk_welcome,
        language=amended.language,
        route=amended.route,
        amended_at=at,
    )
    requests = tuple(changed if each is request else each for each in walk.requests)
    walk = replace(walk, requests=requests, proposal=None)
    if walk.state in ENDED or walk.state is State.ARRANGED or len(requests) > 1 or request.place == changed.place:
        return Changed(walk)
    walk = replace(walk, place=changed.place)
    kept = located is not None and walk.located is not None and located.team_id == walk.located.team_id
    if kept and walk.state is State.TAKEN and walk.officer_id is not None and located is not None:
        # Her officer walks there too. Told again, because whoever keeps her contact card let go of it meanwhile.
        event = WalkTaken(
            walk_id=walk.id, request_ids=walk.request_ids, officer_id=walk.officer_id, team_id=located.team_id
        )
        return Changed(replace(walk, located=located), (event,))
    walk = replace(
        walk, state=State.TRIAGE, triage_reason=TriageReason.OUTSIDE_ALL_AREAS, officer_id=None, officer_kind=None
    )
    if located is None:
        return Changed(walk)
    if walk.excludes_team(located.team_id):
        return Changed(replace(walk, triage_reason=TriageReason.CONTACT_RULES))
    return _routed(walk, located)


def cancel(walk: Walk, reason: str) -> Changed:
    """The walk will not take place; `reason` is a slug."""
    _refuse_ended(walk)
    event = WalkCancelled(walk_id=walk.id, request_ids=walk.request_ids, reason=reason)
    cancelled = replace(walk, state=State.CANCELLED, triage_reason=None, cancel_reason=reason, proposal=None)
    return Changed(cancelled, (event,))


def complete(
    walk: Walk,
    started_at: datetime,
    ended_at: datetime,
    streetsafe_shown: bool,
    recorded: Sequence[RecordedConcern],
    concern_ids: Sequence[UUID],
    rules: WalkRules,
    now: datetime,
) -> Completed:
    """The walk was held, perhaps earlier than arranged; each concern gets its id, in order.

    :raises EndsBeforeStart, EndsInTheFuture, WalkTooShort, WordsTooLong: what was entered cannot be right.
    """
    located, officer_id, officer_kind = _on_hand(walk)
    if walk.state is not State.ARRANGED:
        raise WalkNotArranged
    if ended_at <= started_at:
        raise EndsBeforeStart
    if ended_at > now + CLOCK_SKEW:
        raise EndsInTheFuture
    if ended_at - started_at < timedelta(minutes=rules.minimum_minutes):
        raise WalkTooShort(rules.minimum_minutes)
    raised_on = london(started_at).date()
    concerns = tuple(
        Concern(
            force_id=walk.force_id,
            id=concern_id,
            walk_id=walk.id,
            category=given.category,
            place=given.place,
            place_name=plain(given.place_name or "")[:LONGEST_NAME] or None,
            time_of_day=given.time_of_day,
            severity=given.severity,
            words=shareable(given.words),
            raised_on=raised_on,
        )
        for concern_id, given in zip(concern_ids, recorded, strict=True)
    )
    raised = tuple(
        ConcernRaised(
            concern_id=concern.id,
            area_id=located.area_id,
            team_id=located.team_id,
            category=concern.category,
            place=concern.place,
            place_name=concern.place_name,
            time_of_day=concern.time_of_day,
            severity=concern.severity,
            words=concern.words,
            raised_on=concern.raised_on,
        )
        for concern in concerns
    )
    held = WalkCompleted(
        walk_id=walk.id,
        request_ids=walk.request_ids,
        area_id=located.area_id,
        team_id=located.team_id,
        officer_id=officer_id,
        officer_kind=officer_kind,
        started_at=started_at,
        ended_at=ended_at,
        concern_ids=tuple(concern.id for concern in concerns),
        streetsafe_shown=streetsafe_shown,
    )
    completed = replace(
        walk,
        proposal=None,
        state=State.COMPLETED,
        started_at=started_at,
        ended_at=ended_at,
        streetsafe_shown=streetsafe_shown,
    )
    return Completed(completed, (*raised, held), concerns)


def withdraw(walk: Walk, withdrawn: frozenset[UUID], now: datetime) -> Changed:
    """Requests were withdrawn: the walk is cancelled when none remains, and goes on for the others."""
    requests = tuple(
        replace(request, withdrawn_at=request.withdrawn_at or now) if request.id in withdrawn else request
        for request in walk.requests
    )
    walk = replace(walk, requests=requests)
    if walk.state in ENDED or any(request.withdrawn_at is None for request in requests):
        return Changed(walk)
    return cancel(walk, "withdrawn")


def change_contact(walk: Walk, rules: Mapping[UUID, ContactRules]) -> Walk:
    """New rules of these requests: a walk whose officer or team is now excluded goes back to a coordinator."""
    walk = replace(
        walk,
        requests=tuple(replace(request, contact=rules.get(request.id, request.contact)) for request in walk.requests),
    )
    if walk.contact_stopped:
        walk = replace(walk, proposal=None)
    if walk.state in ENDED or walk.state is State.TRIAGE or walk.located is None:
        return walk
    if not (walk.excludes_team(walk.located.team_id) or walk.excludes_officer(walk.officer_id)):
        return walk
    return replace(
        walk,
        state=State.TRIAGE,
        triage_reason=TriageReason.CONTACT_RULES,
        officer_id=None,
        officer_kind=None,
        starts_at=None,
        busy_until=None,
        meeting_place=None,
        proposal=None,
    )


def _refuse_ended(walk: Walk) -> None:
    if walk.state is State.COMPLETED:
        raise WalkAlreadyCompleted
    if walk.state is State.CANCELLED:
        raise WalkAlreadyCancelled


def _on_hand(walk: Walk) -> tuple[Located, str, OfficerKind]:
    """Area, officer and kind of a walk that an officer has in hand."""
    _refuse_ended(walk)
    if walk.located is None or walk.officer_id is None or walk.officer_kind is None:
        raise WalkNotTaken
    return walk.located, walk.officer_id, walk.officer_kind


_TAG: Final = re.compile(r"</?[A-Za-z!?][^<>]*>")


def plain(text: str) -> str:
    """Text without markup and without characters that cannot be seen, so that it is safe wherever it is shown.

    Line ends and tabs stay; what removing a tag would newly join into a tag is removed as well.
    """
    seen = "".join(
        character
        for character in unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
        if character in "\n\t\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    while (without := _TAG.sub("", seen)) != seen:
        seen = without
    return seen.strip()


def shareable(words: str | None) -> str | None:
    """The words as they will be shared, None when nothing is left.

    :raises WordsTooLong: they exceed 4,000 characters.
    """
    cleaned = plain(words or "")
    if len(cleaned) > LONGEST_WORDS:
        raise WordsTooLong
    return cleaned or None


_PERSONAL: Final = (
    ("an email address", re.compile(r"\S+@\S+\.\w+")),
    ("a phone number", re.compile(r"(?:\+44|\b0)[\d ()-]{8,}\d")),
    ("a full postcode", re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[ABD-HJLNP-UW-Z]{2}\b", re.IGNORECASE)),
    ("a title and a name", re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr)\b\.?\s+[A-Z]")),
)


def personal_hints(words: str | None) -> tuple[str, ...]:
    """What in these words may say who somebody is; hints for the officer, not a guarantee."""
    return tuple(what for what, pattern in _PERSONAL if words and pattern.search(words))


class FollowUpKind(StrEnum):
    """Contact: a call or visit to her. Review: the team looks at a worrying answer that nobody is to be asked about."""

    CONTACT = "contact"
    REVIEW = "review"


REVIEWED: Final = "reviewed"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something an officer (or, where `officer_id` is None, a coordinator) has still to do, or has done."""

    force_id: str
    id: UUID
    kind: FollowUpKind
    urgency: Urgency
    opened_at: datetime
    due_at: datetime
    request_id: UUID | None = None
    contact_id: UUID | None = None
    walk_id: UUID | None = None
    officer_id: str | None = None
    reasons: tuple[str, ...] = ()
    overdue_at: datetime | None = None
    completed_at: datetime | None = None
    completed_by: str | None = None
    outcome: str | None = None


def follow_up(walk: Walk, wanted: ContactWanted, follow_up_id: UUID, policy: ForcePolicy, now: datetime) -> FollowUp:
    """A call or visit for the officer who walked with her, or a coordinator where none did or she excludes them."""
    officer_id = walk.officer_id
    team_id = walk.located.team_id if walk.located else None
    if walk.excludes_officer(officer_id) or walk.excludes_team(team_id):
        officer_id = None
    return FollowUp(
        force_id=walk.force_id,
        id=follow_up_id,
        kind=FollowUpKind.CONTACT,
        urgency=wanted.urgency,
        opened_at=now,
        due_at=due(now, policy.follow_ups.within(wanted.urgency)),
        request_id=wanted.request_id,
        contact_id=wanted.contact_id,
        walk_id=walk.id,
        officer_id=officer_id,
    )


def review(flagged: FeedbackFlagged, force_id: str, policy: ForcePolicy, now: datetime) -> FollowUp | None:
    """A team review where nobody may be contacted about a worrying answer; None where intake arranges the contact."""
    if flagged.contact is not None:
        return None
    return FollowUp(
        force_id=force_id,
        id=flagged.flag_id,
        kind=FollowUpKind.REVIEW,
        urgency=flagged.urgency,
        opened_at=now,
        due_at=due(now, policy.follow_ups.within(flagged.urgency)),
        reasons=flagged.reasons,
    )


def complete_follow_up(
    found: FollowUp, outcome: str, by: str, is_coordinator: bool, now: datetime
) -> tuple[FollowUp, FollowUpCompleted | None]:
    """The follow-up with its outcome, and what is told; a review concerns nobody, so nothing is told of it.

    :raises NotYourFollowUp, FollowUpAlreadyCompleted, OutcomeDoesNotFit:
    """
    if not is_coordinator and found.officer_id != by:
        raise NotYourFollowUp
    if found.completed_at is not None:
        raise FollowUpAlreadyCompleted
    done = replace(found, completed_at=now, completed_by=by, outcome=outcome)
    if found.kind is FollowUpKind.REVIEW:
        if outcome != REVIEWED:
            raise OutcomeDoesNotFit
        return done, None
    if outcome not in {each.value for each in FollowUpOutcome}:
        raise OutcomeDoesNotFit
    assert found.request_id is not None and found.contact_id is not None
    return done, FollowUpCompleted(
        follow_up_id=found.id,
        request_id=found.request_id,
        contact_id=found.contact_id,
        outcome=FollowUpOutcome(outcome),
        in_time=now <= found.due_at,
    )


class ReferralState(StrEnum):
    """What a partner last said."""

    MADE = "made"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    INVESTIGATING = "investigating"
    PLANNED = "planned"
    PARTLY_DONE = "partly-done"
    MONITORING = "monitoring"
    DONE = "done"
    NOTHING_MORE = "nothing-more"


@dataclass(frozen=True, slots=True)
class Referral:
    """What one partner was asked about a concern, and last said of it."""

    force_id: str
    id: UUID
    concern_id: UUID
    partner_id: str
    partner_name: str
    state: ReferralState
    told_at: datetime
    words: str | None = None
    respond_by: date | None = None
    planned_for: date | None = None


def referral_told(event: ReferralEvent, force_id: str, at: datetime) -> Referral:
    """What the team sees of a partner's word."""
    words: str | None = None
    respond_by: date | None = None
    planned_for: date | None = None
    match event:
        case ReferralMade():
            state, respond_by = ReferralState.MADE, event.respond_by
        case ReferralAccepted():
            state = ReferralState.ACCEPTED
        case ReferralDeclined():
            state, words = ReferralState.DECLINED, event.reason
        case ReferralUpdated():
            state, words, planned_for = ReferralState(event.progress.value), event.words, event.planned_for
        case ConcernResolved():
            state, words = ReferralState(event.resolution.value), event.words
        case _:
            raise TypeError(f"{event.name} says nothing of a referral")
    return Referral(
        force_id=force_id,
        id=event.referral_id,
        concern_id=event.concern_id,
        partner_id=event.partner_id,
        partner_name=event.partner_name,
        state=state,
        told_at=at,
        words=words,
        respond_by=respond_by,
        planned_for=planned_for,
    )
