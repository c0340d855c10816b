"""One function a command or event: load, decide, save, append. The caller owns the transaction."""

from __future__ import annotations

import json
import os
import random
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from uuid6 import uuid7

from services.intake import domain, store
from services.intake.domain import (
    Asker,
    FieldsWrong,
    Held,
    KeyUsedForAnother,
    MessageKind,
    Person,
    RequestNotFound,
    RequestState,
    RequestWalk,
    Send,
)
from services.intake.metrics import IntakeMetrics
from services.intake.store import Stored
from services.intake.vault import CannotOpen, DataKey, Vault
from shared import audit, sendings, timers
from shared.audit import Entry
from shared.bus import outbox
from shared.bus.outbox import Fact, Thread
from shared.bus.subscriptions import Outcome
from shared.contracts.baseline import BaselineAnswered
from shared.contracts.envelope import Received
from shared.contracts.feedback import FeedbackFlagged, SurveyInvited
from shared.contracts.kinds import SurveyName, Urgency
from shared.contracts.referrals import ConcernResolved
from shared.contracts.surveys import BASELINE
from shared.contracts.walk_requests import (
    ContactRules,
    ContactRulesChanged,
    ContactWanted,
    WalkRequested,
    WalkRequestWithdrawn,
)
from shared.contracts.walks import (
    ConcernsAttached,
    FollowUpCompleted,
    WalkArranged,
    WalkCancelled,
    WalkCompleted,
    WalkEvent,
    WalkRouted,
    WalkTaken,
)
from shared.database import Transaction
from shared.survey_link import Ticket
from shared.timers import Due, Fired
from shared.working_days import day, month

W = TypeVar("W", bound=WalkEvent)

DRAFT_EXPIRES: Final = "draft-expires"
BASELINE_LEAVES: Final = "baseline-leaves"
CONTACT_IS_TOLD: Final = "contact-is-told"
DRAFT_LASTS: Final = timedelta(hours=3)

CONTACT: Final = "contact reference"
PRIVATE_LINK: Final = "private link"
_BASELINE: Final = "waiting baseline"
_BASELINE_SIZE: Final = 1024
_WANTED: Final = "wanted contact"
_WANTED_SIZE: Final = 128
_WANTED_WAITS: Final = (1.0, 5.0)
"""Seconds. Enough to be another transaction; no wait that is safe for her would hide the moment."""
_DRAFT: Final = "draft"
_DRAFT_SIZE: Final = 4096

# Nobody may guess the order in which answers leave from the state of an ordinary generator.
_CHANCE: Final = random.SystemRandom()


@dataclass(frozen=True)
class Keeping:
    """What intake's handlers need beyond their transaction: the vault, the key and addresses of links, the counters."""

    vault: Vault
    link_key: bytes = field(repr=False)
    feedback_url: str
    intake_url: str
    metrics: IntakeMetrics


# Asking for a walk


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request and the key under which its sender may repeat it."""

    command: RequestWalk
    idempotency_key: str
    actor: str = "participant"
    thread: Thread | None = None
    """Of the call that brought it, where several are accepted together."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the sender of a request is told."""

    request_id: UUID
    reference: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A request ready to be written, and who asks, open for the length of one transaction."""

    keyed: Keyed
    new: store.NewRequest
    event: WalkRequested
    woman: _Woman
    pair_id: UUID

    @property
    def key(self) -> tuple[str, bytes]:
        """The idempotency key's force and digest."""
        return self.new.force_id, self.new.digest


async def request_walks(tx: Transaction, asked: Sequence[Keyed], now: datetime, *, keeping: Keeping) -> list[Accepted]:
    """Accept requests, each once however often it is sent.

    :raises FieldsWrong: something is missing or not valid; nothing of any of them is stored.
    :raises KeyUsedForAnother: a key was used before for another request.
    """
    sealed = [_sealed_request(keeping.vault, keyed) for keyed in asked]
    wrong = [domain.refuse_request(keyed.command, day(now)) for keyed in asked]
    sound = [one for one, faults in zip(sealed, wrong, strict=True) if not faults]
    told = _decided([_confirmation(keeping, one, now) for one in sound], now)
    fresh = await store.accept(tx, [one.new for one in sound], [one.message for one in told], now) if sound else set()
    await _follow(tx, keeping, [one for one in sound if one.new.id in fresh], now)
    await _send_on(tx, keeping, [one for one in told if one.message.request_id in fresh])
    # A repeat is answered as before: what was accepted yesterday is not refused because its earliest day has passed.
    known = await store.accepted(tx, [one.key for one in sealed if one.new.id not in fresh])
    answers = []
    for one, faults in zip(sealed, wrong, strict=True):
        if one.new.id in fresh:
            answers.append(Accepted(one.new.id, one.new.reference, repeated=False))
        elif (found := known.get(one.key)) is None:
            raise FieldsWrong(faults)
        elif found.body_digest != one.new.body_digest:
            raise KeyUsedForAnother
        else:
            answers.append(Accepted(found.request_id, found.reference, repeated=True))
    return answers


async def _follow(tx: Transaction, keeping: Keeping, accepted: Sequence[_Sealed], now: datetime) -> None:
    """What goes with requests just written: events, the log of who collected what, her answers."""
    if not accepted:
        return
    facts, entries = [], []
    for one in accepted:
        command, request_id = one.keyed.command, one.new.id
        facts.append(Fact(one.event, command.force_id, now, thread=one.keyed.thread))
        entries.append(Entry(command.force_id, one.keyed.actor, "collected", str(request_id), "asked for a walk"))
    await outbox.append(tx, facts)
    await audit.record(tx, entries, now)
    baselines = [
        _sealed_baseline(keeping.vault, one.keyed.command, one.pair_id, now)
        for one in accepted
        if one.keyed.command.baseline
    ]
    await _keep_baselines(tx, keeping, baselines, now)


def _confirmation(keeping: Keeping, asked: _Sealed, now: datetime) -> _Notice:
    return _Notice(asked.woman, MessageKind.CONFIRMATION, {"link": private_link(keeping, asked.woman.held)}, now)


def _canonical(command: RequestWalk, person: Mapping[str, Any], event: WalkRequested) -> str:
    """The command as one text, the same for the same request."""
    asked = event.model_dump(mode="json", exclude={"request_id"})
    return json.dumps([command.force_id, person, asked, dict(command.baseline)], sort_keys=True)


def _sealed_request(vault: Vault, keyed: Keyed) -> _Sealed:
    command, person = keyed.command, keyed.command.person
    request_id, participant_id, pair_id = UUID(int=uuid7().int), uuid4(), uuid4()
    reference = domain.reference(os.urandom(8))
    data_key, wrapped = vault.new_data_key(str(participant_id))
    content, event = person.as_json(), command.event(request_id)
    new = store.NewRequest(
        command.force_id,
        vault.digest("idempotency key", keyed.idempotency_key),
        vault.digest("request", _canonical(command, content, event)),
        request_id,
        reference,
        data_key.seal(pair_id.hex, f"pair of {request_id}"),
        participant_id,
        wrapped,
        data_key.seal(content, f"person {participant_id}"),
        tuple(vault.digest(kind, text) for kind, text in person.looked_up_by()),
    )
    held = Held(command.force_id, request_id, reference, RequestState.RECEIVED, None, None, participant_id)
    return _Sealed(keyed, new, event, _Woman(held, person, data_key), pair_id)


# Her answers before the walk


def _sealed_baseline(vault: Vault, command: RequestWalk, pair_id: UUID, now: datetime) -> store.Baseline:
    """Padded, because how many questions she answered would tell her from others; with a day for a time."""
    waiting_id = uuid4()
    content = {"pair": pair_id.hex, "month": month(now), "answers": dict(command.baseline)}
    sealed = vault.seal(_BASELINE, content, str(waiting_id), size=_BASELINE_SIZE)
    return store.Baseline(command.force_id, waiting_id, sealed, day(now))


async def _keep_baselines(
    tx: Transaction, keeping: Keeping, baselines: Sequence[store.Baseline], now: datetime
) -> None:
    """Let answers wait among others, and let them go where enough wait."""
    if not baselines:
        return
    await store.add_baselines(tx, baselines)
    leaves = domain.leaves_on(day(now))
    await timers.set(tx, BASELINE_LEAVES, [Due(one.force_id, one.id, leaves) for one in baselines])
    waiting: dict[str, list[store.Baseline]] = {}
    for one in await store.waiting_baselines(tx, {baseline.force_id for baseline in baselines}):
        waiting.setdefault(one.force_id, []).append(one)
    enough = [one for many in waiting.values() if len(many) >= domain.BASELINE_BATCH for one in many]
    await _release(tx, keeping, enough, now)
    for force_id in {one.force_id for one in enough}:
        await timers.cancel(tx, BASELINE_LEAVES, force_id, [one.id for one in enough if one.force_id == force_id])


async def release_baselines(tx: Transaction, fired: Sequence[Fired], now: datetime, *, keeping: Keeping) -> None:
    """After thirty days answers leave even where too few came to hide among; those of one day leave together."""
    await _release(tx, keeping, await store.waiting_baselines_named(tx, [one.subject for one in fired]), now)


async def _release(tx: Transaction, keeping: Keeping, waiting: Sequence[store.Baseline], now: datetime) -> None:
    if not waiting:
        return
    facts = []
    for one in waiting:
        content = keeping.vault.open(_BASELINE, one.sealed, str(one.id))
        answered = BaselineAnswered(
            pair_id=UUID(content["pair"]),
            month=content["month"],
            answers=content["answers"],
            survey_version=BASELINE.version,
        )
        facts.append(Fact(answered, one.force_id, now))
    _CHANCE.shuffle(facts)
    await store.remove_baselines(tx, [one.id for one in waiting])
    await outbox.append(tx, facts)
    keeping.metrics.baselines(len(facts))


# Messages


@dataclass(frozen=True, slots=True)
class _Woman:
    """A request and who made it, open for the length of one transaction."""

    held: Held
    person: Person
    data_key: DataKey


@dataclass(frozen=True, slots=True)
class _Notice:
    """Something to tell her, not before a moment (UTC); `facts` is what JSON can hold."""

    woman: _Woman
    kind: MessageKind
    facts: Mapping[str, Any]
    not_before: datetime


def open_request(vault: Vault, stored: Stored) -> _Woman:
    """Who made a request.

    :raises CannotOpen: her row was not written by this master key.
    """
    participant_id = stored.held.participant_id
    data_key = vault.data_key(stored.key, str(participant_id))
    return _Woman(stored.held, Person.from_json(data_key.open(stored.sealed, f"person {participant_id}")), data_key)


@dataclass(frozen=True, slots=True)
class _Decided:
    """A message as it is written, and how it leaves; None where her rules do not let it."""

    message: store.Message
    going: sendings.Sending | None


def _decided(notices: Sequence[_Notice], now: datetime) -> list[_Decided]:
    """Messages through the one door; what her rules do not let pass is kept as withheld."""
    found = []
    for notice in notices:
        held, person = notice.woman.held, notice.woman.person
        message_id = UUID(int=uuid7().int)
        channel = domain.channel_for(person)
        decision = (
            domain.Refuse.CHANNEL
            if channel is None
            else domain.may_send(
                person.rules,
                channel,
                max(now, notice.not_before),
                withdrawn=held.state is RequestState.WITHDRAWN,
            )
        )
        if isinstance(decision, Send) and channel is not None:
            sealed = notice.woman.data_key.seal(dict(notice.facts), f"message {message_id}")
            message = store.Message(held.force_id, message_id, held.id, notice.kind, channel, None, sealed)
            found.append(_Decided(message, sendings.Sending(held.force_id, message_id, channel, decision.at)))
        else:
            refused = decision if isinstance(decision, domain.Refuse) else None
            message = store.Message(held.force_id, message_id, held.id, notice.kind, channel, refused, None)
            found.append(_Decided(message, None))
    return found


async def _send_on(tx: Transaction, keeping: Keeping, decided: Sequence[_Decided]) -> None:
    """Put written messages on their way."""
    await sendings.schedule(tx, [one.going for one in decided if one.going is not None])
    for one in decided:
        keeping.metrics.message(one.message.kind, "withheld" if one.going is None else "due")


async def _announce(tx: Transaction, keeping: Keeping, notices: Sequence[_Notice], now: datetime) -> None:
    """Write messages and put them on their way, as far as her rules let them pass."""
    decided = _decided(notices, now)
    await store.add_messages(tx, [one.message for one in decided], now)
    await _send_on(tx, keeping, decided)


async def _call_back(tx: Transaction, request_ids: Iterable[UUID], kinds: Iterable[MessageKind]) -> None:
    """Take back messages that have not left yet: an old time, a walk that will not be."""
    for force_id, ids in (await store.unsent_messages(tx, request_ids, kinds)).items():
        await sendings.cancel(tx, force_id, ids)


@dataclass(frozen=True, slots=True)
class ToSend:
    """A message the moment it leaves: to whom, and what is to be said, by the rules of now."""

    kind: MessageKind
    force_id: str
    reference: str
    person: Person
    facts: Mapping[str, Any]
    neutral: bool


async def message_to_send(
    tx: Transaction, force_id: str, message_id: UUID, now: datetime, *, keeping: Keeping
) -> ToSend:
    """What is to leave now. The one door once more: her rules may have changed, and the hour has.

    :raises Undeliverable: her rules let it pass no longer.
    :raises NotYet: not at this hour.
    """
    found = await store.message_to_send(tx, force_id, message_id)
    if found is None:
        raise sendings.Undeliverable("there is no such message")
    woman = open_request(keeping.vault, found.request)
    withdrawn = woman.held.state is RequestState.WITHDRAWN
    match domain.may_send(woman.person.rules, found.channel, now, withdrawn=withdrawn):
        case domain.Refuse() as refused:
            keeping.metrics.message(found.kind, "withheld")
            raise sendings.Undeliverable(refused.value)
        case Send(at=at) if at > now:
            raise sendings.NotYet(at)
        case Send(neutral=neutral):
            facts = woman.data_key.open(found.facts, f"message {message_id}")
            return ToSend(found.kind, force_id, woman.held.reference, woman.person, facts, neutral)


# What becomes of her walk


def _moves(received: Sequence[Received[WalkEvent]], state: RequestState, *, assigned: bool = True) -> list[store.Move]:
    return [
        store.Move(
            one.force_id,
            request_id,
            state,
            one.event.walk_id,
            getattr(one.event, "team_id", None),
            getattr(one.event, "officer_id", None) if assigned else None,
        )
        for one in received
        for request_id in one.event.request_ids
    ]


def _of(received: Sequence[Received[WalkEvent]]) -> list[UUID]:
    return [request_id for one in received for request_id in one.event.request_ids]


async def route_requests(tx: Transaction, received: Sequence[Received[WalkRouted]], now: datetime) -> None:
    """The team that is to arrange her walk is known."""
    await store.move(tx, _moves(received, RequestState.ROUTED))


async def take_requests(tx: Transaction, received: Sequence[Received[WalkTaken]], now: datetime) -> None:
    """An officer has taken her walk on, and may now open her contact card."""
    await store.move(tx, _moves(received, RequestState.TAKEN))


async def tell_arranged(
    tx: Transaction, received: Sequence[Received[WalkArranged]], now: datetime, *, keeping: Keeping
) -> None:
    """Tell her when and where; an earlier time that she was not told yet is not sent any more."""
    await store.move(tx, _moves(received, RequestState.ARRANGED))
    await _call_back(tx, _of(received), [MessageKind.ARRANGED, MessageKind.CANCELLED])
    await _tell(
        tx,
        keeping,
        received,
        MessageKind.ARRANGED,
        lambda held, arranged: {
            "starts_at": arranged.starts_at.isoformat(),
            "meeting_place": arranged.meeting_place,
            "link": private_link(keeping, held),
        },
        now,
    )


async def tell_cancelled(
    tx: Transaction, received: Sequence[Received[WalkCancelled]], now: datetime, *, keeping: Keeping
) -> None:
    """Tell her that the walk will not take place; its officer sees her contact card no longer."""
    await store.move(tx, _moves(received, RequestState.CANCELLED, assigned=False))
    await _call_back(tx, _of(received), [MessageKind.ARRANGED])
    await _tell(tx, keeping, received, MessageKind.CANCELLED, lambda _, __: {}, now)


async def complete_requests(tx: Transaction, received: Sequence[Received[WalkCompleted]], now: datetime) -> Outcome:
    """The walk was held: its concerns are known from now on, so that she can be told what became of them."""
    await store.move(tx, _moves(received, RequestState.COMPLETED))
    await _call_back(tx, _of(received), [MessageKind.ARRANGED])
    return await _attach(tx, received)


async def attach_concerns(tx: Transaction, received: Sequence[Received[ConcernsAttached]], now: datetime) -> Outcome:
    """Concerns recorded after the walk was closed."""
    return await _attach(tx, received)


async def _attach(
    tx: Transaction, received: Sequence[Received[WalkCompleted]] | Sequence[Received[ConcernsAttached]]
) -> Outcome:
    concerns = [
        (one.force_id, concern_id, one.event.walk_id) for one in received for concern_id in one.event.concern_ids
    ]
    await store.add_concerns(tx, concerns)
    return Outcome(arrived=[concern_id for _, concern_id, _ in concerns])


async def _tell(
    tx: Transaction,
    keeping: Keeping,
    received: Sequence[Received[W]],
    kind: MessageKind,
    facts: Callable[[Held, W], Mapping[str, Any]],
    now: datetime,
) -> None:
    known = await store.requests(tx, _of(received))
    notices = [
        _Notice(open_request(keeping.vault, known[request_id]), kind, facts(known[request_id].held, one.event), now)
        for one in received
        for request_id in one.event.request_ids
        if request_id in known
    ]
    await _announce(tx, keeping, notices, now)


# What was done about her concern


async def tell_resolved(
    tx: Transaction, received: Sequence[Received[ConcernResolved]], now: datetime, *, keeping: Keeping
) -> Outcome:
    """Tell the women of the walk what became of a concern; one whose walk is not known yet waits for it."""
    walks = await store.walks_of_concerns(tx, [one.event.concern_id for one in received])
    women = await store.requests_of_walks(tx, set(walks.values()))
    notices = [
        _Notice(
            open_request(keeping.vault, stored),
            MessageKind.DONE,
            {
                "resolution": one.event.resolution.value,
                "words": one.event.words,
                "partner": one.event.partner_name,
            },
            now,
        )
        for one in received
        if one.event.concern_id in walks
        for stored in women.get(walks[one.event.concern_id], ())
    ]
    await _announce(tx, keeping, notices, now)
    return Outcome(awaiting={one.id: one.event.concern_id for one in received if one.event.concern_id not in walks})


# Her survey


async def send_surveys(
    tx: Transaction, received: Sequence[Received[SurveyInvited]], now: datetime, *, keeping: Keeping
) -> Outcome:
    """Make the link of each woman of the walk and send it by her safe channel; feedback never sees whom it goes to."""
    women = await store.requests_of_walks(tx, [one.event.walk_id for one in received])
    notices = [
        _Notice(
            woman := open_request(keeping.vault, stored),
            MessageKind.SURVEY,
            _survey_facts(keeping, woman, stored, one.event.survey, max(now, one.event.send_from)),
            one.event.send_from,
        )
        for one in received
        for stored in women.get(one.event.walk_id, ())
    ]
    await _announce(tx, keeping, notices, now)
    return Outcome(awaiting={one.id: one.event.walk_id for one in received if one.event.walk_id not in women})


def _survey_facts(
    keeping: Keeping, woman: _Woman, stored: Stored, survey: SurveyName, opens: datetime
) -> Mapping[str, Any]:
    held, until = woman.held, opens + domain.SURVEY_OPEN_FOR
    ticket = Ticket(
        held.force_id,
        survey,
        UUID(woman.data_key.open(stored.pair, f"pair of {held.id}")),
        keeping.vault.seal_text(CONTACT, [held.force_id, held.id.hex]),
        until,
    )
    link = f"{keeping.feedback_url}/s/{ticket.token(keeping.link_key)}"
    return {"link": link, "until": until.isoformat()}


async def want_contact(
    tx: Transaction, received: Sequence[Received[FeedbackFlagged]], now: datetime, *, keeping: Keeping
) -> None:
    """Find out whom a worrying answer came from, and have an officer's call or visit asked for a little later.

    That her answer led to it is known for the length of this call alone: what waits is sealed anew, names no flag, and
    is told in a transaction of its own. Who asked not to be contacted sent no reference, and is left in peace.

    :raises CannotOpen: a reference was not sealed by this master key.
    """
    wanted = []
    for one in received:
        if one.event.contact is not None:
            force_id, request = keeping.vault.open_text(CONTACT, one.event.contact)
            if force_id != one.force_id:
                raise CannotOpen
            wanted_id = uuid4()
            content = {"request": request, "urgency": one.event.urgency}
            sealed = keeping.vault.seal(_WANTED, content, str(wanted_id), size=_WANTED_SIZE)
            wanted.append(store.WantedContact(force_id, wanted_id, sealed))
    _CHANCE.shuffle(wanted)
    await store.add_wanted_contacts(tx, wanted)
    waits = [Due(one.force_id, one.id, now + timedelta(seconds=_CHANCE.uniform(*_WANTED_WAITS))) for one in wanted]
    await timers.set(tx, CONTACT_IS_TOLD, waits)


async def tell_wanted_contacts(tx: Transaction, fired: Sequence[Fired], now: datetime, *, keeping: Keeping) -> None:
    """Ask for the calls and visits that are wanted; the events name neither a flag nor a cause."""
    found = []
    for one in await store.take_wanted_contacts(tx, [one.subject for one in fired]):
        content = keeping.vault.open(_WANTED, one.sealed, str(one.id))
        found.append((one.force_id, UUID(content["request"]), Urgency(content["urgency"])))
    known = await store.requests(tx, [request_id for _, request_id, _ in found])
    facts = [
        Fact(ContactWanted(request_id=request_id, contact_id=uuid4(), urgency=urgency), force_id, now)
        for force_id, request_id, urgency in found
        if request_id in known and not open_request(keeping.vault, known[request_id]).person.rules.stopped
    ]
    _CHANCE.shuffle(facts)
    await outbox.append(tx, facts)


async def note_follow_ups(tx: Transaction, received: Sequence[Received[FollowUpCompleted]], now: datetime) -> None:
    """The call or visit that was wanted is over."""
    await store.note_follow_ups(tx, [(one.force_id, one.event.request_id) for one in received], now)


# What she changes


def private_link(keeping: Keeping, held: Held) -> str:
    """The address of the page where she, and nobody else, can withdraw or stop all contact."""
    return f"{keeping.intake_url}/your-request/{keeping.vault.seal_text(PRIVATE_LINK, [held.force_id, held.id.hex])}"


def open_private_link(keeping: Keeping, token: str) -> tuple[str, UUID]:
    """(force, request) of a private link.

    :raises LinkInvalid: it is none of ours.
    """
    try:
        force_id, request = keeping.vault.open_text(PRIVATE_LINK, token)
    except CannotOpen:
        raise domain.LinkInvalid from None
    return force_id, UUID(request)


async def her_request(tx: Transaction, request_id: UUID, *, keeping: Keeping) -> tuple[Held, bool]:
    """A request as its owner sees it, and whether she has stopped all contact.

    :raises RequestNotFound: nobody knows it.
    """
    stored = (await store.requests(tx, [request_id])).get(request_id)
    if stored is None:
        raise RequestNotFound
    return stored.held, open_request(keeping.vault, stored).person.rules.stopped


async def withdraw(tx: Transaction, force_id: str, request_id: UUID, now: datetime) -> None:
    """She no longer wants the walk: nothing more is sent. A second time changes nothing.

    :raises RequestNotFound: nobody knows it.
    """
    stored = await store.lock_request(tx, force_id, request_id)
    if stored is None:
        raise RequestNotFound
    if stored.held.state in (RequestState.WITHDRAWN, RequestState.COMPLETED):
        return
    await store.withdraw(tx, force_id, request_id)
    await _call_back(tx, [request_id], MessageKind)
    await audit.record(tx, [Entry(force_id, "participant", "altered", str(request_id), "withdrew her request")], now)
    await outbox.append(tx, [Fact(WalkRequestWithdrawn(request_id=request_id), force_id, now)])


async def stop_contact(tx: Transaction, force_id: str, request_id: UUID, now: datetime, *, keeping: Keeping) -> None:
    """Contact is no longer safe: every attempt ends, here and everywhere. A second time changes nothing.

    :raises RequestNotFound: nobody knows it.
    """
    stored = await store.lock_request(tx, force_id, request_id)
    if stored is None:
        raise RequestNotFound
    woman = open_request(keeping.vault, stored)
    if woman.person.rules.stopped:
        return
    rules = woman.person.rules.model_copy(update={"stopped": True})
    place = f"person {woman.held.participant_id}"
    sealed = woman.data_key.seal(woman.person.with_rules(rules).as_json(), place)
    await store.reseal(tx, force_id, woman.held.participant_id, sealed)
    await _call_back(tx, [request_id], MessageKind)
    await audit.record(tx, [Entry(force_id, "participant", "altered", str(request_id), "stopped all contact")], now)
    await outbox.append(tx, [Fact(ContactRulesChanged(request_id=request_id, contact=rules), force_id, now)])


# The contact card


@dataclass(frozen=True, slots=True)
class Card:
    """A contact card; `person` only once a reason was given."""

    held: Held
    rules: ContactRules
    person: Person | None = None


async def show_rules(tx: Transaction, asker: Asker, request_id: UUID, *, keeping: Keeping) -> Card:
    """Her rules, before anything else of hers.

    :raises RequestNotFound, ContactNotYours, ContactStopped: as domain.refuse_contact says.
    """
    woman = await _card(tx, asker, request_id, keeping)
    return Card(woman.held, woman.person.rules)


async def open_contact(
    tx: Transaction, asker: Asker, request_id: UUID, reason: str, now: datetime, *, keeping: Keeping
) -> Card:
    """Who she is and how to reach her, for a reason that is kept.

    :raises RequestNotFound, ContactNotYours, ContactStopped: as domain.refuse_contact says.
    """
    woman = await _card(tx, asker, request_id, keeping)
    entry = Entry(woman.held.force_id, asker.id, "consulted", str(request_id), reason, recipient=asker.id)
    await audit.record(tx, [entry], now)
    return Card(woman.held, woman.person.rules, woman.person)


async def _card(tx: Transaction, asker: Asker, request_id: UUID, keeping: Keeping) -> _Woman:
    stored = (await store.requests(tx, [request_id])).get(request_id)
    if stored is None:
        raise RequestNotFound
    woman = open_request(keeping.vault, stored)
    domain.refuse_contact(asker, woman.held, woman.person.rules)
    return woman


# The form half filled in


@dataclass(frozen=True, slots=True)
class Draft:
    """A form half filled in, open. `content` is what JSON can hold."""

    force_id: str
    id: UUID
    content: Mapping[str, Any]


async def begin_draft(
    tx: Transaction, force_id: str, content: Mapping[str, Any], now: datetime, *, keeping: Keeping
) -> str:
    """Begin a form; the token finds it again for a few hours, and only its digest is kept."""
    token, draft_id, expires_at = secrets.token_urlsafe(32), uuid4(), now + DRAFT_LASTS
    sealed = keeping.vault.seal(_DRAFT, dict(content), str(draft_id), size=_DRAFT_SIZE)
    await store.add_draft(tx, force_id, draft_id, keeping.vault.digest(_DRAFT, token), sealed, expires_at)
    await timers.set(tx, DRAFT_EXPIRES, [Due(force_id, draft_id, expires_at)])
    return token


async def read_draft(
    tx: Transaction, force_id: str, token: str, now: datetime, *, keeping: Keeping, hold: bool = False
) -> Draft | None:
    """The form of a token; None once it has expired. Held still until the transaction ends if asked."""
    found = await store.draft(tx, force_id, keeping.vault.digest(_DRAFT, token), now, hold=hold)
    if found is None:
        return None
    return Draft(force_id, found.id, keeping.vault.open(_DRAFT, found.sealed, str(found.id)))


async def save_draft(tx: Transaction, draft: Draft, content: Mapping[str, Any], *, keeping: Keeping) -> None:
    """Keep the form as it stands now."""
    sealed = keeping.vault.seal(_DRAFT, dict(content), str(draft.id), size=_DRAFT_SIZE)
    await store.save_draft(tx, draft.force_id, draft.id, sealed)


async def erase_draft(tx: Transaction, draft: Draft) -> None:
    """She has left the form, or wants to begin anew."""
    await store.remove_drafts(tx, [(draft.force_id, draft.id)])
    await timers.cancel(tx, DRAFT_EXPIRES, draft.force_id, [draft.id])


async def erase_expired_drafts(tx: Transaction, fired: Sequence[Fired], now: datetime) -> None:
    """Forms nobody finished are gone after a few hours."""
    await store.remove_drafts(tx, [(one.force_id, one.subject) for one in fired])
