"""What falls due in assignment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from services.assignment.handlers import check_ins, noting, passing, patrols
from services.assignment.handlers import disclosures as disclosing
from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers.check_ins import CHECK_IN_DUE
from services.assignment.handlers.disclosures import DISCLOSURE_DUE, DISCLOSURE_PAST
from services.assignment.handlers.follow_ups import FOLLOW_UP_DUE
from services.assignment.handlers.noting import PHOTO_LET_GO
from services.assignment.handlers.passing import NOT_TAKEN
from services.assignment.handlers.walks import Policies
from shared.attachments import Attachments
from shared.bus import erasure
from shared.retention import Take
from shared.timers import Timers


def retention() -> Mapping[str, Take]:
    """What is done with each kind of thing that is past its time."""
    return {"patrol_words": patrols.empty_heard}


def timers(policies: Policies, attachments: Attachments) -> Timers:
    """One line a kind."""
    found = Timers()
    found.on(FOLLOW_UP_DUE, following_up.mark_overdue)
    found.on(CHECK_IN_DUE, check_ins.raise_alarm)
    found.on(NOT_TAKEN, partial(passing.escalate_not_taken, policies=policies))
    found.on(PHOTO_LET_GO, partial(noting.let_go_of_photos, attachments=attachments))
    found.on(DISCLOSURE_DUE, disclosing.mark_overdue)
    found.on(DISCLOSURE_PAST, partial(disclosing.let_go, policies=policies))
    found.on(erasure.SCRUB, erasure.scrub)
    return found
