"""What feedback does with each event and command: load, decide, save, append. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from services.feedback import domain, store
from services.feedback.evaluation import Evaluation, evaluate
from services.feedback.metrics import FeedbackMetrics
from shared import timers
from shared.bus import erasure, outbox
from shared.bus.erasure import Gone
from shared.bus.outbox import Fact
from shared.bus.subscriptions import Outcome
from shared.contracts.areas import AreaPublished
from shared.contracts.baseline import AnswersWithdrawn, BaselineAnswered, EqualityAnswered
from shared.contracts.concerns import ConcernRaised, ConcernRedacted, ConcernWithdrawn
from shared.contracts.envelope import Event, Received
from shared.contracts.kinds import SurveyName
from shared.contracts.policy import ForcePolicy
from shared.contracts.referrals import ConcernResolved, ReferralEvent
from shared.contracts.surveys import SURVEYS, Survey
from shared.contracts.walks import FollowUpCompleted, PatrolLogged, PatrolWithdrawn, WalkCompleted
from shared.database import Transaction
from shared.survey_link import Ticket
from shared.timers import Due, Fired
from shared.working_days import day, month

NIGHT = "night"
_NIGHT_OF = UUID("0f5f1d0e-5c2b-4d55-9a7b-3f0a6f3e9b10")


# Invitations and answers


async def invite(
    tx: Transaction,
    received: Sequence[Received[WalkCompleted]],
    now: datetime,
    *,
    policies: Mapping[str, ForcePolicy],
    new_id: Callable[[], UUID] = uuid4,
) -> None:
    """Ask the women of each completed walk once."""
    invitations = [
        (domain.invite(one.event, one.force_id, policies[one.force_id].surveys, new_id()), one) for one in received
    ]
    first = await store.save_invitations(tx, [invitation for invitation, _ in invitations])
    await outbox.append(
        tx,
        [
            Fact(invitation.event, invitation.force_id, now, cause)
            for invitation, cause in invitations
            if invitation.event.invitation_id in first
        ],
    )


async def keep_baseline(tx: Transaction, received: Sequence[Received[BaselineAnswered]], now: datetime) -> None:
    """Keep answers given before the walk, under their pair id."""
    await store.save_answers(
        tx,
        [
            domain.Answered(
                force_id=one.force_id,
                survey=SurveyName.BASELINE,
                pair_id=one.event.pair_id,
                version=one.event.survey_version,
                month=one.event.month,
                answers=one.event.answers,
            )
            for one in received
        ],
    )


async def keep_equality(tx: Transaction, received: Sequence[Received[EqualityAnswered]], now: datetime) -> None:
    """Keep equality answers, each on its own."""
    await store.save_equality(tx, [(one.force_id, one.event) for one in received])


@dataclass(frozen=True, slots=True)
class Finish:
    """Somebody sends in all her answers by her link."""

    ticket: Ticket
    answers: Mapping[str, str]


async def finish(
    tx: Transaction, commands: Sequence[Finish], now: datetime, *, link_key: bytes, new_id: Callable[[], UUID] = uuid4
) -> list[UUID | None]:
    """Store answers once a link; each command's receipt, or None where that link had been used before, or she was
    erased since.

    :raises AnswersInvalid: an answer is not one the survey gives.
    :raises NothingAnswered: there is no answer at all.
    """
    finished = [
        domain.finish(
            force_id=command.ticket.force_id,
            survey=SURVEYS[command.ticket.survey],
            pair_id=command.ticket.pair_id,
            contact=command.ticket.contact,
            answers=command.answers,
            now=now,
            new_id=new_id,
        )
        for command in commands
    ]
    forgotten = await erasure.buried(tx, [(one.answered.force_id, one.answered.pair_id) for one in finished])
    first = await store.save_answers(
        tx,
        [one.answered for one in finished if (one.answered.force_id, one.answered.pair_id) not in forgotten],
    )
    counted = [one for one in finished if _place(one.answered) in first]
    await store.save_flags(
        tx, [(one.answered.force_id, one.answered.month, one.flagged) for one in counted if one.flagged]
    )
    await store.forget_drafts(tx, [_draft(command.ticket, link_key) for command in commands])
    facts: list[tuple[Event, str]] = []
    for one in counted:
        facts.append((one.received, one.answered.force_id))
        if one.flagged:
            facts.append((one.flagged, one.answered.force_id))
    await outbox.append(tx, [Fact(event, force_id, now) for event, force_id in facts])
    return [one.received.receipt_id if _place(one.answered) in first else None for one in finished]


def _place(answered: domain.Answered) -> tuple[str, str, UUID]:
    return (answered.force_id, answered.survey, answered.pair_id)


def _draft(ticket: Ticket, link_key: bytes) -> tuple[str, bytes]:
    return ticket.force_id, domain.draft_id(link_key, ticket.force_id, ticket.survey, ticket.pair_id)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a link has come: finished, or what was answered so far."""

    survey: Survey
    finished: bool
    answers: Mapping[str, str]


async def progress(tx: Transaction, ticket: Ticket, *, link_key: bytes) -> Progress:
    """How far a link has come. Changes nothing."""
    survey = SURVEYS[ticket.survey]
    if await _is_forgotten(tx, ticket) or await store.is_answered(tx, ticket.force_id, ticket.survey, ticket.pair_id):
        return Progress(survey, finished=True, answers={})
    return Progress(survey, finished=False, answers=await store.draft(tx, *_draft(ticket, link_key)))


async def keep_answer(
    tx: Transaction, ticket: Ticket, code: str, answer: str | None, now: datetime, *, link_key: bytes
) -> None:
    """Keep one answer of a survey that is not finished yet, or none where the question is left out.

    :raises AnswersInvalid: the answer is not one the survey gives.
    """
    if await _is_forgotten(tx, ticket):
        return
    if answer is None:
        await store.leave_out_of_draft(tx, *_draft(ticket, link_key), code)
        return
    if wrong := SURVEYS[ticket.survey].refuse({code: answer}).get(code):
        raise domain.AnswersInvalid({code: wrong})
    await store.keep_draft(tx, *_draft(ticket, link_key), month(now), {code: answer})


# What is forgotten


async def forget_answers(tx: Transaction, received: Sequence[Received[AnswersWithdrawn]], now: datetime) -> None:
    """Let nothing lead from answers to whoever gave them."""
    await forget(tx, [Gone(one.force_id, one.event.pair_id) for one in received], now)


async def forget_words(tx: Transaction, received: Sequence[Received[ConcernRedacted]], now: datetime) -> None:
    """No words of a concern are kept here; what may be held of it, unread, is to lose them."""
    await forget(tx, [Gone(one.force_id, one.event.concern_id, "words") for one in received], now)


async def forget(tx: Transaction, gone: Sequence[Gone], now: datetime) -> None:
    """Put the answers of these pair ids under ids that nobody was ever told; what they count for stays.

    From then on nothing, not even what intake sealed, leads from a woman to a row of answers. Of a pair id comes no
    more: no late baseline, and no survey by a link that is still open. Doing it again changes nothing.
    """
    pairs = [one for one in gone if one.what == "all"]
    await store.unlink_answers(tx, [(one.force_id, one.id, uuid4()) for one in pairs])
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    await erasure.bury(tx, gone, today, now)


async def _is_forgotten(tx: Transaction, ticket: Ticket) -> bool:
    return bool(await erasure.buried(tx, [(ticket.force_id, ticket.pair_id)]))


# Outcomes


async def keep_areas(tx: Transaction, received: Sequence[Received[AreaPublished]], now: datetime) -> None:
    """Keep the names of areas."""
    await store.save_areas(tx, [(one.force_id, one.event.area_id, one.event.area_name) for one in received])


async def count_concerns(tx: Transaction, received: Sequence[Received[ConcernRaised]], now: datetime) -> None:
    """Count concerns raised."""
    await store.save_concerns(tx, [domain.count_concern(one.event, one.force_id) for one in received])


async def withdraw_concerns(tx: Transaction, received: Sequence[Received[ConcernWithdrawn]], now: datetime) -> None:
    """Count withdrawn concerns no longer."""
    await store.withdraw_concerns(tx, [one.event.concern_id for one in received])


async def follow_referrals(
    tx: Transaction, received: Sequence[Received[ReferralEvent]], now: datetime
) -> Outcome | None:
    """Keep how far referrals have come, and how concerns ended. A referral may be heard of before its concern."""
    known = await store.known_concerns(tx, [one.event.concern_id for one in received])
    ready = [one for one in received if one.event.concern_id in known]
    await store.save_referrals(tx, [domain.referral_state(one.event, one.force_id) for one in ready])
    await store.resolve_concerns(
        tx,
        [
            (one.force_id, one.event.concern_id, one.event.resolution, day(one.time))
            for one in ready
            if isinstance(one.event, ConcernResolved)
        ],
    )
    return Outcome(awaiting={one.id: one.event.concern_id for one in received if one.event.concern_id not in known})


async def count_follow_ups(tx: Transaction, received: Sequence[Received[FollowUpCompleted]], now: datetime) -> None:
    """Count calls and visits made. Neither her request nor the contact is kept."""
    await store.save_follow_ups(
        tx, [(one.force_id, one.event.follow_up_id, one.event.outcome, one.event.in_time) for one in received]
    )


async def keep_patrols(tx: Transaction, received: Sequence[Received[PatrolLogged]], now: datetime) -> None:
    """Keep where and when police were seen. A concern they were there for may be heard of later than they."""
    await store.save_patrols(tx, [(one.force_id, one.event) for one in received])


async def forget_patrols(tx: Transaction, received: Sequence[Received[PatrolWithdrawn]], now: datetime) -> None:
    """Forget patrols that were logged wrongly."""
    await store.forget_patrols(tx, [(one.force_id, one.event.patrol_id) for one in received])


# The evaluation


async def evaluation(tx: Transaction, force_id: str) -> Evaluation:
    """What may be published of one force's figures as they are now."""
    return evaluate(force_id, await store.tally(tx, force_id))


async def keep_night(tx: Transaction, fired: Sequence[Fired], now: datetime, *, metrics: FeedbackMetrics) -> None:
    """Write answers anew in random order, forget surveys begun long ago, measure, and come back the next night."""
    forces = [one.force_id for one in fired]
    previous_month = domain.previous_month(now)
    await store.mix_answers(tx, forces, previous_month)
    await store.forget_old_drafts(tx, previous_month)
    for force_id in forces:
        metrics.show(await evaluation(tx, force_id))
    await timers.set(tx, NIGHT, [Due(one.force_id, one.subject, domain.next_night(now)) for one in fired])


async def start(tx: Transaction, forces: Sequence[str], now: datetime, *, metrics: FeedbackMetrics) -> None:
    """Do a night's work at every start, whatever nights were missed; sets the timer of the next."""
    await keep_night(tx, [Fired(force, uuid5(_NIGHT_OF, force), now) for force in forces], now, metrics=metrics)
