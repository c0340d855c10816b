"""What is consumed beside history: fresh events each time, about new walks, new women, and concerns of these weeks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

import asyncpg

from shared.contracts.baseline import BaselineAnswered
from shared.contracts.envelope import Event
from shared.contracts.referrals import ReferralMade
from shared.contracts.surveys import BASELINE
from shared.contracts.walks import WalkCompleted
from tests.bench.consumption.loads import FORCE, Load, referral_of, referrals, walks
from tests.bench.figures import WrongEffect
from tests.bench.ground import Clone, Recorded
from tests.bench.growth.history import all_open, open_concerns


@dataclass(frozen=True, slots=True)
class Fresh:
    """A load nobody has consumed yet."""

    load: Load
    records: Sequence[Recorded]
    left: tuple[str, Sequence[UUID]]
    """SQL for a number and a digest of what it must leave, and the ids that the SQL asks about."""

    async def check(self, clone: Clone) -> tuple[object, ...]:
        """What it left behind.

        :raises WrongEffect: not every record took effect.
        """
        ids = [UUID(dict(headers)["ce_id"].decode()) for _, _, _, headers in self.records]
        connection = await asyncpg.connect(clone.admin_url)
        try:
            seen = await connection.fetchval("SELECT count(*) FROM inbox WHERE id = ANY ($1::uuid[])", ids)
            held = await connection.fetchval("SELECT count(*) FROM held")
            sql, keys = self.left
            left = tuple(await connection.fetchrow(sql, FORCE, list(keys)) or ())
        finally:
            await connection.close()
        if seen != len(ids) or held or left[0] != len(keys):
            raise WrongEffect(f"{self.load.name}: {seen} of {len(ids)} taken, {held} held, left behind {left}")
        return left


def loads(number: int, many: int, end: datetime) -> Iterator[Fresh]:
    """The three loads of a round."""
    yield _fresh(
        Load("one type", "", WalkCompleted.topic, walks, "", ""),
        many,
        "SELECT count(*), '' FROM invitation WHERE force_id = $1 AND walk_id = ANY ($2::uuid[])",
    )
    concerns = open_concerns(end, number)
    yield _fresh(
        Load(
            "mixed types",
            "",
            ReferralMade.topic,
            partial(referrals, concerns),
            "INSERT INTO concern (force_id, id, area_id, category, raised_on)"  # noqa: S608 # our own constants
            f" SELECT '{FORCE}', i::uuid, 'bs1', 'badly-lit', '2026-11-01'"
            # The present is the same in every database, so that the past alone makes the difference.
            f" FROM unnest('{{{','.join(map(str, sorted(all_open(end))))}}}'::text[]) AS g (i)",
            "",
        ),
        many,
        "SELECT count(*), md5(string_agg(id || state, ',' ORDER BY id)) FROM referral"
        " WHERE force_id = $1 AND id = ANY ($2::uuid[])",
    )
    yield _fresh(
        Load("random ids", "", BaselineAnswered.topic, _answers, "", ""),
        many,
        "SELECT count(*), '' FROM answers WHERE force_id = $1 AND survey = 'baseline' AND pair_id = ANY ($2::uuid[])",
    )


def _fresh(load: Load, many: int, left: str) -> Fresh:
    records = load.records(many)
    keys = {UUID(key.decode()) for _, key, _, _ in records}
    if load.topic == ReferralMade.topic:
        keys = {referral_of(key) for key in keys}
    return Fresh(load, records, (left, sorted(keys)))


def _answers(many: int) -> Iterator[Event]:
    answers = {question.code: question.choices[1].code for question in BASELINE.questions}
    for _ in range(many):
        yield BaselineAnswered(pair_id=uuid4(), month="2026-11", answers=answers)
