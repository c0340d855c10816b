"""The topics of the embedded broker: every topic of the contracts, parked topics, and one for each demo partner."""

from __future__ import annotations

from shared.contracts.catalogue import EVENTS, SERVICES, parked_topic
from shared.contracts.partner_view import partner_topic
from shared.embedded.broker import PARTITIONS
from shared.embedded.program import ROOT
from shared.policies import Policies


def embedded_topics() -> dict[str, int]:
    """Topic to number of partitions."""
    names = {event.topic for event in EVENTS if "{" not in event.topic}
    names |= {parked_topic(service) for service in SERVICES}
    policies = Policies.read(ROOT / "deploy" / "forces")
    names |= {partner_topic(partner.partner_id) for policy in policies.values() for partner in policy.partners}
    return dict.fromkeys(sorted(names), PARTITIONS)
