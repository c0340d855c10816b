"""What falls due in intake."""

from __future__ import annotations

from functools import partial

from services.intake import handlers
from services.intake.handlers import BASELINE_LEAVES, CONTACT_IS_TOLD, DRAFT_EXPIRES, Keeping
from shared.timers import Timers


def timers(keeping: Keeping) -> Timers:
    """Forms nobody finished are erased; answers that waited long enough leave; contacts that are wanted are told."""
    due = Timers()
    due.on(DRAFT_EXPIRES, handlers.erase_expired_drafts)
    due.on(BASELINE_LEAVES, partial(handlers.release_baselines, keeping=keeping))
    due.on(CONTACT_IS_TOLD, partial(handlers.tell_wanted_contacts, keeping=keeping))
    return due
