"""deploy/topics.yaml says what the contracts and the subscriptions of the services say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.bus.topics import Permission, Topics, TopicsFault
from shared.contracts.catalogue import EVENTS, SERVICES, WRITERS, parked_topic, writer_of
from shared.contracts.generate import subscribed
from shared.contracts.partner_view import partner_topic
from shared.policies import Policies

DEPLOY = Path(__file__).parents[2] / "deploy"
TOPICS = Topics.read(DEPLOY / "topics.yaml")
POLICIES = Policies.read(DEPLOY / "forces")
WORDS = ("concerns.v1", "referrals.v1", "walks.v1", "partner.{partner}.v1")
COARSE = ("baseline.v1", "feedback.v1")


def test_every_topic_of_the_contracts_stands_in_the_file_and_no_other() -> None:
    """The catalogue's topics and one for parked records a service."""
    assert set(TOPICS) == {event.topic for event in EVENTS} | {parked_topic(service) for service in SERVICES}


def test_writers_are_those_of_the_catalogue() -> None:
    """One service writes a topic."""
    for event in EVENTS:
        assert TOPICS[event.topic].writer == writer_of(event)
    for service in SERVICES:
        assert TOPICS[parked_topic(service)].writer == service


@pytest.mark.parametrize("service", SERVICES)
def test_readers_are_those_that_subscribe(service: str) -> None:
    """Whoever has a handler may read, and nobody else."""
    listed = {name for name, topic in TOPICS.items() if service in topic.readers}
    assert listed == {event.topic for event in subscribed(service)}


def test_words_of_hers_are_kept_a_week_and_coarse_times_long_enough() -> None:
    """After topic retention nothing of her words is left; a month's record is not dropped before it is read."""
    for name in WORDS:
        assert TOPICS[name].retention_days == 7
    for name in COARSE:
        assert TOPICS[name].retention_days >= 60
    for service in SERVICES:
        assert TOPICS[parked_topic(service)].retention_days == 7


def test_every_partner_of_every_force_has_its_topic() -> None:
    """A new agreement in a policy file is a new topic."""
    names = {spec.name for spec in TOPICS.names_for("partners", POLICIES)}
    assert names == {"referrals.v1", "partners.parked.v1"} | {
        partner_topic(partner.partner_id) for policy in POLICIES.values() for partner in policy.partners
    }


def test_topics_survive_the_loss_of_a_broker() -> None:
    """Three copies, two of which must have a record before it counts; a single broker has one."""
    for spec in TOPICS.names_for("assignment", POLICIES):
        assert (spec.partitions, spec.replication, spec.config["min.insync.replicas"]) == (4, 3, "2")
    for spec in TOPICS.names_for("assignment", POLICIES, one_broker=True):
        assert (spec.replication, spec.config["min.insync.replicas"]) == (1, "1")


def allowed(principal: str, operation: str) -> set[Permission]:
    return {one for one in TOPICS.permissions(POLICIES) if one.principal == principal and one.operation == operation}


def test_partner_reads_its_own_topic_and_nothing_else() -> None:
    """Its credentials open one topic, in groups of its own name."""
    principal = "User:partner-lambeth-council"
    assert allowed(principal, "Write") == set()
    assert allowed(principal, "Read") == {
        Permission(principal, "Read", "Topic", "partner.lambeth-council.v1"),
        Permission(principal, "Read", "Group", "partner-lambeth-council.", prefixed=True),
    }


@pytest.mark.parametrize("service", SERVICES)
def test_service_writes_its_own_topics_alone(service: str) -> None:
    """Nobody can speak for another."""
    mine = {name for event in WRITERS[service] if "{" not in (name := event.topic)} | {parked_topic(service)}
    may = {one.name for one in allowed(f"User:walkandtalk-{service}", "Write")}
    assert {name for name in may if not name.startswith("partner.")} == mine
    assert service == "partners" or not any(name.startswith("partner.") for name in may)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("topics: {}", "defaults"),
        ("{", "cannot be read"),
        (
            "{defaults: {partitions: 4, replication: 3, min_insync_replicas: 2}, principals: {},"
            " topics: {a.v1: {writer: nobody, readers: [], retention_days: 1}}}",
            "topics.a.v1",
        ),
    ],
)
def test_fault_in_the_file_names_the_place(tmp_path: Path, text: str, named: str) -> None:
    """Whoever writes it learns what to mend."""
    path: Any = tmp_path / "topics.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TopicsFault, match=named):
        Topics.read(path)
