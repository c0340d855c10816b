"""Rows of assignment in and out, a set at a time. The only module here that speaks SQL, all of it in queries.sql."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from services.assignment.domain import (
    Area,
    Concern,
    FollowUp,
    FollowUpKind,
    Located,
    Officer,
    OfficerDoubleBooked,
    Proposal,
    ProposalAnswer,
    Referral,
    ReferralState,
    Request,
    State,
    TriageReason,
    Walk,
)
from shared.contracts.kinds import OfficerKind, PartOfDay, Point, Reason, Severity, Urgency
from shared.contracts.walk_requests import Availability, ContactRules
from shared.contracts.walks import RoutedBy
from shared.database import Queries, Row, Transaction

QUERIES: Final = Queries.read(Path(__file__).with_name("queries.sql"))
PAGE: Final = 50

Key = tuple[str, UUID]
"""A force and an id."""


async def publish_areas(tx: Transaction, areas: Sequence[Area]) -> set[tuple[str, str]]:
    """Make these areas and their teams the ones in force; which (force, area) were not known so before."""
    await tx.run(
        QUERIES.publish_teams,
        [area.force_id for area in areas],
        [area.team_id for area in areas],
        [area.team_name for area in areas],
    )
    rows = await tx.fetch(
        QUERIES.publish_areas,
        [area.force_id for area in areas],
        [area.id for area in areas],
        [area.name for area in areas],
        [area.team_id for area in areas],
        [area.boundary_version for area in areas],
    )
    for force_id in sorted({area.force_id for area in areas}):
        await tx.run(QUERIES.retire_areas, force_id, [area.id for area in areas if area.force_id == force_id])
    return {(row["force_id"], row["id"]) for row in rows}


async def areas_in_force(tx: Transaction, force_id: str) -> tuple[Area, ...]:
    """The areas of a force, by name."""
    return tuple(
        Area(
            force_id=row["force_id"],
            id=row["id"],
            name=row["name"],
            team_id=row["team_id"],
            team_name=row["team_name"],
            boundary_version=row["boundary_version"],
        )
        for row in await tx.fetch(QUERIES.areas_in_force, force_id)
    )


async def team_names(tx: Transaction, force_id: str) -> dict[str, str]:
    """What the teams of a force are called, by id."""
    return {row["id"]: row["name"] for row in await tx.fetch(QUERIES.team_names, force_id)}


async def enrol_officers(tx: Transaction, force_id: str, officers: Sequence[Officer]) -> None:
    """Make these officers the register of a force."""
    await tx.run(
        QUERIES.enrol_officers,
        [officer.force_id for officer in officers],
        [officer.id for officer in officers],
        [officer.name for officer in officers],
        [officer.kind.value for officer in officers],
        [officer.team_id for officer in officers],
        # Arrays of arrays are taken apart to the last element, so teams travel as one text; slugs hold no space.
        [" ".join(sorted(officer.team_ids)) for officer in officers],
        [officer.trained_on for officer in officers],
    )
    await tx.run(QUERIES.strike_officers, force_id, [officer.id for officer in officers])


async def officers(tx: Transaction, force_id: str) -> tuple[Officer, ...]:
    """The register of a force, by name."""
    return tuple(map(_officer, await tx.fetch(QUERIES.officers, force_id)))


async def officers_by_id(tx: Transaction, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Officer]:
    """These officers, by force and id; who is not on the register is left out."""
    forces, ids = _columns(wanted)
    rows = await tx.fetch(QUERIES.officers_by_id, forces, ids)
    return {(row["force_id"], row["id"]): _officer(row) for row in rows}


def _officer(row: Row) -> Officer:
    return Officer(
        force_id=row["force_id"],
        id=row["id"],
        name=row["name"],
        kind=OfficerKind(row["kind"]),
        team_id=row["team_id"],
        team_ids=frozenset(row["team_ids"]),
        trained_on=row["trained_on"],
    )


async def known_requests(tx: Transaction, requests: Iterable[Key]) -> set[UUID]:
    """Which of these requests have a walk already."""
    return {row["id"] for row in await tx.fetch(QUERIES.known_requests, *_columns(requests))}


async def walks_of_requests(tx: Transaction, requests: Iterable[Key]) -> dict[UUID, UUID]:
    """The walk that answers each of these requests; one that is not known here is left out."""
    return {row["id"]: row["walk_id"] for row in await tx.fetch(QUERIES.walks_of_requests, *_columns(requests))}


async def lock_walks(tx: Transaction, walks: Iterable[Key]) -> dict[UUID, Walk]:
    """These walks with their requests, locked until the transaction ends; unknown ones are left out."""
    return {walk.id: walk for walk in await _whole(tx, await tx.fetch(QUERIES.lock_walks, *_columns(walks)))}


async def walks(tx: Transaction, wanted: Iterable[Key]) -> dict[UUID, Walk]:
    """These walks with their requests; unknown ones are left out."""
    return {walk.id: walk for walk in await _whole(tx, await tx.fetch(QUERIES.walks_by_id, *_columns(wanted)))}


async def queue(
    tx: Transaction,
    force_id: str,
    state: State,
    team_ids: Sequence[str] | None,
    asking: tuple[str, str | None] | None,
    page: int,
) -> tuple[list[Walk], bool]:
    """A page (from 1) of the walks in a state, longest waiting first, and whether more follow.

    `team_ids` None is every team; `asking` is the officer and the officer's own team: walks that exclude
    either are left out.
    """
    asks = (asking[0] if asking else None, asking[1] if asking else None, PAGE + 1, (page - 1) * PAGE)
    if team_ids is None:
        rows = await tx.fetch(QUERIES.queue_of_force, force_id, state.value, *asks)
    else:
        rows = await tx.fetch(QUERIES.queue_of_teams, force_id, state.value, list(team_ids), *asks)
    return await _whole(tx, rows[:PAGE]), len(rows) > PAGE


async def walks_of_officer(tx: Transaction, force_id: str, officer_id: str) -> list[Walk]:
    """What an officer has in hand, the next to be held first; at most 50."""
    return await _whole(tx, await tx.fetch(QUERIES.walks_of_officer, force_id, officer_id, PAGE))


async def refuse_double_booking(tx: Transaction, arranged: Sequence[Walk]) -> None:
    """Look before saving, with the officers locked; the table itself refuses what slips through.

    :raises OfficerDoubleBooked: an officer has another arranged walk at that time.
    """
    if await double_booked(tx, arranged):
        raise OfficerDoubleBooked


async def double_booked(tx: Transaction, arranged: Sequence[Walk]) -> set[UUID]:
    """Which of these walks, each once or at several times, overlap another arranged walk of their officer.

    The officers are locked until the transaction ends.
    """
    # Left to the constraint alone, two that conflict may each find the other unfinished, and wait in a ring.
    await tx.fetch(QUERIES.lock_officers, *_columns((walk.force_id, walk.officer_id) for walk in arranged))
    rows = await tx.fetch(
        QUERIES.walks_arranged_at,
        [walk.force_id for walk in arranged],
        [walk.officer_id for walk in arranged],
        [walk.id for walk in arranged],
        [walk.starts_at for walk in arranged],
        [walk.busy_until for walk in arranged],
    )
    return {_uuid(row["walk_id"]) for row in rows}


async def save_walks(tx: Transaction, changed: Sequence[Walk]) -> None:
    """Write walks as they now are, not their requests.

    :raises OfficerDoubleBooked: an officer has another arranged walk at that time; the transaction is lost.
    """
    if not changed:
        return
    located = [walk.located for walk in changed]
    try:
        await tx.run(
            QUERIES.save_walks,
            [walk.force_id for walk in changed],
            [walk.id for walk in changed],
            [walk.state.value for walk in changed],
            [walk.place.latitude for walk in changed],
            [walk.place.longitude for walk in changed],
            [walk.requested_at for walk in changed],
            [walk.arrange_by for walk in changed],
            [walk.triage_reason for walk in changed],
            [place.area_id if place else None for place in located],
            [place.team_id if place else None for place in located],
            [place.boundary_version if place else None for place in located],
            [place.how.value if place else None for place in located],
            [place.distance_m if place else None for place in located],
            [walk.officer_id for walk in changed],
            [walk.officer_kind for walk in changed],
            [walk.starts_at for walk in changed],
            [walk.busy_until for walk in changed],
            [walk.meeting_place for walk in changed],
            [walk.started_at for walk in changed],
            [walk.ended_at for walk in changed],
            [walk.streetsafe_shown for walk in changed],
            [walk.cancel_reason for walk in changed],
            [_proposal_json(walk.proposal) for walk in changed],
        )
    except asyncpg.ExclusionViolationError as fault:
        raise OfficerDoubleBooked from fault


async def save_requests(tx: Transaction, changed: Sequence[Walk]) -> None:
    """Write the requests of these walks as they now are."""
    rows = [(walk, request) for walk in changed for request in walk.requests]
    if not rows:
        return
    await tx.run(
        QUERIES.save_requests,
        [walk.force_id for walk, _ in rows],
        [request.id for _, request in rows],
        [walk.id for walk, _ in rows],
        [request.requested_at for _, request in rows],
        [request.place.latitude for _, request in rows],
        [request.place.longitude for _, request in rows],
        [request.place_from_postcode for _, request in rows],
        [request.lives_or_works_here for _, request in rows],
        [" ".join(request.reasons) for _, request in rows],
        [request.availability.model_dump(mode="json") for _, request in rows],
        [request.contact.model_dump(mode="json") for _, request in rows],
        [request.group_walk_welcome for _, request in rows],
        [request.language for _, request in rows],
        [request.withdrawn_at for _, request in rows],
        [request.amended_at for _, request in rows],
        # Arrays of arrays are taken apart to the last element, so the points stand in an object.
        [{"points": [at.model_dump() for at in request.route]} if request.route else None for _, request in rows],
    )


async def _whole(tx: Transaction, rows: Sequence[Row]) -> list[Walk]:
    """Walks from their rows, in the rows' order, with their requests."""
    if not rows:
        return []
    keys = [(row["force_id"], row["id"]) for row in rows]
    requests: defaultdict[UUID, list[Request]] = defaultdict(list)
    for row in await tx.fetch(QUERIES.requests_of_walks, *_columns(keys)):
        requests[row["walk_id"]].append(_request(row))
    return [_walk(row, tuple(requests[row["id"]])) for row in rows]


def _walk(row: Row, requests: tuple[Request, ...]) -> Walk:
    located = None
    if row["area_id"] is not None:
        located = Located(
            row["area_id"], row["team_id"], row["boundary_version"], RoutedBy(row["routed_by"]), row["distance_m"]
        )
    return Walk(
        force_id=row["force_id"],
        id=_uuid(row["id"]),
        state=State(row["state"]),
        place=_point(row),
        requested_at=row["requested_at"],
        arrange_by=row["arrange_by"],
        requests=requests,
        triage_reason=TriageReason(row["triage_reason"]) if row["triage_reason"] else None,
        located=located,
        officer_id=row["officer_id"],
        officer_kind=OfficerKind(row["officer_kind"]) if row["officer_kind"] else None,
        starts_at=row["starts_at"],
        busy_until=row["busy_until"],
        meeting_place=row["meeting_place"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        streetsafe_shown=row["streetsafe_shown"],
        cancel_reason=row["cancel_reason"],
        proposal=_proposal(row["proposal"]),
    )


def _proposal_json(proposal: Proposal | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    return {
        "id": proposal.id.hex,
        "times": [at.isoformat() for at in proposal.times],
        "meeting_place": proposal.meeting_place,
        "answer_by": proposal.answer_by.isoformat(),
        "answer": proposal.answer,
        "chosen": proposal.chosen.isoformat() if proposal.chosen else None,
    }


def _proposal(found: Any) -> Proposal | None:
    if found is None:
        return None
    return Proposal(
        UUID(found["id"]),
        tuple(map(datetime.fromisoformat, found["times"])),
        found["meeting_place"],
        datetime.fromisoformat(found["answer_by"]),
        ProposalAnswer(found["answer"]) if found["answer"] else None,
        datetime.fromisoformat(found["chosen"]) if found["chosen"] else None,
    )


def _request(row: Row) -> Request:
    return Request(
        id=_uuid(row["id"]),
        requested_at=row["requested_at"],
        place=_point(row),
        place_from_postcode=row["place_from_postcode"],
        lives_or_works_here=row["lives_or_works_here"],
        reasons=tuple(map(Reason, row["reasons"])),
        availability=Availability.model_validate(row["availability"]),
        contact=ContactRules.model_validate(row["contact"]),
        group_walk_welcome=row["group_walk_welcome"],
        language=row["language"],
        withdrawn_at=row["withdrawn_at"],
        amended_at=row["amended_at"],
        route=tuple(map(Point.model_validate, row["route"]["points"])) if row["route"] else (),
    )


async def save_concerns(tx: Transaction, concerns: Sequence[Concern]) -> None:
    """Write new concerns."""
    if not concerns:
        return
    await tx.run(
        QUERIES.save_concerns,
        [concern.force_id for concern in concerns],
        [concern.id for concern in concerns],
        [concern.walk_id for concern in concerns],
        [concern.category.value for concern in concerns],
        [concern.place.latitude for concern in concerns],
        [concern.place.longitude for concern in concerns],
        [concern.place_name for concern in concerns],
        [concern.time_of_day for concern in concerns],
        [concern.severity.value for concern in concerns],
        [concern.words for concern in concerns],
        [concern.raised_on for concern in concerns],
    )


async def concerns_of_walk(tx: Transaction, walk: Key) -> list[Concern]:
    """The concerns raised on a walk, in the order they were recorded."""
    return [
        Concern(
            force_id=row["force_id"],
            id=_uuid(row["id"]),
            walk_id=_uuid(row["walk_id"]),
            category=Reason(row["category"]),
            place=_point(row),
            place_name=row["place_name"],
            time_of_day=PartOfDay(row["time_of_day"]) if row["time_of_day"] else None,
            severity=Severity(row["severity"]),
            words=row["words"],
            raised_on=row["raised_on"],
        )
        for row in await tx.fetch(QUERIES.concerns_of_walks, *_columns([walk]))
    ]


async def known_concerns(tx: Transaction, concerns: Iterable[Key]) -> set[UUID]:
    """Which of these concerns were raised here."""
    return {row["id"] for row in await tx.fetch(QUERIES.known_concerns, *_columns(concerns))}


async def save_referrals(tx: Transaction, referrals: Sequence[Referral]) -> None:
    """Write what partners last said."""
    if not referrals:
        return
    await tx.run(
        QUERIES.save_referrals,
        [referral.force_id for referral in referrals],
        [referral.id for referral in referrals],
        [referral.concern_id for referral in referrals],
        [referral.partner_id for referral in referrals],
        [referral.partner_name for referral in referrals],
        [referral.state.value for referral in referrals],
        [referral.told_at for referral in referrals],
        [referral.words for referral in referrals],
        [referral.respond_by for referral in referrals],
        [referral.planned_for for referral in referrals],
    )


async def referrals_of_walk(tx: Transaction, walk: Key) -> list[Referral]:
    """What partners said about the concerns of a walk."""
    return [
        Referral(
            force_id=row["force_id"],
            id=_uuid(row["id"]),
            concern_id=_uuid(row["concern_id"]),
            partner_id=row["partner_id"],
            partner_name=row["partner_name"],
            state=ReferralState(row["state"]),
            told_at=row["told_at"],
            words=row["words"],
            respond_by=row["respond_by"],
            planned_for=row["planned_for"],
        )
        for row in await tx.fetch(QUERIES.referrals_of_walks, *_columns([walk]))
    ]


async def save_follow_ups(tx: Transaction, changed: Sequence[FollowUp]) -> None:
    """Write follow-ups as they now are, new ones and changed ones alike."""
    if not changed:
        return
    await tx.run(
        QUERIES.save_follow_ups,
        [each.force_id for each in changed],
        [each.id for each in changed],
        [each.kind.value for each in changed],
        [each.urgency.value for each in changed],
        [each.opened_at for each in changed],
        [each.due_at for each in changed],
        [each.request_id for each in changed],
        [each.contact_id for each in changed],
        [each.walk_id for each in changed],
        [each.officer_id for each in changed],
        [" ".join(each.reasons) for each in changed],
        [each.overdue_at for each in changed],
        [each.completed_at for each in changed],
        [each.completed_by for each in changed],
        [each.outcome for each in changed],
    )


async def known_contacts(tx: Transaction, contacts: Iterable[Key]) -> set[UUID]:
    """Which of these wanted contacts have a follow-up already."""
    return {row["contact_id"] for row in await tx.fetch(QUERIES.known_contacts, *_columns(contacts))}


async def lock_follow_ups(tx: Transaction, wanted: Iterable[Key]) -> dict[UUID, FollowUp]:
    """These follow-ups, locked until the transaction ends; unknown ones are left out."""
    rows = await tx.fetch(QUERIES.lock_follow_ups, *_columns(wanted))
    return {each.id: each for each in map(_follow_up, rows)}


async def follow_ups_by_id(tx: Transaction, wanted: Iterable[Key]) -> dict[UUID, FollowUp]:
    """These follow-ups; unknown ones are left out."""
    rows = await tx.fetch(QUERIES.follow_ups_by_id, *_columns(wanted))
    return {each.id: each for each in map(_follow_up, rows)}


async def follow_ups(
    tx: Transaction, force_id: str, officer_id: str | None, asking: str, page: int, *, is_open: bool = True
) -> tuple[list[FollowUp], bool]:
    """A page (from 1) of the follow-ups of a force or one officer, due first, and whether more follow.

    Those of women who exclude whoever is `asking` are left out.
    """
    asks = (force_id, is_open, asking, PAGE + 1, (page - 1) * PAGE)
    if officer_id is None:
        rows = await tx.fetch(QUERIES.follow_ups_of_force, *asks)
    else:
        rows = await tx.fetch(QUERIES.follow_ups_of_officer, *asks, officer_id)
    return [_follow_up(row) for row in rows[:PAGE]], len(rows) > PAGE


async def follow_ups_of_walk(tx: Transaction, walk: Key) -> list[FollowUp]:
    """The follow-ups of a walk."""
    return [_follow_up(row) for row in await tx.fetch(QUERIES.follow_ups_of_walks, *_columns([walk]))]


async def release_follow_ups(tx: Transaction, walks: Iterable[Key]) -> None:
    """Give open follow-ups of these walks to a coordinator where the woman now excludes their officer or team."""
    await tx.run(QUERIES.release_follow_ups, *_columns(walks))


async def mark_overdue(tx: Transaction, passed: Iterable[Key], now: datetime) -> int:
    """Mark open follow-ups that have passed their day; how many were not marked before."""
    return await tx.run(QUERIES.mark_overdue, *_columns(passed), now)


def _follow_up(row: Row) -> FollowUp:
    return FollowUp(
        force_id=row["force_id"],
        id=_uuid(row["id"]),
        kind=FollowUpKind(row["kind"]),
        urgency=Urgency(row["urgency"]),
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        request_id=_uuid(row["request_id"]) if row["request_id"] else None,
        contact_id=_uuid(row["contact_id"]) if row["contact_id"] else None,
        walk_id=_uuid(row["walk_id"]) if row["walk_id"] else None,
        officer_id=row["officer_id"],
        reasons=tuple(row["reasons"]),
        overdue_at=row["overdue_at"],
        completed_at=row["completed_at"],
        completed_by=row["completed_by"],
        outcome=row["outcome"],
    )


async def work_waiting(tx: Transaction, force_id: str, now: datetime) -> Mapping[str, int]:
    """How much waits in a force: triage, routed, open and overdue follow-ups."""
    row = await tx.fetch_row(QUERIES.work_waiting, force_id, now)
    assert row is not None
    return dict(row)


async def counts(tx: Transaction, now: datetime) -> dict[str, list[tuple[str, str, int]]]:
    """For metrics, (force, which, how many): walks by state, walks late, follow-ups open and overdue."""
    walks_by_state = [(row["force_id"], row["state"], row["many"]) for row in await tx.fetch(QUERIES.walks_by_state)]
    late = [(row["force_id"], "", row["many"]) for row in await tx.fetch(QUERIES.walks_late, now)]
    waiting = await tx.fetch(QUERIES.follow_ups_waiting, now)
    return {
        "walks": walks_by_state,
        "late": late,
        "follow_ups": [(row["force_id"], which, row[which]) for row in waiting for which in ("open", "overdue")],
    }


def _columns(keys: Iterable[tuple[str, Any]]) -> tuple[list[str], list[Any]]:
    """Keys as the two arrays unnest wants, in one order for all, so that locks are never taken crosswise."""
    ordered = sorted(set(keys))
    return [force_id for force_id, _ in ordered], [id_ for _, id_ in ordered]


def _point(row: Row) -> Point:
    return Point(latitude=row["latitude"], longitude=row["longitude"])


def _uuid(value: Any) -> UUID:
    # asyncpg gives its own subclass, which pydantic's strict JSON and equality of dataclasses need not meet.
    return UUID(int=value.int)


async def erase_requests(tx: Transaction, requests: Sequence[Key]) -> None:
    """Keep of these requests what counts need."""
    await tx.run(QUERIES.erase_requests, *_columns(requests))


async def drop_open_contacts(tx: Transaction, requests: Sequence[Key]) -> list[Key]:
    """Forget calls and visits of these requests that were not made; which there were."""
    rows = await tx.fetch(QUERIES.drop_open_contacts, *_columns(requests))
    return [(row["force_id"], row["id"]) for row in rows]


async def erase_walks(tx: Transaction, walks: Sequence[Key]) -> None:
    """Keep of these walks what counts and the officer's record need."""
    await tx.run(QUERIES.erase_walks, *_columns(walks))


async def erase_concerns(tx: Transaction, walks: Sequence[Key]) -> list[Key]:
    """Take the words out of the concerns of these walks; which had any."""
    rows = await tx.fetch(QUERIES.erase_concerns, *_columns(walks))
    return [(row["force_id"], row["id"]) for row in rows]
