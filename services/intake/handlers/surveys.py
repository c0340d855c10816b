"""The links of surveys, made for each woman of a walk and sent by her safe channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.answers import SURVEY_OPEN_FOR
from services.intake.domain.messages import MessageKind
from services.intake.handlers.follow_ups import CONTACT
from services.intake.handlers.keeping import Keeping, Woman, open_request
from services.intake.handlers.messages import Notice, announce
from services.intake.store import requests as request_rows
from services.intake.store.requests import Stored
from shared.bus import erasure
from shared.bus.subscriptions import Outcome
from shared.contracts.envelope import Received
from shared.contracts.feedback import SurveyInvited
from shared.contracts.kinds import SurveyName
from shared.database import Transaction
from shared.survey_link import Ticket


async def send_surveys(
    tx: Transaction, received: Sequence[Received[SurveyInvited]], now: datetime, *, keeping: Keeping
) -> Outcome:
    """Make the link of each woman of the walk and send it by her safe channel; feedback never sees whom it goes to."""
    women = await request_rows.requests_of_walks(tx, [one.event.walk_id for one in received])
    notices = [
        Notice(
            woman := open_request(keeping.vault, stored),
            MessageKind.SURVEY,
            _survey_facts(keeping, woman, stored, one.event.survey, max(now, one.event.send_from)),
            one.event.send_from,
        )
        for one in received
        for stored in women.get(one.event.walk_id, ())
    ]
    await announce(tx, keeping, notices, now)
    # A walk of which no woman is left is known, and nobody is to be asked.
    unknown = [one for one in received if one.event.walk_id not in women]
    erased = await erasure.buried(tx, [(one.force_id, one.event.walk_id) for one in unknown])
    return Outcome(
        awaiting={one.id: one.event.walk_id for one in unknown if (one.force_id, one.event.walk_id) not in erased}
    )


def _survey_facts(
    keeping: Keeping, woman: Woman, stored: Stored, survey: SurveyName, opens: datetime
) -> Mapping[str, Any]:
    held, until = woman.held, opens + SURVEY_OPEN_FOR
    ticket = Ticket(
        held.force_id,
        survey,
        UUID(woman.data_key.open(stored.pair, f"pair of {held.id}")),
        keeping.vault.seal_text(CONTACT, [held.force_id, held.id.hex]),
        until,
    )
    link = f"{keeping.feedback_url}/s/{ticket.token(keeping.link_key)}"
    return {"link": link, "until": until.isoformat()}
