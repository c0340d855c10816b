"""The topics of the embedded broker: every topic of the contracts, parked topics, and one for each demo partner."""

from __future__ import annotations

from shared.contracts.catalogue import EVENTS, SERVICES, parked_topic
from shared.contracts.partner_view import partner_topic
from shared.embedded.broker import PARTITIONS
from shared.embedded.demo_people import people


def embedded_topics() -> dict[str, int]:
    """Topic to number of partitions."""
    names = {event.topic for event in EVENTS if "{" not in event.topic}
    names |= {parked_topic(service) for service in SERVICES}
    names |= {partner_topic(person.partner_id) for person in people() if person.partner_id}
    return dict.fromkeys(sorted(names), PARTITIONS)
