"""Who is asked to act on a concern, and what may happen to a referral; pure decisions on frozen values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.contracts.concerns import ConcernRaised
from shared.contracts.envelope import Event
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.partner_view import PartnerConcernReferred, PartnerReferralChanged, PartnerReferralStatus
from shared.contracts.policy import ForcePolicy
from shared.contracts.referrals import (
    ConcernResolved,
    Progress,
    ReferralAccepted,
    ReferralDeclined,
    ReferralMade,
    ReferralUpdated,
    Resolution,
)
from shared.contracts.refusals import Refusal, TryAgain
from shared.working_days import day, due


class RegisterNotReady(TryAgain):
    """The register of partners is being brought up to date. Try again in a moment."""


class ReferralNotFound(Refusal):
    """There is no such referral, or it is not yours."""


class ReferralNotAccepted(Refusal):
    """Accept the referral first, then say how the work goes."""


class ReferralAlreadyAccepted(Refusal):
    """The referral was accepted, so it can no longer be declined. Resolve it and say why nothing more will be done."""


class ReferralAlreadyDeclined(Refusal):
    """The referral was declined, and the concern has gone on."""


class ReferralAlreadyResolved(Refusal):
    """The concern was resolved already."""


class ReferralWithdrawn(Refusal):
    """The neighbourhood team has taken the concern back. Nothing more needs to be done."""


class ConcernNotInTriage(Refusal):
    """This concern is not waiting for somebody to choose a partner."""


class PartnerUnknown(Refusal):
    """There is no agreement with this partner."""


class PartnerAlreadyAsked(Refusal):
    """This partner was asked about this concern before. Choose another one."""


class ConcernState(StrEnum):
    REFERRED = "referred"
    TRIAGE = "triage"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class ReferralState(StrEnum):
    MADE = "made"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


OPEN: Final = (ReferralState.MADE, ReferralState.ACCEPTED)


class TriageReason(StrEnum):
    """Why a person has to choose a partner."""

    NOT_COVERED = "not-covered"
    ALL_DECLINED = "all-declined"


class By(StrEnum):
    """Who made a change: the partner's own people, or the police for them."""

    PARTNER = "partner"
    POLICE = "police"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Categories in areas; none named means every one of the force."""

    areas: frozenset[str] = frozenset()
    categories: frozenset[Reason] = frozenset()

    def covers(self, area_id: str, category: Reason) -> bool:
        return (not self.areas or area_id in self.areas) and (not self.categories or category in self.categories)

    @property
    def breadth(self) -> tuple[bool, bool]:
        """Sorts the narrowest first: named areas before the whole force, named categories before all of them."""
        return (not self.areas, not self.categories)


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation the force has an agreement with."""

    id: str
    name: str
    kind: str
    email: str | None
    agreed_on: date
    coverage: tuple[Coverage, ...]

    def breadth(self, area_id: str, category: Reason) -> tuple[bool, bool] | None:
        """How broad its narrowest coverage of this is; None where it covers it not at all."""
        found = [one.breadth for one in self.coverage if one.covers(area_id, category)]
        return min(found) if found else None


@dataclass(frozen=True, slots=True)
class Register:
    """A force's partners, under one version of its policy."""

    force_id: str
    version: int
    respond_within: int
    """Working days a partner has to say whether it will act."""
    partners: tuple[Partner, ...]

    @classmethod
    def of(cls, policy: ForcePolicy) -> Register:
        return cls(
            policy.force_id,
            policy.version,
            policy.referrals.respond_within,
            tuple(
                Partner(
                    entry.partner_id,
                    entry.name,
                    entry.kind,
                    entry.email,
                    entry.agreed_on,
                    tuple(Coverage(frozenset(c.areas), frozenset(c.categories)) for c in entry.coverage),
                )
                for entry in policy.partners
            ),
        )

    def answerable(self, area_id: str, category: Reason, asked: Collection[str] = ()) -> Partner | None:
        """Whom to ask: by category, then the narrowest coverage, then the earliest agreement; nobody asked before."""
        found = [
            (breadth, partner.agreed_on, partner.id, partner)
            for partner in self.partners
            if partner.id not in asked and (breadth := partner.breadth(area_id, category)) is not None
        ]
        return min(found, key=lambda one: one[:3])[3] if found else None

    def partner(self, id_: str) -> Partner:
        """
        :raises PartnerUnknown: no agreement stands with it.
        """
        for partner in self.partners:
            if partner.id == id_:
                return partner
        raise PartnerUnknown


@dataclass(frozen=True, slots=True)
class Concern:
    """What somebody ought to act on, as far as partners may know it."""

    force_id: str
    id: UUID
    area_id: str
    area_name: str
    category: Reason
    place: Point
    place_name: str | None
    time_of_day: PartOfDay | None
    severity: Severity
    words: str | None
    raised_on: date
    state: ConcernState
    triage_reason: TriageReason | None = None

    @classmethod
    def of(cls, force_id: str, raised: ConcernRaised, area_name: str) -> Concern:
        return cls(
            force_id,
            raised.concern_id,
            raised.area_id,
            area_name,
            raised.category,
            raised.place,
            raised.place_name,
            raised.time_of_day,
            raised.severity,
            raised.words,
            raised.raised_on,
            ConcernState.REFERRED,
        )


@dataclass(frozen=True, slots=True)
class Referral:
    """A partner asked to act on a concern. `reference` is the only id of it the partner ever sees."""

    id: UUID
    reference: UUID
    partner_id: str
    partner_name: str
    state: ReferralState
    made_at: datetime
    respond_by: datetime
    overdue: bool = False
    progress: Progress | None = None
    words: str | None = None
    planned_for: date | None = None
    reason: str | None = None
    resolution: Resolution | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A concern with everybody who was asked about it; what a decision is made on."""

    concern: Concern
    referrals: tuple[Referral, ...] = ()

    @property
    def asked(self) -> frozenset[str]:
        return frozenset(referral.partner_id for referral in self.referrals)


@dataclass(frozen=True, slots=True)
class Minted:
    """Ids for a referral that may come to be: ours, and the one made for the partner alone (version 4)."""

    referral_id: UUID
    reference: UUID


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a referral's history."""

    referral_id: UUID
    by: By
    status: PartnerReferralStatus
    words: str | None = None
    progress: Progress | None = None
    planned_for: date | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a concern: its new state, a referral changed, a referral made, and the events that say so."""

    concern: Concern
    changed: tuple[Referral, ...] = ()
    changes: tuple[Change, ...] = ()
    made: Referral | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A referral in a list."""

    reference: UUID
    concern_id: UUID
    partner_id: str
    partner_name: str
    state: ReferralState
    made_at: datetime
    respond_by: datetime
    overdue: bool
    progress: Progress | None
    category: Reason
    severity: Severity
    area_name: str


@dataclass(frozen=True, slots=True)
class Said:
    """A line of a referral's history."""

    at: datetime
    by: By
    status: PartnerReferralStatus
    progress: Progress | None
    words: str | None
    planned_for: date | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something sent to the partner; `state` is due, sent, failed or cancelled."""

    kind: str
    channel: str
    state: str
    ended_at: datetime | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is shown of one referral."""

    concern: Concern
    referral: Referral
    history: tuple[Said, ...]
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A concern in triage, and the partners that were asked before."""

    concern: Concern
    received_at: datetime
    asked: frozenset[str]


@dataclass(frozen=True, slots=True)
class Letter:
    """What an e-mail to a partner is written from."""

    kind: str
    made_at: datetime
    email: str | None
    partner_name: str
    reference: UUID
    state: ReferralState
    respond_by: datetime
    concern: Concern


@dataclass(frozen=True, slots=True)
class _OfReferral:
    """What every command names. `partner_id` is None for the police."""

    force_id: str
    reference: UUID
    partner_id: str | None

    @property
    def by(self) -> By:
        return By.POLICE if self.partner_id is None else By.PARTNER


@dataclass(frozen=True, slots=True)
class Accept(_OfReferral):
    """The partner will act."""


@dataclass(frozen=True, slots=True)
class Decline(_OfReferral):
    """The partner will not act, and says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Update(_OfReferral):
    """How the work goes."""

    progress: Progress
    words: str | None = None
    planned_for: date | None = None


@dataclass(frozen=True, slots=True)
class Resolve(_OfReferral):
    """How it ended; `words` are fit for her to read."""

    resolution: Resolution
    words: str | None = None


Command = Accept | Decline | Update | Resolve
"""Something a partner, or the police for it, does with a referral."""


@dataclass(frozen=True, slots=True)
class Assign:
    """A coordinator chooses the partner for a concern nobody covers."""

    force_id: str
    concern_id: UUID
    partner_id: str


def refer(case: Case, register: Register, minted: Minted, now: datetime) -> Decision:
    """Ask the partner that is answerable and was not asked before.

    A concern nobody covers goes to triage, never to an error: a person decides (the Met's scheme page: changes are
    recommended "to partner agencies when appropriate").
    """
    concern = case.concern
    partner = register.answerable(concern.area_id, concern.category, case.asked)
    if partner is None:
        reason = TriageReason.ALL_DECLINED if case.referrals else TriageReason.NOT_COVERED
        return Decision(replace(concern, state=ConcernState.TRIAGE, triage_reason=reason))
    return _ask(concern, partner, register, minted, now)


def assign(case: Case | None, command: Assign, register: Register, minted: Minted, now: datetime) -> Decision:
    """Ask the partner a coordinator chose.

    :raises ConcernNotInTriage: nobody needs to choose, or no such concern is known.
    :raises PartnerUnknown: no agreement stands with that partner.
    :raises PartnerAlreadyAsked: it was asked before; a concern goes to a partner once.
    """
    if case is None or case.concern.state is not ConcernState.TRIAGE:
        # The same choice sent twice: the partner it went to is the one that was chosen.
        if case is not None and _open(case) and _open(case)[0].partner_id == command.partner_id:
            return Decision(case.concern)
        raise ConcernNotInTriage
    partner = register.partner(command.partner_id)
    if partner.id in case.asked:
        raise PartnerAlreadyAsked
    return _ask(case.concern, partner, register, minted, now)


def answer(case: Case, command: Command, register: Register, minted: Minted, now: datetime) -> Decision:
    """Apply what a partner, or the police for it, does. The same command again changes nothing and says nothing.

    :raises ReferralNotFound: the referral is another partner's.
    :raises Refusal: one of those above, when the referral is past this.
    """
    referral = _of(case, command)
    if referral.state is ReferralState.WITHDRAWN:
        raise ReferralWithdrawn
    match command:
        case Accept():
            return _accept(case, referral, command, now)
        case Decline():
            return _decline(case, referral, command, register, minted, now)
        case Update():
            return _update(case, referral, command, now)
        case Resolve():
            return _resolve(case, referral, command, now)


def withdraw(case: Case, now: datetime) -> Decision:
    """The team has taken the concern back: nobody need act, and whoever was asked is told. After its end: nothing."""
    if case.concern.state in (ConcernState.WITHDRAWN, ConcernState.RESOLVED):
        return Decision(case.concern)
    # Words nobody is to act on are not kept.
    concern = replace(case.concern, state=ConcernState.WITHDRAWN, triage_reason=None, words=None)
    closed = tuple(replace(r, state=ReferralState.WITHDRAWN, overdue=False) for r in _open(case))
    return Decision(
        concern,
        changed=closed,
        changes=tuple(Change(r.id, By.POLICE, PartnerReferralStatus.WITHDRAWN) for r in closed),
        events=tuple(_told(r, PartnerReferralStatus.WITHDRAWN, now) for r in closed),
    )


def redact(case: Case, now: datetime) -> Decision:
    """The words of a concern were erased: whoever was ever asked to act on it is told to forget them."""
    return Decision(
        replace(case.concern, words=None, place_name=None),
        events=tuple(_told(r, PartnerReferralStatus.REDACTED, now) for r in case.referrals),
    )


def overdue(referrals: Iterable[Referral]) -> list[Referral]:
    """Those nobody has answered, marked; one answered meanwhile stays as it is."""
    return [
        replace(referral, overdue=True)
        for referral in referrals
        if referral.state is ReferralState.MADE and not referral.overdue
    ]


def _ask(concern: Concern, partner: Partner, register: Register, minted: Minted, now: datetime) -> Decision:
    referral = Referral(
        minted.referral_id,
        minted.reference,
        partner.id,
        partner.name,
        ReferralState.MADE,
        made_at=now,
        respond_by=due(now, register.respond_within),
    )
    respond_by = day(referral.respond_by)
    return Decision(
        replace(concern, state=ConcernState.REFERRED, triage_reason=None),
        made=referral,
        events=(
            ReferralMade(
                concern_id=concern.id,
                referral_id=referral.id,
                partner_id=partner.id,
                partner_name=partner.name,
                respond_by=respond_by,
            ),
            PartnerConcernReferred(
                partner_id=partner.id,
                reference=referral.reference,
                category=concern.category,
                place=concern.place,
                place_name=concern.place_name,
                area_name=concern.area_name,
                time_of_day=concern.time_of_day,
                severity=concern.severity,
                words=concern.words,
                raised_on=concern.raised_on,
                respond_by=respond_by,
            ),
        ),
    )


def _accept(case: Case, referral: Referral, command: Accept, now: datetime) -> Decision:
    match referral.state:
        case ReferralState.ACCEPTED:
            return Decision(case.concern)
        case ReferralState.DECLINED:
            raise ReferralAlreadyDeclined
        case ReferralState.RESOLVED:
            raise ReferralAlreadyResolved
    accepted = replace(referral, state=ReferralState.ACCEPTED, overdue=False)
    return Decision(
        case.concern,
        changed=(accepted,),
        changes=(Change(referral.id, command.by, PartnerReferralStatus.ACCEPTED),),
        events=(
            ReferralAccepted(
                concern_id=case.concern.id,
                referral_id=referral.id,
                partner_id=referral.partner_id,
                partner_name=referral.partner_name,
            ),
            _told(referral, PartnerReferralStatus.ACCEPTED, now),
        ),
    )


def _decline(
    case: Case, referral: Referral, command: Decline, register: Register, minted: Minted, now: datetime
) -> Decision:
    match referral.state:
        case ReferralState.DECLINED if referral.reason == command.reason:
            return Decision(case.concern)
        case ReferralState.DECLINED:
            raise ReferralAlreadyDeclined
        case ReferralState.ACCEPTED:
            raise ReferralAlreadyAccepted
        case ReferralState.RESOLVED:
            raise ReferralAlreadyResolved
    declined = replace(referral, state=ReferralState.DECLINED, overdue=False, reason=command.reason)
    onward = refer(case, register, minted, now)
    return Decision(
        onward.concern,
        changed=(declined,),
        changes=(Change(referral.id, command.by, PartnerReferralStatus.DECLINED, words=command.reason),),
        made=onward.made,
        events=(
            ReferralDeclined(
                concern_id=case.concern.id,
                referral_id=referral.id,
                partner_id=referral.partner_id,
                partner_name=referral.partner_name,
                reason=command.reason,
            ),
            _told(referral, PartnerReferralStatus.DECLINED, now),
            *onward.events,
        ),
    )


def _update(case: Case, referral: Referral, command: Update, now: datetime) -> Decision:
    _accepted(referral)
    updated = replace(referral, progress=command.progress, words=command.words, planned_for=command.planned_for)
    if updated == referral:
        return Decision(case.concern)
    status = PartnerReferralStatus.UPDATED
    return Decision(
        case.concern,
        changed=(updated,),
        changes=(Change(referral.id, command.by, status, command.words, command.progress, command.planned_for),),
        events=(
            ReferralUpdated(
                concern_id=case.concern.id,
                referral_id=referral.id,
                partner_id=referral.partner_id,
                partner_name=referral.partner_name,
                progress=command.progress,
                words=command.words,
                planned_for=command.planned_for,
            ),
            _told(referral, status, now),
        ),
    )


def _resolve(case: Case, referral: Referral, command: Resolve, now: datetime) -> Decision:
    if (referral.state, referral.resolution, referral.words) == (
        ReferralState.RESOLVED,
        command.resolution,
        command.words,
    ):
        return Decision(case.concern)
    _accepted(referral)
    resolved = replace(referral, state=ReferralState.RESOLVED, resolution=command.resolution, words=command.words)
    return Decision(
        replace(case.concern, state=ConcernState.RESOLVED),
        changed=(resolved,),
        changes=(Change(referral.id, command.by, PartnerReferralStatus.RESOLVED, words=command.words),),
        events=(
            ConcernResolved(
                concern_id=case.concern.id,
                referral_id=referral.id,
                partner_id=referral.partner_id,
                partner_name=referral.partner_name,
                resolution=command.resolution,
                words=command.words,
            ),
            _told(referral, PartnerReferralStatus.RESOLVED, now),
        ),
    )


def _accepted(referral: Referral) -> None:
    match referral.state:
        case ReferralState.MADE:
            raise ReferralNotAccepted
        case ReferralState.DECLINED:
            raise ReferralAlreadyDeclined
        case ReferralState.RESOLVED:
            raise ReferralAlreadyResolved


def _of(case: Case, command: Command) -> Referral:
    for referral in case.referrals:
        if referral.reference == command.reference and command.partner_id in (None, referral.partner_id):
            return referral
    raise ReferralNotFound


def _open(case: Case) -> Sequence[Referral]:
    return [referral for referral in case.referrals if referral.state in OPEN]


def _told(referral: Referral, status: PartnerReferralStatus, now: datetime) -> PartnerReferralChanged:
    return PartnerReferralChanged(
        partner_id=referral.partner_id, reference=referral.reference, status=status, changed_on=day(now)
    )
