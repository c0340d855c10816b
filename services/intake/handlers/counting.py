"""Counting what comes from an address, in a table all processes share; what is over is remembered here too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from services.intake.domain.limits import DAY, HOUR, Act, Count, hour_of
from services.intake.domain.messages import MessageKind
from services.intake.domain.person import Person, normal_email, normal_phone
from services.intake.metrics import IntakeMetrics
from services.intake.store import attempts as attempt_rows
from services.intake.store.messages import Outgoing
from services.intake.vault import Vault
from shared.contracts.kinds import Channel
from shared.contracts.policy import Limits
from shared.contracts.refusals import TooMany
from shared.database import Transaction

_REMEMBERED: Final = 10_000
"""Digests of one process that are over their limit; beyond so many the database is asked again."""

UNASKED: Final = (MessageKind.CONFIRM, MessageKind.CONFIRMATION)
"""What goes to an address because somebody typed it, before its owner has done anything."""


class Counting:
    """How often what may be done, of one process."""

    def __init__(self, vault: Vault, limits: Mapping[str, Limits], metrics: IntakeMetrics) -> None:
        self._vault = vault
        self._limits = limits
        self._metrics = metrics
        self._over: dict[bytes, datetime] = {}

    def count(self, force_id: str, act: Act, caller: str | None, now: datetime) -> Count | None:
        """What is to be counted; None for a caller who is not.

        :raises TooMany: this process knows already that it is too often.
        """
        if caller is None:
            return None
        hour = hour_of(now)
        digest = self._vault.digest(f"attempt {act}", f"{force_id} {hour.isoformat()} {caller}")
        found = Count(force_id, act, digest, act.most(self._limits_of(force_id)), hour + HOUR)
        if digest in self._over:
            self._metrics.limited(act)
            raise TooMany(found.left(now))
        return found

    async def take(self, tx: Transaction, force_id: str, act: Act, caller: str | None, now: datetime) -> None:
        """Count it.

        :raises TooMany: it is too often.
        """
        count = self.count(force_id, act, caller, now)
        if count is not None:
            self.judge(count, await attempt_rows.add_attempt(tx, force_id, count.digest, count.until), now)

    def judge(self, count: Count, many: int, now: datetime) -> None:
        """:raises TooMany: so many are too many."""
        if many <= count.most:
            return
        if len(self._over) >= _REMEMBERED:
            self._over.clear()
        self._over = {digest: until for digest, until in self._over.items() if until > now}
        self._over[count.digest] = count.until
        self._metrics.limited(count.act)
        raise TooMany(count.left(now))

    async def forget(self, tx: Transaction, now: datetime) -> None:
        """What was counted in hours that are over."""
        await attempt_rows.forget_attempts(tx, now)

    async def is_flooded(
        self, tx: Transaction, person: Person, message: Outgoing, force_id: str, message_id: UUID, now: datetime
    ) -> bool:
        """Whether this is one of more unasked messages to her address or number within a day than may be: nobody fills
        somebody's inbox through us. Asked when it is to leave, so that whoever asks for a walk cannot tell."""
        if message.kind not in UNASKED:
            return False
        channel = message.channel
        if channel is Channel.EMAIL and person.email:
            kind, text = "email", normal_email(person.email)
        elif channel is Channel.TEXT and person.phone:
            kind, text = "phone", normal_phone(person.phone)
        else:
            return False
        digest = self._vault.digest(kind, text)
        before = await attempt_rows.unasked_before(tx, force_id, digest, UNASKED, channel, now - DAY, message_id)
        return before >= self._limits_of(force_id).messages_a_day

    def _limits_of(self, force_id: str) -> Limits:
        return self._limits.get(force_id, Limits())
