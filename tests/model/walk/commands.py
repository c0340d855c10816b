"""What people can command, one row a command: how it is drawn, and who takes it.

Every command is drawn from a number. It may make no sense: then it has to be refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.assignment.domain import attempts as trying
from services.assignment.domain.disclosures import DisclosureKind, Given, Mistake, Safeguarding, Signpost
from services.assignment.domain.noting import Record, Said, seen
from services.assignment.domain.passing import What, WhyPassed
from services.assignment.domain.people import Person
from services.assignment.domain.record import RecordedConcern
from services.assignment.domain.refusals import WalkNotFound
from services.assignment.handlers import (
    arranging,
    attempts,
    check_ins,
    disclosures,
    groups,
    not_held,
    noting,
    passing,
    record,
    routing,
    second,
    taking,
)
from shared.contracts.kinds import Channel, PartOfDay, Reason, Severity
from shared.contracts.walks import WhatNext, WhyNotHeld
from shared.database import Transaction
from tests.model.walk.place import OFFICERS, Place
from tests.servers.assignment_service import CITY_CENTRE

HOURS: Final = (1, 1.5, 2, 24, 24.5, 25, 48, 120, -1)
"""From the hour that is now on until a time somebody names."""
AREAS: Final = ("bs1", "bs2", "bs3", "nowhere")
BY_PEOPLE: Final = tuple(what for what in What if what is not What.NOT_TAKEN)


class Way(NamedTuple):
    """Of which type a command is, how one is drawn of a walk by a person, and done."""

    type: type
    draw: Callable[[Place, UUID, Person, int], Any]
    do: Callable[[Transaction, Any, Place], Awaitable[Any]]


def moment(place: Place, number: int) -> datetime:
    """A time near others, so that walks meet."""
    hour = place.now.replace(minute=0, second=0, microsecond=0)
    return hour + timedelta(hours=HOURS[number % len(HOURS)])


def officer(number: int) -> str:
    return (*OFFICERS, "nobody")[number % (len(OFFICERS) + 1)]


def id_of(number: int) -> UUID:
    """One of a few ids that devices make."""
    return UUID(int=number % 6 + 1, version=4)


def _take(place: Place, walk_id: UUID, by: Person, number: int) -> taking.Take:
    return taking.Take(walk_id, by, officer(number) if number % 2 else None)


def _propose(place: Place, walk_id: UUID, by: Person, number: int) -> arranging.Propose:
    times = {moment(place, number), moment(place, number // 3), moment(place, number // 7)}
    return arranging.Propose(walk_id, by, sorted(times), "By the library steps")


def _pass_on(place: Place, walk_id: UUID, by: Person, number: int) -> passing.PassOn:
    what = BY_PEOPLE[number % len(BY_PEOPLE)]
    to = {What.TO_OFFICER: officer(number // 7), What.TO_TEAM: AREAS[number // 7 % len(AREAS)]}.get(what)
    return passing.PassOn(walk_id, by, what, WhyPassed.WORKLOAD, to)


def _not_held(place: Place, walk_id: UUID, by: Person, number: int) -> not_held.NotHeld:
    why, what_next = tuple(WhyNotHeld), tuple(WhatNext)
    return not_held.NotHeld(walk_id, by, why[number % len(why)], what_next[number // 7 % len(what_next)])


def _complete(place: Place, walk_id: UUID, by: Person, number: int) -> record.Complete:
    ended_at = place.now - timedelta(minutes=(0, 5, 60, -30)[number % 4])
    concern = RecordedConcern(
        Reason.BADLY_LIT, CITY_CENTRE, "The underpass", PartOfDay.EVENING, Severity.MEDIUM, "Every second lamp is out"
    )
    return record.Complete(
        walk_id,
        by,
        ended_at - timedelta(minutes=(45, 20, 0)[number % 3]),
        ended_at,
        True,
        [concern] * (number % 3),
        (False, False, None, True)[number // 12 % 4],
    )


def _said(number: int) -> Said:
    return Said(tuple(Reason)[number % len(Reason)], CITY_CENTRE, words="Every second lamp is out", suggests="Light")


def _record(place: Place, number: int) -> Record:
    ended_at = place.now - timedelta(minutes=(0, 10)[number % 2])
    return Record(started_at=ended_at - timedelta(minutes=40), ended_at=ended_at, streetsafe_shown=True)


async def _look_and_pass_on(tx: Transaction, command: noting.PassOn, place: Place) -> None:
    """As the page does: the look, and what of it was ticked; now and then of a look that was another."""
    _, told = await noting.preview(tx, command.walk_id, command.by, place.now)
    looks = {event.concern_id: seen(event) for event in told}
    wrong = {id_: "0" * 64 for id_ in command.looks if id_ in looks}
    passed = noting.PassOn(command.walk_id, command.by, {**looks, **wrong}, command.disclosed)
    await noting.pass_on(tx, passed, place.now, policies=place.deps.policies)


def _given(place: Place, number: int) -> Given:
    """All of what has to be recorded, or only some of it."""
    return Given(
        kind=DisclosureKind.CRIME if number % 2 else None,
        reference="5226012345" if number % 3 else None,
        safeguarding=(Safeguarding.RISK_ASSESSED,) if number % 5 else (),
        safeguarded_at=place.now,
        signposted=(Signpost.VICTIM_SUPPORT,),
    )


def _disclosure(place: Place, walk_id: UUID, number: int) -> UUID:
    """One of this walk, more often than not.

    :raises WalkNotFound: there is none at all.
    """
    mine = place.disclosures.get(walk_id, ())
    everywhere = sorted(one for several in place.disclosures.values() for one in several)
    if not everywhere:
        raise WalkNotFound
    return mine[number % len(mine)] if mine and number % 5 else everywhere[number % len(everywhere)]


COMMANDS: Final[Mapping[str, Way]] = {
    "take": Way(taking.Take, _take, lambda tx, one, at: taking.take(tx, [one], at.now, policies=at.deps.policies)),
    "route": Way(
        routing.Route,
        lambda at, walk_id, by, n: routing.Route(walk_id, by, AREAS[n % len(AREAS)]),
        lambda tx, one, at: routing.route_by_hand(tx, [one], at.now),
    ),
    "arrange": Way(
        arranging.Arrange,
        lambda at, walk_id, by, n: arranging.Arrange(walk_id, by, moment(at, n), "By the library"),
        lambda tx, one, at: arranging.arrange(tx, [one], at.now, policies=at.deps.policies),
    ),
    "propose": Way(
        arranging.Propose,
        _propose,
        lambda tx, one, at: arranging.propose(tx, [one], at.now, policies=at.deps.policies),
    ),
    "cancel": Way(
        arranging.Cancel,
        lambda at, walk_id, by, n: arranging.Cancel(walk_id, by, "no-officer"),
        lambda tx, one, at: arranging.cancel(tx, [one], at.now),
    ),
    "bring a second": Way(
        second.Bring,
        lambda at, walk_id, by, n: second.Bring(walk_id, by, officer(n) if n % 4 else None),
        lambda tx, one, at: second.bring(tx, [one], at.now, policies=at.deps.policies),
    ),
    "pass the walk on": Way(
        passing.PassOn, _pass_on, lambda tx, one, at: passing.pass_on(tx, [one], at.now, policies=at.deps.policies)
    ),
    "join": Way(
        groups.Join,
        lambda at, walk_id, by, n: groups.Join(walk_id, by, at.walks[n % len(at.walks)]),
        lambda tx, one, at: groups.join(tx, one, at.now, policies=at.deps.policies),
    ),
    "part": Way(
        groups.Part,
        lambda at, walk_id, by, n: groups.Part(walk_id, by, at.somebodys(walk_id, n)),
        lambda tx, one, at: groups.part(tx, one, at.now, policies=at.deps.policies, locate=at.deps.registers.locate),
    ),
    "try to reach her": Way(
        attempts.Try,
        lambda at, walk_id, by, n: attempts.Try(
            walk_id,
            by,
            at.somebodys(walk_id, n),
            tuple(Channel)[n % 4],
            tuple(trying.Outcome)[n // 4 % len(trying.Outcome)],
        ),
        lambda tx, one, at: attempts.log_attempts(tx, [one], at.now),
    ),
    "not held": Way(
        not_held.NotHeld,
        _not_held,
        lambda tx, one, at: not_held.not_held(tx, [one], at.now, policies=at.deps.policies),
    ),
    "check in": Way(
        check_ins.CheckIn,
        lambda at, walk_id, by, n: check_ins.CheckIn(walk_id, by, n % 2 == 0),
        lambda tx, one, at: check_ins.check_in(tx, [one], at.now, policies=at.deps.policies),
    ),
    "start": Way(
        noting.At,
        lambda at, walk_id, by, n: noting.At(walk_id, by, at.now - timedelta(minutes=n % 90)),
        lambda tx, one, at: noting.start_walk(tx, one, at.now),
    ),
    "end": Way(
        noting.At,
        lambda at, walk_id, by, n: noting.At(walk_id, by, at.now - timedelta(minutes=n % 20)),
        lambda tx, one, at: noting.end_walk(tx, one, at.now),
    ),
    "say": Way(
        noting.Say,
        lambda at, walk_id, by, n: noting.Say(walk_id, by, _record(at, n)),
        lambda tx, one, at: noting.say(tx, one, at.now),
    ),
    "note": Way(
        noting.Note,
        lambda at, walk_id, by, n: noting.Note(walk_id, by, id_of(n), _said(n // 6)),
        lambda tx, one, at: noting.note(tx, one, at.now),
    ),
    "correct": Way(
        noting.Note,
        lambda at, walk_id, by, n: noting.Note(walk_id, by, id_of(n), _said(n // 6)),
        lambda tx, one, at: noting.correct(tx, one, at.now),
    ),
    "remove": Way(
        noting.OfConcern,
        lambda at, walk_id, by, n: noting.OfConcern(walk_id, by, id_of(n)),
        lambda tx, one, at: noting.remove(tx, one, at.now),
    ),
    "withdraw a concern": Way(
        noting.OfConcern,
        lambda at, walk_id, by, n: noting.OfConcern(walk_id, by, id_of(n)),
        lambda tx, one, at: noting.withdraw(tx, one, at.now),
    ),
    "reopen a concern": Way(
        noting.OfConcern,
        lambda at, walk_id, by, n: noting.OfConcern(walk_id, by, id_of(n)),
        lambda tx, one, at: noting.reopen(tx, one, at.now),
    ),
    "pass concerns on": Way(
        noting.PassOn,
        lambda at, walk_id, by, n: noting.PassOn(
            walk_id, by, {id_of(n): ""} if n % 4 == 3 else {}, (False, None, True)[n // 8 % 3]
        ),
        _look_and_pass_on,
    ),
    "disclose": Way(
        disclosures.Disclose,
        lambda at, walk_id, by, n: disclosures.Disclose(walk_id, by),
        lambda tx, one, at: disclosures.open_disclosure(tx, one, at.now, policies=at.deps.policies),
    ),
    "record what was disclosed": Way(
        disclosures.RecordDisclosure,
        lambda at, walk_id, by, n: disclosures.RecordDisclosure(_disclosure(at, walk_id, n), by, _given(at, n)),
        lambda tx, one, at: disclosures.record_disclosure(tx, one, at.now, policies=at.deps.policies),
    ),
    "take back what was disclosed": Way(
        disclosures.WithdrawDisclosure,
        lambda at, walk_id, by, n: disclosures.WithdrawDisclosure(
            _disclosure(at, walk_id, n), by, tuple(Mistake)[n % 2]
        ),
        lambda tx, one, at: disclosures.withdraw_disclosure(tx, one, at.now),
    ),
    "complete": Way(
        record.Complete, _complete, lambda tx, one, at: record.complete(tx, [one], at.now, policies=at.deps.policies)
    ),
}
