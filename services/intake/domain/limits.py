"""How often the same may be done: generous for an address, which a refuge or a campus shares, tight for an inbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.contracts.policy import Limits

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class Act(StrEnum):
    """What is counted by address."""

    FORM = "form"
    REQUEST = "request"
    POSTCODE = "postcode"
    MAP = "map"
    WRONG_LINK = "wrong link"

    def most(self, limits: Limits) -> int:
        """How often an hour."""
        return {
            Act.FORM: limits.forms_an_hour,
            Act.REQUEST: limits.requests_an_hour,
            Act.POSTCODE: limits.postcodes_an_hour,
            Act.MAP: limits.map_looks_an_hour,
            Act.WRONG_LINK: limits.wrong_links_an_hour,
        }[self]


@dataclass(frozen=True, slots=True)
class Count:
    """Something done once more, as it is counted: never by whom."""

    force_id: str
    act: Act
    digest: bytes
    most: int
    until: datetime

    def left(self, now: datetime) -> int:
        """Seconds until counting begins anew."""
        return int((self.until - now).total_seconds()) + 1


def hour_of(now: datetime) -> datetime:
    """The beginning (UTC) of the hour in which counting goes on."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
