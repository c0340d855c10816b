"""What pages, APIs, metrics and routing ask of the databases, through the handlers that ask it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from uuid6 import uuid7

from services.assignment.domain.people import Person
from services.assignment.domain.walks import State
from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers import looking, people, requests
from services.assignment.registers import Registers
from services.feedback import handlers as feedback
from services.feedback import store as feedback_store
from services.intake.store import requests as intake_requests
from services.partners import handlers as partners
from services.partners.domain import OPEN, ReferralState
from shared.contracts.envelope import Received
from shared.contracts.kinds import Channel, PartOfDay, Point, SurveyName, Weekday
from shared.contracts.walk_requests import Availability, ContactRules, WalkRequested
from shared.database import Transaction
from shared.policies import Policies
from tests.bench.growth.reads.world import FORCE, World

Ask = Callable[[Transaction, World], Awaitable[object]]

_FORCES: Final = Path(__file__).parents[4] / "deploy" / "forces"
_OFFICER: Final = "pc-20"
REQUESTS: Final = 100
"""Requests routed together in one question."""


@cache
def _policies() -> Policies:
    return Policies.read(_FORCES)


@cache
def _registers() -> Registers:
    return Registers(_FORCES, _policies().forces)


async def _person(tx: Transaction, coordinator: bool) -> Person:
    return await people.person(tx, FORCE, _OFFICER, is_coordinator=coordinator, team_id=None)


def _walks(state: State, coordinator: bool, page: int = 1) -> Ask:
    async def ask(tx: Transaction, world: World) -> object:
        by = await _person(tx, coordinator)
        return await looking.list_walks(tx, by, state, None, page)

    return ask


def _follow_ups(is_open: bool, coordinator: bool) -> Ask:
    async def ask(tx: Transaction, world: World) -> object:
        return await following_up.list_follow_ups(tx, await _person(tx, coordinator), 1, is_open=is_open)

    return ask


def _my_work(coordinator: bool) -> Ask:
    async def ask(tx: Transaction, world: World) -> object:
        by = await _person(tx, coordinator)
        await looking.names(tx, FORCE)
        await looking.work_in_hand(tx, by)
        await looking.list_walks(tx, by, State.ROUTED, None, 1)
        await following_up.list_follow_ups(tx, by, 1)
        return await looking.work_waiting(tx, by, datetime.now(UTC)) if coordinator else None

    return ask


async def _route(tx: Transaction, world: World) -> object:
    received = [
        Received(
            WalkRequested(
                request_id=UUID(int=uuid7().int),
                place=Point(latitude=51.48 + n / 5000, longitude=-0.12 + n / 5000),
                place_from_postcode=True,
                availability=Availability(days=(Weekday.MONDAY,), parts=(PartOfDay.EVENING,)),
                contact=ContactRules(channels=(Channel.EMAIL,)),
            ),
            uuid4(),
            FORCE,
            datetime.now(UTC),
            1,
            None,
            None,
        )
        for n in range(REQUESTS)
    ]
    locate = _registers().locate
    await requests.route_requests(tx, received, datetime.now(UTC), policies=_policies(), locate=locate)
    return None


async def _walk_page(tx: Transaction, world: World) -> object:
    by = await _person(tx, coordinator=True)
    # The officers who may be chosen are picked from the register's names.
    return await looking.look_at_walk(tx, world.walk, by, datetime.now(UTC)), await looking.names(tx, FORCE)


async def _assignment_metrics(tx: Transaction, world: World) -> object:
    return await looking.count(tx, datetime.now(UTC))


def _referrals(partner: str | None, *states: ReferralState) -> Ask:
    async def ask(tx: Transaction, world: World) -> object:
        return await partners.referrals(tx, partner, states, 1)

    return ask


async def _sheet(tx: Transaction, world: World) -> object:
    return await partners.sheet(tx, world.reference, None)


async def _partners_triage(tx: Transaction, world: World) -> object:
    return await partners.triage(tx, 1), await partners.partners_of(tx, FORCE)


async def _partners_metrics(tx: Transaction, world: World) -> object:
    return await partners.counts(tx)


async def _evaluation(tx: Transaction, world: World) -> object:
    return await feedback.evaluation(tx, FORCE)


async def _survey(tx: Transaction, world: World) -> object:
    return await feedback_store.is_answered(tx, FORCE, SurveyName.AFTER_WALK, world.pair)


async def _contact_card(tx: Transaction, world: World) -> object:
    return await intake_requests.requests(tx, [world.request])


QUESTIONS: Final[dict[str, tuple[str, Ask]]] = {
    f"routing {REQUESTS} requests": ("assignment", _route),
    "an officer's first page": ("assignment", _my_work(coordinator=False)),
    "a coordinator's first page": ("assignment", _my_work(coordinator=True)),
    "queue of a team": ("assignment", _walks(State.ROUTED, coordinator=False)),
    "queue of the force": ("assignment", _walks(State.ROUTED, coordinator=True)),
    "queue of the force, page 5": ("assignment", _walks(State.ROUTED, coordinator=True, page=5)),
    "walks completed, of a team": ("assignment", _walks(State.COMPLETED, coordinator=False)),
    "walks completed, of the force": ("assignment", _walks(State.COMPLETED, coordinator=True)),
    "triage of walks": ("assignment", _walks(State.TRIAGE, coordinator=True)),
    "a walk, and who may take it": ("assignment", _walk_page),
    "follow-ups open, of an officer": ("assignment", _follow_ups(True, coordinator=False)),
    "follow-ups open, of the force": ("assignment", _follow_ups(True, coordinator=True)),
    "follow-ups done, of an officer": ("assignment", _follow_ups(False, coordinator=False)),
    "follow-ups done, of the force": ("assignment", _follow_ups(False, coordinator=True)),
    "assignment's metrics": ("assignment", _assignment_metrics),
    "referrals open, of a partner": ("partners", _referrals("council-10", *OPEN)),
    "referrals open, of the force": ("partners", _referrals(None, *OPEN)),
    "referrals resolved, of a partner": ("partners", _referrals("council-10", ReferralState.RESOLVED)),
    "referrals resolved, of the force": ("partners", _referrals(None, ReferralState.RESOLVED)),
    "referrals of every state": ("partners", _referrals(None, *ReferralState)),
    "a referral": ("partners", _sheet),
    "triage of concerns": ("partners", _partners_triage),
    "partners' metrics": ("partners", _partners_metrics),
    "evaluation": ("feedback", _evaluation),
    "a survey's link": ("feedback", _survey),
    "a contact card": ("intake", _contact_card),
}
"""Every list, page, gauge and look-up that reads what grows: where it is asked, and how."""
