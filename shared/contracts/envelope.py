"""The envelope of every event: CloudEvents 1.0 in the binary mode of its Kafka protocol binding.

A record on the bus is headers (`ce_*` and `content-type`), a key (the aggregate's id) and a value, which is the
event's data as JSON and nothing else, so any CloudEvents SDK can read it (CloudEvents 1.0.2; Kafka Protocol
Binding 1.0.2 §3.2).
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints, TypeAdapter

TYPE_PREFIX = "uk.police.walkandtalk."
CONTENT_TYPE = "application/json"

_FORCE_ID = re.compile(r"[a-z][a-z0-9-]{1,40}")
_SEQUENCE = re.compile(rb"[1-9][0-9]{0,17}")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
# Every record carries three ids: read this way they cost a sixth of what uuid.UUID() takes.
_uuid = TypeAdapter(UUID).validator.validate_python

ForceId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
"""A force's slug, as data.police.uk spells it: `avon-and-somerset`, `metropolitan`."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
"""An id that people and files may name: a team, an area, a partner, an officer."""

ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


def _of_our_time(moment: datetime) -> datetime:
    # At the ends of the calendar a moment cannot be told in another zone, and no walk is held there.
    if not 1900 <= moment.year <= 9000:
        raise ValueError("is not a year of our time")
    return moment


Instant = Annotated[AwareDatetime, AfterValidator(_of_our_time)]
"""A moment, always with its zone; UTC on the bus."""


class Value(BaseModel):
    """A frozen part of an event. Unknown fields are ignored: a newer writer may have added some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Value):
    """A past fact as it travels. Fields are only ever added, and optional; anything else is a new major version."""

    name: ClassVar[str]
    """Event name in kebab case, without version: `walk-requested`."""
    major: ClassVar[int] = 1
    topic: ClassVar[str]
    precise: ClassVar[bool] = True
    """False where an event must not lead back to what caused it (answers, partner views): it then carries no
    correlation, causation or trace, a random id, and its day instead of its moment."""
    overtakes: ClassVar[bool] = False
    """True for what makes others forget: it takes effect at once, though earlier records of its key are held, and is
    itself never forgotten."""
    without_words: ClassVar[Mapping[str, str | None]] = MappingProxyType({})
    """Fields in which somebody's own words, or words about her, may stand, and what stands there once they are erased:
    None where the field is optional."""

    @classmethod
    def type(cls) -> str:
        """The CloudEvents type, `uk.police.walkandtalk.<name>.v<major>`."""
        return f"{TYPE_PREFIX}{cls.name}.v{cls.major}"

    @classmethod
    def schema_path(cls) -> str:
        """Where the JSON Schema stands below deploy/schemas."""
        return f"{cls.name}.v{cls.major}.json"

    @property
    @abstractmethod
    def key(self) -> UUID:
        """The aggregate's id: events of one key keep their order from end to end."""

    @property
    def bus_topic(self) -> str:
        """The topic this event goes to; only a partner's own view has one that depends on its data."""
        return self.topic


E = TypeVar("E", bound=Event)
E_co = TypeVar("E_co", bound=Event, covariant=True)


# Named tuples, both: one of each is made for every record, and a frozen dataclass takes twice as long to make.
class Envelope(NamedTuple):
    """What travels in the headers: `time` in UTC, `sequence` gapless per topic and key, counted from 1."""

    id: UUID
    source: str
    type: str
    time: datetime
    subject: str
    dataschema: str
    force_id: str
    sequence: int
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: str | None = None

    def headers(self) -> list[tuple[str, bytes]]:
        """As Kafka record headers; absent extensions are left out."""
        found = [
            ("ce_specversion", b"1.0"),
            ("ce_id", str(self.id).encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_time", self.time.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_dataschema", self.dataschema.encode()),
            ("content-type", CONTENT_TYPE.encode()),
            ("ce_forceid", self.force_id.encode()),
            ("ce_sequence", str(self.sequence).encode()),
        ]
        if self.correlation_id is not None:
            found.append(("ce_correlationid", str(self.correlation_id).encode()))
        if self.causation_id is not None:
            found.append(("ce_causationid", str(self.causation_id).encode()))
        if self.traceparent is not None:
            found.append(("ce_traceparent", self.traceparent.encode()))
        return found

    @classmethod
    def read(cls, headers: Mapping[str, bytes]) -> Envelope:
        """Read the headers of a record.

        :raises MalformedEnvelope: a required header is missing or cannot be read; the message names the header.
        """
        at = "ce_specversion"
        try:
            if headers[at] != b"1.0":
                raise MalformedEnvelope(at)
            at = "ce_id"
            id_ = _uuid(headers[at].decode())
            at = "ce_source"
            source = headers[at].decode()
            at = "ce_type"
            type_ = headers[at].decode()
            at = "ce_time"
            time = datetime.fromisoformat(headers[at].decode())
            if time.tzinfo is None or not 1900 <= time.year <= 9000:
                raise MalformedEnvelope(at)
            at = "ce_subject"
            subject = headers[at].decode()
            at = "ce_forceid"
            force_id = headers[at].decode()
            if not _FORCE_ID.fullmatch(force_id):
                raise MalformedEnvelope(at)
            at = "ce_sequence"
            if not _SEQUENCE.fullmatch(headers[at]):
                raise MalformedEnvelope(at)
            sequence = int(headers[at])
            at = "ce_dataschema"
            dataschema = headers.get(at, b"").decode()
            at = "ce_correlationid"
            correlation = _uuid(headers[at].decode()) if at in headers else None
            at = "ce_causationid"
            causation = _uuid(headers[at].decode()) if at in headers else None
            at = "ce_traceparent"
            # W3C Trace Context §3.2: one that cannot be read is left out, and the event is as good as ever.
            traceparent = headers[at].decode() if _TRACEPARENT.fullmatch(headers.get(at, b"")) else None
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise MalformedEnvelope(at) from error
        return cls(
            id_, source, type_, time, subject, dataschema, force_id, sequence, correlation, causation, traceparent
        )


class MalformedEnvelope(Exception):
    """A CloudEvents header is missing or cannot be read. Carries the header's name, never its value."""

    def __init__(self, header: str) -> None:
        super().__init__(f"header {header} is missing or cannot be read")
        self.header = header


class Received(NamedTuple, Generic[E_co]):
    """An event as a handler gets it: the data, and from the envelope what decisions and replies need."""

    event: E_co
    id: UUID
    force_id: str
    time: datetime
    sequence: int
    correlation_id: UUID | None
    traceparent: str | None = None

    @staticmethod
    def of(event: E, envelope: Envelope) -> Received[E]:
        """An event and what came with it."""
        return Received(
            event,
            envelope.id,
            envelope.force_id,
            envelope.time,
            envelope.sequence,
            envelope.correlation_id,
            envelope.traceparent,
        )


def by_type(events: Iterable[type[Event]]) -> dict[str, type[Event]]:
    """Events by their CloudEvents type."""
    return {event.type(): event for event in events}


def json_schema(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event's data, with its id relative to the schema folder."""
    schema = event.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": event.schema_path(),
        "x-cloudevents-type": event.type(),
        **schema,
    }
