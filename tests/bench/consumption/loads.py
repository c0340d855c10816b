"""What is consumed: real events, written as the relay writes them, and what they must leave behind."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from uuid6 import uuid7

from shared.contracts.envelope import TYPE_PREFIX, Envelope, Event
from shared.contracts.kinds import OfficerKind
from shared.contracts.referrals import (
    ConcernResolved,
    Progress,
    ReferralAccepted,
    ReferralMade,
    ReferralUpdated,
    Resolution,
)
from shared.contracts.walks import WalkCompleted
from tests.bench.ground import Recorded

FORCE = "avon-and-somerset"
_CONCERNS = 2_000
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass(frozen=True, slots=True)
class Load:
    """Events of one topic, and how a database is prepared for them."""

    name: str
    told: str
    topic: str
    events: Callable[[int], Iterator[Event]]
    prepare: str
    effect: str
    """SQL for what every contestant must have left behind, whatever way it took; first how many events it received."""
    whole: Callable[[tuple[object, ...]], bool] = bool
    """Whether what was left behind by a part of the topic is whole: no event without its rows, nothing held."""
    twice: bool = False
    """A third of the events are delivered a second time, in the same and in other batches."""

    def distinct(self, many: int) -> int:
        """How many events so many records are."""
        return many - many // 4 if self.twice else many

    def records(self, many: int) -> list[Recorded]:
        """So many records as they stand on the bus, sequences of a key gapless."""
        found = self._once(self.distinct(many))
        return _with_duplicates(found, many - len(found)) if self.twice else found

    def _once(self, many: int) -> list[Recorded]:
        now = datetime.now(UTC)
        sequences: Counter[UUID] = Counter()
        found: list[Recorded] = []
        for event in self.events(many):
            sequences[event.key] += 1
            envelope = Envelope(
                id=UUID(int=uuid7().int) if event.precise else uuid4(),
                source="/bench",
                type=event.type(),
                time=now,
                subject=str(event.key),
                dataschema="urn:walkandtalk:schema:" + event.type().removeprefix(TYPE_PREFIX),
                force_id=FORCE,
                sequence=sequences[event.key],
                correlation_id=uuid4() if event.precise else None,
                causation_id=uuid4() if event.precise else None,
                traceparent=_TRACE if event.precise else None,
            )
            value = event.model_dump_json(exclude_none=True).encode()
            found.append((event.bus_topic, str(event.key).encode(), value, envelope.headers()))
        return found


def _with_duplicates(records: list[Recorded], again: int) -> list[Recorded]:
    """Some come again, half of them within the next fifty records, half of them batches later."""
    chosen = random.Random(11)
    places = [(float(place), record) for place, record in enumerate(records)]
    for place in chosen.sample(range(len(records)), again):
        later = chosen.randint(1, 50) if chosen.random() < 0.5 else chosen.randint(4_000, 6_000)
        places.append((place + later + 0.5, records[place]))
    return [record for _, record in sorted(places, key=lambda one: one[0])]


def walks(many: int) -> Iterator[Event]:
    """Completed walks, each once."""
    ended = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    for n in range(many):
        yield WalkCompleted(
            walk_id=UUID(int=uuid7().int),
            request_ids=(UUID(int=uuid7().int),),
            area_id=f"bs{n % 16 + 1}",
            team_id=f"bs{n % 16 + 1}",
            officer_id=f"pc-{n % 40 + 1000}",
            officer_kind=OfficerKind.PCSO,
            started_at=ended - timedelta(minutes=50),
            ended_at=ended,
            concern_ids=(UUID(int=uuid7().int), UUID(int=uuid7().int)),
            streetsafe_shown=True,
        )


def _concern(n: int) -> UUID:
    return UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000 + n)


def referral_of(concern: UUID) -> UUID:
    """The referral that the events of a concern are about."""
    return UUID(int=concern.int + (1 << 64))


def referrals(concerns: Sequence[UUID], many: int) -> Iterator[Event]:
    """Four types of events about these concerns, one referral each; types and concerns at random."""
    # Seeded, so that every run has the same mixture and ends in the same rows.
    chosen = random.Random(7)
    for _ in range(many):
        concern = chosen.choice(concerns)
        of = {
            "concern_id": concern,
            "referral_id": referral_of(concern),
            "partner_id": "bristol-city-council",
            "partner_name": "Bristol City Council",
        }
        match chosen.randrange(4):
            case 0:
                yield ReferralMade(**of, respond_by=date(2026, 12, 1))
            case 1:
                yield ReferralAccepted(**of)
            case 2:
                yield ReferralUpdated(**of, progress=chosen.choice(list(Progress)), words="The lamp is on order")
            case _:
                yield ConcernResolved(**of, resolution=chosen.choice(list(Resolution)), words="The lamp is lit again")


ONE_TYPE = Load(
    name="one type",
    told="feedback asks the women of completed walks: inbox, invitation and outbox in one commit",
    topic=WalkCompleted.topic,
    events=walks,
    prepare="",
    effect="SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM invitation), (SELECT count(*) FROM outbox_log),"
    " (SELECT count(*) FROM outbox_pending), (SELECT count(DISTINCT sequence) FROM outbox_log),"
    " (SELECT count(DISTINCT causation_id) FROM outbox_log), (SELECT count(*) FROM held)",
    whole=lambda left: len(set(left[:4])) == 1 and left[6] == 0,
)

MIXED = Load(
    name="mixed types",
    told="feedback follows referrals: four types and their keys at random; inbox and rows in one commit, no outbox",
    topic=ReferralMade.topic,
    events=partial(referrals, [_concern(n) for n in range(_CONCERNS)]),
    prepare="INSERT INTO concern (force_id, id, area_id, category, raised_on)"  # noqa: S608 # our own constants
    f" SELECT '{FORCE}', lpad(to_hex(n), 32, '0')::uuid, 'bs1', 'badly-lit', '2026-11-01'"
    f" FROM generate_series(0, {_CONCERNS - 1}) AS g (n);"
    " UPDATE concern SET id = ('01900000-0000-7000-8000-' || right(id::text, 12))::uuid",
    effect="SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM referral), (SELECT count(*) FROM held),"
    " (SELECT md5(string_agg(id || state, ',' ORDER BY id)) FROM referral),"
    " (SELECT md5(string_agg(id || coalesce(resolution, '-'), ',' ORDER BY id)) FROM concern)",
    whole=lambda left: left[1] != 0 and left[2] == 0,
)

ONE_TYPE_TWICE = replace(ONE_TYPE, name="one type, duplicates", twice=True)
MIXED_TWICE = replace(MIXED, name="mixed types, duplicates", twice=True)
