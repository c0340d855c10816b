"""Women who walk together: one walk, many requests. Each came to it by her own wish, and can be taken out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from services.assignment.domain.areas import Located
from services.assignment.domain.refusals import ContactStopped, OfficerExcluded, WalkNotRouted, WrongField
from services.assignment.domain.requests import Request
from services.assignment.domain.routing import route
from services.assignment.domain.walks import ENDED, Changed, State, Walk, on_hand, refuse_ended
from shared.contracts.envelope import Event
from shared.contracts.policy import WalkRules
from shared.contracts.refusals import Refusal
from shared.contracts.walk_requests import ContactRules
from shared.contracts.walks import WalkArranged, WalkReturned, WalkTaken

JOINED: Final = "joined"
"""Why a walk ended whose women walk with others. Nobody is told: it is no end to them."""


class NotTogether(WrongField):
    """These requests cannot become one walk."""

    field = "joined"


class GroupNotWelcome(NotTogether):
    """Not everybody said that she would walk with others."""


class GroupFull(NotTogether):
    """The group would be larger than the force lets walk together."""


class GroupElsewhere(NotTogether):
    """Only walks of the same team can become one."""


class GroupTaken(NotTogether):
    """Another officer has that walk, or a time is agreed or proposed in it."""


class NotInGroup(Refusal):
    """She does not walk with others on this walk."""


@dataclass(frozen=True, slots=True)
class Together:
    """The walk with those who joined it, and what is left of the one they came from: nothing but its end."""

    walk: Changed
    left: Walk


def left_in(walk: Walk) -> tuple[Request, ...]:
    """The requests of a walk that were not withdrawn."""
    return tuple(request for request in walk.requests if request.withdrawn_at is None)


def join(walk: Walk, other: Walk, rules: WalkRules, now: datetime) -> Together:
    """The women of another walk, which nobody else has in hand and which has no time yet, walk with those of this one.

    Their officer is told them, and a time that is agreed holds for them too: whoever joins them has asked them.

    :raises Refusal: nobody has this walk; contact with one of them has stopped; one of them excludes who walks.
    :raises NotTogether: why these cannot walk together.
    """
    located, officer_id, _ = on_hand(walk)
    refuse_ended(other)
    if other.located is None or other.state is State.TRIAGE or walk.id == other.id:
        raise WalkNotRouted
    if walk.contact_stopped or other.contact_stopped:
        raise ContactStopped
    if other.located.team_id != located.team_id:
        raise GroupElsewhere
    if other.state is State.ARRANGED or other.officer_id not in (None, officer_id):
        raise GroupTaken
    if is_proposed(walk, now) or is_proposed(other, now):
        raise GroupTaken
    joining = left_in(other)
    everybody = (*left_in(walk), *joining)
    if not all(request.group_walk_welcome for request in everybody):
        raise GroupNotWelcome
    if len(everybody) > rules.group_size:
        raise GroupFull
    if any(other.excludes_officer(id_) for id_ in walk.officer_ids) or other.excludes_team(located.team_id):
        raise OfficerExcluded
    ids = tuple(request.id for request in joining)
    told: tuple[Event, ...] = (
        WalkTaken(walk_id=walk.id, request_ids=ids, officer_id=officer_id, team_id=located.team_id),
    )
    if walk.state is State.ARRANGED:
        assert walk.starts_at is not None and walk.meeting_place is not None
        told += (
            WalkArranged(
                walk_id=walk.id,
                request_ids=ids,
                officer_id=officer_id,
                team_id=located.team_id,
                starts_at=walk.starts_at,
                meeting_place=walk.meeting_place,
            ),
        )
    together = replace(
        walk,
        requests=tuple(sorted((*walk.requests, *joining), key=lambda request: (request.requested_at, request.id))),
        requested_at=min(walk.requested_at, other.requested_at),
        arrange_by=min(walk.arrange_by, other.arrange_by),
        proposal=None,
    )
    left = replace(
        other,
        state=State.CANCELLED,
        cancel_reason=JOINED,
        requests=tuple(request for request in other.requests if request not in joining),
        officer_id=None,
        officer_kind=None,
        second_id=None,
        proposal=None,
    )
    return Together(Changed(together, told), left)


def is_proposed(walk: Walk, now: datetime) -> bool:
    """Whether a woman of this walk can still choose among proposed times."""
    return walk.proposal is not None and walk.proposal.answer is None and walk.proposal.answer_by > now


@dataclass(frozen=True, slots=True)
class Apart:
    """The walk without her, and hers."""

    walk: Walk
    hers: Changed


def part(walk: Walk, request_id: UUID, walk_id: UUID, located: Located | None, rules: WalkRules) -> Apart:
    """She walks alone again: a walk of hers waits for the team of her place, as when she first asked.

    :raises NotInGroup: she is not of this walk, or nobody else is.
    """
    refuse_ended(walk)
    her = next((request for request in left_in(walk) if request.id == request_id), None)
    if her is None or len(left_in(walk)) < 2:
        raise NotInGroup
    remaining = replace(walk, requests=tuple(request for request in walk.requests if request is not her))
    hers = route(walk.force_id, walk_id, her, located, rules)
    if hers.walk.state is State.TRIAGE:
        # Nothing is told of a walk that waits for an area; but whoever had her request has it no longer.
        hers = replace(hers, events=(WalkReturned(walk_id=walk_id, request_ids=(request_id,)),))
    return Apart(remaining, hers)


def with_rules(walk: Walk, rules: Mapping[UUID, ContactRules]) -> Walk:
    """The walk with these rules of contact."""
    return replace(
        walk,
        requests=tuple(replace(request, contact=rules.get(request.id, request.contact)) for request in walk.requests),
    )


def has_grown_apart(walk: Walk, request_id: UUID, located: Located | None) -> bool:
    """Whether this woman of a group that is not over wants to walk alone, or where another team walks."""
    her = next((request for request in left_in(walk) if request.id == request_id), None)
    if her is None or walk.state in ENDED or len(left_in(walk)) < 2:
        return False
    team_id = walk.located.team_id if walk.located else None
    return not her.group_walk_welcome or located is None or located.team_id != team_id


def who_must_part(walk: Walk, teams: Mapping[str, str] = MappingProxyType({})) -> tuple[UUID, ...]:
    """The women of a group whose own rules keep this walk from going on for the others as it stands.

    One who has stopped contact, or who excludes its officer or team, leaves; the last of all stays, and her rules
    decide as they do for a walk of one. `teams` are the own teams of its officers.
    """
    present = left_in(walk)
    if walk.state in ENDED or len(present) < 2:
        return ()
    team_id = walk.located.team_id if walk.located else None
    against = [
        request.id
        for request in present
        if request.contact.stopped
        or walk.officer_id in request.contact.excluded_officers
        or {team_id, teams.get(walk.officer_id or "")} & set(request.contact.excluded_teams)
    ]
    return tuple(against[: len(present) - 1])
