"""The form half filled in, kept sealed for a few hours."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from services.intake.handlers.keeping import Keeping
from services.intake.store import drafts as draft_rows
from shared import timers
from shared.database import Transaction
from shared.timers import Due, Fired

DRAFT_EXPIRES: Final = "draft-expires"
DRAFT_LASTS: Final = timedelta(hours=3)
_DRAFT: Final = "draft"
_DRAFT_SIZE: Final = 12288
"""Every form is as long as one with all words written out in ordinary letters, so that its length tells nothing."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A form half filled in, open. `content` is what JSON can hold."""

    force_id: str
    id: UUID
    content: Mapping[str, Any]


async def begin_draft(
    tx: Transaction, force_id: str, content: Mapping[str, Any], now: datetime, *, keeping: Keeping
) -> str:
    """Begin a form; the token finds it again for a few hours, and only its digest is kept."""
    token, draft_id, expires_at = secrets.token_urlsafe(32), uuid4(), now + DRAFT_LASTS
    sealed = keeping.vault.seal(_DRAFT, dict(content), str(draft_id), size=_DRAFT_SIZE)
    await draft_rows.add_draft(tx, force_id, draft_id, keeping.vault.digest(_DRAFT, token), sealed, expires_at)
    await timers.set(tx, DRAFT_EXPIRES, [Due(force_id, draft_id, expires_at)])
    return token


async def read_draft(
    tx: Transaction, force_id: str, token: str, now: datetime, *, keeping: Keeping, hold: bool = False
) -> Draft | None:
    """The form of a token; None once it has expired. Held still until the transaction ends if asked."""
    found = await draft_rows.draft(tx, force_id, keeping.vault.digest(_DRAFT, token), now, hold=hold)
    if found is None:
        return None
    return Draft(force_id, found.id, keeping.vault.open(_DRAFT, found.sealed, str(found.id)))


async def save_draft(tx: Transaction, draft: Draft, content: Mapping[str, Any], *, keeping: Keeping) -> None:
    """Keep the form as it stands now."""
    sealed = keeping.vault.seal(_DRAFT, dict(content), str(draft.id), size=_DRAFT_SIZE)
    await draft_rows.save_draft(tx, draft.force_id, draft.id, sealed)


async def erase_draft(tx: Transaction, draft: Draft) -> None:
    """She has left the form, or wants to begin anew."""
    await draft_rows.remove_drafts(tx, [(draft.force_id, draft.id)])
    await timers.cancel(tx, DRAFT_EXPIRES, draft.force_id, [draft.id])


async def hand_over(
    tx: Transaction, draft: Draft, force_id: str, content: Mapping[str, Any], now: datetime, *, keeping: Keeping
) -> str:
    """Another force's form begun with this content, and this one gone, in one transaction that may touch both; the
    token of the new one."""
    token = await begin_draft(tx, force_id, content, now, keeping=keeping)
    await erase_draft(tx, draft)
    return token


async def erase_expired_drafts(tx: Transaction, fired: Sequence[Fired], now: datetime) -> None:
    """Forms nobody finished are gone after a few hours."""
    await draft_rows.remove_drafts(tx, [(one.force_id, one.subject) for one in fired])
