"""What every channel asks before anything leaves."""

from __future__ import annotations

from uuid import UUID

from services.intake.dependencies import Dependencies
from services.intake.domain.messages import Refuse
from services.intake.handlers.messages import ToSend, message_to_send
from shared.sendings import NoLonger, Undeliverable


async def let_through(deps: Dependencies, force_id: str, id_: UUID) -> ToSend:
    """The message that is to leave now; the reason is kept where it may not.

    :raises NoLonger: her rules let it pass no longer.
    :raises Undeliverable: there is no address for it.
    :raises NotYet: not at this hour.
    """
    async with deps.bus_database.transaction([force_id]) as tx:
        found = await message_to_send(tx, force_id, id_, deps.clock(), keeping=deps.keeping)
    if found is Refuse.NO_ADDRESS:
        raise Undeliverable(found.value)
    if isinstance(found, Refuse):
        raise NoLonger(found.value)
    return found
