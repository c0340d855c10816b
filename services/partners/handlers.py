"""Load, decide, save, append: one function a command or event; the caller owns the transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from uuid6 import uuid7

from services.partners import domain, store
from services.partners.domain import (
    Assign,
    Case,
    Change,
    Command,
    Concern,
    Decision,
    Letter,
    Line,
    Minted,
    Partner,
    Referral,
    ReferralState,
    Register,
    Sheet,
    Waiting,
)
from shared import audit, sendings, timers
from shared.bus import erasure, outbox
from shared.bus.erasure import Gone
from shared.bus.outbox import Fact
from shared.bus.subscriptions import Outcome
from shared.contracts.areas import AreaPublished, area_key
from shared.contracts.concerns import ConcernRaised, ConcernRedacted, ConcernWithdrawn
from shared.contracts.envelope import Event, Received
from shared.contracts.policy import ForcePolicy
from shared.database import Transaction

Policies = Mapping[str, ForcePolicy]

RESPOND: Final = "referral-respond"
"""The timer of a referral nobody has answered yet."""
EMAIL: Final = "email"


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and the event that made it necessary, if one did."""

    decision: Decision
    cause: Received[Event] | None = None


async def keep_register(tx: Transaction, policies: Policies) -> None:
    """Take over the partners of every force's policy; the same again changes nothing."""
    for force in sorted(policies):
        await store.save_register(tx, Register.of(policies[force]))


async def keep_areas(tx: Transaction, received: Sequence[Received[AreaPublished]], now: datetime) -> None:
    """Know areas by name."""
    await store.save_areas(tx, [(one.force_id, one.event) for one in received])


async def open_referrals(
    tx: Transaction, received: Sequence[Received[ConcernRaised]], now: datetime, *, policies: Policies
) -> Outcome:
    """Refer each concern to the partner answerable for its category and place; what nobody covers goes to triage.

    A concern whose area was not published here yet waits for it.
    """
    registers = await _registers(tx, {one.force_id for one in received}, policies)
    around = await store.around(tx, [(one.force_id, one.event) for one in received])
    awaiting: dict[UUID, UUID] = {}
    decided: list[Decided] = []
    for one in received:
        found = around[one.force_id, one.event.concern_id]
        if found.known:
            continue
        if found.area_name is None:
            awaiting[one.id] = area_key(one.event.area_id)
            continue
        case = Case(Concern.of(one.force_id, one.event, found.area_name))
        decided.append(Decided(domain.refer(case, registers[one.force_id], _mint(), now), one))
    await store.save_concerns(tx, [one.decision.concern for one in decided], now)
    await _save(tx, decided, now)
    return Outcome(awaiting=awaiting)


async def close_withdrawn(tx: Transaction, received: Sequence[Received[ConcernWithdrawn]], now: datetime) -> None:
    """Close what the team has taken back, and tell whoever was asked.

    A concern not known here leaves a tombstone instead of waiting: should it still come, nobody is asked to act.
    """
    cases = await store.lock_cases(tx, [(one.force_id, one.event.concern_id) for one in received])
    unknown = [(one.force_id, one.event.concern_id) for one in received]
    await store.save_tombstones(tx, [key for key in unknown if key not in cases], now)
    decided = [
        Decided(domain.withdraw(case, now), one)
        for one in received
        if (case := cases.get((one.force_id, one.event.concern_id))) is not None
    ]
    await _go_on(tx, decided, now)


async def redact(tx: Transaction, received: Sequence[Received[ConcernRedacted]], now: datetime) -> None:
    """Forget the words of concerns, and have every partner that was asked forget them."""
    await forget(tx, [Gone(one.force_id, one.event.concern_id, "words") for one in received], now)


async def forget(tx: Transaction, gone: Sequence[Gone], now: datetime) -> None:
    """Take the words out of these concerns; one that is not known here yet will come without. What is to be done
    stands. Doing it again changes nothing."""
    cases = await store.lock_cases(tx, [(one.force_id, one.id) for one in gone])
    known = [case for case in cases.values() if case is not None]
    speaking = [case for case in known if case.concern.words or case.concern.place_name]
    decided = [Decided(domain.redact(case, now)) for case in speaking]
    await store.change_concerns(tx, [one.decision.concern for one in decided])
    await _save(tx, decided, now)
    told = [Gone(case.concern.force_id, r.reference, "words") for case in known for r in case.referrals]
    await erasure.bury(tx, [*gone, *told], now, now)
    entries = [
        audit.Entry(case.concern.force_id, "partners", "erased", f"concern {case.concern.id}", "its words, as told")
        for case in speaking
    ]
    await audit.record(tx, entries, now)


async def answer(
    tx: Transaction, commands: Sequence[Command], now: datetime, *, policies: Policies, actor: str
) -> None:
    """What partners, or the police for them, do with referrals. `actor` is who is signed in.

    :raises ReferralNotFound: there is none of that reference, or it is another partner's.
    :raises Refusal: the referral is past this.
    """
    concerns = await store.concerns_of_references(tx, [(one.force_id, one.reference) for one in commands])
    cases = await store.lock_cases(tx, concerns.values())
    registers = await _registers(tx, {one.force_id for one in commands}, policies)
    decided = []
    for one in commands:
        key = concerns.get((one.force_id, one.reference))
        case = cases.get(key) if key is not None else None
        if case is None:
            raise domain.ReferralNotFound
        decided.append(Decided(domain.answer(case, one, registers[one.force_id], _mint(), now)))
    await _go_on(tx, decided, now, actor)


async def assign(tx: Transaction, commands: Sequence[Assign], now: datetime, *, policies: Policies, actor: str) -> None:
    """Ask the partners a coordinator chose for concerns in triage.

    :raises ConcernNotInTriage, PartnerUnknown, PartnerAlreadyAsked: see domain.assign.
    """
    cases = await store.lock_cases(tx, [(one.force_id, one.concern_id) for one in commands])
    registers = await _registers(tx, {one.force_id for one in commands}, policies)
    decided = [
        Decided(domain.assign(cases.get((one.force_id, one.concern_id)), one, registers[one.force_id], _mint(), now))
        for one in commands
    ]
    await _go_on(tx, decided, now, actor)


async def mark_overdue(tx: Transaction, fired: Sequence[timers.Fired], now: datetime) -> None:
    """The time to answer is up: mark what nobody answered, and remind the partner once."""
    referrals = await store.lock_referrals(tx, [(one.force_id, one.subject) for one in fired])
    forces = {referral_id: force for force, referral_id in referrals}
    late = domain.overdue(referrals.values())
    await store.change_referrals(tx, [(forces[one.id], one) for one in late], now)
    await _write(tx, [(forces[one.id], one, "reminder") for one in late], now)


async def referrals(
    tx: Transaction, partner_id: str | None, states: Collection[ReferralState], page: int
) -> tuple[list[Line], bool]:
    """A page (counted from 1) of one partner's referrals, or of all for None; and whether there are more."""
    return await store.referral_list(tx, partner_id, states, page)


async def sheet(tx: Transaction, reference: UUID, partner_id: str | None) -> Sheet:
    """One referral with its history.

    :raises ReferralNotFound: there is none of that reference, or it is another partner's.
    """
    found = await store.sheet(tx, reference, partner_id)
    if found is None:
        raise domain.ReferralNotFound
    return found


async def triage(tx: Transaction, page: int) -> tuple[list[Waiting], bool]:
    """A page (counted from 1) of concerns in triage, longest waiting first; and whether there are more."""
    return await store.triage(tx, page)


async def partners_of(tx: Transaction, force_id: str) -> list[Partner]:
    """Everybody the force has an agreement with."""
    return (await store.partners(tx, [force_id]))[force_id]


async def counts(tx: Transaction) -> tuple[dict[str, int], int, dict[tuple[str, str], int]]:
    """Open referrals by state, concerns in triage, deliveries due and failed by channel."""
    return await store.counts(tx)


async def letter(tx: Transaction, delivery: UUID) -> Letter | None:
    """What an e-mail to a partner is written from."""
    return await store.letter(tx, delivery)


async def _go_on(tx: Transaction, decided: Sequence[Decided], now: datetime, actor: str = "partners") -> None:
    await store.change_concerns(tx, [one.decision.concern for one in decided])
    await _save(tx, decided, now, actor)


async def _save(tx: Transaction, decided: Sequence[Decided], now: datetime, actor: str = "partners") -> None:
    """Referrals changed and made, their history, what is to be sent, and the events; one write a table."""
    changed = [(one.decision.concern.force_id, r) for one in decided for r in one.decision.changed]
    changes: list[tuple[str, Change]] = [
        (one.decision.concern.force_id, change) for one in decided for change in one.decision.changes
    ]
    made = [(one.decision.concern, r) for one in decided if (r := one.decision.made) is not None]
    # Before the new ones: a concern has one open referral at a time.
    await store.change_referrals(tx, changed, now)
    await store.save_referrals(tx, made)
    await store.save_changes(tx, changes, now)

    withdrawn = [(force, r, "withdrawn") for force, r in changed if r.state is ReferralState.WITHDRAWN]
    unsent = await store.deliveries_of(tx, [(force, r.id) for force, r, _ in withdrawn])
    for force, ids in _by_force(unsent).items():
        await sendings.cancel(tx, force, ids)
    await _write(tx, [(concern.force_id, r, "referred") for concern, r in made] + withdrawn, now)

    for force, ids in _by_force((force, r.id) for force, r in changed).items():
        await timers.cancel(tx, RESPOND, force, ids)
    await timers.set(tx, RESPOND, [timers.Due(c.force_id, r.id, r.respond_by) for c, r in made])

    told = [
        audit.Entry(c.force_id, actor, "disclosed", f"concern {c.id}", "referred under its agreement", r.partner_id)
        for c, r in made
    ]
    told += [
        audit.Entry(force, actor, "altered", f"referral {change.referral_id}", f"{change.status} by the {change.by}")
        for force, change in changes
    ]
    await audit.record(tx, told, now)
    await outbox.append(
        tx,
        [
            Fact(event, one.decision.concern.force_id, at=now, cause=one.cause)
            for one in decided
            for event in one.decision.events
        ],
    )


async def _write(tx: Transaction, letters: Sequence[tuple[str, Referral, str]], now: datetime) -> None:
    """Have e-mails of (force, referral, kind) sent, to partners that have an address."""
    deliveries = await store.save_deliveries(
        tx, [(force, UUID(int=uuid7().int), one.id, one.partner_id, kind) for force, one, kind in letters], now
    )
    await sendings.schedule(tx, [sendings.Sending(force, id_, EMAIL, now) for force, id_ in deliveries])


async def _registers(tx: Transaction, forces: set[str], policies: Policies) -> dict[str, Register]:
    """The register of each force.

    :raises RegisterNotReady: the policy this process has read was not taken over yet.
    """
    versions = await store.register_versions(tx, forces)
    if any(versions.get(force, 0) < policies[force].version for force in forces):
        raise domain.RegisterNotReady
    partners = await store.partners(tx, forces)
    return {
        force: Register(force, versions[force], policies[force].referrals.respond_within, tuple(partners[force]))
        for force in forces
    }


def _mint() -> Minted:
    return Minted(UUID(int=uuid7().int), uuid4())


def _by_force(keys: Iterable[tuple[str, UUID]]) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = {}
    for force, id_ in keys:
        found.setdefault(force, []).append(id_)
    return found
