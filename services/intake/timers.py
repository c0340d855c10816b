"""What falls due in intake."""

from __future__ import annotations

from functools import partial

from services.intake.handlers import answers, confirming, drafts, equality, erasure, follow_ups
from services.intake.handlers import retention as kept
from services.intake.handlers.keeping import Keeping
from shared.bus.erasure import SCRUB, scrub
from shared.retention import Take
from shared.timers import Timers


def retention(keeping: Keeping) -> dict[str, Take]:
    """What is done with each kind of thing that is past its time."""
    return {
        "participant": partial(kept.erase_past, keeping=keeping),
        "unarranged": partial(kept.erase_past, keeping=keeping),
        "message": kept.empty_messages,
        "letter": kept.give_up_letters,
    }


def timers(keeping: Keeping) -> Timers:
    """Forms nobody finished are erased; answers that waited long enough leave; contacts that are wanted are told."""
    due = Timers()
    due.on(drafts.DRAFT_EXPIRES, drafts.erase_expired_drafts)
    due.on(answers.BASELINE_LEAVES, partial(answers.release_baselines, keeping=keeping))
    due.on(equality.EQUALITY_LEAVES, partial(equality.release_equality, keeping=keeping))
    due.on(follow_ups.CONTACT_IS_TOLD, partial(follow_ups.tell_wanted_contacts, keeping=keeping))
    due.on(erasure.ANSWERS_WITHDRAWN, partial(erasure.withdraw_answers, keeping=keeping))
    due.on(confirming.NOT_CONFIRMED, partial(confirming.erase_unconfirmed, keeping=keeping))
    due.on(SCRUB, scrub)
    return due
