"""AsyncAPI 3.0 documents, made from the catalogue: one a service, and one for partners of their own topic alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.contracts import partner_view
from shared.contracts.catalogue import WRITERS, parked_topic
from shared.contracts.envelope import CONTENT_TYPE, TYPE_PREFIX, Event

Document = dict[str, Any]

VERSION: Final = "1.0.0"
_SCHEMA: Final = "urn:walkandtalk:schema:"
_UUID: Final = {"type": "string", "format": "uuid"}
_HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "ce_specversion": {"const": "1.0", "description": "Version of CloudEvents."},
    "ce_id": {**_UUID, "description": "The event's own id; a redelivery has the same."},
    "ce_source": {"type": "string", "description": "The service that published it, `/intake`."},
    "ce_type": {"type": "string", "description": "What happened, and its major version."},
    "ce_time": {"type": "string", "format": "date-time", "description": "When it became true, UTC."},
    "ce_subject": {"type": "string", "description": "The aggregate's id, the same as the record's key."},
    "ce_dataschema": {"type": "string", "description": "The JSON Schema of the value."},
    "content-type": {"const": CONTENT_TYPE, "description": "The value is JSON and holds the data alone."},
    "ce_forceid": {"type": "string", "description": "The police force, as data.police.uk spells it."},
    "ce_sequence": {
        "type": "string",
        "pattern": "^[1-9][0-9]*$",
        "description": "Counts the events of this key on this topic from 1 without gaps.",
    },
}
_TRACKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "ce_correlationid": {**_UUID, "description": "The first event or call of the chain this one belongs to."},
    "ce_causationid": {**_UUID, "description": "The event that caused this one."},
    "ce_traceparent": {"type": "string", "description": "W3C trace context."},
}
_PARKED_HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "content-type": {"const": "application/octet-stream"},
    "parked_by": {"type": "string", "description": "The service that could not read or apply it."},
    "parked_reason": {"type": "string", "description": "Why, without what it holds."},
    "parked_topic": {"type": "string", "description": "Where it stood: topic."},
    "parked_partition": {"type": "string", "description": "Where it stood: partition."},
    "parked_offset": {"type": "string", "description": "Where it stood: offset."},
}


def document(service: str, consumes: tuple[type[Event], ...]) -> Document:
    """What a service sends and receives. `consumes` are the events it has handlers for."""
    found = _start(
        f"Walk and Talk: {service}",
        "Events are CloudEvents 1.0 in the binary mode of their Kafka protocol binding: attributes are headers, the "
        "key is the aggregate's id, the value is the data as JSON. Events of one key keep their order.",
    )
    _add(found, "send", WRITERS[service])
    _add(found, "receive", consumes)
    parked = parked_topic(service)
    found["channels"][parked] = {
        "address": parked,
        "description": "Records this service could not read or apply, as they came.",
        "messages": {"parked": {"$ref": "#/components/messages/parked"}},
    }
    found["operations"]["send-" + _slug(parked)] = _operation("send", parked, ["parked"])
    found["components"]["messages"]["parked"] = {
        "name": "parked",
        "title": "Parked record",
        "summary": "The original bytes and headers of a record, why it was parked and where it stood.",
        "contentType": "application/octet-stream",
        "headers": _schema_of(_PARKED_HEADERS, _PARKED_HEADERS),
    }
    return found


def partner_document() -> Document:
    """What a partner may read: its own topic."""
    found = _start(
        "Walk and Talk: for partners",
        "Concerns referred to you under your agreement. Your credentials read this one topic. References are made for "
        "you alone, times are days, and nothing leads back to the woman who raised the concern. Events are CloudEvents "
        "1.0 in the binary mode of their Kafka protocol binding; an event may come twice, with the same ce_id.",
    )
    _add(found, "receive", partner_view.EVENTS)
    return found


def headers_schema(event: type[Event]) -> Document:
    """The JSON Schema of an event's headers, each as text."""
    required = dict(_HEADERS)
    required["ce_type"] = {**_HEADERS["ce_type"], "const": event.type()}
    required["ce_dataschema"] = {**_HEADERS["ce_dataschema"], "const": _SCHEMA + event.type().removeprefix(TYPE_PREFIX)}
    if event.precise:
        return _schema_of({**required, **_TRACKS}, required)
    required["ce_time"] = {**_HEADERS["ce_time"], "description": "The day it became true: midnight UTC."}
    return {**_schema_of(required, required), "propertyNames": {"enum": list(required)}}


def _start(title: str, description: str) -> Document:
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": VERSION, "description": description, "license": {"name": "MIT"}},
        "defaultContentType": CONTENT_TYPE,
        "channels": {},
        "operations": {},
        "components": {"messages": {}, "schemas": {}},
    }


def _add(found: Document, action: str, events: Iterable[type[Event]]) -> None:
    by_topic: dict[str, list[type[Event]]] = {}
    for event in events:
        by_topic.setdefault(event.topic, []).append(event)
    for topic, written in by_topic.items():
        names = [_message(found, event) for event in written]
        channel = _slug(topic)
        entry = found["channels"].setdefault(channel, {"address": topic, "messages": {}})
        entry["messages"].update({name: {"$ref": f"#/components/messages/{name}"} for name in names})
        if "{partner}" in topic:
            entry["parameters"] = {"partner": {"description": "The partner's id, as in the force's policy file."}}
        found["operations"][f"{action}-{channel}"] = _operation(action, channel, names)


def _operation(action: str, channel: str, messages: Iterable[str]) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _message(found: Document, event: type[Event]) -> str:
    name = f"{event.name}.v{event.major}"
    schema = event.model_json_schema(ref_template="#/components/schemas/{model}")
    parts: Document = schema.pop("$defs", {})
    schemas = found["components"]["schemas"]
    for part, described in {**parts, event.__name__: schema}.items():
        if schemas.setdefault(part, described) != described:
            raise ValueError(f"two schemas are called {part}")
    found["components"]["messages"][name] = {
        "name": event.type(),
        "title": event.name.replace("-", " ").capitalize(),
        "summary": (event.__doc__ or "").strip().partition("\n")[0],
        "contentType": CONTENT_TYPE,
        "headers": headers_schema(event),
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {"kafka": {"key": {**_UUID, "description": "The aggregate's id."}}},
    }
    return name


def _schema_of(properties: Mapping[str, Mapping[str, Any]], required: Iterable[str]) -> Document:
    return {
        "type": "object",
        "properties": {name: {"type": "string", **schema} for name, schema in properties.items()},
        "required": list(required),
    }


def _slug(topic: str) -> str:
    """A topic as a key of a document: a reference cannot hold braces."""
    return re.sub(r"[{}]", "", topic)
