"""What happens, to what, for how long, in which order: decided by a seed alone, so that a run can be had again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.contracts.catalogue import SERVICES


class Kind(StrEnum):
    """Kinds of fault. The sentence behind each says what is done."""

    KILL_SERVICE = "kill a service"
    KILL_RELAY_LEADER = "kill the leading relay"
    KILL_BROKER = "kill a broker"
    KILL_CONTROLLER = "kill the controller"
    KILL_POSTGRES = "kill PostgreSQL"
    END_RELAY_SESSION = "end the relay's session"
    END_POOL_SESSIONS = "end sessions of the pool"
    CUT_POSTGRES = "cut from PostgreSQL"
    CUT_KAFKA = "cut from Kafka"
    STALL_POSTGRES = "stall PostgreSQL"
    STALL_KAFKA = "stall Kafka"
    DELAY_POSTGRES = "delay PostgreSQL"
    DELAY_KAFKA = "delay Kafka"
    FILL_DISK = "fill the disk"
    STEP_CLOCK = "step a clock"
    REPEAT_RECORDS = "repeat records"
    SWAP_RECORDS = "swap records"
    SPOIL_RECORDS = "spoil records"
    REBALANCE = "rebalance"


KILLS_AND_CUTS: Final[dict[Kind, int]] = {
    Kind.KILL_SERVICE: 6,
    Kind.KILL_RELAY_LEADER: 4,
    Kind.KILL_BROKER: 4,
    Kind.KILL_CONTROLLER: 2,
    Kind.KILL_POSTGRES: 3,
    Kind.END_RELAY_SESSION: 3,
    Kind.END_POOL_SESSIONS: 3,
    Kind.CUT_POSTGRES: 4,
    Kind.CUT_KAFKA: 4,
}
"""What counts as a kill or cut, and how often each is drawn."""
OTHERS: Final[dict[Kind, int]] = {
    Kind.STALL_POSTGRES: 2,
    Kind.STALL_KAFKA: 2,
    Kind.DELAY_POSTGRES: 1,
    Kind.DELAY_KAFKA: 1,
    Kind.FILL_DISK: 1,
    Kind.STEP_CLOCK: 2,
    Kind.REPEAT_RECORDS: 2,
    Kind.SWAP_RECORDS: 2,
    Kind.SPOIL_RECORDS: 3,
    Kind.REBALANCE: 2,
}
"""What is mixed in: one for every two of the others."""
OF_ALL: Final = frozenset({Kind.KILL_POSTGRES, Kind.FILL_DISK})
"""Not for one service: PostgreSQL is under all of them."""
OF_BROKERS: Final = frozenset({Kind.KILL_BROKER, Kind.KILL_CONTROLLER})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong for a while. `amount`: seconds of delay or step, or how many records."""

    kind: Kind
    target: str
    """A service, or the number of a broker."""
    seconds: float
    amount: float = 0.0

    def __str__(self) -> str:
        amount = f" by {self.amount:g}" if self.amount else ""
        of = "" if self.kind in OF_ALL or self.kind is Kind.KILL_CONTROLLER else f" of {self.target}"
        return f"{self.kind}{of}{amount} for {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Step:
    """Faults that act together, `after` seconds since all was well again."""

    after: float
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"after {self.after:.1f} s: " + ", and ".join(map(str, self.faults))


def schedule(seed: int, kills: int, without: frozenset[Kind] = frozenset()) -> list[Step]:
    """The steps of a run with so many kills and cuts; kinds this machine cannot make are left out."""
    chance = random.Random(f"faults {seed}")
    drawn = list(_drawn(chance, kills, without))
    steps: list[Step] = []
    while drawn:
        faults = [drawn.pop(0)]
        wanted = chance.choice((1, 1, 2, 2, 3))
        for other in drawn[:8]:
            if len(faults) < wanted and all(_go_together(one, other) for one in faults):
                faults.append(other)
        drawn = [fault for fault in drawn if not any(fault is one for one in faults)]
        steps.append(Step(round(chance.uniform(0.2, 1.2), 1), tuple(faults)))
    return steps


def counted(steps: list[Step]) -> int:
    """How many kills and cuts."""
    return sum(fault.kind in KILLS_AND_CUTS for step in steps for fault in step.faults)


def _drawn(chance: random.Random, kills: int, without: frozenset[Kind]) -> Iterator[Fault]:
    """Every kind comes as often as its weight says, in random order: small runs meet most kinds too."""
    decks: dict[bool, list[Kind]] = {True: [], False: []}
    for number in range(kills):
        for kill in (True, False) if number % 2 else (True,):
            deck = decks[kill]
            if not deck:
                deck += _deck(
                    chance, {k: n for k, n in (KILLS_AND_CUTS if kill else OTHERS).items() if k not in without}
                )
            yield _fault(chance, deck.pop())


def _deck(chance: random.Random, weights: dict[Kind, int]) -> list[Kind]:
    """Each kind once on top, then the rest."""
    first = list(weights)
    rest = [kind for kind, many in weights.items() for _ in range(many - 1)]
    chance.shuffle(first)
    chance.shuffle(rest)
    return rest + first


def _fault(chance: random.Random, kind: Kind) -> Fault:
    target = str(chance.randint(1, 3)) if kind in OF_BROKERS else chance.choice(SERVICES)
    seconds = round(chance.uniform(0.3, 3.0), 1)
    match kind:
        case Kind.STALL_POSTGRES | Kind.STALL_KAFKA:
            return Fault(kind, target, round(chance.uniform(1.0, 8.0), 1))
        case Kind.DELAY_POSTGRES | Kind.DELAY_KAFKA:
            return Fault(kind, target, round(chance.uniform(3.0, 6.0), 1), chance.choice((0.005, 0.02, 0.1)))
        case Kind.STEP_CLOCK:
            step = chance.choice((-10_800, -3_600, -300, -60, 60, 300, 3_600, 10_800))
            return Fault(kind, target, round(chance.uniform(3.0, 6.0), 1), step)
        case Kind.REPEAT_RECORDS | Kind.SWAP_RECORDS:
            return Fault(kind, target, 0.0, chance.randint(5, 40))
        case Kind.SPOIL_RECORDS:
            return Fault(kind, target, 0.0, chance.randint(1, 4))
        case _:
            return Fault(kind, target, seconds)


def _go_together(one: Fault, other: Fault) -> bool:
    """One broker at a time, PostgreSQL as a whole once, and nothing twice."""
    for apart in (OF_BROKERS, OF_ALL):
        if one.kind in apart and other.kind in apart:
            return False
    return one.target != other.target
