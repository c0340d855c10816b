"""What partners last said."""

from __future__ import annotations

from collections.abc import Sequence

from services.assignment.domain.referrals import Referral, ReferralState
from services.assignment.store import QUERIES
from services.assignment.store.rows import Key, columns, uuid_of
from shared.database import Transaction


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
            id=uuid_of(row["id"]),
            concern_id=uuid_of(row["concern_id"]),
            partner_id=row["partner_id"],
            partner_name=row["partner_name"],
            state=ReferralState(row["state"]),
            told_at=row["told_at"],
            words=row["words"],
            respond_by=row["respond_by"],
            planned_for=row["planned_for"],
        )
        for row in await tx.fetch(QUERIES.referrals_of_walks, *columns([walk]))
    ]
