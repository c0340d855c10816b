"""Bad records for the bus: every event a service takes, wrong in value, headers or key, or hostile though allowed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Final
from uuid import UUID

from pydantic import ValidationError

from shared.contracts.catalogue import SERVICES
from shared.contracts.envelope import TYPE_PREFIX, Envelope, Event, json_schema
from shared.contracts.generate import subscribed
from tests.misuse import hostile

FORCE: Final = "avon-and-somerset"
Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Bad:
    """A record to be sent, and which services have to park it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    parked_by: tuple[str, ...]
    told: str
    """What was done to it, for whoever reads of a failure."""


@cache
def takers() -> dict[type[Event], tuple[str, ...]]:
    """Every event that is taken anywhere, and by whom."""
    found: dict[type[Event], tuple[str, ...]] = {}
    for service in SERVICES:
        for event in subscribed(service):
            found[event] = (*found.get(event, ()), service)
    return found


@cache
def listeners(topic: str) -> tuple[str, ...]:
    """The services that read a topic."""
    return tuple(s for s in SERVICES if any(event.topic == topic for event in subscribed(s)))


@cache
def _schema(event: type[Event]) -> dict[str, hostile.JSON]:
    return json_schema(event)


def readable(event: type[Event], value: bytes) -> Event | None:
    """The event these bytes are, None where they break its schema."""
    try:
        return event.model_validate_json(value)
    except ValidationError:
        return None


def valid(event: type[Event], choose: Random, words: Callable[[], str]) -> hostile.JSON:
    """Data its schema allows."""
    return hostile.allowed(_schema(event), choose, words)


def plain_words() -> str:
    return "The lamps have been out for weeks."


def headers_of(event: type[Event], choose: Random, key: UUID, force: str = FORCE) -> list[tuple[str, bytes]]:
    """The headers a sound record of this event has."""
    return Envelope(
        UUID(int=choose.getrandbits(128)), "/stranger", event.type(), datetime(2026, 11, 22, 12, tzinfo=UTC), str(key),
        event.schema_path(), force, 1, UUID(int=choose.getrandbits(128)), None,
        f"00-{choose.getrandbits(128):032x}-{choose.getrandbits(64):016x}-01",
    ).headers()  # fmt: skip


def _any_event(choose: Random) -> type[Event]:
    return choose.choice(list(takers()))


def no_json(choose: Random, mark: str) -> Bad:
    """Bytes that cannot be read as the event."""
    event = _any_event(choose)
    good = valid(event, choose, plain_words)
    value = hostile.torn(json.dumps(good).encode(), choose, mark)
    if readable(event, value) is not None:
        value = b"{" + mark.encode()
    return _record(event, choose, value, takers()[event], "torn")


def breach(choose: Random, mark: str) -> Bad:
    """JSON that breaks the schema somewhere."""
    event = _any_event(choose)
    good = valid(event, choose, plain_words)
    for _ in range(4):
        value = hostile.broken(good, choose, mark)
        if readable(event, value) is None:
            break
    else:
        # What was changed is optional or free: take away something that has to be there.
        del good[choose.choice(_schema(event)["required"])]
        value = json.dumps({**good, mark: mark}).encode()
    return _record(event, choose, value, takers()[event], "breach of the schema")


def wrong_key(choose: Random, mark: str) -> Bad:
    """Sound data under a key that is not the aggregate's id."""
    event = _any_event(choose)
    good, found = _data(event, choose, lambda: mark)
    key = choose.choice(
        (None, b"", mark.encode(), b"\xff\x00" + mark.encode(), UUID(int=choose.getrandbits(128)).bytes,
         str(found.key).upper().encode() + b" ", f"{{{found.key}}}".encode(),
         str(UUID(int=choose.getrandbits(128))).encode())
    )  # fmt: skip
    return Bad(
        event.topic, key, good, tuple(headers_of(event, choose, found.key)), takers()[event], f"{event.name}: wrong key"
    )


REQUIRED: Final = (
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_time",
    "ce_subject",
    "ce_forceid",
    "ce_sequence",
)
"""Headers without which a record cannot be read."""

_BAD_HEADERS: Final[dict[str, tuple[bytes, ...]]] = {
    "ce_specversion": (b"", b"0.3", b"2.0", b"1.0\x00", b"\xff"),
    "ce_id": (b"", b"{m}", b"\xff\xfe", b"1", b"00000000-0000-0000-0000-00000000000g", b"null"),
    "ce_source": (b"\xff{m}", b"\xed\xa0\x80{m}"),
    "ce_type": (b"\xff{m}",),
    "ce_time": (b"", b"{m}", b"0000-00-00T00:00:00Z", b"2026-11-22T10:00:00", b"10000-01-01T00:00:00Z", b"1e9",
                b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"\xff"),
    "ce_subject": (b"\xff{m}",),
    "ce_forceid": (b"", b"{m}'", b"no-such-force", b"METROPOLITAN", b"a,b", b"unknown\x00", b"../{m}", b"\xff",
                   b"metropolitan','avon-and-somerset"),
    "ce_sequence": (b"", b"{m}", b"1.5", b"0x1", b"9" * 5000, b"\xff", b"NaN"),
    "ce_dataschema": (b"\xff{m}",),
    "ce_correlationid": (b"", b"{m}", b"\xff", b"1"),
    "ce_causationid": (b"", b"{m}", b"\xff", b"1"),
}  # fmt: skip


def bad_header(choose: Random, mark: str) -> Bad:
    """A header that is missing, cannot be read, or names a force nobody serves here."""
    event = _any_event(choose)
    value, found = _data(event, choose, plain_words)
    headers = headers_of(event, choose, found.key)
    if choose.random() < 0.3:
        name = choose.choice(REQUIRED)
        headers = [one for one in headers if one[0] != name]
        told = f"without {name}"
    else:
        name = choose.choice(list(_BAD_HEADERS))
        wrong = choose.choice(_BAD_HEADERS[name]).replace(b"{m}", mark.encode())
        headers = [one for one in headers if one[0] != name]
        # Repeated: what counts is the last.
        headers += [(name, b"1.0")] * (choose.random() < 0.1) + [(name, wrong)]
        told = f"{name}: {wrong[:60]!r}"
    if choose.random() < 0.2:
        headers.append((hostile.text(choose, mark).encode("utf-8", "replace").decode()[:400], mark.encode()))
    # Who cannot read the type cannot know that it is none of theirs; the force is looked at once the type is known.
    parked_by = takers()[event] if name in ("ce_forceid",) and _a_slug(headers) else listeners(event.topic)
    return Bad(event.topic, str(found.key).encode(), value, tuple(headers), parked_by, f"{event.name}: {told}")


def bad_headers(choose: Random, mark: str) -> Bad:
    """Headers that cannot be read, or name a type that does not belong on the topic, or that nobody knows."""
    chance = choose.random()
    return (bad_header if chance < 0.7 else foreign_topic if chance < 0.9 else later_major)(choose, mark)


def _a_slug(headers: list[tuple[str, bytes]]) -> bool:
    return dict(headers).get("ce_forceid") == b"no-such-force"


def foreign_topic(choose: Random, mark: str) -> Bad:
    """A sound event on a topic whose writer may not write it; parked by readers of that topic who take the event."""
    event = _any_event(choose)
    others = [one.topic for one in takers() if one.topic != event.topic]
    topic = choose.choice(sorted(set(others)))
    good = sound(event, choose, lambda: mark)
    parked_by = tuple(s for s in listeners(topic) if s in takers()[event])
    return Bad(topic, good.key, good.value, good.headers, parked_by, f"{event.name} on {topic}")


def later_major(choose: Random, mark: str) -> Bad:
    """A type nobody here knows yet: skipped and counted, not parked."""
    event = _any_event(choose)
    good = sound(event, choose, lambda: mark)
    type_ = choose.choice((f"{TYPE_PREFIX}{event.name}.v2", f"{TYPE_PREFIX}{event.name}.v999", mark, f"<{mark}>\x00"))
    headers = tuple((n, type_.encode() if n == "ce_type" else v) for n, v in good.headers)
    return Bad(event.topic, good.key, good.value, headers, (), f"{event.name}: unknown type")


def hostile_but_allowed(choose: Random, mark: str) -> Bad:
    """Data its schema allows, with hostile text wherever text is free: takes effect, waits or is parked."""
    event = _any_event(choose)
    return sound(event, choose, lambda: hostile.text(choose, mark))


def sound(event: type[Event], choose: Random, words: Callable[[], str]) -> Bad:
    """A record nothing is wrong with, unless the words are."""
    value, found = _data(event, choose, words)
    # No database of ours keeps U+0000; everything else a text may hold, it keeps.
    parked_by = takers()[event] if rb"\u0000" in value else ()
    told = f"{event.name}: nothing wrong with it"
    return Bad(
        event.topic, str(found.key).encode(), value, tuple(headers_of(event, choose, found.key)), parked_by, told
    )


def _data(event: type[Event], choose: Random, words: Callable[[], str]) -> tuple[bytes, Event]:
    """Data of the event as JSON and read; a schema says not everything, so what is made from it is tried."""
    while True:
        value = json.dumps(valid(event, choose, words)).encode()
        found = readable(event, value)
        if found is not None:
            return value, found
        words = plain_words if choose.random() < 0.3 else words


def _record(event: type[Event], choose: Random, value: bytes, parked_by: tuple[str, ...], told: str) -> Bad:
    key = UUID(int=choose.getrandbits(128))
    return Bad(
        event.topic, str(key).encode(), value, tuple(headers_of(event, choose, key)), parked_by, f"{event.name}: {told}"
    )
