"""The bus comes in: one line an event type; nothing else happens here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from services.partners import handlers
from shared.bus.subscriptions import Subscriptions
from shared.contracts.areas import AreaPublished
from shared.contracts.concerns import ConcernRaised, ConcernRedacted, ConcernWithdrawn
from shared.contracts.policy import ForcePolicy


def subscriptions(policies: Mapping[str, ForcePolicy]) -> Subscriptions:
    """What partners consumes."""
    subscribe = Subscriptions("partners")
    subscribe.to(AreaPublished, handlers.keep_areas)
    subscribe.to(ConcernRaised, partial(handlers.open_referrals, policies=policies))
    subscribe.to(ConcernWithdrawn, handlers.close_withdrawn)
    subscribe.to(ConcernRedacted, handlers.redact)
    return subscribe
