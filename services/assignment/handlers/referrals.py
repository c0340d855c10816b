"""What partners said is kept for the team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.assignment.domain import referrals
from services.assignment.store import concerns as concern_rows
from services.assignment.store import referrals as referral_rows
from shared.bus.subscriptions import Outcome
from shared.contracts.envelope import Received
from shared.contracts.referrals import ReferralEvent
from shared.database import Transaction


async def note_referrals(tx: Transaction, received: Sequence[Received[ReferralEvent]], now: datetime) -> Outcome:
    """Keep what partners said of our concerns, for the team to read."""
    known = await concern_rows.known_concerns(tx, [(one.force_id, one.event.concern_id) for one in received])
    told = [
        referrals.referral_told(one.event, one.force_id, one.time) for one in received if one.event.concern_id in known
    ]
    await referral_rows.save_referrals(tx, told)
    return Outcome(awaiting={one.id: one.event.concern_id for one in received if one.event.concern_id not in known})
