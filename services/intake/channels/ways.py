"""Every way out of intake, by the name its messages carry. Letters have none: a person posts them."""

from __future__ import annotations

from collections.abc import Mapping

from services.intake.channels.email import Email
from services.intake.channels.notify import Notify
from services.intake.dependencies import Dependencies
from services.intake.handlers.delivery import RECEIPTS
from shared import sendings
from shared.contracts import kinds


def ways_out(deps: Dependencies) -> Mapping[str, sendings.Channel]:
    """What sends by each channel, and what asks for receipts."""
    notify = Notify(deps, Email(deps))
    return {
        kinds.Channel.EMAIL.value: notify.send_email,
        kinds.Channel.TEXT.value: notify.send_text,
        RECEIPTS: notify.ask_receipt,
    }
