"""What breaks between two versions of an event, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.catalogue import EVENTS
from shared.contracts.compatibility import breaking_changes
from shared.contracts.envelope import json_schema

Schema = dict[str, Any]


def an_event(**properties: Schema) -> Schema:
    return {"type": "object", "properties": {"id": {"type": "string"}, **properties}, "required": ["id"]}


def required(schema: Schema, *names: str) -> Schema:
    return {**schema, "required": [*schema["required"], *names]}


def optional(kind: str, **more: Any) -> Schema:
    return {"anyOf": [{"type": kind, **more}, {"type": "null"}], "default": None}


def test_same_schema_breaks_nothing() -> None:
    """Every event is compatible with itself, references and all."""
    for event in EVENTS:
        assert breaking_changes(json_schema(event), json_schema(event)) == []


def test_new_optional_field_is_fine() -> None:
    """Fields are added, and optional."""
    assert breaking_changes(an_event(), an_event(words=optional("string"))) == []


def test_new_words_of_description_are_fine() -> None:
    """Titles, descriptions and defaults bind nobody."""
    old = an_event(words={"type": "string", "title": "Words"})
    assert breaking_changes(old, an_event(words={"type": "string", "description": "What was said"})) == []


def test_another_order_of_fields_and_values_is_fine() -> None:
    """JSON has no order of fields, and a list of choices none of its own."""
    old = an_event(a={"enum": ["x", "y"], "type": "string"}, b={"type": "string"})
    new = an_event(b={"type": "string"}, a={"enum": ["y", "x"], "type": "string"})
    assert breaking_changes(old, new) == []


BREAKS: list[tuple[str, Schema, Schema]] = [
    ("removed", an_event(words={"type": "string"}), an_event()),
    ("removed", an_event(words=optional("string")), an_event()),
    ("required now", an_event(), required(an_event(words={"type": "string"}), "words")),
    ("required now", an_event(words={"type": "string"}), required(an_event(words={"type": "string"}), "words")),
    ("older readers need", required(an_event(w={"type": "string"}), "w"), an_event(w={"type": "string"})),
    ("type", an_event(n={"type": "number"}), an_event(n={"type": "integer"})),
    ("not accepted", an_event(n=optional("string")), an_event(n={"type": "string"})),
    ("do not know", an_event(n={"type": "string"}), an_event(n=optional("string"))),
    ("format", an_event(d={"type": "string"}), an_event(d={"type": "string", "format": "date"})),
    ("pattern", an_event(d={"type": "string"}), an_event(d={"type": "string", "pattern": "^a$"})),
    (
        "not accepted",
        an_event(e={"type": "string", "enum": ["x", "y"]}),
        an_event(e={"type": "string", "enum": ["x"]}),
    ),
    (
        "not known to older",
        an_event(e={"type": "string", "enum": ["x"]}),
        an_event(e={"type": "string", "enum": ["x", "y"]}),
    ),
    ("closed list", an_event(e={"type": "string"}), an_event(e={"type": "string", "enum": ["x"]})),
    ("tighter", an_event(s={"type": "string", "maxLength": 9}), an_event(s={"type": "string", "maxLength": 8})),
    ("looser", an_event(s={"type": "string", "maxLength": 8}), an_event(s={"type": "string", "maxLength": 9})),
    ("tighter", an_event(s={"type": "string"}), an_event(s={"type": "string", "minLength": 1})),
    ("tighter", an_event(s=optional("string")), an_event(s=optional("string", maxLength=3))),
    (
        "data.l[]",
        an_event(l={"type": "array", "items": {"type": "string"}}),
        an_event(l={"type": "array", "items": {"type": "integer"}}),
    ),
    (
        "data.m.*",
        an_event(m={"type": "object", "additionalProperties": {"type": "string"}}),
        an_event(m={"type": "object", "additionalProperties": {"type": "integer"}}),
    ),
    ("constrained", an_event(o={}), an_event(o={"type": "string"})),
]


@pytest.mark.parametrize(("told", "old", "new"), BREAKS)
def test_change_that_breaks_is_told_with_its_place(told: str, old: Schema, new: Schema) -> None:
    """Removed, newly required, narrower or wider than one side accepts."""
    (change,) = breaking_changes(old, new)
    assert told in change
    assert change.startswith("data.")


def test_change_behind_a_reference_is_found() -> None:
    """Parts of an event are compared where they are used."""
    old = {**an_event(p={"$ref": "#/$defs/Point"}), "$defs": {"Point": an_event(x={"type": "number"})}}
    new = {**an_event(p={"$ref": "#/$defs/Point"}), "$defs": {"Point": an_event()}}
    assert breaking_changes(old, new) == ["data.p.x: was removed"]


@given(st.sampled_from(EVENTS), st.data())
def test_taking_any_field_from_any_event_breaks(event: Any, data: st.DataObject) -> None:
    """No event has a field that could silently go."""
    schema = json_schema(event)
    gone = data.draw(st.sampled_from(sorted(schema["properties"])))
    less = {**schema, "properties": {k: v for k, v in schema["properties"].items() if k != gone}}
    assert any(f"data.{gone}: was removed" in change for change in breaking_changes(schema, less))
