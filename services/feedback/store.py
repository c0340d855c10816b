"""The rows of feedback: invitations, answers, flags, and what concerns and referrals came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

from services.feedback.domain import Answered, Concern, Invitation, ReferralState
from services.feedback.evaluation import Tally
from shared.contracts.baseline import EqualityAnswered
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.kinds import SurveyName
from shared.contracts.walks import PatrolLogged
from shared.database import Queries, Transaction

QUERIES: Final = Queries.read(Path(__file__).with_name("queries.sql"))


async def save_invitations(tx: Transaction, invitations: Sequence[Invitation]) -> set[UUID]:
    """Save invitations; the ids of those that are the first of their walk."""
    rows = await tx.fetch(
        QUERIES.save_invitations,
        [one.force_id for one in invitations],
        [one.event.walk_id for one in invitations],
        [one.event.survey for one in invitations],
        [one.event.invitation_id for one in invitations],
        [one.area_id for one in invitations],
        [one.women for one in invitations],
        [one.month for one in invitations],
        [one.event.send_from for one in invitations],
    )
    return {row["id"] for row in rows}


async def save_answers(tx: Transaction, answered: Sequence[Answered]) -> set[tuple[str, str, UUID]]:
    """Save answers; (force, survey, pair id) of those that are the first under their pair id."""
    rows = await tx.fetch(
        QUERIES.save_answers,
        [one.force_id for one in answered],
        [one.survey for one in answered],
        [one.pair_id for one in answered],
        [one.version for one in answered],
        [one.month for one in answered],
        [dict(one.answers) for one in answered],
    )
    return {(row["force_id"], row["survey"], row["pair_id"]) for row in rows}


async def save_equality(tx: Transaction, answered: Sequence[tuple[str, EqualityAnswered]]) -> None:
    """Save equality answers by force, each on its own."""
    await tx.run(
        QUERIES.save_equality,
        [force for force, _ in answered],
        [one.answer_id for _, one in answered],
        [one.month for _, one in answered],
        [one.question for _, one in answered],
        [one.answer for _, one in answered],
    )


async def unlink_answers(tx: Transaction, pairs: Sequence[tuple[str, UUID, UUID]]) -> None:
    """Put answers under other pair ids, given as (force, pair id, other)."""
    await tx.run(
        QUERIES.unlink_answers,
        [force for force, _, _ in pairs],
        [pair_id for _, pair_id, _ in pairs],
        [other for _, _, other in pairs],
    )


async def is_answered(tx: Transaction, force_id: str, survey: SurveyName, pair_id: UUID) -> bool:
    """Whether this survey was finished under this pair id."""
    return bool(await tx.fetch_value(QUERIES.is_answered, force_id, survey, pair_id))


async def mix_answers(tx: Transaction, forces: Sequence[str], since_month: str) -> None:
    """Write the answers of these forces since a month anew, in random order."""
    await tx.run(QUERIES.mix_answers, list(forces), since_month)


async def draft(tx: Transaction, force_id: str, id_: bytes) -> dict[str, str]:
    """What was answered so far, question code to answer code."""
    return dict(await tx.fetch_value(QUERIES.draft, force_id, id_) or {})


async def keep_draft(tx: Transaction, force_id: str, id_: bytes, month: str, answers: Mapping[str, str]) -> None:
    """Add answers to those kept so far."""
    await tx.run(QUERIES.keep_draft, force_id, id_, month, dict(answers))


async def leave_out_of_draft(tx: Transaction, force_id: str, id_: bytes, code: str) -> None:
    """Forget one answer kept so far."""
    await tx.run(QUERIES.leave_out_of_draft, force_id, id_, code)


async def forget_drafts(tx: Transaction, drafts: Sequence[tuple[str, bytes]]) -> None:
    """Forget what was kept of surveys that are finished now."""
    await tx.run(QUERIES.forget_drafts, [force for force, _ in drafts], [id_ for _, id_ in drafts])


async def forget_old_drafts(tx: Transaction, before_month: str) -> None:
    """Forget surveys begun before a month and never finished."""
    await tx.run(QUERIES.forget_old_drafts, before_month)


async def save_flags(tx: Transaction, flagged: Sequence[tuple[str, str, FeedbackFlagged]]) -> None:
    """Save flags, given as (force, month, event)."""
    await tx.run(
        QUERIES.save_flags,
        [force for force, _, _ in flagged],
        [event.flag_id for _, _, event in flagged],
        [event.survey for _, _, event in flagged],
        [" ".join(event.reasons) for _, _, event in flagged],
        [event.urgency for _, _, event in flagged],
        [month for _, month, _ in flagged],
        [event.contact is not None for _, _, event in flagged],
    )


async def save_areas(tx: Transaction, areas: Sequence[tuple[str, str, str]]) -> None:
    """Save areas, given as (force, area id, name)."""
    await tx.run(
        QUERIES.save_areas,
        [force for force, _, _ in areas],
        [area_id for _, area_id, _ in areas],
        [name for _, _, name in areas],
    )


async def save_concerns(tx: Transaction, concerns: Sequence[Concern]) -> None:
    """Save concerns to be counted."""
    await tx.run(
        QUERIES.save_concerns,
        [one.force_id for one in concerns],
        [one.concern_id for one in concerns],
        [one.area_id for one in concerns],
        [one.category for one in concerns],
        [one.raised_on for one in concerns],
    )


async def known_concerns(tx: Transaction, concern_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these concerns are known here."""
    return {row["id"] for row in await tx.fetch(QUERIES.known_concerns, list(concern_ids))}


async def withdraw_concerns(tx: Transaction, concern_ids: Sequence[UUID]) -> None:
    """Count these concerns no longer."""
    await tx.run(QUERIES.withdraw_concerns, list(concern_ids))


async def save_referrals(tx: Transaction, referrals: Sequence[ReferralState]) -> None:
    """Save how far referrals have come."""
    await tx.run(
        QUERIES.save_referrals,
        [one.force_id for one in referrals],
        [one.referral_id for one in referrals],
        [one.concern_id for one in referrals],
        [one.partner_id for one in referrals],
        [one.state for one in referrals],
    )


async def resolve_concerns(tx: Transaction, resolved: Sequence[tuple[str, UUID, str, date]]) -> None:
    """Save how concerns ended, given as (force, concern, resolution, day)."""
    if not resolved:
        return
    await tx.run(
        QUERIES.resolve_concerns,
        [force for force, _, _, _ in resolved],
        [concern_id for _, concern_id, _, _ in resolved],
        [resolution for _, _, resolution, _ in resolved],
        [on for _, _, _, on in resolved],
    )


async def save_follow_ups(tx: Transaction, made: Sequence[tuple[str, UUID, str, bool]]) -> None:
    """Save calls and visits made, given as (force, follow-up, outcome, in time)."""
    await tx.run(
        QUERIES.save_follow_ups,
        [force for force, _, _, _ in made],
        [id_ for _, id_, _, _ in made],
        [outcome for _, _, outcome, _ in made],
        [in_time for _, _, _, in_time in made],
    )


async def save_patrols(tx: Transaction, logged: Sequence[tuple[str, PatrolLogged]]) -> None:
    """Save patrols, given as (force, event)."""
    await tx.run(
        QUERIES.save_patrols,
        [force for force, _ in logged],
        [event.patrol_id for _, event in logged],
        [event.area_id for _, event in logged],
        [event.on for _, event in logged],
        [event.part for _, event in logged],
        [event.kind for _, event in logged],
        [event.minutes for _, event in logged],
        [" ".join(map(str, event.concern_ids)) for _, event in logged],
    )


async def forget_patrols(tx: Transaction, withdrawn: Sequence[tuple[str, UUID]]) -> None:
    """Forget patrols, given as (force, patrol)."""
    await tx.run(QUERIES.forget_patrols, [force for force, _ in withdrawn], [id_ for _, id_ in withdrawn])


async def tally(tx: Transaction, force_id: str) -> Tally:
    """Everything that is counted, exactly: for evaluate() alone."""
    walks = await tx.fetch_row(QUERIES.tally_of_walks, force_id)
    follow_ups = await tx.fetch_row(QUERIES.tally_of_follow_ups, force_id)
    assert walks is not None and follow_ups is not None
    changes = await tx.fetch(QUERIES.tally_of_changes, force_id)
    return Tally(
        walks=walks["walks"],
        women=walks["women"],
        finished={row["survey"]: row["finished"] for row in await tx.fetch(QUERIES.tally_of_surveys, force_id)},
        paired=await tx.fetch_value(QUERIES.tally_of_pairs, force_id),
        changes={(row["code"], row["before"], row["after"]): row["pairs"] for row in changes},
        concerns={row["category"]: row["concerns"] for row in await tx.fetch(QUERIES.tally_of_concerns, force_id)},
        outcomes={row["outcome"]: row["concerns"] for row in await tx.fetch(QUERIES.tally_of_outcomes, force_id)},
        speeds={row["speed"]: row["concerns"] for row in await tx.fetch(QUERIES.tally_of_speeds, force_id)},
        referrals={row["state"]: row["referrals"] for row in await tx.fetch(QUERIES.tally_of_referrals, force_id)},
        follow_ups_in_time=follow_ups["in_time"],
        follow_ups_late=follow_ups["late"],
    )
