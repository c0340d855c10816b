"""Walks and follow-ups as the JSON API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from services.assignment.dependencies import Dependencies
from services.assignment.domain.follow_ups import FollowUp, FollowUpKind
from services.assignment.domain.referrals import ReferralState
from services.assignment.domain.walks import Proposal, ProposalAnswer, State, Walk
from services.assignment.handlers.looking import WalkRecord
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.walk_requests import Availability, ContactRules
from shared.contracts.walks import WhyNotHeld


class RequestView(BaseModel):
    """A request of a walk; `contact_url` is intake's page with who she is, opened with a reason and logged."""

    request_id: UUID
    requested_at: datetime
    place: Point
    place_from_postcode: bool
    lives_or_works_here: bool
    reasons: tuple[Reason, ...]
    availability: Availability
    contact: ContactRules
    group_walk_welcome: bool
    language: str
    withdrawn: bool
    amended_at: datetime | None
    route: tuple[Point, ...]
    """Where she would like to pass, `place` first; empty where it is one place."""
    contact_url: str


class ReferralView(BaseModel):
    """What a partner last said of a concern."""

    referral_id: UUID
    partner_id: str
    partner_name: str
    state: ReferralState
    told_at: datetime
    words: str | None
    respond_by: date | None
    planned_for: date | None


class ConcernView(BaseModel):
    """A concern raised on the walk, and what partners said of it."""

    concern_id: UUID
    category: Reason
    place: Point
    place_name: str | None
    time_of_day: PartOfDay | None
    severity: Severity
    words: str | None
    raised_on: date
    referrals: tuple[ReferralView, ...] = ()


class ProposalView(BaseModel):
    """Times proposed to her. `answer` is empty while she can choose; `chosen` a time that had gone when she did."""

    proposal_id: UUID
    times: tuple[datetime, ...]
    meeting_place: str
    answer_by: datetime
    answer: ProposalAnswer | None
    chosen: datetime | None


class NotHeldView(BaseModel):
    """A time at which the walk was arranged and not held, and why."""

    starts_at: datetime
    why: WhyNotHeld


class WalkView(BaseModel):
    """A walk. `do_not_contact`: she has said that contact is no longer safe."""

    walk_id: UUID
    state: State
    do_not_contact: bool
    requested_at: datetime
    arrange_by: datetime
    area_id: str | None
    team_id: str | None
    boundary_version: str | None
    routed_by: str | None
    distance_m: float | None
    triage_reason: str | None
    officer_id: str | None
    starts_at: datetime | None
    meeting_place: str | None
    started_at: datetime | None
    ended_at: datetime | None
    streetsafe_shown: bool
    cancel_reason: str | None
    proposal: ProposalView | None = None
    second_officer_id: str | None = None
    not_held: tuple[NotHeldView, ...] = ()
    check_in_at: datetime | None = None
    """When the officers are asked whether they are back; empty once they are."""
    requests: tuple[RequestView, ...]
    concerns: tuple[ConcernView, ...] = ()


class WalkList(BaseModel):
    """A page of walks, 50 at most; `more` when another page follows."""

    walks: tuple[WalkView, ...]
    page: int
    more: bool


class FollowUpView(BaseModel):
    """A call or visit that is wanted, or a review by the team. `officer_id` empty: a coordinator's."""

    follow_up_id: UUID
    kind: FollowUpKind
    urgency: str
    opened_at: datetime
    due_at: datetime
    overdue: bool
    request_id: UUID | None
    walk_id: UUID | None
    officer_id: str | None
    reasons: tuple[str, ...]
    completed_at: datetime | None
    outcome: str | None


class FollowUpList(BaseModel):
    """A page of follow-ups, 50 at most, what is due first; `more` when another page follows."""

    follow_ups: tuple[FollowUpView, ...]
    page: int
    more: bool


def walk_view(walk: Walk, deps: Dependencies, record: WalkRecord | None = None) -> WalkView:
    """A walk as the API shows it; with its concerns where the whole record was read."""
    located = walk.located
    referrals: Mapping[UUID, list[ReferralView]] = {}
    if record is not None:
        referrals = {concern.id: [] for concern in record.concerns}
        for told in record.referrals:
            referrals[told.concern_id].append(
                ReferralView(
                    referral_id=told.id,
                    partner_id=told.partner_id,
                    partner_name=told.partner_name,
                    state=told.state,
                    told_at=told.told_at,
                    words=told.words,
                    respond_by=told.respond_by,
                    planned_for=told.planned_for,
                )
            )
    return WalkView(
        walk_id=walk.id,
        state=walk.state,
        do_not_contact=walk.contact_stopped,
        requested_at=walk.requested_at,
        arrange_by=walk.arrange_by,
        area_id=located.area_id if located else None,
        team_id=located.team_id if located else None,
        boundary_version=located.boundary_version if located else None,
        routed_by=located.how.value if located else None,
        distance_m=located.distance_m if located else None,
        triage_reason=walk.triage_reason,
        officer_id=walk.officer_id,
        starts_at=walk.starts_at,
        meeting_place=walk.meeting_place,
        started_at=walk.started_at,
        ended_at=walk.ended_at,
        streetsafe_shown=walk.streetsafe_shown,
        cancel_reason=walk.cancel_reason,
        proposal=proposal_view(walk.proposal),
        second_officer_id=walk.second_id,
        not_held=tuple(NotHeldView(starts_at=each.starts_at, why=each.why) for each in walk.not_held),
        check_in_at=walk.check_in_at if walk.state is State.ARRANGED else None,
        requests=tuple(
            RequestView(
                request_id=request.id,
                requested_at=request.requested_at,
                place=request.place,
                place_from_postcode=request.place_from_postcode,
                lives_or_works_here=request.lives_or_works_here,
                reasons=request.reasons,
                availability=request.availability,
                contact=request.contact,
                group_walk_welcome=request.group_walk_welcome,
                language=request.language,
                withdrawn=request.withdrawn_at is not None,
                amended_at=request.amended_at,
                route=request.route,
                contact_url=contact_url(deps, request.id),
            )
            for request in walk.requests
        ),
        concerns=tuple(
            ConcernView(
                concern_id=concern.id,
                category=concern.category,
                place=concern.place,
                place_name=concern.place_name,
                time_of_day=concern.time_of_day,
                severity=concern.severity,
                words=concern.words,
                raised_on=concern.raised_on,
                referrals=tuple(referrals[concern.id]),
            )
            for concern in (record.concerns if record else ())
        ),
    )


def proposal_view(found: Proposal | None) -> ProposalView | None:
    """Proposed times as the API shows them."""
    if found is None:
        return None
    return ProposalView(
        proposal_id=found.id,
        times=found.times,
        meeting_place=found.meeting_place,
        answer_by=found.answer_by,
        answer=found.answer,
        chosen=found.chosen,
    )


def contact_url(deps: Dependencies, request_id: UUID) -> str:
    """Intake's contact card of a request: rules first, opened with a reason, logged."""
    return f"{deps.settings.intake_url.rstrip('/')}/staff/requests/{request_id}/contact"


def follow_up_view(found: FollowUp, now: datetime) -> FollowUpView:
    """A follow-up as the API shows it."""
    return FollowUpView(
        follow_up_id=found.id,
        kind=found.kind,
        urgency=found.urgency.value,
        opened_at=found.opened_at,
        due_at=found.due_at,
        overdue=found.completed_at is None and found.due_at < now,
        request_id=found.request_id,
        walk_id=found.walk_id,
        officer_id=found.officer_id,
        reasons=found.reasons,
        completed_at=found.completed_at,
        outcome=found.outcome,
    )
