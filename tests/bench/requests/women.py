"""Whoever asks for a walk: valid requests, all different, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

from services.intake.domain.messages import MESSAGE_HOURS
from shared.contracts.kinds import PartOfDay, Reason, Weekday
from shared.embedded.demo_people import teams
from shared.geography.postcodes import Postcodes
from shared.working_days import london
from tests.bench.requests.http import post_json

FORCES: Final = ("avon-and-somerset", "metropolitan")
HEADER: Final = "x-forwarded-for"
PATH: Final = "/api/v1/walk-requests"
_AHEAD: Final = timedelta(minutes=20)


def quiet_parts(now: datetime) -> list[str]:
    """Parts of the day at which no message may go now or soon: it is written and scheduled, and stays."""
    clock = london(now).time(), london(now + _AHEAD).time()
    return [
        part.value for part, (opens, closes) in MESSAGE_HOURS.items() if not any(opens <= at < closes for at in clock)
    ][:1]


def every_part(_: datetime) -> list[str]:
    """She may be written to at any hour, so every message leaves at once."""
    return [part.value for part in PartOfDay]


@dataclass(frozen=True)
class Women:
    """Requests by number. `times` are the parts of the day at which she may be written to."""

    seed: int
    postcodes: dict[str, list[str]]
    times: list[str]

    @classmethod
    def of(cls, seed: int, data: Path, times: list[str]) -> Women:
        """With postcodes of the districts that have teams in the demo; `data` holds the postcode store."""
        store = Postcodes.open(data)
        return cls(
            seed,
            {force: [one for team in teams(force) for one in store.of_district(team.upper())[0]] for force in FORCES},
            times,
        )

    def key(self, number: int) -> str:
        """The Idempotency-Key of a request."""
        return f"bench-{self.seed}-{number}"

    def body(self, number: int) -> dict[str, Any]:
        """What is sent: e-mail and telephone, a postcode, no survey."""
        choose = random.Random(f"{self.seed} {number}")
        force = FORCES[number % 2]
        return {
            "force_id": force,
            "name": f"Wren Ash {number}",
            "over_18": True,
            "consent": True,
            "contact": {
                "channels": ["email", "phone"],
                "email": f"walker-{self.seed}-{number}@demo.example",
                "phone": f"07700 {choose.randrange(900000, 900999)}",
                "times": self.times,
                "may_say_police": number % 3 != 0,
            },
            "place": {"postcode": choose.choice(self.postcodes[force])},
            "lives_or_works_here": number % 2 == 0,
            "reasons": [one.value for one in choose.sample(list(Reason), 2)],
            "availability": {
                "days": [one.value for one in choose.sample(list(Weekday), 3)],
                "parts": ["early-morning", "evening"],
            },
        }

    def call(self, number: int) -> bytes:
        """The whole request."""
        headers = {"idempotency-key": self.key(number), HEADER: self.address(number)}
        return post_json(PATH, self.body(number), headers)

    def address(self, number: int) -> str:
        """Where she asks from, as the proxy in front says it: each woman from her own."""
        return str(IPv4Address(0x0A000000 + random.Random(f"{self.seed} {number} address").getrandbits(24)))
