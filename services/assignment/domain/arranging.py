"""Time and place of a walk: agreed, proposed, chosen, moved or given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.assignment.domain.refusals import (
    AnswerTooLate,
    ContactStopped,
    MeetingPlaceMissing,
    ProposedToSeveral,
    StartsInThePast,
    StartsTooFarAhead,
    TimesWrong,
)
from services.assignment.domain.walks import (
    ENDED,
    Changed,
    Proposal,
    ProposalAnswer,
    State,
    Walk,
    on_hand,
    refuse_ended,
)
from services.assignment.domain.words import LONGEST_NAME, plain
from shared.contracts.policy import WalkRules
from shared.contracts.walk_requests import ProposalAnswered
from shared.contracts.walks import MOST_TIMES, WalkArranged, WalkCancelled, WalkProposed, WalkRearranged

PLANNED_MINUTES: Final = 60
"""How long an arranged walk occupies its officer; forces that set a longer minimum get that."""


LONGEST_AHEAD: Final = timedelta(days=366)


GRID_MINUTES: Final = 5
"""Proposed times stand on the clock's five minutes, so that nobody is asked to meet at 18:07."""


ANSWER_BEFORE: Final = timedelta(hours=1)
"""How long before the first proposed time she has to have chosen, where the officer names no moment."""


def arrange(walk: Walk, starts_at: datetime, meeting_place: str, rules: WalkRules, now: datetime) -> Changed:
    """Time (UTC) and place are agreed with her; an arranged walk may be moved. What was proposed lapses.

    :raises StartsInThePast, StartsTooFarAhead, MeetingPlaceMissing: what was entered cannot be right.
    """
    located, officer_id, _ = on_hand(walk)
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
            check_in_at=busy_until(starts_at, rules) + timedelta(minutes=rules.check_in_after_minutes),
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
    located, officer_id, _ = on_hand(walk)
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


def cancel(walk: Walk, reason: str) -> Changed:
    """The walk will not take place; `reason` is a slug."""
    refuse_ended(walk)
    event = WalkCancelled(walk_id=walk.id, request_ids=walk.request_ids, reason=reason)
    cancelled = replace(walk, state=State.CANCELLED, triage_reason=None, cancel_reason=reason, proposal=None)
    return Changed(cancelled, (event,))
