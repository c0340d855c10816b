"""The contracts as others see them: schemas, documents, records of earlier versions, an outside reader."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no hints

from shared.contracts import generate
from shared.contracts.asyncapi import document, headers_schema, partner_document
from shared.contracts.catalogue import BY_TYPE, EVENTS, SERVICES, writer_of
from shared.contracts.compatibility import breaking_changes
from shared.contracts.envelope import Envelope, Event, json_schema
from shared.contracts.partner_view import PartnerEvent

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))

golden = pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)


def record(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def headers_of(found: dict[str, Any]) -> dict[str, bytes]:
    return {name: value.encode() for name, value in found["headers"].items()}


def test_generated_files_are_up_to_date() -> None:
    """`python -m shared.contracts.generate` would change nothing."""
    assert generate.differences() == []


def test_stale_and_leftover_files_are_told(tmp_path: Path) -> None:
    """The check names what it misses and what belongs to nothing."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "walk-danced.v1.json").write_text("{}")
    found = generate.differences(tmp_path)
    assert "schemas/walk-danced.v1.json belongs to nothing" in found
    assert "asyncapi/partner.json is not what the contracts say" in found


@each_event
def test_every_event_has_a_golden_record(event: type[Event]) -> None:
    """A new event brings the record that later versions must still read."""
    assert any(path.name == event.schema_path() for path in GOLDEN)


@golden
def test_golden_record_is_still_read(path: Path) -> None:
    """Headers, key and every field that stood in it."""
    found = record(path)
    envelope = Envelope.read(headers_of(found))
    event = BY_TYPE[envelope.type].model_validate(found["value"])
    assert str(event.key) == found["key"] == envelope.subject
    assert event.bus_topic == found["topic"]
    again = json.loads(event.model_dump_json(exclude_none=True))
    assert {name: again[name] for name in found["value"]} == found["value"]


@golden
def test_golden_record_is_valid_against_the_committed_schema(path: Path) -> None:
    """Value and headers, checked by a validator that is not ours."""
    found = record(path)
    event = BY_TYPE[found["headers"]["ce_type"]]
    schema = json.loads((ROOT / "deploy" / "schemas" / event.schema_path()).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert list(validator.iter_errors(found["value"])) == []
    assert list(Draft202012Validator(headers_schema(event)).iter_errors(found["headers"])) == []


@golden
def test_outside_reader_understands_the_record(path: Path) -> None:
    """The CloudEvents SDK reads the binary mode of the Kafka protocol binding as we write it."""
    found = record(path)
    envelope = Envelope.read(headers_of(found))
    message = KafkaMessage(
        headers=dict(envelope.headers()), key=found["key"].encode(), value=json.dumps(found["value"]).encode()
    )
    event = from_binary_event(message)
    assert isinstance(event, CloudEvent)
    assert (event.get_id(), event.get_type()) == (str(envelope.id), envelope.type)
    assert event.get_time() == envelope.time
    assert event.get_extension("forceid") == envelope.force_id
    assert event.get_extension("sequence") == str(envelope.sequence)
    assert event.get_datacontenttype() == "application/json"
    assert event.get_data() == found["value"]


@golden
def test_record_that_must_not_lead_back_carries_nothing_that_does(path: Path) -> None:
    """No correlation, causation or trace, a random id, a day instead of a moment."""
    found = record(path)
    envelope = Envelope.read(headers_of(found))
    if not BY_TYPE[envelope.type].precise:
        assert (envelope.correlation_id, envelope.causation_id, envelope.traceparent) == (None, None, None)
        assert envelope.id.version == 4
        assert (envelope.time.hour, envelope.time.minute, envelope.time.second) == (0, 0, 0)


def test_partners_view_names_no_participant_request_walk_or_concern() -> None:
    """Its fields are its own; none is an id of ours."""
    for event in EVENTS:
        if issubclass(event, PartnerEvent):
            ids = {name for name in event.model_fields if name.endswith(("_id", "_ids"))}
            assert ids <= {"partner_id"}


@each_event
def test_no_event_breaks_the_newest_release(event: type[Event]) -> None:
    """From the first release tag on a breaking change is a new major version on a new topic."""
    tag = newest_release()
    if tag is None:
        assert breaking_changes(json_schema(event), json_schema(event)) == []
        return
    shown = subprocess.run(
        ["git", "show", f"{tag}:deploy/schemas/{event.schema_path()}"], cwd=ROOT, capture_output=True, check=False
    )
    if shown.returncode == 0:
        assert breaking_changes(json.loads(shown.stdout), json_schema(event)) == []


def test_no_event_of_the_newest_release_was_removed() -> None:
    """An event somebody may still read stays until its major version has been left by all."""
    tag = newest_release()
    released: set[str] = set()
    if tag is not None:
        listed = subprocess.run(
            ["git", "ls-tree", "--name-only", f"{tag}:deploy/schemas"], cwd=ROOT, capture_output=True, check=False
        )
        released = set(listed.stdout.decode().split())
    assert released <= {event.schema_path() for event in EVENTS}


def newest_release() -> str | None:
    """The newest tag v*, None before the first and outside a checkout."""
    try:
        tags = subprocess.run(
            ["git", "tag", "--list", "v*", "--sort=-v:refname"], cwd=ROOT, capture_output=True, check=False
        )
    except OSError:
        return None
    return next(iter(tags.stdout.decode().split()), None)


def references(part: object) -> list[str]:
    """Every `$ref` in a document."""
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


@pytest.mark.parametrize("service", [*SERVICES, "partner"])
def test_asyncapi_document_holds_together(service: str) -> None:
    """Every reference leads somewhere, and every message has a payload."""
    made = partner_document() if service == "partner" else document(service, generate.subscribed(service))
    assert made["asyncapi"] == "3.0.0"
    for reference in references(made):
        found: Any = made
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    assert made["operations"]


@pytest.mark.parametrize("service", SERVICES)
def test_asyncapi_document_says_what_the_service_sends_and_receives(service: str) -> None:
    """All it writes, all it has handlers for."""
    made = document(service, generate.subscribed(service))
    said: dict[str, set[str]] = {"send": set(), "receive": set()}
    for operation in made["operations"].values():
        said[operation["action"]] |= {one["$ref"].rpartition("/")[2] for one in operation["messages"]}
    assert said["send"] == {f"{e.name}.v{e.major}" for e in EVENTS if writer_of(e) == service} | {"parked"}
    assert said["receive"] == {f"{e.name}.v{e.major}" for e in generate.subscribed(service)}


def test_partners_document_holds_their_topic_alone() -> None:
    """Nothing of the internal topics, not even a name."""
    made = partner_document()
    assert [channel["address"] for channel in made["channels"].values()] == ["partner.{partner}.v1"]
    text = json.dumps(made)
    for word in ("walk_id", "request_id", "concern_id", "ce_correlationid", "ce_causationid", "ce_traceparent"):
        assert word not in text
