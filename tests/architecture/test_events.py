"""Events: each in the catalogue, with its schema, one writer, and a line in docs/events.md."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import shared.contracts
from shared.contracts.catalogue import BY_TYPE, EVENTS, SERVICES, WRITERS, writer_of
from shared.contracts.envelope import Event
from shared.contracts.generate import subscribed
from shared.contracts.partner_view import PartnerEvent
from tests.architecture import events_page

ROOT = Path(__file__).resolve().parents[2]


def kinds_of_event(root: type[Event] = Event) -> Iterator[type[Event]]:
    """Every event the contracts define: what has a name of its own."""
    for module in iter_modules(shared.contracts.__path__):
        if module.name != "generate":
            import_module(f"shared.contracts.{module.name}")
    for below in root.__subclasses__():
        if below.__module__.startswith("shared.contracts.") and "name" in vars(below):
            yield below
        yield from kinds_of_event(below)


def test_every_event_stands_in_the_catalogue_once() -> None:
    """What is not there has no writer, no schema and no topic's permission."""
    assert sorted(event.__name__ for event in kinds_of_event()) == sorted(event.__name__ for event in EVENTS)
    assert len(BY_TYPE) == len(EVENTS)


def test_every_event_has_one_writer_and_a_topic_of_that_writer_alone() -> None:
    """One service writes a topic."""
    topics: dict[str, set[str]] = {}
    for service, written in WRITERS.items():
        for event in written:
            topics.setdefault(event.topic, set()).add(service)
    assert {topic: writers for topic, writers in topics.items() if len(writers) != 1} == {}


def test_every_event_has_its_schema_committed() -> None:
    """deploy/schemas holds one file an event, and no other."""
    files = {path.name for path in (ROOT / "deploy" / "schemas").iterdir()}
    assert files == {event.schema_path() for event in EVENTS}


def test_every_event_names_its_key_and_says_what_happened() -> None:
    """Without a key there is no order; the docstring is what documents show."""
    for event in EVENTS:
        assert event.key is not Event.key, event.__name__
        assert (inspect.getdoc(event) or "") not in ("", inspect.getdoc(Event)), event.__name__


@pytest.mark.parametrize("service", SERVICES)
def test_service_subscribes_to_events_of_others(service: str) -> None:
    """Nobody hears itself, nobody reads what is meant for partners, and no event is taken twice."""
    taken = subscribed(service)
    assert len(set(taken)) == len(taken)
    for event in taken:
        assert event in EVENTS
        assert writer_of(event) != service
        assert not issubclass(event, PartnerEvent)


def test_events_page_is_up_to_date() -> None:
    """`python -m tests.architecture.events_page` would change nothing."""
    assert events_page.PAGE.read_text(encoding="utf-8") == events_page.page()
