"""What publicity brought requests: counts, as far as they may be shown."""

from __future__ import annotations

from collections.abc import Iterable

from services.intake.store import campaigns as campaign_rows
from shared.database import Transaction
from shared.disclosure import Row, protect_row


async def heard_by(tx: Transaction, force_id: str, campaigns: Iterable[str], since_month: str) -> Row[str]:
    """Requests by campaign since a month, small numbers protected: on a poster in one refuge a 1 is one woman."""
    counts = await campaign_rows.heard_counts(tx, force_id, since_month)
    return protect_row({code: counts.get(code, 0) for code in campaigns})
